//! KEEPALIVED-MIB::virtualServerGroupTable and virtualServerGroupMemberTable: `virtual_server_group` and its lines.

use std::net::IpAddr;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::settings::{GroupMember, ServerGroup},
    snmp::{INET_ADDRESS_TYPE, Snapshot, address_octets, address_type, integer, position, text, unsigned},
};

const INDEX: Index = Index { name: "virtualServerGroupIndex", syntax: Syntax::Integer32, implied: false };
const MEMBER_TYPE: Syntax = Syntax::Enum(&[("fwmark", 1), ("ip", 2), ("iprange", 3)]);

/// The groups.
pub(super) static TABLE: Table<Snapshot, String> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 3, 1, 1],
    name: "virtualServerGroupEntry",
    index: &[INDEX],
    columns: &[
        Column::hidden(1, "virtualServerGroupIndex", Syntax::Integer32, Access::NotAccessible),
        Column::new(2, "virtualServerGroupName", Syntax::DisplayString, |_, name| text(name)),
    ],
    seek: |topology, after, include| {
        let index = position::seek(topology.server_groups.len(), after, include)?;
        Some((vec![index], group(topology, index)?.name.clone()))
    },
};

/// The members: firewall marks first, then addresses.
pub(super) static MEMBERS: Table<Snapshot, GroupMember> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 3, 2, 1],
    name: "virtualServerGroupMemberEntry",
    index: &[
        INDEX,
        Index { name: "virtualServerGroupMemberIndex", syntax: Syntax::Integer32, implied: false },
    ],
    columns: &MEMBER_COLUMNS,
    seek: |topology, after, include| {
        let count = |index| group(topology, index).map_or(0, |group| group.members.len());
        let (index, member) = position::seek_nested(topology.server_groups.len(), count, after, include)?;
        Some((vec![index, member], *group(topology, index)?.members.get(member as usize - 1)?))
    },
};

static MEMBER_COLUMNS: [Column<Snapshot, GroupMember>; 8] = [
    Column::hidden(1, "virtualServerGroupMemberIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "virtualServerGroupMemberType", MEMBER_TYPE, |_, member| {
        integer(match (mark(member), range(member)) {
            (Some(_), _) => 1,
            (None, None) => 2,
            (None, Some(_)) => 3,
        })
    }),
    Column::fixed(3, "virtualServerGroupMemberFwMark", Syntax::Unsigned32, |_, member| {
        unsigned(mark(member)?)
    }),
    Column::fixed(4, "virtualServerGroupMemberAddrType", INET_ADDRESS_TYPE, |_, member| {
        address_type(member.ends()?.0)
    }),
    Column::fixed(5, "virtualServerGroupMemberAddress", Syntax::OctetString, |_, member| {
        let (first, last) = member.ends()?;
        address_octets(first).filter(|_| first == last)
    }),
    Column::fixed(6, "virtualServerGroupMemberAddr1", Syntax::OctetString, |_, member| {
        address_octets(range(member)?.0)
    }),
    Column::fixed(7, "virtualServerGroupMemberAddr2", Syntax::OctetString, |_, member| {
        address_octets(range(member)?.1)
    }),
    Column::fixed(8, "virtualServerGroupMemberPort", Syntax::Unsigned32, |_, member| match member {
        GroupMember::Addresses(_, port) | GroupMember::Network(_, port) => unsigned(*port),
        GroupMember::Mark(..) => None,
    }),
];

fn group(topology: &Snapshot, index: u32) -> Option<&ServerGroup> {
    topology.server_groups.get(index as usize - 1)
}

fn mark(member: &GroupMember) -> Option<u32> {
    match member {
        GroupMember::Mark(mark, _) => Some(*mark),
        _ => None,
    }
}

/// The first and the last address of what is more than one.
fn range(member: &GroupMember) -> Option<(IpAddr, IpAddr)> {
    member.ends().filter(|(first, last)| first != last)
}
