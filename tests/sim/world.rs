//! The world: events in the order of their times, brought to the machines, and what these want done.
//!
//! It stands where the daemon's engine stands: it carries out the actions of a machine, then lets the sync group have its
//! say, and only then does anything else happen to another router of that host.

use std::{rc::Rc, time::Duration};

use steadfast::{
    config::tracking::Tracker,
    record::Recorded,
    registry::{Reason, State},
    units::Time,
    vrrp::{Action, Addressee, Fault, GroupAction, Holding, Input, Outgoing, Source},
};

use crate::{
    host::Host,
    mutation::Mutation,
    plan::{Plan, Secret},
    random::Random,
    story::Story,
    watch::{Cause, Invariant, Step, Violation, header_length},
    wire::{Event, Packet, Route, Wire},
};

/// The longest time in which a kernel sets an address.
const INSTALLING: Duration = Duration::from_millis(20);
/// The longest time of a script's first run, and of duplicate address detection.
pub(crate) const FIRST_RESULT: Duration = Duration::from_secs(2);
/// The script that decides about FAULT, on hosts that have one.
pub(crate) const CHECK: Tracker = Tracker::Script(0);
/// More orders than any group needs until its members agree.
const ORDERS: usize = 50;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) wire: Wire,
    /// What is wrong with the machines, on purpose.
    pub(crate) mutation: Option<Mutation>,
    pub(crate) story: Story,
    /// The first thing that must not have happened.
    pub(crate) violation: Option<Violation>,
    /// Changes of state so far.
    pub(crate) moves: u64,
    /// Intact packets that were not to be believed.
    pub(crate) doubted: u64,
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, story: Story) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let hosts: Vec<_> = plan.hosts.iter().map(|host| Host::new(host, plan.segments)).collect();
        let wire = Wire::new(hosts.len());
        let now = Time::default();
        let violation = None;
        let mut world =
            Self { plan, random, now, hosts, wire, mutation, story, violation, moves: 0, doubted: 0 };
        world.story.plan(&world.plan);
        world
    }

    /// Runs every event up to `end`, in the order of their times; stops where something went wrong.
    pub(crate) fn run_until(&mut self, end: Time) {
        while self.violation.is_none() {
            let arrival = self.wire.next();
            let wanted = |(host, one): (usize, &Host)| one.next().map(|(due, router)| (due, host, router));
            let timeout = self.hosts.iter().enumerate().filter_map(wanted).min();
            match (arrival, timeout) {
                // A packet that has arrived counts before the silence that it ends.
                (Some(at), _) if at <= end && timeout.is_none_or(|(due, ..)| at <= due) => self.arrive(at),
                (_, Some((due, host, router))) if due <= end => {
                    self.now = self.now.max(due);
                    self.input(host, router, Input::Timeout);
                }
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }

    fn arrive(&mut self, at: Time) {
        self.now = self.now.max(at);
        let Some((place, event)) = self.wire.pop() else { return };
        let host = &self.hosts[event.host()];
        if host.is_running && host.stalled_until > at {
            self.wire.put_off(host.stalled_until, place, event);
            return;
        }
        match event {
            Event::Packet { host, segment, packet } => self.receive(host, segment, &packet),
            Event::Installed { host, router, life, all_set } => {
                if self.hosts[host].life == life && self.hosts[host].nodes[router].holds {
                    let addresses = self.hosts[host].nodes[router].settings.addresses.clone();
                    let missing = addresses.into_iter().take(usize::from(!all_set)).map(Holding::Address);
                    self.input(host, router, Input::AddressesInstalled(missing.collect()));
                }
            }
            Event::FirstResult { host, router, life } if self.hosts[host].life == life => {
                if self.random.percent(20) {
                    self.input(host, router, failure(CHECK));
                }
                self.input(host, router, Input::Fault(Fault::Pending(CHECK), None));
            }
            Event::Certain { host, router, life } if self.hosts[host].life == life => {
                let source = Source::Address(self.plan.routers[router].source(host));
                self.input(host, router, Input::Source(source));
            }
            Event::FirstResult { .. } | Event::Certain { .. } => {}
        }
    }

    /// Finds the router that a packet is for, as the daemon does: by what is written in it.
    fn receive(&mut self, host: usize, segment: usize, packet: &Packet) {
        if !self.hosts[host].is_running || !self.hosts[host].links[segment] {
            return;
        }
        let Some(addressee) = Addressee::of(&packet.bytes) else { return };
        let found = self.plan.routers.iter().position(|router| {
            router.segment == segment
                && router.vrid.value() == addressee.vrid
                && router.family == addressee.family()
        });
        let Some(router) = found else { return };
        let now = self.hosts[host].clock.local(self.now);
        let intact = packet.is_intact.then_some(&*packet.bytes);
        let source = self.plan.routers[router].source(host);
        let is_doubted = self.hosts[host].nodes[router].watch.note_packet(now, source, intact);
        self.doubted += u64::from(is_doubted);
        self.input(host, router, Input::Packet(packet.bytes.to_vec()));
    }

    /// Hands an input to a router that runs, carries out what comes of it, there and in its sync group.
    pub(crate) fn input(&mut self, host: usize, router: usize, input: Input) {
        self.feed(host, router, input);
        self.settle(host, router);
        self.check_host(host, router);
    }

    fn feed(&mut self, host: usize, router: usize, input: Input) {
        let clock = self.hosts[host].clock;
        let now = clock.local(self.now);
        let stalled_until = clock.local(self.hosts[host].stalled_until);
        let source = self.plan.routers[router].source(host);
        let node = &mut self.hosts[host].nodes[router];
        let Some(machine) = &mut node.machine else { return };
        self.story.input(self.now, host, router, now, &input);
        let cause = node.watch.cause(now, &input);
        let input = match self.mutation {
            None => Some(input),
            Some(mutation) => mutation.input(input, &cause, node.watch.state()),
        };
        if let Some(input) = input {
            machine.handle(now, input);
        }
        let actions = self.carry_out_all(host, router, &cause);
        self.story.actions(&actions);
        let node = &mut self.hosts[host].nodes[router];
        let Some(machine) = &node.machine else { return };
        let due = machine.poll_timeout().map(|due| clock.world(due));
        // Only a machine that did not do what was due wants to be called at once again.
        node.due = due.filter(|due| !matches!(cause, Cause::Timeout) || *due > self.now);
        let (status, ready) = (machine.status(), machine.member().ready);
        let step = Step {
            now,
            stalled_until,
            cause,
            actions: &actions,
            status,
            ready,
            settings: &node.settings,
            source,
        };
        if let Err((invariant, text)) = node.watch.check(&step) {
            let name = node.settings.name.clone();
            self.notice(invariant, format!("{name}: {text}"));
        }
    }

    fn carry_out_all(&mut self, host: usize, router: usize, cause: &Cause) -> Vec<Action> {
        let mut done = Vec::new();
        while let Some(action) =
            self.hosts[host].nodes[router].machine.as_mut().and_then(Recorded::poll_action)
        {
            let actions = match self.mutation {
                None => vec![action],
                Some(mutation) => mutation.action(action, cause),
            };
            for action in actions {
                self.carry_out(host, router, &action);
                done.push(action);
            }
        }
        done
    }

    fn carry_out(&mut self, host: usize, router: usize, action: &Action) {
        let now = self.now;
        match action {
            Action::Send(copies) => copies.iter().for_each(|copy| self.send(host, router, copy)),
            Action::InstallAddresses => {
                self.hosts[host].nodes[router].holds = true;
                let all_set = self.random.percent(95);
                let life = self.hosts[host].life;
                let at = now + self.random.duration(INSTALLING);
                self.wire.add(at, Event::Installed { host, router, life, all_set });
            }
            Action::WithdrawAddresses => self.hosts[host].nodes[router].holds = false,
            Action::AnnounceGroup => {
                let position = self.plan.group.iter().position(|member| *member == router);
                if let (Some(group), Some(position)) = (&mut self.hosts[host].group, position) {
                    group.handle_announced(position);
                }
            }
            Action::Transition(change) => self.moves += u64::from(change.is_move()),
            Action::Announce { .. } | Action::AnnounceSource | Action::AnnounceElsewhere | Action::Log(_) => {
            }
        }
    }

    fn send(&mut self, host: usize, router: usize, copy: &Outgoing) {
        let segment = self.plan.routers[router].segment;
        if !self.hosts[host].links[segment] {
            return;
        }
        let header = header_length(&copy.packet);
        let bytes: Rc<[u8]> = copy.packet.as_slice().into();
        let delay = self.wire.is_even.then(|| self.random.duration(self.wire.delay));
        for to in 0..self.hosts.len() {
            let is_meant =
                copy.destination.is_multicast() || self.plan.routers[router].source(to) == copy.destination;
            if is_meant {
                let route = Route { from: host, to, segment, delay, header };
                self.wire.send(self.now, &mut self.random, route, &bytes);
            }
        }
    }

    /// Lets the sync group of a router have its say.
    fn settle(&mut self, host: usize, router: usize) {
        let Some(position) = self.plan.group.iter().position(|member| *member == router) else { return };
        let now = self.hosts[host].clock.local(self.now);
        let Some(mut group) = self.hosts[host].group.take() else { return };
        if let Some(machine) = &self.hosts[host].nodes[router].machine {
            group.handle_member(now, position, machine.member());
        }
        let mut orders = 0;
        while let Some(action) = group.poll_action() {
            let GroupAction::Order(position, order) = action else { continue };
            orders += 1;
            if orders > ORDERS {
                self.notice(Invariant::Group, format!("{order:?} is not obeyed"));
                break;
            }
            let router = self.plan.group[position];
            self.feed(host, router, Input::Order(order));
            if let Some(machine) = &self.hosts[host].nodes[router].machine {
                group.handle_obeyed(position, machine.member());
            }
        }
        self.hosts[host].group = Some(group);
    }

    /// A host starts its process, as the daemon does.
    pub(crate) fn boot(&mut self, host: usize) {
        self.story.line(self.now, format_args!("host {host} boots"));
        let count = self.plan.routers.len();
        let Self { hosts, plan, mutation, story, random, .. } = self;
        for (router, node) in plan.routers.iter().zip(&mut hosts[host].nodes) {
            node.settings.auth = router.secret.auth(random, node.settings.version);
        }
        hosts[host].revive(plan, *mutation, |router, settings| story.tape(host * count + router, settings));
        for router in 0..self.plan.routers.len() {
            self.put_off(host, router);
            self.tell_clock(host, router);
            self.find_source(host, router);
            if self.hosts[host].nodes[router].has_script {
                self.feed(host, router, Input::Fault(Fault::Pending(CHECK), Some(Reason::Started)));
                let (at, life) = (self.now + self.random.duration(FIRST_RESULT), self.hosts[host].life);
                self.wire.add(at, Event::FirstResult { host, router, life });
            }
            let segment = self.plan.routers[router].segment;
            if !self.hosts[host].links[segment] {
                self.feed(host, router, interface_down(segment));
            }
        }
        for router in 0..self.plan.routers.len() {
            self.settle(host, router);
        }
        let now = self.hosts[host].clock.local(self.now);
        if let Some(group) = &mut self.hosts[host].group {
            group.handle_start(now);
        }
        for router in 0..self.plan.routers.len() {
            self.input(host, router, Input::Start);
        }
    }

    /// A router learns how long it has to keep quiet.
    fn put_off(&mut self, host: usize, router: usize) {
        let delay = self.plan.hosts[host].delay;
        if !delay.is_zero() {
            let until = self.hosts[host].clock.local(self.now) + delay;
            self.feed(host, router, Input::Delay(until));
        }
    }

    /// A router learns what it has to send from; where that is tentative, it is certain only later.
    pub(crate) fn find_source(&mut self, host: usize, router: usize) {
        let address = self.plan.routers[router].source(host);
        let source = if self.plan.routers[router].is_tentative_at_first() {
            let (at, life) = (self.now + self.random.duration(FIRST_RESULT), self.hosts[host].life);
            self.wire.add(at, Event::Certain { host, router, life });
            Source::Tentative(address)
        } else {
            Source::Address(address)
        };
        self.feed(host, router, Input::Source(source));
    }

    /// A router learns what the wall clock shows, where that matters.
    pub(crate) fn tell_clock(&mut self, host: usize, router: usize) {
        if matches!(self.plan.routers[router].secret, Secret::Signed(..)) {
            let utc = self.hosts[host].utc(self.now);
            self.feed(host, router, Input::Clock(utc));
        }
    }

    /// The watch of a host has noticed something.
    pub(crate) fn notice(&mut self, invariant: Invariant, text: String) {
        if !self.mutation.is_some_and(Mutation::is_seen_from_above) {
            self.violate(invariant, text);
        }
    }

    pub(crate) fn violate(&mut self, invariant: Invariant, text: String) {
        let now = self.now;
        self.story.line(now, format_args!("VIOLATION of {invariant:?}: {text}"));
        self.violation.get_or_insert((invariant, text));
    }

    pub(crate) fn state(&self, host: usize, router: usize) -> State {
        self.hosts[host].nodes[router].watch.state()
    }
}

pub(crate) fn failure(tracker: Tracker) -> Input {
    let reason = Reason::Tracked { tracker, name: "check".into(), detail: "failed".into() };
    Input::Fault(Fault::Tracked(tracker), Some(reason))
}

pub(crate) fn interface_down(segment: usize) -> Input {
    Input::Fault(Fault::Interface, Some(Reason::InterfaceDown { interface: format!("eth{segment}") }))
}
