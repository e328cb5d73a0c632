//! The wall clock, for routers whose signatures say when they were made.

use super::{Engine, router::Router};
use crate::{kernel::clock, vrrp::Auth};

/// The routers that have to know it.
pub(super) fn signers(routers: &[Router]) -> Vec<usize> {
    let signs = |router: &Router| matches!(router.row.config.auth, Auth::Signed(_));
    routers.iter().enumerate().filter(|(_, router)| signs(router)).map(|(number, _)| number).collect()
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
