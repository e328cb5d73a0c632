//! Answers the master's requests from a [`Mib`] (RFC 2741 §7.2.3 and §7.2.4).
//!
//! It keeps two things between requests: the snapshot of each transaction, so that all rows of one SNMP
//! request come from the same state, and the SETs between their phases. Both are bounded, and both end with
//! the session. A request that the master repeats gets the same answer again.

mod sets;
mod snapshots;
#[cfg(test)]
mod tests;

use std::time::Duration;

use sets::Sets;
use snapshots::Snapshots;

use crate::mib::Mib;
use crate::oid::Oid;
use crate::value::{Value, VarBind};
use crate::wire::{Body, ErrorCode, GetBulk, HEADER_LEN, Header, Pdu, PduType, Response, SearchRange};

/// The largest Response that net-snmp takes; a longer one is dropped there without a word, asked for again and
/// finally costs the session.
const MAX_RESPONSE: usize = 65_536;

/// Where a GetBulk ends early (RFC 2741 §7.2.3.3 allows it): this many VarBinds…
const BULK_VARBINDS: usize = 1024;

/// …or this many bytes of them, which leaves room for one more round below [`MAX_RESPONSE`].
const BULK_BYTES: usize = MAX_RESPONSE / 2;

/// Answers requests from `mib`.
pub(crate) struct Responder<M: Mib> {
    mib: M,
    /// The only context that is served; empty for the default one.
    context: Vec<u8>,
    snapshots: Snapshots<M::Snapshot>,
    sets: Sets,
}

impl<M: Mib> Responder<M> {
    /// A responder without transactions, for one context.
    pub(crate) fn new(mib: M, context: &[u8]) -> Self {
        Self { mib, context: context.to_vec(), snapshots: Snapshots::default(), sets: Sets::default() }
    }

    /// Appends the answer to `request` to `out`; a CleanupSet has none.
    pub(crate) fn answer(&mut self, now: Duration, request: &Pdu, out: &mut Vec<u8>) {
        let response = match self.outcome(now, request) {
            Ok(None) => return,
            Ok(Some(varbinds)) => success(varbinds),
            Err(Failure { error, index }) => failure(error, index),
        };
        let start = out.len();
        respond(&request.header, response, out);
        if out.len() - start > MAX_RESPONSE {
            out.truncate(start);
            respond(&request.header, failure(ErrorCode::TooBig, 0), out);
        }
    }

    /// The session is gone, and its transactions with it (RFC 2741 §7.1.9).
    pub(crate) fn forget(&mut self) {
        self.snapshots = Snapshots::default();
        self.sets = Sets::default();
    }

    fn outcome(&mut self, now: Duration, request: &Pdu) -> Result<Option<Vec<VarBind>>, Failure> {
        let transaction = (request.header.session_id, request.header.transaction_id);
        // The phases of a SET have no context of their own (RFC 2741 §6.1.1): their transaction has.
        let bare = matches!(request.body, Body::CommitSet | Body::UndoSet | Body::CleanupSet);
        if request.context.as_deref().unwrap_or_default() != self.context
            && !(bare && request.context.is_none())
        {
            // RFC 2741 §6.1.1: nothing else is served. A CleanupSet has no answer at all.
            return match request.body {
                Body::CleanupSet => Ok(None),
                _ => Err(Failure { error: ErrorCode::UnsupportedContext, index: 0 }),
            };
        }
        let snapshot = || self.mib.snapshot();
        match &request.body {
            Body::Get(ranges) => {
                let snapshot = self.snapshots.of(now, transaction, snapshot);
                Ok(Some(ranges.iter().map(|range| self.value(&snapshot, range)).collect()))
            }
            Body::GetNext(ranges) => {
                let snapshot = self.snapshots.of(now, transaction, snapshot);
                Ok(Some(ranges.iter().map(|range| self.next(&snapshot, range)).collect()))
            }
            Body::GetBulk(bulk) => {
                let snapshot = self.snapshots.of(now, transaction, snapshot);
                Ok(Some(self.bulk(&snapshot, bulk)))
            }
            Body::TestSet(varbinds) => {
                let packet = request.header.packet_id;
                let snapshot = self.snapshots.of(now, transaction, snapshot);
                self.sets.test(now, transaction, packet, || self.mib.test_set(&snapshot, varbinds))?;
                Ok(Some(Vec::new()))
            }
            Body::CommitSet => self.sets.commit(transaction).map(|()| Some(Vec::new())),
            Body::UndoSet => self.sets.undo(transaction).map(|()| Some(Vec::new())),
            Body::CleanupSet => {
                self.sets.cleanup(transaction);
                Ok(None)
            }
            _ => Err(Failure { error: ErrorCode::ProcessingError, index: 0 }),
        }
    }

