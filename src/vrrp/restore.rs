//! How fast addresses, routes and rules that another program removes are put back.
//!
//! Somebody's mistake is mended at once. A program that removes the same again and again (two managers of
//! one address) would otherwise make the two race as fast as the kernel lets them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

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

/// What was removed, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Restorer {
    /// By the words for people.
    missing: BTreeSet<String>,
    /// One entry per line of the configuration at most: the driver reports no others.
    history: BTreeMap<String, History>,
}

#[derive(Clone, Debug, Default)]
struct History {
    removals: VecDeque<Time>,
    storming: bool,
}

impl Restorer {
    /// Notes that something is gone.
    pub(super) fn removed(&mut self, now: Time, what: &str) -> Pace {
        self.missing.insert(what.to_owned());
        let history = self.history.entry(what.to_owned()).or_default();
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

    /// Everything is back; returns how much that was.
    pub(super) fn restored(&mut self) -> usize {
        std::mem::take(&mut self.missing).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "address 10.9.0.100";

    #[test]
    fn the_sixth_removal_within_ten_seconds_is_a_storm_until_ten_quiet_seconds() {
        let mut restorer = Restorer::default();
        let mut at = |second| restorer.removed(Time::from_secs(second), ADDRESS);
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
            assert_eq!(restorer.removed(Time::from_secs(attempt * 3), ADDRESS), Pace::AtOnce);
        }
    }

    #[test]
    fn a_flush_of_many_addresses_is_not_a_storm() {
        let mut restorer = Restorer::default();
        for last in 0..200 {
            assert_eq!(restorer.removed(Time::from_secs(1), &format!("address 10.9.0.{last}")), Pace::AtOnce);
        }
        assert_eq!(restorer.restored(), 200);
        assert_eq!(restorer.restored(), 0);
    }
}
