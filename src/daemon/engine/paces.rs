//! How fast announcements may follow each other: `vrrp_garp_interval` and `vrrp_gna_interval` on each interface alone,
//! those of a `garp_group` on its interfaces together.

use std::{collections::HashMap, time::Duration};

use crate::{
    config::settings::GarpGroup,
    registry::{AddressRow, Topology},
    units::Family,
};

/// Which queue each address is announced through, and the gaps of the queues. The first queue has none.
#[derive(Debug, Default)]
pub(super) struct Paces {
    gaps: Vec<Duration>,
    /// By router and slot.
    queues: Vec<Vec<usize>>,
}

/// What shares a gap: a group by its position or an interface alone, for ARP or for neighbour advertisements.
type Shared<'a> = (Option<usize>, &'a str, Family);

impl Paces {
    /// Gaps of queues, and the queue of each address by router and slot.
    #[cfg(test)]
    pub(super) fn new(gaps: Vec<Duration>, queues: Vec<Vec<usize>>) -> Self {
        Self { gaps, queues }
    }

    /// What the configuration asks for.
    pub(super) fn of(topology: &Topology) -> Self {
        let mut gaps = vec![Duration::ZERO];
        let mut known: HashMap<Shared<'_>, usize> = HashMap::new();
        let mut queues = Vec::new();
        for row in &topology.instances {
            let mut of_row = Vec::with_capacity(row.addresses.len());
            for address in &row.addresses {
                of_row.push(match pace(topology, address) {
                    (_, gap) if gap.is_zero() => 0,
                    (shared, gap) => *known.entry(shared).or_insert_with(|| {
                        gaps.push(gap);
                        gaps.len() - 1
                    }),
                });
            }
            queues.push(of_row);
        }
        Self { gaps, queues }
    }

    /// The gaps of all queues.
    pub(super) fn gaps(&self) -> &[Duration] {
        &self.gaps
    }

    /// How many addresses a router has.
    pub(super) fn slots(&self, router: usize) -> usize {
        self.queues[router].len()
    }

    /// The queue of an address.
    pub(super) fn queue(&self, router: usize, slot: usize) -> usize {
        self.queues[router][slot]
    }
}

/// The gap after an announcement of an address, and what shares it.
fn pace<'a>(topology: &Topology, address: &'a AddressRow) -> (Shared<'a>, Duration) {
    let family = Family::of(address.config.address);
    let device = address.device.as_str();
    // The first group that has the interface counts.
    let has_device = |group: &GarpGroup| {
        let alone = group.interface.as_deref() == Some(device);
        alone || group.interfaces.iter().any(|(name, _)| name == device)
    };
    let own = topology.garp_groups.iter().position(has_device);
    let of_group = own.and_then(|position| {
        let group = &topology.garp_groups[position];
        match family {
            Family::V4 => group.garp_interval,
            Family::V6 => group.gna_interval,
        }
    });
    if let Some(gap) = of_group {
        return ((own, "", family), gap);
    }
    let general = &topology.global.settings;
    let gap = match family {
        Family::V4 => *general.vrrp_garp_interval,
        Family::V6 => *general.vrrp_gna_interval,
    };
    ((None, device, family), gap)
}
