//! What RFC 2741 demands of bytes, one by one, where no property or golden PDU shows it.

use super::*;

/// A Notify with this payload, in network byte order.
fn notify(payload: &[u8]) -> Result<Vec<VarBind>, InvalidPdu> {
    let header = Header::new(PduType::Notify, ByteOrder::Network);
    Pdu::read_payload(header, payload).map(|pdu| match pdu.body {
        Body::Notify(varbinds) => varbinds,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_name_in_full_and_one_with_a_prefix_are_the_same() {
    let mib_2 = Oid::from([1, 3, 6, 1, 2, 1]);
    #[rustfmt::skip]
    let in_full = [0, 5, 0, 0,  6, 0, 0, 0,  0, 0, 0, 1,  0, 0, 0, 3,  0, 0, 0, 6,  0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 1];
    let with_prefix = [0, 5, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1];
    let expected = Ok(vec![VarBind::new(mib_2, Value::Null)]);
    assert_eq!(notify(&in_full), expected);
    assert_eq!(notify(&with_prefix), expected);
}

#[test]
fn types_have_the_numbers_of_the_rfc() {
    let text = || Value::OctetString(b"abcd".to_vec());
    let numbered = [
        (2, Value::Integer(-1)),
        (4, text()),
        (5, Value::Null),
        (6, Value::ObjectIdentifier(Oid::from([1, 3]))),
        (64, Value::IpAddress([192, 0, 2, 1])),
        (65, Value::Counter32(u32::MAX)),
        (66, Value::Gauge32(u32::MAX)),
        (67, Value::TimeTicks(u32::MAX)),
        (68, Value::Opaque(b"abcd".to_vec())),
        (70, Value::Counter64(u64::MAX)),
        (128, Value::NoSuchObject),
        (129, Value::NoSuchInstance),
        (130, Value::EndOfMibView),
    ];
    let assigned: Vec<u16> = numbered.iter().map(|(number, _)| *number).collect();
    for (number, value) in numbered {
        let body = Body::Notify(vec![VarBind::new(Oid::null(), value)]);
        let pdu = Pdu { header: Header::new(PduType::Notify, ByteOrder::Network), context: None, body };
        assert_eq!(pdu.to_bytes()[HEADER_LEN..HEADER_LEN + 2], u16::to_be_bytes(number));
    }
    for number in (0..=u16::MAX).filter(|number| !assigned.contains(number)) {
        let [high, low] = number.to_be_bytes();
        assert_eq!(notify(&[high, low, 0, 0, 0, 0, 0, 0]), Err(InvalidPdu::VarBindType(number)));
    }
}

#[test]
fn what_has_no_data_is_followed_by_the_next_variable() {
    for kind in [5, 128, 129, 130] {
        let mut bytes = vec![0, kind, 0, 0, 0, 0, 0, 0];
        let integer = [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let read = notify(&[&bytes[..], &integer].concat()).map(|varbinds| varbinds[1].value.clone());
        assert_eq!(read, Ok(Value::Integer(7)));
        // Data where there should be none is read as the next variable, and is none.
        bytes.extend([0xff; 4]);
        assert_eq!(notify(&[&bytes[..], &integer].concat()), Err(InvalidPdu::VarBindType(0xffff)));
    }
}

#[test]
fn flags_that_nobody_assigned_are_not_looked_at() {
    for kind in (1..=18).map(PduType::from) {
        let mut bytes =
            Pdu { header: header(kind, ByteOrder::Network, [1, 2, 3]), context: None, body: Body::Ping };
        bytes.header.flags = Header::any_flags(0xe7);
        let bytes = bytes.to_bytes();
        assert_eq!(Header::read(&bytes).map(|(header, _)| header.order), Ok(ByteOrder::Network));
        assert_eq!(Pdu::read(&bytes).map(|pdu| pdu.body), Ok(Body::Ping));
    }
}

#[test]
fn ranges_are_read_to_the_end_of_the_payload() {
    let range = SearchRange { start: Oid::from([1, 3, 6, 1, 4, 1]), include: false, end: Oid::null() };
    for count in [0, 1, 2, 100] {
        let body = Body::GetNext(vec![range.clone(); count]);
        let pdu = Pdu { header: header(PduType::GetNext, ByteOrder::Little, [1, 2, 3]), context: None, body };
        let bytes = pdu.to_bytes();
        assert_eq!(Pdu::read(&bytes).as_ref(), Ok(&pdu));
        for cut in (4..bytes.len() - HEADER_LEN).step_by(4).filter(|cut| cut % 12 != 0) {
            let payload = &bytes[HEADER_LEN..bytes.len() - cut];
            let read = Pdu::read_payload(pdu.header.clone(), payload);
            assert!(matches!(read, Err(InvalidPdu::Missing(_))), "{cut} bytes less: {read:?}");
        }
    }
}

#[test]
fn a_length_is_believed_only_as_far_as_there_are_bytes() {
    // Type, name, and the length of an octet string that would be 4 GiB.
    let huge = [0, 4, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 1, 2, 3, 4];
    assert_eq!(notify(&huge), Err(InvalidPdu::Missing("v.data")));
}
