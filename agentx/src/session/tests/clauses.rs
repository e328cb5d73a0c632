//! What RFC 2741 demands of a session, where no story above shows it.

use super::*;
use crate::session::DEFAULT_PRIORITY;
use crate::wire::Flags;

#[test]
fn no_flag_is_ever_set_but_the_byte_order() {
    for (order, flags) in [(ByteOrder::Network, 0x10), (ByteOrder::Little, 0)] {
        let mut story = Story::of(Config { order, ..two_regions() });
        story.connect();
        let mut seen = 0;
        let mut answered = |story: &mut Story| {
            loop {
                let bytes = story.session.output().to_vec();
                if bytes.is_empty() {
                    return;
                }
                assert_eq!(bytes[2], flags);
                for request in story.sent() {
                    assert_eq!(request.header.flags, Flags::default());
                    seen += 1;
                    story.answer(&request, ErrorCode::NoError);
                }
            }
        };
        answered(&mut story);
        story.notify(1);
        answered(&mut story);
        story.pass(ms(5000));
        answered(&mut story);
        story.session.shutdown(story.now);
        answered(&mut story);
        assert_eq!(seen, 7, "Open, two regions, a capability, Notify, Ping, Close");
    }
}

#[test]
fn a_region_is_registered_with_the_priority_it_has() {
    let region = |priority| Region { priority, ..Region::new(Oid::from([1, 3, 5])) };
    for priority in [DEFAULT_PRIORITY, 1, 255] {
        let mut story = Story::of(Config::new("a story").region(region(priority)));
        story.connect();
        let registers = story.answer_with(ErrorCode::NoError);
        let seen: Vec<_> = registers.iter().map(|register| (register.priority, register.range)).collect();
        assert_eq!(seen, [(priority, None)]);
    }
    assert_eq!(Region::new(Oid::null()).priority, 127);
}

#[test]
fn a_description_is_cut_at_255_bytes() {
    for (length, sent) in [(5, 5), (255, 255), (256, 255), (5000, 255)] {
        let mut story = Story::of(Config::new("x".repeat(length)));
        story.connect();
        let Body::Open(open) = story.sent_one().body else { panic!("no Open") };
        assert_eq!(open.description.len(), sent);
    }
}

#[test]
fn a_refused_open_is_no_session_and_is_tried_again() {
    let mut story = Story::new();
    for _ in 0..3 {
        story.connect();
        let open = story.sent_one();
        story.answer(&open, ErrorCode::OpenFailed);
        let because = LostBecause::NotOpened(ErrorCode::OpenFailed);
        assert_eq!(story.events(), [Event::Lost { because, lasted: ms(0) }]);
        assert!(matches!(story.session.poll_action(), Some(Action::Disconnect { .. })));
        assert_eq!((story.session.status().sessions, story.sent()), (0, vec![]));
        story.pass(ms(400));
    }
    story.connect();
    story.answer_all();
    assert!(story.session.status().is_registered());
}

#[test]
fn an_answer_to_nothing_and_one_that_cannot_be_read_change_nothing() {
    let mut story = Story::registered();
    story.notify(1);
    let notify = story.sent_one();
    let response = |packet_id, payload: &[u8]| {
        let header =
            Header { session_id: 7, packet_id, ..Header::new(PduType::Response, ByteOrder::Network) };
        let mut bytes = Pdu { header, context: None, body: Body::Ping }.to_bytes();
        bytes[1] = 18; // Response
        bytes[19] = u8::try_from(payload.len()).unwrap();
        bytes.extend(payload);
        bytes
    };
    let number = notify.header.packet_id;
    for packet in [number.wrapping_sub(1), number + 1, 0, u32::MAX] {
        story.session.handle_bytes(story.now, &response(packet, &[0; 8]));
    }
    // The right number, and no room for sysUpTime, error and index.
    story.session.handle_bytes(story.now, &response(number, &[0; 4]));
    assert_eq!((story.events(), story.session.status().link), (vec![], Link::Open));
    story.answer(&notify, ErrorCode::NoError);
    assert_eq!(story.events(), [Event::Notified(1, Delivery::Accepted)]);
    // A second answer to the same.
    story.answer(&notify, ErrorCode::ProcessingError);
    assert_eq!((story.events(), story.sent()), (vec![], vec![]));
}

#[test]
fn a_ping_that_the_master_does_not_know_us_by_starts_over() {
    let mut story = Story::registered();
    story.pass(ms(5000));
    let ping = story.sent_one();
    assert_eq!(ping.body, Body::Ping);
    story.answer(&ping, ErrorCode::NotOpen);
    assert_eq!(story.events(), [Event::Lost { because: LostBecause::NotOpen, lasted: ms(5000) }]);
    story.back();
}

#[test]
fn a_set_for_another_session_reserves_nothing() {
    let mut story = Story::registered();
    let set = || Body::TestSet(vec![VarBind::new(Oid::from([1, 3, 5, 1]), Value::Integer(1))]);
    story.receive(&request(8, 1, set()));
    assert_eq!(error_of(&story.sent_one()), ErrorCode::NotOpen);
    assert_eq!(Arc::strong_count(&story.reserved), 2, "the story and its mib");
    story.receive(&request(7, 2, set()));
    assert_eq!(error_of(&story.sent_one()), ErrorCode::NoError);
    assert_eq!(Arc::strong_count(&story.reserved), 3);
}

#[test]
fn a_thousand_requests_have_a_thousand_numbers() {
    let mut story = Story::registered();
    let mut numbers = std::collections::BTreeSet::new();
    for id in 0..1000 {
        story.notify(id);
        let notify = story.sent_one();
        numbers.insert(notify.header.packet_id);
        story.answer(&notify, ErrorCode::NoError);
    }
    assert_eq!(numbers.len(), 1000);
}
