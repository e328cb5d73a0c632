//! Stories of one and more routers in virtual time, with the exact list of what they do.

mod backup;
mod captures;
mod clauses;
mod contest;
mod faults;
mod forged;
mod garp;
mod interventions;
mod ipv6;
mod malformed;
mod master;
mod matrix;
mod reload;
mod resume;
mod settings;
mod shutdown;
mod storm;
mod words;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::*;
use crate::units::Family;
use crate::vrrp::{
    Auth, Garp, Holding, Outgoing, Policy, Source,
    ipv4::{self, HEADER_LEN},
    packet::{Advert, Coverage, View},
    testing::{advert_of, settings},
};

const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 100));

/// An address that stories have the kernel refuse.
const REFUSED: Holding = Holding::Address(IpAddr::V4(Ipv4Addr::new(10, 9, 0, 101)));

/// Address of the forged router in stories with one instance. The instances have 10.9.0.1, 10.9.0.2, ….
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 77));

fn at(seconds: f64) -> Time {
    Time(Duration::from_secs_f64(seconds))
}

/// A router called `VI`, version 3, interval 1 s.
fn router(priority: u8) -> Settings {
    Settings { priority: Priority(priority), ..settings() }
}

/// The advertisement in a packet, without what may stand behind it.
fn advert_in(packet: &[u8]) -> Advert {
    let header = Header::parse(packet).unwrap();
    let message = &packet[header.length..];
    let length = View::new(header.family(), message).unwrap().expected_len();
    Advert::parse(header.family(), &message[..length]).unwrap()
}

/// Instances on one link without delay or loss, a clock, and a line for everything that happens.
struct Lan {
    now: Time,
    nodes: Vec<Node>,
    lines: Vec<String>,
}

struct Node {
    settings: Settings,
    instance: Instance,
    counters: Arc<Counters>,
    /// What `InstallAddresses` is answered with; `None` leaves it unanswered.
    /// What of an attempt to install is missing; `None` for no answer.
    installs: Option<Vec<Holding>>,
    /// Cut off from the link.
    is_cut: bool,
}

impl Lan {
    fn new(routers: impl IntoIterator<Item = Settings>) -> Self {
        let node = |(position, settings): (usize, Settings)| {
            let counters = Arc::new(Counters::default());
            let mut instance = Instance::new(settings.clone(), Arc::clone(&counters));
            let last = u8::try_from(position + 1).unwrap();
            instance.handle_source(Time::default(), Source::Address([10, 9, 0, last].into()));
            Node { settings, instance, counters, installs: Some(Vec::new()), is_cut: false }
        };
        let nodes = routers.into_iter().enumerate().map(node).collect();
        Self { now: Time::default(), nodes, lines: Vec::new() }
    }

    /// One router, started at time 0; what it did so far is not in the lines.
    fn started(settings: Settings) -> Self {
        let mut lan = Self::new([settings]);
        lan.start(0);
        lan.lines.clear();
        lan
    }

    /// One router that is MASTER at exactly 10 s and has sent its advertisement just then; lines are empty.
    fn master(settings: Settings) -> Self {
        let mut lan = Self::new([settings]);
        let down = lan.nodes[0].instance.master_down_interval();
        lan.run_until(at(10.0) - down);
        lan.start(0);
        lan.run_until(at(10.0));
        assert_eq!(lan.state(0), State::Master);
        lan.lines.clear();
        lan
    }

    fn start(&mut self, node: usize) {
        self.input(node, |instance, now| instance.handle_start(now));
    }

    /// Hands an input to a node and carries out what follows from it.
    fn input(&mut self, node: usize, input: impl FnOnce(&mut Instance, Time)) {
        input(&mut self.nodes[node].instance, self.now);
        self.settle(node);
    }

    /// The first router hears an advertisement like its own, with this priority, from [`OTHER`].
    fn hear(&mut self, priority: u8) {
        self.hear_from(OTHER, priority);
    }

