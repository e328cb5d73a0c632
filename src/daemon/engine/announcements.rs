//! Gratuitous ARP still to be sent: in small portions, so that no number of addresses holds up an advertisement.

use std::collections::VecDeque;

/// The announcements, oldest first; at most one per router.
#[derive(Debug, Default)]
pub(super) struct Announcements(VecDeque<Announcement>);

#[derive(Clone, Copy, Debug)]
struct Announcement {
    router: usize,
    /// Rounds over all addresses, this one included.
    rounds: u32,
    /// The address to go on with.
    slot: usize,
}

impl Announcements {
    /// Has every address of a router announced `rounds` times. What was left of an earlier announcement of it is
    /// part of this one.
    pub(super) fn add(&mut self, router: usize, rounds: u32) {
        if rounds == 0 {
            return;
        }
        match self.0.iter_mut().find(|known| known.router == router) {
            Some(known) => *known = Announcement { router, rounds: rounds.max(known.rounds), slot: 0 },
            None => self.0.push_back(Announcement { router, rounds, slot: 0 }),
        }
    }

    /// Forgets what is left for a router: it gives its addresses up.
    pub(super) fn cancel(&mut self, router: usize) {
        self.0.retain(|known| known.router != router);
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next address to announce, as router and slot: all addresses of a router once, then all again. `count`
    /// says how many addresses a router has.
    pub(super) fn next(&mut self, count: impl Fn(usize) -> usize) -> Option<(usize, usize)> {
        loop {
            let first = self.0.front_mut()?;
            if first.slot < count(first.router) {
                first.slot += 1;
                return Some((first.router, first.slot - 1));
            }
            first.rounds -= 1;
            first.slot = 0;
            if first.rounds == 0 || count(first.router) == 0 {
                self.0.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(announcements: &mut Announcements) -> Vec<(usize, usize)> {
        std::iter::from_fn(|| announcements.next(|router| [2, 0, 1][router])).collect()
    }

    #[test]
    fn all_addresses_come_once_and_then_again() {
        let mut announcements = Announcements::default();
        announcements.add(0, 2);
        announcements.add(1, 3);
        announcements.add(2, 1);
        assert_eq!(all(&mut announcements), [(0, 0), (0, 1), (0, 0), (0, 1), (2, 0)]);
        assert!(announcements.is_empty());
    }

    #[test]
    fn announcing_again_starts_over_and_does_not_pile_up() {
        let mut announcements = Announcements::default();
        announcements.add(0, 5);
        assert_eq!(announcements.next(|_| 2), Some((0, 0)));
        for _ in 0..1000 {
            announcements.add(0, 1);
        }
        assert_eq!(all(&mut announcements).len(), 10);
    }

    #[test]
    fn a_router_that_gives_its_addresses_up_announces_none() {
        let mut announcements = Announcements::default();
        announcements.add(0, 5);
        announcements.add(2, 1);
        announcements.cancel(0);
        assert_eq!(all(&mut announcements), [(2, 0)]);
    }
}
