//! PDUs as they arrive (RFC 3416 §3, RFC 1157 §4.1).

use agentx::{Value, VarBind};

use super::ber::{self, Element, Malformed, Reader};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    GetNext,
    GetBulk,
    Set,
    /// The answer to one of those, or to an inform.
    Response,
    /// Why there is none (SNMPv3).
    Report,
    /// What nobody has asked for.
    Notification,
}

/// A PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pdu {
    pub(super) kind: Kind,
    pub(super) request_id: i32,
    /// error-status; non-repeaters of a GetBulk.
    pub(super) first: i32,
    /// error-index; max-repetitions of a GetBulk.
    pub(super) second: i32,
    pub(super) varbinds: Vec<VarBind>,
}

impl Pdu {
    /// Reads the PDU that is all of what is left.
    pub(super) fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let element = reader.element("PDU")?;
        reader.end("PDU")?;
        let kind = match element.identifier {
            0xa0 => Kind::Get,
            0xa1 => Kind::GetNext,
            0xa3 => Kind::Set,
            0xa5 => Kind::GetBulk,
            0xa2 => Kind::Response,
            0xa6 | 0xa7 => Kind::Notification,
            0xa8 => Kind::Report,
            _ => return Err(Malformed("PDU type")),
        };
        let mut reader = Reader::new(element.content);
        let request_id = reader.integer("request-id")?;
        let first = reader.integer("error-status")?;
        let second = reader.integer("error-index")?;
        let mut list = reader.sequence("variable-bindings")?;
        reader.end("PDU")?;
        let mut varbinds = Vec::new();
        while !list.is_empty() {
            let mut pair = list.sequence("VarBind")?;
            let name = pair.oid("name")?;
            let value = value(pair.element("value")?)?;
            pair.end("VarBind")?;
            varbinds.push(VarBind::new(name, value));
        }
        Ok(Self { kind, request_id, first, second, varbinds })
    }
}

/// A value of SNMP's types (RFC 2578 §7.1), or an exception.
fn value(Element { identifier, content }: Element<'_>) -> Result<Value, Malformed> {
    let number = || ber::integer(content).ok_or(Malformed("value"));
    Ok(match identifier {
        ber::INTEGER => Value::Integer(ber::integer(content).ok_or(Malformed("value"))?),
        ber::OCTET_STRING => Value::OctetString(content.to_vec()),
        ber::OBJECT_IDENTIFIER => Value::ObjectIdentifier(ber::oid(content).ok_or(Malformed("value"))?),
        0x40 => Value::IpAddress(content.try_into().map_err(|_| Malformed("value"))?),
        0x41 => Value::Counter32(number()?),
        0x42 => Value::Gauge32(number()?),
        0x43 => Value::TimeTicks(number()?),
        0x44 => Value::Opaque(content.to_vec()),
        0x46 => Value::Counter64(ber::integer(content).ok_or(Malformed("value"))?),
        0x05 if content.is_empty() => Value::Null,
        0x80 if content.is_empty() => Value::NoSuchObject,
        0x81 if content.is_empty() => Value::NoSuchInstance,
        0x82 if content.is_empty() => Value::EndOfMibView,
        _ => return Err(Malformed("value")),
    })
}
