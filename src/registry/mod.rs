//! The state registry: the one place that knows what the daemon knows.
//!
//! Three things live here. The *topology* says which instances and scripts exist, in index order; it is
//! immutable and replaced as a whole, so a reader that takes it once sees stable rows for as long as it
//! likes. Each row carries its *status* and *counters*, which the engine replaces in O(1) and readers load
//! without a lock. And every change of state is a *transition*, numbered in one [`Stream`] that each sink
//! (SNMP notifications, notify scripts) reads at its own pace with its own [`Cursor`].
//!
//! Nothing here does I/O and nothing waits: a reader can never delay the engine. The room may import
//! [`crate::config`]'s model and [`crate::units`]; every output reads it, and no output keeps a copy of it.

mod agent;
mod counters;
mod group;
mod history;
mod interventions;
mod ipvs_faults;
mod lag;
mod orders;
mod panics;
mod rejections;
mod reloads;
mod routing;
mod rows;
mod services;
mod sinks;
mod state;
mod stream;
mod succession;
mod topology;
mod trackers;
mod transition;

#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    agent::{Agent, AgentState, AgentStatus},
    counters::{Counter, Counters},
    group::{GroupRow, GroupStatus},
    history::Mastered,
    interventions::{Instruction, Instructions, Intervention, Lasting, Operator, Standing, Whom},
    ipvs_faults::IpvsFaults,
    lag::{Lag, Lateness},
    orders::{NotDone, Ordered, Orders, Setting, Switch, Weights},
    panics::{Panic, Panics},
    rejections::{Rejection, Rejections},
    reloads::{NotReloaded, ReloadOrder, Reloads},
    routing::{RouteRow, RoutingStatus, RuleRow, StaticRows},
    rows::{
        AddressRow, AddressStatus, Contest, InstanceRow, InstanceStatus, Lineage, Peer, ScriptResult,
        ScriptRow, ScriptStatus, SignatureStatus,
    },
    services::{
        CheckCount, CheckStatus, Rate, RealServerRow, RealServerStatus, Traffic, VirtualServerRow,
        VirtualServerStatus,
    },
    sinks::{DbusConfig, FifoConfig, FifoScope, MailConfig, SinkConfig, SinkRow},
    state::State,
    stream::{Cursor, Numbered, Stream},
    topology::Topology,
    trackers::{
        FileRow, FileStatus, Followed, InterfaceRow, InterfaceStatus, LinkState, ProcessRow, ProcessStatus,
        SessionRow, SessionState, SessionStatus,
    },
    transition::{Change, ContestEnd, Reason, Subject, Transition},
};

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Notify;

/// Everything the daemon knows, shared by the engine, which writes, and the outputs, which read.
#[derive(Debug)]
pub struct Registry {
    topology: ArcSwap<Topology>,
    /// Every transition since the start, numbered.
    pub transitions: Stream,
    /// Packets that were refused, as far as somebody is told of them.
    pub rejections: Arc<Rejections>,
    /// How the SNMP subagent gets on with its master.
    pub agent: Arc<Agent>,
    /// What befell the table of IPVS.
    pub ipvs_faults: Arc<IpvsFaults>,
    /// How late the vrrp lane is with what is due.
    pub lag: Lag,
    /// Where threads have panicked.
    pub panics: Panics,
    /// Woken when a tracked file or a BFD session counts as something else, for whoever checks real servers by it: it looks at
    /// the rows.
    pub followed: Arc<Notify>,
    /// That no instance is to be MASTER, if an operator has said so (the engine writes it).
    pub maintenance: ArcSwapOption<Standing>,
}

impl Registry {
    /// A registry of `topology` with an empty stream.
    pub fn new(topology: Topology) -> Self {
        Self {
            topology: ArcSwap::from_pointee(topology),
            transitions: Stream::default(),
            rejections: Arc::default(),
            agent: Arc::default(),
            ipvs_faults: Arc::default(),
            lag: Lag::default(),
            panics: Panics::default(),
            followed: Arc::default(),
            maintenance: ArcSwapOption::empty(),
        }
    }

    /// Replaces the rows (the engine only): what happens from now on is about these.
    pub fn replace(&self, topology: Arc<Topology>) {
        self.topology.store(topology);
    }

    /// The rows as they are now. Take it once per request, so that a walk sees stable rows.
    pub fn topology(&self) -> Arc<Topology> {
        self.topology.load_full()
    }
}
