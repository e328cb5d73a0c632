//! `notify_fifo` and `vrrp_notify_fifo`: a pipe, who writes into it, and the script that reads it.

use std::{future::pending, sync::Arc};

use tracing::warn;

use super::{kept::Keeper, reader::Reader, writer::Writer};
use crate::{
    kernel::{self, fifo::Made},
    registry::{FifoConfig, Registry, SinkRow},
};

/// One FIFO.
pub(super) struct Fifo {
    pub(super) keeper: Keeper,
    row: Arc<SinkRow>,
    config: FifoConfig,
    writer: Option<Writer>,
    reader: Option<Reader>,
    /// What is to be removed at last, from the end of the writer on.
    made: Option<Made>,
}

impl Fifo {
    /// Makes the FIFO; one that cannot be made is reported, and nobody is told by it. It begins with the first transition of
    /// the stream after `since`.
    pub(super) fn new(registry: &Arc<Registry>, row: &Arc<SinkRow>, config: &FifoConfig, since: u64) -> Self {
        let FifoConfig { path, mode, owner, script, .. } = config;
        let owner = owner.as_ref().map(|owner| (owner.uid, owner.gid));
        let pipe = kernel::Fifo::open(path, *mode, owner, script.is_some());
        let pipe = pipe.inspect_err(|error| failed(row, error)).ok();
        let writer = pipe.map(|pipe| Writer::new(registry, row, pipe, since));
        let writer = writer.transpose().inspect_err(|error| failed(row, error)).ok().flatten();
        let reader = writer.as_ref().and_then(|_| reader(row, config));
        Self {
            keeper: Keeper::default(),
            row: Arc::clone(row),
            config: config.clone(),
            writer,
            reader,
            made: None,
        }
    }

    /// Goes on as the sink of this row after a reload, if it is about the same FIFO: whoever has that open sees nothing of
    /// it, unless another script is to read it. Also returns what is left of the one before, which has to leave.
    pub(super) fn succeed(
        mut self,
        registry: &Arc<Registry>,
        row: &Arc<SinkRow>,
        config: &FifoConfig,
        since: u64,
    ) -> (Self, Option<Self>) {
        if Arc::ptr_eq(&self.row, row) {
            return (self, None);
        }
        let owner = config.owner.as_ref().map(|owner| (owner.uid, owner.gid));
        let same = self.config.script == config.script;
        if same && self.writer.as_mut().is_some_and(|writer| writer.follow(row, config.mode, owner)) {
            return (Self { row: Arc::clone(row), config: config.clone(), ..self }, None);
        }
        // The script of before comes to the end of what was written for it, and takes nothing of what is for the next one.
        let since = self.writer.as_ref().map_or(since, |writer| since.min(writer.position()));
        if !self.give_up() {
            self.kill();
        }
        (Self::new(registry, row, config, since), Some(self))
    }

    /// Makes room for another FIFO of this name. Returns whether that is another one then.
    fn give_up(&mut self) -> bool {
        self.close();
        let was_made = self.made.is_some();
        self.remove();
        was_made
    }

    /// The row that says how far it is.
    pub(super) fn row(&self) -> &SinkRow {
        &self.row
    }

    /// Leaves out the transition that it is at.
    pub(super) fn pass_over(&mut self) {
        self.writer.iter_mut().for_each(Writer::pass_over);
    }

    /// Whether this is the FIFO that a sink is about.
    pub(super) fn is_of(&self, config: &FifoConfig) -> bool {
        self.config.path == config.path
    }

    /// Runs for ever. Cancelling it loses nothing.
    pub(super) async fn run(&mut self) {
        let Self { writer, reader, .. } = self;
        let written = async {
            match writer {
                Some(writer) => writer.run().await,
                None => pending().await,
            }
        };
        let read = async {
            match reader {
                Some(reader) => reader.run().await,
                None => pending().await,
            }
        };
        tokio::join!(written, read);
    }

    /// Writes what is still in the stream up to that transition, lets its readers know that this was the end, and waits for
    /// its script; whoever calls it sets the limit, and [kills](Self::kill) it then.
    pub(super) async fn finish(&mut self, until: u64) {
        if let Some(writer) = &mut self.writer {
            writer.finish(until).await;
        }
        self.close();
        if let Some(reader) = &mut self.reader {
            reader.finish().await;
        }
        self.reader = None;
        self.remove();
    }

    /// Gives up what is not written yet, ends the script and removes the FIFO.
    pub(super) fn kill(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.kill();
        }
        self.close();
        self.remove();
    }

    fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.made = writer.close();
        }
    }

    fn remove(&mut self) {
        if let Some(made) = self.made.take() {
            made.remove();
        }
    }
}

/// The reader that a FIFO asks for.
fn reader(row: &SinkRow, config: &FifoConfig) -> Option<Reader> {
    let reader = Reader::new(config.script.clone()?, config.path.to_string_lossy().into_owned());
    reader.inspect_err(|error| failed(row, error)).ok()
}

fn failed(row: &SinkRow, error: &dyn ToString) {
    warn!("{}: {}", row.name, error.to_string());
    row.set_problem(Some(error.to_string()));
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
        registry::{Change, FifoScope, Reason, SinkConfig, State, Stream, Subject, testing},
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
        let config = FifoConfig {
            path: folder.path().join("fifo"),
            mode: 0o600,
            owner: None,
            script: None,
            scope: FifoScope::All,
        };
        let registry = Arc::new(Registry::new(testing::topology()));
        let row = Arc::new(SinkRow::new("notify_fifo", SinkConfig::Fifo(config.clone())));
        let mut fifo = Fifo::new(&registry, &row, &config, 0);
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
        let config = FifoConfig {
            path: "/no/such/folder/x".into(),
            mode: 0o600,
            owner: None,
            script: None,
            scope: FifoScope::All,
        };
        let registry = Arc::new(Registry::new(testing::topology()));
        let row = Arc::new(SinkRow::new("notify_fifo", SinkConfig::Fifo(config.clone())));
        let mut fifo = Fifo::new(&registry, &row, &config, 0);
        publish(&registry, 1);
        fifo.finish(1).await;
        let problem = "making the FIFO /no/such/folder/x: No such file or directory";
        assert_eq!(row.problem().unwrap().as_str(), problem);
    }
}
