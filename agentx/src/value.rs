//! Values and the names they are bound to (RFC 2741 §5.4).

use crate::oid::Oid;

/// A value of SNMP's types, or one of the three exceptions that stand for a missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A signed 32-bit number; also enumerations and truth values.
    Integer(i32),
    /// Bytes, which are text only if the object's syntax says so.
    OctetString(Vec<u8>),
    /// No value.
    Null,
    /// The name of another object.
    ObjectIdentifier(Oid),
    /// An IPv4 address, first byte first.
    IpAddress([u8; 4]),
    /// A counter that wraps at 2^32.
    Counter32(u32),
    /// An unsigned 32-bit number; `Unsigned32` has the same type on the wire.
    Gauge32(u32),
    /// Hundredths of a second.
    TimeTicks(u32),
    /// Bytes of another encoding.
    Opaque(Vec<u8>),
    /// A counter that wraps at 2^64. The master hides it from SNMPv1 managers (RFC 2741 §7.2.6).
    Counter64(u64),
    /// Get: no object of that name here.
    NoSuchObject,
    /// Get: the object exists, this instance of it does not.
    NoSuchInstance,
    /// GetNext: nothing follows.
    EndOfMibView,
}

impl Value {
    /// Text as an octet string.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::OctetString(text.as_ref().as_bytes().to_vec())
    }

    /// Whether this is one of the three exceptions and not a value.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView)
    }
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarBind {
    /// The instance's full name.
    pub name: Oid,
    /// Its value.
    pub value: Value,
}

impl VarBind {
    /// Binds `value` to `name`.
    #[must_use]
    pub fn new(name: Oid, value: Value) -> Self {
        Self { name, value }
    }
}
