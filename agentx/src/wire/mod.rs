//! The codec: bytes of a PDU to a [`Pdu`] and back, in both byte orders (RFC 2741 §5 and §6).
//!
//! It knows shapes and nothing of sessions: what a PDU means, and to whom, is `session`'s business. Reading is
//! strict (missing and trailing bytes are errors that name the field) with two tolerances that real masters
//! need: a context in front of any PDU, even a Response, and [`ResponseHead`], which leaves the VarBinds that
//! net-snmp echoes in its Responses unread.

mod header;
mod pdu;
mod reader;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub use header::{Flags, HEADER_LEN, Header, MAX_PAYLOAD, PduType};
pub use pdu::{
    Body, Close, GetBulk, MAX_ITEMS, Open, Pdu, Register, Response, ResponseHead, SearchRange, Unregister,
};
pub use reader::{ByteOrder, Reader};

/// Why bytes are not a PDU. Comparable, so that a test asserts the exact field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPdu {
    /// The bytes end before or inside this field.
    #[error("{0} is missing or cut short")]
    Missing(&'static str),
    /// Bytes are left after the last field of this.
    #[error("bytes after the end of {0}")]
    Trailing(&'static str),
    /// More elements in this field than its limit.
    #[error("{0} has too many elements")]
    TooMany(&'static str),
    /// A VarBind type that is not assigned.
    #[error("VarBind type {0} is unknown")]
    VarBindType(u16),
    /// An IpAddress of other than four bytes.
    #[error("an IpAddress has 4 bytes, this one has {0}")]
    IpAddressLength(usize),
    /// A protocol version other than 1.
    #[error("AgentX version {0} is unknown, only 1 is")]
    Version(u8),
    /// A payload length that is no multiple of four or above [`MAX_PAYLOAD`].
    #[error("payload length {0} is impossible")]
    PayloadLength(u32),
    /// A PDU type that is not assigned.
    #[error("PDU type {0} is unknown")]
    PduType(u8),
}

/// `res.error` (RFC 2741 §6.2.16): SNMP's error codes below 256, which the manager gets to see, AgentX's own from there
/// (§7.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own names")]
pub enum ErrorCode {
    NoError,
    TooBig,
    GenErr,
    NoAccess,
    WrongType,
    WrongLength,
    WrongEncoding,
    WrongValue,
    NoCreation,
    InconsistentValue,
    ResourceUnavailable,
    CommitFailed,
    UndoFailed,
    NotWritable,
    InconsistentName,
    OpenFailed,
    NotOpen,
    IndexWrongType,
    IndexAlreadyAllocated,
    IndexNoneAvailable,
    IndexNotAllocated,
    UnsupportedContext,
    DuplicateRegistration,
    UnknownRegistration,
    UnknownAgentCaps,
    ParseError,
    RequestDenied,
    ProcessingError,
    /// A code neither RFC assigns.
    Unknown(u16),
}

/// Known codes and their numbers.
const CODES: [(u16, ErrorCode); 28] = [
    (0, ErrorCode::NoError),
    (1, ErrorCode::TooBig),
    (5, ErrorCode::GenErr),
    (6, ErrorCode::NoAccess),
    (7, ErrorCode::WrongType),
    (8, ErrorCode::WrongLength),
    (9, ErrorCode::WrongEncoding),
    (10, ErrorCode::WrongValue),
    (11, ErrorCode::NoCreation),
    (12, ErrorCode::InconsistentValue),
    (13, ErrorCode::ResourceUnavailable),
    (14, ErrorCode::CommitFailed),
    (15, ErrorCode::UndoFailed),
    (17, ErrorCode::NotWritable),
    (18, ErrorCode::InconsistentName),
    (256, ErrorCode::OpenFailed),
    (257, ErrorCode::NotOpen),
    (258, ErrorCode::IndexWrongType),
    (259, ErrorCode::IndexAlreadyAllocated),
    (260, ErrorCode::IndexNoneAvailable),
    (261, ErrorCode::IndexNotAllocated),
    (262, ErrorCode::UnsupportedContext),
    (263, ErrorCode::DuplicateRegistration),
    (264, ErrorCode::UnknownRegistration),
    (265, ErrorCode::UnknownAgentCaps),
    (266, ErrorCode::ParseError),
    (267, ErrorCode::RequestDenied),
    (268, ErrorCode::ProcessingError),
];

impl From<u16> for ErrorCode {
    fn from(number: u16) -> Self {
        CODES.iter().find(|(known, _)| *known == number).map_or(Self::Unknown(number), |&(_, code)| code)
    }
}

impl From<ErrorCode> for u16 {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Unknown(number) => number,
            known => CODES.iter().find(|(_, code)| *code == known).map_or(5, |&(number, _)| number),
        }
    }
}

impl std::fmt::Display for ErrorCode {
    /// The RFC's name in lower camel case and the number: `duplicateRegistration(263)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = format!("{self:?}");
        let name = name.split_once('(').map_or(name.as_str(), |(name, _)| name);
        let (first, rest) = name.split_at(1);
        write!(f, "{}{rest}({})", first.to_ascii_lowercase(), u16::from(*self))
    }
}

/// Why a session ends (RFC 2741 §6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// None of the others.
    Other,
    /// Too many PDUs that could not be parsed.
    ParseError,
    /// Too many protocol errors.
    ProtocolError,
    /// Too many timeouts.
    Timeouts,
    /// The sender is going away.
    Shutdown,
    /// The master, on a manager's order.
    ByManager,
    /// A number the RFC does not assign, to be treated as `Other`.
    Unknown(u8),
}

impl From<u8> for CloseReason {
    fn from(number: u8) -> Self {
        match number {
            1 => Self::Other,
            2 => Self::ParseError,
            3 => Self::ProtocolError,
            4 => Self::Timeouts,
            5 => Self::Shutdown,
            6 => Self::ByManager,
            unknown => Self::Unknown(unknown),
        }
    }
}

impl From<CloseReason> for u8 {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Other => 1,
            CloseReason::ParseError => 2,
            CloseReason::ProtocolError => 3,
            CloseReason::Timeouts => 4,
            CloseReason::Shutdown => 5,
            CloseReason::ByManager => 6,
            CloseReason::Unknown(number) => number,
        }
    }
}
