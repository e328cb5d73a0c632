//! What is said, as rasn-snmp has it.

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

use super::message::Version;

/// The answer to a request: its number, what went wrong, if anything did, and the VarBinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) request_id: i32,
    pub(super) error: u32,
    pub(super) index: u32,
    pub(super) varbinds: Vec<VarBind>,
}

/// The whole message; `None` when there is a value that has no encoding.
pub(super) fn message<T: rasn::Encode>(version: Version, community: &[u8], data: T) -> Option<Vec<u8>> {
    let version = match version {
        Version::V1 => 0,
        Version::V2c => 1,
    };
    ber::encode(&v2c::Message { version: version.into(), community: community.to_vec().into(), data }).ok()
}

/// The PDU of an answer, whatever type that gets; `None` when there is a value that has no encoding.
pub(super) fn pdu(response: &Response) -> Option<v2::Pdu> {
    let variable_bindings = response.varbinds.iter().map(varbind).collect::<Option<_>>()?;
    Some(v2::Pdu {
        request_id: response.request_id,
        error_status: response.error,
        error_index: response.index,
        variable_bindings,
    })
}

/// The PDU of what nobody has asked for.
pub(super) fn unasked(request_id: i32, varbinds: &[VarBind]) -> Option<v2::Pdu> {
    let variable_bindings = varbinds.iter().map(varbind).collect::<Option<_>>()?;
    Some(v2::Pdu { request_id, error_status: 0, error_index: 0, variable_bindings })
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

pub(super) fn oid(oid: &Oid) -> Option<ObjectIdentifier> {
    ObjectIdentifier::new(oid.subids().to_vec())
}
