//! `steadfast ctl`: what a running daemon may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::span::span;
use crate::control::{Kind, Since};

/// The daemon, and the question.
#[derive(Clone, Debug, Args)]
pub struct Control {
    /// The daemon's control socket; beside the pid file of -p when absent
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// As JSON, a line for each answer
    #[arg(long, global = true)]
    pub json: bool,
    /// The question
    #[command(subcommand)]
    pub command: ControlCommand,
}

/// Questions to a running daemon.
#[derive(Clone, Debug, Subcommand)]
pub enum ControlCommand {
    /// Show everything at a glance
    Status,
    /// Show all there is to say of one thing, or of all of a kind
    Show {
        /// Of which kind
        kind: Kind,
        /// Its name; for a virtual server as it is written, in quotes
        name: Option<String>,
    },
    /// Show the transitions that there were
    Events {
        /// How long ago the first of them was, as in 10m; a number with # means those after it, as in #17
        #[arg(long, value_name = "SPAN | #NUMBER", value_parser = since)]
        since: Option<Since>,
    },
    /// Show each transition that comes, one line each, until you stop it
    Watch,
}

/// Reads the value of `--since`.
fn since(text: &str) -> Result<Since, String> {
    match text.strip_prefix('#') {
        Some(number) => number.parse().map(Since::After).map_err(|_| format!("`{number}` is no number")),
        None => span(text).map(|span| Since::Ago(span.as_secs())),
    }
}
