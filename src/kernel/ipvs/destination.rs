//! Destinations: the real servers of a service (IPVS_DEST_ATTR_*).

use std::{net::SocketAddr, num::NonZeroU16};

use super::{Held, attribute, statistics, wide};
use crate::{
    kernel::attributes::{Attributes, Values},
    units::Family,
};

const ADDRESS: u16 = 1;
const PORT: u16 = 2;
const FORWARDING: u16 = 3;
const WEIGHT: u16 = 4;
const UPPER: u16 = 5;
const LOWER: u16 = 6;
const ACTIVE: u16 = 7;
const INACTIVE: u16 = 8;
const PERSISTENT: u16 = 9;
const STATISTICS: u16 = 10;
const FAMILY: u16 = 11;
const STATISTICS_64: u16 = 12;
const TUNNEL: u16 = 13;
const TUNNEL_PORT: u16 = 14;
const TUNNEL_FLAGS: u16 = 15;

/// IP_VS_CONN_F_*: how packets reach the server.
const MASQUERADED: u32 = 0;
const LOCAL: u32 = 1;
const TUNNELLED: u32 = 2;
const ROUTED: u32 = 3;
const BYPASSED: u32 = 4;
const METHODS: u32 = 7;

/// Which destination of a service; port 0 for services by mark that do not translate.
pub type DestinationKey = SocketAddr;

/// How packets reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// `NAT`.
    Masquerade,
    /// The server is this host.
    Local,
    /// `TUN`.
    Tunnel(Encapsulation),
    /// `DR`.
    Route,
    /// Not to a server at all, to where it was sent.
    Bypass,
}

/// What is around a packet in a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encapsulation {
    /// `ipip`.
    Ipip,
    /// `gue`: UDP, Linux 5.3.
    Gue {
        /// To this port.
        port: NonZeroU16,
        /// TUN_FLAGS: 0 none, 1 a checksum, 2 one for later.
        checksum: u16,
    },
    /// `gre`, Linux 5.3.
    Gre {
        /// As of GUE, without 2.
        checksum: u16,
    },
}

/// A real server of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Which.
    pub key: DestinationKey,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Its share; 0 keeps new connections away. At most `i32::MAX`.
    pub weight: u32,
    /// `uthreshold`: connections at which it gets no new ones; 0 is no limit.
    pub upper_threshold: u32,
    /// `lthreshold`: connections below which it gets new ones again.
    pub lower_threshold: u32,
}

/// Connections that a destination has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Established.
    pub active: u32,
    /// All others.
    pub inactive: u32,
    /// Templates of clients that come back.
    pub persistent: u32,
}

/// The key of a destination.
pub(super) fn write_key(key: DestinationKey, attributes: &mut Attributes) {
    attributes
        .u16(FAMILY, wide::number(Family::of(key.ip())))
        .bytes(ADDRESS, &wide::bytes(key.ip()))
        .be16(PORT, key.port());
}

impl Destination {
    /// All that a new or changed destination needs.
    pub(super) fn write(&self, attributes: &mut Attributes) {
        write_key(self.key, attributes);
        let method = match self.forwarding {
            Forwarding::Masquerade => MASQUERADED,
            Forwarding::Local => LOCAL,
            Forwarding::Tunnel(_) => TUNNELLED,
            Forwarding::Route => ROUTED,
            Forwarding::Bypass => BYPASSED,
        };
        attributes
            .u32(FORWARDING, method)
            .u32(WEIGHT, self.weight)
            .u32(UPPER, self.upper_threshold)
            .u32(LOWER, self.lower_threshold);
        // Kernels before 5.3 refuse what they do not know, so it is said only where it is not the usual.
        match self.forwarding {
            Forwarding::Tunnel(Encapsulation::Gue { port, checksum }) => {
                attributes.bytes(TUNNEL, &[1]).be16(TUNNEL_PORT, port.get()).u16(TUNNEL_FLAGS, checksum);
            }
            Forwarding::Tunnel(Encapsulation::Gre { checksum }) => {
                attributes.bytes(TUNNEL, &[2]).u16(TUNNEL_FLAGS, checksum);
            }
            _ => {}
        }
    }
}

/// The destination in an answer of the kernel, to a question about a service of `family`; `None` for what no destination
/// has that could be made here.
pub fn read(answer: &[u8], family: Family) -> Option<Held<(Destination, Connections)>> {
    let values = Values::of(answer).inside(attribute::DESTINATION)?;
    let number = |kind| values.u32(kind).unwrap_or_default();
    // Kernels before 3.18 have destinations of the service's family only, and do not say so.
    let family = values.u16(FAMILY).map_or(Some(family), wide::family)?;
    let destination = Destination {
        key: SocketAddr::new(wide::address(values.array(ADDRESS)?, family), values.be16(PORT)?),
        forwarding: forwarding(values)?,
        weight: values.u32(WEIGHT)?,
        upper_threshold: number(UPPER),
        lower_threshold: number(LOWER),
    };
    let connections =
        Connections { active: number(ACTIVE), inactive: number(INACTIVE), persistent: number(PERSISTENT) };
    let statistics = statistics::read(values, STATISTICS_64, STATISTICS);
    Some(Held { what: (destination, connections), statistics })
}

fn forwarding(values: Values<'_>) -> Option<Forwarding> {
    match values.u32(FORWARDING)? & METHODS {
        MASQUERADED => Some(Forwarding::Masquerade),
        LOCAL => Some(Forwarding::Local),
        ROUTED => Some(Forwarding::Route),
        BYPASSED => Some(Forwarding::Bypass),
        TUNNELLED => encapsulation(values).map(Forwarding::Tunnel),
        _ => None,
    }
}

fn encapsulation(values: Values<'_>) -> Option<Encapsulation> {
    let checksum = values.u16(TUNNEL_FLAGS).unwrap_or_default();
    match values.array(TUNNEL) {
        None | Some([0]) => Some(Encapsulation::Ipip),
        Some([1]) => Some(Encapsulation::Gue { port: NonZeroU16::new(values.be16(TUNNEL_PORT)?)?, checksum }),
        Some([2]) => Some(Encapsulation::Gre { checksum }),
        Some(_) => None,
    }
}
