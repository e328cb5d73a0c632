//! `notify_fifo` and `vrrp_notify_fifo`: a line for each transition, for whoever reads.

use std::{future::pending, io, sync::Arc};

use tracing::{info, warn};

use super::{line::line, reader::Reader};
use crate::{
    kernel,
    registry::{Cursor, FifoConfig, Registry, SinkRow, Transition},
};

/// Writes into one FIFO.
pub(super) struct Fifo {
    registry: Arc<Registry>,
    row: Arc<SinkRow>,
    cursor: Cursor,
    pipe: Option<kernel::Fifo>,
    reader: Option<Reader>,
}

impl Fifo {
    /// Makes the FIFO; one that cannot be made is reported, and nobody is told by it.
    pub(super) fn new(registry: &Arc<Registry>, row: &Arc<SinkRow>, config: &FifoConfig) -> Self {
        let FifoConfig { path, mode, owner, script } = config;
        let owner = owner.as_ref().map(|owner| (owner.uid, owner.gid));
        let failed = |error: &dyn ToString| {
            warn!("{}: {}", row.name, error.to_string());
            row.set_problem(Some(error.to_string()));
        };
        let pipe = kernel::Fifo::open(path, *mode, owner).inspect_err(|error| failed(error)).ok();
        let script = script.clone().filter(|_| pipe.is_some());
        let reader = script.map(|script| Reader::new(script, path.to_string_lossy().into_owned()));
        let reader = reader.transpose().inspect_err(|error| failed(error)).ok().flatten();
        let (registry, row) = (Arc::clone(registry), Arc::clone(row));
        Self { registry, row, cursor: Cursor::default(), pipe, reader }
    }

    /// Runs for ever. Cancelling it loses nothing.
    pub(super) async fn run(&mut self) {
        let Self { registry, row, cursor, pipe, reader } = self;
        let read = async {
            match reader {
                Some(reader) => reader.run().await,
                None => pending().await,
            }
        };
        let written = async {
            if let Some(pipe) = pipe {
                loop {
                    cursor.ready(&registry.transitions, 0).await;
                    write_next(registry, row, cursor, pipe).await;
                }
            }
            pending::<()>().await;
        };
        tokio::join!(read, written);
    }

    /// Writes what is still in the stream, lets its readers know that this was the end, and waits for its script;
    /// whoever calls it sets the limit.
    pub(super) async fn finish(&mut self) {
        let Self { registry, row, cursor, pipe, reader } = self;
        if let Some(open) = pipe {
            while cursor.position() <= registry.transitions.newest() {
                write_next(registry, row, cursor, open).await;
            }
        }
        let made = pipe.take().and_then(kernel::Fifo::close);
        if let Some(reader) = reader {
            reader.finish().await;
        }
        if let Some(made) = made {
            made.remove();
        }
    }

    /// Gives up what is not written yet, ends the script and removes the FIFO.
    pub(super) fn kill(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.kill();
        }
        if let Some(made) = self.pipe.take().and_then(kernel::Fifo::close) {
            made.remove();
        }
    }
}

/// Writes the line of the next transition, as soon as there is room for it.
async fn write_next(registry: &Registry, row: &SinkRow, cursor: &mut Cursor, pipe: &kernel::Fifo) {
    let lost = cursor.catch_up(&registry.transitions);
    if lost > 0 {
        row.add_lost(lost);
    }
    let Some(transition) = cursor.peek(&registry.transitions) else { return };
    match write(registry, &transition, pipe) {
        Ok(Written::Nothing) => {}
        Ok(Written::Line) => {
            row.add_delivered();
            goes_on(row);
        }
        Ok(Written::Full) => {
            waits(row);
            // An error shows at the next attempt.
            let _ = pipe.writable().await;
            return;
        }
        Err(error) => {
            row.add_lost(1);
            if row.set_problem(Some(error.to_string())) {
                warn!("{}: {error}", row.name);
            }
        }
    }
    cursor.advance_past(transition.seq);
    row.set_position(transition.seq);
}

enum Written {
    /// There is no line for it.
    Nothing,
    Line,
    /// There is no room for its line.
    Full,
}

fn write(registry: &Registry, transition: &Transition, pipe: &kernel::Fifo) -> io::Result<Written> {
    let Some(line) = line(&registry.topology(), transition) else { return Ok(Written::Nothing) };
    Ok(if pipe.try_write(&line)? { Written::Line } else { Written::Full })
}

