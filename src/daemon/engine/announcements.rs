//! Gratuitous ARP and neighbour advertisements still to be sent: in small portions, so that no number of addresses holds
//! up an advertisement, and on paced interfaces (`garp_interval`, `gna_interval`, `garp_group`) one at a time.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use super::paces::Paces;
use crate::units::Time;

/// How long announcements give way to routers that are about to become MASTER.
const GIVES_WAY: Duration = Duration::from_millis(25);

/// The announcements.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// The first one is not paced.
    queues: Vec<Queue>,
    paces: Paces,
    /// Others go first.
    gives_way: bool,
    /// When they last did not.
    went_on_at: Time,
}

/// Announcements that wait for each other, oldest first; at most one per router.
#[derive(Debug)]
struct Queue {
    gap: Duration,
    /// When the next one may leave.
    free_at: Time,
    waiting: VecDeque<Announcement>,
    /// Whose they are.
    routers: HashSet<usize>,
}

#[derive(Debug)]
struct Announcement {
    router: usize,
    /// Rounds over all addresses, this one included.
    rounds: u32,
    slots: Vec<usize>,
    /// The place in the list to go on with.
    next: usize,
}

impl Announcements {
    /// Nothing to send yet.
    pub(super) fn new(paces: Paces) -> Self {
        let queues = paces.gaps().iter().map(|gap| Queue::new(*gap)).collect();
        Self { queues, paces, ..Self::default() }
    }

    /// After a reload: with other paces. What is still to be sent for routers that go on with the same addresses is sent;
    /// `whereto` says their new number, and whether they hold other things.
    pub(super) fn follow(self, paces: Paces, whereto: impl Fn(usize) -> Option<(usize, bool)>) -> Self {
        let mut next = Self::new(paces);
        for Queue { free_at, waiting, .. } in self.queues {
            for known in waiting {
                let Some((router, false)) = whereto(known.router) else { continue };
                let Some(slot) = known.slots.first() else { continue };
                let queue = &mut next.queues[next.paces.queue(router, *slot)];
                queue.free_at = queue.free_at.max(free_at);
                queue.push(Announcement { router, ..known });
            }
        }
        next
    }

    /// Has every address of a router announced `rounds` times. What was left of an earlier announcement of it is
    /// part of this one.
    pub(super) fn add(&mut self, router: usize, rounds: u32) {
        self.add_slots(router, rounds, |_| true);
    }

    /// The same for some of its addresses, by their slots.
    pub(super) fn add_slots(&mut self, router: usize, rounds: u32, fits: impl Fn(usize) -> bool) {
        if rounds == 0 {
            return;
        }
        for (number, queue) in self.queues.iter_mut().enumerate() {
            let slots = (0..self.paces.slots(router))
                .filter(|slot| self.paces.queue(router, *slot) == number && fits(*slot))
                .collect();
            queue.add(router, rounds, slots);
        }
    }

    /// Forgets what is left for a router: it gives its addresses up.
    pub(super) fn cancel(&mut self, router: usize) {
        for queue in &mut self.queues {
            queue.cancel(router);
        }
    }

    /// Where many are about to become MASTER, the first advertisement of each comes before the announcements of others, for
    /// a while. Returns whether announcements wait.
    pub(super) fn give_way(&mut self, now: Time, to_others: bool) -> bool {
        self.gives_way = to_others && now < self.went_on_at + GIVES_WAY;
        if !self.gives_way {
            self.went_on_at = now;
        }
        self.gives_way
    }

    /// Whether nothing may leave now.
    pub(super) fn is_idle(&self, now: Time) -> bool {
        self.gives_way || self.queues.iter().all(|queue| queue.waiting.is_empty() || now < queue.free_at)
    }

    /// When the next one may leave that has to wait.
    pub(super) fn deadline(&self) -> Option<Time> {
        let paced = self.queues.iter().filter(|queue| !queue.waiting.is_empty() && !queue.gap.is_zero());
        paced.map(|queue| queue.free_at).min()
    }

    /// The next address to announce, as router and slot: all addresses of a router once, then all again.
    pub(super) fn next(&mut self, now: Time) -> Option<(usize, usize)> {
        self.queues.iter_mut().find_map(|queue| queue.next(now))
    }
}

impl Queue {
    fn new(gap: Duration) -> Self {
        Self { gap, free_at: Time::default(), waiting: VecDeque::new(), routers: HashSet::new() }
    }

    fn push(&mut self, announcement: Announcement) {
        self.routers.insert(announcement.router);
        self.waiting.push_back(announcement);
    }

    fn cancel(&mut self, router: usize) {
        if self.routers.remove(&router) {
            self.waiting.retain(|known| known.router != router);
        }
    }

