//! VRRPV3-MIB (RFC 6527): the instances of version 3, and as under keepalived those of version 2.

use std::net::IpAddr;

use agentx::{Access, Column, Index, Oid, Scalar, Syntax, Table, Value, VarBind};

use super::{ROW_STATUS, STATE, V3, counting_since, master_address, own_address, state, total, virtual_mac};
use crate::{
    registry::{Counter, InstanceRow, Rejection, Switch},
    snmp::{
        INET_ADDRESS_TYPE, Snapshot, TRUTH, address_octets,
        by_link::{self, Located},
        integer, low, one_or_two, unsigned,
    },
    units::Time,
};

const NEW_MASTER_REASON: Syntax =
    Syntax::Enum(&[("notMaster", 0), ("priority", 1), ("preempted", 2), ("masterNoResponse", 3)]);
const ERROR_REASON: Syntax = Syntax::Enum(&[
    ("noError", 0),
    ("ipTtlError", 1),
    ("versionError", 2),
    ("checksumError", 3),
    ("vrIdError", 4),
]);

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 2, 1, 207, $($sub),+] };
}

const INDEX: [Index; 3] = [
    Index { name: "ifIndex", syntax: Syntax::Integer32, implied: false },
    Index { name: "vrrpv3OperationsVrId", syntax: Syntax::Integer32, implied: false },
    Index { name: "vrrpv3OperationsInetAddrType", syntax: INET_ADDRESS_TYPE, implied: false },
];

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = &InstanceRow> {
    snapshot.by_link.v3().iter().map(|located| &*located.row)
}

type Cell = Column<Snapshot, Located>;
type Getter = fn(&Snapshot, &Located) -> Option<Value>;

/// A column that RFC 6527 lets a manager set, and this daemon does not.
const fn refused(number: u32, name: &'static str, syntax: Syntax, read: Getter) -> Cell {
    Column { access: Access::ReadCreate, ..Column::fixed(number, name, syntax, read) }
}

/// vrrpv3OperationsTable.
pub(super) static OPERATIONS: Table<Snapshot, Located> = Table {
    entry: oid![1, 1, 1, 1],
    name: "vrrpv3OperationsEntry",
    index: &INDEX,
    columns: &OPERATION_COLUMNS,
    seek: |snapshot, after, include| by_link::seek(snapshot.by_link.v3(), Located::v3_index, after, include),
};

static OPERATION_COLUMNS: [Cell; 13] = [
    Column::hidden(1, "vrrpv3OperationsVrId", Syntax::Integer32, Access::NotAccessible),
    Column::hidden(2, "vrrpv3OperationsInetAddrType", INET_ADDRESS_TYPE, Access::NotAccessible),
    Column::new(3, "vrrpv3OperationsMasterIpAddr", Syntax::OctetString, |_, located| {
        address_octets(master_address(&located.row))
    }),
    refused(4, "vrrpv3OperationsPrimaryIpAddr", Syntax::OctetString, |_, located| {
        address_octets(own_address(&located.row))
    }),
    Column::new(5, "vrrpv3OperationsVirtualMacAddr", Syntax::OctetString, |_, located| {
        Some(Value::OctetString(virtual_mac(&located.row)))
    }),
    Column::new(6, "vrrpv3OperationsStatus", STATE, |_, located| state(&located.row)),
    refused(7, "vrrpv3OperationsPriority", Syntax::Unsigned32, |_, located| {
        unsigned(located.row.base_priority().0)
    }),
    Column::new(8, "vrrpv3OperationsAddrCount", Syntax::Integer32, |_, located| {
        integer(located.row.config.virtual_addresses.len())
    }),
    refused(9, "vrrpv3OperationsAdvInterval", Syntax::Integer32, |_, located| {
        integer(located.row.config.advert_interval.as_millis() / 10)
    }),
    refused(10, "vrrpv3OperationsPreemptMode", TRUTH, |_, located| one_or_two(located.row.preempt())),
    refused(11, "vrrpv3OperationsAcceptMode", TRUTH, |_, located| {
        one_or_two(located.row.is_on(Switch::Accept))
    }),
    Column::new(12, "vrrpv3OperationsUpTime", Syntax::TimeTicks, |snapshot, located| {
        let ticks = |since: Time| low((snapshot.now().since(since).as_millis() / 10).try_into().unwrap_or(0));
        Some(Value::TimeTicks(located.row.takes_part_since().map_or(0, ticks)))
    }),
    refused(13, "vrrpv3OperationsRowStatus", ROW_STATUS, |_, _| integer(1)),
];

