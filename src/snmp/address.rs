//! KEEPALIVED-MIB::vrrpAddressTable: the static addresses below instance 0, and per instance its virtual addresses, then
//! the excluded ones.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use agentx::{Access, Column, Index, Syntax, Table, Value};

use crate::{
    config::Scope,
    registry::AddressRow,
    snmp::{
        INET_ADDRESS_TYPE, Snapshot, address_octets, address_type, instance, integer, one_or_two, position,
        text, unsigned,
    },
};

/// InetScopeType (INET-ADDRESS-MIB).
pub(super) const INET_SCOPE_TYPE: Syntax = Syntax::Enum(&[
    ("interfaceLocal", 1),
    ("linkLocal", 2),
    ("subnetLocal", 3),
    ("adminLocal", 4),
    ("siteLocal", 5),
    ("organizationLocal", 8),
    ("global", 14),
]);
/// Whether the kernel has it.
pub(super) const STATUS: Syntax = Syntax::Enum(&[("set", 1), ("unset", 2)]);
const ADVERTISING: Syntax = Syntax::Enum(&[("advertised", 1), ("notAdvertised", 2)]);

/// The table. Its first index is the instance's; 0 has the static addresses.
pub(super) static TABLE: Table<Snapshot, Arc<AddressRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 6, 1],
    name: "vrrpAddressEntry",
    index: &[instance::INDEX, Index { name: "vrrpAddressIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let rows =
            |index| instance::rows_below(topology, index, &topology.statics.addresses, |row| &row.addresses);
        let count = |index| rows(index).len();
        let (instance, address) = position::seek_below_any(topology.instances.len(), count, after, include)?;
        let row = rows(instance).get(address as usize - 1)?;
        Some((vec![instance, address], Arc::clone(row)))
    },
};

static COLUMNS: [Column<Snapshot, Arc<AddressRow>>; 12] = [
    Column::hidden(1, "vrrpAddressIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpAddressType", INET_ADDRESS_TYPE, |_, row| address_type(row.config.address)),
    Column::new(3, "vrrpAddressValue", Syntax::OctetString, |_, row| address_octets(row.config.address)),
    Column::fixed(4, "vrrpAddressBroadcast", Syntax::OctetString, |_, row| {
        // IPv6 has no broadcast.
        row.config
            .address
            .is_ipv4()
            .then(|| row.config.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED))
            .and_then(|broadcast| address_octets(broadcast.into()))
    }),
    Column::new(5, "vrrpAddressMask", Syntax::Unsigned32, |_, row| unsigned(row.config.prefix)),
    Column::fixed(6, "vrrpAddressScope", INET_SCOPE_TYPE, |_, row| {
        scope(row.config.address, row.config.scope)
    }),
    Column::new(7, "vrrpAddressIfIndex", Syntax::Integer32, |_, row| integer(row.status().device?.0)),
    Column::new(8, "vrrpAddressIfName", Syntax::DisplayString, |_, row| text(&row.device)),
    Column::fixed(9, "vrrpAddressIfAlias", Syntax::DisplayString, |_, row| {
        text(row.config.label.as_deref()?)
    }),
    Column::new(10, "vrrpAddressStatus", STATUS, |_, row| one_or_two(row.status().set)),
    Column::new(11, "vrrpAddressAdvertising", ADVERTISING, |_, row| one_or_two(row.advertised)),
    Column::fixed(12, "vrrpAddressPeer", Syntax::OctetString, |_, row| address_octets(row.config.peer?)),
];

/// InetScopeType; absent for a scope it has no name for. That of an IPv6 address follows from the address.
fn scope(address: IpAddr, scope: Scope) -> Option<Value> {
    match scope {
        _ if matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()) => integer(2),
        scope => scope_number(scope),
    }
}

/// InetScopeType of the kernel's scopes that have a name there.
pub(super) fn scope_number(scope: Scope) -> Option<Value> {
    match scope {
        Scope::GLOBAL => integer(14),
        Scope::SITE => integer(5),
        Scope::LINK => integer(2),
        Scope::HOST => integer(1),
        _ => None,
    }
}
