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

/// What an attempt to have everything there has mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repair {
    /// Something had been removed since the attempt before.
    pub(super) was_due: bool,
    /// How much is back.
    pub(super) restored: usize,
}

/// What was removed, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Restorer {
    /// What was removed since the last attempt, by the words for people.
    missing: BTreeSet<String>,
    /// What was removed and may not have come back with the attempt after it.
    refused: BTreeSet<String>,
    /// The last attempt did not bring everything.
    incomplete: bool,
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
        self.refused.remove(what);
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

    /// Notes an attempt, after which everything is there or not.
    ///
    /// The kernel may refuse one thing for hours: where that was known, what was removed meanwhile is taken to be back.
    /// Where everything had been there, it is among the removed; these are back when everything is.
    pub(super) fn tried(&mut self, all_set: bool) -> Repair {
        let removed = std::mem::take(&mut self.missing);
        let was_due = !removed.is_empty();
        let was_incomplete = std::mem::replace(&mut self.incomplete, !all_set);
        let restored = if all_set {
            removed.len() + std::mem::take(&mut self.refused).len()
        } else if was_incomplete {
            removed.len()
        } else {
            self.refused.extend(removed);
            0
        };
        Repair { was_due, restored }
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
        assert_eq!(restorer.tried(true), Repair { was_due: true, restored: 200 });
        assert_eq!(restorer.tried(true), Repair { was_due: false, restored: 0 });
    }

    #[test]
    fn what_is_refused_after_its_removal_is_back_when_everything_is() {
        let mut restorer = Restorer::default();
        restorer.tried(true);
        restorer.removed(Time::from_secs(1), ADDRESS);
        assert_eq!(restorer.tried(false), Repair { was_due: true, restored: 0 });
        assert_eq!(restorer.tried(false), Repair { was_due: false, restored: 0 });
        assert_eq!(restorer.tried(true), Repair { was_due: false, restored: 1 });
    }
}
