//! IPv4 packets written field by field, right by default and wrong where a test wants it, and messages of ICMPv6.

use std::net::Ipv6Addr;

/// The Ethernet address of the IPv4 VRRP group.
pub const VRRP_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12];
/// The IPv4 VRRP group.
pub const VRRP_GROUP: [u8; 4] = [224, 0, 0, 18];

const HEADER: usize = 20;

/// An IPv4 packet with every header field that VRRP's validation looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv4 {
    /// Source address.
    pub src: [u8; 4],
    /// Destination address.
    pub dst: [u8; 4],
    /// Type of service.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Time to live.
    pub ttl: u8,
    /// Protocol.
    pub protocol: u8,
    /// Total length as the header claims it; `None` for the true one.
    pub total_length: Option<u16>,
    /// Everything after the header.
    pub payload: Vec<u8>,
}

impl Ipv4 {
    /// A VRRP message to the group, with the header that a router sends.
    pub fn vrrp(src: [u8; 4], message: &[u8]) -> Self {
        Self {
            src,
            dst: VRRP_GROUP,
            tos: 0xc0,
            id: 1,
            ttl: 255,
            protocol: 112,
            total_length: None,
            payload: message.to_vec(),
        }
    }

    /// The packet with its header checksum.
    pub fn bytes(&self) -> Vec<u8> {
        let true_length = u16::try_from(HEADER + self.payload.len()).unwrap_or(u16::MAX);
        let length = self.total_length.unwrap_or(true_length).to_be_bytes();
        let id = self.id.to_be_bytes();
        let mut packet =
            vec![0x45, self.tos, length[0], length[1], id[0], id[1], 0, 0, self.ttl, self.protocol, 0, 0];
        packet.extend(self.src);
        packet.extend(self.dst);
        let checksum = checksum(&packet).to_be_bytes();
        packet[10..12].copy_from_slice(&checksum);
        packet.extend(&self.payload);
        packet
    }

    /// The frame to the VRRP group's Ethernet address, from `mac`.
    pub fn ethernet(&self, mac: [u8; 6]) -> Vec<u8> {
        self.ethernet_to(VRRP_MAC, mac)
    }

    /// The frame to any Ethernet address.
    pub fn ethernet_to(&self, dst: [u8; 6], src: [u8; 6]) -> Vec<u8> {
        let mut frame = dst.to_vec();
        frame.extend(src);
        frame.extend([0x08, 0x00]);
        frame.extend(self.bytes());
        frame
    }
}

/// The frame with an ICMPv6 message, whose checksum is filled in, to a group of the link: ff02::1 is all nodes, ff02::2
/// all routers (RFC 4443 §2.3, RFC 4291 §2.7.1).
pub fn icmpv6(mac: [u8; 6], src: Ipv6Addr, group: u8, mut message: Vec<u8>) -> Vec<u8> {
    let dst = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, u16::from(group));
    let addresses = [src.octets(), dst.octets()].concat();
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut covered = addresses.clone();
    covered.extend([0, 0, length[0], length[1], 0, 0, 0, 58]);
    covered.extend(&message);
    message[2..4].copy_from_slice(&checksum(&covered).to_be_bytes());
    let mut frame = vec![0x33, 0x33, 0, 0, 0, group];
    frame.extend(mac);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, length[0], length[1], 58, 255]);
    frame.extend(addresses);
    frame.extend(message);
    frame
}

/// The internet checksum over `bytes`, whose checksum field must be zero.
pub fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or_default()
}

/// A VRRPv2 advertisement (RFC 3768 §5.1) with its checksum: 8 bytes of authentication data last.
pub fn advert_v2(vrid: u8, priority: u8, interval: u8, auth: Option<[u8; 8]>, vips: &[[u8; 4]]) -> Vec<u8> {
    let kind = u8::from(auth.is_some());
    let mut message = vec![0x21, vrid, priority, count(vips), kind, interval, 0, 0];
    vips.iter().for_each(|vip| message.extend(vip));
    message.extend(auth.unwrap_or_default());
    let sum = checksum(&message).to_be_bytes();
    message[6..8].copy_from_slice(&sum);
    message
}

/// A VRRPv3 advertisement for IPv4 (RFC 5798 §5.1), `interval` in centiseconds, its checksum with the
/// pseudo header of `src` and `dst`.
pub fn advert_v3(
    (src, dst): ([u8; 4], [u8; 4]),
    vrid: u8,
    priority: u8,
    interval: u16,
    vips: &[[u8; 4]],
) -> Vec<u8> {
    let interval = (interval & 0x0fff).to_be_bytes();
    let mut message = vec![0x31, vrid, priority, count(vips), interval[0], interval[1], 0, 0];
    vips.iter().for_each(|vip| message.extend(vip));
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut covered = [src, dst].concat();
    covered.extend([0, 112, length[0], length[1]]);
    covered.extend(&message);
    let sum = checksum(&covered).to_be_bytes();
    message[6..8].copy_from_slice(&sum);
    message
}

fn count(vips: &[[u8; 4]]) -> u8 {
    u8::try_from(vips.len()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRC: [u8; 4] = [10, 9, 0, 1];
    const VIPS: [[u8; 4]; 2] = [[10, 9, 0, 100], [10, 9, 0, 101]];

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn v2_without_authentication_is_the_captured_one() {
        let packet = Ipv4::vrrp(SRC, &advert_v2(51, 150, 1, None, &VIPS)).bytes();
        let seen =
            "45c0002c00010000ff70d0840a090001e0000012 21339602000133ee0a0900640a0900650000000000000000";
        assert_eq!(packet, hex(seen));
    }

    #[test]
    fn v2_with_a_password_is_the_captured_one() {
        let message = advert_v2(51, 150, 1, Some(*b"s3cret99"), &VIPS[..1]);
        assert_eq!(message, hex("213396010101c8090a0900647333637265743939"));
    }

    #[test]
    fn v3_is_the_captured_one() {
        let packet = Ipv4::vrrp(SRC, &advert_v3((SRC, VRRP_GROUP), 51, 150, 100, &VIPS)).bytes();
        let seen = "45c0002400010000ff70d08c0a090001e0000012 31339602006438ee0a0900640a090065";
        assert_eq!(packet, hex(seen));
    }
}
