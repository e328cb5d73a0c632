//! Gratuitous ARP: the frame that tells a link that an IPv4 address now lives behind a MAC (RFC 5227 §3, RFC 826).

use std::net::Ipv4Addr;

/// Bytes of the frame; the driver pads it to Ethernet's minimum.
pub const FRAME_LEN: usize = 42;

const BROADCAST: [u8; 6] = [0xff; 6];
/// Ethertype ARP; hardware type Ethernet, protocol type IPv4, address lengths 6 and 4, opcode request.
const ETHERTYPE_TO_OPCODE: [u8; 10] = [0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1];

/// The frame as keepalived sends it (vrrp-protocol §6.8): an ARP request with sender and target address
/// both the virtual address, and the broadcast address as target MAC.
pub fn gratuitous_frame(mac: [u8; 6], address: Ipv4Addr) -> [u8; FRAME_LEN] {
    let mut frame = [0; FRAME_LEN];
    frame[0..6].copy_from_slice(&BROADCAST);
    frame[6..12].copy_from_slice(&mac);
    frame[12..22].copy_from_slice(&ETHERTYPE_TO_OPCODE);
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&address.octets());
    frame[32..38].copy_from_slice(&BROADCAST);
    frame[38..42].copy_from_slice(&address.octets());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// keepalived 2.2.7's first gratuitous ARP for 10.9.0.100, from the capture v2_noauth.pcap.
    #[rustfmt::skip]
    const KEEPALIVED: [u8; FRAME_LEN] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x08, 0x06,
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
        0x02, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x0a, 0x09, 0x00, 0x64,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0a, 0x09, 0x00, 0x64,
    ];

    #[test]
    fn the_frame_is_keepaliveds_byte_for_byte() {
        let mac = [0x02, 0x00, 0x00, 0x00, 0x0a, 0x01];
        assert_eq!(gratuitous_frame(mac, Ipv4Addr::new(10, 9, 0, 100)), KEEPALIVED);
    }
}
