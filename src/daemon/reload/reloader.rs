//! One reload, from the file to the engine.

use std::{sync::Arc, thread};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::{
    read::{Prepared, Source},
    saved::Saved,
};
use crate::{
    config::compare::Forecast,
    daemon::{engine::Command, orders::Desk},
    kernel::clock,
    registry::{Change, NotReloaded, Operator, Orders, Reason, Registry, State, Subject, Topology},
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
    /// How many there were, also of those that were refused.
    number: u64,
}

impl Reloader {
    /// From this source, over what the registry has.
    pub(in crate::daemon) fn new(registry: &Arc<Registry>, source: Source) -> Self {
        if let Some(saved) = Saved::new(&registry.topology().global.settings, 0) {
            let source = source.clone();
            // Nobody waits for the disk.
            let save = move || saved.save_text(&source.text());
            let _ = thread::Builder::new().name("reload".to_owned()).spawn(save);
        }
        Self { registry: Arc::clone(registry), source, number: 0 }
    }

    /// Reads the configuration anew and brings about what differs. `told` has it say in words what that is. Returns `None`
    /// when everything ends.
    pub(in crate::daemon) async fn reload(
        &mut self,
        engine: &mpsc::Sender<Command>,
        (by, told): (Option<Operator>, bool),
    ) -> Option<Result<(Adopted, Option<Forecast>), NotReloaded>> {
        info!("Reloading");
        self.registry.lag.note_reload();
        self.number += 1;
        let asked = (told, self.number);
        let prepared = self.on_a_thread(move |source, registry| source.prepare(registry, asked)).await;
        let Prepared { topology, succession, noted, forecast, done } = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                self.refuse(refused.why.clone(), by);
                return Some(Err(refused));
            }
        };
        if topology.global.settings.snmp_set {
            let desk: Arc<dyn Orders> = Arc::new(Desk::new(engine));
            topology.instances.iter().for_each(|row| row.take_orders(Arc::clone(&desk)));
        }
        let since = self.registry.transitions.newest();
        // The engine is gone only when everything ends.
        engine.send(Command::Reload(Box::new(succession.asked_for_by(by)))).await.ok()?;
        let remains = done.await.ok()?;
        self.source.note(noted);
        if let Some(saved) = Saved::new(&topology.global.settings, self.number) {
            saved.save_after(&topology);
        }
        // To give the memory of thousands of rows back takes its time, too.
        let _ = thread::Builder::new().name("reload".to_owned()).spawn(move || drop(remains));
        Some(Ok((Adopted { topology, since }, forecast)))
    }

    /// What a reload would do now.
    pub(in crate::daemon) async fn foresee(&self) -> Result<Forecast, NotReloaded> {
        self.on_a_thread(Source::foresee).await
    }

    /// Large files take their time, and so may disks.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Source, &Registry) -> Result<T, NotReloaded> + Send + 'static,
    ) -> Result<T, NotReloaded> {
        let (tell, told) = oneshot::channel();
        let (source, registry) = (self.source.clone(), Arc::clone(&self.registry));
        let read = move || {
            // Whoever does not want to know any more is at the end.
            let _ = tell.send(read(&source, &registry));
        };
        let thread = thread::Builder::new().name("reload".to_owned()).spawn(read);
        thread.map_err(|error| format!("no thread to read it: {error}"))?;
        told.await.unwrap_or_else(|_| Err("the thread that reads it panicked".to_owned().into()))
    }

    fn refuse(&self, why: String, by: Option<Operator>) {
        let reason = Reason::ReloadRefused { why, by };
        error!("Configuration {reason}");
        let change = Change { from: State::Init, to: State::Init, reason, priority: Priority(0) };
        self.registry.transitions.publish(clock::now(), clock::wall(), Subject::Configuration, change);
    }
}
