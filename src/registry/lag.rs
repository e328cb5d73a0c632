//! How late the vrrp lane is with what is due: written by the engine, read by anyone, never locked.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::Serialize;

use crate::units::Time;

/// Classes of lateness, each twice as wide as the one before: below 1 µs, 2 µs, 4 µs, …, 9 minutes, and the rest.
const CLASSES: usize = 31;

/// The lag of a lane since the start.
#[derive(Debug, Default)]
pub struct Lag {
    /// In nanoseconds.
    last: AtomicU64,
    worst: AtomicU64,
    /// On the monotonic clock, in nanoseconds.
    worst_at: AtomicU64,
    worst_lately: AtomicU64,
    classes: [AtomicU64; CLASSES],
}

/// What a reader sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lateness {
    /// How often something was due.
    pub count: u64,
    /// The last time.
    pub last: Duration,
    /// The worst of all.
    pub worst: Duration,
    /// When that was, on the monotonic clock.
    pub worst_at: Time,
    /// The worst since the last reload was asked for, or since the start.
    pub worst_lately: Duration,
    /// Half of them were less late than this, a bound that is at most twice too high. So are the next ones.
    pub median: Duration,
    /// 99 of 100 were less late than this.
    pub most: Duration,
    /// 999 of 1,000 were less late than this.
    pub nearly_all: Duration,
}

impl Lag {
    /// What was due has been done, so late. One writer only.
    pub fn note(&self, late: Duration, now: Time) {
        let nanoseconds = nanoseconds(late);
        self.last.store(nanoseconds, Ordering::Relaxed);
        if nanoseconds > self.worst.load(Ordering::Relaxed) {
            self.worst.store(nanoseconds, Ordering::Relaxed);
            self.worst_at.store(self::nanoseconds(now.0), Ordering::Relaxed);
        }
        self.worst_lately.fetch_max(nanoseconds, Ordering::Relaxed);
        self.classes[class(nanoseconds)].fetch_add(1, Ordering::Relaxed);
    }

    /// A reload begins: what follows is its doing.
    pub fn note_reload(&self) {
        self.worst_lately.store(0, Ordering::Relaxed);
    }

    /// What has been seen so far.
    pub fn seen(&self) -> Lateness {
        let classes = self.classes.each_ref().map(|class| class.load(Ordering::Relaxed));
        let load = |value: &AtomicU64| Duration::from_nanos(value.load(Ordering::Relaxed));
        let worst = load(&self.worst);
        let below = |thousandths| bound(&classes, thousandths).min(worst);
        Lateness {
            count: classes.iter().sum(),
            last: load(&self.last),
            worst,
            worst_at: Time(load(&self.worst_at)),
            worst_lately: load(&self.worst_lately),
            median: below(500),
            most: below(990),
            nearly_all: below(999),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Class `n` holds what is below 2^n µs.
fn class(nanoseconds: u64) -> usize {
    let microseconds = nanoseconds / 1_000;
    ((u64::BITS - microseconds.leading_zeros()) as usize).min(CLASSES - 1)
}

/// Where the class ends in which so many thousandths of all have been reached.
fn bound(classes: &[u64; CLASSES], thousandths: u64) -> Duration {
    let all: u64 = classes.iter().sum();
    let mut reached = 0;
    for (class, count) in classes.iter().enumerate() {
        reached += count;
        if reached.saturating_mul(1_000) >= all.saturating_mul(thousandths) {
            return Duration::from_micros(1 << class);
        }
    }
    Duration::MAX
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, worst, median, most, nearly_all, .. } = self;
        let [worst, median, most, nearly_all] =
            [worst, median, most, nearly_all].map(|late| late.as_secs_f64() * 1e3);
        write!(
            f,
            "{count} times something was due: half of them less than {median:.3} ms late, 99 % less than {most:.3} ms, \
             99.9 % less than {nearly_all:.3} ms, at worst {worst:.3} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_tell_how_many_were_how_late() {
        let lag = Lag::default();
        for number in 1..=1_000_u64 {
            let late = match number {
                1000 => Duration::from_millis(300),
                981.. => Duration::from_millis(5),
                _ => Duration::from_micros(100),
            };
            lag.note(late, Time::from_secs(number));
        }
        lag.note_reload();
        lag.note(Duration::ZERO, Time::from_secs(1001));
        let seen = lag.seen();
        assert_eq!(seen.worst_lately, Duration::ZERO);
        let expected = Lateness {
            count: 1001,
            last: Duration::ZERO,
            worst: Duration::from_millis(300),
            worst_lately: Duration::ZERO,
            worst_at: Time::from_secs(1000),
            median: Duration::from_micros(128),
            most: Duration::from_micros(8192),
            nearly_all: Duration::from_micros(8192),
        };
        assert_eq!(seen, expected);
        assert_eq!(
            seen.to_string(),
            "1001 times something was due: half of them less than 0.128 ms late, 99 % less than 8.192 ms, 99.9 % less \
             than 8.192 ms, at worst 300.000 ms"
        );
    }

    #[test]
    fn before_anything_was_due_nothing_was_late_and_nothing_is_too_late_to_count() {
        assert_eq!(Lag::default().seen().worst, Duration::ZERO);
        let lag = Lag::default();
        lag.note(Duration::MAX, Time::default());
        assert_eq!(lag.seen().count, 1);
        assert_eq!(lag.seen().median, Duration::from_micros(1 << 30));
    }
}
