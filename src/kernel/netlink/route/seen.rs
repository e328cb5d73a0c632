//! Routes as the kernel reports them, as far as one is told from another.

use std::net::IpAddr;

use netlink_packet_route::{
    AddressFamily,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteNextHop, RouteVia},
};

use crate::{
    config::Network,
    units::{Family, IfIndex},
};

/// IP6_RT_PRIO_USER: the metric of an IPv6 route that is given none.
const USUAL_IPV6_METRIC: u32 = 1024;

/// What tells a route from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// Its destination, without bits behind the prefix.
    pub destination: Network,
    /// The interfaces it leads through; empty when a line names none.
    pub through: Vec<IfIndex>,
    /// Its preferred source.
    pub source: Option<IpAddr>,
    table: u32,
    from: Option<Network>,
    tos: u8,
    metric: u32,
    protocol: u8,
    kind: u8,
    gateways: Vec<(Option<IpAddr>, Option<IfIndex>)>,
}

impl RouteInfo {
    /// Whether a route of the kernel is this one, which was wanted: where the line leaves an interface open, any will
    /// do.
    pub fn is_met_by(&self, seen: &Self) -> bool {
        let same = self.takes_the_place_of(seen)
            && self.protocol == seen.protocol
            && self.kind == seen.kind
            && (self.source.is_none() || self.source == seen.source);
        let leads_nowhere = self.gateways.iter().all(|(via, index)| via.is_none() && index.is_none());
        let fits = |((via, index), (seen_via, seen_index)): (&(_, Option<IfIndex>), &(_, _))| {
            via == seen_via && (index.is_none() || index == seen_index)
        };
        let hops =
            self.gateways.len() == seen.gateways.len() && self.gateways.iter().zip(&seen.gateways).all(fits);
        same && (leads_nowhere || hops)
    }

    /// Whether the kernel would put one where the other is if it was told to replace it.
    pub fn takes_the_place_of(&self, other: &Self) -> bool {
        self.destination == other.destination
            && self.table == other.table
            && self.from == other.from
            && self.tos == other.tos
            && self.metric == other.metric
    }
}

/// The route that a request asks for.
pub(super) fn wanted(message: &RouteMessage) -> RouteInfo {
    let mut info = decode(message, family(message).unwrap_or_default());
    if info.destination.family() == Family::V6 && info.metric == 0 {
        info.metric = USUAL_IPV6_METRIC;
    }
    info
}

/// `None` for what is neither IPv4 nor IPv6.
pub(in crate::kernel::netlink) fn route(message: &RouteMessage) -> Option<RouteInfo> {
    family(message).map(|family| decode(message, family))
}

fn family(message: &RouteMessage) -> Option<Family> {
    match message.header.address_family {
        AddressFamily::Inet => Some(Family::V4),
        AddressFamily::Inet6 => Some(Family::V6),
        _ => None,
    }
}

fn decode(message: &RouteMessage, family: Family) -> RouteInfo {
    let header = &message.header;
    let (mut destination, mut from) = (Network::every(family).address, None);
    let (mut source, mut metric, mut table) = (None, 0, u32::from(header.table));
    let mut hops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(value) => destination = ip(value).unwrap_or(destination),
            RouteAttribute::Source(value) => from = ip(value),
            RouteAttribute::PrefSource(value) => source = ip(value),
            RouteAttribute::Priority(value) => metric = *value,
            RouteAttribute::Table(value) => table = *value,
            RouteAttribute::MultiPath(several) => hops.extend(several.iter().map(next_hop)),
            _ => {}
        }
    }
    if hops.is_empty() {
        hops.push(hop(&message.attributes));
    }
    let network = |address, prefix| Network { address, prefix }.trimmed();
    RouteInfo {
        table,
        destination: network(destination, header.destination_prefix_length),
        through: hops.iter().filter_map(|(_, index)| *index).collect(),
        source,
        from: from.map(|from| network(from, header.source_prefix_length)),
        tos: header.tos,
        metric,
        protocol: header.protocol.into(),
        kind: header.kind.into(),
        gateways: hops,
    }
}

fn next_hop(next: &RouteNextHop) -> (Option<IpAddr>, Option<IfIndex>) {
    let (via, _) = hop(&next.attributes);
    (via, (next.interface_index != 0).then_some(IfIndex(next.interface_index)))
}

fn hop(attributes: &[RouteAttribute]) -> (Option<IpAddr>, Option<IfIndex>) {
    let (mut via, mut index) = (None, None);
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(value) => via = ip(value),
            RouteAttribute::Via(RouteVia::Inet(value)) => via = Some((*value).into()),
            RouteAttribute::Via(RouteVia::Inet6(value)) => via = Some((*value).into()),
            RouteAttribute::Oif(value) => index = Some(IfIndex(*value)),
            _ => {}
        }
    }
    (via, index)
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
