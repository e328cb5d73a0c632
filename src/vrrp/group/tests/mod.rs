//! Stories of routers with several interfaces, in virtual time, with the exact list of what they do.

mod agreement;
mod faults;
mod moves;
mod start;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::{
    config::tracking::Tracker,
    registry::{Counters, InstanceStatus},
    units::{Family, Version, Vrid},
    vrrp::{
        Action, Auth, Destination, Fault, Garp, Instance, Membership, Outgoing, Policy, Settings, Source,
        ipv4::HEADER_LEN, packet::Advert, testing::advert_of,
    },
};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

fn at(seconds: f64) -> Time {
    Time(Duration::from_secs_f64(seconds))
}

/// The member on a link, version 3, interval 1 s: `VI0` on the first, `VI1` on the second.
fn member(link: u8, priority: u8) -> Settings {
    Settings {
        name: format!("VI{link}"),
        interface: format!("eth{link}"),
        vrid: Vrid::new(50 + link).unwrap(),
        version: Version::V3,
        priority: Priority(priority),
        advert_interval: Duration::from_secs(1),
        start_as_master: priority == 255,
        preempt: true,
        preempt_delay: Duration::ZERO,
        auth: Auth::None,
        addresses: vec![IpAddr::from([10, 9, link, 100])],
        destination: Destination::Multicast(GROUP),
        source: None,
        track_source: false,
        garp: Garp::default(),
        down_timer_adverts: Settings::DEFAULT_DOWN_TIMER_ADVERTS,
        membership: Membership::Member,
        policy: Policy::default(),
    }
}

/// A host with a member of the group on every link.
fn host(priorities: &[u8]) -> Vec<Settings> {
    (0..).zip(priorities).map(|(link, priority)| member(link, *priority)).collect()
}

/// Hosts that are joined by links without delay or loss, a clock, and a line for everything that happens.
struct World {
    now: Time,
    hosts: Vec<Host>,
    /// Links by number on which nobody hears anybody.
    cut: Vec<usize>,
    lines: Vec<String>,
}

struct Host {
    letter: char,
    group: SyncGroup,
    members: Vec<Instance>,
}

/// A member of a host: their numbers.
type Place = (usize, usize);

impl World {
    /// Hosts `a`, `b`, …, none of which has started.
    fn new(hosts: impl IntoIterator<Item = Vec<Settings>>) -> Self {
        let host = |(letter, (number, settings)): (char, (u8, Vec<Settings>))| {
            let names = settings.iter().map(|settings| settings.name.clone());
            let group = SyncGroup::new(names);
            let instance = |(link, settings): (u8, Settings)| {
                let mut instance = Instance::new(settings, Arc::new(Counters::default()));
                let source = IpAddr::from([10, 9, link, number]);
                instance.handle_source(Time::default(), Source::Address(source));
                instance
            };
            let members = (0..).zip(settings).map(instance).collect();
            Host { letter, group, members }
        };
        let hosts = ('a'..).zip((1..).zip(hosts)).map(host).collect();
        Self { now: Time::default(), hosts, cut: Vec::new(), lines: Vec::new() }
    }

    /// One host that is MASTER at 10 s; lines are empty.
    fn master(settings: Vec<Settings>) -> Self {
        let mut world = Self::new([settings]);
        world.start(0);
        world.run_until(10.0);
        assert_eq!(world.hosts[0].group.status().state, State::Master);
        world.lines.clear();
        world
    }

    /// A better host, which is MASTER, and a worse one; at 10 s; lines are empty.
    fn pair() -> Self {
        let mut world = Self::new([host(&[150, 150]), host(&[100, 100])]);
        world.start(0);
        world.start(1);
        world.run_until(10.0);
        assert_eq!(world.states(0), "MASTER MASTER: MASTER");
        assert_eq!(world.states(1), "BACKUP BACKUP: BACKUP");
        world.lines.clear();
        world
    }

    /// Starts a host as the engine does: first what keeps its members from starting, then the group, then each member.
    fn start(&mut self, host: usize) {
        let links = 0..self.hosts[host].members.len();
        for link in links.clone() {
            self.settle((host, link));
        }
        if let Some(change) = self.hosts[host].group.handle_start(self.now) {
            self.write_group(host, &change);
        }
        for link in links {
            self.input((host, link), |instance, now| instance.handle_start(now));
        }
    }

    /// Hands an input to a member and carries out what follows from it.
    fn input(&mut self, place: Place, input: impl FnOnce(&mut Instance, Time)) {
        input(&mut self.hosts[place.0].members[place.1], self.now);
        let sent = self.settle(place);
        self.deliver(sent);
    }

    /// A link of a host loses carrier, or gets it back.
    fn set_link(&mut self, (host, link): Place, up: bool) {
        let down = Reason::InterfaceDown { interface: format!("eth{link}") };
        let reason = (!up).then_some(down);
        self.input((host, link), |instance, now| instance.handle_fault(now, Fault::Interface, reason));
    }

