//! Messages and PDUs, as rasn-snmp has them.

use agentx::{Oid, Value, VarBind};
use rasn::{
    ber,
    types::{Any, FixedOctetString, ObjectIdentifier},
};
use rasn_smi::{
    v1::{Counter, Gauge, IpAddress, TimeTicks, ToOpaque as _},
    v2::{ApplicationSyntax, Counter64, ObjectSyntax, SimpleSyntax},
};
use rasn_snmp::{v2, v2c};

use super::{
    message::Version,
    pdu::{Kind, Pdu},
};

/// The whole message.
pub(super) fn message<T: rasn::Encode>(version: Version, community: &[u8], data: T) -> Option<Vec<u8>> {
    let version = match version {
        Version::V1 => 0,
        Version::V2c => 1,
    };
    ber::encode(&v2c::Message { version: version.into(), community: community.to_vec().into(), data }).ok()
}

/// A PDU; `None` when there is a value that has no encoding.
pub(super) fn pdu(pdu: &Pdu) -> Option<v2::Pdus> {
    let variable_bindings = pdu.varbinds.iter().map(varbind).collect::<Option<_>>()?;
    let (first, second) = (u32::try_from(pdu.first).ok()?, u32::try_from(pdu.second).ok()?);
    let request_id = pdu.request_id;
    if pdu.kind == Kind::GetBulk {
        let (non_repeaters, max_repetitions) = (first, second);
        let bulk = v2::BulkPdu { request_id, non_repeaters, max_repetitions, variable_bindings };
        return Some(v2::Pdus::GetBulkRequest(v2::GetBulkRequest(bulk)));
    }
    let plain = v2::Pdu { request_id, error_status: first, error_index: second, variable_bindings };
    Some(match pdu.kind {
        Kind::Get | Kind::GetBulk => v2::Pdus::GetRequest(v2::GetRequest(plain)),
        Kind::GetNext => v2::Pdus::GetNextRequest(v2::GetNextRequest(plain)),
        Kind::Response => v2::Pdus::Response(v2::Response(plain)),
        Kind::Set => v2::Pdus::SetRequest(v2::SetRequest(plain)),
        Kind::Inform => v2::Pdus::InformRequest(v2::InformRequest(plain)),
        Kind::Trap => v2::Pdus::Trap(v2::Trap(plain)),
        Kind::Report => v2::Pdus::Report(v2::Report(plain)),
    })
}

fn varbind(VarBind { name, value }: &VarBind) -> Option<v2::VarBind> {
    let application = |value| v2::VarBindValue::Value(ObjectSyntax::ApplicationWide(value));
    let simple = |value| v2::VarBindValue::Value(ObjectSyntax::Simple(value));
    let value = match value {
        Value::Integer(number) => simple(SimpleSyntax::Integer((*number).into())),
        Value::OctetString(bytes) => simple(SimpleSyntax::String(bytes.clone().into())),
        Value::ObjectIdentifier(id) => simple(SimpleSyntax::ObjectId(oid(id)?)),
        Value::IpAddress(octets) => {
            application(ApplicationSyntax::Address(IpAddress(FixedOctetString::new(*octets))))
        }
        Value::Counter32(number) => application(ApplicationSyntax::Counter(Counter(*number))),
        Value::Gauge32(number) => application(ApplicationSyntax::Unsigned(Gauge(*number))),
        Value::TimeTicks(number) => application(ApplicationSyntax::Ticks(TimeTicks(*number))),
        Value::Counter64(number) => application(ApplicationSyntax::BigCounter(Counter64(*number))),
        Value::Opaque(bytes) => {
            application(ApplicationSyntax::Arbitrary(Any::new(bytes.clone()).to_opaque().ok()?))
        }
        Value::Null => v2::VarBindValue::Unspecified,
        Value::NoSuchObject => v2::VarBindValue::NoSuchObject,
        Value::NoSuchInstance => v2::VarBindValue::NoSuchInstance,
        Value::EndOfMibView => v2::VarBindValue::EndOfMibView,
    };
    Some(v2::VarBind { name: oid(name)?, value })
}

/// `None` for one that BER has no way to write.
pub(crate) fn oid(oid: &Oid) -> Option<ObjectIdentifier> {
    ObjectIdentifier::new(oid.subids().to_vec())
}
