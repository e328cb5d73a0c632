//! `steadfast ctl`: what a running daemon may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::control::Kind;

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
}
