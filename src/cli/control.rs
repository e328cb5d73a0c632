//! `steadfast ctl`: what a running daemon may be asked.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use super::span::span;
use crate::control::{Kind, Since};

/// The daemon, and the question.
#[derive(Clone, Debug, Args)]
pub struct Control {
    /// The daemon's control socket; when absent, where -p or the configuration has it, or the unit for systemd
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
    /// Say why an instance is in its state, and what would have to change
    Why {
        /// The instance
        name: String,
    },
    /// Show the transitions that there were
    Events {
        /// How long ago the first of them was, as in 10m; a number with # means those after it, as in #17
        #[arg(long, value_name = "SPAN | #NUMBER", value_parser = since)]
        since: Option<Since>,
    },
    /// Show each transition that comes, one line each, until you stop it
    Watch,
    /// Have an instance with its sync group give way, and let a worse master be for a while
    StepDown {
        /// The instance or sync group
        name: String,
        /// For how long, as in 10m; 0 ends it
        #[arg(long = "for", value_name = "SPAN", value_parser = span, default_value = "10m")]
        lasting: Duration,
    },
    /// Add to the priority of an instance, or of all of a sync group
    Priority {
        /// The instance or sync group
        name: String,
        /// What is added, as in +20 or -20; 0 ends it
        #[arg(value_name = "±N", value_parser = clap::value_parser!(i16).range(-253..=253), allow_negative_numbers = true)]
        by: i16,
        /// For how long, as in 10m; until it is ended when absent
        #[arg(long = "for", value_name = "SPAN", value_parser = span)]
        lasting: Option<Duration>,
    },
    /// Have no instance be MASTER, until it is switched off
    Maintenance {
        /// Whether
        switch: OnOff,
    },
    /// Have the configuration read anew, as SIGHUP does, and say what that has changed
    Reload {
        /// Change nothing: say what a reload would change
        #[arg(long)]
        dry_run: bool,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// From now on
    On,
    /// No longer
    Off,
}

/// Reads the value of `--since`.
fn since(text: &str) -> Result<Since, String> {
    match text.strip_prefix('#') {
        Some(number) => number.parse().map(Since::After).map_err(|_| format!("`{number}` is no number")),
        None => span(text).map(|span| Since::Ago(span.as_secs())),
    }
}
