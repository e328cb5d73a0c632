//! The thread of a place, and the queue before it.

use std::{
    io, iter,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use super::entry::Entry;
use crate::cli::LogFormat;

/// Lines that wait for a writer; a line is some 200 bytes, so this is a few megabytes at the most.
const LINES: usize = 32_768;
/// Lines come in crowds, and to wake the writer for each would cost whoever logs them more than the lines: after what it has written
/// it lets a moment's lines gather.
const MOMENT: Duration = Duration::from_millis(1);
/// How long the end of the process waits for what is still queued.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A place that takes entries, however long that may take.
pub(super) trait Write: Send {
    /// Takes one.
    fn write(&mut self, entry: &Entry) -> io::Result<()>;

    /// No other one waits.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Message {
    Entry(Arc<Entry>),
    End,
}

/// What waits for a writer.
#[derive(Clone)]
pub(super) struct Queue(SyncSender<Message>);

impl Queue {
    /// Returns whether there was room.
    pub(super) fn push(&self, entry: &Arc<Entry>) -> bool {
        self.0.try_send(Message::Entry(Arc::clone(entry))).is_ok()
    }

    /// Waits until there is room: not for a lane.
    pub(super) fn wait_push(&self, entry: &Arc<Entry>) {
        // A writer that has ended takes nothing any more.
        let _ = self.0.send(Message::Entry(Arc::clone(entry)));
    }
}

/// A running writer. Dropping it waits a moment for what is queued.
#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<Message>,
    is_closing: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(mut write: Box<dyn Write>, lost: &Arc<AtomicU64>) -> io::Result<Self> {
        let (queue, waiting) = mpsc::sync_channel(LINES);
        let (end, ended) = mpsc::channel();
        let is_closing = Arc::<AtomicBool>::default();
        let (closing, lost) = (Arc::clone(&is_closing), Arc::clone(lost));
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let _end = end;
            run(&mut *write, &waiting, &closing, &lost);
        })?;
        Ok(Self { queue, is_closing, ended })
    }

    pub(super) fn queue(&self) -> Queue {
        Queue(self.queue.clone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        // Full, it has something to wake up for as it is.
        let _ = self.queue.try_send(Message::End);
        // It says nothing, and hangs up.
        let _ = self.ended.recv_timeout(LAST_LINES);
    }
}

fn run(write: &mut dyn Write, waiting: &Receiver<Message>, is_closing: &AtomicBool, lost: &AtomicU64) {
    while let Ok(first) = waiting.recv() {
        for message in iter::once(first).chain(waiting.try_iter()) {
            if let Message::Entry(entry) = message
                && write.write(&entry).is_err()
            {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Whatever it has lost shows at the next line.
        let _ = write.flush();
        if is_closing.load(Ordering::Acquire) {
            break;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this thread decides nothing, and no lane waits for it"
        )]
        thread::sleep(MOMENT);
    }
}

/// A stream of lines: the terminal, a file.
pub(super) struct Stream<W> {
    to: W,
    format: LogFormat,
    /// After every line.
    flush: bool,
}

impl<W: io::Write> Stream<W> {
    pub(super) fn new(to: W, format: LogFormat, flush: bool) -> Self {
        Self { to, format, flush }
    }
}

impl<W: io::Write + Send> Write for Stream<W> {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = match self.format {
            LogFormat::Text => entry.stamped(),
            LogFormat::Json => entry.json(),
        };
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        if self.flush { self.to.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Remembers what it took, when the lock lets it.
    struct Slow(Arc<Mutex<Vec<String>>>);

    impl Write for Slow {
        fn write(&mut self, entry: &Entry) -> io::Result<()> {
            self.0.lock().unwrap().push(entry.message.clone());
            Ok(())
        }
    }

    #[test]
    fn whoever_logs_never_waits_and_what_found_no_room_is_known() {
        let taken = Arc::default();
        let lost = Arc::default();
        let writer = Writer::start(Box::new(Slow(Arc::clone(&taken))), &lost).unwrap();
        let hung = taken.lock().unwrap();
        let entry = Arc::new(Entry::info("x"));
        let fitted = (0..2 * LINES).filter(|_| writer.queue().push(&entry)).count();
        // One may be in its hands.
        assert!((LINES..=LINES + 1).contains(&fitted), "{fitted}");
        drop(hung);
        drop(writer);
        assert_eq!(taken.lock().unwrap().len(), fitted);
    }

    #[test]
    fn an_end_comes_after_everything_that_was_said() {
        let taken = Arc::default();
        let writer = Writer::start(Box::new(Slow(Arc::clone(&taken))), &Arc::default()).unwrap();
        for number in 0..100 {
            writer.queue().push(&Arc::new(Entry::info(&number.to_string())));
        }
        drop(writer);
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(*taken.lock().unwrap(), expected);
    }
}
