//! How a session is doing, for whoever shows it.

use std::time::Duration;

use super::Uptime;

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
    /// The master's sysUpTime, once it was heard.
    pub uptime: Option<Uptime>,
}

impl Status {
    /// Whether the master answers and holds every region.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.link == Link::Open && self.registered == self.regions
    }
}
