//! The timers of an instance: one table, set, stopped and asked for the next.

use std::time::Duration;

use crate::units::Time;

/// What an instance waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// BACKUP: the master has been silent for so long that this router takes over (Active_Down_Timer).
    MasterDown,
    /// MASTER: the next advertisement is due (Adver_Timer).
    Advert,
    /// MASTER: the second burst of gratuitous ARP (`garp_master_delay`).
    GarpBurst,
    /// MASTER: the periodic gratuitous ARP (`garp_master_refresh`).
    GarpRefresh,
    /// MASTER: the second burst after an advertisement of lower priority (`garp_lower_prio_delay`).
    GarpLowerPriority,
    /// MASTER: the periodic gratuitous ARP on other interfaces (`garp_extra_if`).
    GarpExtra,
    /// MASTER: try again to install addresses that are missing.
    InstallRetry,
    /// MASTER: a router that also claimed to be has been silent for so long that it does no more.
    ContestOver,
    /// Not MASTER yet: a mastership of the process before can no longer be gone on with.
    ResumeOver,
}

impl Timer {
    /// Every timer, in the order in which they are declared; of two that are due at once the earlier one here
    /// goes first.
    const ALL: [Self; 9] = [
        Self::MasterDown,
        Self::Advert,
        Self::GarpBurst,
        Self::GarpRefresh,
        Self::GarpLowerPriority,
        Self::GarpExtra,
        Self::InstallRetry,
        Self::ContestOver,
        Self::ResumeOver,
    ];
}

/// When each timer expires.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers([Option<Time>; Timer::ALL.len()]);

impl Timers {
    /// (Re)starts `timer`.
    pub(super) fn set(&mut self, timer: Timer, at: Time) {
        self.0[timer as usize] = Some(at);
    }

    /// Stops `timer`, if it runs.
    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// Stops every timer.
    pub(super) fn stop_all(&mut self) {
        *self = Self::default();
    }

    /// When `timer` expires, if it runs.
    pub(super) fn get(&self, timer: Timer) -> Option<Time> {
        self.0[timer as usize]
    }

    /// The earliest expiry.
    pub(super) fn next(&self) -> Option<Time> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the earliest timer that is due and returns it with the time it was due at.
    pub(super) fn expire(&mut self, now: Time) -> Option<(Timer, Time)> {
        let mut first: Option<(Timer, Time)> = None;
        for timer in Timer::ALL {
            let due = self.get(timer).filter(|due| *due <= now);
            if let Some(due) = due
                && first.is_none_or(|(_, earliest)| due < earliest)
            {
                first = Some((timer, due));
            }
        }
        self.stop(first?.0);
        first
    }
}

/// When a period that was `due` is due next: on its own grid, so that it never drifts, and after `now`, so that
/// a stall does not end in a burst. `period` must not be zero.
pub(super) fn next_period(due: Time, period: Duration, now: Time) -> Time {
    let next = due + period;
    if next > now {
        return next;
    }
    let into = now.since(due).as_nanos() % period.as_nanos();
    // A remainder of the period, which is far below 2^64 ns.
    now - Duration::from_nanos(u64::try_from(into).unwrap_or(0)) + period
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_timer_expires_first_and_once() {
        let mut timers = Timers::default();
        timers.set(Timer::GarpBurst, Time::from_secs(2));
        timers.set(Timer::Advert, Time::from_secs(1));
        assert_eq!(timers.next(), Some(Time::from_secs(1)));
        assert_eq!(timers.expire(Time::default()), None);
        assert_eq!(timers.expire(Time::from_secs(5)), Some((Timer::Advert, Time::from_secs(1))));
        assert_eq!(timers.expire(Time::from_secs(5)), Some((Timer::GarpBurst, Time::from_secs(2))));
        assert_eq!(timers.expire(Time::from_secs(5)), None);
    }

    #[test]
    fn every_timer_has_its_own_cell() {
        for (position, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, position);
        }
    }

    #[test]
    fn a_period_stays_on_its_grid_after_a_stall() {
        let period = Duration::from_millis(300);
        let due = Time::from_secs(1);
        let next = |now_ms| next_period(due, period, Time(Duration::from_millis(now_ms))).0.as_millis();
        assert_eq!(next(1000), 1300);
        assert_eq!(next(1299), 1300);
        assert_eq!(next(1300), 1600);
        assert_eq!(next(2000), 2200);
    }
}
