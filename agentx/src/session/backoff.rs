//! When to try again: at once, then ever later, never in step with other subagents.

use std::time::Duration;

use super::Timing;

/// Counts failures and spreads the attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        // The generator stands still at 0.
        Self { failures: 0, random: seed | 1 }
    }

    /// The session was good: its end is worth an immediate attempt.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after another failure: nothing after the first, then from half to the whole of a step
    /// that doubles up to [`Timing::retry_at_most`].
    pub(super) fn next(&mut self, timing: &Timing) -> Duration {
        let doublings = self.failures.checked_sub(1);
        self.failures = self.failures.saturating_add(1);
        let Some(doublings) = doublings else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let step = timing.retry_first.saturating_mul(factor).min(timing.retry_at_most);
        step / 2 + step.mul_f64(self.fraction()) / 2
    }

    /// xorshift64*: any fraction will do, the same seed gives the same ones.
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 48;
        f64::from(u32::try_from(bits).unwrap_or(0)) / 65_536.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_at_once_then_doubling_up_to_the_cap() {
        let timing = Timing::default();
        let mut backoff = Backoff::new(7);
        assert_eq!(backoff.next(&timing), Duration::ZERO);
        for step in [50, 100, 200, 200, 200, 200].map(Duration::from_millis) {
            let delay = backoff.next(&timing);
            assert!(step / 2 <= delay && delay <= step, "{delay:?} is not half to the whole of {step:?}");
        }
        backoff.reset();
        assert_eq!(backoff.next(&timing), Duration::ZERO);
    }

    #[test]
    fn different_seeds_wait_differently() {
        let timing = Timing::default();
        let third = |seed| {
            let mut backoff = Backoff::new(seed);
            (backoff.next(&timing), backoff.next(&timing), backoff.next(&timing))
        };
        assert_ne!(third(1000), third(2000));
        assert_eq!(third(1000), third(1000));
    }

    #[test]
    fn never_overflows() {
        let mut backoff = Backoff::new(0);
        backoff.failures = u32::MAX - 1;
        for _ in 0..3 {
            assert!(backoff.next(&Timing::default()) <= Timing::default().retry_at_most);
        }
    }
}
