//! A virtual server as a machine.

use std::{collections::VecDeque, net::SocketAddr, num::NonZeroU16};

use super::{Entry, Event, Move, Quorum, event::Line, member::Member};
use crate::{
    config::settings::{self, Checksum, Names, TunnelKind, VirtualServer},
    kernel::ipvs::{Destination, DestinationKey, Encapsulation, Forwarding, Service, ServiceKey},
};

/// The weight of a sorry server that serves.
const SORRY_WEIGHT: u32 = 1;

/// A pool of real servers behind one virtual server.
///
/// Getters; `handle_*` take what has happened; `poll_event` gives what follows, in order.
#[derive(Debug)]
pub struct Pool {
    pub(super) names: Names,
    pub(super) services: Vec<Service>,
    pub(super) members: Vec<Member>,
    pub(super) sorry: Option<Sorry>,
    pub(super) quorum: Quorum,
    pub(super) has_quorum: bool,
    started: bool,
    pub(super) stopped: bool,
    pub(super) events: VecDeque<Event>,
}

/// What a check has found of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It may serve, and the check adds so much to its weight.
    Up(i64),
    /// It may not serve.
    Down,
}

impl Found {
    /// Whether it keeps the server from serving, and what it adds to the weight.
    const fn counts(self) -> (bool, i64) {
        match self {
            Self::Up(adds) => (false, adds),
            Self::Down => (true, 0),
        }
    }
}

/// The server that stands in for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sorry {
    endpoint: settings::Endpoint,
    method: settings::Forwarding,
    inhibit: bool,
}

impl Sorry {
    pub(super) fn new(config: &VirtualServer) -> Option<Self> {
        config.sorry_server.map(|endpoint| Self {
            endpoint,
            method: *config.sorry_server_lvs_method,
            inhibit: config.sorry_server_inhibit,
        })
    }

    fn destination_key(&self, port: u16) -> DestinationKey {
        SocketAddr::new(self.endpoint.address, self.method.port(self.endpoint.port, port))
    }
}

impl Pool {
    /// A pool that has not begun; it is to be these services of IPVS.
    pub fn new(config: &VirtualServer, services: Vec<Service>) -> Self {
        Self {
            names: Names::new(config),
            services,
            members: config.real_server.iter().map(Member::new).collect(),
            sorry: Sorry::new(config),
            quorum: Quorum::new(config),
            has_quorum: false,
            started: false,
            stopped: false,
            events: VecDeque::new(),
        }
    }

    /// What it and its servers are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The keys of its services.
    pub fn keys(&self) -> impl Iterator<Item = ServiceKey> {
        self.services.iter().map(|service| service.key)
    }

    /// Whether the servers that are alive carry the weight that is asked for.
    pub fn has_quorum(&self) -> bool {
        self.has_quorum
    }

    /// How many real servers are alive.
    pub fn servers_up(&self) -> u32 {
        let alive = self.members.iter().filter(|member| member.is_alive()).count();
        u32::try_from(alive).unwrap_or(u32::MAX)
    }

    /// Whether the real server at that place is alive.
    pub fn is_alive(&self, place: usize) -> bool {
        self.members.get(place).is_some_and(Member::is_alive)
    }

    /// The weight of the real server at that place, with what checks add.
    pub fn weight(&self, place: usize) -> u32 {
        self.members.get(place).map_or(0, Member::effective_weight)
    }

    /// How many checks of the real server at that place fail, and how many have had no result.
    pub fn checks(&self, place: usize) -> (u32, u32) {
        self.members.get(place).map_or((0, 0), Member::checks)
    }

    /// What a check of the real server at that place adds to its weight.
    pub fn adds(&self, place: usize, check: usize) -> i64 {
        self.members.get(place).map_or(0, |member| member.adds(check))
    }

    /// Whether a check of the real server at that place lets it serve.
    pub fn passes(&self, place: usize, check: usize) -> bool {
        self.members.get(place).is_none_or(|member| member.passes(check))
    }

    /// Whether a check of the real server at that place has had a result.
    pub fn has_result(&self, place: usize, check: usize) -> bool {
        self.members.get(place).is_none_or(|member| member.has_result(check))
    }

