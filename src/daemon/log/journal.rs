//! systemd's journal, in its own protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL>): one datagram of fields for each
//! entry. tracing-journald would send from the thread that has something to say, and may then wait for journald there.

use std::{fmt::Write as _, io, os::unix::net::UnixDatagram, path::Path};

use super::{
    choice::Facility,
    entry::{Entry, one_line},
    writer::Write,
};

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";
/// What one datagram holds of a message at the most; the kernel takes some 200 KiB.
const LONGEST: usize = 64 << 10;

pub(super) struct Journal {
    socket: UnixDatagram,
    /// The fields that are the same in each entry.
    head: String,
}

impl Journal {
    pub(super) fn open(facility: Facility, ident: &str) -> io::Result<Self> {
        Self::at(Path::new(SOCKET), facility, ident)
    }

    fn at(path: &Path, facility: Facility, ident: &str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // The name stays the same when journald is restarted: systemd keeps the socket.
        socket.connect(path)?;
        let (facility, pid) = (facility.number(), std::process::id());
        let ident = one_line(ident);
        let head = format!("SYSLOG_IDENTIFIER={ident}\nSYSLOG_FACILITY={facility}\nSYSLOG_PID={pid}\n");
        Ok(Self { socket, head })
    }

    /// No value has an end of line in it: an [`Entry`] has only single lines.
    fn datagram(&self, entry: &Entry) -> String {
        let message = &entry.message[..entry.message.floor_char_boundary(LONGEST)];
        let mut fields = format!("{}PRIORITY={}\nMESSAGE={message}\n", self.head, entry.severity());
        for (name, value) in &entry.fields {
            let value = &value[..value.floor_char_boundary(LONGEST)];
            // Into a String it never fails.
            let _ = writeln!(fields, "{}={value}", name.to_ascii_uppercase().replace('.', "_"));
        }
        fields
    }
}

impl Write for Journal {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.socket.send(self.datagram(entry).as_bytes()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::log::entry::of_test;

    #[test]
    fn an_entry_is_one_datagram_of_fields() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::at(&path, Facility::DAEMON, "steadfast").unwrap();
        journal.write(&of_test("one\nline")).unwrap();
        let mut datagram = [0; 1024];
        let length = journald.recv(&mut datagram).unwrap();
        let expected = format!(
            "SYSLOG_IDENTIFIER=steadfast\nSYSLOG_FACILITY=3\nSYSLOG_PID={}\nPRIORITY=6\n\
             MESSAGE=one\\nline\nINSTANCE=VI_1\nMASTER=unix:/x\n",
            std::process::id()
        );
        assert_eq!(String::from_utf8_lossy(&datagram[..length]), expected);
    }
}
