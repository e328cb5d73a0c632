//! The agent's own objects: the groups system and snmp of SNMPv2-MIB (RFC 3418), by which managers find it, and what the
//! modules of SNMPv3 have: snmpEngine (RFC 3411), snmpMPDStats (RFC 3412), usmStats (RFC 3414) and contexts (RFC 3413).

use std::sync::Arc;

use agentx::{Access, Column, Index, Oid, Scalar, Syntax, Table, Value, View, seek_sorted};

use crate::snmp_wire::{Engine, MAX_MESSAGE};

/// What the agent says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// sysDescr.
    pub description: String,
    /// sysObjectID, the sub-identifiers.
    pub object: Vec<u32>,
    /// sysContact.
    pub contact: String,
    /// sysName.
    pub name: String,
    /// sysLocation.
    pub location: String,
    /// sysORTable.
    pub modules: Vec<Module>,
}

/// A MIB module that is served: a row of sysORTable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// sysORID.
    pub id: Oid,
    /// sysORDescr.
    pub description: String,
}

/// What has been counted (RFC 3418 §2, the group snmp).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Datagrams.
    pub(super) packets: u32,
    pub(super) bad_versions: u32,
    /// Communities that nobody has, or not there.
    pub(super) bad_names: u32,
    /// SET with a community that may only read.
    pub(super) bad_uses: u32,
    pub(super) malformed: u32,
    /// Requests without an answer that would fit.
    pub(super) dropped: u32,
    pub(super) unknown_models: u32,
    pub(super) invalid_messages: u32,
    pub(super) unknown_handlers: u32,
    pub(super) unknown_contexts: u32,
    pub(super) unsupported_levels: u32,
    pub(super) not_in_time: u32,
    pub(super) unknown_users: u32,
    pub(super) unknown_engines: u32,
    pub(super) wrong_digests: u32,
    pub(super) undecipherable: u32,
}

/// The moment of a request.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) identity: Arc<Identity>,
    pub(super) engine: Arc<Engine>,
    pub(super) counts: Counts,
    /// sysUpTime.
    pub(super) uptime: u32,
    /// snmpEngineTime.
    pub(super) time: u32,
}

/// All of them.
pub(super) fn view() -> View<Own> {
    View::new().scalars(&SYSTEM).table(&MODULES).scalars(&SNMP).scalars(&ENGINE).scalars(&V3)
}

macro_rules! system {
    ($number:literal $name:literal $syntax:ident $read:expr) => {
        Scalar::new(&[1, 3, 6, 1, 2, 1, 1, $number], $name, Syntax::$syntax, $read)
    };
}

macro_rules! counter {
    ($number:literal $name:literal $field:ident) => {
        counter!([2, 1, 11, $number] $name $field)
    };
    ([$($sub:literal),+] $name:literal $field:ident) => {
        Scalar::new(&[1, 3, 6, 1, $($sub),+], $name, Syntax::Counter32, |own| {
            Some(Value::Counter32(own.counts.$field))
        })
    };
}

/// The layers of a router that looks at pages, too: internet, end-to-end, application.
const SERVICES: i32 = 4 + 8 + 64;

static SYSTEM: [Scalar<Own>; 8] = [
    system!(1 "sysDescr" DisplayString |own| Some(Value::text(&own.identity.description))),
    system!(2 "sysObjectID" ObjectIdentifier |own| {
        Oid::try_from(&own.identity.object[..]).ok().map(Value::ObjectIdentifier)
    }),
    system!(3 "sysUpTime" TimeTicks |own| Some(Value::TimeTicks(own.uptime))),
    system!(4 "sysContact" DisplayString |own| Some(Value::text(&own.identity.contact))),
    system!(5 "sysName" DisplayString |own| Some(Value::text(&own.identity.name))),
    system!(6 "sysLocation" DisplayString |own| Some(Value::text(&own.identity.location))),
    system!(7 "sysServices" Integer32 |_| Some(Value::Integer(SERVICES))),
    // The rows are there from the start.
    system!(8 "sysORLastChange" TimeTicks |_| Some(Value::TimeTicks(0))),
];

