//! How a session is doing, for whoever shows it.

use std::time::Duration;

use super::{LostBecause, Uptime};
use crate::notification::Delivery;

/// How far the way to the master is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No connection; the next attempt is waited for.
    Disconnected,
    /// A connection is being made.
    Connecting,
    /// Connected; the master has not opened the session yet.
    Opening,
    /// The session is open; regions are being registered.
    Registering,
    /// Every region was registered, or refused and will be tried again.
    Open,
    /// Connected, and an answer is overdue: the master is stopped or hung.
    Unresponsive,
    /// The subagent was shut down.
    Closed,
}

/// A session at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How far the way to the master is open.
    pub link: Link,
    /// Since when, on the monotonic clock of the session.
    pub since: Duration,
    /// How many regions the master holds for us.
    pub registered: usize,
    /// How many it should.
    pub regions: usize,
    /// How many sessions the master has opened for us so far.
    pub sessions: u64,
    /// How many regions it had lost, or given up for somebody else, and serves from us again.
    pub restored: u64,
    /// What became of the notifications.
    pub notifications: Tally,
    /// Why the last session, or attempt at one, was given up.
    pub lost_because: Option<LostBecause>,
    /// The master's sysUpTime, once it was heard.
    pub uptime: Option<Uptime>,
}

/// Notifications, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often one was sent.
    pub sent: u64,
    /// How often that was one that had been sent before.
    pub repeated: u64,
    /// How many the master has.
    pub accepted: u64,
    /// How many were given up.
    pub given_up: u64,
}

impl Tally {
    /// One is sent, perhaps not for the first time.
    pub(super) fn send(&mut self, is_repeated: bool) {
        self.sent += 1;
        self.repeated += u64::from(is_repeated);
    }

    /// One is done with.
    pub(super) fn done(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Accepted => self.accepted += 1,
            Delivery::Refused(_) | Delivery::Unanswered => self.given_up += 1,
        }
    }
}

impl Status {
    /// Whether the master answers and holds every region.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.link == Link::Open && self.registered == self.regions
    }
}
