//! A reload, carried out: routers that are gone leave, those that stay go on, new ones begin.
//!
//! Everything that follows from the new configuration alone is made elsewhere, in a [`Succession`]. The engine puts it in
//! place at a moment when no request to the kernel is on its way, so that nothing speaks of old positions afterwards; it
//! touches only routers that something is new for.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{
    Engine, adverts::Adverts, blueprint::Blueprint, holder::Holder, router::Router, start::SETTLE_LIMIT,
    timers::Timers, unheld::Unheld,
};
use crate::{
    config::{
        plan::{Origin, Plan},
        tracking::Tracker,
    },
    daemon::host::Wanted,
    kernel::{Events, clock},
    registry::{Change, InstanceRow, Operator, Reason, State, Subject, Switch, Topology},
    units::{Priority, Time},
    vrrp::{Action, Reload},
};

/// What comes after a topology.
#[derive(Debug)]
pub(in crate::daemon) struct Succession {
    topology: Arc<Topology>,
    plan: Plan,
    blueprint: Blueprint,
    fates: Vec<Fate>,
    /// Where what is tracked is now.
    moves: HashMap<Tracker, Tracker>,
    /// What is wanted of the host, until the host lane has heard of it.
    wanted: Option<Wanted>,
    /// Who asked for it over the control socket, if anybody did.
    by: Option<Operator>,
    done: oneshot::Sender<Remains>,
}

/// What becomes of a router.
#[derive(Debug)]
enum Fate {
    /// It begins.
    New,
    /// Nothing is new for it.
    Untouched(usize),
    /// It goes on with other settings; `items` says whether it holds other addresses, routes or rules.
    Changed { before: usize, reload: Box<Reload>, items: bool },
}

/// What is left of a topology, for whoever has the time to give its memory back.
#[derive(Debug)]
pub(in crate::daemon) struct Remains {
    _routers: Vec<Router>,
    _blueprint: Box<dyn std::any::Any + Send>,
}

impl Succession {
    /// What `plan` says comes after `old`, with what is wanted of the host. The receiver hears when it is in place.
    pub(in crate::daemon) fn new(
        old: &Topology,
        topology: Arc<Topology>,
        plan: Plan,
        wanted: Wanted,
    ) -> (Self, oneshot::Receiver<Remains>) {
        let (before, blueprint) = (Blueprint::new(old), Blueprint::new(&topology));
        let moves = before.trackers.moves(&blueprint.trackers);
        let fate = |(number, origin): (usize, &Origin)| {
            let Some(place) = origin.before() else { return Fate::New };
            let (was, is) = (&before.settings[place], &blueprint.settings[number]);
            let (tracked, tracks) = (&before.tracks[place], &blueprint.tracks[number]);
            let (row, new_row) = (&old.instances[place], &topology.instances[number]);
            let items = !hold_the_same(row, new_row);
            let in_place = tracked.iter().all(|line| moves.get(&line.tracker) == Some(&line.tracker));
            let is_same = matches!(origin, Origin::Same(_));
            if is_same && was == is && tracked == tracks && in_place && !items {
                return Fate::Untouched(place);
            }
            let known = tracks.iter().map(|line| line.tracker);
            let known: Vec<Tracker> = known.collect();
            let trackers = moves.iter().filter(|(_, now)| known.contains(now));
            let reload = Reload {
                settings: is.clone(),
                same_priority: was.priority == is.priority,
                same_preempt: was.preempt == is.preempt,
                same_auth: was.auth == is.auth,
                trackers: trackers.map(|(was, now)| (*was, *now)).collect(),
                reinstall: !have_the_same_addresses(row, new_row),
            };
            Fate::Changed { before: place, reload: Box::new(reload), items }
        };
        let fates = plan.instances.origins.iter().enumerate().map(fate).collect();
        let (done, heard) = oneshot::channel();
        (Self { topology, plan, blueprint, fates, moves, wanted: Some(wanted), by: None, done }, heard)
    }

