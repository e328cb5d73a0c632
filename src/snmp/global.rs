//! KEEPALIVED-MIB::global: scalars about the daemon and its `global_defs`.

use agentx::{Access, Column, Index, Scalar, Syntax, Table, Value};

use crate::{
    registry::Topology,
    snmp::{ENABLED, INET_ADDRESS_TYPE, TRUTH, one_or_two, text},
};

const ON_OFF_UNSET: Syntax = Syntax::Enum(&[("on", 1), ("off", 2), ("unset", 3)]);
const LINK_BEAT: Syntax = Syntax::Enum(&[("netlink", 1), ("polling", 2)]);
const FLUSH_ON_STOP: Syntax = Syntax::Enum(&[("enabled", 1), ("disabled", 2), ("flushVS", 3)]);

/// `smtp_connect_timeout` when the configuration does not say.
const SMTP_TIMEOUT_SECONDS: u32 = 30;
/// The port of `smtp_server` when the configuration does not say.
const SMTP_PORT: u32 = 25;
/// "Not mentioned in the configuration".
const UNSET: i32 = 3;

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1, $($sub),+] };
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Topology>; 20] = [
    Scalar::new(oid![1], "version", Syntax::DisplayString, |topology| text(&topology.banner)),
    Scalar::new(oid![2], "routerId", Syntax::DisplayString, |topology| text(&topology.global.router_id)),
    // No mail is sent, so there is no server: unknown(0) goes with a zero-length address.
    Scalar::new(oid![3, 1], "smtpServerAddressType", INET_ADDRESS_TYPE, |_| Some(Value::Integer(0))),
    Scalar::new(oid![3, 2], "smtpServerAddress", Syntax::OctetString, |_| text("")),
    Scalar::new(oid![3, 3], "smtpServerTimeout", Syntax::Unsigned32, |_| {
        Some(Value::Gauge32(SMTP_TIMEOUT_SECONDS))
    }),
    Scalar::new(oid![3, 4], "emailFrom", Syntax::DisplayString, |_| None),
    Scalar::new(oid![3, 6], "smtpServerPort", Syntax::Unsigned32, |_| Some(Value::Gauge32(SMTP_PORT))),
    Scalar::new(oid![3, 7], "smtpEmailFaults", ENABLED, |_| one_or_two(true)),
    Scalar::new(oid![3, 8], "smtpEmailSmtpAlert", ON_OFF_UNSET, |_| Some(Value::Integer(UNSET))),
    Scalar::new(oid![3, 9], "smtpEmailSmtpAlertVrrp", ON_OFF_UNSET, |_| Some(Value::Integer(UNSET))),
    Scalar::new(oid![3, 10], "smtpEmailSmtpAlertChecker", ON_OFF_UNSET, |_| Some(Value::Integer(UNSET))),
    Scalar::new(oid![4], "trapEnable", ENABLED, |topology| one_or_two(topology.global.enable_traps)),
    Scalar::new(oid![5], "linkBeat", LINK_BEAT, |_| one_or_two(true)),
    Scalar::new(oid![6], "lvsFlush", ENABLED, |_| one_or_two(false)),
    Scalar::new(oid![7], "ipvs64BitStats", TRUTH, |_| one_or_two(true)),
    Scalar::new(oid![8], "netNamespace", Syntax::DisplayString, |_| text("")),
    Scalar::new(oid![9], "dbus", TRUTH, |_| one_or_two(false)),
    Scalar::new(oid![10], "dynamicInterfaces", TRUTH, |topology| {
        one_or_two(topology.global.settings.dynamic_interfaces.is_some())
    }),
    Scalar::new(oid![11], "lvsFlushOnStop", FLUSH_ON_STOP, |_| one_or_two(false)),
    Scalar::new(oid![12], "v3ChecksumAsV2", TRUTH, |_| one_or_two(false)),
];

/// emailTable: a row per `notification_email` address; none, as no mail is sent.
pub(super) static EMAILS: Table<Topology, ()> = Table {
    entry: oid![3, 5, 1],
    name: "emailEntry",
    index: &[Index { name: "emailIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &[
        Column::hidden(1, "emailIndex", Syntax::Integer32, Access::NotAccessible),
        Column::new(2, "emailAddress", Syntax::DisplayString, |_, ()| None),
    ],
    seek: |_, _, _| None,
};
