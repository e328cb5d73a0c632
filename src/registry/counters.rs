//! Packet counters of an instance: written by the engine, read by anyone, never locked.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::Serialize;

/// What is counted; the names are those of vrrp-protocol's counters in RFC 2787 and RFC 6527.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Advertisements accepted as received (vrrpStatsAdvertiseRcvd).
    AdvertReceived,
    /// Advertisements sent, one per interval however many unicast peers there are.
    AdvertSent,
    /// Transitions to MASTER (vrrpStatsBecomeMaster).
    BecomeMaster,
    /// Transitions out of MASTER.
    ReleaseMaster,
    /// Length other than the packet's own fields say (vrrpStatsPacketLengthErrors).
    PacketLengthError,
    /// TTL other than 255 (vrrpStatsIpTtlErrors).
    TtlError,
    /// Version other than configured (vrrpRouterVersionErrors).
    VersionError,
    /// Checksum wrong (vrrpRouterChecksumErrors).
    ChecksumError,
    /// A version 3 checksum without the pseudo header of IPv4: RFC 9568's form, accepted.
    ChecksumWithoutPseudoHeader,
    /// Type other than ADVERTISEMENT (vrrpStatsInvalidTypePktsRcvd).
    InvalidType,
    /// Authentication type unknown (vrrpStatsInvalidAuthType).
    InvalidAuthType,
    /// Authentication type other than configured (vrrpStatsAuthTypeMismatch).
    AuthTypeMismatch,
    /// Password wrong (vrrpStatsAuthFailures).
    AuthFailure,
    /// Not signed, where `mode enforce` asks for it.
    SignatureMissing,
    /// A signature of another scheme, or with reserved bits set.
    SignatureMalformed,
    /// Signed with a key that is not configured.
    SignatureUnknownKey,
    /// A signature that is wrong.
    SignatureForged,
    /// Signed at a time too far from ours.
    SignatureStale,
    /// Signed, and heard before.
    SignatureReplay,
    /// Version 2 advertisement interval other than ours (vrrpStatsAdvertiseIntervalErrors).
    AdvertIntervalError,
    /// Address list other than ours; the advertisement is used all the same (vrrpStatsAddressListErrors).
    AddressListError,
    /// Priority 0 received (vrrpStatsPriorityZeroPktsRcvd).
    PriorityZeroReceived,
    /// Priority 0 sent (vrrpStatsPriorityZeroPktsSent).
    PriorityZeroSent,
    /// Virtual addresses, routes and rules that another program removed and that were put back.
    AddressRestored,
    /// Times that another router began to claim a mastership of ours.
    Contest,
    /// Unicast advertisements from addresses that are no `unicast_peer`; believed without `check_unicast_src`.
    StrangerReceived,
    /// Takeovers that waited for the whole silence of our own interval, because others had hastened too many.
    TakeoverHeldBack,
}

impl Counter {
    /// Whether the MIBs of the RFCs have a notification for a packet that is counted so: those whose authentication is
    /// wrong (vrrpTrapAuthFailure), and those whose TTL, version or checksum is (vrrpv3ProtoError).
    pub const fn is_told(self) -> bool {
        matches!(
            self,
            Self::InvalidAuthType
                | Self::AuthTypeMismatch
                | Self::AuthFailure
                | Self::TtlError
                | Self::VersionError
                | Self::ChecksumError
        )
    }

    /// Every counter, in the order in which they are declared.
    pub const ALL: [Self; 27] = [
        Self::AdvertReceived,
        Self::AdvertSent,
        Self::BecomeMaster,
        Self::ReleaseMaster,
        Self::PacketLengthError,
        Self::TtlError,
        Self::VersionError,
        Self::ChecksumError,
        Self::ChecksumWithoutPseudoHeader,
        Self::InvalidType,
        Self::InvalidAuthType,
        Self::AuthTypeMismatch,
        Self::AuthFailure,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureUnknownKey,
        Self::SignatureForged,
        Self::SignatureStale,
        Self::SignatureReplay,
        Self::AdvertIntervalError,
        Self::AddressListError,
        Self::PriorityZeroReceived,
        Self::PriorityZeroSent,
        Self::AddressRestored,
        Self::Contest,
        Self::StrangerReceived,
        Self::TakeoverHeldBack,
    ];
}

/// One number per [`Counter`], relaxed: a reader may see two of them one packet apart.
#[derive(Debug, Default)]
pub struct Counters {
    numbers: [AtomicU64; Counter::ALL.len()],
    /// The newest of the errors of [`Self::last_protocol_error`], plus one; 0 before the first.
    protocol_error: AtomicU8,
}

impl Counters {
    /// Counts one more.
    pub fn add(&self, counter: Counter) {
        self.numbers[counter as usize].fetch_add(1, Ordering::Relaxed);
        if let Counter::TtlError | Counter::VersionError | Counter::ChecksumError = counter {
            self.protocol_error.store(counter as u8 + 1, Ordering::Relaxed);
        }
    }

    /// The number so far.
    pub fn value(&self, counter: Counter) -> u64 {
        self.numbers[counter as usize].load(Ordering::Relaxed)
    }

    /// What was wrong with the packet that was refused last for its TTL, version or checksum
    /// (vrrpv3StatisticsProtoErrReason).
    pub fn last_protocol_error(&self) -> Option<Counter> {
        let place = self.protocol_error.load(Ordering::Relaxed).checked_sub(1)?;
        Counter::ALL.get(usize::from(place)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_own_cell() {
        let counters = Counters::default();
        for (position, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, position);
            counters.add(counter);
        }
        assert!(Counter::ALL.into_iter().all(|counter| counters.value(counter) == 1));
    }

    #[test]
    fn the_last_protocol_error_is_not_forgotten_for_others() {
        let counters = Counters::default();
        assert_eq!(counters.last_protocol_error(), None);
        for counter in [Counter::ChecksumError, Counter::TtlError, Counter::AuthFailure] {
            counters.add(counter);
        }
        assert_eq!(counters.last_protocol_error(), Some(Counter::TtlError));
    }
}
