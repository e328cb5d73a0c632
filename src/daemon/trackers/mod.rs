//! What drives the trackers that the engine does not drive itself: scripts, files, processes.
//!
//! Each carries between its machine ([`crate::track`]) and the system, shows readers what was found in the row, and
//! tells the engine when something changed. Interfaces are the engine's own: it hears of them anyway, but for those that
//! have to be asked for their link.
//!
//! Scripts run on the manage lane, which waits for their ends. Files, processes and links have a thread each, since
//! to read a file, the command line of a process that is stuck, or the registers of a network card may take for ever; nobody waits for these threads. What goes wrong
//! there is told to the engine and shown in the rows, and they begin anew.

mod files;
mod links;
mod processes;
pub(super) mod scripts;

use std::{
    io,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::{Notify, mpsc};
use tracing::error;

pub(super) use self::links::first_answers;
use super::engine::Command;
use crate::{
    config::tracking::Tracker,
    registry::{FileRow, InterfaceRow, ProcessRow, Registry, Topology},
    track::Observation,
};

/// From an end of those who follow to their next beginning.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The same after a panic, which is a mistake that may well be made again, and prints a message of its own each time.
const PANIC_INTERVAL: Duration = Duration::from_secs(60);

/// The threads that follow what is tracked. They end with this, and with the process.
#[derive(Debug)]
pub(super) struct Followers {
    engine: ToEngine,
    /// Wakes who checks real servers.
    followed: Arc<Notify>,
    links: Option<Thread<InterfaceRow>>,
    files: Option<Thread<FileRow>>,
    processes: Option<Thread<ProcessRow>>,
}

/// A thread, and the rows that it follows.
#[derive(Debug)]
struct Thread<Row> {
    rows: Vec<Arc<Row>>,
    /// The thread ends when this is closed.
    _alive: UnixStream,
    /// What it finds from then on counts no more: it may have been hung for long.
    is_over: Arc<AtomicBool>,
}

impl<Row> Drop for Thread<Row> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

impl Followers {
    /// Starts the threads that are needed.
    pub(super) fn start(registry: &Arc<Registry>, engine: &mpsc::Sender<Command>) -> io::Result<Self> {
        let followed = Arc::clone(&registry.followed);
        let mut all =
            Self { engine: ToEngine::of(engine), followed, links: None, files: None, processes: None };
        all.follow_all(&registry.topology(), true)?;
        Ok(all)
    }

    /// After a reload: follows what is tracked now. What is the same goes on being followed as it is.
    pub(super) fn follow(&mut self, topology: &Topology) -> io::Result<()> {
        self.follow_all(topology, false)
    }

    fn follow_all(&mut self, topology: &Topology, is_start: bool) -> io::Result<()> {
        // Where managers may set it, any interface may come to be asked.
        let may_be_asked = topology.global.settings.snmp_set
            || topology.interfaces.iter().any(|row| row.linkbeat().is_some());
        let asked = if may_be_asked { topology.interfaces.clone() } else { Vec::new() };
        replace(
            &mut self.links,
            ("interfaces", &self.engine),
            asked,
            |a, b| a.config == b.config,
            |rows, engine, end| {
                let follow = || links::follow(rows, engine, end.try_clone()?);
                keep(follow, |why| links::lose(rows, engine, why));
            },
        )?;
        let followed = Arc::clone(&self.followed);
        let files = topology.files.clone();
        replace(
            &mut self.files,
            ("files", &self.engine),
            files,
            |a, b| a.config == b.config,
            move |rows, engine, end| {
                let mut initial = Some(rows).filter(|_| is_start);
                let follow = || {
                    initial.take().into_iter().for_each(files::initialise);
                    files::follow(rows, (engine, &followed), end.try_clone()?);
                    Ok(())
                };
                keep(follow, |why| files::lose(rows, (engine, &followed), why));
            },
        )?;
        let (processes, buffer) = (topology.processes.clone(), processes::receive_buffer(&topology.global));
        replace(
            &mut self.processes,
            ("processes", &self.engine),
            processes,
            |a, b| a.config == b.config,
            move |rows, engine, end| {
                let follow = || processes::follow(rows, engine, buffer, end.try_clone()?);
                keep(follow, |why| processes::lose(rows, engine, why));
            },
        )
    }
}

/// Starts a thread for these rows in the place of the one there is, unless that follows the same already. Where a row is in
/// the list does not matter: whoever is told finds it by its name.
fn replace<Row: Send + Sync + 'static>(
    thread: &mut Option<Thread<Row>>,
    (name, engine): (&str, &ToEngine),
    rows: Vec<Arc<Row>>,
    same: impl Fn(&Row, &Row) -> bool,
    follow: impl FnOnce(&[Arc<Row>], &ToEngine, UnixStream) + Send + 'static,
) -> io::Result<()> {
    let known = thread.as_ref().map_or(&[][..], |thread| &thread.rows);
    let is_known = |row: &Arc<Row>| known.iter().any(|known| same(known, row));
    if known.len() == rows.len() && rows.iter().all(is_known) {
        return Ok(());
    }
    *thread = None;
    if rows.is_empty() {
        return Ok(());
    }
    let (alive, end) = UnixStream::pair()?;
    let (followed, engine) = (rows.clone(), engine.of_thread());
    let is_over = Arc::clone(&engine.is_over);
    thread::Builder::new().name(name.to_owned()).spawn(move || follow(&followed, &engine, end))?;
    *thread = Some(Thread { rows, _alive: alive, is_over });
    Ok(())
}

