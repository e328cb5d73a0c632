//! A virtual router as a member of a sync group: what the group sees of it, and what it may order.

use super::{Fault, Instance};
use crate::{
    registry::{Reason, State},
    units::Time,
    vrrp::{Member, Membership, Order},
};

impl Instance {
    /// What the sync group needs to know of this router.
    pub fn member(&self) -> Member {
        let own = |fault: &Fault| !matches!(fault, Fault::Group | Fault::GroupPending);
        let fault = self.faults.iter().find(|(fault, _)| own(fault) && !fault.is_silent());
        // A tentative address is one to wait for, not one that is missing.
        let has_none = !self.started && self.source.is_none() && !self.faults.contains_key(&Fault::Tentative);
        let no_address = || has_none.then(|| self.no_address());
        Member {
            state: self.state,
            is_waiting: self.is_waiting(),
            ready: self.ready,
            begins_as_master: self.settings.membership == Membership::AmongOwners
                && self.begins_at_once()
                && !self.stands_aside(),
            fault: fault.map(|(_, reason)| reason.clone()).or_else(no_address),
            pending: self.faults.keys().any(|fault| own(fault) && fault.is_silent()),
            told_of_fault: self.faults.get(&Fault::Group).cloned(),
            told_to_wait: self.faults.contains_key(&Fault::GroupPending),
            reason: self.reason.clone(),
        }
    }

    /// The sync group orders something. What a router alone would do is never undone by an order, only put off.
    pub fn handle_order(&mut self, now: Time, order: Order) {
        match order {
            Order::Master if self.ready => self.become_master(now, self.takeover.clone()),
            Order::Backup(reason) if self.state == State::Master => {
                self.leave_master();
                self.become_backup(now, reason);
            }
            Order::Fault(reason) => self.handle_fault(now, Fault::Group, reason),
            Order::Wait(wait) => {
                self.handle_fault(now, Fault::GroupPending, wait.then_some(Reason::Started));
            }
            Order::Announce if self.state == State::Master => {
                self.announce_again(now);
            }
            Order::Master | Order::Backup(_) | Order::Announce => {}
        }
    }

    pub(super) fn is_member(&self) -> bool {
        self.settings.membership != Membership::Alone
    }
}
