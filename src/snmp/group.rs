//! KEEPALIVED-MIB::vrrpSyncGroupTable: a row per `vrrp_sync_group` that has members.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    registry::GroupRow,
    snmp::{
        ENABLED, Snapshot,
        instance::{VRRP_STATE, command, notifies},
        integer, one_or_two, position, text,
    },
};

/// vrrpSyncGroupIndex, by which the tables of groups are indexed first.
pub(super) const INDEX: Index =
    Index { name: "vrrpSyncGroupIndex", syntax: Syntax::Integer32, implied: false };

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<GroupRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 1, 1],
    name: "vrrpSyncGroupEntry",
    index: &[INDEX],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.groups, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<GroupRow>>; 11] = [
    Column::hidden(1, "vrrpSyncGroupIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpSyncGroupName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    Column::new(3, "vrrpSyncGroupState", VRRP_STATE, |_, row| integer(row.status().state.shown())),
    Column::new(4, "vrrpSyncGroupSmtpAlert", ENABLED, |_, row| one_or_two(*row.config.settings.smtp_alert)),
    Column::new(5, "vrrpSyncGroupNotifyExec", ENABLED, |_, row| one_or_two(notifies(&row.config.notify))),
    Column::fixed(6, "vrrpSyncGroupScriptMaster", Syntax::DisplayString, |_, row| {
        command(row.config.notify.master.as_ref())
    }),
    Column::fixed(7, "vrrpSyncGroupScriptBackup", Syntax::DisplayString, |_, row| {
        command(row.config.notify.backup.as_ref())
    }),
    Column::fixed(8, "vrrpSyncGroupScriptFault", Syntax::DisplayString, |_, row| {
        command(row.config.notify.fault.as_ref())
    }),
    Column::fixed(9, "vrrpSyncGroupScript", Syntax::DisplayString, |_, row| {
        command(row.config.notify.all.as_ref())
    }),
    Column::new(10, "vrrpSyncGroupTrackingWeight", ENABLED, |_, row| one_or_two(row.config.tracking_weight)),
    Column::fixed(11, "vrrpSyncGroupScriptStop", Syntax::DisplayString, |_, row| {
        command(row.config.notify.stop.as_ref())
    }),
];