/// vrrpv3AssociatedIpAddrTable.
pub(super) static ADDRESSES: Table<Snapshot, Located> = Table {
    entry: oid![1, 1, 2, 1],
    name: "vrrpv3AssociatedIpAddrEntry",
    index: &[
        INDEX[0],
        INDEX[1],
        INDEX[2],
        Index { name: "vrrpv3AssociatedIpAddrAddress", syntax: Syntax::OctetString, implied: false },
    ],
    columns: &ADDRESS_COLUMNS,
    seek: |snapshot, after, include| {
        let all = snapshot.by_link.v3();
        let compat = snapshot.global.settings.snmp_compat;
        let suffix = |address| if compat { by_link::octets(address) } else { with_length(address) };
        by_link::seek_address(all, Located::v3_index, suffix, (after, include))
    },
};

/// A string of no fixed length is preceded by its length (RFC 2578 §7.7).
fn with_length(address: IpAddr) -> Vec<u32> {
    let octets = by_link::octets(address);
    let length = if address.is_ipv4() { 4 } else { 16 };
    [&[length][..], &octets].concat()
}

static ADDRESS_COLUMNS: [Cell; 2] = [
    Column::hidden(1, "vrrpv3AssociatedIpAddrAddress", Syntax::OctetString, Access::NotAccessible),
    refused(2, "vrrpv3AssociatedIpAddrRowStatus", ROW_STATUS, |_, _| integer(1)),
];

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 4] = [
    Scalar::new(oid![1, 2, 1], "vrrpv3RouterChecksumErrors", Syntax::Counter64, |snapshot| {
        Some(Value::Counter64(total(rows(snapshot), Counter::ChecksumError)))
    }),
    Scalar::new(oid![1, 2, 2], "vrrpv3RouterVersionErrors", Syntax::Counter64, |snapshot| {
        Some(Value::Counter64(total(rows(snapshot), Counter::VersionError)))
    }),
    Scalar::new(oid![1, 2, 3], "vrrpv3RouterVrIdErrors", Syntax::Counter64, |snapshot| {
        Some(Value::Counter64(snapshot.unknown_vrids()))
    }),
    Scalar::new(oid![1, 2, 4], "vrrpv3GlobalStatisticsDiscontinuityTime", Syntax::TimeTicks, |snapshot| {
        Some(counting_since(snapshot))
    }),
];

/// vrrpv3StatisticsTable.
pub(super) static STATISTICS: Table<Snapshot, Located> = Table {
    entry: oid![1, 2, 5, 1],
    name: "vrrpv3StatisticsEntry",
    index: &INDEX,
    columns: &STATISTIC_COLUMNS,
    seek: |snapshot, after, include| by_link::seek(snapshot.by_link.v3(), Located::v3_index, after, include),
};

macro_rules! counter {
    ($number:literal $name:literal $counter:ident) => {
        Column::new($number, $name, Syntax::Counter64, |_, located| {
            Some(Value::Counter64(located.row.counters.value(Counter::$counter)))
        })
    };
}

