//! KEEPALIVED-MIB::vrrpProcessTable: a row per `vrrp_track_process` that something tracks.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::tracking::Matching,
    registry::ProcessRow,
    snmp::{Snapshot, TRUTH, integer, one_or_two, position, text, unsigned},
};

const PARAM_MATCH: Syntax = Syntax::Enum(&[("none", 0), ("exact", 1), ("partial", 2), ("initial", 3)]);

/// vrrpProcessQuorumMax where there is no limit.
const UNLIMITED: i32 = -1;

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<ProcessRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 21, 1],
    name: "vrrpProcessEntry",
    index: &[Index { name: "vrrpProcessIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.processes, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<ProcessRow>>; 14] = [
    Column::hidden(1, "vrrpProcessIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpProcessName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    Column::new(3, "vrrpProcessPath", Syntax::DisplayString, |_, row| text(row.config.command.first()?)),
    Column::new(4, "vrrpProcessParams", Syntax::DisplayString, |_, row| {
        text(&row.config.command.get(1..)?.join(" "))
    }),
    Column::new(5, "vrrpProcessParamMatch", PARAM_MATCH, |_, row| {
        integer(match row.config.matching {
            Matching::Name | Matching::Program => 0,
            Matching::Exact => 1,
            Matching::Partial => 2,
            Matching::Initial => 3,
        })
    }),
    Column::new(6, "vrrpProcessWeight", Syntax::Integer32, |_, row| integer(row.config.weight)),
    Column::new(7, "vrrpProcessWgtRev", TRUTH, |_, row| one_or_two(row.config.reverse)),
    Column::new(8, "vrrpProcessQuorum", Syntax::Unsigned32, |_, row| unsigned(row.config.quorum)),
    Column::new(9, "vrrpProcessQuorumMax", Syntax::Integer32, |_, row| {
        row.config.quorum_max.map_or_else(|| integer(UNLIMITED), integer)
    }),
    Column::new(10, "vrrpProcessForkDelay", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.fork_delay.as_micros())
    }),
    Column::new(11, "vrrpProcessTerminateDelay", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.terminate_delay.as_micros())
    }),
    Column::new(12, "vrrpProcessFullCommand", TRUTH, |_, row| {
        one_or_two(row.config.matching.needs_command_line())
    }),
    Column::new(13, "vrrpProcessCurProc", Syntax::Integer32, |_, row| integer(row.status().count)),
    Column::new(14, "vrrpProcessResult", TRUTH, |_, row| one_or_two(row.status().healthy.unwrap_or(false))),
];
