//! What keeps a router from taking part.

use serde::{Deserialize, Serialize};

use super::{Action, Instance, Level};
use crate::{
    config::tracking::Tracker,
    registry::{Reason, State},
    units::Time,
    vrrp::Source,
};

/// One thing that keeps a router from taking part. The router leaves FAULT when none is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The interface is down or missing.
    Interface,
    /// There is no address to send from. Raised by the machine itself, from [`Instance::handle_source`].
    Address,
    /// The address to send from is tentative. As silent as [`Fault::Pending`]; raised by the machine itself, too.
    Tentative,
    /// The socket could not be opened.
    Socket,
    /// The socket is being opened. As silent as [`Fault::Pending`].
    AwaitingSocket,
    /// A unicast router has no peer (`unicast_fault_no_peer`).
    NoPeers,
    /// Something tracked failed.
    Tracked(Tracker),
    /// Something tracked without weight has no result yet. It holds a router that has not begun (or is in FAULT)
    /// where it is, silently, and does nothing to one that takes part. When it turns out to have failed, report
    /// [`Fault::Tracked`] first and the end of this one after it.
    Pending(Tracker),
    /// Another member of the sync group is in FAULT. Raised by [`Order::Fault`](crate::vrrp::Order::Fault).
    Group,
    /// Another member of the sync group waits, for what is told of `Pending` and `Tentative`. As silent as they are;
    /// raised by [`Order::Wait`](crate::vrrp::Order::Wait).
    GroupPending,
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

    /// What there is to send from now. Without an address the router is in FAULT, except that it sends from a
    /// configured one whether or not it is there.
    pub fn handle_source(&mut self, now: Time, source: Source) {
        if self.state == State::Stop {
            return;
        }
        let interface = self.settings.interface.clone();
        let (fault, reason) = match (source, self.settings.source) {
            (Source::Missing, Some(address)) if self.settings.track_source => {
                (Fault::Address, Reason::SourceMissing { address })
            }
            (Source::Address(_) | Source::Missing, Some(address)) | (Source::Address(address), None) => {
                self.source = Some(address);
                self.faults.remove(&Fault::Address);
                self.faults.remove(&Fault::Tentative);
                self.follow_faults(now);
                return;
            }
            (Source::Missing, None) => (Fault::Address, self.no_address()),
            (Source::Duplicate(address), _) => {
                (Fault::Address, Reason::DuplicateAddress { interface, address })
            }
            (Source::Tentative(address), _) => {
                (Fault::Tentative, Reason::AwaitingAddress { interface, address })
            }
        };
        let other = if fault == Fault::Address { Fault::Tentative } else { Fault::Address };
        let known = self.faults.insert(fault, reason.clone());
        self.faults.remove(&other);
        // A last advertisement with priority 0 still leaves with the old address.
        self.follow_faults(now);
        if !matches!(self.state, State::Backup | State::Master) {
            self.source = None;
            if fault == Fault::Tentative && known.as_ref() != Some(&reason) {
                self.log(Level::Info, false, format_args!("{reason}"));
            }
        }
    }

    /// What keeps it from taking part; what it only waits for does so before it has begun, and in FAULT.
    pub(super) fn shown_faults(&self) -> Vec<Reason> {
        if matches!(self.state, State::Backup | State::Master) {
            return Vec::new();
        }
        self.faults.values().cloned().collect()
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
            (State::Fault | State::Init, None) if !self.faults.is_empty() => self.explain_waiting(),
            (State::Init, None) => self.resume_or_begin(now),
            (State::Fault, None) => self.leave_fault(now),
            (_, None) => {}
        }
    }

    /// Whether only scripts without a first result, or a tentative address, keep the router from beginning.
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
            self.release(now);
            self.leave_master();
        }
        self.give_up_resumption();
        self.timers.stop_all();
        self.master = None;
        self.ready = false;
        self.change(now, State::Fault, reason);
    }

    /// To BACKUP, an owner too, for the whole master down interval: the world may have changed meanwhile.
    fn leave_fault(&mut self, now: Time) {
        self.become_backup(now, Reason::Recovered);
        if self.is_unicast() {
            self.actions.push_back(Action::AnnounceSource);
        }
    }

    /// Shows what is waited for, now that nothing is wrong.
    fn explain_waiting(&mut self) {
        let shown = [Fault::Tentative, Fault::AwaitingSocket];
        if let Some(awaited) = shown.iter().find_map(|fault| self.faults.get(fault)) {
            self.reason = Some(awaited.clone());
        }
    }

    /// Keeps the reason shown while in FAULT one that still holds; something that is wrong rather than waited for.
    fn explain_fault(&mut self, remaining: Reason) {
        let mut wrong = self.faults.iter().filter(|(fault, _)| !fault.is_silent());
        let still_holds = wrong.any(|(_, reason)| Some(reason) == self.reason.as_ref());
        if !still_holds {
            self.reason = Some(remaining);
        }
    }
}

impl Fault {
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Self::Pending(_) | Self::Tentative | Self::AwaitingSocket | Self::GroupPending)
    }
}
