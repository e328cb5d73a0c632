//! Which rejected packets readers are told of one by one. Whoever can send one can send a million: each router has one of
//! each kind told a minute, and all of them together one every ten seconds after a burst.

use std::{collections::HashMap, time::Duration};

use super::Engine;
use crate::{
    registry::Counter,
    units::{Allowance, Time},
};

/// From one of a kind of a router to the next.
const PACE: Duration = Duration::from_secs(60);
/// In a row, over all routers.
const BURST: u32 = 32;
/// From one to the next after that, over all routers.
const PACE_OF_ALL: Duration = Duration::from_secs(10);

/// Lets few through.
#[derive(Debug)]
pub(super) struct Sieve {
    /// When the last one of a router and kind was told.
    told: HashMap<(usize, Counter), Time>,
    all: Allowance,
}

impl Default for Sieve {
    fn default() -> Self {
        Self { told: HashMap::new(), all: Allowance::new(BURST, PACE_OF_ALL) }
    }
}

impl Sieve {
    /// Whether one of a router and kind is told.
    fn admit(&mut self, now: Time, router: usize, error: Counter) -> bool {
        let key = (router, error);
        if self.told.get(&key).is_some_and(|told| now.since(*told) < PACE) || !self.all.take(now) {
            return false;
        }
        self.told.insert(key, now);
        true
    }
}

impl Engine {
    /// Tells of the packet that a router has just rejected, if it has, and not of every one.
    pub(super) fn tell_of_rejection(&mut self, number: usize, now: Time) {
        let router = &mut self.routers[number];
        let Some((sender, error)) = router.machine.poll_rejected() else { return };
        if !error.is_told() {
            return;
        }
        if self.sieve.admit(now, number, error) {
            self.registry.rejections.publish(now, router.row.index, (sender, error));
        } else {
            self.registry.rejections.leave_out(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flood(sieve: &mut Sieve, at: Time, routers: usize, kind: Counter) -> usize {
        let packets = (0..10_000).filter(|packet| sieve.admit(at, packet % routers, kind));
        packets.count()
    }

    #[test]
    fn of_a_flood_for_one_router_one_a_minute_of_each_kind_is_told() {
        let mut sieve = Sieve::default();
        let start = Time::from_secs(1_000);
        for kind in [Counter::TtlError, Counter::AuthFailure] {
            assert_eq!(flood(&mut sieve, start, 1, kind), 1);
            assert_eq!(flood(&mut sieve, start + PACE - Duration::from_nanos(1), 1, kind), 0);
            assert_eq!(flood(&mut sieve, start + PACE, 1, kind), 1);
        }
    }

    #[test]
    fn of_a_flood_for_all_routers_few_are_told() {
        let mut sieve = Sieve::default();
        let start = Time::from_secs(1_000);
        assert_eq!(flood(&mut sieve, start, 2_000, Counter::TtlError), 32);
        let later = (1..=60).map(|second| {
            flood(&mut sieve, start + Duration::from_secs(second), 2_000, Counter::ChecksumError)
        });
        assert_eq!(later.sum::<usize>(), 6, "in a minute");
        assert!(sieve.told.len() <= 38, "{}", sieve.told.len());
    }
}