    /// The first host hears a forged router on a link.
    fn hear(&mut self, link: usize, priority: u8) {
        let number = u8::try_from(link).unwrap();
        let source = IpAddr::from([10, 9, number, 77]);
        let packet = advert_of(&member(number, 1), source, priority);
        self.input((0, link), |instance, now| instance.handle_packet(now, &packet));
    }

    fn hear_at(&mut self, seconds: f64, link: usize, priority: u8) {
        self.run_until(seconds);
        self.hear(link, priority);
    }

    /// Moves the clock, stopping at every timer.
    fn run_until(&mut self, end: f64) {
        while let Some((due, place)) = self.next_due().filter(|(due, _)| *due <= at(end)) {
            self.now = self.now.max(due);
            self.input(place, |instance, now| instance.handle_timeout(now));
        }
        self.now = at(end);
    }

    fn next_due(&self) -> Option<(Time, Place)> {
        let hosts = self.hosts.iter().enumerate();
        let members = hosts.flat_map(|(host, known)| (0..known.members.len()).map(move |link| (host, link)));
        members
            .filter_map(|(host, link)| Some((self.hosts[host].members[link].poll_timeout()?, (host, link))))
            .min()
    }

    /// Carries out what a member and then its group want; returns what was sent, by link.
    fn settle(&mut self, (host, link): Place) -> Vec<(Place, Outgoing)> {
        let mut sent = self.carry_out((host, link));
        let member = self.hosts[host].members[link].member();
        self.hosts[host].group.handle_member(self.now, link, member);
        while let Some(action) = self.hosts[host].group.poll_action() {
            match action {
                GroupAction::Order(link, order) => {
                    self.hosts[host].members[link].handle_order(self.now, order);
                    sent.extend(self.carry_out((host, link)));
                    let member = self.hosts[host].members[link].member();
                    self.hosts[host].group.handle_obeyed(link, member);
                }
                GroupAction::Transition(change) => self.write_group(host, &change),
            }
        }
        sent
    }

    fn carry_out(&mut self, (host, link): Place) -> Vec<(Place, Outgoing)> {
        let mut sent = Vec::new();
        while let Some(action) = self.hosts[host].members[link].poll_action() {
            self.write_down((host, link), &action);
            match action {
                Action::Send(copies) => sent.extend(copies.into_iter().map(|copy| ((host, link), copy))),
                Action::InstallAddresses => {
                    self.hosts[host].members[link].handle_addresses_installed(self.now, &[]);
                }
                Action::AnnounceGroup => self.hosts[host].group.handle_announced(link),
                _ => {}
            }
        }
        sent
    }

    fn deliver(&mut self, sent: Vec<(Place, Outgoing)>) {
        for ((sender, link), copy) in sent {
            if self.cut.contains(&link) {
                continue;
            }
            for host in (0..self.hosts.len()).filter(|host| *host != sender) {
                self.input((host, link), |instance, now| instance.handle_packet(now, &copy.packet));
            }
        }
    }

    fn write_down(&mut self, (host, link): Place, action: &Action) {
        let what = match action {
            Action::Send(copies) => {
                let advert = Advert::parse(Family::V4, &copies[0].packet[HEADER_LEN..]).unwrap();
                format!("advert {}", advert.priority)
            }
            Action::InstallAddresses => "install".into(),
            Action::WithdrawAddresses => "withdraw".into(),
            Action::Announce { repeat } => format!("announce x{repeat}"),
            Action::Transition(change) if change.is_move() => shown(change),
            Action::Transition(change) => format!("event: {}", change.reason),
            Action::AnnounceSource | Action::AnnounceGroup | Action::AnnounceElsewhere | Action::Log(_) => {
                return;
            }
        };
        self.write(host, &format!("VI{link}"), &what);
    }

    fn write_group(&mut self, host: usize, change: &Change) {
        self.write(host, "group", &shown(change));
    }

    fn write(&mut self, host: usize, who: &str, what: &str) {
        let letter = self.hosts[host].letter;
        let prefix = if self.hosts.len() > 1 { format!("{letter} ") } else { String::new() };
        self.lines.push(format!("{:.3} {prefix}{who} {what}", self.now.0.as_secs_f64()));
    }

    fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Only the changes of state since the last call.
    fn take_transitions(&mut self) -> Vec<String> {
        self.take_lines().into_iter().filter(|line| line.contains(" -> ")).collect()
    }

    fn member_status(&self, (host, link): Place) -> InstanceStatus {
        self.hosts[host].members[link].status()
    }

    /// The states of a host's members and of its group.
    fn states(&self, host: usize) -> String {
        let host = &self.hosts[host];
        let members: Vec<_> = host.members.iter().map(|instance| instance.status().state.word()).collect();
        format!("{}: {}", members.join(" "), host.group.status().state)
    }
}

fn shown(change: &Change) -> String {
    format!("{} -> {} ({})", change.from, change.to, change.reason)
}
