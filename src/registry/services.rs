//! The rows of virtual servers and their real servers: what the configuration says, and what is true of it now.
//!
//! Whoever checks servers and programs IPVS writes here; until then a server is neither installed nor alive.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::{
    config::settings::{Destination, Endpoint, VirtualServer, server_name, service_name},
    registry::{Subject, Weights},
    units::{Family, Time},
};

/// A `virtual_server`.
#[derive(Debug)]
pub struct VirtualServerRow {
    /// Position in the configuration, from 1: virtualServerIndex.
    pub index: u32,
    /// What the configuration says.
    pub config: VirtualServer,
    /// IPv4 or IPv6, for a group and a firewall mark by their members and servers.
    pub family: Family,
    /// One row per `real_server`, in the order of the configuration.
    pub servers: Vec<Arc<RealServerRow>>,
    /// The row of `sorry_server`.
    pub sorry: Option<Arc<RealServerRow>>,
    live: Arc<Live>,
    weights: OnceLock<Arc<dyn Weights>>,
}

/// What rows share that are about the same virtual server.
#[derive(Debug, Default)]
struct Live {
    status: ArcSwap<VirtualServerStatus>,
    traffic: ArcSwapOption<Traffic>,
}

/// What is true of a virtual server right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VirtualServerStatus {
    /// Whether the kernel has the service.
    pub installed: bool,
    /// Whether the servers that are alive carry the weight that `quorum` asks for.
    pub has_quorum: bool,
    /// How many of its real servers are alive.
    pub servers_up: u32,
}

/// A `real_server` or `sorry_server`; what the configuration says of it is in the row of its service.
#[derive(Debug, Default)]
pub struct RealServerRow {
    status: ArcSwap<RealServerStatus>,
    traffic: ArcSwapOption<Traffic>,
    /// One for each check of the configuration, in its order.
    checks: Vec<ArcSwapOption<CheckStatus>>,
    counts: ArcSwapOption<Vec<CheckCount>>,
}

/// What is true of a real server right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealServerStatus {
    /// Whether its checks let it serve.
    pub alive: bool,
    /// Its weight where that is another than the configuration's, as by a tracked file or an order.
    pub weight: Option<i64>,
    /// How many of its checks fail.
    pub failed_checks: u32,
    /// How many of its checks have no result yet.
    pub pending_checks: u32,
}

/// What is known of a check of a real server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckStatus {
    /// The keyword of the check; empty as long as nobody runs it.
    pub check: &'static str,
    /// Whether its last try was well; nothing before there was a result.
    pub passed: Option<bool>,
    /// What it waits for, or what was wrong when something last was.
    pub note: Option<String>,
    /// When its last try ended.
    pub at: Option<Time>,
    /// How long the phases of that took: a connection, the handshake of TLS, the first byte of an answer, the rest of it.
    pub phases: [Option<Duration>; 4],
}

/// What a check counts as for its server: while a failure is tried again, still what it did before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckCount {
    /// Whether it lets the server serve.
    pub passes: bool,
    /// Whether that was ever found, not only supposed.
    pub has_result: bool,
    /// What it adds to the weight.
    pub adds: i64,
}

/// What IPVS has counted, as of the last look at the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections scheduled since the service or server was installed.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients, where they pass here.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients, where they pass here.
    pub bytes_out: u64,
    /// The same per second, by the kernel's estimate.
    pub rate: Rate,
    /// Connections of a server that are established.
    pub active: u32,
    /// Connections of a server that are not.
    pub inactive: u32,
    /// Templates that keep clients at a server.
    pub persistent: u32,
}

/// Estimates of IPVS, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Connections.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
}

impl VirtualServerRow {
    /// The row of `config` at `index` (from 1), not installed; `groups` are the families of `virtual_server_group`s.
    pub fn new(index: u32, config: VirtualServer, groups: &HashMap<String, Family>) -> Self {
        let servers = config
            .real_server
            .iter()
            .map(|server| Arc::new(RealServerRow::new(server.checks.len())))
            .collect();
        let sorry = config.sorry_server.map(|_| Arc::default());
        let family = family(&config, groups);
        Self { index, config, family, servers, sorry, live: Arc::default(), weights: OnceLock::new() }
    }

    /// The row of the same virtual server as `next` has it: a real server with the same address and port is the same.
    pub(super) fn succeed(&self, next: &Self) -> Self {
        let known: HashMap<Endpoint, &Arc<RealServerRow>> =
            self.config.real_server.iter().map(|server| server.heading).zip(&self.servers).collect();
        let servers = next.config.real_server.iter().zip(&next.servers);
        let servers = servers.map(|(server, new)| match known.get(&server.heading) {
            Some(known) => RealServerRow::succeed(known, new),
            None => Arc::clone(new),
        });
        let same_sorry = next.config.sorry_server == self.config.sorry_server;
        Self {
            index: next.index,
            config: next.config.clone(),
            family: next.family,
            servers: servers.collect(),
            sorry: if same_sorry { self.sorry.clone() } else { next.sorry.clone() },
            live: Arc::clone(&self.live),
            weights: self.weights.clone(),
        }
    }

