//! KEEPALIVED-MIB::vrrpInstanceTable: a row per `vrrp_instance`, in the order of the configuration.

use std::{net::IpAddr, sync::Arc};

use agentx::{Access, Column, Index, Syntax, Table, Value};

use crate::{
    config::{Auth, InitialState, Notify, NotifyScript},
    registry::{InstanceRow, State, Switch},
    snmp::{
        ENABLED, INET_ADDRESS_TYPE, Snapshot, TRUTH, address_octets, address_type, integer, one_or_two,
        position, set, text, unsigned,
    },
    units::Version,
};

/// VrrpState.
pub(super) const VRRP_STATE: Syntax = Syntax::Enum(&[
    ("init", 0),
    ("backup", 1),
    ("master", 2),
    ("fault", 3),
    ("unknown", 4),
    ("shutdown", 5),
    ("deleted", 6),
]);
const VIPS_STATUS: Syntax = Syntax::Enum(&[("allSet", 1), ("notAllSet", 2)]);
const TRACKED: Syntax = Syntax::Enum(&[("tracked", 1), ("notTracked", 2)]);
const PREEMPT: Syntax = Syntax::Enum(&[("preempt", 1), ("noPreempt", 2)]);
const AUTH_TYPE: Syntax = Syntax::Enum(&[("none", 0), ("password", 1), ("ah", 2)]);
const VRRP_VERSION: Syntax = Syntax::Enum(&[("vrrpv2", 2), ("vrrpv3", 3)]);

/// vrrpInstanceIndex, by which four tables are indexed first.
pub(super) const INDEX: Index =
    Index { name: "vrrpInstanceIndex", syntax: Syntax::Integer32, implied: false };

/// The rows of an instance's own below its index; below 0 those that belong to no instance.
pub(super) fn rows_below<'a, Row>(
    topology: &'a Snapshot,
    index: u32,
    of_none: &'a [Row],
    own: impl Fn(&'a InstanceRow) -> &'a [Row],
) -> &'a [Row] {
    match index.checked_sub(1) {
        None => of_none,
        Some(place) => topology.instances.get(place as usize).map_or(&[], |row| own(row)),
    }
}

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<InstanceRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 3, 1],
    name: "vrrpInstanceEntry",
    index: &[INDEX],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.instances, after, include),
};

type Cell = Column<Snapshot, Arc<InstanceRow>>;

