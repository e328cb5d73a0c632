//! The journal of transitions: the thread that owns its file.
//!
//! It follows the stream of transitions with a cursor of its own, as every sink does, and so holds up nobody: neither who
//! publishes nor who delivers. What it writes is the kernel's at once, and the disk is told to keep it meanwhile, which takes
//! seconds when others write much. Beside the transitions it writes down how far the AgentX master has taken them, so that the next run goes on there.
//!
//! What is on its way when the daemon is killed: a transition that was published and not written yet (a few milliseconds)
//! is lost. A notification whose acknowledgement was not written yet is sent again, and arrives twice.

mod file;

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
};

use tokio::{
    sync::{oneshot, watch},
    task,
};
use tracing::{error, info, warn};

use self::file::Opened;
use super::manage::LAST_WORDS;
use crate::{
    config::Global,
    journal::{Entry, Ring, Write},
    kernel::{clock, own_file},
    registry::{Cursor, Registry},
    snmp::{Backlog, Told},
};

/// Where a journal is to be, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    path: PathBuf,
    /// Bytes.
    size: u64,
    /// Whether notifications are sent, and so the next run may have some to take up.
    notifies: bool,
}

impl Plan {
    /// From the configuration: at the place it names; else beside the pid file, when there are notifications to keep.
    fn new(pid_file: &Path, global: &Global, notifies: bool) -> Option<Self> {
        let settings = &global.settings;
        let path = match settings.transition_journal.as_deref() {
            Some("none") => return None,
            Some(path) => PathBuf::from(path),
            None if notifies => own_file::beside(pid_file, ".transitions"),
            None => return None,
        };
        Some(Self { path, size: u64::from(*settings.transition_journal_size) << 10, notifies })
    }
}

/// Keeps a journal from the start of the daemon on, or from the reload that first asks for one, to the end.
#[derive(Debug)]
pub(super) struct Keeper {
    pid_file: PathBuf,
    registry: Arc<Registry>,
    told: watch::Receiver<Told>,
    journal: Option<Journal>,
    /// The file of that.
    path: Option<PathBuf>,
}

impl Keeper {
    /// Of the daemon with this pid file; how far the AgentX master has taken transitions is read from `told`.
    pub(super) fn new(pid_file: &Path, registry: &Arc<Registry>, told: watch::Receiver<Told>) -> Self {
        Self {
            pid_file: pid_file.to_owned(),
            registry: Arc::clone(registry),
            told,
            journal: None,
            path: None,
        }
    }

    /// Begins one, unless there is one, if this configuration has transitions kept. Without one everything else works.
    /// Returns what an earlier run left, as soon as that is known.
    pub(super) fn begin(&mut self, global: &Global, notifies: bool) -> Option<oneshot::Receiver<Backlog>> {
        if self.journal.is_some() {
            return None;
        }
        let plan = Plan::new(&self.pid_file, global, notifies)?;
        let path = plan.path.clone();
        let started = Journal::start(plan, Arc::clone(&self.registry), self.told.clone());
        let started = started.inspect_err(|cause| error!("no journal of transitions: {cause}"));
        let (journal, backlog) = started.ok()?;
        (self.journal, self.path) = (Some(journal), Some(path));
        Some(backlog)
    }

    /// The file that is written at present.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Writes what is left.
    pub(super) fn finish(self) {
        if let Some(journal) = self.journal {
            journal.finish();
        }
    }
}

/// A journal that is being written.
#[derive(Debug)]
struct Journal {
    stop: oneshot::Sender<()>,
    writer: JoinHandle<()>,
    /// Says nothing, and is disconnected when the writer has ended.
    ended: mpsc::Receiver<Infallible>,
}

impl Journal {
    /// Starts the thread. It answers with what an earlier run left, or with nothing where there is no journal to be had,
    /// which it says in the log.
    ///
    /// # Errors
    /// When there is no thread to be had.
    fn start(
        plan: Plan,
        registry: Arc<Registry>,
        told: watch::Receiver<Told>,
    ) -> io::Result<(Self, oneshot::Receiver<Backlog>)> {
        let (stop, stopped) = oneshot::channel();
        let (answer, backlog) = oneshot::channel();
        let (alive, ended) = mpsc::channel();
        let writer = thread::Builder::new().name("journal".into()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive: mpsc::Sender<Infallible> = alive;
            if let Err(cause) = keep(&plan, &registry, told, answer, stopped) {
                error!("no journal of transitions at {}: {cause}", plan.path.display());
            }
        })?;
        Ok((Self { stop, writer, ended }, backlog))
    }

    /// Writes what is left, as far as the disk takes it in time. Nothing is published and delivered any more.
    fn finish(self) {
        let Self { stop, writer, ended } = self;
        // It has ended already where there is no journal.
        let _ = stop.send(());
        if matches!(ended.recv_timeout(LAST_WORDS), Err(RecvTimeoutError::Timeout)) {
            // The writer ends with the process.
            error!("the disk does not take the journal of transitions: its end is lost");
        } else if writer.join().is_err() {
            error!("the thread that writes the journal of transitions panicked");
        }
    }
}

