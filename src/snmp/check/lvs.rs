//! KEEPALIVED-MIB::lvsSyncDaemon and lvsTimeouts: what the configuration says of IPVS as a whole.

use agentx::{Scalar, Syntax, Value};

use crate::{
    config::settings::{SyncDaemon, Timeouts},
    snmp::{ENABLED, INET_ADDRESS_TYPE, Snapshot, address_octets, address_type, integer, one_or_two, text},
};

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 3, $($sub),+] };
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 12] = [
    Scalar::new(oid![6, 1], "lvsSyncDaemonEnabled", ENABLED, |topology| {
        one_or_two(daemon(topology).is_some())
    }),
    Scalar::new(oid![6, 2], "lvsSyncDaemonInterface", Syntax::DisplayString, |topology| {
        text(&daemon(topology)?.interface)
    }),
    Scalar::new(oid![6, 3], "lvsSyncDaemonVrrpInstance", Syntax::DisplayString, |topology| {
        text(daemon(topology)?.instance.as_deref()?)
    }),
    Scalar::new(oid![6, 4], "lvsSyncDaemonSyncId", Syntax::Integer32, sync_id),
    // 0 leaves it to the kernel.
    Scalar::new(oid![6, 5], "lvsSyncDaemonMaxLen", Syntax::Integer32, |topology| {
        integer(daemon(topology)?.max_length.unwrap_or(0))
    }),
    Scalar::new(oid![6, 6], "lvsSyncDaemonPort", Syntax::Integer32, |topology| {
        integer(daemon(topology)?.port.unwrap_or(SyncDaemon::PORT))
    }),
    Scalar::new(oid![6, 7], "lvsSyncDaemonTTL", Syntax::Integer32, |topology| {
        integer(daemon(topology)?.ttl.unwrap_or(0))
    }),
    Scalar::new(oid![6, 8], "lvsSyncDaemonMcastGroupAddrType", INET_ADDRESS_TYPE, |topology| {
        address_type(daemon(topology)?.group.unwrap_or(SyncDaemon::GROUP))
    }),
    Scalar::new(oid![6, 9], "lvsSyncDaemonMcastGroupAddrValue", Syntax::OctetString, |topology| {
        address_octets(daemon(topology)?.group.unwrap_or(SyncDaemon::GROUP))
    }),
    Scalar::new(oid![7, 1], "lvsTimeoutTcp", Syntax::Integer32, |topology| integer(timeouts(topology)?.tcp?)),
    Scalar::new(oid![7, 2], "lvsTimeoutTcpFin", Syntax::Integer32, |topology| {
        integer(timeouts(topology)?.tcp_fin?)
    }),
    Scalar::new(oid![7, 3], "lvsTimeoutUdp", Syntax::Integer32, |topology| integer(timeouts(topology)?.udp?)),
];

fn daemon(topology: &Snapshot) -> Option<&SyncDaemon> {
    topology.global.settings.lvs_sync_daemon.as_deref()
}

fn timeouts(topology: &Snapshot) -> Option<&Timeouts> {
    topology.global.settings.lvs_timeouts.as_ref()
}

/// Without an `id` it is the VRID of the instance that the daemon follows, or 0.
fn sync_id(topology: &Snapshot) -> Option<Value> {
    let daemon = daemon(topology)?;
    let followed = || {
        let name = daemon.instance.as_deref()?;
        let row = topology.instances.iter().find(|row| row.config.name == name)?;
        Some(row.config.vrid.value())
    };
    integer(daemon.id.or_else(followed).unwrap_or(0))
}
