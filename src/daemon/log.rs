//! Where log lines go: through a bounded, lossy, counted queue to a writer thread of its own.
//!
//! A blocked terminal or syslog must never hold up the lane that sends advertisements, so a line that finds
//! the queue full is dropped and counted; [`Log::lost`] says how many were.
//!
//! A message is one line whatever is in it, as names and errors come from files and from other programs.

use std::{
    io::{self, Write},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};

/// Lines that wait for the writer; a line is about 100 bytes, so this is a few megabytes at the most.
const QUEUE_LINES: usize = 32_768;
/// Where syslogd listens.
const SYSLOG_SOCKET: &str = "/dev/log";
/// The facility LOG_DAEMON (RFC 5424 §6.2.1): 3 * 8.
const FACILITY_DAEMON: u8 = 24;

/// The running log; lines still queued are written when it is dropped.
#[derive(Debug)]
pub(super) struct Log {
    lost: ErrorCounter,
    _writer: WorkerGuard,
}

/// Starts logging to the terminal (`-l`) or to syslog, with or without detail (`-D`).
///
/// Where there is no syslog the terminal is used: a log that nobody can read helps nobody.
///
/// # Errors
/// When the process logs already.
pub(super) fn start(console: bool, detail: bool) -> Result<Log, tracing::subscriber::SetGlobalDefaultError> {
    let syslog = if console { None } else { Syslog::open(Path::new(SYSLOG_SOCKET)).ok() };
    let to_terminal = syslog.is_none();
    let queue = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE_LINES);
    let (writer, guard) = match syslog {
        Some(syslog) => queue.finish(syslog),
        // Flushed when no line waits any more, and between lines.
        None => queue.finish(Lines(io::BufWriter::new(io::stderr()))),
    };
    let lost = writer.error_counter();
    let level = if detail { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false).with_target(false);
    // syslog stamps the time itself.
    let lines = if to_terminal { lines.boxed() } else { lines.without_time().boxed() };
    let ours = tracing_subscriber::filter::Targets::new()
        .with_target("steadfast", level)
        .with_target("agentx", level)
        .with_default(LevelFilter::WARN);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.with_filter(ours)))?;
    Ok(Log { lost, _writer: guard })
}

impl Log {
    /// How many lines found the queue full since the start.
    pub(super) fn lost(&self) -> ErrorCounter {
        self.lost.clone()
    }
}

/// A message without what would end its line, or tell a terminal to do something: such characters are written
/// as in a Rust string (`\n`, `\u{1b}`).
fn one_line(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let mut line = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Writes each message as one line.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        let mut line = one_line(message);
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes each message as one datagram to syslogd.
struct Syslog {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Syslog {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.into(), socket: connect(path)? })
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(socket)
}

/// The severity of a line (RFC 5424 §6.2.1), by the level that it begins with.
fn severity(line: &str) -> u8 {
    match line.split(' ').next() {
        Some("ERROR") => 3,
        Some("WARN") => 4,
        Some("DEBUG" | "TRACE") => 7,
        _ => 6,
    }
}

impl Write for Syslog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = one_line(line);
        let text = text.trim_start();
        let priority = FACILITY_DAEMON + severity(text);
        let message = format!("<{priority}>steadfast[{}]: {text}", std::process::id());
        if self.socket.send(message.as_bytes()).is_err() {
            // A syslogd that was restarted listens on a new socket.
            self.socket = connect(&self.path)?;
            self.socket.send(message.as_bytes())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(syslogd: &UnixDatagram) -> String {
        let mut datagram = [0; 256];
        let length = syslogd.recv(&mut datagram).unwrap();
        String::from_utf8_lossy(&datagram[..length]).into_owned()
    }

    const FORGED: &[u8] = b" INFO Script `x` failed (no\n<8>root: forged\r\0\x1b[2J \xc2\x85)\n";

    #[test]
    fn no_message_can_forge_a_line() {
        let expected = r"INFO Script `x` failed (no\n<8>root: forged\r\u{0}\u{1b}[2J \u{85})";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let syslogd = UnixDatagram::bind(&path).unwrap();
        Syslog::open(&path).unwrap().write_all(FORGED).unwrap();
        assert_eq!(received(&syslogd), format!("<30>steadfast[{}]: {expected}", std::process::id()));
        let mut terminal = Lines(Vec::new());
        terminal.write_all(FORGED).unwrap();
        assert_eq!(String::from_utf8(terminal.0).unwrap(), format!(" {expected}\n"));
    }

    #[test]
    fn a_line_becomes_one_datagram_also_after_syslogd_was_restarted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let pid = std::process::id();
        let syslogd = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::open(&path).unwrap();
        syslog.write_all(b" INFO (VI_1) Entering MASTER STATE\n").unwrap();
        assert_eq!(received(&syslogd), format!("<30>steadfast[{pid}]: INFO (VI_1) Entering MASTER STATE"));
        drop(syslogd);
        assert!(syslog.write_all(b" WARN nobody hears this\n").is_err());
        std::fs::remove_file(&path).unwrap();
        let syslogd = UnixDatagram::bind(&path).unwrap();
        syslog.write_all(b" WARN again\n").unwrap();
        assert_eq!(received(&syslogd), format!("<28>steadfast[{pid}]: WARN again"));
    }
}
