//! What trackers find out, brought to the machines of all that track it.

use std::{collections::HashMap, sync::Arc};

use tracing::info;

use super::{Engine, timers::Timers};
use crate::{
    config::tracking::{Tracked, Tracker},
    kernel,
    registry::{InterfaceRow, InterfaceStatus, LinkState, Reason, Topology},
    track::{Finding, LinkTracker, Observation, effect, session::observation},
    units::Time,
    vrrp::Fault,
};

/// Who tracks what, and how the interfaces count.
#[derive(Debug, Default)]
pub(super) struct Trackers {
    subscriptions: HashMap<Tracker, Vec<Subscription>>,
    /// Where each is, by its kind and name.
    places: HashMap<(&'static str, String), Tracker>,
    /// What each has found out last.
    seen: HashMap<Tracker, Observation>,
    links: Vec<Link>,
    link_of: HashMap<String, usize>,
    link_timers: Timers,
}

/// A router's line that tracks something.
#[derive(Clone, Debug)]
struct Subscription {
    router: usize,
    line: Tracked,
}

/// An interface that somebody uses or tracks.
#[derive(Debug)]
struct Link {
    row: Arc<InterfaceRow>,
    tracker: LinkTracker,
}

impl Trackers {
    /// Those of a topology; nothing is known of any yet.
    pub(super) fn new(topology: &Topology, tracks: &[Arc<[Tracked]>]) -> Self {
        let mut subscriptions: HashMap<_, Vec<_>> = HashMap::new();
        for (router, lines) in tracks.iter().enumerate() {
            for line in lines.iter().cloned() {
                subscriptions.entry(line.tracker).or_default().push(Subscription { router, line });
            }
        }
        let link =
            |row: &Arc<InterfaceRow>| Link { row: Arc::clone(row), tracker: LinkTracker::new(&row.config) };
        let links: Vec<Link> = topology.interfaces.iter().map(link).collect();
        let names = topology.interfaces.iter().map(|row| row.config.name.clone());
        Self {
            subscriptions,
            places: places(topology).collect(),
            seen: HashMap::new(),
            link_of: names.zip(0..).collect(),
            link_timers: Timers::new(links.len()),
            links,
        }
    }

    /// How an interface counts, after its delays; missing when nobody tracks it.
    pub(super) fn link_state(&self, name: &str) -> LinkState {
        self.link_of.get(name).map_or(LinkState::Missing, |link| self.links[*link].tracker.counted())
    }

    /// Where something is that is tracked; `None` when nobody tracks it any more. Whoever follows it knows its name for sure,
    /// and the position that it had when it was last told.
    fn place(&self, tracker: Tracker, name: &str) -> Option<Tracker> {
        self.places.get(&(tracker.kind(), name.to_owned())).copied()
    }

    /// Where everything of a topology is now that is tracked by these, too.
    pub(super) fn moves(&self, before: &Topology) -> HashMap<Tracker, Tracker> {
        let moved = |(name, before)| Some((before, *self.places.get(&name)?));
        places(before).filter_map(moved).collect()
    }

    /// Takes over what those before have found out. Returns the links that they did not know.
    pub(super) fn take_over(&mut self, mut before: Self, moves: &HashMap<Tracker, Tracker>) -> Vec<String> {
        let seen = before.seen.into_iter();
        self.seen = seen.filter_map(|(tracker, seen)| Some((*moves.get(&tracker)?, seen))).collect();
        let mut new = Vec::new();
        for (place, link) in self.links.iter_mut().enumerate() {
            let name = &link.row.config.name;
            let Some(known) = before.link_of.get(name).and_then(|link| before.links.get_mut(*link)) else {
                new.push(name.clone());
                continue;
            };
            std::mem::swap(&mut link.tracker, &mut known.tracker);
            link.tracker.handle_settings(&link.row.config);
            self.link_timers.set(place, link.tracker.poll_timeout());
        }
        new
    }

    /// When an interface's state will count.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.link_timers.next()
    }
}

impl Engine {
    /// Holds a router back until everything that it tracks without weight has been looked at.
    pub(super) fn wait_for_trackers(&mut self, number: usize, now: Time) {
        let tracks = Arc::clone(&self.routers[number].tracks);
        // Interfaces and BFD sessions are, before any router begins; of a session that nobody runs nothing ever is known.
        let known = |line: &&Tracked| matches!(line.tracker, Tracker::Interface(_) | Tracker::Session(_));
        let awaited = tracks.iter().filter(|line| !known(line));
        for line in awaited.filter(|line| line.weight == 0) {
            let machine = &mut self.routers[number].machine;
            machine.handle_fault(now, Fault::Pending(line.tracker), Some(Reason::Started));
        }
    }

    /// A tracker has found something out: all that track it are told.
    pub(super) fn handle_observation(&mut self, tracker: Tracker, seen: &Observation, now: Time) {
        self.trackers.seen.insert(tracker, seen.clone());
        for Subscription { router, line } in
            self.trackers.subscriptions.get(&tracker).cloned().unwrap_or_default()
        {
            self.affect(router, &line, seen, now);
            // What a router wants before its start is done at its start.
            if self.has_started() {
                self.carry_out(router, now);
            }
        }
    }

