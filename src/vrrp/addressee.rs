//! Whom a received packet is for: what has to be known before a machine can be asked about it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ip::Header;
use crate::units::Family;

/// The group that routers of a family talk to each other on (RFC 9568 §5.1.1.2, §5.1.2.2), unless configured
/// otherwise.
pub const fn multicast_group(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
    }
}

/// Whom a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The virtual router.
    pub vrid: u8,
    /// Whether it was sent to a group: multicast and unicast instances may share a VRID on an interface, and
    /// neither hears the other's packets.
    pub multicast: bool,
    /// Who sent it, which tells unicast instances of one VRID apart. Instances of both families may share a VRID, too.
    pub source: IpAddr,
}

impl Addressee {
    /// The addressee of an IP packet; `None` for one too short to have a VRID.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let header = Header::parse(packet).ok()?;
        // The VRID is the second byte of the message, in every version.
        let vrid = *packet.get(header.length + 1)?;
        Some(Self { vrid, multicast: header.destination.is_multicast(), source: header.source })
    }
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
        let source = IpAddr::from([10, 9, 0, 1]);
        assert_eq!(Addressee::of(&START), Some(Addressee { vrid: 0x33, multicast: true, source }));
        let mut unicast = START;
        unicast[16..20].copy_from_slice(&[10, 9, 0, 2]);
        assert_eq!(Addressee::of(&unicast), Some(Addressee { vrid: 0x33, multicast: false, source }));
        for length in 0..START.len() {
            assert_eq!(Addressee::of(&START[..length]), None, "{length} bytes");
        }
    }
}
