//! The journal of transitions: the thread that owns its file.
//!
//! It follows the stream of transitions with a cursor of its own, as every sink does, and so holds up nobody: neither who
//! publishes nor who delivers. What it writes is the kernel's at once, and the disk is told to keep it meanwhile, which takes
//! seconds when others write much. Beside the transitions it writes down how far the AgentX master and each target of
//! `snmp_notify` have taken them, so that the next run goes on there.
//!
//! What is on its way when the daemon is killed: a transition that was published and not written yet (a few milliseconds)
//! is lost. A notification whose acknowledgement was not written yet is sent again, and arrives twice.

mod file;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
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
    journal::{Entry, Record, Ring, Write},
    kernel::{clock, own_file},
    registry::{Cursor, Registry, Transition},
    snmp::{Backlog, Told},
};

/// Where it is heard how far the AgentX master has taken transitions, and each target of `snmp_notify`, by its key.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) master: watch::Receiver<Told>,
    pub(super) targets: watch::Receiver<BTreeMap<u64, Told>>,
}

/// What an earlier run left for each of them, as soon as it is known.
#[derive(Debug)]
pub(super) struct Backlogs {
    pub(super) master: oneshot::Receiver<Backlog>,
    pub(super) targets: HashMap<u64, oneshot::Receiver<Backlog>>,
}

/// Where that is handed out.
#[derive(Debug)]
struct Answers {
    master: oneshot::Sender<Backlog>,
    targets: HashMap<u64, oneshot::Sender<Backlog>>,
}

fn backlogs(targets: impl Iterator<Item = u64>) -> (Answers, Backlogs) {
    let (master, hear) = oneshot::channel();
    let mut answers = Answers { master, targets: HashMap::new() };
    let mut backlogs = Backlogs { master: hear, targets: HashMap::new() };
    for key in targets {
        let (answer, hear) = oneshot::channel();
        answers.targets.insert(key, answer);
        backlogs.targets.insert(key, hear);
    }
    (answers, backlogs)
}

/// Where a journal is to be, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Demand {
    path: PathBuf,
    /// Bytes.
    size: u64,
    /// Whether the AgentX master gets notifications, and so the next run may have some to take up.
    notifies: bool,
}

impl Demand {
    /// From the configuration: at the place it names; else beside the pid file, when there are notifications to keep, for
    /// the AgentX master or for others.
    fn new(pid_file: &Path, global: &Global, notifies: bool, has_targets: bool) -> Option<Self> {
        let settings = &global.settings;
        let path = match settings.transition_journal.as_deref() {
            Some("none") => return None,
            Some(path) => PathBuf::from(path),
            None if notifies || has_targets => own_file::beside(pid_file, ".transitions"),
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
    heard: Heard,
    journal: Option<Journal>,
    /// The file of that.
    path: Option<PathBuf>,
}

impl Keeper {
    /// Of the daemon with this pid file.
    pub(super) fn new(pid_file: &Path, registry: &Arc<Registry>, heard: Heard) -> Self {
        let (pid_file, registry) = (pid_file.to_owned(), Arc::clone(registry));
        Self { pid_file, registry, heard, journal: None, path: None }
    }

    /// Begins one, unless there is one, if this configuration has transitions kept. Without one everything else works.
    /// Returns what an earlier run left, as soon as that is known.
    pub(super) fn begin(&mut self, global: &Global, notifies: bool) -> Option<Backlogs> {
        if self.journal.is_some() {
            return None;
        }
        let targets: Vec<u64> = self.heard.targets.borrow().keys().copied().collect();
        let demand = Demand::new(&self.pid_file, global, notifies, !targets.is_empty())?;
        let path = demand.path.clone();
        let (answers, backlogs) = backlogs(targets.into_iter());
        let started = Journal::start(demand, Arc::clone(&self.registry), self.heard.clone(), answers);
        let started = started.inspect_err(|cause| error!("no journal of transitions: {cause}"));
        (self.journal, self.path) = (Some(started.ok()?), Some(path));
        Some(backlogs)
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
    fn start(demand: Demand, registry: Arc<Registry>, heard: Heard, answers: Answers) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (alive, ended) = mpsc::channel();
        let writer = thread::Builder::new().name("journal".into()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive: mpsc::Sender<Infallible> = alive;
            if let Err(cause) = keep(&demand, &registry, heard, answers, stopped) {
                error!("no journal of transitions at {}: {cause}", demand.path.display());
            }
        })?;
        Ok(Self { stop, writer, ended })
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
    demand: &Demand,
    registry: &Registry,
    heard: Heard,
    answers: Answers,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    // Nobody waits any more when this ends early: the answers are dropped with it.
    let boot = clock::boot();
    let Opened { file, ring, records, position, targets } = file::open(&demand.path, demand.size)?;
    info!("transitions are kept in {}, of {} KiB", demand.path.display(), ring.size() >> 10);
    let delivered = position.unwrap_or(0);
    let positions = targets.values().copied().chain([delivered]);
    let base = records.last().map(|record| record.number).into_iter().chain(positions).max().unwrap_or(0);
    let left = Left { records, base, boot: &boot };
    let delivered = if demand.notifies {
        hand_out("the AgentX master", left.after(delivered), answers.master, &demand.path);
        delivered
    } else {
        base
    };
    for (key, answer) in answers.targets {
        // Whoever is new hears of what happens from now on.
        let position = targets.get(&key).map_or(base, |known| *known);
        hand_out("a target of snmp_notify", left.after(position), answer, &demand.path);
    }
    drop(left);
    let writer = Writer {
        path: &demand.path,
        file: Arc::new(file),
        ring,
        boot,
        base,
        delivered,
        targets,
        cursor: Cursor::default(),
        is_dirty: false,
        syncing: None,
        lost: 0,
        fails: false,
    };
    let runtime = super::runtime()?;
    runtime.block_on(writer.run(registry, heard, stopped));
    Ok(())
}

/// What earlier runs wrote.
struct Left<'a> {
    records: Vec<Record>,
    /// The number of the newest transition.
    base: u64,
    boot: &'a str,
}

impl Left<'_> {
    /// What somebody at this position has not taken.
    fn after(&self, position: u64) -> Backlog {
        let left = self.records.iter().filter(|record| record.number > position);
        let read = |record: &Record| -> Option<Transition> {
            Some(Entry::read(&record.payload)?.transition(record.number, self.boot))
        };
        let transitions: VecDeque<_> = left.filter_map(read).collect();
        let lost = (self.base - position).saturating_sub(transitions.len() as u64);
        Backlog { transitions, lost }
    }
}

