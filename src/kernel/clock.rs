//! The only place that reads a clock.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

use crate::units::{Time, Utc};

/// Now on CLOCK_MONOTONIC: never set back, not counting suspend.
#[expect(
    clippy::expect_used,
    reason = "clock_gettime fails only for a clock or an address that does not exist"
)]
pub fn now() -> Time {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC exists on every Linux");
    Time(Duration::from(now))
}

/// The wall clock, to label a transition for people; never compared, since it can jump.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// The wall clock, for what other hosts' clocks have a part in.
pub fn utc() -> Utc {
    Utc(wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// Which boot of the host [`now`] counts from, as the kernel names it (random(4)); a name of its own where it does not
/// say, so that two moments are never taken for ones of the same boot.
pub fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| format!("unknown at {}", utc().0.as_nanos()), |id| id.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_forward_and_is_the_kernels_monotonic_clock() {
        let uptime = || {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            text.split(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let earlier = now();
        let booted = uptime();
        let later = now();
        assert!(later > earlier);
        // /proc/uptime also counts suspend, which a machine that runs tests has not done much of.
        assert!(later.0.as_secs_f64() <= booted + 1.0, "{later:?} against an uptime of {booted} s");
    }

    #[test]
    fn wall_time_is_after_2020() {
        assert!(wall() > SystemTime::UNIX_EPOCH + Duration::from_secs(50 * 365 * 86_400));
    }
}
