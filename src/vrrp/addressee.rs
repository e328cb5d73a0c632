//! Whom a received packet is for: what has to be known before a machine can be asked about it.

use std::net::Ipv4Addr;

use super::ipv4::Header;

/// The group that routers of IPv4 talk to each other on (RFC 9568 §5.1.1.2), unless configured otherwise.
pub const MULTICAST_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// The VRID of an IPv4 packet and whether it was sent to a group; `None` for one too short to have a VRID.
///
/// Multicast and unicast instances may share a VRID on an interface, and neither hears the other's packets.
pub fn addressee(packet: &[u8]) -> Option<(u8, bool)> {
    let (header, header_len) = Header::parse(packet).ok()?;
    // The VRID is the second byte of the message, in every version.
    let vrid = packet.get(header_len + 1)?;
    Some((*vrid, header.destination.is_multicast()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The v2 advertisement of vrrp-protocol §9, cut where the VRID ends.
    const START: [u8; 22] = [
        0x45, 0xc0, 0x00, 0x2c, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0xd0, 0x84, 10, 9, 0, 1, 224, 0, 0, 18,
        0x21, 0x33,
    ];

    #[test]
    fn a_packet_is_told_by_vrid_and_kind_of_destination() {
        assert_eq!(addressee(&START), Some((0x33, true)));
        let mut unicast = START;
        unicast[16..20].copy_from_slice(&[10, 9, 0, 2]);
        assert_eq!(addressee(&unicast), Some((0x33, false)));
        for length in 0..START.len() {
            assert_eq!(addressee(&START[..length]), None, "{length} bytes");
        }
    }
}
