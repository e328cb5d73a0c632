//! Quantities with their units in the type: what a VRRP packet, a timer or a kernel request counts in.
//!
//! A bare number is never a priority, an interface or a point in time here. Conversions that can fail say
//! what the legal range is, because the caller's message to the operator is made from that.

use std::{
    fmt,
    net::IpAddr,
    num::NonZeroU8,
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A point on CLOCK_MONOTONIC, nanosecond resolution; the origin is the kernel's boot.
///
/// Machines receive it, compare it and add to it; only `kernel::clock` reads it from the system, so a test
/// owns the time it hands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(pub Duration);

impl Time {
    /// The point `seconds` after the origin: how tests write their time.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Time passed since `earlier`; zero when `earlier` is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }
}

/// How often something may still be done: `burst` times in a row, and once per `pace` after that. A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    burst: u32,
    pace: Duration,
    left: u32,
    /// Up to when the pace has been paid out.
    filled: Time,
}

impl Allowance {
    /// A full one. The `pace` must not be zero.
    pub const fn new(burst: u32, pace: Duration) -> Self {
        Self { burst, pace, left: burst, filled: Time(Duration::ZERO) }
    }

    /// Whether it may be done now; then it counts as done.
    pub fn take(&mut self, now: Time) -> bool {
        let due = now.since(self.filled).as_nanos() / self.pace.as_nanos().max(1);
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(due);
        if self.left < self.burst {
            self.filled = self.filled + self.pace * due;
        } else {
            (self.left, self.filled) = (self.burst, now);
        }
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

/// Virtual router identifier, 1..=255 (RFC 9568 §5.2.3 (5.2.3-1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// `None` for 0, which no virtual router may have.
    pub const fn new(vrid: u8) -> Option<Self> {
        match NonZeroU8::new(vrid) {
            Some(vrid) => Some(Self(vrid)),
            None => None,
        }
    }

    /// The number on the wire.
    pub const fn value(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Election priority as advertised (RFC 9568 §5.2.4 (5.2.4-1, 5.2.4-3)): 0 releases mastership, 255 owns the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Priority(pub u8);

impl Priority {
    /// "I am leaving": makes the backups take over after one skew time.
    pub const RELEASE: Self = Self(0);
    /// What `priority` defaults to.
    pub const DEFAULT: Self = Self(100);
    /// The highest priority a router that does not own the addresses may have.
    pub const MAX_NON_OWNER: Self = Self(254);
    /// The router whose own addresses the virtual addresses are.
    pub const OWNER: Self = Self(255);
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// VRRP protocol version of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// RFC 3768: whole seconds, optional password.
    #[default]
    V2,
    /// RFC 5798 and RFC 9568: centiseconds, no authentication.
    V3,
}

impl Version {
    /// The number on the wire, in the configuration and in the MIB.
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// Skew_Time: the better a backup, the earlier it takes over (RFC 9568 §6.1 (6.1-3), RFC 3768 §6.1).
///
/// Version 2 skews by up to a second whatever the interval is, version 3 by up to the master's interval.
#[must_use]
pub fn skew_time(version: Version, priority: Priority, master_interval: Duration) -> Duration {
    let whole = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => master_interval,
    };
    whole * (256 - u32::from(priority.0)) / 256
}

/// Active_Down_Interval: how long a master may be silent (RFC 9568 §6.1 (6.1-4)).
#[must_use]
pub fn master_down_interval(
    version: Version,
    adverts: u32,
    priority: Priority,
    master_interval: Duration,
) -> Duration {
    master_interval * adverts + skew_time(version, priority, master_interval)
}

/// Address family: what the addresses of one virtual router have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Length of an address in bits, which is also the longest prefix.
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// Length of an address in octets.
    pub const fn octets(self) -> usize {
        self.bits() as usize / 8
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// What the wall clock shows: time since the Unix epoch, leap seconds not counted. It may be set, so it decides only what
/// other routers' clocks have a part in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Utc(pub Duration);

impl Utc {
    /// Year, month from 1 and day from 1.
    pub fn date(self) -> (u64, u64, u64) {
        let is_leap =
            |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut days = self.0.as_secs() / 86_400;
        let mut year = 1970;
        loop {
            let length = if is_leap(year) { 366 } else { 365 };
            if days < length {
                break;
            }
            days -= length;
            year += 1;
        }
        let february = if is_leap(year) { 29 } else { 28 };
        let mut month = 1;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        (year, month, days + 1)
    }
}

/// As in RFC 3339, to the millisecond.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.0.as_secs() % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let millis = self.0.subsec_millis();
        write!(f, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Kernel interface index, as in IF-MIB's ifIndex; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(pub u32);

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
    fn a_moment_is_written_as_rfc_3339_has_it() {
        let at = |millis| Utc(Duration::from_millis(millis)).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400_007), "2000-02-29T00:00:00.007Z");
        assert_eq!(at(1_798_761_599_999), "2026-12-31T23:59:59.999Z");
    }

    #[test]
    fn a_vrid_of_zero_does_not_exist() {
        assert_eq!(Vrid::new(0), None);
        assert_eq!(Vrid::new(255).map(Vrid::value), Some(255));
    }

    #[test]
    fn time_never_runs_below_the_origin() {
        assert_eq!(Time::from_secs(1) - Duration::from_secs(2), Time::default());
        assert_eq!(Time::from_secs(1).since(Time::from_secs(3)), Duration::ZERO);
    }
}
