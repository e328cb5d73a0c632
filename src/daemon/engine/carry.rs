//! What the machines ask for, carried out: packets, addresses, announcements. Transitions and log lines, which nobody on the
//! network waits for, are noted.

use std::time::Duration;

use tracing::{debug, warn};

use super::{
    Engine, REPAIR_INTERVAL,
    holder::Holder,
    holdings::{Answer, Outcome, Request},
    interfaces::Interface,
    kernel_view::KernelView,
    outbox::Refusal,
    refusals,
    router::Router,
    work::Done,
};
use crate::{
    kernel::{Detection, clock},
    registry::{Change, Subject},
    units::Time,
    vrrp::{self, Action, Holding},
};

/// Announcements sent in a row before everything else gets its turn: a fraction of a millisecond.
const ANNOUNCED_AT_ONCE: usize = 64;
/// Routers that become MASTER within this time of each other do so in a crowd.
const CROWDED: Duration = Duration::from_millis(1);

impl Engine {
    /// Requests have been answered. The kernel reports a change before it answers, so with the reports
    /// taken in first, what is observed is what the answers left; only a new IPv6 address is reported later.
    pub(super) fn handle_done(&mut self, done: Vec<Done>) {
        if self.listing.is_some() || !self.take_pending_events() || self.listing.is_some() {
            // There are more reports, or some were lost: what is observed is not yet what the answers left.
            self.deferred.extend(done);
            return;
        }
        for (number, done) in done.into_iter().enumerate() {
            self.take_answers(done);
            self.advertise_amid(number);
        }
    }

    /// Goes on with a holder whose requests have been answered.
    fn take_answers(&mut self, done: Done) {
        let holder = done.holder;
        for (request, answer, error) in &done.answers {
            if let Request::Add(slot, _) = request {
                self.address_answered(holder, *slot, *answer);
            }
            match (request, answer) {
                (Request::Add(slot, site), Answer::Added(_)) => self.take_added(holder, *slot, *site),
                (Request::Remove(slot, _), Answer::Removed) => {
                    self.routing_answered(holder, *slot, false);
                }
                (Request::Add(slot, _), _) => {
                    if let Some(why) = error {
                        self.routing_refused(holder, *slot, why);
                    }
                }
                _ => {}
            }
        }
        for (request, answer, error) in done.answers {
            let (holdings, _) = holder.holdings(&mut self.routers, &mut self.statics, &mut self.departing);
            if let (true, Some(error)) = (holdings.answer(request, answer), error) {
                warn!("({}) {error}", self.name_of(holder));
            }
        }
        let Self { routers, statics, departing, interfaces, routing, .. } = self;
        let (holdings, rows) = holder.holdings(routers, statics, departing);
        let outcome = holdings.finish(&KernelView::new(holder, rows, routing, interfaces));
        let now = clock::now();
        match outcome {
            Outcome::PlanAgain => self.reconcile(holder, now),
            Outcome::PlanLater => {
                self.repair_at(holder, now + REPAIR_INTERVAL);
                self.report_addresses(holder, now);
            }
            Outcome::Settled => self.report_addresses(holder, now),
        }
        if let (Holder::Router(number), true) = (holder, self.has_started()) {
            self.carry_out(number, now);
        }
    }

    /// Brings what the kernel has of a holder to what is wanted, one batch of requests at a time.
    pub(super) fn reconcile(&mut self, holder: Holder, now: Time) {
        let Self { routers, statics, departing, interfaces, requests, work, routing, links, .. } = self;
        let (holdings, rows) = holder.holdings(routers, statics, departing);
        let observed = KernelView::new(holder, rows, routing, interfaces);
        let asked: Vec<_> =
            holdings.plan(&observed).into_iter().map(|request| (request, observed.change(request))).collect();
        if asked.is_empty() {
            self.report_addresses(holder, now);
            return;
        }
        for (request, _) in &asked {
            if let Some(place) = request.slot().checked_sub(rows.len()) {
                routing.at(holder, place).asked();
            }
        }
        let plain = asked.iter().map(|(request, _)| *request);
        let refused = match holder {
            Holder::Router(number) => refusals::ahead_of(links, &mut routers[number], plain),
            Holder::Static | Holder::Departing => None,
        };
        work.add(requests, holder, asked, refused);
    }

