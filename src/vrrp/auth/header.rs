//! `auth_type AH`: the IP authentication header with HMAC-MD5-96 (RFC 2402, RFC 2403), as RFC 2338 §5.3.6.3 has it and
//! keepalived speaks it. IPv4 and version 2 only.
//!
//! Two things are keepalived's own: one sequence number serves both directions, so that a router which takes over goes on
//! counting where the last master was; and the TTL is covered in packets to a group.

use std::net::Ipv4Addr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use zeroize::Zeroizing;

use crate::vrrp::{
    ip::{Header, InvalidHeader, PROTOCOL as VRRP},
    ipv4,
    validate::Reject,
};

/// Protocol number of the authentication header.
pub const PROTOCOL: u8 = 51;

/// Length of the header with an ICV of 96 bits.
pub const LEN: usize = 24;

/// Length of the integrity check value: HMAC-MD5, truncated (RFC 2403 §2).
const ICV_LEN: usize = 12;

/// What the header says of its own length: its 32-bit words, less two (RFC 2402 §2.2).
const WORDS: u8 = 4;

/// Beyond it the sequence number starts anew with the next mastership, long before it could run out (keepalived's bound).
const LAST_OF_CYCLE: u32 = 0xffff_fffd;

/// The block of MD5, and so the length that HMAC fills a key up to.
const BLOCK: usize = 64;

/// Where each field lies.
pub(crate) mod field {
    use std::ops::Range;

    pub(crate) const NEXT_HEADER: usize = 0;
    pub(crate) const WORDS: usize = 1;
    pub(crate) const RESERVED: Range<usize> = 2..4;
    pub(crate) const SPI: Range<usize> = 4..8;
    pub(crate) const SEQUENCE: Range<usize> = 8..12;
    pub(crate) const ICV: Range<usize> = 12..24;
}

/// The fields of an authentication header before VRRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthHeader {
    /// Security parameters index: the sender's address.
    pub spi: Ipv4Addr,
    /// Sequence number.
    pub sequence: u32,
    /// Integrity check value.
    pub icv: [u8; ICV_LEN],
}

impl AuthHeader {
    /// Reads the header at the begin of what is behind an IPv4 header.
    ///
    /// # Errors
    /// [`InvalidHeader`] when there is no whole header with an ICV of 96 bits and VRRP behind it.
    pub fn parse(payload: &[u8]) -> Result<Self, InvalidHeader> {
        let Some((header, _)) = payload.split_first_chunk::<LEN>() else {
            return Err(InvalidHeader::Truncated(payload.len()));
        };
        if header[field::NEXT_HEADER] != VRRP {
            return Err(InvalidHeader::Protocol(header[field::NEXT_HEADER]));
        }
        if header[field::WORDS] != WORDS {
            return Err(InvalidHeader::AuthLength(header[field::WORDS]));
        }
        let word = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]];
        let mut icv = [0; ICV_LEN];
        icv.copy_from_slice(&header[field::ICV]);
        let sequence = u32::from_be_bytes(word(field::SEQUENCE.start));
        Ok(Self { spi: word(field::SPI.start).into(), sequence, icv })
    }

    /// Writes the header into the first [`LEN`] bytes of `out`, which must be that long.
    pub fn emit(&self, out: &mut [u8]) {
        out[field::NEXT_HEADER] = VRRP;
        out[field::WORDS] = WORDS;
        out[field::RESERVED].fill(0);
        out[field::SPI].copy_from_slice(&self.spi.octets());
        out[field::SEQUENCE].copy_from_slice(&self.sequence.to_be_bytes());
        out[field::ICV].copy_from_slice(&self.icv);
    }
}

/// The key of an instance, and the sequence number last sent or accepted.
#[derive(Clone, Debug)]
pub(super) struct Association {
    key: Hmac<Md5>,
    sequence: u32,
}

