//! One virtual router as the engine drives it: the machine, its row, and its addresses in the kernel.

use std::sync::Arc;

use super::{
    addresses::{Addresses, Observed},
    interfaces::Interfaces,
};
use crate::{
    config,
    registry::{InstanceRow, Topology},
    units::IfIndex,
    vrrp,
};

/// A virtual router.
#[derive(Debug)]
pub(super) struct Router {
    /// What decides.
    pub(super) machine: vrrp::Instance,
    /// What readers see.
    pub(super) row: Arc<InstanceRow>,
    /// Its addresses in the kernel.
    pub(super) addresses: Addresses,
    /// The last failure to send was logged; the next is not until one succeeds.
    pub(super) send_failed: bool,
}

impl Router {
    /// The router of a row, not started.
    pub(super) fn new(row: Arc<InstanceRow>) -> Self {
        let machine = vrrp::Instance::new(settings(&row.config), Arc::clone(&row.counters));
        let addresses = Addresses::new(row.addresses.len());
        Self { machine, row, addresses, send_failed: false }
    }

    /// The scripts that decide about FAULT: until each has a result the router waits for it.
    pub(super) fn tracks_unweighted(&self) -> impl Iterator<Item = usize> {
        let unweighted = self.row.config.track_scripts.iter().filter(|tracked| tracked.weight == 0);
        unweighted.map(|tracked| tracked.script)
    }

    /// Shows readers what the machine says now.
    pub(super) fn publish(&self) {
        let status = self.machine.status();
        if *self.row.status() != status {
            self.row.set_status(status);
        }
    }
}

/// What the kernel last reported, as far as a router's addresses are concerned.
pub(super) struct Observation<'a> {
    pub(super) row: &'a InstanceRow,
    pub(super) interfaces: &'a Interfaces,
}

impl Observed for Observation<'_> {
    fn device(&self, slot: usize) -> Option<IfIndex> {
        let name = &self.row.addresses[slot].device;
        self.interfaces.named(name).map(|interface| interface.link.index)
    }

    fn holds(&self, slot: usize, index: IfIndex) -> bool {
        let row = &self.row.addresses[slot];
        self.interfaces
            .at(index)
            .is_some_and(|interface| interface.has(row.config.address, row.config.prefix))
    }
}

/// One router per instance.
pub(super) fn routers(topology: &Topology) -> Vec<Router> {
    topology.instances.iter().map(|row| Router::new(Arc::clone(row))).collect()
}

/// What the machine needs of a configured instance.
fn settings(instance: &config::Instance) -> vrrp::Settings {
    let destination = if instance.peers.is_empty() {
        vrrp::Destination::Multicast(instance.multicast_group)
    } else {
        vrrp::Destination::Unicast(instance.peers.iter().map(|peer| peer.address).collect())
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
        addresses: instance.virtual_addresses.iter().map(|line| line.address).collect(),
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
