//! SETs between their phases (RFC 2741 §7.2.4), kept by session and transaction.

use std::time::Duration;

use super::Failure;
use super::snapshots::Transaction;
use crate::mib::{Change, CommitFailed, SetError, UndoFailed};
use crate::wire::ErrorCode;

/// How many SETs may be under way. net-snmp has one at a time; more than this is a master that forgets them.
const MAX_PENDING: usize = 16;

/// When a SET that nobody ended is dropped: ten times what a master waits for its slowest subagent.
const ABANDONED: Duration = Duration::from_secs(60);

/// The SETs that were tested and not yet cleaned up.
#[derive(Default)]
pub(super) struct Sets {
    pending: Vec<Pending>,
}

struct Pending {
    transaction: Transaction,
    /// The TestSet, to know its repetition from another one.
    packet: u32,
    since: Duration,
    phase: Phase,
}

enum Phase {
    Tested(Box<dyn Change>),
    Committed(Box<dyn Change>, Result<(), CommitFailed>),
    /// Released; only the outcome stays, for an UndoSet that is repeated.
    Undone(Result<(), UndoFailed>),
}

impl Sets {
    /// TestSet: keeps what `test` reserves.
    pub(super) fn test(
        &mut self,
        now: Duration,
        transaction: Transaction,
        packet: u32,
        test: impl FnOnce() -> Result<Box<dyn Change>, SetError>,
    ) -> Result<(), Failure> {
        self.pending.retain(|pending| now.saturating_sub(pending.since) < ABANDONED);
        if self.pending.iter().any(|pending| (pending.transaction, pending.packet) == (transaction, packet)) {
            return Ok(());
        }
        self.cleanup(transaction);
        if self.pending.len() >= MAX_PENDING {
            self.pending.retain(|pending| !matches!(pending.phase, Phase::Undone(_)));
        }
        if self.pending.len() >= MAX_PENDING {
            return Err(Failure { error: ErrorCode::ResourceUnavailable, index: 1 });
        }
        let change = test().map_err(|SetError { index, error }| Failure {
            error,
            index: u16::try_from(index).unwrap_or(u16::MAX),
        })?;
        self.pending.push(Pending { transaction, packet, since: now, phase: Phase::Tested(change) });
        Ok(())
    }

    /// CommitSet: commits once, and repeats the outcome when it is asked again.
    pub(super) fn commit(&mut self, transaction: Transaction) -> Result<(), Failure> {
        let failed = Failure { error: ErrorCode::CommitFailed, index: 1 };
        let pending = self.find(transaction).ok_or(failed)?;
        let phase = std::mem::replace(&mut pending.phase, Phase::Undone(Ok(())));
        pending.phase = match phase {
            Phase::Tested(mut change) => {
                let outcome = change.commit();
                Phase::Committed(change, outcome)
            }
            other => other,
        };
        match pending.phase {
            Phase::Committed(_, Ok(())) => Ok(()),
            _ => Err(failed),
        }
    }

    /// UndoSet: takes a commit back, even one that failed half way, and ends the transaction.
    pub(super) fn undo(&mut self, transaction: Transaction) -> Result<(), Failure> {
        // Of an unknown transaction nothing was committed, so nothing is left to undo.
        let Some(pending) = self.find(transaction) else {
            return Ok(());
        };
        let phase = std::mem::replace(&mut pending.phase, Phase::Undone(Ok(())));
        let outcome = match phase {
            Phase::Tested(_) => Ok(()),
            Phase::Committed(mut change, _) => change.undo(),
            Phase::Undone(outcome) => outcome,
        };
        pending.phase = Phase::Undone(outcome);
        outcome.map_err(|UndoFailed| Failure { error: ErrorCode::UndoFailed, index: 1 })
    }

    /// CleanupSet: releases everything; of an unknown transaction there is nothing.
    pub(super) fn cleanup(&mut self, transaction: Transaction) {
        self.pending.retain(|pending| pending.transaction != transaction);
    }

    fn find(&mut self, transaction: Transaction) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.transaction == transaction)
    }
}
