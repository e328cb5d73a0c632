//! Which of many equal log lines is written: one per sender and matter, then none for a minute.
//!
//! A rejected packet never resets it, so that a flood costs a line a minute, with a running count.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{auth::signature::Flaw, validate::Reject};
use crate::units::Time;

/// How long the same matter with the same sender stays quiet after a line.
const QUIET: Duration = Duration::from_mins(1);

/// Senders times matters that are told apart. Forged senders beyond that share one line, so that they can
/// neither fill the memory nor the log.
const MAX_ENTRIES: usize = 64;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Matter {
    /// A rejected packet, whatever cannot be told apart by a better name here.
    Malformed,
    Length,
    Ttl,
    Version,
    AuthType,
    Password,
    Replay,
    Signature,
    /// The clock of a sender whose signature is good.
    Clock,
    Interval,
    Type,
    Checksum,
    Destination,
    Source,
    /// A peer that is too near or too far away.
    PeerTtl,
    /// A unicast advertisement from somebody that is no peer.
    NotAPeer,
    /// An accepted advertisement with another address list.
    AddressList,
    /// An accepted advertisement with another interval (version 3).
    OtherInterval,
    /// A BACKUP hears a master release its mastership.
    Released,
    /// A BACKUP follows a master with another interval than the last one's (version 3).
    NewInterval,
    /// A BACKUP follows a master with another interval than its own (version 3).
    AdoptedInterval,
    /// A BACKUP hears a master of lower priority.
    LowerPriority,
    /// A MASTER hears a router that should give way.
    NewElection,
    /// A MASTER gives way to a better router.
    GaveWay,
    /// Somebody advertises from our own address.
    OurAddress,
    /// Two routers are configured as owner of the addresses.
    TwoOwners,
    /// Takeovers are hastened again and again.
    Storm,
    /// Contests begin again and again.
    Contests,
    /// Everything from senders that no longer fit the table.
    Others,
}

impl From<&Reject> for Matter {
    fn from(reject: &Reject) -> Self {
        match reject {
            Reject::Header(_) | Reject::Family(_) | Reject::Truncated(_) | Reject::Vrid(_) => Self::Malformed,
            Reject::MessageLength { .. } | Reject::TotalLength { .. } => Self::Length,
            Reject::Ttl(_) => Self::Ttl,
            Reject::Version { .. } => Self::Version,
            Reject::UnknownAuthType(_)
            | Reject::AuthType { .. }
            | Reject::NoHeader
            | Reject::UnexpectedHeader => Self::AuthType,
            Reject::Password | Reject::IntegrityCheck | Reject::SecurityIndex(_) => Self::Password,
            Reject::Sequence { .. } | Reject::Signature(Flaw::Replay) => Self::Replay,
            Reject::Signature(_) => Self::Signature,
            Reject::Interval { .. } | Reject::ZeroInterval => Self::Interval,
            Reject::Type(_) => Self::Type,
            Reject::Checksum => Self::Checksum,
            Reject::Destination(_) => Self::Destination,
            Reject::Source | Reject::Stranger => Self::Source,
            Reject::NotAPeer => Self::NotAPeer,
            Reject::PeerTtl { .. } => Self::PeerTtl,
        }
    }
}

/// When each line was last written, and how many were not.
#[derive(Clone, Debug, Default)]
pub(super) struct Limiter(BTreeMap<(IpAddr, Matter), Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    written: Time,
    swallowed: u64,
}

impl Limiter {
    /// RFC 9568 §7.1 (7.1-7). Whether to write a line about `matter` now; if so, how many were swallowed since the last one.
    pub(super) fn admit(&mut self, now: Time, sender: IpAddr, matter: Matter) -> Option<u64> {
        let mut key = (sender, matter);
        if !self.0.contains_key(&key) && self.0.len() >= MAX_ENTRIES {
            self.0.retain(|_, entry| now.since(entry.written) < QUIET);
            if self.0.len() >= MAX_ENTRIES {
                key = (Ipv4Addr::UNSPECIFIED.into(), Matter::Others);
            }
        }
        let Some(entry) = self.0.get_mut(&key) else {
            self.0.insert(key, Entry { written: now, swallowed: 0 });
            return Some(0);
        };
        if now.since(entry.written) < QUIET {
            entry.swallowed += 1;
            return None;
        }
        let swallowed = entry.swallowed;
        *entry = Entry { written: now, swallowed: 0 };
        Some(swallowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));

    #[test]
    fn the_same_line_returns_after_a_minute_with_its_count() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.admit(Time::from_secs(0), SENDER, Matter::Ttl), Some(0));
        for second in 1..60 {
            assert_eq!(limiter.admit(Time::from_secs(second), SENDER, Matter::Ttl), None);
        }
        assert_eq!(limiter.admit(Time::from_secs(60), SENDER, Matter::Ttl), Some(59));
        assert_eq!(limiter.admit(Time::from_secs(120), SENDER, Matter::Ttl), Some(0));
    }

    #[test]
    fn matters_and_senders_have_their_own_lines() {
        let mut limiter = Limiter::default();
        let now = Time::from_secs(1);
        assert_eq!(limiter.admit(now, SENDER, Matter::Ttl), Some(0));
        assert_eq!(limiter.admit(now, SENDER, Matter::Checksum), Some(0));
        assert_eq!(limiter.admit(now, IpAddr::from([10, 9, 0, 3]), Matter::Ttl), Some(0));
    }

    #[test]
    fn ten_thousand_forged_senders_get_a_bounded_number_of_lines() {
        let mut limiter = Limiter::default();
        let lines = (0..10_000)
            .filter_map(|forged| {
                limiter.admit(
                    Time::from_secs(1),
                    Ipv4Addr::from_bits(0x0a00_0000 + forged).into(),
                    Matter::Ttl,
                )
            })
            .count();
        assert_eq!(lines, MAX_ENTRIES + 1);
        assert_eq!(limiter.0.len(), MAX_ENTRIES + 1);
        assert_eq!(
            limiter.admit(Time::from_secs(61), SENDER, Matter::Ttl),
            Some(0),
            "the table is free again"
        );
        assert_eq!(limiter.0.len(), 1);
    }
}
