//! When a check runs and when its failures count, as the configuration says.

use std::time::Duration;

use crate::config::settings::Check;

/// From the start of the daemon to the first run, beside what `warmup` adds.
const FIRST: Duration = Duration::from_secs(1);

/// The periods and counts of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// `delay_loop`.
    pub delay_loop: Duration,
    /// `delay_before_retry`.
    pub delay_before_retry: Duration,
    /// `retry`: failures that are followed by another try before they count.
    pub retry: u32,
    /// `warmup`: the first run is so much later at the most.
    pub warmup: Duration,
    /// `alpha`: down until it has passed.
    pub alpha: bool,
    /// Periods are counted from the beginning of a run, not from its end (`MISC_CHECK`).
    pub from_beginning: bool,
    /// Every failure is followed by further tries, also the first one ever and those while it is down (`SMTP_CHECK`).
    pub always_retries: bool,
}

impl Rhythm {
    /// That of a check; `None` for one that follows something instead.
    pub fn of(check: &Check) -> Option<Self> {
        let schedule = check.schedule()?;
        Some(Self {
            delay_loop: *schedule.delay_loop,
            delay_before_retry: *schedule.delay_before_retry,
            retry: *schedule.retry,
            warmup: *schedule.warmup,
            alpha: *schedule.alpha,
            from_beginning: matches!(check, Check::Misc(_)),
            always_retries: matches!(check, Check::Smtp(_)),
        })
    }

    /// From the start to the first run; `chance` is any number, each as likely as another.
    pub(super) fn first(&self, chance: u64) -> Duration {
        let span = u64::try_from(self.warmup.as_micros()).unwrap_or(u64::MAX);
        // An even spread: the high half of the product.
        let share = (u128::from(chance) * u128::from(span)) >> 64;
        FIRST + Duration::from_micros(u64::try_from(share).unwrap_or(span))
    }
}