static STATISTIC_COLUMNS: [Cell; 13] = [
    Column::new(1, "vrrpv3StatisticsMasterTransitions", Syntax::Counter32, |_, located| {
        Some(Value::Counter32(low(located.row.counters.value(Counter::BecomeMaster))))
    }),
    Column::new(2, "vrrpv3StatisticsNewMasterReason", NEW_MASTER_REASON, |_, located| {
        integer(located.row.mastered().number())
    }),
    counter!(3 "vrrpv3StatisticsRcvdAdvertisements" AdvertReceived),
    counter!(4 "vrrpv3StatisticsAdvIntervalErrors" AdvertIntervalError),
    counter!(5 "vrrpv3StatisticsIpTtlErrors" TtlError),
    Column::new(6, "vrrpv3StatisticsProtoErrReason", ERROR_REASON, |_, located| {
        integer(reason(located.row.counters.last_protocol_error()))
    }),
    counter!(7 "vrrpv3StatisticsRcvdPriZeroPackets" PriorityZeroReceived),
    counter!(8 "vrrpv3StatisticsSentPriZeroPackets" PriorityZeroSent),
    counter!(9 "vrrpv3StatisticsRcvdInvalidTypePackets" InvalidType),
    counter!(10 "vrrpv3StatisticsAddressListErrors" AddressListError),
    counter!(11 "vrrpv3StatisticsPacketLengthErrors" PacketLengthError),
    Column::new(12, "vrrpv3StatisticsRowDiscontinuityTime", Syntax::TimeTicks, |snapshot, _| {
        Some(counting_since(snapshot))
    }),
    // How often the counters can change at least.
    Column::new(13, "vrrpv3StatisticsRefreshRate", Syntax::Unsigned32, |_, located| {
        unsigned(located.row.config.advert_interval.as_millis())
    }),
];

/// vrrpv3NewMaster of an instance that became MASTER: its OID and objects.
pub(in crate::snmp) fn new_master(snapshot: &Snapshot, index: u32) -> Option<(Oid, Vec<VarBind>)> {
    let located = snapshot.by_link.v3().iter().find(|located| located.row.index == index)?;
    let base = Oid::from(V3).child(1);
    let cell = |table: [u32; 3], column: u32| {
        let entry = table.iter().fold(base.clone(), |oid, sub| oid.child(*sub));
        entry.child(column).try_join(&located.v3_index()).ok()
    };
    let varbinds = vec![
        VarBind::new(cell([1, 1, 1], 3)?, address_octets(own_address(&located.row))?),
        VarBind::new(cell([2, 5, 1], 2)?, integer(located.row.mastered().number())?),
    ];
    Some((Oid::from(V3).child(0).child(1), varbinds))
}

/// vrrpv3ProtoError of a packet whose TTL, version or checksum was wrong: its OID and objects. The counter that moved
/// follows, which says how many were not told of; keepalived does not have it.
pub(in crate::snmp) fn protocol_error(
    snapshot: &Snapshot,
    rejection: &Rejection,
) -> Option<(Oid, Vec<VarBind>)> {
    let located = snapshot.by_link.v3().iter().find(|located| located.row.index == rejection.instance)?;
    let statistics = Oid::from(V3).child(1).child(2);
    let cell = |column: u32| statistics.child(5).child(1).child(column).try_join(&located.v3_index()).ok();
    let sum = |scalar: u32| statistics.child(scalar).child(0);
    let (counter, count) = match rejection.error {
        Counter::TtlError => (cell(5)?, located.row.counters.value(Counter::TtlError)),
        Counter::VersionError => (sum(2), total(rows(snapshot), Counter::VersionError)),
        Counter::ChecksumError => (sum(1), total(rows(snapshot), Counter::ChecksumError)),
        _ => return None,
    };
    let mut varbinds = vec![VarBind::new(cell(6)?, integer(reason(Some(rejection.error)))?)];
    if !snapshot.global.settings.snmp_compat {
        varbinds.push(VarBind::new(counter, Value::Counter64(count)));
    }
    Some((Oid::from(V3).child(0).child(2), varbinds))
}

/// The number of what was wrong with a packet.
fn reason(error: Option<Counter>) -> i32 {
    match error {
        Some(Counter::TtlError) => 1,
        Some(Counter::VersionError) => 2,
        Some(Counter::ChecksumError) => 3,
        _ => 0,
    }
}
