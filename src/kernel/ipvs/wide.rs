//! Addresses as IPVS has them: 16 bytes of either family, IPv4 in the first four.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::units::Family;

/// Linux's numbers of the families (linux/socket.h).
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// An address in 16 bytes.
pub(super) fn bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut wide = [0; 16];
            wide[..4].copy_from_slice(&address.octets());
            wide
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address in 16 bytes, of a family.
pub(super) fn address(bytes: [u8; 16], family: Family) -> IpAddr {
    let [a, b, c, d, ..] = bytes;
    match family {
        Family::V4 => Ipv4Addr::new(a, b, c, d).into(),
        Family::V6 => Ipv6Addr::from(bytes).into(),
    }
}

/// The number of a family.
pub(super) fn number(family: Family) -> u16 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// The family of a number.
pub(super) fn family(number: u16) -> Option<Family> {
    [Family::V4, Family::V6].into_iter().find(|family| self::number(*family) == number)
}