/// Has trackers followed until nobody wants it any more: whenever `follow` fails, also by a panic, `lose` is told why, and
/// after a pause it begins anew.
fn keep(mut follow: impl FnMut() -> io::Result<()>, lose: impl Fn(&str)) {
    let mut said = None;
    loop {
        let (why, pause) = match catch_unwind(AssertUnwindSafe(&mut follow)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => (error.to_string(), RETRY_INTERVAL),
            Err(_) => ("the thread that follows it panicked".to_owned(), PANIC_INTERVAL),
        };
        lose(&why);
        if said.as_ref() != Some(&why) {
            let thread = thread::current();
            error!("tracked {} are not followed: {why}", thread.name().unwrap_or("things"));
            said = Some(why);
        }
        // Nobody wakes it.
        thread::park_timeout(pause);
    }
}

/// Where observations go. It does not keep the engine's channel open: the engine ends when the manage lane does.
#[derive(Clone, Debug)]
struct ToEngine {
    engine: mpsc::WeakSender<Command>,
    /// Whoever holds this is to be heard no more.
    is_over: Arc<AtomicBool>,
}

impl ToEngine {
    fn of(engine: &mpsc::Sender<Command>) -> Self {
        Self { engine: engine.downgrade(), is_over: Arc::default() }
    }

    /// The same for another thread.
    fn of_thread(&self) -> Self {
        Self { engine: self.engine.clone(), is_over: Arc::default() }
    }

    /// Whether another thread follows the same by now, whose word counts.
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The engine, for whoever is to be heard.
    fn engine(&self) -> Option<mpsc::Sender<Command>> {
        self.engine.upgrade().filter(|_| !self.is_over())
    }

    /// Tells the engine, waiting for room if need be; on a thread of its own only.
    fn tell(&self, (tracker, name): (Tracker, &str), observation: Observation) {
        if let Some(engine) = self.engine() {
            // The engine is gone only when everything ends.
            let name = name.to_owned();
            let _ = engine.blocking_send(Command::Observed { tracker, name, observation });
        }
    }

    /// Tells the engine of another answer of an interface, as above.
    fn tell_asked(&self, interface: &str) {
        if let Some(engine) = self.engine() {
            let _ = engine.blocking_send(Command::Asked { interface: interface.to_owned() });
        }
    }

    /// The same as [`tell`](Self::tell) without blocking.
    async fn send(&self, (tracker, name): (Tracker, &str), observation: Observation) {
        if let Some(engine) = self.engine() {
            let name = name.to_owned();
            let _ = engine.send(Command::Observed { tracker, name, observation }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::{
        config::{Place, tracking},
        track::Finding,
    };

    /// Nothing here takes longer, not even on a busy machine.
    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn those_who_follow_begin_anew_and_an_end_or_a_panic_is_told() {
        let (told, reasons) = channel();
        let mut beginnings = 0;
        let follow = move || {
            beginnings += 1;
            assert!(beginnings < 3, "the third time it is a mistake");
            Err(io::Error::other(format!("end {beginnings}")))
        };
        // It ends with the process.
        thread::spawn(move || keep(follow, |why| told.send(why.to_owned()).unwrap()));
        let reason = || reasons.recv_timeout(LIMIT).unwrap();
        assert_eq!(reason(), "end 1");
        assert_eq!(reason(), "end 2");
        assert_eq!(reason(), "the thread that follows it panicked");
    }

    #[test]
    fn files_that_nobody_follows_count_as_unreadable_with_the_reason() {
        let path = "/file".into();
        let config = tracking::File {
            name: "f".into(),
            path,
            weight: 0,
            reverse: false,
            init: None,
            at: Place::default(),
        };
        let row = Arc::new(FileRow::new(1, config));
        let (sender, mut commands) = mpsc::channel(1);
        files::lose(&[Arc::clone(&row)], (&ToEngine::of(&sender), &Notify::new()), "why");
        let status = row.status();
        assert_eq!((status.number, status.problem.as_deref()), (0, Some("why")));
        assert!(status.at.is_some());
        let Ok(Command::Observed { tracker, observation, .. }) = commands.try_recv() else {
            panic!("the engine hears nothing");
        };
        assert_eq!((tracker, observation.finding), (Tracker::File(0), Finding::Number(0)));
        assert_eq!(observation.detail, "counts as 0 (why)");
    }

    #[test]
    fn what_a_thread_finds_that_was_hung_when_another_took_its_place_counts_no_more() {
        let (sender, mut commands) = mpsc::channel(8);
        let engine = ToEngine::of(&sender);
        let (let_go, hung) = channel::<()>();
        let (say, said) = channel();
        let mut thread = None;
        let look = move |name: &'static str, before: &dyn Fn()| {
            let observation = Observation { finding: Finding::Number(1), detail: name.to_owned() };
            before();
            observation
        };
        let first = say.clone();
        let follow = move |_: &[Arc<u8>], engine: &ToEngine, _end: UnixStream| {
            let observation = look("the first", &|| hung.recv().unwrap());
            engine.tell((Tracker::File(0), "f"), observation);
            first.send(()).unwrap();
        };
        replace(&mut thread, ("files", &engine), vec![Arc::new(1)], |a, b| a == b, follow).unwrap();
        let follow = move |_: &[Arc<u8>], engine: &ToEngine, _end: UnixStream| {
            engine.tell((Tracker::File(0), "f"), look("the second", &|| {}));
            say.send(()).unwrap();
        };
        replace(&mut thread, ("files", &engine), vec![Arc::new(2)], |a, b| a == b, follow).unwrap();
        said.recv_timeout(LIMIT).unwrap();
        let_go.send(()).unwrap();
        said.recv_timeout(LIMIT).unwrap();
        let mut heard = Vec::new();
        while let Ok(Command::Observed { observation, .. }) = commands.try_recv() {
            heard.push(observation.detail);
        }
        assert_eq!(heard, ["the second"]);
    }
}