/// The thread: opens the journal, hands out what is left in it, and writes until it is told to stop.
fn keep(
    plan: &Plan,
    registry: &Registry,
    told: watch::Receiver<Told>,
    answer: oneshot::Sender<Backlog>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    // Nobody waits any more when this ends early: the answer is dropped with it.
    let boot = clock::boot();
    let Opened { file, ring, records, position } = file::open(&plan.path, plan.size)?;
    let delivered = position.unwrap_or(0);
    let base = records.last().map_or(delivered, |record| record.number.max(delivered));
    let left: VecDeque<_> = records
        .into_iter()
        .filter(|record| record.number > delivered)
        .filter_map(|record| Some(Entry::read(&record.payload)?.transition(record.number, &boot)))
        .collect();
    let lost = (base - delivered).saturating_sub(left.len() as u64);
    info!("transitions are kept in {}, of {} KiB", plan.path.display(), ring.size() >> 10);
    let delivered = if plan.notifies {
        hand_out(Backlog { transitions: left, lost }, answer, &plan.path);
        delivered
    } else {
        base
    };
    let writer = Writer {
        path: &plan.path,
        file: Arc::new(file),
        ring,
        boot,
        base,
        delivered,
        cursor: Cursor::default(),
        is_dirty: false,
        syncing: None,
        lost: 0,
        fails: false,
    };
    let runtime = super::runtime()?;
    runtime.block_on(writer.run(registry, told, stopped));
    Ok(())
}

/// Gives what is left of an earlier run to whoever delivers it, and says so.
fn hand_out(backlog: Backlog, answer: oneshot::Sender<Backlog>, path: &Path) {
    let (left, lost) = (backlog.transitions.len(), backlog.lost);
    match answer.send(backlog) {
        Err(_) => warn!("nobody delivers the {left} transitions of an earlier run in {}", path.display()),
        Ok(()) if left + usize::from(lost > 0) == 0 => {}
        Ok(()) => info!(
            "taking up {left} transitions that the AgentX master had not acknowledged when the daemon ended \
             ({lost} more were lost); one whose acknowledgement was on its way arrives twice"
        ),
    }
}

/// The journal in use.
struct Writer<'a> {
    path: &'a Path,
    file: Arc<std::fs::File>,
    ring: Ring,
    boot: String,
    /// The number of the newest transition of earlier runs; those of this run are counted on from it.
    base: u64,
    /// The position that is written.
    delivered: u64,
    cursor: Cursor,
    /// Something was written since the disk was last told to keep it.
    is_dirty: bool,
    /// The disk is being told, which takes seconds when others write much. Transitions go to the kernel meanwhile: what it has
    /// survives the end of this process.
    syncing: Option<task::JoinHandle<io::Result<()>>>,
    /// How many transitions were not written.
    lost: u64,
    /// The last write failed.
    fails: bool,
}

impl Writer<'_> {
    async fn run(
        mut self,
        registry: &Registry,
        mut told: watch::Receiver<Told>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let (mut is_over, mut is_told) = (false, true);
        while !is_over {
            if self.is_dirty && self.syncing.is_none() {
                let file = Arc::clone(&self.file);
                (self.is_dirty, self.syncing) = (false, Some(task::spawn_blocking(move || file.sync_data())));
            }
            tokio::select! {
                () = self.cursor.ready(&registry.transitions, 0) => {}
                synced = async { self.syncing.as_mut()?.await.ok() }, if self.syncing.is_some() => {
                    self.syncing = None;
                    self.note(synced.unwrap_or(Ok(())), 0);
                }
                changed = told.changed(), if is_told => is_told = changed.is_ok(),
                _ = &mut stopped => is_over = true,
            }
            self.write_transitions(registry);
            let told = *told.borrow_and_update();
            self.write_position(told);
        }
        self.sync();
    }

    /// Everything that was published up to now.
    fn write_transitions(&mut self, registry: &Registry) {
        let overtaken = self.cursor.catch_up(&registry.transitions);
        self.lose(overtaken, "the disk was too slow for them");
        while let Some(transition) = self.cursor.peek(&registry.transitions) {
            let entry = Entry::new(&transition, &self.boot).write();
            match self.ring.record(self.base + transition.seq, &entry) {
                Ok(write) => {
                    self.is_dirty = true;
                    self.put(&write, 1);
                }
                Err(too_long) => self.lose(1, too_long),
            }
            self.cursor.advance_past(transition.seq);
        }
    }

    /// How far the master has taken them. The page cache is enough for it: what a power cut takes back is sent again.
    fn write_position(&mut self, told: Told) {
        let delivered = match told {
            Told { now: 0, earlier } => earlier,
            Told { now, .. } => self.base + now,
        };
        if delivered > self.delivered {
            self.delivered = delivered;
            let write = self.ring.position(delivered);
            self.put(&write, 0);
        }
    }

    /// Writes bytes, of so many transitions.
    fn put(&mut self, write: &Write, transitions: u64) {
        let outcome = self.file.write_all_at(&write.bytes, write.at);
        self.note(outcome, transitions);
    }

    fn sync(&mut self) {
        let outcome = self.file.sync_data();
        self.note(outcome, 0);
    }

    /// Says when writing begins to fail, and when it works again.
    fn note(&mut self, outcome: io::Result<()>, transitions: u64) {
        match outcome {
            Ok(()) if self.fails && transitions > 0 => {
                self.fails = false;
                warn!("the journal {} takes transitions again; {} were lost", self.path.display(), self.lost);
            }
            Ok(()) => {}
            Err(cause) => {
                self.lost += transitions;
                if !std::mem::replace(&mut self.fails, true) {
                    error!("the journal {} cannot be written: {cause}", self.path.display());
                }
            }
        }
    }

    /// Transitions that are not in the journal; nobody else misses them.
    fn lose(&mut self, count: u64, because: impl std::fmt::Display) {
        if count > 0 {
            self.lost += count;
            warn!("{count} transitions are not in the journal {}: {because}", self.path.display());
        }
    }
}
