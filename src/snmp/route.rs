//! KEEPALIVED-MIB::vrrpRouteTable: the static routes below instance 0, and per instance its virtual routes.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table, Value};

use crate::{
    config::{Metric, MetricTime, Network, Route, RouteKind, RouterPreference, Scope},
    registry::RouteRow,
    snmp::{
        INET_ADDRESS_TYPE, Snapshot, TRUTH, address,
        address::{INET_SCOPE_TYPE, STATUS},
        address_octets, address_type,
        encap::{self, ENCAP_TYPE},
        instance, integer, one_or_two, position, text, unsigned,
    },
};

/// The kernel's numbers of protocols, plus one; keepalived itself is out of line.
pub(super) const PROTOCOL: Syntax = Syntax::Enum(&[
    ("unspec", 1),
    ("redirect", 2),
    ("kernel", 3),
    ("boot", 4),
    ("static", 5),
    ("gated", 9),
    ("ra", 10),
    ("mrt", 11),
    ("zebra", 12),
    ("bird", 13),
    ("dnrouted", 14),
    ("xorp", 15),
    ("ntk", 16),
    ("dhcp", 17),
    ("keepalived", 112),
]);
const ROUTE_TYPE: Syntax = Syntax::Enum(&[
    ("unicast", 1),
    ("ecmp", 2),
    ("blackhole", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("broadcast", 6),
    ("unreachable", 7),
    ("prohibit", 8),
    ("throw", 9),
    ("nat", 10),
    ("xresolve", 11),
]);
const PREFERENCE: Syntax = Syntax::Enum(&[("low", 1), ("medium", 2), ("high", 3)]);

/// vrrpRouteIndex.
pub(super) const INDEX: Index = Index { name: "vrrpRouteIndex", syntax: Syntax::Integer32, implied: false };

/// The routes below an instance's index; 0 has the static ones.
pub(super) fn routes(topology: &Snapshot, index: u32) -> &[Arc<RouteRow>] {
    instance::rows_below(topology, index, &topology.statics.routes, |row| &row.routes)
}

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<RouteRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 7, 1],
    name: "vrrpRouteEntry",
    index: &[instance::INDEX, INDEX],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let count = |instance| routes(topology, instance).len();
        let (instance, route) = position::seek_below_any(topology.instances.len(), count, after, include)?;
        let row = routes(topology, instance).get(route as usize - 1)?;
        Some((vec![instance, route], Arc::clone(row)))
    },
};

type Getter = fn(&Snapshot, &Arc<RouteRow>) -> Option<Value>;

