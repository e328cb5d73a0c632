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

use std::{collections::HashSet, io, sync::Arc, thread};

use tokio::sync::mpsc;

use super::engine::Command;
use crate::{
    config::tracking::{self, Tracker},
    registry::{InstanceRow, InterfaceRow, Registry, StaticRows},
    track::Observation,
};

/// The rows of the interfaces that the configuration names, and of the links of the routers' own, which are named when
/// they are planned. A link has the delays of the interface below it.
pub(super) fn interface_rows(
    named: Vec<tracking::Interface>,
    instances: &[Arc<InstanceRow>],
    statics: &StaticRows,
) -> Vec<Arc<InterfaceRow>> {
    let mut all = named;
    let mut known: HashSet<String> = all.iter().map(|interface| interface.name.clone()).collect();
    for instance in instances {
        let below = all.iter().find(|interface| interface.name == instance.config.interface).cloned();
        let devices = instance.addresses.iter().map(|address| address.device.as_str());
        let of_routes = instance.routes.iter().flat_map(|row| row.config.devices());
        let of_rules = instance.rules.iter().flat_map(|row| row.config.devices());
        for name in devices.chain([instance.config.transport()]).chain(of_routes).chain(of_rules) {
            if known.insert(name.to_owned()) {
                let usual = tracking::Interface::new(name.to_owned());
                let delays = below.clone().unwrap_or_else(|| usual.clone());
                all.push(tracking::Interface { name: usual.name, ..delays });
            }
        }
    }
    for (_, name) in statics.followed() {
        if known.insert(name.to_owned()) {
            all.push(tracking::Interface::new(name.to_owned()));
        }
    }
    (1..).zip(all).map(|(index, config)| Arc::new(InterfaceRow::new(index, config))).collect()
}

/// Starts the threads that are needed.
pub(super) fn start(registry: &Arc<Registry>, engine: &mpsc::Sender<Command>) -> io::Result<()> {
    let topology = registry.topology();
    if !topology.files.is_empty() {
        let (rows, engine) = (topology.files.clone(), ToEngine::of(engine));
        thread::Builder::new().name("files".to_owned()).spawn(move || files::run(&rows, &engine))?;
    }
    if !topology.processes.is_empty() {
        let (rows, engine) = (topology.processes.clone(), ToEngine::of(engine));
        let buffer = processes::receive_buffer(&topology.global);
        thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || processes::run(rows, &engine, buffer))?;
    }
    Ok(())
}

/// Where observations go. It does not keep the engine's channel open: the engine ends when the manage lane does.
#[derive(Clone, Debug)]
struct ToEngine(mpsc::WeakSender<Command>);

impl ToEngine {
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
