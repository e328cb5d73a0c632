//! VRRP-MIB (RFC 2787): the instances of version 2 over IPv4.

use std::net::IpAddr;

use agentx::{Access, Column, Index, Oid, Scalar, Syntax, Table, Value, VarBind};

use super::{ROW_STATUS, STATE, V2, master_address, own_address, state, total, virtual_mac};
use crate::{
    config::Auth,
    registry::{Counter, InstanceRow, Rejection},
    snmp::{
        ENABLED, Snapshot, TRUTH,
        by_link::{self, Located},
        integer, low, one_or_two, text,
    },
};

const AUTH_TYPE: Syntax =
    Syntax::Enum(&[("noAuthentication", 1), ("simpleTextPassword", 2), ("ipAuthenticationHeader", 3)]);
const ADMIN_STATE: Syntax = Syntax::Enum(&[("up", 1), ("down", 2)]);
const PROTOCOL: Syntax = Syntax::Enum(&[("ip", 1), ("bridge", 2), ("decnet", 3), ("other", 4)]);
const AUTH_ERROR: Syntax =
    Syntax::Enum(&[("invalidAuthType", 1), ("authTypeMismatch", 2), ("authFailure", 3)]);

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 2, 1, 68, $($sub),+] };
}

const INDEX: [Index; 2] = [index("ifIndex"), index("vrrpOperVrId")];

const fn index(name: &'static str) -> Index {
    Index { name, syntax: Syntax::Integer32, implied: false }
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 7] = [
    Scalar::new(oid![1, 1], "vrrpNodeVersion", Syntax::Integer32, |_| integer(2)),
    Scalar {
        access: Access::ReadWrite,
        ..Scalar::new(oid![1, 2], "vrrpNotificationCntl", ENABLED, |snapshot| {
            one_or_two(snapshot.global.enable_traps)
        })
    },
    Scalar {
        access: Access::AccessibleForNotify,
        ..Scalar::new(oid![1, 5], "vrrpTrapPacketSrc", Syntax::IpAddress, |_| None)
    },
    Scalar {
        access: Access::AccessibleForNotify,
        ..Scalar::new(oid![1, 6], "vrrpTrapAuthErrorType", AUTH_ERROR, |_| None)
    },
    Scalar::new(oid![2, 1], "vrrpRouterChecksumErrors", Syntax::Counter32, |snapshot| {
        counter32(total(rows(snapshot), Counter::ChecksumError))
    }),
    Scalar::new(oid![2, 2], "vrrpRouterVersionErrors", Syntax::Counter32, |snapshot| {
        counter32(total(rows(snapshot), Counter::VersionError))
    }),
    Scalar::new(oid![2, 3], "vrrpRouterVrIdErrors", Syntax::Counter32, |snapshot| {
        counter32(snapshot.unknown_vrids())
    }),
];

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = &InstanceRow> {
    snapshot.by_link.v2().iter().map(|located| &*located.row)
}

/// vrrpOperTable.
pub(super) static OPERATIONS: Table<Snapshot, Located> = Table {
    entry: oid![1, 3, 1],
    name: "vrrpOperEntry",
    index: &INDEX,
    columns: &OPERATION_COLUMNS,
    seek: |snapshot, after, include| by_link::seek(snapshot.by_link.v2(), Located::v2_index, after, include),
};

type Cell = Column<Snapshot, Located>;
type Getter = fn(&Snapshot, &Located) -> Option<Value>;

/// A column that RFC 2787 lets a manager set, and this daemon does not.
const fn refused(number: u32, name: &'static str, syntax: Syntax, read: Getter) -> Cell {
    Column { access: Access::ReadCreate, ..Column::fixed(number, name, syntax, read) }
}

static OPERATION_COLUMNS: [Cell; 15] = [
    Column::hidden(1, "vrrpOperVrId", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "vrrpOperVirtualMacAddr", Syntax::OctetString, |_, located| {
        Some(Value::OctetString(virtual_mac(&located.row)))
    }),
    Column::new(3, "vrrpOperState", STATE, |_, located| state(&located.row)),
    refused(4, "vrrpOperAdminState", ADMIN_STATE, |_, _| integer(1)),
    refused(5, "vrrpOperPriority", Syntax::Integer32, |_, located| integer(located.row.base_priority().0)),
    Column::new(6, "vrrpOperIpAddrCount", Syntax::Integer32, |_, located| {
        integer(located.row.config.virtual_addresses.len())
    }),
    Column::new(7, "vrrpOperMasterIpAddr", Syntax::IpAddress, |_, located| {
        ip_address(master_address(&located.row))
    }),
    refused(8, "vrrpOperPrimaryIpAddr", Syntax::IpAddress, |_, located| {
        ip_address(own_address(&located.row))
    }),
    refused(9, "vrrpOperAuthType", AUTH_TYPE, |_, located| {
        integer(match located.row.config.auth {
            Auth::None | Auth::Signed(_) => 1,
            Auth::Pass(_) => 2,
            Auth::Header(_) => 3,
        })
    }),
    // It can never be read.
    refused(10, "vrrpOperAuthKey", Syntax::OctetString, |_, _| text("")),
    refused(11, "vrrpOperAdvertisementInterval", Syntax::Integer32, |_, located| {
        integer(located.row.config.advert_interval.as_secs())
    }),
    refused(12, "vrrpOperPreemptMode", TRUTH, |_, located| one_or_two(located.row.preempt())),
    Column::new(13, "vrrpOperVirtualRouterUpTime", Syntax::TimeTicks, |snapshot, located| {
        let since = located.row.takes_part_since();
        Some(Value::TimeTicks(since.map_or(0, |since| snapshot.sys_up_time(since))))
    }),
    refused(14, "vrrpOperProtocol", PROTOCOL, |_, _| integer(1)),
    refused(15, "vrrpOperRowStatus", ROW_STATUS, |_, _| integer(1)),
];

