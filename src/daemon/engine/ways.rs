//! The virtual routes and rules of all routers, as far as the kernel reported them.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{Engine, interfaces::Interfaces, statics::holder};
use crate::{
    config::{Hop, Network},
    kernel::{Devices, Event, PreparedRoute, PreparedRule, RouteInfo, RuleInfo, Watch},
    registry::{RouteRow, RuleRow, Topology, WayStatus},
    units::{IfIndex, Time},
};

/// Where something is that is on no interface: none has this index.
const NOWHERE: IfIndex = IfIndex(0);

/// The routes and rules of every router, and the static ones, which count as those of a router behind the last.
#[derive(Debug, Default)]
pub(super) struct Ways {
    ways: Vec<Way>,
    /// Where those of each router begin.
    first: Vec<usize>,
    /// Routes by destination.
    routes: HashMap<Network, Vec<usize>>,
    /// Rules by preference.
    rules: HashMap<u32, Vec<usize>>,
}

/// One route or rule.
#[derive(Debug)]
pub(super) struct Way {
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

impl Ways {
    /// The routes and rules of a topology.
    pub(super) fn new(topology: &Topology) -> Self {
        let mut ways = Self::default();
        for (router, row) in topology.instances.iter().enumerate() {
            ways.add(router, &row.routes, &row.rules);
        }
        ways.add(topology.instances.len(), &topology.statics.routes, &topology.statics.rules);
        ways
    }

    fn add(&mut self, router: usize, routes: &[Arc<RouteRow>], rules: &[Arc<RuleRow>]) {
        self.first.push(self.ways.len());
        let routes = routes.iter().map(|row| Line::Route(Arc::clone(row)));
        let rules = rules.iter().map(|row| {
            let info = PreparedRule::new(&row.config).info();
            Line::Rule(Arc::clone(row), info)
        });
        for (place, line) in routes.chain(rules).enumerate() {
            let number = self.ways.len();
            match &line {
                Line::Route(row) => {
                    self.routes.entry(row.config.destination.trimmed()).or_default().push(number);
                }
                Line::Rule(_, info) => self.rules.entry(info.preference()).or_default().push(number),
            }
            self.ways.push(Way::new(router, place, line));
        }
    }

    /// What has to be heard of.
    pub(super) fn watch(&self) -> Watch {
        let protocol = |way: &Way| match &way.line {
            Line::Route(row) => Some(row.config.protocol),
            Line::Rule(..) => None,
        };
        let mut protocols: Vec<u8> = self.ways.iter().filter_map(protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        Watch { protocols, rules: !self.rules.is_empty() }
    }

    /// The routes and rules of a router.
    pub(super) fn of(&self, router: usize) -> &[Way] {
        let end = self.first.get(router + 1).copied().unwrap_or(self.ways.len());
        &self.ways[self.first[router]..end]
    }

    /// One of a router.
    pub(super) fn at(&mut self, router: usize, place: usize) -> &mut Way {
        &mut self.ways[self.first[router] + place]
    }

    /// The kernel has a route. Returns those of ours that this says something of, as router and place.
    pub(super) fn route_added(
        &mut self,
        seen: &RouteInfo,
        replaces: bool,
        devices: &Interfaces,
    ) -> Vec<(usize, usize)> {
        self.match_routes(seen, devices, |way, wanted| {
            if wanted.is_met_by(seen) {
                way.found(seen);
                true
            } else if replaces && way.held != Held::No && wanted.takes_the_place_of(seen) {
                way.held = Held::No;
                true
            } else {
                false
            }
        })
    }

    /// A route is gone.
    pub(super) fn route_removed(&mut self, seen: &RouteInfo, devices: &Interfaces) -> Vec<(usize, usize)> {
        self.match_routes(seen, devices, |way, wanted| {
            let is_this = wanted.is_met_by(seen);
            if is_this {
                way.held = Held::No;
                way.heard = true;
            }
            is_this
        })
    }

    fn match_routes(
        &mut self,
        seen: &RouteInfo,
        devices: &Interfaces,
        mut take: impl FnMut(&mut Way, &RouteInfo) -> bool,
    ) -> Vec<(usize, usize)> {
        let mut taken = Vec::new();
        for number in self.routes.get(&seen.destination).map_or(&[][..], Vec::as_slice) {
            let way = &mut self.ways[*number];
            let Line::Route(row) = &way.line else { continue };
            let Some(wanted) = PreparedRoute::new(&row.config, devices) else { continue };
            if take(way, &wanted.info()) {
                taken.push((way.router, way.place));
            }
        }
        taken
    }

    /// The kernel has a rule, or has it no more.
    pub(super) fn rule_reported(&mut self, seen: &RuleInfo, there: bool) -> Vec<(usize, usize)> {
        let mut taken = Vec::new();
        for number in self.rules.get(&seen.preference()).map_or(&[][..], Vec::as_slice) {
            let way = &mut self.ways[*number];
            if matches!(&way.line, Line::Rule(_, wanted) if wanted == seen) {
                way.held = if there { Held::Yes } else { Held::No };
                way.heard = true;
                taken.push((way.router, way.place));
            }
        }
        taken
    }

    /// An interface is down or gone: the kernel drops routes through it without a word.
    pub(super) fn doubt_through(&mut self, index: IfIndex) -> Vec<(usize, usize)> {
        self.doubt(|way| way.through.contains(&index))
    }

    /// An address is gone: the kernel may drop routes with it as source without a word.
    pub(super) fn doubt_from(&mut self, source: IpAddr) -> Vec<(usize, usize)> {
        self.doubt(|way| way.source == Some(source))
    }

    fn doubt(&mut self, of: impl Fn(&Way) -> bool) -> Vec<(usize, usize)> {
        let doubtful = self.ways.iter_mut().filter(|way| way.held == Held::Yes && of(way));
        let doubt = |way: &mut Way| {
            way.held = Held::Perhaps;
            (way.router, way.place)
        };
        doubtful.map(doubt).collect()
    }

    /// Takes the kernel's word for everything.
    pub(super) fn take_listing(&mut self, routes: &[RouteInfo], rules: &[RuleInfo], devices: &Interfaces) {
        for way in &mut self.ways {
            way.held = Held::No;
        }
        for route in routes {
            self.route_added(route, false, devices);
        }
        for rule in rules {
            self.rule_reported(rule, true);
        }
    }
}

impl Way {
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
        let status = WayStatus { set: self.may_be_held(), device, hops };
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
    pub(super) fn take_way_event(&mut self, event: &Event, now: Time) {
        let Self { ways, interfaces, .. } = self;
        let changed = match event {
            Event::RouteAdded { route, replaces } => ways.route_added(route, *replaces, interfaces),
            Event::RouteRemoved(route) => ways.route_removed(route, interfaces),
            Event::RuleAdded(rule) => ways.rule_reported(rule, true),
            Event::RuleRemoved(rule) => ways.rule_reported(rule, false),
            _ => Vec::new(),
        };
        for (number, place) in changed {
            self.look_at_way(number, place, now);
            if self.started && number < self.routers.len() {
                self.carry_out(number, now);
            }
        }
    }

