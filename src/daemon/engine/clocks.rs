//! The wall clock, for routers whose signatures say when they were made.

use super::Engine;
use crate::{kernel::clock, registry::Topology, vrrp::Auth};

/// The routers that have to know it.
pub(super) fn signers(topology: &Topology) -> Vec<usize> {
    let rows = topology.instances.iter().enumerate();
    rows.filter(|(_, row)| matches!(row.config.auth, Auth::Signed(_))).map(|(number, _)| number).collect()
}

impl Engine {
    /// Tells them what it shows. Both clocks run equally fast, so once in each round is enough: it may have been set.
    pub(super) fn tell_clock(&mut self) {
        if self.signers.is_empty() {
            return;
        }
        let (now, utc) = (clock::now(), clock::utc());
        for number in &self.signers {
            self.routers[*number].machine.handle_clock(now, utc);
        }
    }
}