/// vrrpAssoIpAddrTable.
pub(super) static ADDRESSES: Table<Snapshot, Located> = Table {
    entry: oid![1, 4, 1],
    name: "vrrpAssoIpAddrEntry",
    index: &[INDEX[0], INDEX[1], Index { name: "vrrpAssoIpAddr", syntax: Syntax::IpAddress, implied: false }],
    columns: &ADDRESS_COLUMNS,
    seek: |snapshot, after, include| {
        let all = snapshot.by_link.v2();
        by_link::seek_address(all, Located::v2_index, by_link::octets, (after, include))
    },
};

static ADDRESS_COLUMNS: [Cell; 2] = [
    Column::hidden(1, "vrrpAssoIpAddr", Syntax::IpAddress, Access::NotAccessible),
    refused(2, "vrrpAssoIpAddrRowStatus", ROW_STATUS, |_, _| integer(1)),
];

/// vrrpRouterStatsTable.
pub(super) static STATISTICS: Table<Snapshot, Located> = Table {
    entry: oid![2, 4, 1],
    name: "vrrpRouterStatsEntry",
    index: &INDEX,
    columns: &STATISTIC_COLUMNS,
    seek: |snapshot, after, include| by_link::seek(snapshot.by_link.v2(), Located::v2_index, after, include),
};

macro_rules! counter {
    ($number:literal $name:literal $counter:ident) => {
        Column::new($number, $name, Syntax::Counter32, |_, located| {
            counter32(located.row.counters.value(Counter::$counter))
        })
    };
}

static STATISTIC_COLUMNS: [Cell; 12] = [
    counter!(1 "vrrpStatsBecomeMaster" BecomeMaster),
    counter!(2 "vrrpStatsAdvertiseRcvd" AdvertReceived),
    counter!(3 "vrrpStatsAdvertiseIntervalErrors" AdvertIntervalError),
    counter!(4 "vrrpStatsAuthFailures" AuthFailure),
    counter!(5 "vrrpStatsIpTtlErrors" TtlError),
    counter!(6 "vrrpStatsPriorityZeroPktsRcvd" PriorityZeroReceived),
    counter!(7 "vrrpStatsPriorityZeroPktsSent" PriorityZeroSent),
    counter!(8 "vrrpStatsInvalidTypePktsRcvd" InvalidType),
    counter!(9 "vrrpStatsAddressListErrors" AddressListError),
    counter!(10 "vrrpStatsInvalidAuthType" InvalidAuthType),
    counter!(11 "vrrpStatsAuthTypeMismatch" AuthTypeMismatch),
    counter!(12 "vrrpStatsPacketLengthErrors" PacketLengthError),
];

/// vrrpTrapNewMaster of an instance that became MASTER: its OID and objects.
pub(in crate::snmp) fn new_master(snapshot: &Snapshot, index: u32) -> Option<(Oid, Vec<VarBind>)> {
    let located = snapshot.by_link.v2().iter().find(|located| located.row.index == index)?;
    let column = Oid::from(V2).child(1).child(3).child(1).child(7);
    let name = column.try_join(&located.v2_index()).ok()?;
    let address = ip_address(own_address(&located.row))?;
    Some((Oid::from(V2).child(0).child(1), vec![VarBind::new(name, address)]))
}

/// vrrpTrapAuthFailure of a packet whose authentication was wrong: its OID and objects.
///
/// The two of the MIB say nothing of the router, so that the counter that moved follows them, with the index; it also says
/// how many were not told of. keepalived gives the index to the two, which are scalars.
pub(in crate::snmp) fn authentication_failure(
    snapshot: &Snapshot,
    rejection: &Rejection,
) -> Option<(Oid, Vec<VarBind>)> {
    let (kind, column) = match rejection.error {
        Counter::InvalidAuthType => (1, 10),
        Counter::AuthTypeMismatch => (2, 11),
        Counter::AuthFailure => (3, 4),
        _ => return None,
    };
    let located = snapshot.by_link.v2().iter().find(|located| located.row.index == rejection.instance)?;
    let index = located.v2_index();
    let compat = snapshot.global.settings.snmp_compat;
    let suffix: &[u32] = if compat { &index } else { &[0] };
    let scalar = |number| Oid::from(V2).child(1).child(number).try_join(suffix).ok();
    let mut varbinds = vec![
        VarBind::new(scalar(5)?, ip_address(rejection.sender)?),
        VarBind::new(scalar(6)?, Value::Integer(kind)),
    ];
    if !compat {
        let counter = Oid::from(V2).child(2).child(4).child(1).child(column).try_join(&index).ok()?;
        varbinds.push(VarBind::new(counter, counter32(located.row.counters.value(rejection.error))?));
    }
    Some((Oid::from(V2).child(0).child(2), varbinds))
}

/// A Counter32 wraps (RFC 2578 §7.1.6).
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn counter32(number: u64) -> Option<Value> {
    Some(Value::Counter32(low(number)))
}

fn ip_address(address: IpAddr) -> Option<Value> {
    match address {
        IpAddr::V4(address) => Some(Value::IpAddress(address.octets())),
        IpAddr::V6(_) => None,
    }
}
