//! The connection to the daemon.

use std::{
    io::{self, BufRead as _, BufReader, ErrorKind, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::control::Request;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody listens anywhere.
fn absent(sockets: &[PathBuf]) -> String {
    let places: Vec<_> = sockets.iter().map(|socket| socket.display().to_string()).collect();
    format!(
        "no daemon listens at {}: does it run? Another socket is named with --socket, or by -p with the daemon's pid file",
        places.join(" or ")
    )
}

fn forbidden(socket: &Path) -> String {
    let socket = socket.display();
    format!("you may not use {socket}: root may, and the members of the group that control_group names")
}

/// A connection.
pub(super) struct Link(BufReader<UnixStream>);

impl Link {
    /// Connects to the first of these where somebody listens.
    ///
    /// # Errors
    /// In words, with the way out.
    pub(super) fn open(sockets: &[PathBuf]) -> Result<Self, String> {
        let mut dead = None;
        for socket in sockets {
            match UnixStream::connect(socket) {
                Ok(stream) => return Self::over(stream).map_err(|error| error.to_string()),
                Err(error) => match error.kind() {
                    ErrorKind::NotFound => {}
                    ErrorKind::ConnectionRefused => dead = dead.or(Some(socket)),
                    ErrorKind::PermissionDenied => return Err(forbidden(socket)),
                    _ => return Err(format!("{}: {error}", socket.display())),
                },
            }
        }
        Err(dead.map_or_else(
            || absent(sockets),
            |socket| format!("the daemon of {} does not run any more", socket.display()),
        ))
    }

    fn over(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
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

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_first_place_where_somebody_listens_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let places = [first.clone(), second.clone()];
        let refusal = || Link::open(&places).map(drop).unwrap_err();
        let both = format!("no daemon listens at {} or {}:", first.display(), second.display());
        assert!(refusal().starts_with(&both), "{}", refusal());
        let _listener = UnixListener::bind(&second).unwrap();
        assert!(Link::open(&places).is_ok());
        // Left by a daemon that was killed.
        drop(UnixListener::bind(&first).unwrap());
        assert!(Link::open(&places).is_ok());
        std::fs::remove_file(&second).unwrap();
        assert_eq!(refusal(), format!("the daemon of {} does not run any more", first.display()));
    }
}
