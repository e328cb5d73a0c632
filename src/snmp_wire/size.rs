//! How many bytes something takes in BER, without encoding it: a GetBulk ends where its answer is full.

use agentx::{Oid, Value, VarBind};

/// What the headers around a list of VarBinds take at most: message, version, community's header, PDU with its three
/// numbers, and the list's own.
pub(crate) const AROUND: usize = 64;

/// A VarBind in its list.
pub(crate) fn varbind(varbind: &VarBind) -> usize {
    element(element(oid(&varbind.name)) + value(&varbind.value))
}

/// With identifier and length.
pub(crate) fn element(content: usize) -> usize {
    let length = match content {
        ..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 4,
    };
    1 + length + content
}

fn value(value: &Value) -> usize {
    element(match value {
        Value::Integer(number) => signed(i64::from(*number)),
        Value::OctetString(bytes) | Value::Opaque(bytes) => bytes.len(),
        Value::ObjectIdentifier(id) => oid(id),
        Value::IpAddress(_) => 4,
        Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => {
            unsigned(u64::from(*number))
        }
        Value::Counter64(number) => unsigned(*number),
        Value::Null | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => 0,
    })
}

/// Octets of a two's complement number: one bit is for the sign.
fn signed(number: i64) -> usize {
    let bits = 65 - if number < 0 { number.leading_ones() } else { number.leading_zeros() };
    bits.div_ceil(8) as usize
}

fn unsigned(number: u64) -> usize {
    (65 - number.leading_zeros()).div_ceil(8) as usize
}

fn oid(oid: &Oid) -> usize {
    let subid = |subid: u64| (64 - subid.leading_zeros()).div_ceil(7).max(1) as usize;
    match oid.subids() {
        [first, second, rest @ ..] => {
            let rest: usize = rest.iter().map(|number| subid(u64::from(*number))).sum();
            subid(40 * u64::from(*first) + u64::from(*second)) + rest
        }
        // A name has two sub-identifiers at least.
        _ => 0,
    }
}