    /// The same, asked for by somebody.
    pub(in crate::daemon) fn asked_for_by(self, by: Option<Operator>) -> Self {
        Self { by, ..self }
    }
}

fn have_the_same_addresses(old: &InstanceRow, new: &InstanceRow) -> bool {
    let same = |(old, new): (&Arc<_>, &Arc<_>)| Arc::ptr_eq(old, new);
    old.addresses.len() == new.addresses.len() && old.addresses.iter().zip(&new.addresses).all(same)
}

fn hold_the_same(old: &InstanceRow, new: &InstanceRow) -> bool {
    let routes = old.config.virtual_routes == new.config.virtual_routes;
    routes && old.config.virtual_rules == new.config.virtual_rules && have_the_same_addresses(old, new)
}

impl Engine {
    /// A reload is to be carried out, at the next quiet moment. Nobody asks for another one before.
    pub(super) fn succeed(&mut self, succession: Box<Succession>) {
        self.succession = Some(succession);
    }

    /// Carries a reload out, if one waits and no request is on its way.
    pub(super) fn go_on_reloading(&mut self) {
        if self.succession.is_none() || !self.has_started() || self.stop_by.is_some() {
            return;
        }
        self.take_pending_events();
        let wanted = self.succession.as_mut().and_then(|succession| succession.wanted.take());
        if let Some(wanted) = wanted {
            self.links.follow(wanted, &self.interfaces);
            self.settle_by = None;
        }
        let has_looked = self.listing.is_none() && self.list_at.is_none() && self.deferred.is_empty();
        if !has_looked || !self.work.is_idle() || self.links.is_waiting() {
            return;
        }
        if !self.links.is_fresh_settled(&self.interfaces) {
            let now = clock::now();
            if now < *self.settle_by.get_or_insert(now + SETTLE_LIMIT) {
                return;
            }
        }
        self.settle_by = None;
        if let Some(succession) = self.succession.take() {
            self.advertise();
            self.reload(*succession, clock::now());
        }
    }

    fn reload(&mut self, succession: Succession, now: Time) {
        let Succession { topology, plan, mut blueprint, fates, moves, by, done, .. } = succession;
        for gone in &plan.instances.gone {
            self.leave(*gone, now);
        }
        self.flush();
        let mut routers: Vec<Option<Router>> =
            std::mem::take(&mut self.routers).into_iter().map(Some).collect();
        let unheld = self.unhold(&mut routers, &plan, &fates);
        let touched: Vec<bool> = fates.iter().map(|fate| !matches!(fate, Fate::Untouched(_))).collect();
        let reloads = self.seat(&mut routers, fates, &topology, (&mut blueprint, unheld));
        let refusing = routers.iter().flatten().filter(|router| router.refusing).map(|router| router.serial);
        self.departing.refusing.extend(refusing);
        let new_links = blueprint.trackers.take_over(std::mem::take(&mut self.trackers), &moves);
        let remains = self.put_in_place(blueprint, &plan, &topology);
        self.is_forming_groups = true;
        self.watch_routing();
        self.reconcile(Holder::Departing, now);
        self.look_at_new_links(&new_links, now);
        for (number, reload) in reloads.into_iter().enumerate().filter(|(number, _)| touched[*number]) {
            self.go_on(number, reload, now);
            self.advertise_amid(number);
        }
        self.form_groups(&plan, now);
        for number in (0..touched.len()).filter(|number| touched[*number]) {
            self.settle_group(number, now);
        }
        for (number, origin) in plan.instances.origins.iter().enumerate() {
            if *origin == Origin::Added {
                self.begin(number, now);
                self.advertise_amid(number);
            }
        }
        self.statics.holdings.want(true);
        self.reconcile(Holder::Static, now);
        self.look_at_statics(now);
        self.flush();
        self.links.let_go();
        self.tell_of_reload(&plan, by, now);
        // Whoever has given up waiting lets everything go in its own time.
        let _ = done.send(Remains { _routers: routers.into_iter().flatten().collect(), _blueprint: remains });
    }

