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
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::sync::mpsc;
use tracing::error;

pub(super) use self::links::first_answers;
use super::engine::Command;
use crate::{config::tracking::Tracker, registry::Registry, track::Observation};

/// From an end of those who follow to their next beginning.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The same after a panic, which is a mistake that may well be made again, and prints a message of its own each time.
const PANIC_INTERVAL: Duration = Duration::from_secs(60);

/// Starts the threads that are needed. They end with the process.
pub(super) fn start(registry: &Arc<Registry>, engine: &mpsc::Sender<Command>) -> io::Result<()> {
    let topology = registry.topology();
    // Where managers may set it, any interface may come to be asked.
    let may_be_asked = topology.global.settings.snmp_set && !topology.interfaces.is_empty();
    if may_be_asked || topology.interfaces.iter().any(|row| row.linkbeat().is_some()) {
        let (rows, engine) = (topology.interfaces.clone(), ToEngine::of(engine));
        thread::Builder::new()
            .name("interfaces".to_owned())
            .spawn(move || keep(|| links::follow(&rows, &engine), |why| links::lose(&rows, &engine, why)))?;
    }
    if !topology.files.is_empty() {
        let (rows, engine) = (topology.files.clone(), ToEngine::of(engine));
        thread::Builder::new().name("files".to_owned()).spawn(move || {
            let mut initial = Some(&rows);
            keep(
                || {
                    initial.take().into_iter().for_each(|rows| files::initialise(rows));
                    files::follow(&rows, &engine)
                },
                |why| files::lose(&rows, &engine, why),
            )
        })?;
    }
    if !topology.processes.is_empty() {
        let (rows, engine) = (topology.processes.clone(), ToEngine::of(engine));
        let buffer = processes::receive_buffer(&topology.global);
        thread::Builder::new().name("processes".to_owned()).spawn(move || {
            keep(|| processes::follow(&rows, &engine, buffer), |why| processes::lose(&rows, &engine, why))
        })?;
    }
    Ok(())
}

/// Has trackers followed for ever: whenever `follow` ends, also by a panic, `lose` is told why, and after a pause it
/// begins anew.
fn keep(mut follow: impl FnMut() -> io::Error, lose: impl Fn(&str)) -> ! {
    let mut said = None;
    loop {
        let (why, pause) = match catch_unwind(AssertUnwindSafe(&mut follow)) {
            Ok(error) => (error.to_string(), RETRY_INTERVAL),
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
struct ToEngine(mpsc::WeakSender<Command>);

impl ToEngine {
    fn of(engine: &mpsc::Sender<Command>) -> Self {
        Self(engine.downgrade())
    }

    /// Tells the engine, waiting for room if need be; on a thread of its own only.
    fn tell(&self, (tracker, name): (Tracker, &str), observation: Observation) {
        if let Some(engine) = self.0.upgrade() {
            // The engine is gone only when everything ends.
            let name = name.to_owned();
            let _ = engine.blocking_send(Command::Observed { tracker, name, observation });
        }
    }

    /// Tells the engine of another answer of an interface, as above.
    fn tell_asked(&self, interface: &str) {
        if let Some(engine) = self.0.upgrade() {
            let _ = engine.blocking_send(Command::Asked { interface: interface.to_owned() });
        }
    }

    /// The same as [`tell`](Self::tell) without blocking.
    async fn send(&self, (tracker, name): (Tracker, &str), observation: Observation) {
        if let Some(engine) = self.0.upgrade() {
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
        registry::FileRow,
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
            io::Error::other(format!("end {beginnings}"))
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
        files::lose(&[Arc::clone(&row)], &ToEngine::of(&sender), "why");
        let status = row.status();
        assert_eq!((status.number, status.problem.as_deref()), (0, Some("why")));
        assert!(status.at.is_some());
        let Ok(Command::Observed { tracker, observation, .. }) = commands.try_recv() else {
            panic!("the engine hears nothing");
        };
        assert_eq!((tracker, observation.finding), (Tracker::File(0), Finding::Number(0)));
        assert_eq!(observation.detail, "counts as 0 (why)");
    }
}
