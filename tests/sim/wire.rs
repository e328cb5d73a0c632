//! The network between the hosts: who reaches whom, how long it takes and what becomes of a packet on its way.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use steadfast::units::Time;

use crate::random::Random;

/// Something that happens later.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A packet arrives at a host's interface.
    Packet { host: usize, segment: usize, packet: Packet },
    /// The kernel of a host has answered: whether all addresses of a router are there.
    Installed { host: usize, router: usize, life: u32, all_set: bool },
    /// A script of a host, which has just booted, has its first result.
    FirstResult { host: usize, router: usize, life: u32 },
    /// Duplicate address detection of a host is over.
    Certain { host: usize, router: usize, life: u32 },
}

impl Event {
    pub(crate) fn host(&self) -> usize {
        match self {
            Self::Packet { host, .. }
            | Self::Installed { host, .. }
            | Self::FirstResult { host, .. }
            | Self::Certain { host, .. } => *host,
        }
    }
}

/// A packet under way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) bytes: Rc<[u8]>,
    /// No bit of it was changed on the way.
    pub(crate) is_intact: bool,
}

/// The events to come, and how the network treats packets.
#[derive(Debug)]
pub(crate) struct Wire {
    /// By time, and by a number that keeps equal times apart.
    events: BTreeMap<(Time, u64), Event>,
    count: u64,
    /// Chance in percent that a copy is lost, that it is doubled, and that one of its bits is changed.
    pub(crate) loss: u64,
    pub(crate) doubling: u64,
    pub(crate) damage: u64,
    pub(crate) delay: Duration,
    /// All copies of a packet take the same time, as behind one switch.
    pub(crate) is_even: bool,
    /// Hosts reach each other within one side of a partition.
    pub(crate) sides: Vec<u64>,
    /// From whom to whom nothing passes.
    pub(crate) cut: Vec<(usize, usize)>,
    pub(crate) packets: u64,
}

impl Wire {
    pub(crate) fn new(hosts: usize) -> Self {
        Self {
            events: BTreeMap::new(),
            count: 0,
            loss: 0,
            doubling: 0,
            damage: 0,
            delay: Duration::from_millis(50),
            is_even: false,
            sides: vec![0; hosts],
            cut: Vec::new(),
            packets: 0,
        }
    }

    /// When the next event is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next event, with its place in the order.
    pub(crate) fn pop(&mut self) -> Option<(u64, Event)> {
        self.events.pop_first().map(|((_, place), event)| (place, event))
    }

    pub(crate) fn add(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    /// Puts an event off, without changing its place among those that are put off with it.
    pub(crate) fn put_off(&mut self, at: Time, place: u64, event: Event) {
        self.events.insert((at, place), event);
    }

    pub(crate) fn reaches(&self, from: usize, to: usize) -> bool {
        from != to && self.sides[from] == self.sides[to] && !self.cut.contains(&(from, to))
    }

    /// Sends a packet from one host to another, if it reaches that.
    pub(crate) fn send(&mut self, now: Time, random: &mut Random, route: Route, bytes: &Rc<[u8]>) {
        if !self.reaches(route.from, route.to) {
            return;
        }
        let copies = if random.percent(self.doubling) { 2 } else { 1 };
        for _ in 0..copies {
            if random.percent(self.loss) {
                continue;
            }
            let is_intact = !random.percent(self.damage);
            let bytes = if is_intact { Rc::clone(bytes) } else { damaged(random, bytes, route.header) };
            self.packets += 1;
            let packet = Packet { bytes, is_intact };
            let at = now + route.delay.unwrap_or_else(|| random.duration(self.delay));
            self.add(at, Event::Packet { host: route.to, segment: route.segment, packet });
        }
    }

    /// Everything works again, except for a partition that may stay.
    pub(crate) fn heal(&mut self, delay: Duration) {
        (self.loss, self.damage) = (0, 0);
        self.delay = delay;
        self.cut.clear();
    }
}

/// The way of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) segment: usize,
    /// How long it takes, where that is the same for all copies.
    pub(crate) delay: Option<Duration>,
    /// Length of its IP header, which a kernel checks.
    pub(crate) header: usize,
}

/// The packet with one bit of its message changed, which no checksum misses.
fn damaged(random: &mut Random, bytes: &[u8], header: usize) -> Rc<[u8]> {
    let mut bytes = bytes.to_vec();
    let place = header + random.index(bytes.len() - header);
    bytes[place] ^= 1 << random.below(8);
    bytes.into()
}
