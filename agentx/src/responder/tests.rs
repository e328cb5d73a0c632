mod clauses;

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::mib::{Change, CommitFailed, SetError, UndoFailed};
use crate::wire::{ByteOrder, SearchRange};

/// Variables 1.1, 1.2, … 1.9, whose values tell which snapshot they come from, and 1.2 can be set.
#[derive(Default)]
struct Nine {
    snapshots: AtomicI32,
    log: Arc<Mutex<Vec<&'static str>>>,
    commit_fails: bool,
    size: AtomicU32,
}

struct Logged {
    log: Arc<Mutex<Vec<&'static str>>>,
    fails: bool,
}

impl Change for Logged {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        self.log.lock().unwrap().push("commit");
        if self.fails { Err(CommitFailed) } else { Ok(()) }
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        self.log.lock().unwrap().push("undo");
        Ok(())
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.log.lock().unwrap().push("cleanup");
    }
}

impl Mib for Nine {
    type Snapshot = i32;

    fn snapshot(&self) -> Arc<i32> {
        Arc::new(self.snapshots.fetch_add(1, Ordering::Relaxed))
    }

    fn value(&self, snapshot: &i32, oid: &Oid) -> Value {
        match *oid.subids() {
            [1, 1..=9] => Value::Integer(*snapshot),
            [1, ..] => Value::NoSuchInstance,
            _ => Value::NoSuchObject,
        }
    }

    fn next(&self, snapshot: &i32, after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let all = (1..=9).map(|n| Oid::from([1, n]));
        let name = all.into_iter().find(|name| name > after || include && name == after)?;
        let big = self.size.load(Ordering::Relaxed) as usize;
        let value = if big > 0 { Value::OctetString(vec![b'x'; big]) } else { Value::Integer(*snapshot) };
        end.is_none_or(|end| name < *end).then(|| VarBind::new(name, value))
    }

    fn test_set(&self, _: &i32, varbinds: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        self.log.lock().unwrap().push("test");
        match varbinds.iter().position(|varbind| varbind.name != Oid::from([1, 2])) {
            Some(place) => Err(SetError { index: place + 1, error: ErrorCode::NotWritable }),
            None => Ok(Box::new(Logged { log: Arc::clone(&self.log), fails: self.commit_fails })),
        }
    }
}

/// Asks as packet `packet` of transaction `transaction`; `None` if nothing is answered.
fn ask(responder: &mut Responder<Nine>, [transaction, packet]: [u32; 2], body: Body) -> Option<Response> {
    ask_at(Duration::ZERO, responder, [transaction, packet], body)
}

fn ask_at(now: Duration, responder: &mut Responder<Nine>, ids: [u32; 2], body: Body) -> Option<Response> {
    let [transaction_id, packet_id] = ids;
    let header =
        Header { session_id: 7, transaction_id, packet_id, ..Header::new(body.kind(), ByteOrder::Little) };
    let mut out = Vec::new();
    responder.answer(now, &Pdu { header: header.clone(), context: None, body }, &mut out);
    if out.is_empty() {
        return None;
    }
    let answer = Pdu::read(&out).unwrap();
    assert_eq!(answer.header, Header { kind: PduType::Response, ..header }, "RFC 2741 §7.2.2");
    match answer.body {
        Body::Response(response) => Some(response),
        other => panic!("{other:?}"),
    }
}

fn range(start: [u32; 2], include: bool, end: &[u32]) -> SearchRange {
    SearchRange { start: start.into(), include, end: Oid::try_from(end).unwrap() }
}

fn integer(name: [u32; 2], value: i32) -> VarBind {
    VarBind::new(name.into(), Value::Integer(value))
}

fn end(name: [u32; 2]) -> VarBind {
    VarBind::new(name.into(), Value::EndOfMibView)
}

fn error(error: ErrorCode, index: u16) -> Option<Response> {
    Some(failure(error, index))
}

fn done() -> Option<Response> {
    Some(success(Vec::new()))
}

#[test]
fn get_answers_each_name_with_itself() {
    let mut responder = Responder::new(Nine::default(), b"");
    let ranges = vec![range([1, 1], false, &[]), range([1, 10], false, &[9]), range([2, 1], true, &[])];
    let answers = vec![
        integer([1, 1], 0),
        VarBind::new(Oid::from([1, 10]), Value::NoSuchInstance),
        VarBind::new(Oid::from([2, 1]), Value::NoSuchObject),
    ];
    assert_eq!(ask(&mut responder, [1, 1], Body::Get(ranges)), Some(success(answers)));
}

#[test]
fn get_next_honours_include_and_end() {
    let mut responder = Responder::new(Nine::default(), b"");
    let ranges = vec![
        range([1, 1], false, &[]),
        range([1, 1], true, &[]),
        range([1, 1], false, &[1, 2]),
        range([1, 9], false, &[]),
    ];
    let answers = vec![integer([1, 2], 0), integer([1, 1], 0), end([1, 1]), end([1, 9])];
    assert_eq!(ask(&mut responder, [1, 1], Body::GetNext(ranges)), Some(success(answers)));
}

