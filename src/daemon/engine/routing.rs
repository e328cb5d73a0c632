//! The virtual routes and rules of all routers, as far as the kernel reported them.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{Engine, interfaces::Interfaces, statics::holder};
use crate::{
    config::{Hop, Network},
    kernel::{Devices, Event, PreparedRoute, PreparedRule, RouteInfo, RuleInfo, Watch},
    registry::{RouteRow, RoutingStatus, RuleRow, Topology},
    units::{IfIndex, Time},
};

/// Where something is that is on no interface: none has this index.
const NOWHERE: IfIndex = IfIndex(0);

/// The routes and rules of every router, and the static ones, which count as those of a router behind the last.
#[derive(Debug, Default)]
pub(super) struct Routing {
    entries: Vec<RoutingEntry>,
    /// Where those of each router begin.
    first: Vec<usize>,
    /// Routes by destination.
    routes: HashMap<Network, Vec<usize>>,
    /// Rules by preference.
    rules: HashMap<u32, Vec<usize>>,
}

/// One route or rule.
#[derive(Debug)]
pub(super) struct RoutingEntry {
    /// Whose it is.
    pub(super) router: usize,
    /// Its place among the routes and rules of that router.
    pub(super) place: usize,
    /// What it is.
    pub(super) line: Line,
    held: Held,
    /// The kernel has reported it since it was last asked for.
    heard: bool,
    /// Where it leads through, and its source address, as the kernel reported them.
    through: Vec<IfIndex>,
    source: Option<IpAddr>,
}

/// A line of the configuration.
#[derive(Debug)]
pub(super) enum Line {
    /// A route.
    Route(Arc<RouteRow>),
    /// A rule, and how the kernel reports it.
    Rule(Arc<RuleRow>, RuleInfo),
}

/// Whether the kernel has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    /// It was reported, and not taken back.
    Yes,
    /// Something happened that may have removed it: the kernel does not report every route that it drops.
    Perhaps,
    #[default]
    No,
}

impl Routing {
    /// The routes and rules of a topology.
    pub(super) fn new(topology: &Topology) -> Self {
        let mut routing = Self::default();
        for (router, row) in topology.instances.iter().enumerate() {
            routing.add(router, &row.routes, &row.rules);
        }
        routing.add(topology.instances.len(), &topology.statics.routes, &topology.statics.rules);
        routing
    }

    fn add(&mut self, router: usize, routes: &[Arc<RouteRow>], rules: &[Arc<RuleRow>]) {
        self.first.push(self.entries.len());
        let routes = routes.iter().map(|row| Line::Route(Arc::clone(row)));
        let rules = rules.iter().map(|row| {
            let info = PreparedRule::new(&row.config).info();
            Line::Rule(Arc::clone(row), info)
        });
        for (place, line) in routes.chain(rules).enumerate() {
            let number = self.entries.len();
            match &line {
                Line::Route(row) => {
                    self.routes.entry(row.config.destination.trimmed()).or_default().push(number);
                }
                Line::Rule(_, info) => self.rules.entry(info.preference()).or_default().push(number),
            }
            self.entries.push(RoutingEntry::new(router, place, line));
        }
    }

