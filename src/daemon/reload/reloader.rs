//! One reload after the other.

use std::{sync::Arc, thread};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::read::{Prepared, Source};
use crate::{
    daemon::{engine::Command, orders::Desk},
    kernel::clock,
    registry::{Change, Orders, Reason, Registry, State, Subject, Topology},
    units::Priority,
};

/// What runs from a reload on.
#[derive(Debug)]
pub(in crate::daemon) struct Adopted {
    pub(in crate::daemon) topology: Arc<Topology>,
    /// The last transition before it.
    pub(in crate::daemon) since: u64,
}

/// Carries reloads out.
#[derive(Debug)]
pub(in crate::daemon) struct Reloader {
    registry: Arc<Registry>,
    source: Source,
}

impl Reloader {
    /// From this source, over what the registry has.
    pub(in crate::daemon) fn new(registry: &Arc<Registry>, source: Source) -> Self {
        Self { registry: Arc::clone(registry), source }
    }

    /// Reads the configuration anew and brings about what differs. Returns what runs from then on, unless that is what ran
    /// before.
    pub(in crate::daemon) async fn reload(&mut self, engine: &mpsc::Sender<Command>) -> Option<Adopted> {
        info!("Reloading");
        let Prepared { topology, succession, noted, done } = match self.prepare().await {
            Ok(prepared) => prepared,
            Err(why) => {
                self.refuse(why);
                return None;
            }
        };
        if topology.global.settings.snmp_set {
            let desk: Arc<dyn Orders> = Arc::new(Desk::new(engine));
            topology.instances.iter().for_each(|row| row.take_orders(Arc::clone(&desk)));
        }
        let since = self.registry.transitions.newest();
        // The engine is gone only when everything ends.
        engine.send(Command::Reload(succession)).await.ok()?;
        let remains = done.await.ok()?;
        self.source.note(noted);
        // To give the memory of thousands of rows back takes its time, too.
        let _ = thread::Builder::new().name("reload".to_owned()).spawn(move || drop(remains));
        Some(Adopted { topology, since })
    }

    /// On a thread of its own: large files take their time, and so may disks.
    async fn prepare(&self) -> Result<Prepared, String> {
        let (tell, prepared) = oneshot::channel();
        let (source, registry) = (self.source.clone(), Arc::clone(&self.registry));
        let prepare = move || {
            // Whoever does not want to know any more is at the end.
            let _ = tell.send(source.prepare(&registry));
        };
        let thread = thread::Builder::new().name("reload".to_owned()).spawn(prepare);
        thread.map_err(|error| format!("no thread to read it: {error}"))?;
        prepared.await.unwrap_or_else(|_| Err("the thread that reads it panicked".to_owned()))
    }

    fn refuse(&self, why: String) {
        let reason = Reason::ReloadRefused { why };
        error!("Configuration {reason}");
        let change = Change { from: State::Init, to: State::Init, reason, priority: Priority(0) };
        self.registry.transitions.publish(clock::now(), clock::wall(), Subject::Configuration, change);
    }
}
