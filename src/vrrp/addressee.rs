//! Whom a received packet is for: what has to be known before a machine can be asked about it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ip::Header;
use crate::units::Family;

/// The group that routers of a family talk to each other on (RFC 9568 §5.1.1.2, §5.1.2.2), unless configured
/// otherwise: of the link, so that nobody routes what is sent to it (5.1.1.2-1, 5.1.2.2-1).
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
    /// Who sent it, which tells unicast instances of one VRID apart.
    pub source: IpAddr,
    /// Where it was sent, which tells those of different groups apart.
    pub destination: IpAddr,
}

impl Addressee {
    /// The addressee of an IP packet; `None` for one too short to have a VRID.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let header = Header::parse(packet).ok()?;
        // The VRID is the second byte of the message, in every version.
        let vrid = *packet.get(header.length + 1)?;
        Some(Self { vrid, source: header.source, destination: header.destination })
    }

    /// The family it was sent over: instances of both families may share a VRID on an interface.
    pub fn family(&self) -> Family {
        Family::of(self.destination)
    }

    /// Whether it was sent to a group: multicast and unicast instances may share a VRID on an interface, and
    /// neither hears the other's packets.
    pub fn is_multicast(&self) -> bool {
        self.destination.is_multicast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vrrp::testing::capture;

    /// The v2 advertisement of vrrp-protocol §9, cut where the VRID ends.
    const START: [u8; 22] = [
        0x45, 0xc0, 0x00, 0x2c, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0xd0, 0x84, 10, 9, 0, 1, 224, 0, 0, 18,
        0x21, 0x33,
    ];

    #[test]
    fn a_packet_is_told_by_vrid_family_and_kind_of_destination() {
        let source = IpAddr::from([10, 9, 0, 1]);
        let group = Addressee::of(&START).unwrap();
        assert_eq!(group, Addressee { vrid: 0x33, source, destination: multicast_group(Family::V4) });
        assert_eq!((group.family(), group.is_multicast()), (Family::V4, true));
        let mut unicast = START;
        unicast[16..20].copy_from_slice(&[10, 9, 0, 2]);
        assert_eq!(Addressee::of(&unicast).map(|one| one.is_multicast()), Some(false));
        for length in 0..START.len() {
            assert_eq!(Addressee::of(&START[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn over_ipv6_too() {
        for (name, is_multicast) in [("v3_ipv6", true), ("v3_unicast6", false)] {
            let packet = &capture(name)[0];
            let addressee = Addressee::of(packet).unwrap();
            assert_eq!((addressee.vrid, addressee.family()), (51, Family::V6));
            assert_eq!(addressee.is_multicast(), is_multicast);
            assert_eq!(Addressee::of(&packet[..41]), None);
        }
    }
}
