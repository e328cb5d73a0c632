//! A virtual server in the lane: its pool, its row, and what is told of it.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use tracing::info;

use crate::{
    check::{Kind, Outcome, Phases},
    config::{
        plan::{self, KeptServer},
        settings::Destination,
    },
    kernel::{
        clock,
        ipvs::{Service, ServiceKey},
    },
    pool::{Event, Found, Move, Pool, services},
    registry::{
        Change, CheckCount, CheckStatus, RealServerStatus, Reason, Registry, State, Subject, Topology,
        VirtualServerRow, VirtualServerStatus,
    },
    units::Priority,
};

/// A virtual server.
pub(super) struct Served {
    pub(super) row: Arc<VirtualServerRow>,
    pub(super) pool: Pool,
    /// Those of its services that the kernel has.
    installed: HashSet<ServiceKey>,
    /// `ha_suspend`, and its address is elsewhere: its servers are not checked.
    pub(super) is_asleep: bool,
}

/// The pool of a row.
pub(super) fn pool(topology: &Topology, row: &VirtualServerRow) -> Pool {
    Pool::new(&row.config, services_of(topology, row))
}

/// The services that a row is.
fn services_of(topology: &Topology, row: &VirtualServerRow) -> Vec<Service> {
    let group = match &row.config.heading {
        Destination::Group(name) => topology.server_groups.iter().find(|group| *group.name == **name),
        _ => None,
    };
    services(&row.config, row.family, group)
}

impl Served {
    /// That of a row, not begun.
    pub(super) fn new(topology: &Topology, row: &Arc<VirtualServerRow>) -> Self {
        Self { row: Arc::clone(row), pool: pool(topology, row), installed: HashSet::new(), is_asleep: false }
    }

    /// The address that must be here for its servers to be checked (`ha_suspend`).
    pub(super) fn watched_address(&self) -> Option<IpAddr> {
        self.row.config.address().filter(|_| self.row.config.ha_suspend)
    }

    /// Its address has come or gone; says so of each of its servers.
    pub(super) fn note_presence(&mut self, is_here: bool) {
        if self.is_asleep != is_here {
            return;
        }
        self.is_asleep = !is_here;
        let (how, names) = (if is_here { "Activating" } else { "Suspending" }, self.pool.names());
        for server in &names.servers {
            info!("{how} healthchecker for service {server} for VS {}", names.service);
        }
    }

    /// It begins.
    pub(super) fn begin(&mut self, tell_servers: bool) {
        self.pool.handle_start(tell_servers);
        self.show_all();
    }

    /// Takes up what the row tells of its servers, which another lane has shown there.
    pub(super) fn recall(&mut self) {
        for (place, row) in self.row.servers.iter().enumerate() {
            let mut added = 0_i64;
            for (check, count) in row.counts().iter().enumerate() {
                let found = if count.passes { Found::Up(count.adds) } else { Found::Down };
                self.pool.recall(place, check, (found, count.has_result));
                added = added.saturating_add(count.adds);
            }
            // What checks do not account for was a manager's order.
            if let Some(weight) = self.row.weight(place)
                && weight != i64::from(self.pool.weight(place))
            {
                self.pool.handle_weight(place, weight.saturating_sub(added));
            }
        }
    }

    /// Goes on with that.
    pub(super) fn resume(&mut self) {
        self.pool.handle_resume(self.row.status().has_quorum);
        self.show_all();
    }

    /// Tells of those of its servers that another row of it has no more. What the servers of that were before.
    pub(super) fn take_leave(
        &mut self,
        registry: &Registry,
        next: &VirtualServerRow,
    ) -> Vec<Option<KeptServer>> {
        let kept = plan::kept_servers(&self.row.config, &next.config);
        let mut leaves = vec![true; self.row.config.real_server.len()];
        kept.iter().flatten().for_each(|kept| leaves[kept.before] = false);
        self.pool.handle_leaving((0..leaves.len()).filter(|place| leaves[*place]));
        self.tell(registry, &Reason::Deleted);
        kept
    }

    /// Goes on as another row has it.
    pub(super) fn follow(
        &mut self,
        topology: &Topology,
        row: &Arc<VirtualServerRow>,
        kept: &[Option<KeptServer>],
    ) {
        let before = std::mem::replace(&mut self.row, Arc::clone(row));
        let tell_servers = *topology.global.settings.rs_init_notifies;
        let services = services_of(topology, row);
        self.pool.handle_reload((&before.config, &row.config), services, kept, tell_servers);
        self.installed.retain(|key| self.pool.keys().any(|now| now == *key));
        self.show_all();
    }

    /// The kernel has one of its services, or has it no more.
    pub(super) fn note_installed(&mut self, key: ServiceKey, is: bool) {
        if is {
            self.installed.insert(key);
        } else {
            self.installed.remove(&key);
        }
        self.show();
    }

