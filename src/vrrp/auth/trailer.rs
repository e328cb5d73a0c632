//! The trailer of `auth_hmac`, 28 bytes behind the message (draft-cassen-vrrp-auth-hmac, as keepalived 2.4.3 sends it).
//!
//! This is the codec; what a trailer proves is [`signature`](super::signature)'s business.

use crate::units::Utc;

/// Length of the trailer.
pub const LEN: usize = 28;

/// Length of the truncated HMAC.
pub const MAC_LEN: usize = 16;

/// What the HMAC covers of the trailer: all before itself.
pub const HEAD_LEN: usize = LEN - MAC_LEN;

/// The only scheme there is: HMAC-SHA256, truncated to 128 bits.
pub const HMAC_SHA256_128: u8 = 1;

/// Where each field lies.
mod field {
    use std::ops::Range;

    pub(super) const SCHEME: usize = 0;
    pub(super) const KEY: usize = 1;
    pub(super) const RESERVED: Range<usize> = 2..4;
    pub(super) const SEQUENCE: Range<usize> = 4..12;
    pub(super) const MAC: Range<usize> = 12..28;
}

/// The fields of a trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// How the HMAC is made.
    pub scheme: u8,
    /// The number of the key.
    pub key: u8,
    /// Zero.
    pub reserved: u16,
    /// When it was sent.
    pub sequence: Sequence,
    /// The truncated HMAC.
    pub mac: [u8; MAC_LEN],
}

/// When an advertisement was sent, which also tells it from all others of its sender: 32 bits of seconds since the Unix
/// epoch, 16 of a second's fraction, and 16 of a counter for what is sent at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The first of a moment. The seconds wrap around in 2106.
    pub fn at(utc: Utc) -> Self {
        let fraction = (u64::from(utc.0.subsec_nanos()) << 16) / 1_000_000_000;
        Self(utc.0.as_secs() << 32 | fraction << 16)
    }

    /// The next one, a counter's step later.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Whether it comes after `other`, by the arithmetic of serial numbers (RFC 1982).
    pub fn is_after(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0).cast_signed() > 0
    }

    /// By how many whole seconds a clock that shows `utc` is ahead of it; negative when it is behind.
    pub fn age(self, utc: Utc) -> i32 {
        let seconds = |sequence: Self| u32::try_from(sequence.0 >> 32).unwrap_or(0);
        seconds(Self::at(utc)).wrapping_sub(seconds(self)).cast_signed()
    }
}

impl Trailer {
    /// Reads the fields, whatever they say.
    pub fn parse(bytes: &[u8; LEN]) -> Self {
        let mut sequence = [0; 8];
        sequence.copy_from_slice(&bytes[field::SEQUENCE]);
        let mut mac = [0; MAC_LEN];
        mac.copy_from_slice(&bytes[field::MAC]);
        Self {
            scheme: bytes[field::SCHEME],
            key: bytes[field::KEY],
            reserved: u16::from_be_bytes([bytes[field::RESERVED.start], bytes[field::RESERVED.start + 1]]),
            sequence: Sequence(u64::from_be_bytes(sequence)),
            mac,
        }
    }

    /// The trailer on the wire.
    pub fn bytes(&self) -> [u8; LEN] {
        let mut out = [0; LEN];
        out[field::SCHEME] = self.scheme;
        out[field::KEY] = self.key;
        out[field::RESERVED].copy_from_slice(&self.reserved.to_be_bytes());
        out[field::SEQUENCE].copy_from_slice(&self.sequence.0.to_be_bytes());
        out[field::MAC].copy_from_slice(&self.mac);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// From ka243_hmac_v3_mcast in the captures.
    const BYTES: [u8; LEN] = [
        0x01, 0x01, 0x00, 0x00, 0x6b, 0x00, 0x35, 0x07, 0x0a, 0x43, 0x00, 0x00, 0x83, 0xbf, 0x6c, 0x81, 0x9f,
        0xf3, 0xa6, 0xad, 0x1f, 0x5d, 0x7e, 0xae, 0xab, 0x0c, 0x35, 0x56,
    ];

    fn trailer() -> Trailer {
        let mac = *BYTES[field::MAC].as_array().unwrap();
        let sequence = Sequence(0x6b00_3507_0a43_0000);
        Trailer { scheme: HMAC_SHA256_128, key: 1, reserved: 0, sequence, mac }
    }

    fn utc(seconds: f64) -> Utc {
        Utc(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn parse() {
        assert_eq!(Trailer::parse(&BYTES), trailer());
    }

    #[test]
    fn emit() {
        assert_eq!(trailer().bytes(), BYTES);
    }

    #[test]
    fn an_unknown_scheme_and_reserved_bits_survive_the_round_trip() {
        let odd = Trailer { scheme: 9, reserved: 0x1234, ..trailer() };
        assert_eq!(Trailer::parse(&odd.bytes()), odd);
    }

    #[test]
    fn a_sequence_is_the_time_and_grows_with_it() {
        assert_eq!(Sequence::at(utc(1.5)), Sequence(0x0000_0001_8000_0000));
        let almost = Utc(Duration::new(7, 999_999_999));
        assert_eq!(Sequence::at(almost), Sequence(0x0000_0007_ffff_0000));
        assert!(Sequence::at(utc(8.0)).is_after(Sequence::at(almost).next()));
        assert!(!Sequence(5).is_after(Sequence(5)));
        assert!(Sequence(3).is_after(Sequence(u64::MAX)), "around the end");
    }

    #[test]
    fn an_age_counts_whole_seconds_either_way() {
        let sent = Sequence::at(utc(100.9));
        assert_eq!(sent.age(utc(101.0)), 1);
        assert_eq!(sent.age(utc(100.0)), 0);
        assert_eq!(sent.age(utc(90.0)), -10);
        assert_eq!(Sequence(u64::MAX).age(Utc(Duration::from_secs(1 << 32))), 1);
    }
}
