//! The declaration of objects: everything that a MIB file says about them, and where their values come from.

use crate::mib::Change;
use crate::oid::Oid;
use crate::value::Value;
use crate::wire::ErrorCode;

/// An object's SYNTAX, as far as it decides the type on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// INTEGER without names.
    Integer32,
    /// INTEGER with named values, as name and number.
    Enum(&'static [(&'static str, i32)]),
    /// Unsigned32.
    Unsigned32,
    /// Gauge32.
    Gauge32,
    /// Counter32.
    Counter32,
    /// Counter64.
    Counter64,
    /// TimeTicks.
    TimeTicks,
    /// An OCTET STRING of text.
    DisplayString,
    /// An OCTET STRING of bytes.
    OctetString,
    /// IpAddress.
    IpAddress,
    /// OBJECT IDENTIFIER.
    ObjectIdentifier,
    /// BITS: an OCTET STRING of flags.
    Bits(&'static [(&'static str, u32)]),
}

impl Syntax {
    /// Whether `value` travels as this syntax wants.
    #[must_use]
    pub fn admits(self, value: &Value) -> bool {
        match self {
            Self::Integer32 => matches!(value, Value::Integer(_)),
            Self::Enum(names) => {
                matches!(value, Value::Integer(number) if names.iter().any(|(_, n)| n == number))
            }
            Self::Unsigned32 | Self::Gauge32 => matches!(value, Value::Gauge32(_)),
            Self::Counter32 => matches!(value, Value::Counter32(_)),
            Self::Counter64 => matches!(value, Value::Counter64(_)),
            Self::TimeTicks => matches!(value, Value::TimeTicks(_)),
            Self::DisplayString | Self::OctetString | Self::Bits(_) => matches!(value, Value::OctetString(_)),
            Self::IpAddress => matches!(value, Value::IpAddress(_)),
            Self::ObjectIdentifier => matches!(value, Value::ObjectIdentifier(_)),
        }
    }
}

/// An object's MAX-ACCESS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// An index column, or an object that only notifications carry: never served.
    NotAccessible,
    /// Only notifications carry it: never served.
    AccessibleForNotify,
    /// Get.
    ReadOnly,
    /// Get and Set.
    ReadWrite,
    /// Get and Set, and rows come and go by Set.
    ReadCreate,
}

impl Access {
    /// Whether Get and GetNext show it.
    #[must_use]
    pub fn is_readable(self) -> bool {
        matches!(self, Self::ReadOnly | Self::ReadWrite | Self::ReadCreate)
    }
}

/// How a cell is set: checks the value, reserves what is needed and returns the [`Change`] to commit.
pub type Write<S, R> = fn(&S, &R, &Value) -> Result<Box<dyn Change>, ErrorCode>;

/// A single variable, whose one instance is `oid`.0.
pub struct Scalar<S: 'static> {
    /// Without the final 0.
    pub oid: &'static [u32],
    /// Its descriptor in the MIB.
    pub name: &'static str,
    /// Its SYNTAX.
    pub syntax: Syntax,
    /// Its MAX-ACCESS.
    pub access: Access,
    /// Its value; `None` when it has none just now.
    pub read: fn(&S) -> Option<Value>,
    /// How to set it; `None` if not at all.
    pub write: Option<Write<S, ()>>,
}

impl<S> Scalar<S> {
    /// A read-only scalar.
    #[must_use]
    pub const fn new(
        oid: &'static [u32],
        name: &'static str,
        syntax: Syntax,
        read: fn(&S) -> Option<Value>,
    ) -> Self {
        Self { oid, name, syntax, access: Access::ReadOnly, read, write: None }
    }
}

/// One column of a table.
pub struct Column<S: 'static, R: 'static> {
    /// Its number below the entry.
    pub number: u32,
    /// Its descriptor in the MIB.
    pub name: &'static str,
    /// Its SYNTAX.
    pub syntax: Syntax,
    /// Its MAX-ACCESS.
    pub access: Access,
    /// A row's value in this column; `None` when the row has no such cell.
    pub read: fn(&S, &R) -> Option<Value>,
    /// How to set a cell; `None` if not at all.
    pub write: Option<Write<S, R>>,
    /// Which rows have such a cell never changes within a snapshot, whatever becomes of the values. The rows without
    /// it are then passed over once for each snapshot and not once for each request.
    pub is_fixed: bool,
}

impl<S, R> Column<S, R> {
    /// A read-only column.
    #[must_use]
    pub const fn new(
        number: u32,
        name: &'static str,
        syntax: Syntax,
        read: fn(&S, &R) -> Option<Value>,
    ) -> Self {
        Self { number, name, syntax, access: Access::ReadOnly, read, write: None, is_fixed: false }
    }

    /// A read-only column that is [fixed](Column::is_fixed).
    #[must_use]
    pub const fn fixed(
        number: u32,
        name: &'static str,
        syntax: Syntax,
        read: fn(&S, &R) -> Option<Value>,
    ) -> Self {
        Self { number, name, syntax, access: Access::ReadOnly, read, write: None, is_fixed: true }
    }

    /// A column that no request shows: an index, or an object for notifications alone.
    #[must_use]
    pub const fn hidden(number: u32, name: &'static str, syntax: Syntax, access: Access) -> Self {
        Self { number, name, syntax, access, read: |_, _| None, write: None, is_fixed: false }
    }

    /// A column that can be set.
    #[must_use]
    pub const fn writable(
        number: u32,
        name: &'static str,
        syntax: Syntax,
        read: fn(&S, &R) -> Option<Value>,
        write: Write<S, R>,
    ) -> Self {
        Self { number, name, syntax, access: Access::ReadWrite, read, write: Some(write), is_fixed: false }
    }
}

/// An INDEX object of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The descriptor of the index object.
    pub name: &'static str,
    /// Its SYNTAX.
    pub syntax: Syntax,
    /// Whether IMPLIED stands before it in the INDEX clause.
    pub implied: bool,
}

/// A table: rows that a snapshot `S` can seek, and handles `R` to them (a position, an `Arc`: cheap to make).
pub struct Table<S: 'static, R: 'static> {
    /// The OID of the entry, `…Table.1`.
    pub entry: &'static [u32],
    /// The entry's descriptor in the MIB.
    pub name: &'static str,
    /// The INDEX clause.
    pub index: &'static [Index],
    /// The columns in ascending order of their numbers.
    pub columns: &'static [Column<S, R>],
    /// The first row whose index sub-identifiers come after the given ones (or are equal, with `true`), and
    /// those of that row. [`seek_sorted`](crate::seek_sorted) does it for a sorted slice.
    pub seek: Seek<S, R>,
}

/// See [`Table::seek`].
pub type Seek<S, R> = fn(&S, &[u32], bool) -> Option<(Vec<u32>, R)>;

/// What a view says of one scalar or column, for a test that holds it against the MIB file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The scalar's or column's OID, without instance.
    pub oid: Oid,
    /// Its descriptor.
    pub name: &'static str,
    /// Its SYNTAX.
    pub syntax: Syntax,
    /// Its MAX-ACCESS.
    pub access: Access,
    /// The INDEX clause of its table; `None` for a scalar.
    pub index: Option<&'static [Index]>,
}