#[test]
fn get_bulk_is_row_by_row_and_names_its_ends() {
    let mut responder = Responder::new(Nine::default(), b"");
    let bulk = GetBulk {
        non_repeaters: 1,
        max_repetitions: 3,
        ranges: vec![range([1, 4], false, &[]), range([1, 1], true, &[]), range([1, 8], false, &[])],
    };
    let answers = vec![
        integer([1, 5], 0),
        integer([1, 1], 0),
        integer([1, 9], 0),
        integer([1, 2], 0),
        end([1, 9]),
        integer([1, 3], 0),
        end([1, 9]),
    ];
    assert_eq!(ask(&mut responder, [1, 1], Body::GetBulk(bulk)), Some(success(answers)));
    let all_once = GetBulk { non_repeaters: 9, max_repetitions: 9, ranges: vec![range([1, 9], false, &[])] };
    assert_eq!(ask(&mut responder, [1, 2], Body::GetBulk(all_once)), Some(success(vec![end([1, 9])])));
    let at_the_end =
        GetBulk { non_repeaters: 0, max_repetitions: 9, ranges: vec![range([1, 8], false, &[])] };
    let answers = vec![integer([1, 9], 0), end([1, 9])];
    assert_eq!(
        ask(&mut responder, [1, 3], Body::GetBulk(at_the_end)),
        Some(success(answers)),
        "no need to go on"
    );
}

#[test]
fn a_transaction_has_one_snapshot_and_a_repetition_the_same_answer() {
    let mut responder = Responder::new(Nine::default(), b"");
    let get = || Body::Get(vec![range([1, 1], false, &[])]);
    let answer = |snapshot| Some(success(vec![integer([1, 1], snapshot)]));
    assert_eq!(ask(&mut responder, [1, 1], get()), answer(0));
    assert_eq!(ask(&mut responder, [2, 2], get()), answer(1));
    assert_eq!(ask(&mut responder, [1, 3], get()), answer(0));
    assert_eq!(ask(&mut responder, [1, 3], get()), answer(0));
    let later = Duration::from_secs(6);
    assert_eq!(ask_at(later, &mut responder, [1, 4], get()), answer(2), "an old number used anew");
    responder.forget();
    assert_eq!(ask_at(later, &mut responder, [1, 5], get()), answer(3));
}

#[test]
fn too_big_an_answer_is_said_to_be() {
    let mut responder = Responder::new(Nine::default(), b"");
    responder.mib.size.store(40_000, Ordering::Relaxed);
    let twice = vec![range([1, 1], false, &[]), range([1, 1], false, &[])];
    assert_eq!(ask(&mut responder, [1, 1], Body::GetNext(twice)), error(ErrorCode::TooBig, 0));
    let bulk = GetBulk { non_repeaters: 0, max_repetitions: 9, ranges: vec![range([1, 1], false, &[])] };
    let answer = ask(&mut responder, [1, 2], Body::GetBulk(bulk)).unwrap();
    assert_eq!((answer.error, answer.varbinds.len()), (ErrorCode::NoError, 1), "a bulk ends early instead");
}

#[test]
fn of_a_context_of_its_own_nothing_is_served_in_another_one() {
    let mut responder = Responder::new(Nine::default(), b"blue");
    let mut error_of = |context: Option<&[u8]>, body: Body| {
        let header = Header { session_id: 3, ..Header::new(body.kind(), ByteOrder::Network) };
        let mut out = Vec::new();
        let context = context.map(<[u8]>::to_vec);
        responder.answer(Duration::ZERO, &Pdu { header, context, body }, &mut out);
        let answer = Pdu::read(&out).unwrap();
        assert_eq!(answer.context, None, "RFC 2741 §6.1.1: a Response has none");
        let Body::Response(response) = answer.body else { panic!("no Response") };
        response.error
    };
    let set = || Body::TestSet(vec![VarBind::new(Oid::from([1, 2]), Value::Integer(1))]);
    assert_eq!(error_of(Some(b"blue"), Body::Get(Vec::new())), ErrorCode::NoError);
    for other in [None, Some(&b""[..]), Some(b"red"), Some(b"blu")] {
        assert_eq!(error_of(other, Body::Get(Vec::new())), ErrorCode::UnsupportedContext, "{other:?}");
        assert_eq!(error_of(other, set()), ErrorCode::UnsupportedContext, "{other:?}");
    }
    // What follows a TestSet has no context.
    assert_eq!(error_of(Some(b"blue"), set()), ErrorCode::NoError);
    assert_eq!(error_of(None, Body::CommitSet), ErrorCode::NoError);
    assert_eq!(error_of(None, Body::UndoSet), ErrorCode::NoError);
}

