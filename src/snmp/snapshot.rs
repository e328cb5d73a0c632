//! What a request is answered from: the rows, and what follows from them for as long as they stay the same.

use std::{
    cell::RefCell,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use agentx::{Status, session::Uptime};
use tokio::sync::watch;

use crate::{
    registry::{Agent, Registry, Rejections, Topology},
    snmp::by_link::ByLink,
    units::Time,
};

/// The rows of a moment.
#[derive(Debug)]
pub struct Snapshot {
    topology: Arc<Topology>,
    pub(super) by_link: ByLink,
    /// How often interfaces had got another number in the kernel.
    link_changes: u64,
    /// The master's clock, once it was heard.
    uptime: Option<Uptime>,
    /// When the daemon began to count.
    began: Time,
    clock: Clock,
    pub(super) agent: Arc<Agent>,
    pub(super) rejections: Arc<Rejections>,
}

/// The monotonic clock of the rows.
pub type Clock = fn() -> Time;

impl Snapshot {
    /// The rows of `topology`, counted since `began`.
    pub fn new(topology: Arc<Topology>, uptime: Option<Uptime>, (began, clock): (Time, Clock)) -> Self {
        // Before the rows are looked at: what changes meanwhile is seen the next time.
        let link_changes = topology.link_changes();
        let by_link = ByLink::new(&topology);
        let (agent, rejections) = Default::default();
        Self { topology, by_link, link_changes, uptime, began, clock, agent, rejections }
    }

    /// The same with what a registry has beside its rows.
    fn of(self, registry: &Registry) -> Self {
        let (agent, rejections) = (Arc::clone(&registry.agent), Arc::clone(&registry.rejections));
        Self { agent, rejections, ..self }
    }

    /// The master's sysUpTime at a moment, in TimeTicks: 0 while it is unknown, and for what was before the master.
    pub(super) fn sys_up_time(&self, at: Time) -> u32 {
        self.uptime.map_or(0, |uptime| uptime.at(at.0))
    }

    /// When the daemon began to count.
    pub(super) fn began(&self) -> Time {
        self.began
    }

    /// The time by the clock of the rows.
    pub(super) fn now(&self) -> Time {
        (self.clock)()
    }

    fn is_of(&self, topology: &Arc<Topology>, uptime: Option<Uptime>) -> bool {
        Arc::ptr_eq(&self.topology, topology)
            && self.link_changes == topology.link_changes()
            && self.uptime == uptime
    }
}

impl Deref for Snapshot {
    type Target = Topology;

    fn deref(&self) -> &Topology {
        &self.topology
    }
}

/// Hands out snapshots, the same one for as long as it holds.
#[derive(Debug)]
pub struct Snapshots {
    registry: Arc<Registry>,
    began: Time,
    clock: Clock,
    /// Where the session says how it is doing, once there is one.
    status: Arc<OnceLock<watch::Receiver<Status>>>,
    /// The clock of who has no master.
    uptime: Option<Uptime>,
    last: RefCell<Option<Arc<Snapshot>>>,
}

impl Snapshots {
    /// Those of `registry`, which counts from now on. The session of the agent that asks is told of by the cell.
    pub fn new(
        registry: Arc<Registry>,
        clock: Clock,
        status: Arc<OnceLock<watch::Receiver<Status>>>,
    ) -> Self {
        Self { registry, began: clock(), clock, status, uptime: None, last: RefCell::default() }
    }

    /// The same, of a registry that counts from `began` on.
    #[must_use]
    pub fn since(self, began: Time) -> Self {
        Self { began, ..self }
    }

    /// Those of `registry` for an agent of our own, whose sysUpTime was 0 when it `began` to count.
    pub fn own(registry: Arc<Registry>, clock: Clock, began: Time) -> Self {
        let uptime = Some(Uptime::learn(began.0, began.0, 0));
        Self { uptime, ..Self::new(registry, clock, Arc::default()).since(began) }
    }

    /// The rows of now.
    pub fn now(&self) -> Arc<Snapshot> {
        let topology = self.registry.topology();
        let uptime = self.status.get().and_then(|status| status.borrow().uptime).or(self.uptime);
        let mut last = self.last.borrow_mut();
        match &*last {
            Some(known) if known.is_of(&topology, uptime) => Arc::clone(known),
            _ => {
                let fresh = Snapshot::new(topology, uptime, (self.began, self.clock)).of(&self.registry);
                let fresh = Arc::new(fresh);
                *last = Some(Arc::clone(&fresh));
                fresh
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::topology;

    #[test]
    fn a_snapshot_stays_the_same_until_an_interface_gets_another_number() {
        let registry = Arc::new(Registry::new(topology()));
        let snapshots = Snapshots::new(Arc::clone(&registry), Time::default, Arc::default());
        let first = snapshots.now();
        assert!(Arc::ptr_eq(&first, &snapshots.now()));
        registry.topology().note_link_change();
        assert!(!Arc::ptr_eq(&first, &snapshots.now()));
    }
}
