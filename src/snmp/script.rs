//! KEEPALIVED-MIB::vrrpScriptTable: a row per `vrrp_script` that something tracks.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    registry::ScriptRow,
    snmp::{Snapshot, TRUTH, integer, one_or_two, position, text, unsigned},
};

const RESULT: Syntax = Syntax::Enum(&[("init", 1), ("bad", 2), ("good", 3), ("initfailed", 5)]);

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<ScriptRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 9, 1],
    name: "vrrpScriptEntry",
    index: &[Index { name: "vrrpScriptIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.scripts, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<ScriptRow>>; 12] = [
    Column::hidden(1, "vrrpScriptIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpScriptName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    Column::new(3, "vrrpScriptCommand", Syntax::DisplayString, |_, row| text(&row.config.command.shown)),
    Column::new(4, "vrrpScriptInterval", Syntax::Integer32, |_, row| integer(row.config.interval.as_secs())),
    Column::new(5, "vrrpScriptWeight", Syntax::Integer32, |_, row| integer(row.config.weight)),
    Column::new(6, "vrrpScriptResult", RESULT, |_, row| integer(row.status().result.number())),
    Column::new(7, "vrrpScriptRise", Syntax::Unsigned32, |_, row| unsigned(row.config.rise)),
    Column::new(8, "vrrpScriptFall", Syntax::Unsigned32, |_, row| unsigned(row.config.fall)),
    Column::new(9, "vrrpScriptWgtRev", TRUTH, |_, row| one_or_two(row.config.reverse)),
    Column::new(10, "vrrpScriptPath", Syntax::DisplayString, |_, row| {
        text(&row.config.command.path.to_string_lossy())
    }),
    Column::new(11, "vrrpScriptIntervalUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.interval.as_micros())
    }),
    // 0 means that the configuration has none.
    Column::new(12, "vrrpScriptTimeoutUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.timeout.unwrap_or_default().as_micros())
    }),
];
