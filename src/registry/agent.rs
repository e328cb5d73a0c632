//! How the SNMP subagent gets on with its master.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;

use crate::units::Time;

/// The session, as of its last change.
#[derive(Debug, Default)]
pub struct Agent(ArcSwapOption<AgentStatus>);

impl Agent {
    /// What is true now; `None` when SNMP was never on.
    pub fn status(&self) -> Option<Arc<AgentStatus>> {
        self.0.load_full()
    }

    /// Replaces what is true now (whoever runs the subagent).
    pub fn set_status(&self, status: AgentStatus) {
        self.0.store(Some(Arc::new(status)));
    }
}

/// A session at a glance; the numbers count from the start of the daemon on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentStatus {
    /// Where the master listens.
    pub master: String,
    /// How far the way to it is open.
    pub state: AgentState,
    /// Since when.
    pub since: Time,
    /// How many regions there are to serve.
    pub regions: usize,
    /// How many of them the master holds.
    pub registered: usize,
    /// How many it had lost, or given up for somebody else, and holds again.
    pub restored: u64,
    /// How many sessions it has opened.
    pub sessions: u64,
    /// Why the last session, or attempt at one, was given up.
    pub error: Option<String>,
    /// How often a notification was sent.
    pub sent: u64,
    /// How often that was one that had been sent before.
    pub repeated: u64,
    /// How many notifications the master has.
    pub acknowledged: u64,
    /// How many it refused, or never answered, again and again.
    pub given_up: u64,
}

/// How far the way to the master is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// No connection; the next attempt is waited for.
    #[default]
    Disconnected,
    /// A connection is being made.
    Connecting,
    /// Connected; the master has not opened the session yet.
    Opening,
    /// The session is open; regions are being registered.
    Registering,
    /// The master serves all regions.
    Registered,
    /// The session is open, and the master refuses a region.
    Degraded,
    /// An answer of the master is overdue.
    Unresponsive,
    /// The daemon has taken its leave: it ends, or SNMP was switched off.
    Closed,
}

impl AgentState {
    /// Every one, by its number.
    pub const ALL: [Self; 8] = [
        Self::Disconnected,
        Self::Connecting,
        Self::Opening,
        Self::Registering,
        Self::Registered,
        Self::Degraded,
        Self::Unresponsive,
        Self::Closed,
    ];

    /// What it is called.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Opening => "opening",
            Self::Registering => "registering",
            Self::Registered => "registered",
            Self::Degraded => "degraded",
            Self::Unresponsive => "unresponsive",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