    /// Which destination of which service is the real server at which place; the sorry server is behind the others.
    pub fn places(&self) -> impl Iterator<Item = ((ServiceKey, DestinationKey), usize)> {
        self.keys().flat_map(|key| {
            let port = port_of(&key);
            let sorry = self.sorry.iter().map(move |sorry| sorry.destination_key(port));
            let all = self.members.iter().map(move |member| member.destination_key(port)).chain(sorry);
            // Where one is both, the real server counts.
            all.enumerate()
                .map(move |(place, destination)| ((key, destination), place))
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
        })
    }

    /// Begins, with what is known of the servers by now; with `tell_servers` (`rs_init_notifies`) those that are up are
    /// told of.
    pub fn handle_start(&mut self, tell_servers: bool) {
        self.started = true;
        for (place, member) in self.members.iter_mut().enumerate() {
            if !member.is_alive() {
                // One that is down by a file from the start is not told of, nor one that nothing is known of.
                member.told = member.told.and(Some(false));
            } else if tell_servers {
                let change = Move::Up { first: true };
                self.events.push_back(Event::Server { place, change, inhibited: member.inhibit });
            }
        }
        let weight = self.alive_weight();
        self.has_quorum = self.quorum.holds(false, weight);
        let quorum = self.quorum;
        if self.has_quorum {
            self.events.push_back(Event::Quorum { change: Move::Up { first: true }, quorum, weight });
        } else if self.sorry.is_some() {
            self.events.push_back(Event::Quorum { change: Move::Down { first: true }, quorum, weight });
            self.tell_of_sorry(true);
        }
    }

    /// Takes up what another pool of the same servers knew of a check, before it begins.
    pub fn recall(&mut self, place: usize, check: usize, (found, has_result): (Found, bool)) {
        if let Some(member) = self.members.get_mut(place) {
            let (failed, adds) = found.counts();
            member.recall(check, (failed, has_result, adds));
        }
    }

    /// Goes on where another pool of the same servers was, with what is known of them by now: nobody is told again what they
    /// know. `held` is whether there was a quorum.
    pub fn handle_resume(&mut self, held: bool) {
        self.started = true;
        for member in &mut self.members {
            let (_, pending) = member.checks();
            let alive = member.is_alive();
            member.told = (alive || pending == 0 || member.told.is_some()).then_some(alive);
        }
        self.has_quorum = held;
        self.look_at_quorum();
    }

    /// A check of the real server at that place has found something.
    pub fn handle_check(&mut self, place: usize, check: usize, found: Found) {
        let Some(member) = self.members.get_mut(place) else { return };
        let (alive_before, weight_before) = (member.is_alive(), member.effective_weight());
        let (failed, adds) = found.counts();
        member.recall(check, (failed, true, adds));
        if !self.started || self.stopped {
            return;
        }
        let (alive, weight) = (member.is_alive(), member.effective_weight());
        if weight != weight_before {
            self.events.push_back(Event::Weight {
                place,
                from: weight_before,
                to: weight,
                alive: alive_before,
            });
        }
        if (failed || alive) && member.told != Some(alive) {
            let first = member.told.is_none();
            member.told = Some(alive);
            let change = if alive { Move::Up { first } } else { Move::Down { first } };
            self.events.push_back(Event::Server { place, change, inhibited: member.inhibit });
        }
        self.look_at_quorum();
    }

    /// The real server at that place gets another weight by order.
    pub fn handle_weight(&mut self, place: usize, weight: i64) {
        let Some(member) = self.members.get_mut(place) else { return };
        let from = member.effective_weight();
        member.weight = weight;
        let (to, alive) = (member.effective_weight(), member.is_alive());
        if from != to && self.started && !self.stopped {
            self.events.push_back(Event::Weight { place, from, to, alive });
            self.look_at_quorum();
        }
    }