    /// Shows readers what is true of it and its servers now.
    fn show_all(&self) {
        (0..self.row.servers.len()).for_each(|place| self.show_server(place));
        self.show();
    }

    /// Shows readers what is true of it now.
    pub(super) fn show(&self) {
        self.row.set_status(VirtualServerStatus {
            installed: !self.installed.is_empty(),
            has_quorum: self.pool.has_quorum(),
            servers_up: self.pool.servers_up(),
        });
    }

    /// Shows readers what is true of one of its servers now.
    pub(super) fn show_server(&self, place: usize) {
        let (Some(server), Some(row)) = (self.row.config.real_server.get(place), self.row.servers.get(place))
        else {
            return;
        };
        let (failed_checks, pending_checks) = self.pool.checks(place);
        let count = |check| CheckCount {
            passes: self.pool.passes(place, check),
            has_result: self.pool.has_result(place, check),
            adds: self.pool.adds(place, check),
        };
        row.set_counts((0..server.checks.len()).map(count).collect());
        let weight = i64::from(self.pool.weight(place));
        row.set_status(RealServerStatus {
            alive: self.pool.is_alive(place),
            weight: (weight != i64::from(*server.weight)).then_some(weight),
            failed_checks,
            pending_checks,
        });
    }

    /// Shows readers how a try of a check has ended: of the server at that place, the check at that.
    pub(super) fn show_check(
        &self,
        (place, check): (usize, usize),
        kind: Kind,
        outcome: &Outcome,
        phases: Option<&Phases>,
    ) {
        let Some(row) = self.row.servers.get(place) else { return };
        let (passed, note) = match outcome {
            Outcome::Passed { .. } => (Some(true), None),
            Outcome::Failed(why) => (Some(false), Some(why.clone())),
            Outcome::Untold(why) => (None, Some(why.clone())),
        };
        let phases = phases.map(|phases| [phases.connect, phases.tls, phases.first_byte, phases.body]);
        let (check_word, at, phases) = (kind.word(), Some(clock::now()), phases.unwrap_or_default());
        row.set_check(check, CheckStatus { check: check_word, passed, note, at, phases });
    }

    /// Shows readers that a check has no result yet.
    pub(super) fn show_wait(&self, (place, check): (usize, usize), kind: Kind) {
        let Some(row) = self.row.servers.get(place) else { return };
        let what = match kind {
            Kind::Bfd => "waiting for BFD sessions",
            _ => "waiting for its first result",
        };
        row.set_check(
            check,
            CheckStatus { check: kind.word(), note: Some(what.to_owned()), ..CheckStatus::default() },
        );
    }

    /// Tells everybody what has happened, in order: `reason` is that of what a server did.
    pub(super) fn tell(&mut self, registry: &Registry, reason: &Reason) {
        while let Some(event) = self.pool.poll_event() {
            info!("{}", self.pool.line(&event));
            if let Some((subject, change)) = self.transition(&event, reason) {
                registry.transitions.publish(clock::now(), clock::wall(), subject, change);
            }
        }
    }

    /// What of an event is a transition.
    fn transition(&self, event: &Event, reason: &Reason) -> Option<(Subject, Change)> {
        let names = self.pool.names();
        let service = names.service.clone();
        let (subject, moved, reason) = match event {
            Event::Server { place, change, .. } => {
                let name = names.servers.get(*place)?.clone();
                let place = u32::try_from(*place).ok()?;
                (
                    Subject::Server { service: self.row.index, place, name, of: service },
                    change,
                    reason.clone(),
                )
            }
            Event::Quorum { change, quorum, weight } => {
                let needed = if change.is_up() { quorum.gained_at() } else { quorum.lost_below() };
                let reason = match change {
                    Move::Stop => Reason::Shutdown,
                    Move::Gone => Reason::Deleted,
                    _ => Reason::Quorum { needed, weight: *weight },
                };
                (Subject::Service { index: self.row.index, name: service }, change, reason)
            }
            Event::Sorry { .. } | Event::Weight { .. } => return None,
        };
        let (from, to) = match moved {
            Move::Up { first: true } => (State::Init, State::Up),
            Move::Up { first: false } => (State::Down, State::Up),
            Move::Down { first: true } => (State::Init, State::Down),
            Move::Down { first: false } | Move::Stop | Move::Gone => (State::Up, State::Down),
        };
        Some((subject, Change { from, to, reason, priority: Priority(0) }))
    }

    /// A check of one of its servers has found something.
    pub(super) fn handle_check(&mut self, place: usize, check: usize, found: Found) {
        self.pool.handle_check(place, check, found);
        self.show_server(place);
        self.show();
    }
}
