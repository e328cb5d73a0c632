//! The IPv4 header: the one we put before our advertisements, and a small reader for received ones.
//!
//! Not a general IPv4 library: options are skipped on receipt and never sent, and the header's checksum is the
//! kernel's business both ways (it fills it in on a raw socket and drops packets where it is wrong).

use std::net::Ipv4Addr;

use super::{
    auth::header::PROTOCOL as AH,
    ip::{InvalidHeader, PROTOCOL, TRAFFIC_CLASS},
};

/// Length of a header without options, the only one we send.
pub const HEADER_LEN: usize = 20;

/// Where each field lies.
pub(crate) mod field {
    use std::ops::Range;

    pub(crate) const VERSION_IHL: usize = 0;
    pub(crate) const TOS: usize = 1;
    pub(crate) const TOTAL_LENGTH: Range<usize> = 2..4;
    pub(crate) const IDENTIFICATION: Range<usize> = 4..6;
    pub(crate) const FRAGMENT: Range<usize> = 6..8;
    pub(crate) const TTL: usize = 8;
    pub(crate) const PROTOCOL: usize = 9;
    pub(crate) const CHECKSUM: Range<usize> = 10..12;
    pub(crate) const SOURCE: Range<usize> = 12..16;
    pub(crate) const DESTINATION: Range<usize> = 16..20;
}

/// The fields of an IPv4 header that VRRP cares about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of header and payload as the header says.
    pub total_length: u16,
    /// Identification.
    pub identification: u16,
    /// Time to live.
    pub ttl: u8,
    /// What is behind the header: VRRP or an authentication header.
    pub protocol: u8,
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Where it went: a group or one of our addresses.
    pub destination: Ipv4Addr,
}

impl Header {
    /// Reads the header of a received VRRP packet; returns it and the length it has, options included.
    ///
    /// # Errors
    /// [`InvalidHeader`] when there is no whole IPv4 header of protocol 112 or 51.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), InvalidHeader> {
        let Some((header, _)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(InvalidHeader::Truncated(bytes.len()));
        };
        let version = header[field::VERSION_IHL] >> 4;
        if version != 4 {
            return Err(InvalidHeader::Version(version));
        }
        let words = header[field::VERSION_IHL] & 0x0f;
        let length = usize::from(words) * 4;
        if length < HEADER_LEN {
            return Err(InvalidHeader::HeaderLength(words));
        }
        if bytes.len() < length {
            return Err(InvalidHeader::Truncated(bytes.len()));
        }
        let protocol = header[field::PROTOCOL];
        if protocol != PROTOCOL && protocol != AH {
            return Err(InvalidHeader::Protocol(protocol));
        }
        let parsed = Self {
            total_length: u16_at(header, field::TOTAL_LENGTH.start),
            identification: u16_at(header, field::IDENTIFICATION.start),
            ttl: header[field::TTL],
            protocol,
            source: address_at(header, field::SOURCE.start),
            destination: address_at(header, field::DESTINATION.start),
        };
        Ok((parsed, length))
    }

    /// Writes the header, without options and with checksum 0, into the first [`HEADER_LEN`] bytes of `out`,
    /// which must be that long.
    pub fn emit(&self, out: &mut [u8]) {
        out[field::VERSION_IHL] = 0x45;
        out[field::TOS] = TRAFFIC_CLASS;
        out[field::TOTAL_LENGTH].copy_from_slice(&self.total_length.to_be_bytes());
        out[field::IDENTIFICATION].copy_from_slice(&self.identification.to_be_bytes());
        out[field::FRAGMENT].fill(0);
        out[field::TTL] = self.ttl;
        out[field::PROTOCOL] = self.protocol;
        out[field::CHECKSUM].fill(0);
        out[field::SOURCE].copy_from_slice(&self.source.octets());
        out[field::DESTINATION].copy_from_slice(&self.destination.octets());
    }
}

/// The first [`HEADER_LEN`] bytes of a header, with zeros for the fields that may change on the way. The TTL is one of
/// them (RFC 2402 §3.3.3.1.1.1), but a packet to a group on the link passes no router: there keepalived covers it.
pub(super) fn without_mutable_fields(header: &[u8], keeps_ttl: bool) -> [u8; HEADER_LEN] {
    let mut fixed = [0; HEADER_LEN];
    fixed.copy_from_slice(&header[..HEADER_LEN]);
    fixed[field::TOS] = 0;
    fixed[field::FRAGMENT].fill(0);
    fixed[field::CHECKSUM].fill(0);
    if !keeps_ttl {
        fixed[field::TTL] = 0;
    }
    fixed
}