static MODULES: Table<Own, usize> = Table {
    entry: &[1, 3, 6, 1, 2, 1, 1, 9, 1],
    name: "sysOREntry",
    index: &[Index { name: "sysORIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &MODULE_COLUMNS,
    seek: |own, after, include| {
        let rows: Vec<usize> = (0..own.identity.modules.len()).collect();
        let at = seek_sorted(&rows, after, include, |row| [number(*row)])?;
        Some((vec![number(at)], at))
    },
};

static MODULE_COLUMNS: [Column<Own, usize>; 4] = [
    Column::hidden(1, "sysORIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "sysORID", Syntax::ObjectIdentifier, |own, row| {
        Some(Value::ObjectIdentifier(own.identity.modules.get(*row)?.id.clone()))
    }),
    Column::new(3, "sysORDescr", Syntax::DisplayString, |own, row| {
        Some(Value::text(&own.identity.modules.get(*row)?.description))
    }),
    Column::new(4, "sysORUpTime", Syntax::TimeTicks, |_, _| Some(Value::TimeTicks(0))),
];

/// The index of a row.
fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

static SNMP: [Scalar<Own>; 8] = [
    counter!(1 "snmpInPkts" packets),
    counter!(3 "snmpInBadVersions" bad_versions),
    counter!(4 "snmpInBadCommunityNames" bad_names),
    counter!(5 "snmpInBadCommunityUses" bad_uses),
    counter!(6 "snmpInASNParseErrs" malformed),
    // disabled(2): authenticationFailure is not sent.
    Scalar::new(
        &[1, 3, 6, 1, 2, 1, 11, 30],
        "snmpEnableAuthenTraps",
        Syntax::Enum(&[("enabled", 1), ("disabled", 2)]),
        |_| Some(Value::Integer(2)),
    ),
    counter!(31 "snmpSilentDrops" dropped),
    Scalar::new(&[1, 3, 6, 1, 2, 1, 11, 32], "snmpProxyDrops", Syntax::Counter32, |_| {
        Some(Value::Counter32(0))
    }),
];

macro_rules! engine {
    ($number:literal $name:literal $syntax:ident $read:expr) => {
        Scalar::new(&[1, 3, 6, 1, 6, 3, 10, 2, 1, $number], $name, Syntax::$syntax, $read)
    };
}

static ENGINE: [Scalar<Own>; 4] = [
    engine!(1 "snmpEngineID" OctetString |own| Some(Value::OctetString(own.engine.id.clone()))),
    engine!(2 "snmpEngineBoots" Integer32 |own| i32::try_from(own.engine.boots).ok().map(Value::Integer)),
    engine!(3 "snmpEngineTime" Integer32 |own| i32::try_from(own.time).ok().map(Value::Integer)),
    engine!(4 "snmpEngineMaxMessageSize" Integer32 |_| i32::try_from(MAX_MESSAGE).ok().map(Value::Integer)),
];

static V3: [Scalar<Own>; 11] = [
    counter!([6, 3, 11, 2, 1, 1] "snmpUnknownSecurityModels" unknown_models),
    counter!([6, 3, 11, 2, 1, 2] "snmpInvalidMsgs" invalid_messages),
    counter!([6, 3, 11, 2, 1, 3] "snmpUnknownPDUHandlers" unknown_handlers),
    // Every context that is known is there at all times.
    Scalar::new(&[1, 3, 6, 1, 6, 3, 12, 1, 4], "snmpUnavailableContexts", Syntax::Counter32, |_| {
        Some(Value::Counter32(0))
    }),
    counter!([6, 3, 12, 1, 5] "snmpUnknownContexts" unknown_contexts),
    counter!([6, 3, 15, 1, 1, 1] "usmStatsUnsupportedSecLevels" unsupported_levels),
    counter!([6, 3, 15, 1, 1, 2] "usmStatsNotInTimeWindows" not_in_time),
    counter!([6, 3, 15, 1, 1, 3] "usmStatsUnknownUserNames" unknown_users),
    counter!([6, 3, 15, 1, 1, 4] "usmStatsUnknownEngineIDs" unknown_engines),
    counter!([6, 3, 15, 1, 1, 5] "usmStatsWrongDigests" wrong_digests),
    counter!([6, 3, 15, 1, 1, 6] "usmStatsDecryptionErrors" undecipherable),
];
