//! Who of two routers is the better one, and how long a backup waits: RFC 9568 §6.1 and §6.4 as arithmetic.

use std::{cmp::Ordering, net::IpAddr, time::Duration};

use crate::units::{Priority, Version};

/// Skew_Time: the better a backup, the earlier it takes over (RFC 9568 §6.1 (6.1-3), RFC 3768 §6.1).
///
/// Version 2 skews by up to a second whatever the interval is, version 3 by up to the master's interval.
pub(super) fn skew_time(version: Version, priority: Priority, master_interval: Duration) -> Duration {
    let whole = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => master_interval,
    };
    whole * (256 - u32::from(priority.0)) / 256
}

/// Active_Down_Interval: how long a master may be silent (RFC 9568 §6.1 (6.1-4)).
pub(super) fn master_down_interval(
    version: Version,
    adverts: u32,
    priority: Priority,
    master_interval: Duration,
) -> Duration {
    master_interval * adverts + skew_time(version, priority, master_interval)
}

/// What a MASTER makes of another router's advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rival {
    /// It releases a mastership that it had.
    Released,
    /// It should give way: lower priority, or the same and a lower address.
    Worse,
    /// It has a higher priority.
    HigherPriority,
    /// It has the same priority and a higher address.
    HigherAddress,
}

/// Compares another router with ours, as a MASTER does (RFC 9568 §6.4.3 (6.4.3-10 to 6.4.3-13)): by priority, then by
/// the source address as an unsigned number. Nobody else has our address: whoever asks has ruled that out.
pub(super) fn rival(ours: (Priority, IpAddr), theirs: (Priority, IpAddr)) -> Rival {
    if theirs.0 == Priority::RELEASE {
        return Rival::Released;
    }
    match (theirs.0.cmp(&ours.0), theirs.1.cmp(&ours.1)) {
        (Ordering::Greater, _) => Rival::HigherPriority,
        (Ordering::Equal, Ordering::Greater) => Rival::HigherAddress,
        (Ordering::Equal | Ordering::Less, _) => Rival::Worse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_exact_to_the_microsecond() {
        let skew = |version, priority, ms| {
            skew_time(version, Priority(priority), Duration::from_millis(ms)).as_micros()
        };
        assert_eq!(skew(Version::V2, 100, 1000), 609_375);
        assert_eq!(skew(Version::V2, 100, 5000), 609_375, "version 2 does not scale it");
        assert_eq!(skew(Version::V3, 100, 1000), 609_375);
        assert_eq!(skew(Version::V3, 100, 10), 6093);
        assert_eq!(skew(Version::V3, 255, 1000), 3906);
        assert_eq!(skew(Version::V3, 1, 40_950), 40_790_039);
    }

    #[test]
    fn the_master_down_interval_is_three_intervals_and_the_skew() {
        let down = |priority| {
            master_down_interval(Version::V2, 3, Priority(priority), Duration::from_secs(1)).as_micros()
        };
        assert_eq!(down(150), 3_414_062);
        assert_eq!(down(100), 3_609_375);
        assert_eq!(down(255), 3_003_906);
    }

    #[test]
    fn addresses_compare_as_unsigned_numbers() {
        let low = IpAddr::from([127, 255, 255, 255]);
        let high = IpAddr::from([128, 0, 0, 0]);
        let p = Priority(100);
        assert_eq!(rival((p, low), (p, high)), Rival::HigherAddress);
        assert_eq!(rival((p, high), (p, low)), Rival::Worse);
        assert_eq!(rival((p, high), (Priority(101), low)), Rival::HigherPriority);
        assert_eq!(rival((p, low), (Priority(99), high)), Rival::Worse);
        assert_eq!(rival((p, low), (Priority(0), high)), Rival::Released);
    }
}