/// What is said of a FIFO that nobody reads.
const FULL: &str = "it is full, and nobody reads it; transitions wait";

fn waits(row: &SinkRow) {
    if row.set_problem(Some(FULL.to_owned())) {
        warn!("{}: {FULL}", row.name);
    }
}

fn goes_on(row: &SinkRow) {
    if row.problem().is_some() && row.set_problem(None) {
        info!("{}: it is read again, {} transitions were lost", row.name, row.lost());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::Read as _,
        os::unix::fs::OpenOptionsExt as _,
        time::{Duration, SystemTime},
    };

    use nix::libc::O_NONBLOCK;

    use super::*;
    use crate::{
        registry::{Change, Reason, SinkConfig, State, Stream, Subject, testing},
        units::{Priority, Time},
    };

    fn publish(registry: &Registry, transitions: u64) {
        for _ in 0..transitions {
            let subject = Subject::Instance { index: 1, name: "VI".into() };
            let (from, to, reason) = (State::Backup, State::Master, Reason::NoMaster);
            // A priority that tells the lines apart.
            let seq = registry.transitions.newest() + 1;
            let priority = Priority(u8::try_from(seq % 256).unwrap());
            let change = Change { from, to, reason, priority };
            registry.transitions.publish(Time::default(), SystemTime::UNIX_EPOCH, subject, change);
        }
    }

    fn read(file: &mut File) -> Vec<String> {
        let (mut bytes, mut text) = (vec![0; 65_536], String::new());
        while let Ok(length @ 1..) = file.read(&mut bytes) {
            text += std::str::from_utf8(&bytes[..length]).unwrap();
        }
        text.lines().map(str::to_owned).collect()
    }

    fn lines(sequence: impl Iterator<Item = u64>) -> Vec<String> {
        sequence.map(|seq| format!("INSTANCE \"VI\" MASTER {}", seq % 256)).collect()
    }

    /// Nothing here takes longer.
    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_reader_that_comes_late_misses_only_what_the_stream_has_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let config = FifoConfig { path: folder.path().join("fifo"), mode: 0o600, owner: None, script: None };
        let registry = Arc::new(Registry::new(testing::topology()));
        let row = Arc::new(SinkRow::new("notify_fifo", SinkConfig::Fifo(config.clone())));
        let mut fifo = Fifo::new(&registry, &row, &config);
        publish(&registry, 5000);
        let full = async {
            while row.problem().is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = fifo.run() => unreachable!("it runs for ever"),
            done = tokio::time::timeout(LIMIT, full) => done.unwrap(),
        }
        // As many as the pipe holds; the stream has the rest.
        let held = row.delivered();
        assert!((1000..5000).contains(&held), "{held}");
        assert_eq!((row.lost(), row.position()), (0, held));
        let newest = 5000 + Stream::CAPACITY as u64;
        publish(&registry, Stream::CAPACITY as u64);
        let mut reader = File::options().read(true).custom_flags(O_NONBLOCK).open(&config.path).unwrap();
        let mut seen = Vec::new();
        let all = async {
            while row.position() < newest {
                seen.extend(read(&mut reader));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = fifo.run() => unreachable!("it runs for ever"),
            done = tokio::time::timeout(LIMIT, all) => done.unwrap(),
        }
        seen.extend(read(&mut reader));
        assert_eq!(row.lost(), 5000 - held);
        assert_eq!(row.problem(), None);
        assert_eq!(row.delivered() + row.lost(), newest);
        assert_eq!(seen, lines((1..=held).chain(5001..=newest)));
    }

    #[tokio::test]
    async fn a_fifo_that_cannot_be_made_is_a_problem_that_its_row_shows() {
        let config = FifoConfig { path: "/no/such/folder/x".into(), mode: 0o600, owner: None, script: None };
        let registry = Arc::new(Registry::new(testing::topology()));
        let row = Arc::new(SinkRow::new("notify_fifo", SinkConfig::Fifo(config.clone())));
        let mut fifo = Fifo::new(&registry, &row, &config);
        publish(&registry, 1);
        fifo.finish().await;
        let problem = "making the FIFO /no/such/folder/x: No such file or directory";
        assert_eq!(row.problem().unwrap().as_str(), problem);
    }
}
