//! Reading capture files, and finding VRRP in them.
//!
//! Just enough of the classic pcap format (both byte orders, micro- and nanoseconds) for what
//! [`crate::Capture`] writes and for the corpus.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const ETHERNET_HEADER: usize = 14;
const IPV6_HEADER: usize = 40;
/// With HMAC-MD5-96, the only form VRRP uses.
const AH_HEADER: usize = 24;
const LINKTYPE_ETHERNET: u32 = 1;
const PROTOCOL_VRRP: u8 = 112;
const PROTOCOL_AH: u8 = 51;

/// One captured frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Since the epoch, by the kernel's clock.
    pub time: Duration,
    /// The frame from its Ethernet header on.
    pub bytes: Vec<u8>,
}

/// One VRRP message with what its IP header said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vrrp {
    /// Since the epoch, by the kernel's clock.
    pub time: Duration,
    /// IP source.
    pub src: IpAddr,
    /// IP destination.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// The IP packet without Ethernet header and padding.
    pub ip: Vec<u8>,
    /// The message from its version byte on, authentication data included, AH header excluded.
    pub message: Vec<u8>,
}

impl Vrrp {
    /// 2 or 3, and whatever else somebody sent.
    pub fn version(&self) -> u8 {
        self.message.first().map_or(0, |byte| byte >> 4)
    }

    /// Virtual router id.
    pub fn vrid(&self) -> u8 {
        self.message.get(1).copied().unwrap_or_default()
    }

    /// 0 when the master steps down.
    pub fn priority(&self) -> u8 {
        self.message.get(2).copied().unwrap_or_default()
    }
}

/// Reads a capture file; a record that is not complete yet ends it.
pub fn read_file(path: &Path) -> Result<Vec<Packet>> {
    let bytes = fs::read(path).map_err(|e| Error::io(format!("read {}", path.display()), e))?;
    parse(&bytes)
        .ok_or_else(|| Error::Unexpected(format!("{} is not a pcap file of Ethernet frames", path.display())))
}

/// The content of a capture file; `None` where it is not one, or not of Ethernet.
pub fn parse(bytes: &[u8]) -> Option<Vec<Packet>> {
    let (big_endian, nanoseconds) = match bytes.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
        [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
        [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
        [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
        _ => return None,
    };
    let word = |bytes: &[u8], at: usize| -> Option<u32> {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    if word(bytes, 20)? != LINKTYPE_ETHERNET {
        return None;
    }
    let mut packets = Vec::new();
    let mut rest = bytes.get(FILE_HEADER..)?;
    while let (Some(seconds), Some(fraction), Some(length)) = (word(rest, 0), word(rest, 4), word(rest, 8)) {
        let end = RECORD_HEADER + usize::try_from(length).ok()?;
        let Some(frame) = rest.get(RECORD_HEADER..end) else {
            break;
        };
        let nanos = u64::from(fraction) * if nanoseconds { 1 } else { 1000 };
        let time = Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos);
        packets.push(Packet { time, bytes: frame.to_vec() });
        rest = rest.get(end..)?;
    }
    Some(packets)
}

/// The VRRP messages among the frames, IPv4 and IPv6, plain or behind AH, in their order.
pub fn vrrp(packets: &[Packet]) -> impl Iterator<Item = Vrrp> + '_ {
    packets.iter().filter_map(vrrp_of)
}

fn vrrp_of(packet: &Packet) -> Option<Vrrp> {
    let payload = packet.bytes.get(ETHERNET_HEADER..)?;
    match packet.bytes.get(12..14)? {
        [0x08, 0x00] => vrrp_of_ipv4(packet.time, payload),
        [0x86, 0xdd] => vrrp_of_ipv6(packet.time, payload),
        _ => None,
    }
}

fn vrrp_of_ipv4(time: Duration, payload: &[u8]) -> Option<Vrrp> {
    let header = usize::from(payload.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes(payload.get(2..4)?.try_into().ok()?));
    let ip = payload.get(..total)?;
    let message = match *ip.get(9)? {
        PROTOCOL_VRRP => ip.get(header..)?,
        PROTOCOL_AH if ip.get(header) == Some(&PROTOCOL_VRRP) => ip.get(header + AH_HEADER..)?,
        _ => return None,
    };
    let address =
        |at: usize| Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?)));
    let (src, dst, ttl) = (address(12)?, address(16)?, *ip.get(8)?);
    Some(Vrrp { time, src, dst, ttl, ip: ip.to_vec(), message: message.to_vec() })
}

fn vrrp_of_ipv6(time: Duration, payload: &[u8]) -> Option<Vrrp> {
    let length = usize::from(u16::from_be_bytes(payload.get(4..6)?.try_into().ok()?));
    let ip = payload.get(..IPV6_HEADER + length)?;
    if *ip.get(6)? != PROTOCOL_VRRP {
        return None;
    }
    let address =
        |at: usize| Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(ip.get(at..at + 16)?).ok()?)));
    let (src, dst, ttl) = (address(8)?, address(24)?, *ip.get(7)?);
    Some(Vrrp { time, src, dst, ttl, ip: ip.to_vec(), message: ip.get(IPV6_HEADER..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Ipv4;

    fn file(magic: [u8; 4], frame: &[u8]) -> Vec<u8> {
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        let mut bytes = magic.to_vec();
        bytes.extend([0; 16]);
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(7u32.to_le_bytes());
        bytes.extend(500u32.to_le_bytes());
        bytes.extend(length);
        bytes.extend(length);
        bytes.extend(frame);
        bytes
    }

    #[test]
    fn both_resolutions_are_read() {
        let micro = parse(&file([0xd4, 0xc3, 0xb2, 0xa1], &[0; 20])).unwrap();
        let nano = parse(&file([0x4d, 0x3c, 0xb2, 0xa1], &[0; 20])).unwrap();
        assert_eq!(micro[0].time, Duration::new(7, 500_000));
        assert_eq!(nano[0].time, Duration::new(7, 500));
    }

    #[test]
    fn a_record_being_written_is_not_read() {
        let mut bytes = file([0xd4, 0xc3, 0xb2, 0xa1], &[0; 20]);
        bytes.pop();
        assert_eq!(parse(&bytes), Some(Vec::new()));
        assert_eq!(parse(b"not a capture, but long enough to be"), None);
    }

    #[test]
    fn ethernet_padding_is_not_part_of_the_message() {
        let message = [0x31, 51, 150, 0, 0, 100, 0, 0];
        let mut frame = Ipv4::vrrp([10, 9, 0, 1], &message).ethernet([2, 0, 0, 0, 0, 1]);
        frame.resize(60, 0);
        let packets = [Packet { time: Duration::ZERO, bytes: frame }];
        let found: Vec<Vrrp> = vrrp(&packets).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, message);
        assert_eq!(
            (found[0].ttl, found[0].version(), found[0].vrid(), found[0].priority()),
            (255, 3, 51, 150)
        );
    }
}