    /// Tells a machine that waits for it whether its addresses are there.
    fn report_addresses(&mut self, holder: Holder, now: Time) {
        let number = match holder {
            Holder::Router(number) => number,
            Holder::Static => return,
            Holder::Departing => return self.note_departed(),
        };
        let Self { routers, interfaces, routing, links, .. } = self;
        let router = &mut routers[number];
        let observed = KernelView::new(holder, &router.row.addresses, routing, interfaces);
        if router.holdings.are_given_up(&observed) {
            refusals::accept_after(links, router.serial, &mut router.refusing);
        }
        if let Some(missing) = router.holdings.report(&observed) {
            let rows = &router.row.addresses;
            let held = |slot: usize| match slot.checked_sub(rows.len()) {
                None => Holding::Address(rows[slot].config.address),
                Some(place) => Holding::Routing(routing.of(holder)[place].words()),
            };
            let missing = missing.into_iter().map(held).collect();
            router.machine.handle_addresses_installed(now, missing);
        }
    }

    /// Has a router do what is due. Nearly always that is to advertise and nothing else, which shows readers nothing new
    /// and is nothing to its sync group.
    pub(super) fn expire(&mut self, number: usize, now: Time) {
        let machine = &mut self.routers[number].machine;
        machine.handle_timeout(now);
        match machine.poll_advert() {
            Some(packets) => {
                self.send(number, &packets);
                self.set_timer(number);
                debug_assert!(self.routers[number].is_published(), "an advertisement changed what is shown");
            }
            None => self.carry_out(number, now),
        }
    }

    /// Does what a machine asks for, and what its sync group then asks of the other members.
    pub(super) fn carry_out(&mut self, number: usize, now: Time) {
        self.carry_out_alone(number, now);
        self.settle_group(number, now);
    }

    /// Does what a machine asks for, in its order, and shows the result to readers. They and the log are told of it later.
    pub(super) fn carry_out_alone(&mut self, number: usize, now: Time) {
        while let Some(action) = self.routers[number].machine.poll_action() {
            match action {
                Action::Send(packets) => self.send(number, &packets),
                Action::InstallAddresses => self.want_holdings(number, true, now),
                Action::WithdrawAddresses => self.want_holdings(number, false, now),
                Action::Announce { repeat } => self.announcements.add(number, repeat),
                Action::AnnounceElsewhere => self.announce_elsewhere(number),
                Action::AnnounceSource => self.announce_source(number, now),
                Action::AnnounceGroup => self.note_announcement(number),
                Action::Transition(change) => self.note_transition(number, now, change),
                Action::Log(line) => self.note_line(now, line),
            }
        }
        self.routers[number].publish();
        self.set_timer(number);
    }

    /// Notes a machine's next deadline: with those that nothing may hold up, when it is a MASTER's.
    pub(super) fn set_timer(&mut self, number: usize) {
        let Router { machine, row, .. } = &self.routers[number];
        let (deadline, is_master) = (machine.poll_timeout(), machine.is_master());
        row.note_due(deadline);
        self.adverts.set(number, deadline.filter(|_| is_master), row.config.advert_interval);
        self.timers.set(number, deadline.filter(|_| !is_master));
    }

    pub(super) fn want_holdings(&mut self, number: usize, wanted: bool, now: Time) {
        if !wanted {
            self.announcements.cancel(number);
            self.forget_refusals(Holder::Router(number));
        }
        self.routers[number].holdings.want(wanted);
        // A stop moves all of them together when everybody has said farewell.
        if self.stop_by.is_some() {
            return;
        }
        if let Some(gathered) = &mut self.gathered {
            gathered.push(number);
            return;
        }
        self.flush();
        self.reconcile(Holder::Router(number), now);
    }