    /// The end: nothing is wanted of the kernel any more.
    pub fn handle_stop(&mut self) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        for (place, member) in self.members.iter().enumerate() {
            if member.is_alive() {
                let inhibited = member.inhibit;
                self.events.push_back(Event::Server { place, change: Move::Stop, inhibited });
            }
        }
        if self.has_quorum {
            let (quorum, weight) = (self.quorum, self.alive_weight());
            self.events.push_back(Event::Quorum { change: Move::Stop, quorum, weight });
        }
    }

    /// What has happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// An event of this pool as a line of the log.
    pub fn line(&self, event: &Event) -> String {
        Line(event, &self.names).to_string()
    }

    pub(super) fn alive_weight(&self) -> i64 {
        let alive = self.members.iter().filter(|member| member.is_alive());
        alive.map(|member| i64::from(member.effective_weight())).sum()
    }

    pub(super) fn look_at_quorum(&mut self) {
        let weight = self.alive_weight();
        let holds = self.quorum.holds(self.has_quorum, weight);
        if holds == self.has_quorum || !self.started {
            return;
        }
        self.has_quorum = holds;
        let change = if holds { Move::Up { first: false } } else { Move::Down { first: false } };
        self.events.push_back(Event::Quorum { change, quorum: self.quorum, weight });
        self.tell_of_sorry(!holds);
    }

    pub(super) fn tell_of_sorry(&mut self, serves: bool) {
        if let Some(sorry) = self.sorry {
            self.events.push_back(Event::Sorry { serves, inhibited: sorry.inhibit });
        }
    }

    /// What the kernel should hold: the same for the same state, whatever came before. Empty before the start and after
    /// the end.
    pub fn wanted(&self) -> Vec<Entry> {
        if !self.started || self.stopped {
            return Vec::new();
        }
        self.services.iter().map(|service| self.entry(service)).collect()
    }

    /// What the kernel should hold of one of its services.
    pub fn wanted_of(&self, key: &ServiceKey) -> Option<Entry> {
        let service = self.services.iter().find(|service| service.key == *key)?;
        let alive = self.started && !self.stopped;
        alive.then(|| self.entry(service))
    }

    /// Servers of several ports may be one destination where the port is that of the service, and the sorry server may be one of them.
    fn entry(&self, service: &Service) -> Entry {
        Entry::new(service.clone(), self.destinations(port_of(&service.key)))
    }

    /// Those of the servers, then that of the sorry server.
    fn destinations(&self, port: u16) -> Vec<Destination> {
        let sorry_serves = self.sorry.is_some() && !self.has_quorum;
        let mut all = Vec::with_capacity(self.members.len() + 1);
        for member in &self.members {
            let serves = member.is_alive() && !sorry_serves;
            if serves || member.inhibit {
                let (upper_threshold, lower_threshold) = member.thresholds;
                all.push(Destination {
                    key: member.destination_key(port),
                    forwarding: forwarding(member.method),
                    weight: if serves { member.effective_weight() } else { 0 },
                    upper_threshold,
                    lower_threshold,
                });
            }
        }
        if let Some(sorry) = self.sorry.filter(|sorry| sorry_serves || sorry.inhibit) {
            all.push(Destination {
                key: sorry.destination_key(port),
                forwarding: forwarding(sorry.method),
                weight: if sorry_serves { SORRY_WEIGHT } else { 0 },
                upper_threshold: 0,
                lower_threshold: 0,
            });
        }
        all
    }
}

/// The port of a service; 0 of one by mark.
fn port_of(key: &ServiceKey) -> u16 {
    match key {
        ServiceKey::Socket { address, .. } => address.port(),
        ServiceKey::Mark { .. } => 0,
    }
}

fn forwarding(method: settings::Forwarding) -> Forwarding {
    let tunnel = match method {
        settings::Forwarding::Nat => return Forwarding::Masquerade,
        settings::Forwarding::Direct => return Forwarding::Route,
        settings::Forwarding::Tunnel(tunnel) => tunnel,
    };
    let checksum = match tunnel.checksum {
        Checksum::None => 0,
        Checksum::Usual => 1,
        Checksum::Remote => 2,
    };
    Forwarding::Tunnel(match tunnel.kind {
        // A port of 0 is refused where it is written.
        TunnelKind::Gue(port) => match NonZeroU16::new(port) {
            Some(port) => Encapsulation::Gue { port, checksum },
            None => Encapsulation::Ipip,
        },
        TunnelKind::Ipip => Encapsulation::Ipip,
        TunnelKind::Gre => Encapsulation::Gre { checksum },
    })
}
