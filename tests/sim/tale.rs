//! A whole story: everybody starts, trouble comes, the network is healed (except that it may stay partitioned), and then
//! everything has to be well, and stay so.

use std::time::Duration;

use steadfast::units::Priority;

use crate::{
    mutation::Mutation,
    story::Story,
    watch::{Invariant, Violation},
    world::{FIRST_RESULT, World},
};

/// How long everybody takes to start.
const START: Duration = Duration::from_millis(1500);
/// How long the trouble lasts, and how long it pauses at most.
const TROUBLE: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(1500);
/// The longest delay of a packet on the healthy network.
const HEALTHY_DELAY: Duration = Duration::from_millis(5);
/// How long the healthy network is watched for a change that must not come: longer than a new master needs.
const WATCH: Duration = Duration::from_secs(6);

/// What a story ended with.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) violation: Option<Violation>,
    pub(crate) masters: u64,
    pub(crate) moves: u64,
    pub(crate) packets: u64,
    /// Intact packets that were not to be believed.
    pub(crate) doubted: u64,
    /// Whether everybody believed the same routers from the healing of the network to the end.
    pub(crate) is_settled: bool,
    pub(crate) told: String,
    /// What `steadfast replay` reads.
    pub(crate) recording: String,
}

/// Tells the story of a seed.
pub(crate) fn tell(seed: u64, mutation: Option<Mutation>, story: Story) -> Outcome {
    let mut world = World::new(seed, mutation, story);
    world.start();
    world.suffer();
    world.heal();
    let distrust = world.distrust();
    // Some have only just booted.
    let bound = world.now + FIRST_RESULT + world.plan.bound();
    world.run_until(bound);
    let mut is_settled = world.distrust() == distrust;
    if is_settled {
        world.check_masters();
    }
    let moves = world.moves;
    let end = world.now + WATCH;
    world.run_until(end);
    // Hosts that prefer each other for different members of a group may take turns for ever.
    is_settled &= world.distrust() == distrust;
    if world.violation.is_none() && world.moves != moves && is_settled && !world.plan.is_mixed {
        world.violate(Invariant::Flap, format!("{} changes", world.moves - moves));
    }
    if world.violation.is_none() {
        world.check_ends();
    }
    let masters = world.groups().iter().map(|(router, side)| world.masters(*router, side).len() as u64).sum();
    let World { violation, moves, doubted, wire, story, .. } = world;
    let (told, recording) = story.into_texts();
    Outcome { seed, violation, masters, moves, packets: wire.packets, doubted, is_settled, told, recording }
}

impl World {
    fn start(&mut self) {
        let mut moments: Vec<_> =
            (0..self.hosts.len()).map(|host| (self.random.duration(START), host)).collect();
        moments.sort_unstable();
        let begin = self.now;
        for (after, host) in moments {
            self.run_until(begin + after);
            self.boot(host);
        }
        self.wire.doubling = self.random.below(10);
        self.wire.is_even = self.random.percent(50);
    }

    fn suffer(&mut self) {
        let end = self.now + TROUBLE;
        while self.now < end && self.violation.is_none() {
            let pause = self.random.duration(PAUSE);
            self.run_until(self.now + pause);
            self.trouble();
        }
        // Whoever is held up comes to itself before it is judged.
        let free = self.hosts.iter().map(|host| host.stalled_until).max().unwrap_or_default();
        self.run_until(free.max(self.now));
    }

    fn heal(&mut self) {
        self.wire.heal(HEALTHY_DELAY);
        if self.mutation == Some(Mutation::NetworkGone) {
            self.wire.loss = 100;
        }
        if self.random.percent(75) {
            self.wire.sides.fill(0);
        }
        for host in 0..self.hosts.len() {
            if !self.hosts[host].is_running && self.random.percent(50) {
                self.boot(host);
            }
        }
        for host in 0..self.hosts.len() {
            self.correct_clock(host, self.plan.hosts[host].wall);
        }
        let (now, sides) = (self.now, self.wire.sides.clone());
        self.story.line(now, format_args!("the network is healthy, with the sides {sides:?}"));
    }

    /// Whether a host believes what another says of a router.
    fn trusts(&self, router: usize, host: usize, other: usize) -> bool {
        let belief = |host: usize| {
            (self.hosts[host].nodes[router].watch.belief(), self.hosts[host].clock.local(self.now))
        };
        let ((ours, now), (theirs, others_now)) = (belief(host), belief(other));
        ours.trusts(now, theirs, (self.plan.routers[router].source(other), others_now))
    }

