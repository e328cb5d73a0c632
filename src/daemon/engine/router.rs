//! One virtual router as the engine drives it: the machine, its row, and its addresses in the kernel.

use std::sync::Arc;

use crate::{
    config,
    kernel::Added,
    registry::{AddressStatus, InstanceRow, Topology},
    vrrp,
};

/// A virtual router.
#[derive(Debug)]
pub(super) struct Router {
    /// What decides.
    pub(super) machine: vrrp::Instance,
    /// What readers see.
    pub(super) row: Arc<InstanceRow>,
    /// Whether the addresses should be in the kernel.
    pub(super) wants_addresses: bool,
    /// Whether requests about the addresses are on their way.
    pub(super) working: bool,
    /// What we know of each address of the row, in the same order.
    pub(super) held: Vec<Held>,
    /// The last send failed: the failure is not logged again until one succeeds.
    pub(super) send_failed: bool,
}

/// An address in the kernel, as far as we put it there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// It is there.
    pub(super) present: bool,
    /// We added it, so we may remove it.
    pub(super) ours: bool,
    /// Removals of our own whose event has not come back yet.
    pub(super) own_removals: u32,
}

impl Router {
    /// The router of a row, not started.
    pub(super) fn new(row: Arc<InstanceRow>) -> Self {
        let machine = vrrp::Instance::new(settings(&row.config), Arc::clone(&row.counters));
        let held = vec![Held::default(); row.addresses.len()];
        Self { machine, row, wants_addresses: false, working: false, held, send_failed: false }
    }

    /// The scripts that decide about FAULT: until each has a result the router waits for it.
    pub(super) fn tracks_unweighted(&self) -> impl Iterator<Item = usize> {
        let unweighted = self.row.config.track_scripts.iter().filter(|tracked| tracked.weight == 0);
        unweighted.map(|tracked| tracked.script)
    }

    /// The kernel has taken (or refused) an address.
    pub(super) fn added(&mut self, slot: usize, outcome: Option<Added>) {
        let held = &mut self.held[slot];
        held.present = outcome.is_some();
        // What was ours stays ours when a repeated request finds it there.
        held.ours = match outcome {
            Some(Added::New) => true,
            Some(Added::AlreadyThere) => held.ours,
            None => false,
        };
        self.publish_address(slot);
    }

    /// We removed an address.
    pub(super) fn removed(&mut self, slot: usize) {
        let held = &mut self.held[slot];
        *held = Held { own_removals: held.own_removals + 1, ..Held::default() };
        self.publish_address(slot);
    }

    /// Another program removed an address.
    pub(super) fn lost(&mut self, slot: usize) {
        self.held[slot].present = false;
        self.publish_address(slot);
    }

    fn publish_address(&self, slot: usize) {
        let row = &self.row.addresses[slot];
        row.set_status(AddressStatus { set: self.held[slot].present, ..row.status() });
    }

    /// Shows readers what the machine says now.
    pub(super) fn publish(&self) {
        let status = self.machine.status();
        if *self.row.status() != status {
            self.row.set_status(status);
        }
    }
}

/// One router per instance.
pub(super) fn routers(topology: &Topology) -> Vec<Router> {
    topology.instances.iter().map(|row| Router::new(Arc::clone(row))).collect()
}

/// What the machine needs of a configured instance.
fn settings(instance: &config::Instance) -> vrrp::Settings {
    let destination = if instance.peers.is_empty() {
        vrrp::Destination::Multicast(vrrp::MULTICAST_GROUP)
    } else {
        vrrp::Destination::Unicast(instance.peers.clone())
    };
    vrrp::Settings {
        name: instance.name.clone(),
        interface: instance.interface.clone(),
        vrid: instance.vrid,
        version: instance.version,
        priority: instance.priority,
        advert_interval: instance.advert_interval,
        start_as_master: instance.initial_state == config::InitialState::Master,
        preempt: instance.preempt,
        preempt_delay: instance.preempt_delay,
        auth: instance.auth,
        addresses: instance.virtual_addresses.iter().map(|address| address.address).collect(),
        destination,
        source: instance.source,
        garp: vrrp::Garp {
            repeat: instance.garp.repeat,
            delay: instance.garp.delay,
            refresh: instance.garp.refresh.unwrap_or_default(),
            refresh_repeat: instance.garp.refresh_repeat,
            lower_prio_repeat: instance.garp.repeat,
            lower_prio_delay: instance.garp.delay,
        },
        down_timer_adverts: vrrp::Settings::DEFAULT_DOWN_TIMER_ADVERTS,
    }
}