    /// Tells those that track BFD sessions how these begin; what happens to them later comes like all else that is tracked.
    pub(super) fn look_at_sessions(&mut self, now: Time) {
        let rows = self.registry.topology().sessions.clone();
        for (position, row) in rows.iter().enumerate() {
            if let Some(seen) = observation(&row.status()) {
                self.handle_observation(Tracker::Session(position), &seen, now);
            }
        }
    }

    /// What somebody who follows it has found out, of something that is tracked under that name.
    pub(super) fn take_observation(&mut self, tracker: Tracker, name: &str, seen: &Observation, now: Time) {
        if let Some(tracker) = self.trackers.place(tracker, name) {
            self.handle_observation(tracker, seen, now);
        }
    }

    fn affect(&mut self, router: usize, line: &Tracked, seen: &Observation, now: Time) {
        let (tracker, effect) = (line.tracker, effect(line, seen));
        let fault = effect.fault.map(|detail| Reason::Tracked { tracker, name: line.name.clone(), detail });
        let machine = &mut self.routers[router].machine;
        machine.handle_weight(now, tracker, effect.weight);
        // The fault comes before the end of waiting, or the router would leave FAULT in between.
        machine.handle_fault(now, Fault::Tracked(tracker), fault);
        machine.handle_fault(now, Fault::Pending(tracker), None);
    }

    /// Has what is known by now of everything that a router tracks count for it.
    pub(super) fn look_at_tracked(&mut self, router: usize, now: Time) {
        let tracks = Arc::clone(&self.routers[router].tracks);
        for line in tracks.iter() {
            if let Some(seen) = self.trackers.seen.get(&line.tracker).cloned() {
                self.affect(router, line, &seen, now);
            }
        }
    }

    /// Looks at interfaces that nobody looked at before.
    pub(super) fn look_at_new_links(&mut self, names: &[String], now: Time) {
        names.iter().for_each(|name| self.observe_link(name, now));
    }

    /// Looks at an interface that the kernel has reported something about. Before the start nothing counts: links of
    /// the routers' own are being made then.
    pub(super) fn look_at_link(&mut self, name: &str, now: Time) {
        if self.has_started() {
            self.observe_link(name, now);
        }
    }

    fn observe_link(&mut self, name: &str, now: Time) {
        let Some(&link) = self.trackers.link_of.get(name) else { return };
        let index = self.interfaces.named(name).map(|interface| interface.link.index);
        if self.trackers.links[link].row.set_link(index) {
            self.registry.topology().note_link_change();
        }
        let beat = self.trackers.links[link].row.beat();
        let is_up = |link: &kernel::Link| beat.map_or(link.up, |beat| beat && link.enabled);
        let state = match self.interfaces.named(name) {
            None => LinkState::Missing,
            Some(interface) if is_up(&interface.link) => LinkState::Up,
            Some(_) => LinkState::Down,
        };
        self.trackers.links[link].tracker.handle_link(now, state);
        self.follow_link(link, now);
    }

    /// Looks at every interface: at the start, and after everything was listed anew.
    pub(super) fn look_at_links(&mut self, now: Time) {
        let names: Vec<String> =
            self.trackers.links.iter().map(|link| link.row.config.name.clone()).collect();
        for name in names {
            self.observe_link(&name, now);
        }
    }

    /// Has the interfaces count whose delays are over.
    pub(super) fn run_link_timers(&mut self, now: Time) {
        while let Some(link) = self.trackers.link_timers.due(now) {
            self.trackers.links[link].tracker.handle_timeout(now);
            let name = self.trackers.links[link].row.config.name.clone();
            self.follow_link(link, now);
            self.refresh_users(&name, now);
        }
    }

    /// Shows readers how an interface counts from now on, and tells all that track it.
    fn follow_link(&mut self, link: usize, now: Time) {
        while let Some(state) = self.trackers.links[link].tracker.poll_action() {
            let row = &self.trackers.links[link].row;
            let before = row.status();
            let changes = before.changes + u32::from(before.since.is_some());
            row.set_status(InterfaceStatus { state, since: Some(now), changes });
            if self.has_started() {
                info!("Interface {} {}", row.config.name, state.words());
            }
            let finding = if state == LinkState::Up { Finding::Healthy } else { Finding::Failed };
            let seen = Observation { finding, detail: state.words().to_owned() };
            self.handle_observation(Tracker::Interface(link), &seen, now);
        }
        let due = self.trackers.links[link].tracker.poll_timeout();
        self.trackers.link_timers.set(link, due);
    }
}

/// Where everything is that can be tracked.
fn places(topology: &Topology) -> impl Iterator<Item = ((&'static str, String), Tracker)> {
    let names = |tracker: fn(usize) -> Tracker, names: Vec<&String>| {
        let names = names.into_iter().cloned().enumerate();
        names.map(move |(place, name)| ((tracker(place).kind(), name), tracker(place))).collect::<Vec<_>>()
    };
    let Topology { interfaces, scripts, files, processes, sessions, .. } = topology;
    [
        names(Tracker::Interface, interfaces.iter().map(|row| &row.config.name).collect()),
        names(Tracker::Script, scripts.iter().map(|row| &row.config.name).collect()),
        names(Tracker::File, files.iter().map(|row| &row.config.name).collect()),
        names(Tracker::Process, processes.iter().map(|row| &row.config.name).collect()),
        names(Tracker::Session, sessions.iter().map(|row| &row.config.name).collect()),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
