//! Where log lines go: through a bounded, lossy, counted queue to a writer thread of its own.
//!
//! A blocked terminal or syslog must never hold up the lane that sends advertisements, so a line that finds
//! the queue full is dropped and counted; [`Log::lost`] says how many were.

use std::{
    io::{self, Write},
    os::unix::net::UnixDatagram,
    path::Path,
};

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};

/// Lines that wait for the writer; a line is about 100 bytes, so this is a few megabytes at the most.
const QUEUE_LINES: usize = 32_768;
/// Where syslogd listens.
const SYSLOG_SOCKET: &str = "/dev/log";
/// LOG_DAEMON, severity INFO (RFC 5424 §6.2.1): 3 * 8 + 6.
const DAEMON_INFO: u8 = 30;

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
        None => queue.finish(io::stderr()),
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

/// Writes each line as one datagram to syslogd.
struct Syslog(UnixDatagram);

impl Syslog {
    fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        Ok(Self(socket))
    }
}

impl Write for Syslog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let message = format!("<{DAEMON_INFO}>steadfast[{}]: {}", std::process::id(), text.trim());
        self.0.send(message.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_one_syslog_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let syslogd = UnixDatagram::bind(&path).unwrap();
        Syslog::open(&path).unwrap().write_all(b" INFO (VI_1) Entering MASTER STATE\n").unwrap();
        let mut datagram = [0; 256];
        let length = syslogd.recv(&mut datagram).unwrap();
        let expected = format!("<30>steadfast[{}]: INFO (VI_1) Entering MASTER STATE", std::process::id());
        assert_eq!(String::from_utf8_lossy(&datagram[..length]), expected);
    }
}
