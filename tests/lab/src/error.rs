//! What can go wrong in a lab, said so that the reader of a failed test knows what to do next.

use std::fmt;
use std::io;
use std::time::Duration;

/// The result of everything in the lab.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a lab could not do what a story asked.
///
/// `Debug` prints the same text as `Display`, because a test that returns `Err` is reported with it.
#[derive(thiserror::Error)]
pub enum Error {
    /// A program that the story needs is absent.
    #[error("`{program}` is not installed: apt-get install {package}")]
    Missing {
        /// The program as it was called.
        program: String,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// A command ended with a failure.
    #[error("`{command}` failed ({status}): {output}")]
    Command {
        /// The whole command line.
        command: String,
        /// Exit status or signal.
        status: String,
        /// Its standard error, or standard output where that was empty.
        output: String,
    },
    /// A condition did not come true in time.
    #[error("waited {deadline:?} for {what}; last seen: {last}")]
    Timeout {
        /// What was awaited.
        what: String,
        /// How long.
        deadline: Duration,
        /// The last observed value.
        last: String,
    },
    /// A system call failed.
    #[error("cannot {doing}: {source}")]
    Io {
        /// The action, as in "create namespace alpha".
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Output of a program or content of a file that the lab does not understand.
    #[error("{0}")]
    Unexpected(String),
}

impl Error {
    /// Wraps an operating system error with what was being done.
    pub fn io(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io { doing: doing.into(), source: source.into() }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