    /// From now on what routers send waits for others, and then what they hold does.
    pub(super) fn gather(&mut self) {
        self.gathered.get_or_insert_default();
    }

    /// Sends what waits, and then asks for what the gathered routers are to hold.
    pub(super) fn move_together(&mut self, now: Time) {
        let Some(gathered) = self.gathered.take().filter(|gathered| !gathered.is_empty()) else { return };
        self.flush();
        for number in gathered {
            self.reconcile(Holder::Router(number), now);
            self.carry_out(number, now);
        }
    }

    /// Notes a transition of a router, to be told of later.
    pub(super) fn note_transition(&mut self, number: usize, now: Time, change: Change) {
        if self.has_started() && change.is_move() {
            self.synchroniser.follow(number, change.to);
        }
        let row = &self.routers[number].row;
        let subject = Subject::Instance { index: row.index, name: row.config.name.clone() };
        self.news.of_transition(now, subject, change);
    }

    /// Puts an advertisement into the outbox, which is flushed before anything else that the network sees.
    pub(super) fn send(&mut self, number: usize, packets: &[vrrp::Outgoing]) {
        let Some(index) = self.routers[number].transport else { return };
        for packet in packets {
            self.outbox.push(number, index, packet);
        }
    }

    /// Sends what is in the outbox.
    pub(super) fn flush(&mut self) {
        let Self { outbox, interfaces, routers, .. } = self;
        outbox.flush(interfaces, |Refusal { router, destination, error }| {
            let config = &routers[router].row.config;
            // A link that is down refuses everything; that the link is down has been said.
            let up = interfaces.named(config.transport()).is_some_and(|known| known.link.up);
            if up {
                warn!("({}) cannot send to {destination}: {error}", config.name);
            }
            up
        });
    }

    /// Sends a portion of the announcements that are still to be sent.
    pub(super) fn announce(&mut self) {
        let now = clock::now();
        let Self { announcements, routers, interfaces, timers, .. } = self;
        if announcements.give_way(now, timers.next().is_some_and(|next| next <= now + CROWDED)) {
            return;
        }
        for _ in 0..ANNOUNCED_AT_ONCE {
            let Some((router, slot)) = announcements.next(now) else { return };
            let row = &routers[router].row;
            let address = &row.addresses[slot];
            let (ip, prefix) = (address.config.address, address.config.prefix);
            // Nothing is said of an address that another host may have (RFC 4862 §5.4).
            let is_ours = |device: &Interface| device.detection(ip, prefix) == Some(Detection::Passed);
            if interfaces.named(&address.device).is_some_and(is_ours)
                && let Err(error) = interfaces.announce(&address.device, now, ip)
            {
                debug!("({}) cannot announce {ip} on {}: {error}", row.config.name, address.device);
            }
        }
    }

    /// Announces a MASTER's addresses once, for somebody who asks for it. A router that has none does nothing.
    pub(super) fn announce_once(&mut self, name: &str) {
        let named = self.routers.iter().position(|router| router.row.config.name == name);
        if let Some(number) = named.filter(|number| self.routers[*number].machine.is_master()) {
            self.announcements.add(number, 1);
        }
    }

    /// Announces the addresses that are not where advertisements leave, which tell switches where they are: those on
    /// links of the router's own, or all.
    fn announce_elsewhere(&mut self, number: usize) {
        let Self { routers, announcements, links, .. } = self;
        let row = &routers[number].row;
        let all = row.config.settings.garp_extra_if.all;
        let is_elsewhere = |slot: usize| {
            let device = &row.addresses[slot].device;
            device != row.config.transport() && (all || links.is_own(device))
        };
        announcements.add_slots(number, 1, is_elsewhere);
    }

    fn announce_source(&mut self, number: usize, now: Time) {
        let router = &self.routers[number];
        let status = router.machine.status();
        if let Some(source) = status.source
            && let Err(error) = self.interfaces.announce(&router.row.config.interface, now, source)
        {
            debug!("({}) cannot announce {source}: {error}", router.row.config.name);
        }
    }
}

#[cfg(test)]
mod tests;
