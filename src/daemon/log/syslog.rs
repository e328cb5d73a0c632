//! syslog: one datagram for each entry.

use std::{
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};

use super::{choice::Facility, entry::Entry, writer::Write};

/// Where syslogd listens.
pub(super) const SOCKET: &str = "/dev/log";

pub(super) struct Syslog {
    path: PathBuf,
    socket: UnixDatagram,
    facility: Facility,
    ident: String,
}

impl Syslog {
    pub(super) fn open(facility: Facility, ident: &str) -> io::Result<Self> {
        Self::at(Path::new(SOCKET), facility, ident)
    }

    fn at(path: &Path, facility: Facility, ident: &str) -> io::Result<Self> {
        Ok(Self { path: path.into(), socket: connect(path)?, facility, ident: ident.to_owned() })
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(socket)
}

impl Write for Syslog {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let priority = self.facility.number() * 8 + entry.severity();
        let message = format!("<{priority}>{}[{}]: {}", self.ident, std::process::id(), entry.text());
        if self.socket.send(message.as_bytes()).is_err() {
            // A syslogd that was restarted listens on a new socket.
            self.socket = connect(&self.path)?;
            self.socket.send(message.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn received(syslogd: &UnixDatagram) -> String {
        let mut datagram = [0; 256];
        let length = syslogd.recv(&mut datagram).unwrap();
        String::from_utf8_lossy(&datagram[..length]).into_owned()
    }

    #[test]
    fn a_line_becomes_one_datagram_also_after_syslogd_was_restarted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let pid = std::process::id();
        let syslogd = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::at(&path, Facility::DAEMON, "steadfast_a").unwrap();
        let line = |level, message| Entry::new(level, message, Vec::new());
        syslog.write(&line(Level::INFO, "(VI_1) Entering MASTER STATE")).unwrap();
        assert_eq!(received(&syslogd), format!("<30>steadfast_a[{pid}]: INFO (VI_1) Entering MASTER STATE"));
        drop(syslogd);
        assert!(syslog.write(&line(Level::WARN, "nobody hears this")).is_err());
        std::fs::remove_file(&path).unwrap();
        let syslogd = UnixDatagram::bind(&path).unwrap();
        syslog.write(&line(Level::WARN, "again")).unwrap();
        assert_eq!(received(&syslogd), format!("<28>steadfast_a[{pid}]: WARN again"));
    }
}
