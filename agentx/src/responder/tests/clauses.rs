//! What RFC 2741 demands of answers, for any request and for a MIB that does what it should not.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The names of the nine variables, those between them, before and behind.
fn names() -> impl Strategy<Value = Oid> {
    prop_oneof![
        (0..3_u32, 0..12_u32).prop_map(|(first, second)| Oid::from([first, second])),
        Just(Oid::from([1]))
    ]
}

fn ranges() -> impl Strategy<Value = Vec<SearchRange>> {
    let end = prop_oneof![Just(Oid::null()), names()];
    vec(
        (names(), any::<bool>(), end).prop_map(|(start, include, end)| SearchRange { start, include, end }),
        0..8,
    )
}

/// Whether this is what a GetNext of that range may be answered with.
fn is_in(range: &SearchRange, answer: &VarBind) -> bool {
    let follows = answer.name > range.start || range.include && answer.name == range.start;
    let ends = range.end.is_null() || answer.name < range.end;
    match answer.value {
        Value::EndOfMibView => answer.name == range.start,
        _ => follows && ends && !answer.value.is_exception(),
    }
}

proptest! {
    #[test]
    fn any_ranges_get_one_answer_each_and_in_their_order(ranges in ranges()) {
        let mut responder = Responder::new(Nine::default(), b"");
        let got = ask(&mut responder, [1, 1], Body::Get(ranges.clone())).unwrap();
        prop_assert_eq!(got.varbinds.len(), ranges.len());
        for (range, answer) in ranges.iter().zip(&got.varbinds) {
            prop_assert_eq!(&answer.name, &range.start);
            prop_assert!(answer.value != Value::EndOfMibView);
        }
        let next = ask(&mut responder, [1, 2], Body::GetNext(ranges.clone())).unwrap();
        prop_assert_eq!(next.varbinds.len(), ranges.len());
        for (range, answer) in ranges.iter().zip(&next.varbinds) {
            prop_assert!(is_in(range, answer), "{:?} for {:?}", answer, range);
        }
        prop_assert_eq!((got.error, next.error), (ErrorCode::NoError, ErrorCode::NoError));
    }

    /// Row by row, each repetition where the one before it ended.
    #[test]
    fn a_bulk_is_its_get_nexts_one_after_the_other(ranges in ranges(), once in 0..10_u16, times in 0..6_u16) {
        let mut responder = Responder::new(Nine::default(), b"");
        let bulk = GetBulk { non_repeaters: once, max_repetitions: times, ranges: ranges.clone() };
        let bulk = ask(&mut responder, [1, 1], Body::GetBulk(bulk)).unwrap().varbinds;
        let mut next = |ranges: Vec<SearchRange>| ask(&mut responder, [1, 2], Body::GetNext(ranges)).unwrap().varbinds;
        let (once, repeated) = ranges.split_at(usize::from(once).min(ranges.len()));
        let mut expected = next(once.to_vec());
        let mut round = repeated.to_vec();
        for _ in 0..times {
            let answers = next(round.clone());
            for (range, answer) in round.iter_mut().zip(&answers) {
                range.start = answer.name.clone();
                range.include &= answer.value == Value::EndOfMibView;
            }
            expected.extend(answers);
        }
        // It may end early, after a whole round and when there is nothing left.
        let rest = &expected[bulk.len()..];
        prop_assert_eq!(&bulk[..], &expected[..bulk.len()]);
        prop_assert!(rest.iter().all(|answer| answer.value == Value::EndOfMibView));
    }
}

#[test]
fn a_bulk_ends_after_the_round_that_makes_it_large() {
    let mut responder = Responder::new(Nine::default(), b"");
    // Ranges that never end: each finds the first variable again.
    let count = 600;
    let ranges = vec![range([0, 1], false, &[]); count];
    let bulk = GetBulk { non_repeaters: 0, max_repetitions: 9, ranges };
    let answer = ask(&mut responder, [1, 1], Body::GetBulk(bulk)).unwrap();
    assert_eq!((answer.error, answer.varbinds.len()), (ErrorCode::NoError, 2 * count), "above 1024");
}

/// A MIB that has the same value for every name.
struct Stubborn(Value);

impl Mib for Stubborn {
    type Snapshot = ();

    fn snapshot(&self) -> Arc<()> {
        Arc::new(())
    }

    fn value(&self, (): &(), _: &Oid) -> Value {
        self.0.clone()
    }

    fn next(&self, (): &(), _: &Oid, _: bool, _: Option<&Oid>) -> Option<VarBind> {
        None
    }

    fn test_set(&self, (): &(), varbinds: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        assert!(!varbinds.is_empty(), "nothing to test");
        Ok(Box::new(Lasting))
    }
}

/// What cannot be taken back.
struct Lasting;

impl Change for Lasting {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        Err(UndoFailed)
    }
}

fn ask_stubborn(responder: &mut Responder<Stubborn>, packet_id: u32, body: Body) -> Response {
    let header = Header { packet_id, ..Header::new(body.kind(), ByteOrder::Network) };
    let mut out = Vec::new();
    responder.answer(Duration::ZERO, &Pdu { header, context: None, body }, &mut out);
    match Pdu::read(&out).unwrap().body {
        Body::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_end_of_the_view_is_no_answer_to_a_get() {
    let mut responder = Responder::new(Stubborn(Value::EndOfMibView), b"");
    let answer = ask_stubborn(&mut responder, 1, Body::Get(vec![range([1, 1], false, &[])]));
    assert_eq!(answer.varbinds, [VarBind::new(Oid::from([1, 1]), Value::NoSuchInstance)]);
    let answer = ask_stubborn(&mut responder, 2, Body::GetNext(vec![range([1, 1], false, &[])]));
    assert_eq!(answer.varbinds, [end([1, 1])]);
}

#[test]
fn what_cannot_be_undone_is_undo_failed_and_nothing_else() {
    let mut responder = Responder::new(Stubborn(Value::Null), b"");
    let set = Body::TestSet(vec![integer([1, 1], 1)]);
    assert_eq!(ask_stubborn(&mut responder, 1, set).error, ErrorCode::NoError);
    assert_eq!(ask_stubborn(&mut responder, 2, Body::CommitSet).error, ErrorCode::NoError);
    for packet in [3, 4] {
        assert_eq!(ask_stubborn(&mut responder, packet, Body::UndoSet), failure(ErrorCode::UndoFailed, 1));
    }
}