    /// Who of those on one side does not believe whom, for each router.
    fn distrust(&self) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (router, side) in self.groups() {
            for host in side.iter().filter(|host| self.hosts[**host].is_running) {
                let others = side.iter().filter(|other| *other != host && self.hosts[**other].is_running);
                let doubted = others.filter(|other| !self.trusts(router, *host, **other));
                found.extend(doubted.map(|other| (router, *host, *other)));
            }
        }
        found
    }

    /// Each virtual router on each side of the network, with the hosts there.
    fn groups(&self) -> Vec<(usize, Vec<usize>)> {
        let mut sides = self.wire.sides.clone();
        sides.sort_unstable();
        sides.dedup();
        let hosts =
            |side: &u64| (0..self.hosts.len()).filter(|host| self.wire.sides[*host] == *side).collect();
        let sides: Vec<Vec<usize>> = sides.iter().map(hosts).collect();
        let on_all = |router| sides.iter().map(move |side: &Vec<usize>| (router, side.clone()));
        (0..self.plan.routers.len()).flat_map(on_all).collect()
    }

    fn masters(&self, router: usize, side: &[usize]) -> Vec<usize> {
        let is_master = |host: &&usize| self.state(**host, router) == steadfast::registry::State::Master;
        side.iter().filter(is_master).copied().collect()
    }

    /// One master for each virtual router on each side, and the best one where all preempt.
    fn check_masters(&mut self) {
        for (router, side) in self.groups() {
            if self.violation.is_some() {
                return;
            }
            let able: Vec<usize> =
                side.iter().copied().filter(|host| self.takes_part(*host, router)).collect();
            let masters = self.masters(router, &side);
            if let Err((invariant, text)) = self.check_election(router, &able, &masters) {
                let text = format!("router {router}: masters {masters:?} of {able:?}: {text}");
                self.violate(invariant, text);
            }
        }
    }

    /// No master believes a better one, and whoever is not master believes one that is. Where all believe each other, that
    /// is one master.
    fn check_election(&self, router: usize, able: &[usize], masters: &[usize]) -> Result<(), Violation> {
        let rank = |host: usize| (self.priority(host, router), self.plan.routers[router].source(host));
        for master in masters {
            let better =
                masters.iter().find(|one| rank(**one) > rank(*master) && self.trusts(router, *master, **one));
            if better.is_some() || !able.contains(master) {
                return Err((Invariant::OneMaster, format!("{master} should not be, because of {better:?}")));
            }
        }
        let others = || able.iter().filter(|host| !masters.contains(host));
        let followed =
            |host: usize| masters.iter().copied().filter(move |master| self.trusts(router, host, *master));
        // Members that prefer different routers, or do not hear the same ones, may wait for one another.
        let may_lack = self.plan.is_member(router) && (self.plan.is_mixed || !self.distrust().is_empty());
        if let Some(alone) = others().find(|host| !may_lack && followed(**host).next().is_none()) {
            return Err((Invariant::OneMaster, format!("{alone} follows nobody")));
        }
        let best_wins = self.plan.best_wins(router) && !may_lack;
        let priority = |host: usize| self.priority(host, router);
        match others().find(|host| followed(**host).map(priority).max() < Some(priority(**host))) {
            Some(better) if best_wins => Err((Invariant::Best, format!("{better} is better"))),
            _ => Ok(()),
        }
    }

    fn check_ends(&mut self) {
        for host in 0..self.hosts.len() {
            for router in 0..self.plan.routers.len() {
                let now = self.hosts[host].clock.local(self.now);
                let node = &self.hosts[host].nodes[router];
                let late = node.watch.check_late_at(now);
                let quiet = node.watch.check_says_enough(now, node.settings.advert_interval);
                if let Err((invariant, text)) = late.and(quiet) {
                    let text = format!("{}: {text}", node.settings.name);
                    self.notice(invariant, text);
                }
            }
        }
    }

    /// Whether a router can be master: it and the other members of its group run and nothing is wrong with them.
    fn takes_part(&self, host: usize, router: usize) -> bool {
        let routers = if self.plan.is_member(router) { self.plan.group.clone() } else { vec![router] };
        let is_able = |router: &usize| !self.hosts[host].nodes[*router].watch.is_held();
        self.hosts[host].is_running && routers.iter().all(is_able)
    }

    fn priority(&self, host: usize, router: usize) -> Option<Priority> {
        self.hosts[host].nodes[router].machine.as_ref()?.status().effective_priority
    }
}
