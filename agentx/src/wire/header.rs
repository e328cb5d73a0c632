//! The 20 bytes in front of every PDU (RFC 2741 §6.1).

use super::reader::Reader;
use super::{ByteOrder, InvalidPdu};

/// Bytes of a header.
pub const HEADER_LEN: usize = 20;

/// The most payload accepted in one PDU. net-snmp never sends more than 64 KiB; a length beyond this is
/// noise, and believing it would let a peer make us allocate 4 GiB.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// The PDU types, by their number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the RFC's own names")]
pub enum PduType {
    Open,
    Close,
    Register,
    Unregister,
    Get,
    GetNext,
    GetBulk,
    TestSet,
    CommitSet,
    UndoSet,
    CleanupSet,
    Notify,
    Ping,
    IndexAllocate,
    IndexDeallocate,
    AddAgentCaps,
    RemoveAgentCaps,
    Response,
    /// A number the RFC does not assign.
    Unknown(u8),
}

/// Known types in the order of their numbers, which start at 1.
const TYPES: [PduType; 18] = [
    PduType::Open,
    PduType::Close,
    PduType::Register,
    PduType::Unregister,
    PduType::Get,
    PduType::GetNext,
    PduType::GetBulk,
    PduType::TestSet,
    PduType::CommitSet,
    PduType::UndoSet,
    PduType::CleanupSet,
    PduType::Notify,
    PduType::Ping,
    PduType::IndexAllocate,
    PduType::IndexDeallocate,
    PduType::AddAgentCaps,
    PduType::RemoveAgentCaps,
    PduType::Response,
];

impl From<u8> for PduType {
    fn from(number: u8) -> Self {
        let known = usize::from(number).checked_sub(1).and_then(|at| TYPES.get(at));
        known.copied().unwrap_or(Self::Unknown(number))
    }
}

impl From<PduType> for u8 {
    fn from(kind: PduType) -> Self {
        if let PduType::Unknown(number) = kind {
            return number;
        }
        // From the back: nearly all that a subagent writes are Responses.
        let place = TYPES.iter().rposition(|&known| known == kind);
        place.and_then(|place| Self::try_from(place + 1).ok()).unwrap_or_default()
    }
}

/// The flag bits of a header that do not describe its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// Register: the subtree is one instance (RFC 2741 §6.2.3). Never set by this crate.
    pub const INSTANCE_REGISTRATION: Self = Self(0x01);
    /// IndexAllocate: a value never used before.
    pub const NEW_INDEX: Self = Self(0x02);
    /// IndexAllocate: any unused value.
    pub const ANY_INDEX: Self = Self(0x04);

    /// Whether every bit of `other` is set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

const NON_DEFAULT_CONTEXT: u8 = 0x08;
const NETWORK_BYTE_ORDER: u8 = 0x10;

/// A header as it travels, without the length of its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: PduType,
    /// Flags other than context and byte order.
    pub flags: Flags,
    /// Whether a context stands in front of the payload (RFC 2741 §6.1.1).
    pub has_context: bool,
    /// Byte order of this PDU, header included.
    pub order: ByteOrder,
    /// The master's number for the session; 0 in Open.
    pub session_id: u32,
    /// The master's number for the SNMP request that all PDUs of a transaction share.
    pub transaction_id: u32,
    /// The sender's number for this PDU, repeated by its Response.
    pub packet_id: u32,
}

impl Header {
    /// Reads a header and the length of the payload after it.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] below 20 bytes, [`InvalidPdu::Version`], [`InvalidPdu::PayloadLength`] when it
    /// is no multiple of four or above [`MAX_PAYLOAD`]. After any of these the stream has lost its frames.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), InvalidPdu> {
        let order = match bytes.get(2) {
            Some(flags) if flags & NETWORK_BYTE_ORDER != 0 => ByteOrder::Network,
            _ => ByteOrder::Little,
        };
        let mut reader = Reader::new(bytes, order);
        let version = reader.u8("h.version")?;
        if version != 1 {
            return Err(InvalidPdu::Version(version));
        }
        let kind = PduType::from(reader.u8("h.type")?);
        let flags = reader.u8("h.flags")?;
        reader.u8("h.reserved")?;
        let header = Self {
            kind,
            flags: Flags(flags & !(NON_DEFAULT_CONTEXT | NETWORK_BYTE_ORDER)),
            has_context: flags & NON_DEFAULT_CONTEXT != 0,
            order,
            session_id: reader.u32("h.sessionID")?,
            transaction_id: reader.u32("h.transactionID")?,
            packet_id: reader.u32("h.packetID")?,
        };
        let len = reader.u32("h.payload_length")?;
        match usize::try_from(len) {
            Ok(payload) if payload <= MAX_PAYLOAD && payload.is_multiple_of(4) => Ok((header, payload)),
            _ => Err(InvalidPdu::PayloadLength(len)),
        }
    }

    /// Appends the header with a payload length of zero, which [`super::Pdu::write`] fills in later.
    pub(super) fn write(&self, out: &mut super::writer::Writer<'_>) {
        let context = if self.has_context { NON_DEFAULT_CONTEXT } else { 0 };
        let order = if self.order == ByteOrder::Network { NETWORK_BYTE_ORDER } else { 0 };
        out.u8s([1, self.kind.into(), self.flags.0 | context | order, 0]);
        out.u32s(&[self.session_id, self.transaction_id, self.packet_id, 0]);
    }

    /// Every flag bit that may stand in a [`Flags`], for tests that want any of them.
    #[cfg(test)]
    pub(crate) fn any_flags(bits: u8) -> Flags {
        Flags(bits & !(NON_DEFAULT_CONTEXT | NETWORK_BYTE_ORDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Get of net-snmp's master: little endian, with the context flag.
    const BYTES: [u8; 20] = [1, 5, 0x08, 0, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 12, 0, 0, 0];

    #[test]
    fn reads_every_field() {
        let (header, len) = Header::read(&BYTES).unwrap();
        assert_eq!(header.kind, PduType::Get);
        assert_eq!((header.has_context, header.order), (true, ByteOrder::Little));
        assert_eq!((header.session_id, header.transaction_id, header.packet_id), (7, 8, 9));
        assert_eq!(len, 12);
    }

    #[test]
    fn refuses_what_would_lose_the_frames() {
        let changed = |at: usize, to: u8| {
            let mut bytes = BYTES;
            bytes[at] = to;
            Header::read(&bytes).map(|_| ())
        };
        assert_eq!(changed(0, 2), Err(InvalidPdu::Version(2)));
        assert_eq!(changed(16, 13), Err(InvalidPdu::PayloadLength(13)));
        assert_eq!(changed(19, 1), Err(InvalidPdu::PayloadLength(0x0100_000c)));
        assert_eq!(Header::read(&BYTES[..19]).map(|_| ()), Err(InvalidPdu::Missing("h.payload_length")));
    }

    #[test]
    fn types_have_the_numbers_1_to_18() {
        for number in 0..=255_u8 {
            let kind = PduType::from(number);
            assert_eq!(u8::from(kind), number);
            assert_eq!(matches!(kind, PduType::Unknown(_)), !(1..=18).contains(&number));
        }
    }
}