/// Gives what is left of an earlier run to whoever delivers it to `whom`, and says so.
fn hand_out(whom: &str, backlog: Backlog, answer: oneshot::Sender<Backlog>, path: &Path) {
    let (left, lost) = (backlog.transitions.len(), backlog.lost);
    match answer.send(backlog) {
        Err(_) => warn!("nobody delivers the {left} transitions of an earlier run in {}", path.display()),
        Ok(()) if left + usize::from(lost > 0) == 0 => {}
        Ok(()) => info!(
            "taking up {left} transitions that {whom} had not acknowledged when the daemon ended \
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
    /// The position of the AgentX master that is written.
    delivered: u64,
    /// Those of the targets of `snmp_notify`.
    targets: BTreeMap<u64, u64>,
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
        Heard { master: mut told, targets: mut marks }: Heard,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let (mut is_over, mut is_told, mut is_marked) = (false, true, true);
        // A target that is new has a position from the beginning.
        let known = marks.borrow().clone();
        self.write_positions(Told::default(), &known);
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
                changed = marks.changed(), if is_marked => is_marked = changed.is_ok(),
                _ = &mut stopped => is_over = true,
            }
            self.write_transitions(registry);
            let told = *told.borrow_and_update();
            let marks = marks.borrow_and_update().clone();
            self.write_positions(told, &marks);
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

    /// How far the master and the targets have taken them. The page cache is enough for it: what a power cut takes back is
    /// sent again.
    fn write_positions(&mut self, told: Told, marks: &BTreeMap<u64, Told>) {
        let delivered = self.number_of(told).max(self.delivered);
        let position = |(key, told): (&u64, &Told)| {
            let known = self.targets.get(key).map_or(self.base, |known| *known);
            (*key, self.number_of(*told).max(known))
        };
        let targets: BTreeMap<u64, u64> = marks.iter().map(position).collect();
        if delivered > self.delivered || targets != self.targets {
            (self.delivered, self.targets) = (delivered, targets);
            let write = self.ring.position(self.delivered, &self.targets);
            self.put(&write, 0);
        }
    }

    /// The number, in the journal, of the newest transition that somebody has taken.
    fn number_of(&self, told: Told) -> u64 {
        match told {
            Told { now: 0, earlier } => earlier,
            Told { now, .. } => self.base + now,
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
