//! Routers on a LAN that loses, delays, reorders, doubles and partitions, in virtual time, by the thousand.
//!
//! Each seed is one story: some tens of seconds of trouble (loss, partitions, link faults, crashes, restarts,
//! trackers), then a healthy network. What must hold is checked after every event and at the end:
//!
//! * the virtual addresses are held by exactly those routers that are MASTER,
//! * becoming MASTER is an advertisement, then the transition, then the addresses,
//! * once the network is healthy, there is exactly one MASTER within the longest master down interval and a margin,
//! * it has the highest priority, where every router preempts,
//! * and then nothing changes any more.
//!
//! A failure names its seed; `story(seed)` repeats it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap in a test is a failed test")]

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use steadfast::{
    config::tracking::Tracker,
    registry::{Counters, Reason, State},
    units::{Family, Priority, Time, Version, Vrid},
    vrrp::{Action, Auth, Destination, Fault, Garp, Instance, Membership, Settings, Source, multicast_group},
};

/// Stories told.
const SEEDS: u64 = 3000;

/// How long the trouble lasts.
const TROUBLE: Duration = Duration::from_secs(40);

/// How long the healthy network is watched for a change that must not come.
const WATCH: Duration = Duration::from_secs(60);

/// The longest delay of a packet on the healthy network.
const DELAY: Duration = Duration::from_millis(5);

/// SplitMix64: small, and good enough to make trouble.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn duration(&mut self, up_to: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(up_to.as_micros()).unwrap() + 1))
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

struct Router {
    settings: Settings,
    address: IpAddr,
    /// `None` after a crash.
    instance: Option<Instance>,
    holds_addresses: bool,
    is_faulty: bool,
    /// Routers hear each other within one side of a partition.
    side: u64,
}

impl Router {
    fn boot(&mut self, now: Time) {
        let mut instance = Instance::new(self.settings.clone(), Arc::new(Counters::default()));
        instance.handle_source(now, Source::Address(self.address));
        instance.handle_start(now);
        self.instance = Some(instance);
        self.is_faulty = false;
    }

    fn state(&self) -> State {
        self.instance.as_ref().map_or(State::Init, |instance| instance.status().state)
    }

    fn takes_part(&self) -> bool {
        self.instance.is_some() && !self.is_faulty
    }
}

struct Lan {
    seed: u64,
    random: Random,
    now: Time,
    routers: Vec<Router>,
    /// Packets under way: when they arrive (and a number to keep equal times apart), where, and what.
    wire: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    sent: u64,
    /// Chance in percent that a copy is lost, and that it is doubled.
    loss: u64,
    doubling: u64,
    delay: Duration,
    transitions: u64,
}

