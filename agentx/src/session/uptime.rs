//! The master's sysUpTime, at any moment.

use std::time::Duration;

/// Tells the sysUpTime of the master that a moment of our monotonic clock had. It is learnt from the Responses
/// of the master, the only place where a subagent sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// When sysUpTime was 0, in microseconds of our clock; negative when that is older than our clock.
    origin: i64,
}

/// Microseconds in a TimeTick.
const TICK: i64 = 10_000;

/// An origin that comes out this much later than before is another one: the master's sysUpTime wrapped, or its
/// clock and ours drift.
const ANOTHER: i64 = 1_000_000;

impl Uptime {
    /// What a Response that arrived at `now` tells.
    #[must_use]
    pub fn learn(now: Duration, sys_up_time: u32) -> Self {
        Self { origin: micros(now) - i64::from(sys_up_time) * TICK }
    }

    /// Takes another Response into account. The time it travelled and the master's rounding make the origin look
    /// later, never earlier, so the earliest is the best; and sysUpTime never runs backwards between two
    /// notifications.
    #[must_use]
    pub fn refine(self, now: Duration, sys_up_time: u32) -> Self {
        let new = Self::learn(now, sys_up_time);
        if (0..=ANOTHER).contains(&(new.origin - self.origin)) { self } else { new }
    }

    /// sysUpTime at `at`, in TimeTicks: 0 for what happened before the master started.
    #[must_use]
    pub fn at(self, at: Duration) -> u32 {
        let ticks = (micros(at) - self.origin).max(0) / TICK;
        // It wraps, as sysUpTime does after 497 days.
        u32::try_from(ticks & i64::from(u32::MAX)).unwrap_or(0)
    }
}

fn micros(time: Duration) -> i64 {
    // 292,000 years fit.
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn tells_the_uptime_of_the_event_not_of_the_answer() {
        let uptime = Uptime::learn(s(1000), 5000);
        assert_eq!(uptime.at(s(1000)), 5000);
        assert_eq!(uptime.at(s(990)), 4000);
        assert_eq!(uptime.at(s(1001)), 5100);
    }

    #[test]
    fn an_event_before_the_master_started_has_uptime_zero() {
        assert_eq!(Uptime::learn(s(1000), 500).at(s(10)), 0);
    }

    #[test]
    fn a_late_answer_moves_nothing_and_a_restart_does() {
        let uptime = Uptime::learn(s(1000), 5000);
        assert_eq!(uptime.refine(s(1011), 6000 + 50), uptime, "half a second late");
        assert_eq!(uptime.refine(s(1010), 6001).at(s(1010)), 6001, "a better estimate");
        assert_eq!(uptime.refine(s(1010), 3).at(s(1010)), 3, "wrapped");
    }

    #[test]
    fn wraps_with_the_masters() {
        let uptime = Uptime::learn(s(1000), u32::MAX);
        assert_eq!(uptime.at(s(1000) + Duration::from_millis(10)), 0);
    }
}
