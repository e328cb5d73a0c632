//! `encap`: how packets are wrapped for a next hop (`RTA_ENCAP`).

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::{
    MplsLabel, RouteAttribute, RouteIp6Tunnel, RouteIp6TunnelFlags, RouteIpTunnel, RouteIpTunnelFlags,
    RouteLwEnCapType, RouteLwTunnelEncap, RouteMplsIpTunnel,
};
use std::net::IpAddr;

use crate::{
    config::{Encap, IpTunnel},
    units::Family,
};

/// ILA_ATTR_LOCATOR, which netlink-packet-route has no name for.
const ILA_LOCATOR: u16 = 1;

/// RTA_ENCAP_TYPE and RTA_ENCAP.
pub(super) fn attributes(encap: &Encap) -> [RouteAttribute; 2] {
    let (kind, parts) = match encap {
        Encap::Ip(tunnel) if tunnel.family == Family::V4 => {
            (RouteLwEnCapType::Ip, ip(tunnel).into_iter().map(RouteLwTunnelEncap::Ip).collect())
        }
        Encap::Ip(tunnel) => {
            (RouteLwEnCapType::Ip6, ip6(tunnel).into_iter().map(RouteLwTunnelEncap::Ip6).collect())
        }
        Encap::Mpls(labels) => {
            let stack = RouteMplsIpTunnel::Destination(stack(labels));
            (RouteLwEnCapType::Mpls, vec![RouteLwTunnelEncap::Mpls(stack)])
        }
        Encap::Ila(locator) => {
            let locator = DefaultNla::new(ILA_LOCATOR, locator.to_be_bytes().to_vec());
            (RouteLwEnCapType::Ila, vec![RouteLwTunnelEncap::Other(locator)])
        }
    };
    [RouteAttribute::EncapType(kind), RouteAttribute::Encap(parts)]
}

/// Labels, outermost first; the last one is marked (RFC 3032 §2.1).
fn stack(labels: &[u32]) -> Vec<MplsLabel> {
    let last = labels.len().saturating_sub(1);
    let label = |(place, label): (usize, &u32)| MplsLabel {
        label: *label,
        traffic_class: 0,
        bottom_of_stack: place == last,
        ttl: 0,
    };
    labels.iter().enumerate().map(label).collect()
}

fn ip(tunnel: &IpTunnel) -> Vec<RouteIpTunnel> {
    let v4 = |address: Option<IpAddr>| match address {
        Some(IpAddr::V4(address)) => Some(address),
        _ => None,
    };
    [
        tunnel.id.map(RouteIpTunnel::Id),
        v4(tunnel.destination).map(RouteIpTunnel::Destination),
        v4(tunnel.source).map(RouteIpTunnel::Source),
        tunnel.tos.map(RouteIpTunnel::Tos),
        tunnel.ttl.map(RouteIpTunnel::Ttl),
        tunnel.flags.map(|flags| RouteIpTunnel::Flags(RouteIpTunnelFlags::from_bits_retain(flags))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ip6(tunnel: &IpTunnel) -> Vec<RouteIp6Tunnel> {
    let v6 = |address: Option<IpAddr>| match address {
        Some(IpAddr::V6(address)) => Some(address),
        _ => None,
    };
    [
        tunnel.id.map(RouteIp6Tunnel::Id),
        v6(tunnel.destination).map(RouteIp6Tunnel::Destination),
        v6(tunnel.source).map(RouteIp6Tunnel::Source),
        tunnel.tos.map(RouteIp6Tunnel::Tc),
        tunnel.ttl.map(RouteIp6Tunnel::Hoplimit),
        tunnel.flags.map(|flags| RouteIp6Tunnel::Flags(RouteIp6TunnelFlags::from_bits_retain(flags))),
    ]
    .into_iter()
    .flatten()
    .collect()
}
