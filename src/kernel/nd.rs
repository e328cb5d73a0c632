//! Unsolicited neighbour advertisements: the frame that tells a link where an IPv6 address lives now (RFC 4861 §4.4
//! and §7.2.6).

use std::net::Ipv6Addr;

use crate::checksum::Sum;

/// Bytes of the frame.
pub const FRAME_LEN: usize = 86;

/// The group of all nodes on the link, and the MAC that it has (RFC 4291 §2.7.1, RFC 2464 §7).
const ALL_NODES: [u8; 16] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// Ethertype, then version 6 without traffic class and flow label, payload length, next header ICMPv6, hop limit.
const ETHERTYPE_TO_HOP_LIMIT: [u8; 10] = [0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, ICMPV6, 255];
const ICMPV6: u8 = 58;
/// ICMPv6's type of a neighbour advertisement.
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// The flags of RFC 4861 §4.4. Solicited is never set: nobody has asked.
const ROUTER: u8 = 0x80;
const OVERRIDE: u8 = 0x20;
/// Option target link-layer address, one unit of eight bytes long.
const TARGET_MAC: [u8; 2] = [2, 1];

/// The frame as keepalived sends it (vrrp-protocol §6.8): from the address itself to all nodes, and to override what
/// they know. `router` says whether this host forwards IPv6 there.
pub fn advertisement_frame(mac: [u8; 6], address: Ipv6Addr, router: bool) -> [u8; FRAME_LEN] {
    let mut frame = [0; FRAME_LEN];
    frame[0..6].copy_from_slice(&ALL_NODES_MAC);
    frame[6..12].copy_from_slice(&mac);
    frame[12..22].copy_from_slice(&ETHERTYPE_TO_HOP_LIMIT);
    frame[22..38].copy_from_slice(&address.octets());
    frame[38..54].copy_from_slice(&ALL_NODES);
    frame[54] = NEIGHBOUR_ADVERTISEMENT;
    frame[58] = if router { ROUTER | OVERRIDE } else { OVERRIDE };
    frame[62..78].copy_from_slice(&address.octets());
    frame[78..80].copy_from_slice(&TARGET_MAC);
    frame[80..86].copy_from_slice(&mac);
    // Of a message whose checksum field is 0 (RFC 4443 §2.3).
    let message = &frame[54..];
    let mut sum = Sum::pseudo_header(ICMPV6, address.into(), ALL_NODES.into(), message.len());
    sum.add(message);
    let sum = sum.finish();
    frame[56..58].copy_from_slice(&sum.to_be_bytes());
    frame
}

/// Whether this host forwards IPv6 on an interface now, which is what makes it a router to its neighbours
/// (RFC 9568 §6.4.3 (6.4.3-3)). A file of
/// procfs: reading it waits for nobody. `false` when the interface is gone or does not speak IPv6.
pub fn is_router(interface: &str) -> bool {
    // A name never has a slash; a dot stays a dot in a path.
    let path = format!("/proc/sys/net/ipv6/conf/{interface}/forwarding");
    std::fs::read(path).is_ok_and(|setting| setting.first().is_some_and(|digit| *digit != b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// keepalived 2.2.7's first neighbour advertisement for fe80::51, from the capture v3_ipv6.pcap.
    #[rustfmt::skip]
    const KEEPALIVED: [u8; FRAME_LEN] = [
        0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x86, 0xdd,
        0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51,
        0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
        0x88, 0x00, 0x4c, 0xfb, 0x20, 0x00, 0x00, 0x00,
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51,
        0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01,
    ];
    const MAC: [u8; 6] = [0x02, 0x00, 0x00, 0x00, 0x0a, 0x01];

    #[test]
    fn the_frame_is_keepaliveds_byte_for_byte() {
        assert_eq!(advertisement_frame(MAC, "fe80::51".parse().unwrap(), false), KEEPALIVED);
    }

    #[test]
    fn etherparse_finds_the_checksum_right_and_the_router_flag_set() {
        let address: Ipv6Addr = "2001:db8:9::100".parse().unwrap();
        for router in [false, true] {
            let frame = advertisement_frame(MAC, address, router);
            let packet = etherparse::PacketHeaders::from_ethernet_slice(&frame).unwrap();
            let Some(etherparse::TransportHeader::Icmpv6(icmp)) = packet.transport else { panic!("ICMPv6") };
            let payload = packet.payload.slice();
            let sum = icmp.icmp_type.calc_checksum(address.octets(), ALL_NODES, payload).unwrap();
            assert_eq!(icmp.checksum, sum);
            assert_eq!(frame[58], if router { 0xa0 } else { 0x20 });
        }
    }

    #[test]
    fn an_interface_that_does_not_exist_forwards_nothing() {
        assert!(!is_router("no-such-link"));
    }
}