    /// RFC 2741 §7.2.3.1: the name of the answer is the one asked for.
    fn value(&self, snapshot: &M::Snapshot, range: &SearchRange) -> VarBind {
        let value = match self.mib.value(snapshot, &range.start) {
            // Of the exceptions, this one belongs to GetNext.
            Value::EndOfMibView => Value::NoSuchInstance,
            value => value,
        };
        VarBind::new(range.start.clone(), value)
    }

    /// RFC 2741 §7.2.3.2; an answer out of range would be an error of ours (§7.2.5).
    fn next(&self, snapshot: &M::Snapshot, range: &SearchRange) -> VarBind {
        let SearchRange { start, include, end } = range;
        let end = (!end.is_null()).then_some(end);
        // The master passes a name that is too small on to the manager, whose walk then never ends.
        let in_range = |found: &VarBind| {
            let follows = if *include { found.name >= *start } else { found.name > *start };
            follows && end.is_none_or(|end| found.name < *end) && !found.value.is_exception()
        };
        let found = self.mib.next(snapshot, start, *include, end);
        debug_assert!(found.as_ref().is_none_or(in_range), "{found:?} is no answer to {range:?}");
        found.filter(in_range).unwrap_or_else(|| VarBind::new(start.clone(), Value::EndOfMibView))
    }

    /// RFC 2741 §7.2.3.3: the first ranges once, the others row by row.
    fn bulk(&self, snapshot: &M::Snapshot, bulk: &GetBulk) -> Vec<VarBind> {
        let once = usize::from(bulk.non_repeaters).min(bulk.ranges.len());
        let (non_repeaters, repeaters) = bulk.ranges.split_at(once);
        let mut answers: Vec<VarBind> =
            non_repeaters.iter().map(|range| self.next(snapshot, range)).collect();
        let mut bytes: usize = answers.iter().map(encoded_len).sum();
        let mut ranges = repeaters.to_vec();
        for _ in 0..bulk.max_repetitions {
            let mut ended = true;
            for range in &mut ranges {
                let answer = self.next(snapshot, range);
                ended &= answer.value == Value::EndOfMibView;
                range.start = answer.name.clone();
                range.include &= answer.value == Value::EndOfMibView;
                bytes += encoded_len(&answer);
                answers.push(answer);
            }
            if ended || answers.len() >= BULK_VARBINDS || bytes >= BULK_BYTES {
                break;
            }
        }
        answers
    }
}

/// Why a request as a whole gets an error instead of VarBinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failure {
    error: ErrorCode,
    index: u16,
}

fn success(varbinds: Vec<VarBind>) -> Response {
    Response { sys_up_time: 0, error: ErrorCode::NoError, index: 0, varbinds }
}

fn failure(error: ErrorCode, index: u16) -> Response {
    Response { sys_up_time: 0, error, index, varbinds: Vec::new() }
}

/// Appends a Response that copies the session, transaction and packet of `request` (RFC 2741 §6.2.16, §7.2.2).
fn respond(request: &Header, response: Response, out: &mut Vec<u8>) {
    let header = Header {
        session_id: request.session_id,
        transaction_id: request.transaction_id,
        packet_id: request.packet_id,
        ..Header::new(PduType::Response, request.order)
    };
    Pdu { header, context: None, body: Body::Response(response) }.write(out);
}

/// Appends a Response without VarBinds that says what is wrong with `request` as such.
pub(crate) fn refuse(request: &Header, error: ErrorCode, out: &mut Vec<u8>) {
    out.reserve(HEADER_LEN + 8);
    respond(request, failure(error, 0), out);
}

/// At most how many bytes a VarBind takes on the wire.
fn encoded_len(varbind: &VarBind) -> usize {
    let oid = |oid: &Oid| 4 + 4 * oid.subids().len();
    let value = match &varbind.value {
        Value::OctetString(bytes) | Value::Opaque(bytes) => 4 + bytes.len().next_multiple_of(4),
        Value::ObjectIdentifier(id) => oid(id),
        _ => 8,
    };
    4 + oid(&varbind.name) + value
}
