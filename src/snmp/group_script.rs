//! KEEPALIVED-MIB::vrrpSyncTrackedScriptTable: per sync group the lines of its `track_script`.

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::tracking::Tracked,
    registry::Topology,
    snmp::{TRUTH, group, integer, one_or_two, position, text},
};

/// The table.
pub(super) static TABLE: Table<Topology, Tracked> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 15, 1],
    name: "vrrpSyncTrackedScriptEntry",
    index: &[
        group::INDEX,
        Index { name: "vrrpSyncTrackedScriptIndex", syntax: Syntax::Integer32, implied: false },
    ],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let lines =
            |group: u32| topology.groups.get(group as usize - 1).map(|row| &row.config.tracks.scripts);
        let count = |group| lines(group).map_or(0, Vec::len);
        let (group, line) = position::seek_nested(topology.groups.len(), count, after, include)?;
        Some((vec![group, line], lines(group)?.get(line as usize - 1)?.clone()))
    },
};

static COLUMNS: [Column<Topology, Tracked>; 4] = [
    Column::hidden(1, "vrrpSyncTrackedScriptIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpSyncTrackedScriptName", Syntax::DisplayString, |_, line| text(&line.name)),
    Column::new(3, "vrrpSyncTrackedScriptWeight", Syntax::Integer32, |_, line| integer(line.weight)),
    Column::new(4, "vrrpSyncTrackedScriptWgtRev", TRUTH, |_, line| one_or_two(line.reverse)),
];
