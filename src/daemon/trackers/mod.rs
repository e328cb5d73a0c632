//! What drives the trackers that the engine does not drive itself: scripts, files, processes.
//!
//! Each carries between its machine ([`crate::track`]) and the system, shows readers what was found in the row, and
//! tells the engine when something changed. Interfaces are the engine's own: it hears of them anyway.
//!
//! Scripts run on the manage lane, which waits for their ends. Files and processes have a thread each, since to read a
//! file, or the command line of a process that is stuck, may take for ever; nobody waits for these threads.

mod files;
mod processes;
pub(super) mod scripts;

use std::{io, sync::Arc, thread};

use tokio::sync::mpsc;

use super::engine::Command;
use crate::{config::tracking::Tracker, registry::Registry, track::Observation};

/// Starts the threads that are needed.
pub(super) fn start(registry: &Arc<Registry>, engine: &mpsc::Sender<Command>) -> io::Result<()> {
    let topology = registry.topology();
    if !topology.files.is_empty() {
        let (rows, engine) = (topology.files.clone(), Engine::of(engine));
        thread::Builder::new().name("files".to_owned()).spawn(move || files::run(&rows, &engine))?;
    }
    if !topology.processes.is_empty() {
        let (rows, engine) = (topology.processes.clone(), Engine::of(engine));
        let buffer = processes::receive_buffer(&topology.global);
        thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || processes::run(rows, &engine, buffer))?;
    }
    Ok(())
}

/// Where observations go. It does not keep the engine's channel open: the engine ends when the manage lane does.
struct Engine(mpsc::WeakSender<Command>);

impl Engine {
    fn of(engine: &mpsc::Sender<Command>) -> Self {
        Self(engine.downgrade())
    }

    /// Tells the engine, waiting for room if need be; on a thread of its own only.
    fn tell(&self, tracker: Tracker, observation: Observation) {
        if let Some(engine) = self.0.upgrade() {
            // The engine is gone only when everything ends.
            let _ = engine.blocking_send(Command::Observed { tracker, observation });
        }
    }

    /// The same without blocking.
    async fn send(&self, tracker: Tracker, observation: Observation) {
        if let Some(engine) = self.0.upgrade() {
            let _ = engine.send(Command::Observed { tracker, observation }).await;
        }
    }
}
