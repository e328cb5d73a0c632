//! Advertisements leave when they are due: in what order, and what else may be done meanwhile.
//!
//! Thousands of virtual routers that became MASTER together advertise together ever after, and to send that much takes several
//! milliseconds. Who advertises every second is not missed so soon; who does so every hundredth of a second has used a good part of
//! its peers' patience by then. So the hasty ones have their turn after every portion of the others.

use std::time::Duration;

use super::{Engine, timers::Timers, turn::PORTION};
use crate::{kernel::clock, units::Time};

/// Who advertises more often than this does not wait for many others.
const HASTE: Duration = Duration::from_millis(100);

/// When each MASTER advertises next.
#[derive(Debug)]
pub(super) struct Adverts {
    /// Those with an `advert_int` below [`HASTE`].
    hasty: Timers,
    others: Timers,
}

impl Adverts {
    /// Room for so many routers, none of which is MASTER.
    pub(super) fn new(routers: usize) -> Self {
        Self { hasty: Timers::new(routers), others: Timers::new(routers) }
    }

    /// Replaces the deadline of a router with this `advert_int`; `None` when it is not MASTER.
    pub(super) fn set(&mut self, router: usize, deadline: Option<Time>, interval: Duration) {
        let is_hasty = interval < HASTE;
        self.hasty.set(router, deadline.filter(|_| is_hasty));
        self.others.set(router, deadline.filter(|_| !is_hasty));
    }

    /// The earliest deadline of all.
    pub(super) fn next(&self) -> Option<Time> {
        [self.hasty.next(), self.others.next()].into_iter().flatten().min()
    }

    /// A router whose deadline has come: a hasty one if there is one, and the most overdue first.
    fn due(&self, now: Time) -> Option<usize> {
        self.hasty.due(now).or_else(|| self.others.due(now))
    }
}

impl Engine {
    /// Has every MASTER do what is due by now, and sends it.
    pub(super) fn advertise(&mut self) {
        let mut now = clock::now();
        let due = self.adverts.next().filter(|due| *due <= now);
        self.real_time.note(due, now);
        // Two rounds at the most: a timer that is always due must not keep the rest waiting.
        for done in 1..=2 * self.routers.len() {
            let Some(number) = self.adverts.due(now) else { break };
            self.expire(number, now);
            // Where nobody is in haste all of them leave in a few system calls.
            if done % PORTION == 0 && self.adverts.hasty.next().is_some() {
                self.flush();
                now = clock::now();
            }
        }
        self.flush();
        if let Some(due) = due {
            self.note_lag(due);
        }
    }

    /// Has what is due leave amid work for many routers, after the one of that number in a row.
    pub(super) fn advertise_amid(&mut self, done: usize) {
        if done % PORTION == PORTION - 1 && self.has_started() {
            self.advertise();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_haste_comes_before_others_that_are_more_overdue() {
        let at = |millis| Some(Time(Duration::from_millis(millis)));
        let second = Duration::from_secs(1);
        let mut adverts = Adverts::new(3);
        adverts.set(0, at(3000), second);
        adverts.set(1, at(3002), second);
        adverts.set(2, at(3004), HASTE / 10);
        let now = |millis| Time(Duration::from_millis(millis));
        assert_eq!(adverts.next(), at(3000));
        assert_eq!(adverts.due(now(2999)), None);
        assert_eq!(adverts.due(now(3003)), Some(0));
        assert_eq!(adverts.due(now(3004)), Some(2));
        adverts.set(2, at(3014), HASTE / 10);
        assert_eq!(adverts.due(now(3004)), Some(0));
        adverts.set(0, at(4000), second);
        assert_eq!(adverts.due(now(3004)), Some(1));
    }

    #[test]
    fn who_is_no_master_any_more_or_has_another_interval_counts_once() {
        let at = Some(Time::from_secs(1));
        let mut adverts = Adverts::new(1);
        adverts.set(0, at, HASTE / 2);
        adverts.set(0, at, HASTE);
        assert_eq!((adverts.hasty.next(), adverts.others.next()), (None, at));
        adverts.set(0, None, HASTE);
        assert_eq!(adverts.next(), None);
    }
}
