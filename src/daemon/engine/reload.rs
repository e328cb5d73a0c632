//! A reload, carried out: routers that are gone leave, those that stay go on, new ones begin.
//!
//! Everything that follows from the new configuration alone is made elsewhere, in a [`Succession`]. The engine puts it in
//! place at a moment when no request to the kernel is on its way, so that nothing speaks of old positions afterwards; it
//! touches only routers that something is new for.

mod seats;
mod succession;

use std::sync::Arc;

use tracing::warn;

use self::succession::Fate;
pub(in crate::daemon) use self::succession::{Remains, Succession};
use super::{
    Engine, adverts::Adverts, blueprint::Blueprint, holder::Holder, router::Router, start::SETTLE_LIMIT,
    timers::Timers,
};
use crate::{
    config::plan::{Origin, Plan},
    kernel::{Events, clock},
    registry::{Change, Operator, Reason, State, Subject, Switch, Topology},
    units::{Priority, Time},
    vrrp::{Action, Reload},
};

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
            // Readers look up what they are told of in the topology that it has happened in.
            self.tell();
            self.reload(*succession, clock::now());
        }
    }

    fn reload(&mut self, succession: Succession, now: Time) {
        let Succession { topology, plan, mut blueprint, fates, moves, by, done, .. } = succession;
        for gone in &plan.instances.gone {
            self.leave(*gone, now);
        }
        self.flush();
        self.tell();
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
        self.advertise();
        self.watch_routing();
        self.reconcile(Holder::Departing, now);
        self.look_at_new_links(&new_links, now);
        for (number, reload) in reloads.into_iter().enumerate().filter(|(number, _)| touched[*number]) {
            // By the clock, not by when the reload began: what a thousand routers do in the same instant they do together ever after.
            self.go_on(number, reload, clock::now());
            self.advertise_amid(number);
        }
        self.form_groups(&plan, clock::now());
        for number in (0..touched.len()).filter(|number| touched[*number]) {
            self.settle_group(number, clock::now());
        }
        for (number, origin) in plan.instances.origins.iter().enumerate() {
            if *origin == Origin::Added {
                self.begin(number, clock::now());
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
                Action::Transition(change) => self.note_transition(number, now, change),
                Action::Log(line) => self.note_line(now, line),
                _ => {}
            }
        }
        self.routers[number].publish();
        self.routers[number].holdings.want(false);
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
            self.routers[number].machine.handle_reload(now, reload);
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

    fn tell_of_reload(&mut self, plan: &Plan, by: Option<Operator>, now: Time) {
        let [added, changed, removed] = plan.counts();
        let reason = Reason::Reloaded { added, changed, removed, by };
        let change = Change { from: State::Init, to: State::Init, reason, priority: Priority(0) };
        self.news.of_transition(now, Subject::Configuration, change);
        self.tell();
    }
}

#[cfg(test)]
mod tests;
