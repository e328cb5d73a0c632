//! `--record FILE`: what the machines hear and want, written to a file by a thread of its own.
//!
//! The lane that sends advertisements never waits for the disk: a line that finds the queue full is dropped and counted, and
//! so is everything after the file has its full size or cannot be written any more.

use std::{
    convert::Infallible,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use tracing::{error, warn};

use super::manage::LAST_WORDS;
use crate::{
    cli,
    record::{Event, Header, Line, Tape, VERSION},
    vrrp::Settings,
};

/// Lines that wait for the writer. The longest hold a received packet of 4,157 bytes: 34 MB at the most, in a flood of such.
const QUEUE_LINES: usize = 8192;
/// Where a recording ends: some days of a dozen routers, and no disk is filled by it.
const MAX_BYTES: u64 = 256 << 20;

/// A recording that is being made.
#[derive(Debug)]
pub(super) struct Recorder {
    source: Source,
    writer: JoinHandle<()>,
    /// Says nothing, and is disconnected when the writer has ended.
    ended: Receiver<Infallible>,
}

/// Where the lines come in.
#[derive(Clone, Debug)]
pub(super) struct Source {
    queue: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts a recording in a new file, which only its owner may read.
    ///
    /// # Errors
    /// When the file cannot be made; one that is there already is left alone.
    pub(super) fn start(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let (queue, lines) = sync_channel(QUEUE_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let source = Source { queue, lost: Arc::clone(&lost) };
        let mut writer = Writer { out: BufWriter::new(file), written: 0, is_over: false, lost };
        Self::spawn(source, move || writer.run(&lines))
    }

    fn spawn(source: Source, write: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (alive, ended) = mpsc::channel();
        let writer = thread::Builder::new().name("record".into()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive: mpsc::Sender<Infallible> = alive;
            write();
        })?;
        Ok(Self { source, writer, ended })
    }

    /// For those who record.
    pub(super) fn source(&self) -> Source {
        self.source.clone()
    }

    /// Writes what is left, as far as the disk takes it in time. Nobody records any more.
    pub(super) fn finish(self) {
        let Source { queue, lost } = self.source;
        drop(queue);
        if matches!(self.ended.recv_timeout(LAST_WORDS), Err(RecvTimeoutError::Timeout)) {
            // The writer ends with the process.
            error!("the disk does not take the recording: its end is lost");
        } else if self.writer.join().is_err() {
            error!("the thread that writes the recording panicked");
        }
        let lost = lost.load(Ordering::Relaxed);
        if lost > 0 {
            warn!("{lost} lines of the recording were lost");
        }
    }
}

impl Source {
    /// The tape of a router.
    pub(super) fn tape(&self, router: usize, settings: &Settings) -> Tape {
        let Self { queue, lost } = self.clone();
        let sink = move |line| {
            if queue.try_send(line).is_err() {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        };
        Tape::new(router, settings, Box::new(sink))
    }
}

struct Writer {
    out: BufWriter<File>,
    written: u64,
    /// The file is full, or cannot be written.
    is_over: bool,
    lost: Arc<AtomicU64>,
}

impl Writer {
    fn run(&mut self, lines: &Receiver<Line>) {
        self.write(&Header { steadfast_recording: VERSION, program: cli::banner() });
        loop {
            let line = match lines.try_recv() {
                Ok(line) => line,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Whoever looks at the file sees everything up to now.
                    self.flush();
                    let Ok(line) = lines.recv() else { break };
                    line
                }
            };
            self.write(&line);
        }
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            self.is_over = false;
            self.write(&Line { router: 0, n: 0, event: Event::Lost(lost) });
        }
        self.flush();
    }

    fn write(&mut self, line: &impl serde::Serialize) {
        if self.is_over {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        let written = self.out.write_all(&text);
        self.written += text.len() as u64;
        if self.written >= MAX_BYTES {
            self.is_over = true;
            warn!("the recording has its full size of {} MiB and ends here", MAX_BYTES >> 20);
        }
        self.note(written);
    }

    fn flush(&mut self) {
        let flushed = self.out.flush();
        self.note(flushed);
    }

    fn note(&mut self, outcome: io::Result<()>) {
        if let Err(cause) = outcome
            && !self.is_over
        {
            self.is_over = true;
            error!("the recording cannot be written, and ends here: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64) -> Line {
        Line { router: 0, n, event: Event::Action("x".into()) }
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        std::fs::write(&path, "precious").unwrap();
        assert_eq!(Recorder::start(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn what_finds_the_queue_full_is_dropped_at_once_and_counted() {
        let (queue, lines) = sync_channel(2);
        let lost = Arc::new(AtomicU64::new(0));
        let source = Source { queue, lost: Arc::clone(&lost) };
        let settings = crate::vrrp::testing::settings();
        // Nobody reads: one line for the settings, one input, and the rest finds no room.
        let tape = Some(source.tape(0, &settings));
        let mut machine =
            crate::record::Recorded::new(crate::vrrp::Instance::new(settings, Arc::default()), tape);
        for _ in 0..10 {
            machine.handle_timeout(crate::units::Time::default());
        }
        assert_eq!((lines.try_iter().count(), lost.load(Ordering::Relaxed)), (2, 9));
    }

    #[test]
    fn a_disk_that_hangs_does_not_hold_up_the_stop() {
        let (queue, _) = sync_channel(1);
        let source = Source { queue, lost: Arc::default() };
        let (disk, hung) = mpsc::channel::<Infallible>();
        let recorder = Recorder::spawn(source, move || assert!(hung.recv().is_err())).unwrap();
        let (finished, end) = mpsc::channel();
        let stop = thread::spawn(move || {
            recorder.finish();
            finished.send(())
        });
        assert_eq!(end.recv_timeout(LAST_WORDS * 20), Ok(()), "the stop waits for the disk");
        drop(disk);
        stop.join().unwrap().unwrap();
    }

    #[test]
    fn a_recording_that_was_cut_short_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        let file = File::create(&path).unwrap();
        let (queue, lines) = sync_channel(10);
        for n in 1..=3 {
            queue.send(line(n)).unwrap();
        }
        drop(queue);
        let lost = Arc::new(AtomicU64::new(0));
        let mut writer = Writer { out: BufWriter::new(file), written: MAX_BYTES - 80, is_over: false, lost };
        writer.run(&lines);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(r#"{"steadfast_recording":3"#), "{text}");
        assert_eq!(lines.last(), Some(&r#"{"router":0,"n":0,"event":{"lost":2}}"#), "{text}");
    }
}
