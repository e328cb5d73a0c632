//! Which router's timer is next: O(log n) to change, O(1) to ask, with thousands of routers.

use std::collections::BTreeSet;

use crate::units::Time;

/// One optional deadline per router.
#[derive(Debug, Default)]
pub(super) struct Timers {
    current: Vec<Option<Time>>,
    ordered: BTreeSet<(Time, usize)>,
}

impl Timers {
    /// Room for `routers` deadlines, none set.
    pub(super) fn new(routers: usize) -> Self {
        Self { current: vec![None; routers], ordered: BTreeSet::new() }
    }

    /// The deadline of a router.
    pub(super) fn get(&self, router: usize) -> Option<Time> {
        self.current.get(router).copied().flatten()
    }

    /// Replaces the deadline of a router.
    pub(super) fn set(&mut self, router: usize, deadline: Option<Time>) {
        let before = std::mem::replace(&mut self.current[router], deadline);
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.ordered.remove(&(before, router));
        }
        if let Some(deadline) = deadline {
            self.ordered.insert((deadline, router));
        }
    }

    /// The earliest deadline of all.
    pub(super) fn next(&self) -> Option<Time> {
        self.ordered.first().map(|(deadline, _)| *deadline)
    }

    /// A router whose deadline has come, the most overdue first.
    pub(super) fn due(&self, now: Time) -> Option<usize> {
        self.ordered.first().filter(|(deadline, _)| *deadline <= now).map(|(_, router)| *router)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_overdue_router_comes_first() {
        let mut timers = Timers::new(3);
        timers.set(0, Some(Time::from_secs(30)));
        timers.set(1, Some(Time::from_secs(10)));
        timers.set(2, Some(Time::from_secs(20)));
        timers.set(1, Some(Time::from_secs(25)));
        assert_eq!(timers.next(), Some(Time::from_secs(20)));
        assert_eq!(timers.due(Time::from_secs(19)), None);
        assert_eq!(timers.due(Time::from_secs(40)), Some(2));
        timers.set(2, None);
        assert_eq!(timers.due(Time::from_secs(40)), Some(1));
    }
}
