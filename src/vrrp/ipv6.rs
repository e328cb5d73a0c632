//! The IPv6 header: the one we put before our advertisements, and a small reader for received ones.
//!
//! Not a general IPv6 library: extension headers are the kernel's business, which delivers what is behind them, and
//! the flow label is 0, since all advertisements between two routers are one flow without one.

use std::net::Ipv6Addr;

use super::ip::{InvalidHeader, PROTOCOL, TRAFFIC_CLASS};

/// Length of the header (RFC 8200 §3).
pub const HEADER_LEN: usize = 40;

/// Where each field lies.
mod field {
    use std::ops::Range;

    /// Four bits of version, eight of traffic class, twenty of flow label.
    pub(super) const VERSION_CLASS_FLOW: Range<usize> = 0..4;
    pub(super) const PAYLOAD_LENGTH: Range<usize> = 4..6;
    pub(super) const NEXT_HEADER: usize = 6;
    pub(super) const HOP_LIMIT: usize = 7;
    pub(super) const SOURCE: Range<usize> = 8..24;
    pub(super) const DESTINATION: Range<usize> = 24..40;
}

/// The fields of an IPv6 header that VRRP cares about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of what is behind the header, as the header says.
    pub payload_length: u16,
    /// Hop limit.
    pub hop_limit: u8,
    /// Who sent it.
    pub source: Ipv6Addr,
    /// Where it went: a group or one of our addresses.
    pub destination: Ipv6Addr,
}

impl Header {
    /// Reads the header of a received VRRP packet.
    ///
    /// # Errors
    /// [`InvalidHeader`] when there is no whole IPv6 header with VRRP right behind it.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidHeader> {
        let Some((header, _)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(InvalidHeader::Truncated(bytes.len()));
        };
        let version = header[field::VERSION_CLASS_FLOW.start] >> 4;
        if version != 6 {
            return Err(InvalidHeader::Version(version));
        }
        if header[field::NEXT_HEADER] != PROTOCOL {
            return Err(InvalidHeader::Protocol(header[field::NEXT_HEADER]));
        }
        let length = field::PAYLOAD_LENGTH.start;
        Ok(Self {
            payload_length: u16::from_be_bytes([header[length], header[length + 1]]),
            hop_limit: header[field::HOP_LIMIT],
            source: address_at(header, field::SOURCE.start),
            destination: address_at(header, field::DESTINATION.start),
        })
    }

    /// Writes the header into the first [`HEADER_LEN`] bytes of `out`, which must be that long.
    pub fn emit(&self, out: &mut [u8]) {
        let first_word = 6 << 28 | u32::from(TRAFFIC_CLASS) << 20;
        out[field::VERSION_CLASS_FLOW].copy_from_slice(&first_word.to_be_bytes());
        out[field::PAYLOAD_LENGTH].copy_from_slice(&self.payload_length.to_be_bytes());
        out[field::NEXT_HEADER] = PROTOCOL;
        out[field::HOP_LIMIT] = self.hop_limit;
        out[field::SOURCE].copy_from_slice(&self.source.octets());
        out[field::DESTINATION].copy_from_slice(&self.destination.octets());
    }
}

fn address_at(header: &[u8; HEADER_LEN], at: usize) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[at..at + 16]);
    octets.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of v3_ipv6 in the captures, but for the flow label, which that sender's kernel chose.
    #[rustfmt::skip]
    const BYTES: [u8; HEADER_LEN] = [
        0x6c, 0x00, 0x00, 0x00, 0x00, 0x28, 0x70, 0xff,
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xff, 0xfe, 0x00, 0x0a, 0x01,
        0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12,
    ];

    fn header() -> Header {
        Header {
            payload_length: 40,
            hop_limit: 255,
            source: "fe80::ff:fe00:a01".parse().unwrap(),
            destination: "ff02::12".parse().unwrap(),
        }
    }

    #[test]
    fn deconstruct() {
        assert_eq!(BYTES[field::VERSION_CLASS_FLOW], [0x6c, 0, 0, 0]);
        assert_eq!(BYTES[field::PAYLOAD_LENGTH], [0, 40]);
        assert_eq!(BYTES[field::NEXT_HEADER], PROTOCOL);
        assert_eq!(BYTES[field::HOP_LIMIT], 255);
        assert_eq!(BYTES[field::SOURCE], header().source.octets());
        assert_eq!(BYTES[field::DESTINATION], header().destination.octets());
    }

    #[test]
    fn construct() {
        let mut out = [0xa5; HEADER_LEN];
        header().emit(&mut out);
        assert_eq!(out, BYTES);
    }

    #[test]
    fn parse() {
        assert_eq!(Header::parse(&BYTES), Ok(header()));
    }

    #[test]
    fn emit() {
        let mut out = [0xa5; HEADER_LEN + 2];
        header().emit(&mut out);
        assert_eq!(Header::parse(&out), Ok(header()));
        assert_eq!(out[HEADER_LEN..], [0xa5, 0xa5], "nothing written behind the header");
    }

    #[test]
    fn etherparse_reads_what_we_emit() {
        let mut out = [0xa5; HEADER_LEN];
        header().emit(&mut out);
        let oracle = etherparse::Ipv6HeaderSlice::from_slice(&out).unwrap();
        assert_eq!((oracle.payload_length(), oracle.hop_limit()), (40, 255));
        assert_eq!((oracle.traffic_class(), oracle.flow_label().value()), (TRAFFIC_CLASS, 0));
        assert_eq!(oracle.next_header().0, PROTOCOL);
        assert_eq!(oracle.source_addr(), header().source);
        assert_eq!(oracle.destination_addr(), header().destination);
    }

    #[test]
    fn a_broken_header_names_what_is_wrong() {
        let with = |at: usize, byte| {
            let mut bytes = BYTES;
            bytes[at] = byte;
            Header::parse(&bytes)
        };
        assert_eq!(Header::parse(&BYTES[..39]), Err(InvalidHeader::Truncated(39)));
        assert_eq!(with(0, 0x45), Err(InvalidHeader::Version(4)));
        assert_eq!(with(6, 58), Err(InvalidHeader::Protocol(58)));
    }
}
