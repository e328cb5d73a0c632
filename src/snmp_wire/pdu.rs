//! PDUs (RFC 3416 §3, RFC 1157 §4.1).

use agentx::{Value, VarBind};

use super::ber::{self, Element, Malformed, Reader};

/// What a PDU is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    GetNext,
    Response,
    Set,
    GetBulk,
    Inform,
    /// Of version 2; that of version 1 is a [`TrapV1`](super::TrapV1).
    Trap,
    Report,
}

/// A PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pdu {
    pub(crate) kind: Kind,
    pub(crate) request_id: i32,
    /// error-status; non-repeaters of a GetBulk.
    pub(crate) first: i32,
    /// error-index; max-repetitions of a GetBulk.
    pub(crate) second: i32,
    pub(crate) varbinds: Vec<VarBind>,
}

impl Kind {
    /// The identifier of its element.
    const fn identifier(self) -> u8 {
        match self {
            Self::Get => 0xa0,
            Self::GetNext => 0xa1,
            Self::Response => 0xa2,
            Self::Set => 0xa3,
            Self::GetBulk => 0xa5,
            Self::Inform => 0xa6,
            Self::Trap => 0xa7,
            Self::Report => 0xa8,
        }
    }

    /// Whether it is something that an agent is asked (the Read and Write Classes, RFC 3411 §2.8).
    pub(crate) const fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::GetNext | Self::Set | Self::GetBulk)
    }

    /// Whether its sender waits for an answer (the Confirmed Class, RFC 3411 §2.8).
    pub(crate) const fn is_confirmed(self) -> bool {
        matches!(self, Self::Get | Self::GetNext | Self::Set | Self::GetBulk | Self::Inform)
    }
}

impl Pdu {
    /// One in which nothing has gone wrong.
    pub(crate) const fn new(kind: Kind, request_id: i32, varbinds: Vec<VarBind>) -> Self {
        Self { kind, request_id, first: 0, second: 0, varbinds }
    }

    /// Reads the PDU that is all of what is left.
    pub(crate) fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let element = reader.element("PDU")?;
        reader.end("PDU")?;
        let kinds = [
            Kind::Get,
            Kind::GetNext,
            Kind::Response,
            Kind::Set,
            Kind::GetBulk,
            Kind::Inform,
            Kind::Trap,
            Kind::Report,
        ];
        let kind = kinds.into_iter().find(|kind| kind.identifier() == element.identifier);
        let kind = kind.ok_or(Malformed("PDU type"))?;
        let mut reader = Reader::new(element.content);
        let request_id = reader.integer("request-id")?;
        let first = reader.integer("error-status")?;
        let second = reader.integer("error-index")?;
        let varbinds = varbinds(&mut reader)?;
        reader.end("PDU")?;
        Ok(Self { kind, request_id, first, second, varbinds })
    }
}

/// A list of VarBinds.
pub(super) fn varbinds(reader: &mut Reader<'_>) -> Result<Vec<VarBind>, Malformed> {
    let mut list = reader.sequence("variable-bindings")?;
    let mut varbinds = Vec::new();
    while !list.is_empty() {
        let mut pair = list.sequence("VarBind")?;
        let name = pair.oid("name")?;
        let value = value(pair.element("value")?)?;
        pair.end("VarBind")?;
        varbinds.push(VarBind::new(name, value));
    }
    Ok(varbinds)
}

/// A value of SNMP's types (RFC 2578 §7.1), or an exception.
fn value(Element { identifier, content }: Element<'_>) -> Result<Value, Malformed> {
    let number = || ber::integer(content).ok_or(Malformed("value"));
    Ok(match identifier {
        ber::INTEGER => Value::Integer(ber::integer(content).ok_or(Malformed("value"))?),
        ber::OCTET_STRING => Value::OctetString(content.to_vec()),
        ber::OBJECT_IDENTIFIER => Value::ObjectIdentifier(ber::oid(content).ok_or(Malformed("value"))?),
        ber::IP_ADDRESS => Value::IpAddress(content.try_into().map_err(|_| Malformed("value"))?),
        0x41 => Value::Counter32(number()?),
        0x42 => Value::Gauge32(number()?),
        ber::TIME_TICKS => Value::TimeTicks(number()?),
        0x44 => Value::Opaque(content.to_vec()),
        0x46 => Value::Counter64(ber::integer(content).ok_or(Malformed("value"))?),
        0x05 if content.is_empty() => Value::Null,
        0x80 if content.is_empty() => Value::NoSuchObject,
        0x81 if content.is_empty() => Value::NoSuchInstance,
        0x82 if content.is_empty() => Value::EndOfMibView,
        _ => return Err(Malformed("value")),
    })
}