    /// An interface is down or gone, and routes through it may be.
    pub(super) fn doubt_ways_through(&mut self, index: IfIndex, now: Time) {
        let doubtful = self.ways.doubt_through(index);
        self.replan_all(doubtful, now);
    }

    /// An address is gone, and routes with it as their source may be.
    pub(super) fn doubt_ways_from(&mut self, source: IpAddr, now: Time) {
        let doubtful = self.ways.doubt_from(source);
        self.replan_all(doubtful, now);
    }

    fn replan_all(&mut self, doubtful: Vec<(usize, usize)>, now: Time) {
        for (number, _) in doubtful {
            self.replan_ways(number, now);
        }
    }

    /// Something that routes or rules of a router may have waited for has happened.
    pub(super) fn replan_ways(&mut self, number: usize, now: Time) {
        if self.started && self.holder(number).0.wants_ways() {
            self.move_addresses(number, now);
        }
    }

    /// The kernel has said yes to a request. Returns whether it was about a route or rule.
    pub(super) fn way_answered(&mut self, number: usize, slot: usize, there: bool) -> bool {
        let place = slot.checked_sub(self.holder(number).1.len());
        if let Some(place) = place {
            self.ways.at(number, place).answered(there);
            self.ways.at(number, place).publish(&self.interfaces);
        }
        place.is_some()
    }

    /// Shows readers which routes and rules of a router are there.
    pub(super) fn look_at_ways(&mut self, number: usize, now: Time) {
        for place in 0..self.ways.of(number).len() {
            self.look_at_way(number, place, now);
        }
    }

    /// Shows readers whether a route or rule is there, and tells the machine when somebody else took it away.
    fn look_at_way(&mut self, number: usize, place: usize, now: Time) {
        let Self { routers, statics, ways, interfaces, .. } = self;
        let (addresses, rows) = holder(routers, statics, number);
        let way = ways.at(number, place);
        let was_set = way.publish(interfaces);
        let slot = rows.len() + place;
        if !was_set || way.may_be_held() || !addresses.is_foreign_loss(slot) {
            return;
        }
        if way.is_untracked() {
            addresses.leave(slot);
            return;
        }
        let words = way.words();
        match routers.get_mut(number) {
            Some(router) => router.machine.handle_way_removed(now, words),
            None => self.restore_static(&words, now),
        }
    }
}