    fn add(&mut self, router: usize, rounds: u32, slots: Vec<usize>) {
        if slots.is_empty() {
            return;
        }
        // Thousands wait at once, and each of them is added once.
        let is_known = self.routers.contains(&router);
        let known = is_known.then(|| self.waiting.iter_mut().find(|known| known.router == router));
        match known.flatten() {
            // Those that are waiting anyway need not be announced once more.
            Some(known) if known.slots.len() > slots.len() => {}
            Some(known) => {
                *known = Announcement { router, rounds: rounds.max(known.rounds), slots, next: 0 };
            }
            None => self.push(Announcement { router, rounds, slots, next: 0 }),
        }
    }

    fn next(&mut self, now: Time) -> Option<(usize, usize)> {
        if now < self.free_at {
            return None;
        }
        let first = self.waiting.front_mut()?;
        let found = (first.router, *first.slots.get(first.next)?);
        first.next += 1;
        if first.next == first.slots.len() {
            first.next = 0;
            first.rounds -= 1;
            if first.rounds == 0 {
                self.routers.remove(&first.router);
                self.waiting.pop_front();
            }
        }
        self.free_at = now + self.gap;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three routers with two, none and one address, on queues with these gaps.
    fn announcements(gaps: &[u64], queues: [Vec<usize>; 3]) -> Announcements {
        let gaps = gaps.iter().map(|gap| Duration::from_millis(*gap)).collect();
        Announcements::new(Paces::new(gaps, queues.into()))
    }

    fn unpaced() -> Announcements {
        announcements(&[0], [vec![0, 0], vec![], vec![0]])
    }

    fn all(announcements: &mut Announcements) -> Vec<(usize, usize)> {
        std::iter::from_fn(|| announcements.next(Time::default())).collect()
    }

    #[test]
    fn all_addresses_come_once_and_then_again() {
        let mut announcements = unpaced();
        announcements.add(0, 2);
        announcements.add(1, 3);
        announcements.add(2, 1);
        assert_eq!(all(&mut announcements), [(0, 0), (0, 1), (0, 0), (0, 1), (2, 0)]);
        assert!(announcements.is_idle(Time::default()));
    }

    #[test]
    fn announcing_again_starts_over_and_does_not_pile_up() {
        let mut announcements = unpaced();
        announcements.add(0, 5);
        assert_eq!(announcements.next(Time::default()), Some((0, 0)));
        for _ in 0..1000 {
            announcements.add(0, 1);
        }
        assert_eq!(all(&mut announcements).len(), 10);
    }

    #[test]
    fn a_router_that_gives_its_addresses_up_announces_none() {
        let mut announcements = unpaced();
        announcements.add(0, 5);
        announcements.add(2, 1);
        announcements.cancel(0);
        assert_eq!(all(&mut announcements), [(2, 0)]);
    }

    #[test]
    fn announcements_give_way_for_a_while_only() {
        let mut announcements = unpaced();
        announcements.add(0, 1);
        let at = |ms| Time(Duration::from_millis(ms));
        let crowded = [1_000, 1_001, 1_024, 1_025, 1_026].map(|ms| announcements.give_way(at(ms), true));
        assert_eq!(crowded, [false, true, true, false, true]);
        assert!(announcements.is_idle(at(1_026)));
        assert!(!announcements.give_way(at(1_027), false), "nobody else is there");
        assert!(!announcements.is_idle(at(1_027)));
    }

    #[test]
    fn some_addresses_are_part_of_all() {
        let mut announcements = unpaced();
        announcements.add_slots(0, 1, |slot| slot == 1);
        assert_eq!(all(&mut announcements), [(0, 1)]);
        announcements.add(0, 1);
        announcements.add_slots(0, 1, |slot| slot == 1);
        assert_eq!(all(&mut announcements), [(0, 0), (0, 1)]);
    }

    #[test]
    fn a_paced_interface_holds_up_no_other() {
        // The second address of router 0, and that of router 2, share a gap of 100 ms.
        let mut announcements = announcements(&[0, 100], [vec![0, 1], vec![], vec![1]]);
        announcements.add(0, 2);
        announcements.add(2, 1);
        let at = |ms| Time(Duration::from_millis(ms));
        let mut sent = Vec::new();
        let mut now = at(1_000);
        loop {
            while let Some((router, slot)) = announcements.next(now) {
                sent.push((now.0.as_millis(), router, slot));
            }
            match announcements.deadline() {
                Some(next) => now = next,
                None => break,
            }
        }
        let paced = [(1_000, 0, 1), (1_100, 0, 1), (1_200, 2, 0)];
        assert_eq!(sent, [[(1_000, 0, 0), (1_000, 0, 0)].as_slice(), &paced].concat());
        announcements.add(2, 1);
        assert!(announcements.is_idle(at(1_299)));
        assert!(!announcements.is_idle(at(1_300)));
    }
}
