//! KEEPALIVED-MIB::global: scalars about the daemon and its `global_defs`; those of `mail` are beside.

use agentx::{Scalar, Syntax};

use crate::snmp::{ENABLED, Snapshot, TRUTH, integer, one_or_two, text};

const LINK_BEAT: Syntax = Syntax::Enum(&[("netlink", 1), ("polling", 2)]);
const FLUSH_ON_STOP: Syntax = Syntax::Enum(&[("enabled", 1), ("disabled", 2), ("flushVS", 3)]);

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1, $($sub),+] };
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 11] = [
    Scalar::new(oid![1], "version", Syntax::DisplayString, |topology| text(&topology.banner)),
    Scalar::new(oid![2], "routerId", Syntax::DisplayString, |topology| text(&topology.global.router_id)),
    Scalar::new(oid![4], "trapEnable", ENABLED, |topology| one_or_two(topology.global.enable_traps)),
    Scalar::new(oid![5], "linkBeat", LINK_BEAT, |topology| {
        one_or_two(!topology.process.linkbeat_use_polling)
    }),
    Scalar::new(oid![6], "lvsFlush", ENABLED, |topology| one_or_two(topology.global.settings.lvs_flush)),
    Scalar::new(oid![7], "ipvs64BitStats", TRUTH, |_| one_or_two(true)),
    Scalar::new(oid![8], "netNamespace", Syntax::DisplayString, |topology| {
        text(topology.process.net_namespace.as_deref().unwrap_or_default())
    }),
    Scalar::new(oid![9], "dbus", TRUTH, |topology| one_or_two(topology.global.settings.enable_dbus)),
    Scalar::new(oid![10], "dynamicInterfaces", TRUTH, |topology| {
        one_or_two(topology.global.settings.dynamic_interfaces.is_some())
    }),
    Scalar::new(oid![11], "lvsFlushOnStop", FLUSH_ON_STOP, |topology| {
        integer(match topology.global.settings.lvs_flush_on_stop {
            None => 2,
            Some("VS") => 3,
            Some(_) => 1,
        })
    }),
    Scalar::new(oid![12], "v3ChecksumAsV2", TRUTH, |topology| {
        one_or_two(topology.global.settings.v3_checksum_as_v2)
    }),
];
