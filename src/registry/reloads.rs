//! A reload that an operator asks for: the way to whoever carries it out, and back.

use std::fmt;

use tokio::sync::oneshot;

use super::{NotDone, Operator};
use crate::config::compare::Forecast;

/// A reload on its way.
#[derive(Debug)]
pub struct ReloadOrder {
    /// Who wants it.
    pub by: Operator,
    /// Whether only what it would do is to be said.
    pub dry_run: bool,
    /// Is told what has been done, or would be, or why not; dropped when the daemon stops.
    pub done: oneshot::Sender<Result<Forecast, NotReloaded>>,
}

/// A configuration that cannot take the place of the one that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReloaded {
    /// Why, in words.
    pub why: String,
    /// Everything that is found in the file, a line each; empty when it is not the file.
    pub findings: Vec<String>,
}

impl From<String> for NotReloaded {
    fn from(why: String) -> Self {
        Self { why, findings: Vec::new() }
    }
}

impl fmt::Display for NotReloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str(&self.why);
        }
        f.write_str(&self.findings.join("\n"))
    }
}

/// Whoever takes such orders.
pub trait Reloads: fmt::Debug + Send + Sync {
    /// Asks for one.
    ///
    /// # Errors
    /// When nobody is there who could do it, or too many wait for it already.
    fn ask(&self, order: ReloadOrder) -> Result<(), NotDone>;
}
