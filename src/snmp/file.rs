//! KEEPALIVED-MIB::vrrpFileTable: a row per `track_file` that something tracks.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    registry::FileRow,
    snmp::{Snapshot, TRUTH, integer, one_or_two, position, text},
};

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<FileRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 13, 1],
    name: "vrrpFileEntry",
    index: &[Index { name: "vrrpFileIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.files, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<FileRow>>; 6] = [
    Column::hidden(1, "vrrpFileIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpFileName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    Column::new(3, "vrrpFilePath", Syntax::DisplayString, |_, row| text(&row.config.path.to_string_lossy())),
    Column::new(4, "vrrpFileResult", Syntax::Integer32, |_, row| integer(row.status().number)),
    Column::new(5, "vrrpFileWeight", Syntax::Integer32, |_, row| integer(row.config.weight)),
    Column::new(6, "vrrpFileWgtRev", TRUTH, |_, row| one_or_two(row.config.reverse)),
];
