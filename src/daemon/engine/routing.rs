//! The virtual routes and rules of all routers, as far as the kernel reported them.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{Engine, holder::Holder, holdings::Site, interfaces::Interfaces};
use crate::{
    config::{Hop, Network},
    kernel::{Devices, Event, KernelError, PreparedRoute, PreparedRule, RouteInfo, RuleInfo, Watch},
    registry::{AddressStatus, RouteRow, RoutingStatus, RuleRow, Topology},
    units::{IfIndex, Time},
};

/// The routes and rules of every router, then the static ones, then those that a reload has removed.
#[derive(Debug, Default)]
pub(super) struct Routing {
    entries: Vec<RoutingEntry>,
    /// Where those of each router begin, then the static ones.
    first: Vec<usize>,
    /// Routes by destination.
    routes: HashMap<Network, Vec<usize>>,
    /// Rules by preference.
    rules: HashMap<u32, Vec<usize>>,
    /// Routes by the sources that the kernel has reported them with, now or at some time.
    sourced: HashMap<IpAddr, BTreeSet<usize>>,
}

/// One route or rule.
#[derive(Debug)]
pub(super) struct RoutingEntry {
    /// Whose it is.
    pub(super) holder: Holder,
    /// Its place among the routes and rules of that holder.
    pub(super) place: usize,
    /// What it is.
    pub(super) line: Line,
    held: Held,
    /// The kernel has reported it since it was last asked for.
    heard: bool,
    /// Why it said no when it was last asked for it.
    refusal: Option<String>,
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

/// What lines differ by as a rule: few of a configuration have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineKey {
    /// Destination, length of its prefix, table and metric.
    Route(IpAddr, u8, u32, u32),
    /// Preference.
    Rule(u32),
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
            routing.add(Holder::Router(router), &row.routes, &row.rules);
        }
        routing.add(Holder::Static, &topology.statics.routes, &topology.statics.rules);
        routing.add(Holder::Departing, &[], &[]);
        routing
    }

    fn add(&mut self, holder: Holder, routes: &[Arc<RouteRow>], rules: &[Arc<RuleRow>]) {
        self.first.push(self.entries.len());
        let routes = routes.iter().map(|row| Line::Route(Arc::clone(row)));
        let rules = rules.iter().map(|row| {
            let info = PreparedRule::new(&row.config).info();
            Line::Rule(Arc::clone(row), info)
        });
        for (place, line) in routes.chain(rules).enumerate() {
            self.push(RoutingEntry::new(holder, place, line));
        }
    }

    fn push(&mut self, entry: RoutingEntry) {
        let number = self.entries.len();
        match &entry.line {
            Line::Route(row) => {
                self.routes.entry(row.config.destination.trimmed()).or_default().push(number);
            }
            Line::Rule(_, info) => self.rules.entry(info.preference()).or_default().push(number),
        }
        self.entries.push(entry);
    }

    /// What is known of the routes and rules of a holder, who was another one before and held the same.
    pub(super) fn take_over(&mut self, holder: Holder, was: Holder, before: &Self) {
        for place in 0..self.of(holder).len() {
            self.know(holder, place, &before.of(was)[place]);
        }
    }

    /// What is known of one of a holder's.
    pub(super) fn know(&mut self, holder: Holder, place: usize, known: &RoutingEntry) {
        let number = self.first[self.place(holder)] + place;
        self.entries[number].know(known);
        if let Some(source) = known.source {
            self.sourced.entry(source).or_default().insert(number);
        }
    }

    /// These have to go, which were somebody's before.
    pub(super) fn depart<'a>(&mut self, entries: impl Iterator<Item = &'a RoutingEntry>) {
        for (place, known) in entries.enumerate() {
            let line = match &known.line {
                Line::Route(row) => Line::Route(Arc::clone(row)),
                Line::Rule(row, info) => Line::Rule(Arc::clone(row), info.clone()),
            };
            self.push(RoutingEntry::new(Holder::Departing, place, line));
            self.know(Holder::Departing, place, known);
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

    /// The routes and rules of a holder.
    pub(super) fn of(&self, holder: Holder) -> &[RoutingEntry] {
        let place = self.place(holder);
        let end = self.first.get(place + 1).copied().unwrap_or(self.entries.len());
        &self.entries[self.first[place]..end]
    }

    /// One of a holder.
    pub(super) fn at(&mut self, holder: Holder, place: usize) -> &mut RoutingEntry {
        let first = self.first[self.place(holder)];
        &mut self.entries[first + place]
    }

    fn place(&self, holder: Holder) -> usize {
        match holder {
            Holder::Router(number) => number,
            Holder::Static => self.first.len() - 2,
            Holder::Departing => self.first.len() - 1,
        }
    }

    /// The kernel has a route. Returns those of ours that this says something of, by holder and place.
    pub(super) fn route_added(
        &mut self,
        seen: &RouteInfo,
        replaces: bool,
        devices: &Interfaces,
    ) -> Vec<(Holder, usize)> {
        let taken = self.match_routes(seen, devices, |entry, wanted| {
            if wanted.is_met_by(seen) {
                entry.found(seen);
                true
            } else if replaces && entry.held != Held::No && wanted.takes_the_place_of(seen) {
                entry.held = Held::No;
                true
            } else {
                false
            }
        });
        if let Some(source) = seen.source {
            self.sourced.entry(source).or_default().extend(&taken);
        }
        self.named(&taken)
    }

    /// A route is gone.
    pub(super) fn route_removed(&mut self, seen: &RouteInfo, devices: &Interfaces) -> Vec<(Holder, usize)> {
        let taken = self.match_routes(seen, devices, |entry, wanted| {
            let is_this = wanted.is_met_by(seen);
            if is_this {
                entry.held = Held::No;
                entry.heard = true;
            }
            is_this
        });
        self.named(&taken)
    }

    fn match_routes(
        &mut self,
        seen: &RouteInfo,
        devices: &Interfaces,
        mut take: impl FnMut(&mut RoutingEntry, &RouteInfo) -> bool,
    ) -> Vec<usize> {
        let mut taken = Vec::new();
        for number in self.routes.get(&seen.destination).map_or(&[][..], Vec::as_slice) {
            let entry = &mut self.entries[*number];
            let Line::Route(row) = &entry.line else { continue };
            let Some(wanted) = PreparedRoute::new(&row.config, devices) else { continue };
            if take(entry, &wanted.info()) {
                taken.push(*number);
            }
        }
        taken
    }

    /// By holder and place.
    fn named(&self, numbers: &[usize]) -> Vec<(Holder, usize)> {
        numbers.iter().map(|number| (self.entries[*number].holder, self.entries[*number].place)).collect()
    }

    /// The kernel has a rule, or has it no more.
    pub(super) fn rule_reported(&mut self, seen: &RuleInfo, there: bool) -> Vec<(Holder, usize)> {
        let mut taken = Vec::new();
        for number in self.rules.get(&seen.preference()).map_or(&[][..], Vec::as_slice) {
            let entry = &mut self.entries[*number];
            if matches!(&entry.line, Line::Rule(_, wanted) if wanted == seen) {
                entry.held = if there { Held::Yes } else { Held::No };
                entry.heard = true;
                taken.push(*number);
            }
        }
        self.named(&taken)
    }

    /// An interface is down or gone: the kernel drops routes through it without a word.
    pub(super) fn doubt_through(&mut self, index: IfIndex) -> Vec<Holder> {
        let through =
            |(number, entry): (usize, &RoutingEntry)| entry.through.contains(&index).then_some(number);
        let numbers: Vec<usize> = self.entries.iter().enumerate().filter_map(through).collect();
        self.doubt(numbers)
    }

    /// An address is gone: the kernel may drop routes with it as source without a word.
    ///
    /// Addresses come and go by the thousand, so nothing is looked at but the routes that were seen with this one.
    pub(super) fn doubt_from(&mut self, source: IpAddr) -> Vec<Holder> {
        let Some(numbers) = self.sourced.remove(&source) else { return Vec::new() };
        let with_it = |number: &usize| self.entries[*number].source == Some(source);
        let numbers: Vec<usize> = numbers.into_iter().filter(with_it).collect();
        self.doubt(numbers)
    }

    /// What may be gone. Returns whose it is, once each: what belongs to one is together.
    fn doubt(&mut self, numbers: Vec<usize>) -> Vec<Holder> {
        let mut holders = Vec::new();
        for number in numbers {
            let entry = &mut self.entries[number];
            if entry.held == Held::Yes {
                entry.held = Held::Perhaps;
                holders.push(entry.holder);
            }
        }
        holders.dedup();
        holders
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

impl Line {
    /// Where to look for one that says the same.
    pub(super) fn key(&self) -> LineKey {
        match self {
            Self::Route(row) => {
                let Network { address, prefix } = row.config.destination;
                LineKey::Route(address, prefix, row.config.table, row.config.metric)
            }
            Self::Rule(row, _) => LineKey::Rule(row.config.preference),
        }
    }

    /// Whether it says the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Route(one), Self::Route(two)) => one.config == two.config,
            (Self::Rule(one, _), Self::Rule(two, _)) => one.config == two.config,
            _ => false,
        }
    }
}

impl RoutingEntry {
    fn know(&mut self, known: &Self) {
        let Self { held, heard, refusal, through, source, .. } = known;
        (self.held, self.heard, self.source) = (*held, *heard, *source);
        self.refusal.clone_from(refusal);
        self.through.clone_from(through);
    }

    fn new(holder: Holder, place: usize, line: Line) -> Self {
        Self {
            holder,
            place,
            line,
            held: Held::No,
            heard: false,
            refusal: None,
            through: Vec::new(),
            source: None,
        }
    }

    fn found(&mut self, seen: &RouteInfo) {
        self.held = Held::Yes;
        self.heard = true;
        self.refusal = None;
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
        self.refusal = None;
    }

    /// The kernel has said no to a request for it: it does not have what it does not want to have.
    fn refused(&mut self, why: String) {
        self.refusal = Some(why);
        if !self.heard {
            self.held = Held::No;
        }
    }

    /// Where it belongs; `None` while an interface that it names is missing.
    pub(super) fn site(&self, interfaces: &Interfaces) -> Option<Site> {
        let Line::Route(row) = &self.line else { return Some(Site::Host) };
        if !PreparedRoute::is_possible(&row.config, interfaces) {
            return None;
        }
        let device = row.config.hop.device.as_ref().and_then(|name| interfaces.index(name));
        Some(device.map_or(Site::Host, Site::Interface))
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
        let status = RoutingStatus { set: self.may_be_held(), refusal: self.refusal.clone(), device, hops };
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
        for (holder, place) in changed {
            self.look_at_routing_entry(holder, place, now);
            if let (true, Holder::Router(number)) = (self.has_started(), holder) {
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

    fn replan_all(&mut self, doubtful: Vec<Holder>, now: Time) {
        for holder in doubtful {
            self.replan_routing(holder, now);
        }
    }

    /// Something that routes or rules of a holder may have waited for has happened.
    pub(super) fn replan_routing(&mut self, holder: Holder, now: Time) {
        if !self.has_started() {
            return;
        }
        let (holdings, _) = holder.holdings(&mut self.routers, &mut self.statics, &mut self.departing);
        if holdings.wants_routing() {
            self.reconcile(holder, now);
        }
    }

    /// The kernel has said yes to a request. Returns whether it was about a route or rule.
    pub(super) fn routing_answered(&mut self, holder: Holder, slot: usize, there: bool) -> bool {
        let place = slot.checked_sub(self.addresses_of(holder).len());
        if let Some(place) = place {
            let entry = self.routing.at(holder, place);
            entry.answered(there);
            entry.publish(&self.interfaces);
        }
        place.is_some()
    }

    /// The kernel has refused a route or rule.
    pub(super) fn routing_refused(&mut self, holder: Holder, slot: usize, why: &KernelError) {
        if let Some(place) = slot.checked_sub(self.addresses_of(holder).len()) {
            let entry = self.routing.at(holder, place);
            entry.refused(why.to_string());
            entry.publish(&self.interfaces);
        }
    }

    /// What a holder had is not wanted any more, and so nobody asks why it is not there.
    pub(super) fn forget_refusals(&mut self, holder: Holder) {
        for row in self.addresses_of(holder) {
            let before = row.status();
            if before.refusal.is_some() {
                row.set_status(AddressStatus { refusal: None, ..before });
            }
        }
        for place in 0..self.routing.of(holder).len() {
            let entry = self.routing.at(holder, place);
            if entry.refusal.take().is_some() {
                entry.publish(&self.interfaces);
            }
        }
    }

    /// Shows readers which routes and rules of a holder are there.
    pub(super) fn look_at_routing(&mut self, holder: Holder, now: Time) {
        for place in 0..self.routing.of(holder).len() {
            self.look_at_routing_entry(holder, place, now);
        }
    }

    /// Shows readers whether a route or rule is there, and tells the machine when somebody else took it away.
    fn look_at_routing_entry(&mut self, holder: Holder, place: usize, now: Time) {
        let Self { routers, statics, departing, routing, interfaces, .. } = self;
        let (holdings, rows) = holder.holdings(routers, statics, departing);
        let entry = routing.at(holder, place);
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
        match holder {
            Holder::Router(number) => routers[number].machine.handle_routing_removed(now, words),
            Holder::Static => self.restore_static(&words, now),
            Holder::Departing => {}
        }
    }
}

#[cfg(test)]
mod tests;