    /// Has a router leave that is no longer configured. What it holds goes with everything else that has to.
    fn leave(&mut self, number: usize, now: Time) {
        self.announcements.cancel(number);
        let notice = self.routers[number].row.is_on(Switch::NotifyDeleted);
        let to = if notice { State::Deleted } else { State::Fault };
        self.routers[number].machine.handle_removal(now, to);
        while let Some(action) = self.routers[number].machine.poll_action() {
            match action {
                Action::Send(packets) => self.send(number, &packets),
                Action::Transition(change) => self.publish_transition(number, now, change),
                Action::Log(log) => self.write_log(&log, now),
                _ => {}
            }
        }
        self.routers[number].publish();
        self.routers[number].holdings.want(false);
    }

    /// Everything that holders hold who are gone or hold other things from now on.
    fn unhold(&mut self, routers: &mut [Option<Router>], plan: &Plan, fates: &[Fate]) -> Unheld {
        let mut unheld = Unheld::default();
        let changed = fates.iter().filter_map(|fate| match fate {
            Fate::Changed { before, items: true, .. } => Some(*before),
            _ => None,
        });
        for number in plan.instances.gone.iter().copied().chain(changed) {
            if let Some(router) = &mut routers[number] {
                let rows = &router.row.addresses;
                unheld.take(Holder::Router(number), &mut router.holdings, rows, &self.routing);
            }
        }
        let Self { statics, departing, routing, .. } = self;
        unheld.take(Holder::Static, &mut statics.holdings, &statics.rows, routing);
        unheld.take(Holder::Departing, &mut departing.holdings, &departing.rows, routing);
        unheld
    }

    /// Gives every router its place. Returns what a reload has for each.
    fn seat(
        &mut self,
        routers: &mut [Option<Router>],
        fates: Vec<Fate>,
        topology: &Topology,
        (blueprint, mut unheld): (&mut Blueprint, Unheld),
    ) -> Vec<Option<Box<Reload>>> {
        let before = &self.routing;
        let mut repairs = Timers::new(topology.instances.len());
        let mut kept = HashMap::new();
        let mut reloads = Vec::with_capacity(fates.len());
        for (number, fate) in fates.into_iter().enumerate() {
            let row = &topology.instances[number];
            let tracks = std::mem::take(&mut blueprint.tracks[number]);
            let (place, reload, items) = match fate {
                Fate::New => (None, None, true),
                Fate::Untouched(place) => (Some(place), None, false),
                Fate::Changed { before, reload, items } => (Some(before), Some(reload), items),
            };
            let known = place.and_then(|place| Some((place, routers[place].take()?)));
            let is_known = known.is_some();
            let mut router = match known {
                Some((place, mut router)) => {
                    repairs.set(number, self.repairs.get(place));
                    kept.insert(place, (number, items));
                    router.row = Arc::clone(row);
                    router.tracks = tracks.into();
                    if !items {
                        blueprint.routing.take_over(Holder::Router(number), Holder::Router(place), before);
                    }
                    router
                }
                None => {
                    self.serial += 1;
                    let settings = blueprint.settings[number].clone();
                    Router::new(self.serial - 1, row, (settings, tracks), self.recorder.as_ref())
                }
            };
            if items {
                if is_known {
                    let sizes = [row.addresses.len(), row.routes.len(), row.rules.len()];
                    router.holdings = router.holdings.refill(sizes);
                }
                let routing = (&mut blueprint.routing, before);
                unheld.give(Holder::Router(number), &mut router.holdings, &row.addresses, routing);
            }
            self.routers.push(router);
            reloads.push(reload);
        }
        let statics = &mut blueprint.statics;
        let rows = &topology.statics;
        statics.follow(&self.statics, [rows.routes.len(), rows.rules.len()]);
        let routing = (&mut blueprint.routing, before);
        unheld.give(Holder::Static, &mut statics.holdings, &statics.rows, routing);
        let departing = unheld.leave(&mut blueprint.routing, before);
        let refusing = std::mem::take(&mut self.departing.refusing);
        self.departing = super::departing::Departing { refusing, ..departing };
        self.repairs = repairs;
        self.synchroniser.move_to(|place| kept.get(&place).map(|(number, _)| *number));
        let whereto = |place: usize| kept.get(&place).copied();
        let paces = std::mem::take(&mut blueprint.paces);
        self.announcements = std::mem::take(&mut self.announcements).follow(paces, whereto);
        reloads
    }