static COLUMNS: [Cell; 36] = [
    Column::hidden(1, "vrrpInstanceIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpInstanceName", Syntax::DisplayString, |_, row| text(&row.config.name)),
    Column::new(3, "vrrpInstanceVirtualRouterId", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.vrid.value())
    }),
    Column::new(4, "vrrpInstanceState", VRRP_STATE, |_, row| integer(row.status().state.shown())),
    Column::new(5, "vrrpInstanceInitialState", VRRP_STATE, |_, row| integer(initial_state(row).shown())),
    Column::new(6, "vrrpInstanceWantedState", VRRP_STATE, |_, row| integer(row.status().wanted.shown())),
    Column::writable(
        7,
        "vrrpInstanceBasePriority",
        Syntax::Integer32,
        |_, row| integer(row.base_priority().0),
        set::base_priority,
    ),
    Column::new(8, "vrrpInstanceEffectivePriority", Syntax::Integer32, |_, row| {
        integer(row.status().effective_priority.unwrap_or(row.config.priority).0)
    }),
    Column::new(9, "vrrpInstanceVipsStatus", VIPS_STATUS, |_, row| one_or_two(row.status().addresses_set)),
    Column::new(10, "vrrpInstancePrimaryInterface", Syntax::DisplayString, |_, row| {
        text(row.config.own_interface())
    }),
    // The instance's own interface is always tracked.
    Column::new(11, "vrrpInstanceTrackPrimaryIf", TRACKED, |_, row| one_or_two(row.config.track_primary)),
    Column::new(12, "vrrpInstanceAdvertisementsInt", Syntax::Unsigned32, |_, row| advert_interval(row)),
    Column::writable(13, "vrrpInstancePreempt", PREEMPT, |_, row| shown(row, Switch::Preempt), set::preempt),
    Column::new(14, "vrrpInstancePreemptDelay", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.preempt_delay.as_secs())
    }),
    Column::new(15, "vrrpInstanceAuthType", AUTH_TYPE, |_, row| {
        integer(match row.config.auth {
            Auth::None | Auth::Signed(_) => 0,
            Auth::Pass(_) => 1,
            Auth::Header(_) => 2,
        })
    }),
    Column::new(16, "vrrpInstanceLvsSyncDaemon", ENABLED, |topology, row| {
        one_or_two(sync_interface(topology, row).is_some())
    }),
    Column::fixed(17, "vrrpInstanceLvsSyncInterface", Syntax::DisplayString, |topology, row| {
        text(sync_interface(topology, row)?)
    }),
    Column::fixed(18, "vrrpInstanceSyncGroup", Syntax::DisplayString, |_, row| text(row.group.as_deref()?)),
    Column::new(19, "vrrpInstanceGarpDelay", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.garp.delay.as_secs())
    }),
    Column::new(20, "vrrpInstanceSmtpAlert", ENABLED, |_, row| one_or_two(*row.config.settings.smtp_alert)),
    Column::new(21, "vrrpInstanceNotifyExec", ENABLED, |_, row| {
        let settings = &row.config.settings;
        let deleted = settings.notify_deleted.as_ref().is_some_and(|notice| notice.0.is_some());
        let further = deleted || settings.notify_master_rx_lower_pri.is_some();
        one_or_two(notifies(&row.config.notify) || further)
    }),
    Column::fixed(22, "vrrpInstanceScriptMaster", Syntax::DisplayString, |_, row| {
        command(row.config.notify.master.as_ref())
    }),
    Column::fixed(23, "vrrpInstanceScriptBackup", Syntax::DisplayString, |_, row| {
        command(row.config.notify.backup.as_ref())
    }),
    Column::fixed(24, "vrrpInstanceScriptFault", Syntax::DisplayString, |_, row| {
        command(row.config.notify.fault.as_ref())
    }),
    Column::fixed(25, "vrrpInstanceScriptStop", Syntax::DisplayString, |_, row| {
        command(row.config.notify.stop.as_ref())
    }),
    Column::fixed(26, "vrrpInstanceScript", Syntax::DisplayString, |_, row| {
        command(row.config.notify.all.as_ref())
    }),
    // Accept mode is a thing of version 3 (RFC 9568 §6.1).
    Column {
        is_fixed: true,
        ..Column::writable(27, "vrrpInstanceAccept", TRUTH, |_, row| shown(row, Switch::Accept), set::accept)
    },
    Column::writable(
        28,
        "vrrpInstancePromoteSecondaries",
        TRUTH,
        |_, row| shown(row, Switch::PromoteSecondaries),
        set::promote_secondaries,
    ),
    Column::writable(
        29,
        "vrrpInstanceUseLinkbeat",
        TRUTH,
        |_, row| shown(row, Switch::Linkbeat),
        set::linkbeat,
    ),
    Column::new(30, "vrrpInstanceVrrpVersion", VRRP_VERSION, |_, row| integer(row.config.version.number())),
    Column::fixed(31, "vrrpInstanceScriptMstrRxLowerPri", Syntax::DisplayString, |_, row| {
        command(row.config.settings.notify_master_rx_lower_pri.as_ref()?.script.as_deref())
    }),
    Column::fixed(32, "vrrpInstanceScriptDeleted", Syntax::DisplayString, |_, row| {
        command(row.config.settings.notify_deleted.as_ref()?.script())
    }),
    Column::writable(
        33,
        "vrrpInstanceNotifyDeleted",
        TRUTH,
        |_, row| shown(row, Switch::NotifyDeleted),
        set::notify_deleted,
    ),
    Column::fixed(34, "vrrpInstanceMulticastAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(group(row)?)
    }),
    Column::fixed(35, "vrrpInstanceMulticastAddress", Syntax::OctetString, |_, row| {
        address_octets(group(row)?)
    }),
    Column::new(36, "vrrpInstanceV3ChecksumAsV2", TRUTH, |_, row| {
        one_or_two(*row.config.settings.v3_checksum_as_v2)
    }),
];

/// Where a switch is; accept mode is nowhere in version 2.
fn shown(row: &InstanceRow, switch: Switch) -> Option<Value> {
    let is_there = switch != Switch::Accept || row.config.version == Version::V3;
    is_there.then(|| one_or_two(row.is_on(switch))).flatten()
}

/// The interface of the IPVS synchronisation daemon, when that follows this instance.
fn sync_interface<'a>(topology: &'a Snapshot, row: &'a InstanceRow) -> Option<&'a str> {
    let named = topology.global.settings.lvs_sync_daemon.as_deref();
    match named.filter(|daemon| daemon.instance.as_deref() == Some(&*row.config.name)) {
        Some(daemon) => Some(&daemon.interface),
        None => row.config.settings.lvs_sync_daemon_interface.as_deref(),
    }
}

/// The state that the configuration asks for.
pub(super) fn initial_state(row: &InstanceRow) -> State {
    match row.config.initial_state {
        InitialState::Master => State::Master,
        InitialState::Backup => State::Backup,
    }
}

/// Whole seconds in version 2, centiseconds in version 3.
fn advert_interval(row: &InstanceRow) -> Option<Value> {
    match row.config.version {
        Version::V2 => unsigned(row.config.advert_interval.as_secs()),
        Version::V3 => unsigned(row.config.advert_interval.as_millis() / 10),
    }
}

/// Whether any notify script is configured.
pub(super) fn notifies(notify: &Notify) -> bool {
    [&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.all]
        .into_iter()
        .any(Option::is_some)
}

/// The command line of a notify script.
pub(super) fn command(script: Option<&NotifyScript>) -> Option<Value> {
    text(&script?.shown)
}

/// `None` for an instance that talks to unicast peers.
fn group(row: &InstanceRow) -> Option<IpAddr> {
    row.config.peers.is_empty().then_some(row.config.multicast_group)
}