    fn hear_from(&mut self, source: IpAddr, priority: u8) {
        let packet = advert_of(&self.nodes[0].settings, source, priority);
        self.input(0, |instance, now| instance.handle_packet(now, &packet));
    }

    /// The same at a given time, everything due before carried out.
    fn hear_at(&mut self, seconds: f64, priority: u8) {
        self.run_until(at(seconds));
        self.hear(priority);
    }

    /// Moves the clock, stopping at every timer.
    fn run_until(&mut self, end: Time) {
        while let Some((due, node)) = self.next_due().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.input(node, |instance, now| instance.handle_timeout(now));
        }
        self.now = end;
    }

    /// Moves the clock as a process that was not scheduled meanwhile sees it.
    fn stall_until(&mut self, end: Time) {
        self.now = end;
        for node in 0..self.nodes.len() {
            self.input(node, |instance, now| instance.handle_timeout(now));
        }
    }

    fn next_due(&self) -> Option<(Time, usize)> {
        let due = |(position, node): (usize, &Node)| Some((node.instance.poll_timeout()?, position));
        self.nodes.iter().enumerate().filter_map(due).min()
    }

    /// Carries out the actions of `first`, and of whoever hears what it sends.
    fn settle(&mut self, first: usize) {
        let mut active = VecDeque::from([first]);
        while let Some(node) = active.pop_front() {
            while let Some(action) = self.nodes[node].instance.poll_action() {
                self.write_down(node, &action);
                match action {
                    Action::Send(copies) => active.extend(self.deliver(node, &copies)),
                    Action::InstallAddresses => {
                        if let Some(missing) = self.nodes[node].installs.clone() {
                            self.nodes[node].instance.handle_addresses_installed(self.now, &missing);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn deliver(&mut self, sender: usize, copies: &[Outgoing]) -> Vec<usize> {
        let reached = |position: &usize| {
            *position != sender && !self.nodes[*position].is_cut && !self.nodes[sender].is_cut
        };
        let receivers: Vec<usize> = (0..self.nodes.len()).filter(reached).collect();
        for receiver in &receivers {
            for copy in copies {
                self.nodes[*receiver].instance.handle_packet(self.now, &copy.packet);
            }
        }
        receivers
    }

    fn write_down(&mut self, node: usize, action: &Action) {
        let what = match action {
            Action::Send(copies) => {
                let advert = advert_in(&copies[0].packet);
                format!("advert {}", advert.priority)
            }
            Action::InstallAddresses => "install".into(),
            Action::WithdrawAddresses => "withdraw".into(),
            Action::Announce { repeat } => format!("announce x{repeat}"),
            Action::AnnounceSource => "announce source".into(),
            Action::AnnounceGroup => "announce group".into(),
            Action::AnnounceElsewhere => "announce elsewhere".into(),
            Action::Transition(change) if !change.is_move() => format!("event: {}", change.reason),
            Action::Transition(change) => format!("{} -> {} ({})", change.from, change.to, change.reason),
            Action::Log(log) => {
                let kind = match (log.level, log.detail) {
                    (Level::Warning, _) => "warning",
                    (Level::Info, false) => "info",
                    (Level::Info, true) => "detail",
                };
                format!("{kind}: {}", log.text)
            }
        };
        let seconds = self.now.0.as_secs_f64();
        let who = if self.nodes.len() > 1 { self.nodes[node].settings.name.as_str() } else { "" };
        let space = if who.is_empty() { "" } else { " " };
        self.lines.push(format!("{seconds:.3} {who}{space}{what}"));
    }

    /// Everything that happened since the last call.
    fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// The same without regular advertisements and log lines.
    fn take_decisions(&mut self) -> Vec<String> {
        let is_decision = |line: &String| {
            ![" advert ", "info: ", "detail: ", "warning: "].iter().any(|noise| line.contains(noise))
        };
        self.take_lines().into_iter().filter(is_decision).collect()
    }

    fn state(&self, node: usize) -> State {
        self.nodes[node].instance.state
    }

    fn status(&self) -> InstanceStatus {
        self.nodes[0].instance.status()
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.nodes[0].counters.value(counter)
    }
}