static COLUMNS: [Column<Snapshot, Arc<RouteRow>>; 55] = [
    Column::hidden(1, "vrrpRouteIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpRouteAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(row.config.destination.address)
    }),
    Column::new(3, "vrrpRouteDestination", Syntax::OctetString, |_, row| {
        address_octets(row.config.destination.address)
    }),
    Column::new(4, "vrrpRouteDestinationMask", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.destination.prefix)
    }),
    Column::new(5, "vrrpRouteGateway", Syntax::OctetString, |_, row| address_octets(row.config.hop.via?)),
    Column::new(6, "vrrpRouteSecondaryGateway", Syntax::OctetString, |_, _| None),
    Column::new(7, "vrrpRouteSource", Syntax::OctetString, |_, row| address_octets(row.config.source?)),
    Column::new(8, "vrrpRouteMetric", Syntax::Unsigned32, |_, row| unsigned(row.config.metric)),
    Column::new(9, "vrrpRouteScope", INET_SCOPE_TYPE, |_, row| {
        address::scope_number(Scope(row.config.scope.unwrap_or_default()))
    }),
    Column::new(10, "vrrpRouteType", ROUTE_TYPE, |_, row| kind(&row.config)),
    Column::new(11, "vrrpRouteIfIndex", Syntax::Integer32, |_, row| integer(row.status().device?.0)),
    Column::new(12, "vrrpRouteIfName", Syntax::DisplayString, |_, row| {
        text(row.config.hop.device.as_deref()?)
    }),
    Column::new(13, "vrrpRouteRoutingTable", Syntax::Unsigned32, |_, row| unsigned(row.config.table)),
    Column::new(14, "vrrpRouteStatus", STATUS, |_, row| one_or_two(row.status().set)),
    Column::new(15, "vrrpRouteFromAddress", Syntax::OctetString, |_, row| {
        address_octets(row.config.from?.address)
    }),
    Column::new(16, "vrrpRouteFromAddressMask", Syntax::Unsigned32, |_, row| {
        let Network { prefix, .. } = row.config.from?;
        unsigned(prefix)
    }),
    Column::new(17, "vrrpRouteTos", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.tos).filter(|_| row.config.tos != 0)
    }),
    Column::new(18, "vrrpRouteProtocol", PROTOCOL, |_, row| protocol(row.config.protocol)),
    Column::new(19, "vrrpRouteECN", TRUTH, |_, row| one_or_two(row.config.metrics.ecn)),
    Column::new(20, "vrrpRouteQuickAck", TRUTH, |_, row| {
        one_or_two(row.config.metrics.quickack == Some(true))
    }),
    Column::new(21, "vrrpRouteExpires", Syntax::Integer32, |_, row| integer(row.config.expires?)),
    Column::new(22, "vrrpRouteMTU", Syntax::Unsigned32, MTU.0),
    Column::new(23, "vrrpRouteMTULock", TRUTH, MTU.1),
    Column::new(24, "vrrpRouteHopLimit", Syntax::Unsigned32, |_, row| unsigned(row.config.metrics.hoplimit?)),
    Column::new(25, "vrrpRouteAdvmss", Syntax::Unsigned32, ADVMSS.0),
    Column::new(26, "vrrpRouteAdvmssLock", TRUTH, ADVMSS.1),
    Column::new(27, "vrrpRouteRTT", Syntax::Unsigned32, |_, row| time(row.config.metrics.rtt, 8)),
    Column::new(28, "vrrpRouteRTTLock", TRUTH, |_, row| lock(row.config.metrics.rtt)),
    Column::new(29, "vrrpRouteRTTvar", Syntax::Unsigned32, |_, row| time(row.config.metrics.rttvar, 4)),
    Column::new(30, "vrrpRouteRTTvarLock", TRUTH, |_, row| lock(row.config.metrics.rttvar)),
    Column::new(31, "vrrpRouteReordering", Syntax::Unsigned32, REORDERING.0),
    Column::new(32, "vrrpRouteReorderingLock", TRUTH, REORDERING.1),
    Column::new(33, "vrrpRouteWindow", Syntax::Unsigned32, |_, row| unsigned(row.config.metrics.window?)),
    Column::new(34, "vrrpRouteCwnd", Syntax::Unsigned32, CWND.0),
    Column::new(35, "vrrpRouteCwndLock", TRUTH, CWND.1),
    Column::new(36, "vrrpRouteSSthresh", Syntax::Unsigned32, SSTHRESH.0),
    Column::new(37, "vrrpRouteSSthreshLock", TRUTH, SSTHRESH.1),
    Column::new(38, "vrrpRouteRTOMin", Syntax::Unsigned32, |_, row| time(row.config.metrics.rto_min, 1)),
    Column::new(39, "vrrpRouteRTOMinLock", TRUTH, |_, row| lock(row.config.metrics.rto_min)),
    Column::new(40, "vrrpRouteInitCwnd", Syntax::Unsigned32, |_, row| unsigned(row.config.metrics.initcwnd?)),
    Column::new(41, "vrrpRouteInitRwnd", Syntax::Unsigned32, |_, row| unsigned(row.config.metrics.initrwnd?)),
    Column::new(42, "vrrpRouteCongCtl", Syntax::DisplayString, |_, row| {
        text(&row.config.metrics.congestion_control.as_ref()?.value)
    }),
    Column::new(43, "vrrpRoutePref", PREFERENCE, |_, row| {
        integer(match row.config.preference? {
            RouterPreference::Low => 1,
            RouterPreference::Medium => 2,
            RouterPreference::High => 3,
        })
    }),
    Column::new(44, "vrrpRouteRealmDst", Syntax::Unsigned32, |_, row| {
        encap::realm(row.config.hop.realms?.to)
    }),
    Column::new(45, "vrrpRouteRealmSrc", Syntax::Unsigned32, |_, row| {
        encap::realm(row.config.hop.realms?.from)
    }),
    Column::new(46, "vrrpRouteEncapType", ENCAP_TYPE, |_, row| encap::kind(row.config.hop.encap.as_ref()?)),
    Column::new(47, "vrrpRouteEncapMplsLabels", Syntax::DisplayString, |_, row| {
        encap::labels(row.config.hop.encap.as_ref()?)
    }),
    Column::new(48, "vrrpRouteEncapId", Syntax::Counter64, |_, row| {
        encap::id(row.config.hop.encap.as_ref()?)
    }),
    Column::new(49, "vrrpRouteEncapDstAddress", Syntax::OctetString, |_, row| {
        address_octets(encap::ip(row.config.hop.encap.as_ref()?)?.destination?)
    }),
    Column::new(50, "vrrpRouteEncapSrcAddress", Syntax::OctetString, |_, row| {
        address_octets(encap::ip(row.config.hop.encap.as_ref()?)?.source?)
    }),
    Column::new(51, "vrrpRouteEncapTOS", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.config.hop.encap.as_ref()?)?.tos?)
    }),
    Column::new(52, "vrrpRouteEncapTTL", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.config.hop.encap.as_ref()?)?.ttl?)
    }),
    Column::new(53, "vrrpRouteEncapFlags", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.config.hop.encap.as_ref()?)?.flags?)
    }),
    Column::new(54, "vrrpRouteEncapIlaLocator", Syntax::Counter64, |_, row| {
        encap::locator(row.config.hop.encap.as_ref()?)
    }),
    Column::new(55, "vrrpRouteFastOpenNoCookie", TRUTH, |_, row| {
        one_or_two(row.config.metrics.fastopen_no_cookie?)
    }),
];

