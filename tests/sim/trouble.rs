//! Misfortunes: what happens to a network and to the hosts on it.

use std::{net::IpAddr, time::Duration};

use steadfast::{
    config::tracking::Tracker,
    registry::{Setting, State},
    units::Priority,
    vrrp::{Fault, Input, Source},
};

use crate::world::{CHECK, World, failure, interface_down};

impl World {
    /// One misfortune, or the end of one.
    pub(crate) fn trouble(&mut self) {
        let host = self.random.index(self.hosts.len());
        let router = self.random.index(self.plan.routers.len());
        match self.random.below(16) {
            0 => self.wire.loss = self.random.below(60),
            1 => self.wire.damage = self.random.below(30),
            // Long enough to bring packets into another order.
            2 => self.wire.delay = Duration::from_millis(self.random.pick(&[1, 20, 100, 400])),
            3 | 4 => self.partition(),
            5 => self.cut(),
            6 | 7 => self.stop_or_boot(host),
            8 => self.flap(host, router),
            9 => self.stall(host),
            10 => self.weigh(host, router),
            11 => self.fail_tracked(host, router),
            12 => self.lose_source(host, router),
            13 => self.set_clock(host),
            14 => self.set_priority(host, router),
            _ => self.remove_address(host, router),
        }
    }

    fn partition(&mut self) {
        let sides = self.random.pick(&[1, 2, 2, 3]);
        self.wire.sides.fill_with(|| self.random.below(sides));
        let (now, sides) = (self.now, self.wire.sides.clone());
        self.story.line(now, format_args!("the network has the sides {sides:?}"));
    }

    /// From one host to another nothing passes any more, or everything does again.
    fn cut(&mut self) {
        if self.random.percent(40) {
            self.wire.cut.clear();
        } else {
            let cut = (self.random.index(self.hosts.len()), self.random.index(self.hosts.len()));
            self.wire.cut.push(cut);
        }
        let (now, cut) = (self.now, self.wire.cut.clone());
        self.story.line(now, format_args!("nothing passes between {cut:?}"));
    }

    fn stop_or_boot(&mut self, host: usize) {
        if !self.hosts[host].is_running {
            return self.boot(host);
        }
        let now = self.now;
        if self.random.percent(50) {
            // A crash takes the process, its state and its addresses; nobody is told.
            self.story.line(now, format_args!("host {host} crashes"));
        } else {
            let release = self.random.percent(80);
            self.story.line(now, format_args!("host {host} stops"));
            for router in 0..self.plan.routers.len() {
                // Without a release the addresses stay until the next start.
                self.hosts[host].nodes[router].holds &= release;
                self.input(host, router, Input::Shutdown(release));
            }
        }
        self.hosts[host].die();
    }

    /// A link goes down or comes up.
    fn flap(&mut self, host: usize, router: usize) {
        let segment = self.plan.routers[router].segment;
        let up = !self.hosts[host].links[segment];
        self.hosts[host].links[segment] = up;
        for router in 0..self.plan.routers.len() {
            if self.plan.routers[router].segment != segment || !self.hosts[host].is_running {
                continue;
            }
            if up {
                self.find_source(host, router);
            }
            let input = if up { Input::Fault(Fault::Interface, None) } else { interface_down(segment) };
            self.input(host, router, input);
        }
    }

    fn stall(&mut self, host: usize) {
        let span = self.random.duration(Duration::from_secs(4));
        self.hosts[host].stalled_until = self.now + span;
        let now = self.now;
        self.story.line(now, format_args!("host {host} is held up for {span:?}"));
    }

    /// A tracker with a weight adds another number.
    fn weigh(&mut self, host: usize, router: usize) {
        let weight = i32::try_from(self.random.below(300)).expect("a small number") - 150;
        let routers = if self.plan.is_member(router) { self.plan.group.clone() } else { vec![router] };
        let tracker = self.random.pick(&[Tracker::Script(1), Tracker::File(1), Tracker::Process(0)]);
        for router in routers {
            self.on_time(host, router, Input::Weight(tracker, weight));
        }
    }

    /// A manager gives a router another priority, and those of its group as well: they are to prefer the same one.
    fn set_priority(&mut self, host: usize, router: usize) {
        let priority = Priority(u8::try_from(1 + self.random.below(254)).expect("at most 254"));
        let routers = if self.plan.is_member(router) { self.plan.group.clone() } else { vec![router] };
        let has_an_owner = routers.iter().any(|router| self.hosts[host].nodes[*router].settings.is_owner());
        if !self.hosts[host].is_running || has_an_owner || self.hosts[host].stalled_until > self.now {
            return;
        }
        for router in routers {
            self.hosts[host].nodes[router].settings.priority = priority;
            self.input(host, router, Input::Setting(Setting::BasePriority(priority)));
        }
    }

    /// Something tracked without weight fails, or works again.
    fn fail_tracked(&mut self, host: usize, router: usize) {
        let tracker = self.random.pick(&[CHECK, Tracker::Interface(0), Tracker::File(0)]);
        let works = Input::Fault(Fault::Tracked(tracker), None);
        let input = if self.random.percent(50) { failure(tracker) } else { works };
        self.on_time(host, router, input);
    }

    fn lose_source(&mut self, host: usize, router: usize) {
        let source = self.plan.routers[router].source(host);
        let source = if self.random.percent(50) { Source::Missing } else { Source::Address(source) };
        self.on_time(host, router, Input::Source(source));
    }

    /// An operator sets the wall clock, or a daemon does so.
    fn set_clock(&mut self, host: usize) {
        let ahead = Duration::from_secs(self.random.pick(&[0, 0, 3, 30, 1000]));
        let behind = Duration::from_secs(self.random.pick(&[0, 0, 3, 30]));
        self.correct_clock(host, self.plan.hosts[host].wall + ahead - behind);
    }

    /// The wall clock is set to what it would show now if it had shown this at the begin.
    pub(crate) fn correct_clock(&mut self, host: usize, wall: Duration) {
        self.hosts[host].wall = wall;
        let (now, shown) = (self.now, self.hosts[host].utc(self.now).0.as_secs());
        self.story.line(now, format_args!("the clock of host {host} is set to {shown}"));
        for router in 0..self.plan.routers.len() {
            self.tell_clock(host, router);
        }
    }

    /// Another program removes a virtual address.
    fn remove_address(&mut self, host: usize, router: usize) {
        if self.state(host, router) == State::Master {
            let address: IpAddr = self.plan.hosts[host].settings[router].addresses[0];
            self.on_time(host, router, Input::AddressRemoved(address));
        }
    }

    /// A process that is held up does not notice anything.
    fn on_time(&mut self, host: usize, router: usize, input: Input) {
        if self.hosts[host].stalled_until <= self.now {
            self.input(host, router, input);
        }
    }
}
