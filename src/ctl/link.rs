//! The connection to the daemon.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::control::Request;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
pub(super) struct Link(BufReader<UnixStream>);

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// In words, with the way out.
    pub(super) fn open(socket: &Path) -> Result<Self, String> {
        let stream = UnixStream::connect(socket).map_err(|error| {
            let socket = socket.display();
            match error.kind() {
                ErrorKind::NotFound => format!(
                    "no daemon listens at {socket}: does it run? Another socket is named with --socket, or by -p with \
                     the daemon's pid file"
                ),
                ErrorKind::ConnectionRefused => format!("the daemon of {socket} does not run any more"),
                ErrorKind::PermissionDenied => format!(
                    "you may not use {socket}: root may, and the members of the group that control_group names"
                ),
                _ => format!("{socket}: {error}"),
            }
        })?;
        let limited = stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
        limited.map_err(|error| error.to_string())?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(super) fn ask(&mut self, request: &Request) -> Result<(), String> {
        let line = serde_json::to_string(request).map_err(|error| error.to_string())? + "\n";
        match self.0.get_mut().write_all(line.as_bytes()) {
            // It has answered before it was asked: that there are too many.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.map_err(|error| error.to_string()),
        }
    }

    /// From now on an answer may take so long; `None` is for ever.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> Result<(), String> {
        self.0.get_ref().set_read_timeout(limit).map_err(|error| error.to_string())
    }

    /// The next line of the answer; `None` when there is no more.
    ///
    /// # Errors
    /// Whatever the system says; and when it takes too long.
    pub(super) fn answer(&mut self) -> Result<Option<String>, String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line.trim_end().to_owned())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err("the daemon does not answer".into())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
