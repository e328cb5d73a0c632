//! KEEPALIVED-MIB::vrrpTrackedScriptTable: per instance the lines of its `track_script`.

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::tracking::Tracked,
    registry::Topology,
    snmp::{TRUTH, instance, integer, one_or_two, position, text},
};

/// The table.
pub(super) static TABLE: Table<Topology, Tracked> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 5, 1],
    name: "vrrpTrackedScriptEntry",
    index: &[
        instance::INDEX,
        Index { name: "vrrpTrackedScriptIndex", syntax: Syntax::Integer32, implied: false },
    ],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let lines = |instance: u32| {
            topology.instances.get(instance as usize - 1).map(|row| &row.config.tracks.scripts)
        };
        let count = |instance| lines(instance).map_or(0, Vec::len);
        let (instance, line) = position::seek_nested(topology.instances.len(), count, after, include)?;
        Some((vec![instance, line], lines(instance)?.get(line as usize - 1)?.clone()))
    },
};

static COLUMNS: [Column<Topology, Tracked>; 4] = [
    Column::hidden(1, "vrrpTrackedScriptIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpTrackedScriptName", Syntax::DisplayString, |_, line| text(&line.name)),
    Column::new(3, "vrrpTrackedScriptWeight", Syntax::Integer32, |_, line| integer(line.weight)),
    Column::new(4, "vrrpTrackedScriptWgtRev", TRUTH, |_, line| one_or_two(line.reverse)),
];
