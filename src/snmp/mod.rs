//! KEEPALIVED-MIB, the MIBs of RFC 2787 and RFC 6527 and STEADFAST-MIB over the registry: what an NMS reads, and what it is told.
//!
//! Each table is one file that declares its columns as data, with a getter per column; [`view`] puts them
//! together, and [`Pending`] turns transitions into notifications. Nothing here keeps state of its own:
//! a request takes a [`Snapshot`] of the registry once and reads the rows. The room may import
//! [`crate::registry`], the types of [`crate::config`]'s model and [`crate::units`] that are in its rows, and the `agentx`
//! crate.

mod address;
mod by_link;
mod check;
mod encap;
mod file;
mod global;
mod group;
mod group_member;
mod instance;
mod mail;
mod next_hop;
mod notification;
mod own;
mod parts;
mod pending;
mod position;
mod process;
mod rejected;
mod rfc;
mod route;
mod rule;
mod script;
mod session;
mod set;
mod snapshot;
mod tracked;

pub use self::{
    parts::Parts,
    pending::{Backlog, Expected, Pending, Told},
    snapshot::{Clock, Snapshot, Snapshots},
};

use std::net::IpAddr;

use agentx::{Syntax, Value, View};

/// keepalived's arc, .1.3.6.1.4.1.9586.100.5: the root of KEEPALIVED-MIB.
pub const KEEPALIVED: [u32; 9] = [1, 3, 6, 1, 4, 1, 9586, 100, 5];

/// STEADFAST-MIB::steadfast: an arc of it that keepalived has nothing at.
pub const STEADFAST: [u32; 10] = [1, 3, 6, 1, 4, 1, 9586, 100, 5, notification::STEADFAST];

/// Everything that is served; which parts are, [`Parts`] says.
pub fn view() -> View<Snapshot> {
    let view = View::new()
        .scalars(&global::SCALARS)
        .scalars(&mail::SCALARS)
        .table(&mail::EMAILS)
        .table(&group::TABLE)
        .table(&group_member::TABLE)
        .table(&instance::TABLE)
        .table(&tracked::INTERFACES)
        .table(&tracked::SCRIPTS)
        .table(&address::TABLE)
        .table(&route::TABLE)
        .table(&next_hop::TABLE)
        .table(&rule::TABLE)
        .table(&script::TABLE)
        .table(&tracked::FILES)
        .table(&file::TABLE)
        .table(&tracked::GROUP_INTERFACES)
        .table(&tracked::GROUP_SCRIPTS)
        .table(&tracked::GROUP_FILES)
        .table(&tracked::SESSIONS)
        .table(&session::TABLE)
        .table(&tracked::GROUP_SESSIONS)
        .table(&tracked::PROCESSES)
        .table(&process::TABLE)
        .table(&tracked::GROUP_PROCESSES);
    rfc::add(check::add(view).scalars(&own::SCALARS))
}

/// INTEGER { enabled(1), disabled(2) }.
const ENABLED: Syntax = Syntax::Enum(&[("enabled", 1), ("disabled", 2)]);
/// TruthValue, and the INTEGER { true(1), false(2) } that some objects spell out.
const TRUTH: Syntax = Syntax::Enum(&[("true", 1), ("false", 2)]);
/// InetAddressType (INET-ADDRESS-MIB).
const INET_ADDRESS_TYPE: Syntax =
    Syntax::Enum(&[("unknown", 0), ("ipv4", 1), ("ipv6", 2), ("ipv4z", 3), ("ipv6z", 4), ("dns", 16)]);

/// InetAddressType of an address.
fn address_type(address: IpAddr) -> Option<Value> {
    integer(match address {
        IpAddr::V4(_) => 1,
        IpAddr::V6(_) => 2,
    })
}

/// InetAddress: the octets of an address.
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn address_octets(address: IpAddr) -> Option<Value> {
    Some(Value::OctetString(match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }))
}

/// 1 for the first word of an enumeration of two, 2 for the second: how this MIB writes a truth.
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn one_or_two(first: bool) -> Option<Value> {
    Some(Value::Integer(if first { 1 } else { 2 }))
}

/// Text for a DisplayString, cut at its 255 octets.
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn text(text: &str) -> Option<Value> {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Value::text(&text[..end]))
}

/// A number that a Gauge32 or Unsigned32 cannot hold stays at its end (RFC 2578 §7.1.7).
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn unsigned(number: impl TryInto<u32>) -> Option<Value> {
    Some(Value::Gauge32(number.try_into().unwrap_or(u32::MAX)))
}

/// The lower 32 bits, for what wraps.
#[expect(clippy::cast_possible_truncation, reason = "the upper bits are what is to be left out")]
const fn low(number: u64) -> u32 {
    number as u32
}

/// A number for an Integer32, kept inside it.
#[expect(clippy::unnecessary_wraps, reason = "a getter returns an Option, and this ends one")]
fn integer(number: impl TryInto<i32>) -> Option<Value> {
    Some(Value::Integer(number.try_into().unwrap_or(i32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        let long = "é".repeat(200);
        assert_eq!(text(&long), Some(Value::text("é".repeat(127))));
    }

    #[test]
    fn numbers_stay_at_the_end_of_their_type() {
        assert_eq!(unsigned(5_000_000_000_u64), Some(Value::Gauge32(u32::MAX)));
        assert_eq!(integer(3_000_000_000_u64), Some(Value::Integer(i32::MAX)));
    }
}