impl Lan {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let count = 2 + random.below(4);
        let version = random.pick(&[Version::V2, Version::V3]);
        // Not drawn, so that a story is the same over both families but for its seed.
        let family = if seed.is_multiple_of(2) { Family::V4 } else { Family::V6 };
        let all_preempt = random.percent(70);
        let has_owner = random.percent(20);
        let routers = (0..count).map(|position| {
            let mut settings = settings(&mut random, version, family);
            settings.preempt = all_preempt || random.percent(50);
            if has_owner && position == 0 {
                settings.priority = Priority::OWNER;
                settings.start_as_master = random.percent(50);
            }
            let address = source(family, u8::try_from(position + 1).unwrap());
            Router { settings, address, instance: None, holds_addresses: false, is_faulty: false, side: 0 }
        });
        let routers = routers.collect();
        let wire = BTreeMap::new();
        let delay = Duration::from_millis(50);
        Self {
            seed,
            random,
            now: Time::from_secs(1),
            routers,
            wire,
            sent: 0,
            loss: 0,
            doubling: 0,
            delay,
            transitions: 0,
        }
    }

    /// Runs every event up to `end`, in the order of their times.
    fn run_until(&mut self, end: Time) {
        loop {
            let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
            let timeout = self
                .routers
                .iter()
                .enumerate()
                .filter_map(|(position, router)| Some((router.instance.as_ref()?.poll_timeout()?, position)))
                .min();
            match (arrival, timeout) {
                (Some(at), _) if at <= end && timeout.is_none_or(|(due, _)| at <= due) => self.arrive(),
                (_, Some((due, position))) if due <= end => {
                    self.now = self.now.max(due);
                    self.input(position, |instance, now| instance.handle_timeout(now));
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn arrive(&mut self) {
        let Some(((at, _), (receiver, packet))) = self.wire.pop_first() else { return };
        self.now = self.now.max(at);
        self.input(receiver, |instance, now| instance.handle_packet(now, &packet));
    }

    /// Hands an input to a router that runs, carries its actions out, and checks what must always hold.
    fn input(&mut self, position: usize, input: impl FnOnce(&mut Instance, Time)) {
        let now = self.now;
        let Some(instance) = &mut self.routers[position].instance else { return };
        input(instance, now);
        let mut done = Vec::new();
        while let Some(action) = self.routers[position].instance.as_mut().and_then(Instance::poll_action) {
            self.carry_out(position, &action, &done);
            done.push(action);
        }
        let router = &self.routers[position];
        let is_master = router.state() == State::Master;
        assert_eq!(is_master, router.holds_addresses, "seed {}: {} at {now:?}", self.seed, router.address);
    }

    fn carry_out(&mut self, position: usize, action: &Action, done: &[Action]) {
        match action {
            Action::Send(copies) => {
                for copy in copies {
                    self.send(position, &copy.packet);
                }
            }
            Action::InstallAddresses => {
                assert!(
                    matches!(done, [.., Action::Send(_), Action::Transition(change)] if change.to == State::Master),
                    "seed {}: {done:?}",
                    self.seed
                );
                let now = self.now;
                let router = &mut self.routers[position];
                router.holds_addresses = true;
                if let Some(instance) = &mut router.instance {
                    instance.handle_addresses_installed(now, true);
                }
            }
            Action::WithdrawAddresses => self.routers[position].holds_addresses = false,
            Action::Transition(change) => self.transitions += u64::from(change.is_move()),
            Action::Announce { .. } => assert!(self.routers[position].holds_addresses, "seed {}", self.seed),
            Action::AnnounceSource | Action::AnnounceGroup | Action::Log(_) => {}
        }
    }

    fn send(&mut self, sender: usize, packet: &[u8]) {
        for receiver in 0..self.routers.len() {
            if receiver == sender || self.routers[receiver].side != self.routers[sender].side {
                continue;
            }
            let copies = if self.random.percent(self.doubling) { 2 } else { 1 };
            for _ in 0..copies {
                if !self.random.percent(self.loss) {
                    let at = self.now + self.random.duration(self.delay);
                    self.sent += 1;
                    self.wire.insert((at, self.sent), (receiver, packet.to_vec()));
                }
            }
        }
    }

    /// One misfortune, or the end of one.
    fn trouble(&mut self) {
        let position = usize::try_from(self.random.below(self.routers.len() as u64)).unwrap();
        let now = self.now;
        match self.random.below(6) {
            0 => self.loss = self.random.below(60),
            1 => {
                for router in &mut self.routers {
                    router.side = self.random.below(2);
                }
            }
            2 => self.routers.iter_mut().for_each(|router| router.side = 0),
            3 => {
                // A crash takes the process, its state and its addresses; nobody is told.
                let router = &mut self.routers[position];
                if router.instance.is_some() {
                    router.instance = None;
                    router.holds_addresses = false;
                } else {
                    router.boot(now);
                    self.input(position, |_, _| {});
                }
            }
            4 => {
                let reason = (!self.routers[position].is_faulty)
                    .then(|| Reason::InterfaceDown { interface: "eth0".into() });
                if self.routers[position].instance.is_some() {
                    self.routers[position].is_faulty = reason.is_some();
                }
                self.input(position, |instance, now| instance.handle_fault(now, Fault::Interface, reason));
            }
            _ => {
                let weight = i32::try_from(self.random.below(100)).unwrap() - 50;
                self.input(position, |instance, now| instance.handle_weight(now, Tracker::Script(0), weight));
            }
        }
    }

    fn heal(&mut self) {
        self.loss = 0;
        self.doubling = 0;
        self.delay = DELAY;
        self.routers.iter_mut().for_each(|router| router.side = 0);
    }

    fn masters(&self) -> Vec<usize> {
        (0..self.routers.len()).filter(|position| self.routers[*position].state() == State::Master).collect()
    }

    fn effective_priority(&self, position: usize) -> Option<Priority> {
        self.routers[position].instance.as_ref()?.status().effective_priority
    }

    /// The longest time after which a healthy network must have its master.
    fn bound(&self) -> Duration {
        let interval =
            self.routers.iter().map(|router| router.settings.advert_interval).max().unwrap_or_default();
        let tolerated =
            self.routers.iter().map(|router| router.settings.preempt_delay).max().unwrap_or_default();
        let skew = interval.max(Duration::from_secs(1));
        // The last lower master may be accepted just before the delay ends, or be heard for the first time
        // an interval after the healing; then it is silent, or ignored, for the master down interval.
        tolerated + interval * 3 + skew + interval * 2 + Duration::from_millis(200)
    }
}

/// The address that a router sends from.
fn source(family: Family, last: u8) -> IpAddr {
    match family {
        Family::V4 => [10, 9, 0, last].into(),
        Family::V6 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last.into()).into(),
    }
}

/// The virtual addresses.
fn addresses(family: Family) -> Vec<IpAddr> {
    match family {
        Family::V4 => vec![[10, 9, 0, 100].into()],
        Family::V6 => ["fe80::51", "2001:db8:9::100"].map(|address| address.parse().unwrap()).to_vec(),
    }
}

fn settings(random: &mut Random, version: Version, family: Family) -> Settings {
    let advert_interval = match version {
        Version::V2 => Duration::from_secs(1),
        // Version 3 routers need not agree on it.
        Version::V3 => Duration::from_millis(random.pick(&[300, 500, 1000, 2000])),
    };
    let preempt_delay =
        if random.percent(20) { Duration::from_secs(random.below(6)) } else { Duration::ZERO };
    Settings {
        name: "VI".into(),
        interface: "eth0".into(),
        vrid: Vrid::new(51).unwrap(),
        version,
        // Few values, so that equal ones are common.
        priority: Priority(random.pick(&[50, 100, 100, 150, 200, 254])),
        advert_interval,
        start_as_master: random.percent(20),
        preempt: true,
        preempt_delay,
        // Over IPv6 there is no room for a password.
        auth: match (version, family) {
            (Version::V2, Family::V4) => Auth::Pass(*b"s3cret99"),
            _ => Auth::None,
        },
        addresses: addresses(family),
        destination: Destination::Multicast(multicast_group(family)),
        source: None,
        track_source: false,
        garp: Garp::default(),
        down_timer_adverts: Settings::DEFAULT_DOWN_TIMER_ADVERTS,
        membership: Membership::Alone,
    }
}

/// What a story ended with.
#[derive(Default)]
struct Outcome {
    had_master: bool,
    transitions: u64,
}

fn story(seed: u64) -> Outcome {
    let mut lan = Lan::new(seed);
    for position in 0..lan.routers.len() {
        let now = lan.now + lan.random.duration(Duration::from_secs(3));
        lan.run_until(now);
        lan.routers[position].boot(now);
        lan.input(position, |_, _| {});
    }
    lan.doubling = lan.random.below(10);
    let end = lan.now + TROUBLE;
    while lan.now < end {
        let pause = lan.random.duration(Duration::from_secs(4));
        lan.run_until(lan.now + pause);
        lan.trouble();
    }
    lan.heal();
    lan.run_until(lan.now + lan.bound());
    let masters = lan.masters();
    let taking_part: Vec<usize> =
        (0..lan.routers.len()).filter(|position| lan.routers[*position].takes_part()).collect();
    assert_eq!(
        masters.len(),
        taking_part.len().min(1),
        "seed {seed}: masters {masters:?} of {taking_part:?}"
    );
    if lan.routers.iter().all(|router| router.settings.preempt || router.settings.start_as_master) {
        let best = taking_part.iter().map(|position| lan.effective_priority(*position)).max();
        let master = masters.first().map(|master| lan.effective_priority(*master));
        assert_eq!(master, best, "seed {seed}: the best router is master");
    }
    let before = lan.transitions;
    lan.run_until(lan.now + WATCH);
    assert_eq!((lan.transitions, lan.masters()), (before, masters.clone()), "seed {seed}: a flap");
    Outcome { had_master: !masters.is_empty(), transitions: before }
}

#[test]
fn a_healed_lan_has_one_master_and_keeps_it() {
    let mut with_master = 0;
    let mut transitions = 0;
    for seed in 0..SEEDS {
        let outcome = story(seed);
        with_master += u64::from(outcome.had_master);
        transitions += outcome.transitions;
    }
    // The stories are worth something only when there is somebody left to be master, and when there was trouble.
    assert!(with_master > SEEDS * 7 / 10, "{with_master} of {SEEDS} stories end with a master");
    assert!(transitions > SEEDS * 10, "{transitions} transitions in {SEEDS} stories");
}

#[test]
fn a_healthy_lan_elects_without_a_flap() {
    for seed in 0..SEEDS / 3 {
        let mut lan = Lan::new(seed);
        lan.heal();
        for position in 0..lan.routers.len() {
            let now = lan.now;
            lan.routers[position].boot(now);
            lan.input(position, |_, _| {});
        }
        lan.run_until(lan.now + lan.bound());
        assert_eq!(lan.masters().len(), 1, "seed {seed}");
        let before = lan.transitions;
        lan.run_until(lan.now + WATCH);
        assert_eq!(lan.transitions, before, "seed {seed}: a flap");
    }
}
