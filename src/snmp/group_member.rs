//! KEEPALIVED-MIB::vrrpSyncGroupMemberTable: per sync group its members.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    registry::InstanceRow,
    snmp::{Snapshot, group, position, text},
};

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<InstanceRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 2, 1],
    name: "vrrpSyncGroupMemberEntry",
    index: &[
        group::INDEX,
        Index { name: "vrrpSyncGroupMemberInstanceIndex", syntax: Syntax::Integer32, implied: false },
    ],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let members = |group: u32| topology.groups.get(group as usize - 1).map(|row| &row.config.members);
        let count = |group| members(group).map_or(0, Vec::len);
        let (group, position) = position::seek_nested(topology.groups.len(), count, after, include)?;
        let instance = members(group)?.get(position as usize - 1)?;
        Some((vec![group, position], Arc::clone(topology.instances.get(*instance)?)))
    },
};

static COLUMNS: [Column<Snapshot, Arc<InstanceRow>>; 2] = [
    Column::hidden(1, "vrrpSyncGroupMemberInstanceIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpSyncGroupMemberName", Syntax::DisplayString, |_, row| text(&row.config.name)),
];
