mod clauses;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::oid::Oid;
use crate::value::{Value, VarBind};

pub(crate) fn oids() -> impl Strategy<Value = Oid> {
    let internet =
        (0..300_u32, vec(any::<u32>(), 0..6)).prop_map(|(x, rest)| Oid::from([1, 3, 6, 1, x]).join(&rest));
    let any_oid = vec(any::<u32>(), 0..=128).prop_map(|subids| Oid::try_from(subids.as_slice()).unwrap());
    prop_oneof![4 => internet, 1 => any_oid, 1 => Just(Oid::null()), 1 => Just(Oid::from([1, 3, 6, 1]))]
}

pub(crate) fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        vec(any::<u8>(), 0..10).prop_map(Value::OctetString),
        Just(Value::Null),
        oids().prop_map(Value::ObjectIdentifier),
        any::<[u8; 4]>().prop_map(Value::IpAddress),
        any::<u32>().prop_map(Value::Counter32),
        any::<u32>().prop_map(Value::Gauge32),
        any::<u32>().prop_map(Value::TimeTicks),
        vec(any::<u8>(), 0..10).prop_map(Value::Opaque),
        any::<u64>().prop_map(Value::Counter64),
        Just(Value::NoSuchObject),
        Just(Value::NoSuchInstance),
        Just(Value::EndOfMibView),
    ]
}

fn varbinds() -> impl Strategy<Value = Vec<VarBind>> {
    vec((oids(), values()).prop_map(|(name, value)| VarBind { name, value }), 0..5)
}

fn ranges() -> impl Strategy<Value = Vec<SearchRange>> {
    vec(
        (oids(), any::<bool>(), oids()).prop_map(|(start, include, end)| SearchRange { start, include, end }),
        0..5,
    )
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
}

fn region_ranges() -> impl Strategy<Value = Option<(u8, u32)>> {
    proptest::option::of((1..=255_u8, any::<u32>()))
}

fn bodies() -> impl Strategy<Value = Body> {
    prop_oneof![
        (any::<u8>(), oids(), texts()).prop_map(|(timeout, id, description)| Body::Open(Open {
            timeout,
            id,
            description
        })),
        any::<u8>().prop_map(|reason| Body::Close(Close { reason: reason.into() })),
        (any::<u8>(), any::<u8>(), oids(), region_ranges()).prop_map(
            |(timeout, priority, subtree, range)| {
                Body::Register(Register { timeout, priority, subtree, range })
            }
        ),
        (any::<u8>(), oids(), region_ranges())
            .prop_map(|(priority, subtree, range)| Body::Unregister(Unregister { priority, subtree, range })),
        ranges().prop_map(Body::Get),
        ranges().prop_map(Body::GetNext),
        (any::<u16>(), any::<u16>(), ranges()).prop_map(|(non_repeaters, max_repetitions, ranges)| {
            Body::GetBulk(GetBulk { non_repeaters, max_repetitions, ranges })
        }),
        varbinds().prop_map(Body::TestSet),
        Just(Body::CommitSet),
        Just(Body::UndoSet),
        Just(Body::CleanupSet),
        varbinds().prop_map(Body::Notify),
        Just(Body::Ping),
        varbinds().prop_map(Body::IndexAllocate),
        varbinds().prop_map(Body::IndexDeallocate),
        (oids(), texts()).prop_map(|(id, description)| Body::AddAgentCaps { id, description }),
        oids().prop_map(|id| Body::RemoveAgentCaps { id }),
        (any::<u32>(), any::<u16>(), any::<u16>(), varbinds()).prop_map(
            |(sys_up_time, error, index, varbinds)| {
                Body::Response(Response { sys_up_time, error: error.into(), index, varbinds })
            }
        ),
    ]
}

pub(crate) fn pdus() -> impl Strategy<Value = Pdu> {
    let order = prop_oneof![Just(ByteOrder::Network), Just(ByteOrder::Little)];
    let context = proptest::option::of(texts());
    (order, any::<u8>(), any::<[u32; 3]>(), context, bodies()).prop_map(
        |(order, flags, ids, context, body)| {
            let header = Header {
                kind: body.kind(),
                flags: Header::any_flags(flags),
                has_context: context.is_some(),
                order,
                session_id: ids[0],
                transaction_id: ids[1],
                packet_id: ids[2],
            };
            Pdu { header, context, body }
        },
    )
}

