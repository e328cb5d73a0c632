//! Messages as they arrive: the version, who asks, and the PDU (RFC 1157 §4, RFC 1901 §3, RFC 3412 §6).

use super::{
    ber::{Malformed, Reader},
    encode,
    pdu::{Kind, Pdu},
};

/// A version of the protocol that carries a community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2c,
}

/// A message, as far as its version says what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message<'a> {
    /// Version 1 or 2c, and its PDU.
    Community { version: Version, community: &'a [u8], pdu: Reader<'a> },
    /// Version 3, and all that follows its number.
    V3(Reader<'a>),
    /// A version that is not spoken here.
    Unknown,
}

impl<'a> Message<'a> {
    /// Reads a datagram up to the PDU: who may not ask need not be understood.
    pub(crate) fn read(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let mut whole = Reader::new(datagram);
        let mut reader = whole.sequence("message")?;
        whole.end("message")?;
        let version = match reader.integer("version")? {
            0 => Version::V1,
            1 => Version::V2c,
            3 => return Ok(Self::V3(reader)),
            _ => return Ok(Self::Unknown),
        };
        let community = reader.octets("community")?;
        Ok(Self::Community { version, community, pdu: reader })
    }
}

impl Version {
    /// Reads the PDU; version 1 has no GetBulk.
    pub(crate) fn pdu(self, pdu: Reader<'_>) -> Result<Pdu, Malformed> {
        let pdu = Pdu::read(pdu)?;
        if self == Self::V1 && pdu.kind == Kind::GetBulk {
            return Err(Malformed("PDU type"));
        }
        Ok(pdu)
    }

    /// The whole message with a PDU; `None` when there is a value in it that has no encoding.
    pub(crate) fn message(self, community: &[u8], pdu: &Pdu) -> Option<Vec<u8>> {
        self.say(community, encode::pdu(pdu)?)
    }

    /// The whole message with something else in it.
    pub(crate) fn say<T: rasn::Encode>(self, community: &[u8], data: T) -> Option<Vec<u8>> {
        encode::message(self, community, data)
    }
}
