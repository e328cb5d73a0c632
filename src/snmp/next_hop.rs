//! KEEPALIVED-MIB::vrrpRouteNextHopTable: the next hops of routes that have several.

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::NextHop,
    snmp::{
        INET_ADDRESS_TYPE, Snapshot, TRUTH, address_octets, address_type,
        encap::{self, ENCAP_TYPE},
        instance, integer, one_or_two, position, route, text, unsigned,
    },
};

/// A next hop, with the interface's index as the engine knows it.
pub(super) struct Row {
    next: NextHop,
    index: Option<u32>,
}

/// The table.
pub(super) static TABLE: Table<Snapshot, Row> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 11, 1],
    name: "vrrpRouteNextHopEntry",
    index: &[
        instance::INDEX,
        route::INDEX,
        Index { name: "vrrpRouteNextHopIndex", syntax: Syntax::Integer32, implied: false },
    ],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let routes = |instance: u32| route::routes(topology, instance);
        let hops = |instance: u32, route: u32| {
            routes(instance).get(route as usize - 1).map_or(0, |row| row.config.next_hops.len())
        };
        let count = |instance: u32| routes(instance).len();
        let (instance, route, hop) =
            position::seek_deep(topology.instances.len(), count, hops, after, include)?;
        let row = routes(instance).get(route as usize - 1)?;
        let place = hop as usize - 1;
        let next = row.config.next_hops.get(place)?.clone();
        let index = row.status().hops.get(place).copied().flatten().map(|index| index.0);
        Some((vec![instance, route, hop], Row { next, index }))
    },
};

static COLUMNS: [Column<Snapshot, Row>; 18] = [
    Column::hidden(1, "vrrpRouteNextHopIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpRouteNextHopAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(row.next.hop.via?)
    }),
    Column::new(3, "vrrpRouteNextHopAddress", Syntax::OctetString, |_, row| {
        address_octets(row.next.hop.via?)
    }),
    Column::new(4, "vrrpRouteNextHopIfIndex", Syntax::Integer32, |_, row| integer(row.index?)),
    Column::new(5, "vrrpRouteNextHopIfName", Syntax::DisplayString, |_, row| {
        text(row.next.hop.device.as_deref()?)
    }),
    Column::new(6, "vrrpRouteNextHopWeight", Syntax::Unsigned32, |_, row| unsigned(row.next.weight)),
    Column::new(7, "vrrpRouteNextHopOnlink", TRUTH, |_, row| one_or_two(row.next.hop.onlink)),
    Column::new(8, "vrrpRouteNextHopRealmDst", Syntax::Unsigned32, |_, row| {
        encap::realm(row.next.hop.realms?.to)
    }),
    Column::new(9, "vrrpRouteNextHopRealmSrc", Syntax::Unsigned32, |_, row| {
        encap::realm(row.next.hop.realms?.from)
    }),
    Column::hidden(10, "vrrpRouteNextHopEncapType", ENCAP_TYPE, Access::NotAccessible),
    Column::new(11, "vrrpRouteNextHopEncapMplsLabels", Syntax::DisplayString, |_, row| {
        encap::labels(row.next.hop.encap.as_ref()?)
    }),
    Column::new(12, "vrrpRouteNextHopEncapId", Syntax::Counter64, |_, row| {
        encap::id(row.next.hop.encap.as_ref()?)
    }),
    Column::new(13, "vrrpRouteNextHopEncapDstAddress", Syntax::OctetString, |_, row| {
        address_octets(encap::ip(row.next.hop.encap.as_ref()?)?.destination?)
    }),
    Column::new(14, "vrrpRouteNextHopEncapSrcAddress", Syntax::OctetString, |_, row| {
        address_octets(encap::ip(row.next.hop.encap.as_ref()?)?.source?)
    }),
    Column::new(15, "vrrpRouteNextHopEncapTOS", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.next.hop.encap.as_ref()?)?.tos?)
    }),
    Column::new(16, "vrrpRouteNextHopEncapTTL", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.next.hop.encap.as_ref()?)?.ttl?)
    }),
    Column::new(17, "vrrpRouteNextHopEncapFlags", Syntax::Unsigned32, |_, row| {
        unsigned(encap::ip(row.next.hop.encap.as_ref()?)?.flags?)
    }),
    Column::new(18, "vrrpRouteNextHopEncapIlaLocator", Syntax::Counter64, |_, row| {
        encap::locator(row.next.hop.encap.as_ref()?)
    }),
];