    /// Looks things up in the new topology from now on, and shows readers that.
    fn put_in_place(
        &mut self,
        blueprint: Blueprint,
        plan: &Plan,
        topology: &Arc<Topology>,
    ) -> Box<dyn std::any::Any + Send> {
        let Blueprint {
            groups,
            places,
            virtual_addresses,
            buffers,
            routing,
            statics,
            trackers,
            signers,
            users,
            receivers,
            holders,
            senders,
            ..
        } = blueprint;
        self.interfaces.follow(virtual_addresses, buffers);
        self.trackers = trackers;
        self.signers = signers;
        let mut old_groups: Vec<_> =
            std::mem::replace(&mut self.groups, groups).into_iter().map(Some).collect();
        for (group, origin) in self.groups.iter_mut().zip(&plan.groups.origins) {
            if let Some(known) = origin.before().and_then(|before| old_groups[before].take()) {
                group.take_over(known);
            }
        }
        self.places = places;
        let remains = (
            std::mem::replace(&mut self.users, users),
            std::mem::replace(&mut self.receivers, receivers),
            std::mem::replace(&mut self.holders, holders),
            std::mem::replace(&mut self.senders, senders),
            std::mem::replace(&mut self.routing, routing),
            std::mem::replace(&mut self.statics, statics),
            self.registry.topology(),
        );
        self.outbox.forget();
        (self.adverts, self.timers) = (Adverts::new(self.routers.len()), Timers::new(self.routers.len()));
        for number in 0..self.routers.len() {
            self.set_timer(number);
        }
        self.lateness.follow(topology);
        let wants_strangers = topology.global.settings.log_unknown_vrids;
        self.strangers = wants_strangers.then(|| self.strangers.take().unwrap_or_default());
        self.registry.replace(Arc::clone(topology));
        Box::new(remains)
    }

    /// Has the kernel report the routes and rules that matter now.
    fn watch_routing(&mut self) {
        let watch = self.routing.watch();
        if watch == self.watch {
            return;
        }
        match Events::open(watch.clone(), self.event_buffer) {
            Ok(events) => {
                (self.events, self.watch) = (events, watch);
                self.list();
            }
            Err(error) => warn!("{error}: changes of new routes and rules are not seen"),
        }
    }

    /// A router goes on with other settings, or a new one has its first look around.
    fn go_on(&mut self, number: usize, reload: Option<Box<Reload>>, now: Time) {
        let goes_on = reload.is_some();
        if let Some(reload) = reload {
            self.routers[number].machine.handle_reload(now, *reload);
        }
        self.say_whether_it_has_peers(number, now);
        if !goes_on {
            self.wait_for_trackers(number, now);
        }
        self.look_at_tracked(number, now);
        self.refresh(number, now);
        if goes_on {
            self.carry_out(number, now);
            self.reconcile(Holder::Router(number), now);
        }
    }

    /// A new router begins. What stands in its way has been said.
    fn begin(&mut self, number: usize, now: Time) {
        self.adopt_leftovers(number, "removes");
        self.settle_group(number, now);
        self.keep_in_maintenance(number, now);
        self.routers[number].machine.handle_start(now);
        self.carry_out(number, now);
        self.reconcile(Holder::Router(number), now);
    }

    fn tell_of_reload(&self, plan: &Plan, by: Option<Operator>, now: Time) {
        let [added, changed, removed] = plan.counts();
        let reason = Reason::Reloaded { added, changed, removed, by };
        info!("Configuration {reason}");
        let change = Change { from: State::Init, to: State::Init, reason, priority: Priority(0) };
        self.registry.transitions.publish(now, clock::wall(), Subject::Configuration, change);
    }
}

#[cfg(test)]
mod tests;
