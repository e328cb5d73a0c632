//! What keeps a router from taking part.

use std::net::IpAddr;

use super::{Action, Instance};
use crate::{
    registry::{Reason, State},
    units::Time,
};

/// One thing that keeps a router from taking part. The router leaves FAULT when none is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The interface is down or missing.
    Interface,
    /// There is no address to send from. Raised by the machine itself, from [`Instance::handle_source`].
    Address,
    /// The socket could not be opened.
    Socket,
    /// This tracked script, which has no weight, failed.
    Script(usize),
    /// This tracked script, which has no weight, has no result yet. It holds a router that has not begun (or is
    /// in FAULT) where it is, silently, and does nothing to one that takes part. When the script turns out to
    /// have failed, report [`Fault::Script`] first and the end of this one after it.
    Pending(usize),
}

impl Instance {
    /// A fault is there (`reason`), or it is gone (`None`).
    pub fn handle_fault(&mut self, now: Time, fault: Fault, reason: Option<Reason>) {
        match reason {
            Some(reason) => self.faults.insert(fault, reason),
            None => self.faults.remove(&fault),
        };
        self.follow_faults(now);
    }

    /// The interface's primary address as it is now; used when no source is configured. Without one the router
    /// is in FAULT.
    pub fn handle_source(&mut self, now: Time, primary: Option<IpAddr>) {
        if self.settings.source.is_some() || self.state == State::Stop {
            return;
        }
        if primary.is_some() {
            self.source = primary;
            self.faults.remove(&Fault::Address);
            self.follow_faults(now);
        } else if self.started {
            self.faults.insert(Fault::Address, self.no_address());
            // A last advertisement with priority 0 still leaves with the old address.
            self.follow_faults(now);
            self.source = None;
        } else {
            self.source = None;
        }
    }

    /// Moves into or out of FAULT, as the faults that are left demand.
    pub(super) fn follow_faults(&mut self, now: Time) {
        if !self.started || self.state == State::Stop {
            return;
        }
        let fault =
            self.faults.iter().find(|(fault, _)| !fault.is_silent()).map(|(_, reason)| reason.clone());
        match (self.state, fault) {
            (State::Fault, Some(reason)) => self.explain_fault(reason),
            (_, Some(reason)) => self.enter_fault(now, reason),
            (State::Fault | State::Init, None) if !self.faults.is_empty() => {}
            (State::Init, None) => self.begin(now),
            (State::Fault, None) => self.leave_fault(now),
            (_, None) => {}
        }
    }

    /// Whether only scripts without a first result keep the router from beginning.
    pub(super) fn is_waiting(&self) -> bool {
        self.started && self.state == State::Init
    }

    pub(super) fn no_address(&self) -> Reason {
        Reason::NoAddress { interface: self.settings.interface.clone(), family: self.settings.family() }
    }

    fn enter_fault(&mut self, now: Time, reason: Reason) {
        if self.state == State::Master {
            // One is enough: the peer sends two back to back, and a backup that hears the first has set its
            // timer to the skew already.
            self.release();
            self.leave_master();
        }
        self.timers.stop_all();
        self.master = None;
        self.change(now, State::Fault, reason);
    }

    /// To BACKUP, an owner too, for the whole master down interval: the world may have changed meanwhile.
    fn leave_fault(&mut self, now: Time) {
        self.become_backup(now, Reason::Recovered);
        if self.is_unicast() {
            self.actions.push_back(Action::AnnounceSource);
        }
    }

    /// Keeps the reason shown while in FAULT one that still holds.
    fn explain_fault(&mut self, remaining: Reason) {
        let still_holds = self.faults.values().any(|reason| Some(reason) == self.reason.as_ref());
        if !still_holds {
            self.reason = Some(remaining);
        }
    }
}

impl Fault {
    fn is_silent(self) -> bool {
        matches!(self, Self::Pending(_))
    }
}