    /// What has to be heard of.
    pub(super) fn watch(&self) -> Watch {
        let protocol = |entry: &RoutingEntry| match &entry.line {
            Line::Route(row) => Some(row.config.protocol),
            Line::Rule(..) => None,
        };
        let mut protocols: Vec<u8> = self.entries.iter().filter_map(protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        Watch { protocols, rules: !self.rules.is_empty() }
    }

    /// The routes and rules of a router.
    pub(super) fn of(&self, router: usize) -> &[RoutingEntry] {
        let end = self.first.get(router + 1).copied().unwrap_or(self.entries.len());
        &self.entries[self.first[router]..end]
    }

    /// One of a router.
    pub(super) fn at(&mut self, router: usize, place: usize) -> &mut RoutingEntry {
        &mut self.entries[self.first[router] + place]
    }

    /// The kernel has a route. Returns those of ours that this says something of, as router and place.
    pub(super) fn route_added(
        &mut self,
        seen: &RouteInfo,
        replaces: bool,
        devices: &Interfaces,
    ) -> Vec<(usize, usize)> {
        self.match_routes(seen, devices, |entry, wanted| {
            if wanted.is_met_by(seen) {
                entry.found(seen);
                true
            } else if replaces && entry.held != Held::No && wanted.takes_the_place_of(seen) {
                entry.held = Held::No;
                true
            } else {
                false
            }
        })
    }

    /// A route is gone.
    pub(super) fn route_removed(&mut self, seen: &RouteInfo, devices: &Interfaces) -> Vec<(usize, usize)> {
        self.match_routes(seen, devices, |entry, wanted| {
            let is_this = wanted.is_met_by(seen);
            if is_this {
                entry.held = Held::No;
                entry.heard = true;
            }
            is_this
        })
    }

    fn match_routes(
        &mut self,
        seen: &RouteInfo,
        devices: &Interfaces,
        mut take: impl FnMut(&mut RoutingEntry, &RouteInfo) -> bool,
    ) -> Vec<(usize, usize)> {
        let mut taken = Vec::new();
        for number in self.routes.get(&seen.destination).map_or(&[][..], Vec::as_slice) {
            let entry = &mut self.entries[*number];
            let Line::Route(row) = &entry.line else { continue };
            let Some(wanted) = PreparedRoute::new(&row.config, devices) else { continue };
            if take(entry, &wanted.info()) {
                taken.push((entry.router, entry.place));
            }
        }
        taken
    }

    /// The kernel has a rule, or has it no more.
    pub(super) fn rule_reported(&mut self, seen: &RuleInfo, there: bool) -> Vec<(usize, usize)> {
        let mut taken = Vec::new();
        for number in self.rules.get(&seen.preference()).map_or(&[][..], Vec::as_slice) {
            let entry = &mut self.entries[*number];
            if matches!(&entry.line, Line::Rule(_, wanted) if wanted == seen) {
                entry.held = if there { Held::Yes } else { Held::No };
                entry.heard = true;
                taken.push((entry.router, entry.place));
            }
        }
        taken
    }

    /// An interface is down or gone: the kernel drops routes through it without a word.
    pub(super) fn doubt_through(&mut self, index: IfIndex) -> Vec<(usize, usize)> {
        self.doubt(|entry| entry.through.contains(&index))
    }

    /// An address is gone: the kernel may drop routes with it as source without a word.
    pub(super) fn doubt_from(&mut self, source: IpAddr) -> Vec<(usize, usize)> {
        self.doubt(|entry| entry.source == Some(source))
    }

    fn doubt(&mut self, of: impl Fn(&RoutingEntry) -> bool) -> Vec<(usize, usize)> {
        let doubtful = self.entries.iter_mut().filter(|entry| entry.held == Held::Yes && of(entry));
        let doubt = |entry: &mut RoutingEntry| {
            entry.held = Held::Perhaps;
            (entry.router, entry.place)
        };
        doubtful.map(doubt).collect()
    }

    /// Takes the kernel's word for everything.
    pub(super) fn take_listing(&mut self, routes: &[RouteInfo], rules: &[RuleInfo], devices: &Interfaces) {
        for entry in &mut self.entries {
            entry.held = Held::No;
        }
        for route in routes {
            self.route_added(route, false, devices);
        }
        for rule in rules {
            self.rule_reported(rule, true);
        }
    }
}

impl RoutingEntry {
    fn new(router: usize, place: usize, line: Line) -> Self {
        Self { router, place, line, held: Held::No, heard: false, through: Vec::new(), source: None }
    }

    fn found(&mut self, seen: &RouteInfo) {
        self.held = Held::Yes;
        self.heard = true;
        self.through.clone_from(&seen.through);
        self.source = seen.source;
    }

    /// Whether the kernel has it, as far as is known.
    pub(super) fn is_held(&self) -> bool {
        self.held == Held::Yes
    }

    /// Whether the kernel could have it.
    pub(super) fn may_be_held(&self) -> bool {
        self.held != Held::No
    }

    /// The kernel is asked for it, or to remove it.
    pub(super) fn asked(&mut self) {
        self.heard = false;
    }

    /// The kernel has said yes. It reports a change before it answers; what it has not reported was no change.
    pub(super) fn answered(&mut self, there: bool) {
        if !self.heard {
            self.held = if there { Held::Yes } else { Held::No };
        }
    }

    /// The interface that it names; `None` when that, or anything else that it names, is missing.
    pub(super) fn device(&self, interfaces: &Interfaces) -> Option<IfIndex> {
        match &self.line {
            Line::Route(row) => {
                PreparedRoute::new(&row.config, interfaces)?;
                Some(
                    row.config.hop.device.as_ref().and_then(|name| interfaces.index(name)).unwrap_or(NOWHERE),
                )
            }
            Line::Rule(..) => Some(NOWHERE),
        }
    }

