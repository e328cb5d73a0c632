//! VRRP-MIB (RFC 2787) and VRRPV3-MIB (RFC 6527) over the same rows.
//!
//! What both have in common is here: the state's numbers, the virtual MAC and the router's own address. Everything can
//! only be read, as RFC 6527's vrrpv3ReadOnlyCompliance allows.

mod v2;
mod v3;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use agentx::{Syntax, Value, View};

use crate::{
    registry::{Counter, InstanceRow, State},
    snmp::{Snapshot, integer},
    units::Family,
};

/// VRRP-MIB.
pub(super) const V2: [u32; 7] = [1, 3, 6, 1, 2, 1, 68];
/// VRRPV3-MIB.
pub(super) const V3: [u32; 7] = [1, 3, 6, 1, 2, 1, 207];

pub(super) use self::{
    v2::{authentication_failure, new_master as new_master_v2},
    v3::{new_master as new_master_v3, protocol_error},
};

/// Adds both modules.
pub(super) fn add(view: View<Snapshot>) -> View<Snapshot> {
    view.scalars(&v2::SCALARS)
        .table(&v2::OPERATIONS)
        .table(&v2::ADDRESSES)
        .table(&v2::STATISTICS)
        .table(&v3::OPERATIONS)
        .table(&v3::ADDRESSES)
        .scalars(&v3::SCALARS)
        .table(&v3::STATISTICS)
}

const STATE: Syntax = Syntax::Enum(&[("initialize", 1), ("backup", 2), ("master", 3)]);
/// RowStatus (SNMPv2-TC).
const ROW_STATUS: Syntax = Syntax::Enum(&[
    ("active", 1),
    ("notInService", 2),
    ("notReady", 3),
    ("createAndGo", 4),
    ("createAndWait", 5),
    ("destroy", 6),
]);

/// FAULT and what comes before and after taking part are initialize(1).
fn state(row: &InstanceRow) -> Option<Value> {
    integer(match row.status().state {
        State::Backup => 2,
        State::Master => 3,
        State::Init | State::Fault | State::Stop | State::Deleted | State::Up | State::Down => 1,
    })
}

/// RFC 9568 §7.3: 00-00-5E-00-01 or -02, and the VRID.
fn virtual_mac(row: &InstanceRow) -> Vec<u8> {
    let family = match row.config.family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    vec![0x00, 0x00, 0x5e, 0x00, family, row.config.vrid.value()]
}

/// The address that its advertisements come from; unspecified while there is none.
fn own_address(row: &InstanceRow) -> IpAddr {
    row.status().source.unwrap_or_else(|| unspecified(row))
}

/// The address of the master: its own while it is that, else that of the router heard last, else unspecified.
fn master_address(row: &InstanceRow) -> IpAddr {
    let status = row.status();
    match status.state {
        State::Master => own_address(row),
        _ => status.master.map_or_else(|| unspecified(row), |master| master.address),
    }
}

fn unspecified(row: &InstanceRow) -> IpAddr {
    match row.config.family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The sum over all rows.
fn total<'a>(rows: impl Iterator<Item = &'a InstanceRow>, counter: Counter) -> u64 {
    rows.map(|row| row.counters.value(counter)).sum()
}

/// sysUpTime when the counting began; 0 where the master started later.
fn counting_since(snapshot: &Snapshot) -> Value {
    Value::TimeTicks(snapshot.sys_up_time(snapshot.began()))
}
