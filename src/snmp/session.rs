//! KEEPALIVED-MIB::vrrpBfdTable: a row per `bfd_instance`.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    registry::SessionRow,
    snmp::{Snapshot, TRUTH, integer, one_or_two, position, text},
};

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<SessionRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 18, 1],
    name: "vrrpBfdEntry",
    index: &[Index { name: "vrrpBfdIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.sessions, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<SessionRow>>; 5] = [
    Column::hidden(1, "vrrpBfdIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpBfdName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    // 1 or 0, which is no TruthValue.
    Column::new(3, "vrrpBfdResult", Syntax::Integer32, |_, row| integer(u8::from(row.status().is_up))),
    Column::new(4, "vrrpBfdWeight", Syntax::Integer32, |_, row| integer(row.config.weight)),
    Column::new(5, "vrrpBfdWgtRev", TRUTH, |_, row| one_or_two(row.config.reverse)),
];
