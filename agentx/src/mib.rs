//! What a subagent serves: the [`Mib`] trait, between the protocol and whoever holds the data.
//!
//! The protocol asks for one snapshot per SNMP request (all PDUs of a transaction share it) and then looks
//! names up in it, so every row of a GetBulk comes from the same state. Most users declare a
//! [`View`](crate::View) and never implement this trait.

use std::sync::Arc;

use crate::oid::Oid;
use crate::value::{Value, VarBind};
use crate::wire::ErrorCode;

/// A collection of variables in the order of their names.
///
/// Every method answers from memory: the master waits one second for an answer, and a SET that is pending
/// holds up every other request it has.
pub trait Mib: Send + 'static {
    /// The state that one SNMP request is answered from.
    type Snapshot: Send + Sync + 'static;

    /// The state of now.
    fn snapshot(&self) -> Arc<Self::Snapshot>;

    /// The value of exactly `oid`, else [`Value::NoSuchObject`] or [`Value::NoSuchInstance`].
    fn value(&self, snapshot: &Self::Snapshot, oid: &Oid) -> Value;

    /// The first variable after `after` (or at it, with `include`) and before `end`, with a value that is no
    /// exception; `None` when there is none.
    fn next(
        &self,
        snapshot: &Self::Snapshot,
        after: &Oid,
        include: bool,
        end: Option<&Oid>,
    ) -> Option<VarBind>;

    /// Phase one of a SET (RFC 2741 §7.2.4.1): checks every VarBind, reserves what the change needs and
    /// changes nothing yet. The returned [`Change`] is committed, perhaps undone, and dropped at the end of
    /// the transaction, which releases what was reserved.
    ///
    /// # Errors
    /// The first VarBind that cannot be set and why. Without an implementation: the first, `notWritable`.
    fn test_set(
        &self,
        _snapshot: &Self::Snapshot,
        _varbinds: &[VarBind],
    ) -> Result<Box<dyn Change>, SetError> {
        Err(SetError { index: 1, error: ErrorCode::NotWritable })
    }
}

/// A tested SET that waits for its commit. Dropping it is the CleanupSet.
///
/// The protocol calls each method at most once, however often the master repeats itself.
pub trait Change: Send {
    /// Phase two: makes the change.
    ///
    /// # Errors
    /// [`CommitFailed`]; the master then undoes what others committed.
    fn commit(&mut self) -> Result<(), CommitFailed>;

    /// Puts back what [`Change::commit`] changed, also as much of it as it changed before it failed.
    ///
    /// # Errors
    /// [`UndoFailed`], which the manager gets to see.
    fn undo(&mut self) -> Result<(), UndoFailed>;
}

/// The change could not be made after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SET could not be committed")]
pub struct CommitFailed;

/// The change was made and cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SET could not be undone")]
pub struct UndoFailed;

/// Which VarBind of a SET is refused and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("VarBind {index} of the SET: {error}")]
pub struct SetError {
    /// Its place, counted from 1.
    pub index: usize,
    /// `noAccess`, `wrongType`, `wrongLength`, `wrongEncoding`, `wrongValue`, `noCreation`,
    /// `inconsistentValue`, `resourceUnavailable`, `notWritable`, `inconsistentName` or `genErr`.
    pub error: ErrorCode,
}