/// The value of a metric, and its lock.
macro_rules! metric {
    ($name:ident) => {
        (
            |_, row| unsigned(row.config.metrics.$name?.value),
            |_, row| one_or_two(row.config.metrics.$name?.locked),
        )
    };
}

const MTU: (Getter, Getter) = metric!(mtu);
const ADVMSS: (Getter, Getter) = metric!(advmss);
const REORDERING: (Getter, Getter) = metric!(reordering);
const CWND: (Getter, Getter) = metric!(cwnd);
const SSTHRESH: (Getter, Getter) = metric!(ssthresh);

/// Milliseconds of a time, of which the kernel counts so many parts.
fn time(metric: Option<Metric<MetricTime>>, parts: u32) -> Option<Value> {
    unsigned(match metric?.value {
        MetricTime::Raw(number) => number / parts,
        MetricTime::Milliseconds(milliseconds) => milliseconds,
    })
}

fn lock(metric: Option<Metric<MetricTime>>) -> Option<Value> {
    one_or_two(metric?.locked)
}

/// The MIB has no number for a route to this host itself.
fn kind(route: &Route) -> Option<Value> {
    if !route.next_hops.is_empty() {
        return integer(2);
    }
    integer(match route.kind {
        RouteKind::Unicast => 1,
        RouteKind::Blackhole => 3,
        RouteKind::Anycast => 4,
        RouteKind::Multicast => 5,
        RouteKind::Broadcast => 6,
        RouteKind::Unreachable => 7,
        RouteKind::Prohibit => 8,
        RouteKind::Throw => 9,
        RouteKind::Nat => 10,
        RouteKind::ExternalResolve => 11,
        RouteKind::Local => return None,
    })
}

/// The MIB's number of a protocol, if it has one.
pub(super) fn protocol(protocol: u8) -> Option<Value> {
    match protocol {
        0..=4 | 8..=16 => integer(protocol + 1),
        crate::config::PROTOCOL => integer(112),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_has_the_kernels_number_plus_one_if_it_has_a_name() {
        assert_eq!(protocol(4), Some(Value::Integer(5)));
        assert_eq!(protocol(18), Some(Value::Integer(112)));
        assert_eq!(protocol(5), None);
    }
}