impl Association {
    /// HMAC fills a short key up with zeros, as `auth_pass` already is.
    pub(super) fn new(password: &[u8; 8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        block[..password.len()].copy_from_slice(password);
        Self { key: Hmac::new((&*block).into()), sequence: 0 }
    }

    /// The sequence number of the next advertisement; the first is 1.
    pub(super) fn next(&mut self) -> u32 {
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        self.sequence
    }

    /// A worse master was heard: it may have sent the next number already, so that is left out.
    pub(super) fn overtake(&mut self) {
        self.sequence = self.sequence.saturating_add(1);
    }

    /// A new master begins a new cycle when the old one comes to its end.
    pub(super) fn mastership_begins(&mut self) {
        if self.sequence > LAST_OF_CYCLE {
            self.sequence = 0;
        }
    }

    /// Puts the header into a packet of ours: behind an IPv4 header without options.
    pub(super) fn close(&self, sequence: u32, packet: &mut [u8]) {
        let Ok((ip, _)) = ipv4::Header::parse(packet) else { return };
        let mut header = AuthHeader { spi: ip.source, sequence, icv: [0; ICV_LEN] };
        header.emit(&mut packet[ipv4::HEADER_LEN..]);
        header.icv = self.check_value(packet).unwrap_or_default();
        header.emit(&mut packet[ipv4::HEADER_LEN..]);
    }

    /// Whether a packet that ends with the message was made with the key.
    pub(super) fn proves(&self, header: &Header, packet: &[u8]) -> bool {
        let (Some(found), Ok((ip, at))) = (header.authentication, ipv4::Header::parse(packet)) else {
            return false;
        };
        // Compares in constant time.
        self.covering(packet, at, ip.destination).verify_truncated_left(&found.icv).is_ok()
    }

    /// The ICV that proves a packet which ends with the message; `None` when it has no IPv4 header.
    pub(super) fn check_value(&self, packet: &[u8]) -> Option<[u8; ICV_LEN]> {
        let (ip, at) = ipv4::Header::parse(packet).ok()?;
        let mut icv = [0; ICV_LEN];
        icv.copy_from_slice(&self.covering(packet, at, ip.destination).finalize().into_bytes()[..ICV_LEN]);
        Some(icv)
    }

    /// The sequence number last sent or accepted.
    pub(super) fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Judges a received packet that ends with the message: the ICV first, so that nothing else can be learnt without the
    /// key. Its sequence number then is ours.
    pub(super) fn judge(&mut self, header: &Header, packet: &[u8]) -> Result<(), Reject> {
        let (Some(ours), Ok((ip, _))) = (header.authentication, ipv4::Header::parse(packet)) else {
            return Err(Reject::NoHeader);
        };
        if !self.proves(header, packet) {
            return Err(Reject::IntegrityCheck);
        }
        if ours.spi != ip.source {
            return Err(Reject::SecurityIndex(ours.spi));
        }
        if ours.sequence <= self.sequence {
            return Err(Reject::Sequence { found: ours.sequence, last: self.sequence });
        }
        self.sequence = ours.sequence;
        Ok(())
    }

    /// HMAC over a packet whose authentication header begins `at`, with zeros for what may change on the way
    /// (RFC 2402 §3.3.3.1.1) and for the ICV itself.
    fn covering(&self, packet: &[u8], at: usize, destination: Ipv4Addr) -> Hmac<Md5> {
        let (ip, rest) = packet.split_at(at);
        let (auth, message) = rest.split_at(LEN);
        let mut mac = self.key.clone();
        let (fixed, options) = ip.split_at(ipv4::HEADER_LEN);
        mac.update(&ipv4::without_mutable_fields(fixed, destination.is_multicast()));
        mac.update(options);
        mac.update(&auth[..field::ICV.start]);
        mac.update(&[0; ICV_LEN]);
        mac.update(message);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From v2_ah in the captures, whose password is s3cret99.
    const PACKET: [u8; 64] = [
        0x45, 0xc0, 0x00, 0x40, 0x00, 0x01, 0x00, 0x00, 0xff, 0x33, 0xd0, 0xad, 10, 9, 0, 1, 224, 0, 0,
        18, //
        0x70, 0x04, 0x00, 0x00, 10, 9, 0, 1, 0, 0, 0, 1, 0x49, 0x62, 0x26, 0x06, 0x35, 0x48, 0xf2, 0xf4,
        0x93, 0x8a, 0x84, 0x3b, //
        0x21, 0x33, 0x96, 0x01, 0x02, 0x01, 0x3c, 0x5d, 10, 9, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    fn header() -> AuthHeader {
        let icv = [0x49, 0x62, 0x26, 0x06, 0x35, 0x48, 0xf2, 0xf4, 0x93, 0x8a, 0x84, 0x3b];
        AuthHeader { spi: Ipv4Addr::new(10, 9, 0, 1), sequence: 1, icv }
    }

    fn judged(association: &mut Association, packet: &[u8]) -> Result<(), Reject> {
        association.judge(&Header::parse(packet).unwrap(), packet)
    }

    /// The packet as a router with this password and at this sequence number sends it.
    fn sent(password: &[u8; 8], sequence: u32) -> [u8; 64] {
        let mut packet = PACKET;
        Association::new(password).close(sequence, &mut packet);
        packet
    }

    #[test]
    fn parse() {
        assert_eq!(AuthHeader::parse(&PACKET[20..]), Ok(header()));
    }

    #[test]
    fn emit() {
        let mut out = [0xa5; LEN];
        header().emit(&mut out);
        assert_eq!(out, PACKET[20..44]);
    }

    #[test]
    fn a_broken_header_names_what_is_wrong() {
        let with = |at: usize, byte| {
            let mut bytes = PACKET;
            bytes[20 + at] = byte;
            AuthHeader::parse(&bytes[20..])
        };
        assert_eq!(AuthHeader::parse(&PACKET[20..43]), Err(InvalidHeader::Truncated(23)));
        assert_eq!(with(field::NEXT_HEADER, 6), Err(InvalidHeader::Protocol(6)));
        assert_eq!(with(field::WORDS, 5), Err(InvalidHeader::AuthLength(5)));
    }

    #[test]
    fn the_captured_icv_is_ours() {
        assert_eq!(sent(b"s3cret99", 1), PACKET);
        assert_eq!(judged(&mut Association::new(b"s3cret99"), &PACKET), Ok(()));
    }

    #[test]
    fn every_bit_that_may_not_change_on_the_way_is_covered() {
        // Type of service, fragment and header checksum.
        let mutable = [1, 6, 7, 10, 11];
        for bit in 0..PACKET.len() * 8 {
            let mut packet = PACKET;
            packet[bit / 8] ^= 1 << (bit % 8);
            let Ok(header) = Header::parse(&packet) else { continue };
            let verdict = Association::new(b"s3cret99").judge(&header, &packet);
            assert_eq!(verdict.is_ok(), mutable.contains(&(bit / 8)), "byte {}", bit / 8);
        }
    }

    #[test]
    fn a_sequence_number_counts_once_whoever_sent_it() {
        let mut ours = Association::new(b"s3cret99");
        assert_eq!(judged(&mut ours, &sent(b"s3cret99", 5)), Ok(()));
        for old in [5, 4, 0] {
            let replayed = Reject::Sequence { found: old, last: 5 };
            assert_eq!(judged(&mut ours, &sent(b"s3cret99", old)), Err(replayed));
        }
        assert_eq!(ours.next(), 6);
        let reflected = Reject::Sequence { found: 6, last: 6 };
        assert_eq!(judged(&mut ours, &sent(b"s3cret99", 6)), Err(reflected));
        assert_eq!(judged(&mut ours, &sent(b"s3cret99", 7)), Ok(()));
    }

    #[test]
    fn without_the_key_nothing_is_learnt_and_nothing_moves() {
        let mut ours = Association::new(b"s3cret99");
        assert_eq!(judged(&mut ours, &sent(b"s3cret98", 900)), Err(Reject::IntegrityCheck));
        assert_eq!(judged(&mut ours, &sent(b"s3cret99", 1)), Ok(()));
    }

    #[test]
    fn an_index_that_is_not_the_source_is_refused() {
        let mut packet = PACKET;
        packet[24..28].copy_from_slice(&[10, 9, 0, 7]);
        let ours = Association::new(b"s3cret99");
        let icv = ours.covering(&packet, 20, Ipv4Addr::new(224, 0, 0, 18)).finalize().into_bytes();
        packet[32..44].copy_from_slice(&icv[..ICV_LEN]);
        let refused = Reject::SecurityIndex(Ipv4Addr::new(10, 9, 0, 7));
        assert_eq!(judged(&mut ours.clone(), &packet), Err(refused));
    }

    #[test]
    fn a_worse_master_is_overtaken_even_when_it_speaks_at_the_same_time() {
        let (mut ours, mut worse) = (Association::new(b"s3cret99"), Association::new(b"s3cret99"));
        let heard = worse.next();
        assert_eq!(judged(&mut ours, &sent(b"s3cret99", heard)), Ok(()));
        worse.next();
        ours.overtake();
        assert_eq!(judged(&mut worse, &sent(b"s3cret99", ours.next())), Ok(()));
    }

    #[test]
    fn a_sequence_number_starts_anew_before_it_runs_out() {
        let mut ours = Association::new(b"s3cret99");
        ours.sequence = LAST_OF_CYCLE;
        ours.mastership_begins();
        assert_eq!(ours.next(), LAST_OF_CYCLE + 1);
        ours.mastership_begins();
        assert_eq!(ours.next(), 1);
        ours.sequence = u32::MAX;
        assert_eq!(ours.next(), 1);
    }
}