#[test]
fn a_named_context_is_not_served_and_an_empty_one_is_the_default() {
    let mut responder = Responder::new(Nine::default(), b"");
    let mut error_of = |context: &[u8], body: Body| {
        let header = Header::new(body.kind(), ByteOrder::Network);
        let mut out = Vec::new();
        let request = Pdu { header, context: Some(context.to_vec()), body };
        responder.answer(Duration::ZERO, &request, &mut out);
        Pdu::read(&out).ok().and_then(|answer| match answer.body {
            Body::Response(response) => Some(response.error),
            _ => None,
        })
    };
    let get = || Body::Get(vec![range([1, 1], false, &[])]);
    assert_eq!(error_of(b"blue", get()), Some(ErrorCode::UnsupportedContext));
    assert_eq!(error_of(b"", get()), Some(ErrorCode::NoError));
    assert_eq!(error_of(b"blue", Body::CleanupSet), None);
}

fn set() -> Body {
    Body::TestSet(vec![integer([1, 2], 5)])
}

fn log(responder: &Responder<Nine>) -> Vec<&'static str> {
    responder.mib.log.lock().unwrap().clone()
}

#[test]
fn a_set_is_tested_committed_and_cleaned_up_once_however_often_it_is_asked() {
    let mut responder = Responder::new(Nine::default(), b"");
    for _ in 0..2 {
        assert_eq!(ask(&mut responder, [1, 1], set()), done());
    }
    for _ in 0..2 {
        assert_eq!(ask(&mut responder, [1, 2], Body::CommitSet), done());
    }
    for _ in 0..2 {
        assert_eq!(ask(&mut responder, [1, 3], Body::CleanupSet), None, "never answered");
    }
    assert_eq!(log(&responder), ["test", "commit", "cleanup"]);
}

#[test]
fn a_refused_test_names_its_varbind_and_reserves_nothing() {
    let mut responder = Responder::new(Nine::default(), b"");
    let varbinds = vec![integer([1, 2], 5), integer([1, 3], 5)];
    assert_eq!(ask(&mut responder, [1, 1], Body::TestSet(varbinds)), error(ErrorCode::NotWritable, 2));
    assert_eq!(ask(&mut responder, [1, 2], Body::CommitSet), error(ErrorCode::CommitFailed, 1));
    assert_eq!(log(&responder), ["test"]);
}

#[test]
fn undo_takes_back_and_ends_the_transaction() {
    let mut responder = Responder::new(Nine::default(), b"");
    assert_eq!(ask(&mut responder, [1, 1], set()), done());
    assert_eq!(ask(&mut responder, [1, 2], Body::CommitSet), done());
    for _ in 0..2 {
        assert_eq!(ask(&mut responder, [1, 3], Body::UndoSet), done());
    }
    assert_eq!(log(&responder), ["test", "commit", "undo", "cleanup"]);
    assert_eq!(ask(&mut responder, [1, 4], Body::CommitSet), error(ErrorCode::CommitFailed, 1));
}

#[test]
fn a_failed_commit_says_so_again_and_is_undone() {
    let mut responder = Responder::new(Nine { commit_fails: true, ..Nine::default() }, b"");
    assert_eq!(ask(&mut responder, [1, 1], set()), done());
    for _ in 0..2 {
        assert_eq!(ask(&mut responder, [1, 2], Body::CommitSet), error(ErrorCode::CommitFailed, 1));
    }
    assert_eq!(ask(&mut responder, [1, 3], Body::UndoSet), done());
    assert_eq!(log(&responder), ["test", "commit", "undo", "cleanup"]);
}

#[test]
fn two_transactions_do_not_meet_and_the_session_s_end_releases_both() {
    let mut responder = Responder::new(Nine::default(), b"");
    assert_eq!(ask(&mut responder, [1, 1], set()), done());
    assert_eq!(ask(&mut responder, [2, 2], set()), done());
    assert_eq!(ask(&mut responder, [1, 3], Body::CommitSet), done());
    responder.forget();
    assert_eq!(log(&responder), ["test", "test", "commit", "cleanup", "cleanup"]);
    assert_eq!(ask(&mut responder, [2, 4], Body::CommitSet), error(ErrorCode::CommitFailed, 1));
}

#[test]
fn a_master_that_forgets_its_sets_runs_into_a_limit_that_time_lifts() {
    let mut responder = Responder::new(Nine::default(), b"");
    for transaction in 0..16 {
        assert_eq!(ask(&mut responder, [transaction, 1], set()), done());
    }
    assert_eq!(ask(&mut responder, [16, 1], set()), error(ErrorCode::ResourceUnavailable, 1));
    assert_eq!(ask_at(Duration::from_secs(60), &mut responder, [16, 2], set()), done());
}

#[test]
fn another_test_of_the_same_transaction_replaces_the_first() {
    let mut responder = Responder::new(Nine::default(), b"");
    assert_eq!(ask(&mut responder, [1, 1], set()), done());
    assert_eq!(ask(&mut responder, [1, 2], set()), done());
    assert_eq!(ask(&mut responder, [1, 3], Body::CommitSet), done());
    assert_eq!(log(&responder), ["test", "cleanup", "test", "commit"]);
}