fn u16_at(header: &[u8; HEADER_LEN], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

fn address_at(header: &[u8; HEADER_LEN], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vrrp::testing::checksum;

    /// The header of v3_unicast in the captures, checksum as the kernel left it.
    const BYTES: [u8; HEADER_LEN] =
        [0x45, 0xc0, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0xa6, 0x98, 10, 9, 0, 1, 10, 9, 0, 2];

    fn header() -> Header {
        Header {
            total_length: 32,
            identification: 1,
            ttl: 255,
            protocol: PROTOCOL,
            source: Ipv4Addr::new(10, 9, 0, 1),
            destination: Ipv4Addr::new(10, 9, 0, 2),
        }
    }

    #[test]
    fn deconstruct() {
        assert_eq!(BYTES[field::VERSION_IHL], 0x45);
        assert_eq!(BYTES[field::TOS], TRAFFIC_CLASS);
        assert_eq!(BYTES[field::PROTOCOL], PROTOCOL);
        assert_eq!(BYTES[field::TTL], 255);
        assert_eq!(BYTES[field::CHECKSUM], [0xa6, 0x98]);
        assert_eq!(checksum(&BYTES), 0);
    }

    #[test]
    fn construct() {
        let mut out = [0xa5; HEADER_LEN];
        header().emit(&mut out);
        let sum = checksum(&out);
        out[field::CHECKSUM].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(out, BYTES);
    }

    #[test]
    fn parse() {
        assert_eq!(Header::parse(&BYTES), Ok((header(), HEADER_LEN)));
    }

    #[test]
    fn emit() {
        let mut out = [0xa5; HEADER_LEN + 2];
        header().emit(&mut out);
        assert_eq!(Header::parse(&out), Ok((header(), HEADER_LEN)));
        assert_eq!(out[HEADER_LEN..], [0xa5, 0xa5], "nothing written behind the header");
    }

    #[test]
    fn etherparse_reads_what_we_emit() {
        let mut out = [0xa5; HEADER_LEN];
        header().emit(&mut out);
        let oracle = etherparse::Ipv4HeaderSlice::from_slice(&out).unwrap();
        assert_eq!(oracle.total_len(), 32);
        assert_eq!(oracle.identification(), 1);
        assert_eq!(oracle.ttl(), 255);
        assert_eq!(oracle.protocol().0, PROTOCOL);
        assert_eq!(oracle.dcp().value() << 2 | oracle.ecn().value(), TRAFFIC_CLASS);
        assert!(!oracle.dont_fragment() && !oracle.more_fragments());
        assert_eq!(oracle.header_checksum(), 0);
        assert_eq!(
            (oracle.source_addr(), oracle.destination_addr()),
            (header().source, header().destination)
        );
    }

    #[test]
    fn we_read_what_etherparse_emits_with_options() {
        let mut oracle = etherparse::Ipv4Header::new(
            12,
            255,
            etherparse::IpNumber(PROTOCOL),
            [10, 9, 0, 1],
            [10, 9, 0, 2],
        )
        .unwrap();
        oracle.options = [1, 1, 1, 0].into();
        let (header, length) = Header::parse(&oracle.to_bytes()).unwrap();
        assert_eq!((header.total_length, length), (oracle.total_len, 24));
    }

    #[test]
    fn a_broken_header_names_what_is_wrong() {
        let with = |at: usize, byte| {
            let mut bytes = BYTES;
            bytes[at] = byte;
            Header::parse(&bytes)
        };
        assert_eq!(Header::parse(&BYTES[..19]), Err(InvalidHeader::Truncated(19)));
        assert_eq!(with(0, 0x65), Err(InvalidHeader::Version(6)));
        assert_eq!(with(0, 0x44), Err(InvalidHeader::HeaderLength(4)));
        assert_eq!(with(0, 0x46), Err(InvalidHeader::Truncated(20)));
        assert_eq!(with(9, 50), Err(InvalidHeader::Protocol(50)));
    }
}