proptest! {
    #[test]
    fn every_pdu_survives_both_byte_orders(pdu in pdus()) {
        // Poisoned, so that a byte which the encoder skips shows.
        let mut out = vec![0xa5; 7];
        pdu.write(&mut out);
        prop_assert_eq!(&out[..7], &[0xa5; 7]);
        prop_assert_eq!(Pdu::read(&out[7..]), Ok(pdu));
    }

    #[test]
    fn every_cut_is_missing_something(pdu in pdus(), cut in any::<prop::sample::Index>()) {
        let bytes = pdu.to_bytes();
        let cut = cut.index(bytes.len());
        prop_assert!(matches!(Pdu::read(&bytes[..cut]), Err(InvalidPdu::Missing(_))));
    }

    #[test]
    fn trailing_bytes_are_an_error(pdu in pdus()) {
        let mut bytes = pdu.to_bytes();
        bytes.extend([0; 4]);
        prop_assert_eq!(Pdu::read(&bytes), Err(InvalidPdu::Trailing("PDU")));
    }

    #[test]
    fn mutations_never_panic_and_what_they_mean_survives(
        pdu in pdus(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = pdu.to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(mutant) = Pdu::read(&bytes) {
            prop_assert_eq!(Pdu::read(&mutant.to_bytes()), Ok(mutant));
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Pdu::read(&bytes);
    }
}

fn golden(pdu: &Pdu, bytes: &[u8]) {
    assert_eq!(pdu.to_bytes(), bytes);
    assert_eq!(Pdu::read(bytes).as_ref(), Ok(pdu));
}

fn header(kind: PduType, order: ByteOrder, ids: [u32; 3]) -> Header {
    let [session_id, transaction_id, packet_id] = ids;
    Header { session_id, transaction_id, packet_id, ..Header::new(kind, order) }
}

#[test]
fn golden_open() {
    let open = Open { timeout: 5, id: Oid::from([1, 3, 6, 1, 4, 1, 9586]), description: b"demo!".to_vec() };
    let header = header(PduType::Open, ByteOrder::Network, [0, 0, 1]);
    #[rustfmt::skip]
    golden(&Pdu { header, context: None, body: Body::Open(open) }, &[
        1, 1, 0x10, 0,  0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 1,  0, 0, 0, 28,
        5, 0, 0, 0,
        2, 4, 0, 0,  0, 0, 0, 1,  0, 0, 0x25, 0x72,
        0, 0, 0, 5,  b'd', b'e', b'm', b'o', b'!', 0, 0, 0,
    ]);
}

#[test]
fn golden_register_with_a_range() {
    let register = Register {
        timeout: 0,
        priority: 127,
        subtree: Oid::from([1, 3, 6, 1, 2, 1, 68]),
        range: Some((7, 70)),
    };
    let header = header(PduType::Register, ByteOrder::Network, [9, 0, 2]);
    #[rustfmt::skip]
    golden(&Pdu { header, context: None, body: Body::Register(register) }, &[
        1, 3, 0x10, 0,  0, 0, 0, 9,  0, 0, 0, 0,  0, 0, 0, 2,  0, 0, 0, 20,
        0, 127, 7, 0,
        2, 2, 0, 0,  0, 0, 0, 1,  0, 0, 0, 68,
        0, 0, 0, 70,
    ]);
}

/// As net-snmp asks a session that registered with an empty context.
#[test]
fn golden_get_next_little_endian_with_an_empty_context() {
    let range = SearchRange { start: Oid::from([1, 3, 6, 1, 4, 1]), include: true, end: Oid::from([2]) };
    let header = Header { has_context: true, ..header(PduType::GetNext, ByteOrder::Little, [3, 4, 5]) };
    #[rustfmt::skip]
    golden(&Pdu { header, context: Some(Vec::new()), body: Body::GetNext(vec![range]) }, &[
        1, 6, 0x08, 0,  3, 0, 0, 0,  4, 0, 0, 0,  5, 0, 0, 0,  20, 0, 0, 0,
        0, 0, 0, 0,
        1, 4, 1, 0,  1, 0, 0, 0,
        1, 0, 0, 0,  2, 0, 0, 0,
    ]);
}

#[test]
fn golden_response_with_a_counter64_in_both_orders() {
    let varbind = VarBind::new(Oid::from([1, 3, 6, 1, 255]), Value::Counter64(0x0102_0304_0506_0708));
    let body = Body::Response(Response {
        sys_up_time: 1,
        error: ErrorCode::NoError,
        index: 0,
        varbinds: vec![varbind, VarBind::new(Oid::from([1, 3]), Value::NoSuchObject)],
    });
    let pdu = |order| Pdu {
        header: header(PduType::Response, order, [1, 2, 3]),
        context: None,
        body: body.clone(),
    };
    #[rustfmt::skip]
    golden(&pdu(ByteOrder::Network), &[
        1, 18, 0x10, 0,  0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 3,  0, 0, 0, 40,
        0, 0, 0, 1,  0, 0, 0, 0,
        0, 70, 0, 0,  0, 255, 0, 0,  1, 2, 3, 4, 5, 6, 7, 8,
        0, 128, 0, 0,  2, 0, 0, 0,  0, 0, 0, 1,  0, 0, 0, 3,
    ]);
    #[rustfmt::skip]
    golden(&pdu(ByteOrder::Little), &[
        1, 18, 0, 0,  1, 0, 0, 0,  2, 0, 0, 0,  3, 0, 0, 0,  40, 0, 0, 0,
        1, 0, 0, 0,  0, 0, 0, 0,
        70, 0, 0, 0,  0, 255, 0, 0,  8, 7, 6, 5, 4, 3, 2, 1,
        128, 0, 0, 0,  2, 0, 0, 0,  1, 0, 0, 0,  3, 0, 0, 0,
    ]);
}

#[test]
fn errors_name_the_field() {
    let payload = |kind, payload: &[u8]| {
        Pdu::read_payload(Header::new(kind, ByteOrder::Network), payload).map(|pdu| pdu.body)
    };
    assert_eq!(payload(PduType::Open, &[5, 0]), Err(InvalidPdu::Missing("o.reserved")));
    assert_eq!(payload(PduType::Ping, &[0; 4]), Err(InvalidPdu::Trailing("Ping")));
    assert_eq!(payload(PduType::Get, &[0; 4]), Err(InvalidPdu::Missing("range.end")));
    assert_eq!(payload(PduType::Unknown(77), &[]), Err(InvalidPdu::PduType(77)));
    assert_eq!(payload(PduType::Notify, &[0, 3, 0, 0, 0, 0, 0, 0]), Err(InvalidPdu::VarBindType(3)));
    let ip_address_of_two = [0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 0, 0];
    assert_eq!(payload(PduType::Notify, &ip_address_of_two), Err(InvalidPdu::IpAddressLength(2)));
    let too_many = vec![0; (MAX_ITEMS + 1) * 8];
    assert_eq!(payload(PduType::Get, &too_many), Err(InvalidPdu::TooMany("SearchRangeList")));
    let context = Header { has_context: true, ..Header::new(PduType::Ping, ByteOrder::Network) };
    assert_eq!(Pdu::read_payload(context, &[]).map(|_| ()), Err(InvalidPdu::Missing("context")));
}

#[test]
fn the_head_of_a_response_is_read_whatever_follows() {
    let header = Header::new(PduType::Response, ByteOrder::Network);
    let payload = [0, 0, 0, 7, 1, 1, 0, 0, 0xff, 0xff, 0xff];
    let head = ResponseHead { sys_up_time: 7, error: ErrorCode::NotOpen, index: 0 };
    assert_eq!(ResponseHead::read(&header, &payload), Ok(head));
    assert_eq!(ResponseHead::read(&header, &payload[..7]), Err(InvalidPdu::Missing("res.index")));
    let context = Header { has_context: true, ..header };
    assert_eq!(ResponseHead::read(&context, &[&[0; 4], &payload[..]].concat()), Ok(head));
}

#[test]
fn every_error_code_survives_its_number() {
    for number in 0..=300 {
        assert_eq!(u16::from(ErrorCode::from(number)), number);
    }
    assert_eq!(ErrorCode::DuplicateRegistration.to_string(), "duplicateRegistration(263)");
    assert_eq!(ErrorCode::Unknown(299).to_string(), "unknown(299)");
}

#[test]
fn every_close_reason_survives_its_number() {
    for number in 0..=255 {
        assert_eq!(u8::from(CloseReason::from(number)), number);
    }
}

#[test]
fn a_prefix_stands_for_1_to_255_only() {
    for (x, prefix, count) in [(0, 0, 6), (1, 1, 1), (255, 255, 1), (256, 0, 6)] {
        let id = Oid::from([1, 3, 6, 1, x, 7]);
        let header = Header::new(PduType::RemoveAgentCaps, ByteOrder::Network);
        let pdu = Pdu { header, context: None, body: Body::RemoveAgentCaps { id } };
        let bytes = pdu.to_bytes();
        assert_eq!(bytes[HEADER_LEN..HEADER_LEN + 2], [count, prefix], "1.3.6.1.{x}.7");
        assert_eq!(Pdu::read(&bytes), Ok(pdu));
    }
}