    /// Which virtual server it is about: of all rows that there are at a time, those have the same that reloads have made
    /// one of another.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.live).addr()
    }

    /// Whether it is the row of what a transition is about, or of its virtual server; then the place of the real server.
    pub(super) fn is_about(&self, subject: &Subject) -> Option<Option<usize>> {
        match subject {
            Subject::Service { name, .. } => (service_name(&self.config) == *name).then_some(None),
            Subject::Server { place, name, of, .. } if service_name(&self.config) == *of => {
                let is_it = |place: &usize| {
                    let server = self.config.real_server.get(*place);
                    server.is_some_and(|server| server_name(&self.config, server) == *name)
                };
                let place = *place as usize;
                let found = Some(place).filter(is_it).or_else(|| (0..self.servers.len()).find(is_it));
                found.map(Some)
            }
            _ => None,
        }
    }

    /// What is true now.
    pub fn status(&self) -> VirtualServerStatus {
        **self.live.status.load()
    }

    /// Replaces what is true now (whoever runs the checks).
    pub fn set_status(&self, status: VirtualServerStatus) {
        self.live.status.store(Arc::new(status));
    }

    /// The weight of the real server at `place`, as it is now.
    pub fn weight(&self, place: usize) -> Option<i64> {
        let configured = i64::from(*self.config.real_server.get(place)?.weight);
        Some(self.servers.get(place)?.status().weight.unwrap_or(configured))
    }

    /// From now on orders for its servers are taken.
    pub fn take_weights(&self, weights: Arc<dyn Weights>) {
        // Whoever takes them already goes on doing so.
        let _ = self.weights.set(weights);
    }

    /// Who takes orders for its servers; `None` when nobody may give any, and while nobody drives them.
    pub fn weights(&self) -> Option<&dyn Weights> {
        self.weights.get().map(|weights| &**weights)
    }

    /// What was counted at the last look at the kernel.
    pub fn traffic(&self) -> Traffic {
        self.live.traffic.load().as_deref().copied().unwrap_or_default()
    }

    /// Replaces what was counted (whoever looks at the kernel).
    pub fn set_traffic(&self, traffic: Traffic) {
        self.live.traffic.store(Some(Arc::new(traffic)));
    }
}

impl RealServerRow {
    /// One with so many checks.
    fn new(checks: usize) -> Self {
        Self { checks: (0..checks).map(|_| ArcSwapOption::empty()).collect(), ..Self::default() }
    }

    /// The row of the same real server as `next` has it: the same one unless there is another number of checks.
    fn succeed(this: &Arc<Self>, next: &Arc<Self>) -> Arc<Self> {
        if this.checks.len() == next.checks.len() {
            return Arc::clone(this);
        }
        next.set_status(this.status());
        next.set_traffic(this.traffic());
        Arc::clone(next)
    }

    /// What is known of its checks, in the order of the configuration.
    pub fn checks(&self) -> impl Iterator<Item = Arc<CheckStatus>> {
        self.checks.iter().filter_map(|check| check.load_full())
    }

    /// Replaces what is known of a check (whoever runs it).
    pub fn set_check(&self, check: usize, status: CheckStatus) {
        if let Some(place) = self.checks.get(check) {
            place.store(Some(Arc::new(status)));
        }
    }

    /// What its checks count as, in the order of the configuration; nothing before anybody runs them.
    pub fn counts(&self) -> Arc<Vec<CheckCount>> {
        self.counts.load_full().unwrap_or_default()
    }

    /// Replaces what its checks count as (whoever runs them).
    pub fn set_counts(&self, counts: Vec<CheckCount>) {
        self.counts.store(Some(Arc::new(counts)));
    }

    /// What is true now.
    pub fn status(&self) -> RealServerStatus {
        **self.status.load()
    }

    /// Replaces what is true now (whoever runs the checks).
    pub fn set_status(&self, status: RealServerStatus) {
        self.status.store(Arc::new(status));
    }

    /// What was counted at the last look at the kernel.
    pub fn traffic(&self) -> Traffic {
        self.traffic.load().as_deref().copied().unwrap_or_default()
    }

    /// Replaces what was counted (whoever looks at the kernel).
    pub fn set_traffic(&self, traffic: Traffic) {
        self.traffic.store(Some(Arc::new(traffic)));
    }
}

/// By the address, the members of the group, `ip_family` or the servers, in this order; else IPv4.
fn family(config: &VirtualServer, groups: &HashMap<String, Family>) -> Family {
    let named = match &config.heading {
        Destination::Address(endpoint) => Some(Family::of(endpoint.address)),
        Destination::Group(name) => groups.get(&**name).copied(),
        Destination::Mark(_) => None,
    };
    let written = config.ip_family.map(|word| if word == "inet6" { Family::V6 } else { Family::V4 });
    let of_server = || config.real_server.first().map(|server| Family::of(server.heading.address));
    named.or(written).or_else(of_server).unwrap_or(Family::V4)
}