    /// The interfaces that it names.
    pub(super) fn devices(&self) -> impl Iterator<Item = &str> {
        let (route, rule) = match &self.line {
            Line::Route(row) => (Some(row.config.devices()), None),
            Line::Rule(row, _) => (None, Some(row.config.devices())),
        };
        route.into_iter().flatten().chain(rule.into_iter().flatten())
    }

    /// Nobody minds its loss.
    pub(super) fn is_untracked(&self) -> bool {
        match &self.line {
            Line::Route(row) => row.config.no_track,
            Line::Rule(row, _) => row.config.no_track,
        }
    }

    /// In words, for people.
    pub(super) fn words(&self) -> String {
        match &self.line {
            Line::Route(row) => format!("route {}", row.config),
            Line::Rule(row, _) => format!("rule {}", row.config),
        }
    }

    /// Shows readers whether it is there. Returns whether it was until now.
    pub(super) fn publish(&self, interfaces: &Interfaces) -> bool {
        let index = |hop: &Hop| hop.device.as_ref().and_then(|name| interfaces.index(name));
        let (before, device, hops) = match &self.line {
            Line::Route(row) => {
                let hops = row.config.next_hops.iter().map(|next| index(&next.hop)).collect();
                (row.status(), index(&row.config.hop), hops)
            }
            Line::Rule(row, _) => (row.status(), None, Vec::new()),
        };
        let status = RoutingStatus { set: self.may_be_held(), device, hops };
        if *before != status {
            match &self.line {
                Line::Route(row) => row.set_status(status),
                Line::Rule(row, _) => row.set_status(status),
            }
        }
        before.set
    }
}

impl Engine {
    /// A route or rule came or went.
    pub(super) fn take_routing_event(&mut self, event: &Event, now: Time) {
        let Self { routing, interfaces, .. } = self;
        let changed = match event {
            Event::RouteAdded { route, replaces } => routing.route_added(route, *replaces, interfaces),
            Event::RouteRemoved(route) => routing.route_removed(route, interfaces),
            Event::RuleAdded(rule) => routing.rule_reported(rule, true),
            Event::RuleRemoved(rule) => routing.rule_reported(rule, false),
            _ => Vec::new(),
        };
        for (number, place) in changed {
            self.look_at_routing_entry(number, place, now);
            if self.started && number < self.routers.len() {
                self.carry_out(number, now);
            }
        }
    }

    /// An interface is down or gone, and routes through it may be.
    pub(super) fn doubt_routes_through(&mut self, index: IfIndex, now: Time) {
        let doubtful = self.routing.doubt_through(index);
        self.replan_all(doubtful, now);
    }

    /// An address is gone, and routes with it as their source may be.
    pub(super) fn doubt_routes_from(&mut self, source: IpAddr, now: Time) {
        let doubtful = self.routing.doubt_from(source);
        self.replan_all(doubtful, now);
    }

    fn replan_all(&mut self, doubtful: Vec<(usize, usize)>, now: Time) {
        for (number, _) in doubtful {
            self.replan_routing(number, now);
        }
    }

    /// Something that routes or rules of a router may have waited for has happened.
    pub(super) fn replan_routing(&mut self, number: usize, now: Time) {
        if self.started && self.holder(number).0.wants_routing() {
            self.reconcile(number, now);
        }
    }

    /// The kernel has said yes to a request. Returns whether it was about a route or rule.
    pub(super) fn routing_answered(&mut self, number: usize, slot: usize, there: bool) -> bool {
        let place = slot.checked_sub(self.holder(number).1.len());
        if let Some(place) = place {
            self.routing.at(number, place).answered(there);
            self.routing.at(number, place).publish(&self.interfaces);
        }
        place.is_some()
    }

    /// Shows readers which routes and rules of a router are there.
    pub(super) fn look_at_routing(&mut self, number: usize, now: Time) {
        for place in 0..self.routing.of(number).len() {
            self.look_at_routing_entry(number, place, now);
        }
    }

    /// Shows readers whether a route or rule is there, and tells the machine when somebody else took it away.
    fn look_at_routing_entry(&mut self, number: usize, place: usize, now: Time) {
        let Self { routers, statics, routing, interfaces, .. } = self;
        let (holdings, rows) = holder(routers, statics, number);
        let entry = routing.at(number, place);
        let was_set = entry.publish(interfaces);
        let slot = rows.len() + place;
        if !was_set || entry.may_be_held() || !holdings.is_foreign_loss(slot) {
            return;
        }
        if entry.is_untracked() {
            holdings.leave(slot);
            return;
        }
        let words = entry.words();
        match routers.get_mut(number) {
            Some(router) => router.machine.handle_routing_removed(now, words),
            None => self.restore_static(&words, now),
        }
    }
}
