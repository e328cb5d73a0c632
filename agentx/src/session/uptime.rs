//! The master's sysUpTime, at any moment.

use std::time::Duration;

/// Tells the sysUpTime of the master that a moment of our monotonic clock had. It is learnt from the Responses
/// of the master, the only place where a subagent sees it.
///
/// A Response says what sysUpTime was at some moment between the request and the Response. That bounds the moment at
/// which sysUpTime was 0 from both sides, however long either of them was held up; the tightest bounds of all count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// sysUpTime was 0 after this moment, in microseconds of our clock; negative when that is older than our clock.
    after: i64,
    /// And not after this one.
    by: i64,
}

/// Microseconds in a TimeTick.
const TICK: i64 = 10_000;

impl Uptime {
    /// What a Response tells that arrived at `answered` to a request made at `asked`.
    #[must_use]
    pub fn learn(asked: Duration, answered: Duration, sys_up_time: u32) -> Self {
        let shown = i64::from(sys_up_time) * TICK;
        // The master shows only whole ticks of its time.
        Self { after: micros(asked) - shown - TICK, by: micros(answered) - shown }
    }

    /// Takes another Response into account. One that contradicts what is known shows that sysUpTime wrapped, or that
    /// the master's clock and ours drift apart; then it alone counts.
    #[must_use]
    pub fn refine(self, asked: Duration, answered: Duration, sys_up_time: u32) -> Self {
        let new = Self::learn(asked, answered, sys_up_time);
        let both = Self { after: self.after.max(new.after), by: self.by.min(new.by) };
        if both.after <= both.by { both } else { new }
    }

    /// sysUpTime at `at`, in TimeTicks: 0 for what happened before the master started.
    #[must_use]
    pub fn at(self, at: Duration) -> u32 {
        // The later bound, as it only moves to earlier moments: sysUpTime never runs backwards between notifications.
        let ticks = (micros(at) - self.by).max(0) / TICK;
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

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Learnt from an answer that came at once: sysUpTime was 5000 at 1000 s.
    fn known() -> Uptime {
        Uptime::learn(s(1000), s(1000), 5000)
    }

    #[test]
    fn tells_the_uptime_of_the_event_not_of_the_answer() {
        assert_eq!(known().at(s(1000)), 5000);
        assert_eq!(known().at(s(990)), 4000);
        assert_eq!(known().at(s(1001)), 5100);
    }

    #[test]
    fn an_event_before_the_master_started_has_uptime_zero() {
        assert_eq!(Uptime::learn(s(1000), s(1000), 500).at(s(10)), 0);
    }

    #[test]
    fn an_answer_that_was_held_up_moves_nothing_however_long() {
        for late in [ms(1), ms(500), s(2), s(600)] {
            assert_eq!(known().refine(s(1010), s(1010) + late, 6000), known(), "{late:?} on its way back");
            let ticks = u32::try_from(late.as_millis() / 10).unwrap();
            let there = known().refine(s(1010), s(1010) + late, 6000 + ticks);
            assert_eq!(there, known(), "{late:?} on its way there");
        }
    }

    #[test]
    fn the_quickest_answer_counts() {
        let late = Uptime::learn(s(1000), s(1000) + ms(650), 5000);
        assert_eq!(late.at(s(1001)), 5035);
        let quick = late.refine(s(1010), s(1010) + ms(4), 6000);
        assert_eq!(quick.at(s(1010) + ms(4)), 6000);
        assert_eq!(quick.refine(s(1020), s(1020) + ms(900), 7000), quick);
    }

    #[test]
    fn a_wrap_and_drifting_clocks_are_noticed() {
        assert_eq!(known().refine(s(1010), s(1010), 3).at(s(1010)), 3, "wrapped");
        assert_eq!(known().refine(s(1010), s(1010), 6002).at(s(1010)), 6002, "the master's clock is fast");
        assert_eq!(known().refine(s(1010), s(1010), 5998).at(s(1010)), 5998, "the master's clock is slow");
    }

    #[test]
    fn wraps_with_the_masters() {
        let uptime = Uptime::learn(s(1000), s(1000), u32::MAX);
        assert_eq!(uptime.at(s(1000) + ms(10)), 0);
    }
}
