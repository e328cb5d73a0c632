//! One virtual router as the engine drives it: the machine, its row, and what it holds in the kernel.

use std::sync::Arc;

use super::{holdings::Holdings, policy};
use crate::{
    config::{self, tracking::Tracked},
    daemon::recorder,
    record::Recorded,
    registry::InstanceRow,
    units::IfIndex,
    vrrp,
};

/// A virtual router.
#[derive(Debug)]
pub(super) struct Router {
    /// What decides.
    pub(super) machine: Recorded,
    /// What readers see.
    pub(super) row: Arc<InstanceRow>,
    /// What it tracks: its own lines, then those of its sync group.
    pub(super) tracks: Arc<[Tracked]>,
    /// Its addresses, routes and rules in the kernel.
    pub(super) holdings: Holdings,
    /// The firewall throws packets of its addresses away.
    pub(super) refusing: bool,
    /// The interface that advertisements leave by, when it was last looked at.
    pub(super) transport: Option<IfIndex>,
    /// The number that other lanes know it by: its own for as long as the process runs, whatever reloads make of its place.
    pub(super) serial: usize,
}

impl Router {
    /// The router of a row, not started; recorded when there is a recorder.
    pub(super) fn new(
        serial: usize,
        row: &Arc<InstanceRow>,
        (membership, tracks): (vrrp::Membership, Arc<[Tracked]>),
        recorder: Option<&recorder::Source>,
    ) -> Self {
        let settings = settings(&row.config, membership);
        let tape = recorder.map(|recorder| recorder.tape(serial, &settings));
        let machine = Recorded::new(vrrp::Instance::new(settings, Arc::clone(&row.counters)), tape);
        let row = Arc::clone(row);
        let holdings = Holdings::of_row(&row);
        Self { machine, row, tracks, holdings, refusing: false, transport: None, serial }
    }

    /// Shows readers what the machine says now.
    pub(super) fn publish(&self) {
        if !self.is_published() {
            self.row.set_status(self.machine.status());
        }
    }

    /// Whether readers see what the machine says now.
    pub(super) fn is_published(&self) -> bool {
        *self.row.status() == self.machine.status()
    }
}

/// What the machine needs of a configured instance.
pub(super) fn settings(instance: &config::Instance, membership: vrrp::Membership) -> vrrp::Settings {
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
        auth: instance.auth.clone(),
        addresses: instance.virtual_addresses.iter().map(|line| line.address).collect(),
        destination,
        source: instance.source,
        track_source: instance.track_source,
        garp: vrrp::Garp {
            repeat: instance.garp.repeat,
            delay: instance.garp.delay,
            refresh: instance.garp.refresh.unwrap_or_default(),
            refresh_repeat: instance.garp.refresh_repeat,
            lower_prio_repeat: instance.garp.lower_prio_repeat,
            lower_prio_delay: instance.garp.lower_prio_delay,
            extra: instance.settings.garp_extra_if.interval,
        },
        down_timer_adverts: u32::from(*instance.settings.down_timer_adverts),
        membership,
        policy: policy::of(instance),
    }
}
