//! How fast addresses, routes and rules that another program removes are put back.
//!
//! Somebody's mistake is mended at once. A program that removes the same again and again (two managers of
//! one address) would otherwise make the two race as fast as the kernel lets them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    time::Duration,
};

use super::Holding;
use crate::units::Time;

/// Removals of one thing within [`WINDOW`] that are answered at once.
const AT_ONCE: usize = 5;

/// The span over which removals are counted, and the quiet that ends a storm.
const WINDOW: Duration = Duration::from_secs(10);

/// Time between attempts when there is a storm, or when the kernel refuses an address.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// How to answer a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Install now.
    AtOnce,
    /// The storm begins: say so, and install after [`RETRY`].
    StormBegins,
    /// The storm goes on: install after [`RETRY`].
    Storm,
}

/// What an attempt to have everything there has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Repair {
    /// How much of what was removed is back.
    pub(super) restored: usize,
    /// An address is there that was removed, or was not there after the attempt before.
    pub(super) brought_an_address: bool,
}

/// What was removed, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Restorer {
    /// What was removed and is not back.
    removed: BTreeSet<Holding>,
    /// The addresses that were not there after the last attempt, for whatever reason.
    absent: BTreeSet<IpAddr>,
    /// One entry per line of the configuration at most: the driver reports no others.
    history: BTreeMap<Holding, History>,
}

#[derive(Clone, Debug, Default)]
struct History {
    removals: VecDeque<Time>,
    storming: bool,
}

impl Restorer {
    /// Notes that something is gone.
    pub(super) fn removed(&mut self, now: Time, what: &Holding) -> Pace {
        self.removed.insert(what.clone());
        let history = self.history.entry(what.clone()).or_default();
        if history.removals.back().is_some_and(|last| now.since(*last) >= WINDOW) {
            *history = History::default();
        }
        let crowded = history.removals.len() == AT_ONCE
            && history.removals.front().is_some_and(|first| now.since(*first) < WINDOW);
        if history.removals.len() == AT_ONCE {
            history.removals.pop_front();
        }
        history.removals.push_back(now);
        if history.storming {
            return Pace::Storm;
        }
        history.storming = crowded;
        if crowded { Pace::StormBegins } else { Pace::AtOnce }
    }

    /// Notes an attempt, after which everything is there but what is `missing`.
    pub(super) fn tried(&mut self, missing: &[Holding]) -> Repair {
        let missing: BTreeSet<&Holding> = missing.iter().collect();
        let (still, back): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut self.removed).into_iter().partition(|held| missing.contains(held));
        self.removed = still;
        let addresses = missing.into_iter().filter_map(|held| match held {
            Holding::Address(address) => Some(*address),
            Holding::Routing(_) => None,
        });
        let were_absent = std::mem::replace(&mut self.absent, addresses.collect());
        let is_address = |held: &Holding| matches!(held, Holding::Address(_));
        Repair {
            restored: back.len(),
            brought_an_address: back.iter().any(is_address) || !were_absent.is_subset(&self.absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Holding {
        Holding::Address([10, 9, 0, last].into())
    }

    #[test]
    fn the_sixth_removal_within_ten_seconds_is_a_storm_until_ten_quiet_seconds() {
        let mut restorer = Restorer::default();
        let mut at = |second| restorer.removed(Time::from_secs(second), &address(100));
        for second in 0..5 {
            assert_eq!(at(second), Pace::AtOnce);
        }
        assert_eq!(at(5), Pace::StormBegins);
        assert_eq!(at(6), Pace::Storm);
        assert_eq!(at(15), Pace::Storm);
        assert_eq!(at(25), Pace::AtOnce);
    }

    #[test]
    fn slow_removals_are_never_a_storm() {
        let mut restorer = Restorer::default();
        for attempt in 0..20 {
            assert_eq!(restorer.removed(Time::from_secs(attempt * 3), &address(100)), Pace::AtOnce);
        }
    }

    #[test]
    fn a_flush_of_many_addresses_is_not_a_storm() {
        let mut restorer = Restorer::default();
        for last in 0..200 {
            assert_eq!(restorer.removed(Time::from_secs(1), &address(last)), Pace::AtOnce);
        }
        assert_eq!(restorer.tried(&[]), Repair { restored: 200, brought_an_address: true });
        assert_eq!(restorer.tried(&[]), Repair::default());
    }

    #[test]
    fn each_that_is_refused_after_its_removal_is_back_when_it_is_back() {
        let mut restorer = Restorer::default();
        let (first, second) = (address(100), address(101));
        let absent = |missing: &[&Holding]| missing.iter().map(|held| (*held).clone()).collect::<Vec<_>>();
        restorer.tried(&absent(&[&first]));
        restorer.removed(Time::from_secs(1), &second);
        assert_eq!(restorer.tried(&absent(&[&first, &second])), Repair::default(), "neither is there");
        let back = Repair { restored: 1, brought_an_address: true };
        assert_eq!(restorer.tried(&absent(&[&first])), back, "the one that was removed");
        assert_eq!(restorer.tried(&absent(&[&first])), Repair::default());
        let set = Repair { restored: 0, brought_an_address: true };
        assert_eq!(restorer.tried(&[]), set, "the one that never was there");
    }

    #[test]
    fn a_route_that_is_back_brings_no_address() {
        let mut restorer = Restorer::default();
        let route = Holding::Routing("route 10.1.0.0/16".into());
        restorer.tried(&[]);
        restorer.removed(Time::from_secs(1), &route);
        assert_eq!(restorer.tried(std::slice::from_ref(&route)), Repair::default());
        assert_eq!(restorer.tried(&[]), Repair { restored: 1, brought_an_address: false });
    }
}
