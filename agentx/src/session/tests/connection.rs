//! The way to the master: lost, refused, slow, and given up in good order.

use super::*;

#[test]
fn an_unanswered_open_is_waited_for() {
    let mut story = Story::new();
    story.connect();
    let open = story.sent_one();
    story.pass(Duration::from_secs(60));
    assert_eq!((story.link(), story.sent()), (Link::Unresponsive, vec![]));
    story.answer(&open, ErrorCode::NoError);
    story.answer_all();
    assert!(story.session.status().is_registered());
}

#[test]
fn patience_ends() {
    let mut story = Story::registered();
    story.notify(1);
    story.pass(Timing::default().patience);
    let lost = Event::Lost { because: LostBecause::Silent, lasted: Timing::default().patience };
    assert_eq!(story.events(), [Event::Unresponsive, lost]);
    story.back();
}

#[test]
fn a_close_of_the_master_is_followed_by_a_new_session() {
    let mut story = Story::registered();
    story.receive(&request(7, 1, Body::Close(Close { reason: CloseReason::ByManager })));
    let because = LostBecause::Closed(CloseReason::ByManager);
    assert_eq!(story.events(), [Event::Lost { because, lasted: ms(0) }]);
    story.back();
}

#[test]
fn a_close_of_another_session_is_not_ours() {
    let mut story = Story::registered();
    story.receive(&request(8, 1, Body::Close(Close { reason: CloseReason::ByManager })));
    assert_eq!((story.link(), story.events()), (Link::Open, vec![]));
}

#[test]
fn the_end_of_the_connection_is_the_end_of_all_that_belonged_to_it() {
    let mut story = Story::registered();
    story.receive(&request(
        7,
        1,
        Body::TestSet(vec![VarBind::new(Oid::from([1, 3, 5, 1]), Value::Integer(1))]),
    ));
    assert_eq!(Arc::strong_count(&story.reserved), 3, "the story, its mib, and a SET");
    story.sent();
    story.session.handle_bytes(story.now, &request(7, 2, get()).to_bytes()[..30]);
    story.session.handle_disconnected(story.now);
    assert_eq!((story.session.status().registered, Arc::strong_count(&story.reserved)), (0, 2));
    assert!(matches!(story.session.poll_action(), Some(Action::Disconnect { .. })));
    story.pass(ms(400));
    story.connect();
    let open = story.sent_one();
    story.answer(&open, ErrorCode::NoError);
    assert_eq!(story.link(), Link::Registering, "half a PDU of the old connection is no part of the new one");
    // Lost in the middle of the set-up: the next one begins at its beginning.
    story.reconnect();
}

#[test]
fn the_loss_of_a_good_session_is_followed_by_an_attempt_at_once() {
    let mut story = Story::registered();
    story.pass(ms(1000));
    story.session.handle_disconnected(story.now);
    assert!(matches!(story.session.poll_action(), Some(Action::Disconnect { .. })));
    assert_eq!(story.session.poll_timeout(), Some(story.now));
    story.session.handle_timeout(story.now);
    assert_eq!(story.session.poll_action(), Some(Action::Connect));
}

#[test]
fn a_master_that_drops_every_session_is_not_hammered() {
    let mut story = Story::registered();
    let start = story.now;
    for _ in 0..20 {
        story.session.handle_disconnected(story.now);
        assert!(matches!(story.session.poll_action(), Some(Action::Disconnect { .. })));
        let retry = story.session.poll_timeout().unwrap();
        story.pass(retry - story.now);
        story.connect();
        story.answer_all();
    }
    assert!(story.now - start > ms(20 * 80), "20 sessions in {:?}", story.now - start);
}

#[test]
fn an_absent_master_is_tried_at_least_every_200_ms() {
    let mut story = Story::new();
    for _ in 0..50 {
        assert_eq!(story.session.poll_action(), Some(Action::Connect));
        story.session.handle_connect_failed(story.now);
        let retry = story.session.poll_timeout().unwrap() - story.now;
        assert!(retry <= ms(200), "{retry:?}");
        story.pass(retry);
    }
}

#[test]
fn a_connection_that_takes_too_long_is_given_up() {
    let mut story = Story::new();
    assert_eq!(story.session.poll_action(), Some(Action::Connect));
    story.pass(ms(600));
    assert_eq!(story.session.poll_action(), Some(Action::Disconnect { farewell: Vec::new() }));
    story.pass(ms(50));
    assert_eq!(story.session.poll_action(), Some(Action::Connect));
}

#[test]
fn pings_when_idle_only() {
    let mut story = Story::registered();
    for _ in 0..20 {
        story.pass(ms(1000));
        story.receive(&request(7, 1, get()));
        assert_eq!(story.sent_one().body.kind(), PduType::Response);
    }
    story.pass(ms(4999));
    assert_eq!(story.sent(), []);
    story.pass(ms(1));
    let ping = story.sent_one();
    assert_eq!(ping.body, Body::Ping);
    story.answer(&ping, ErrorCode::NoError);
    assert_eq!(story.link(), Link::Open);
}

#[test]
fn shutdown_says_so_and_waits_a_moment_for_the_answer() {
    let mut story = Story::registered();
    story.session.shutdown(story.now);
    let close = story.sent_one();
    assert_eq!(close.body, Body::Close(Close { reason: CloseReason::Shutdown }));
    assert_eq!(story.link(), Link::Open, "until the answer or the deadline");
    story.pass(ms(300));
    assert_eq!(story.link(), Link::Closed);
    assert_eq!(story.session.poll_action(), Some(Action::Disconnect { farewell: Vec::new() }));
    assert_eq!(story.session.poll_timeout(), None);
}

#[test]
fn garbage_during_the_shutdown_does_not_begin_a_new_session() {
    let mut story = Story::registered();
    story.session.shutdown(story.now);
    story.session.handle_bytes(story.now, &[0xff; 20]);
    assert_eq!((story.link(), story.session.poll_timeout()), (Link::Closed, None));
}

#[test]
fn shutdown_without_a_session_is_at_once() {
    let mut story = Story::new();
    story.session.shutdown(story.now);
    assert_eq!(story.link(), Link::Closed);
}

#[test]
fn a_master_that_does_not_read_is_disconnected() {
    let mut story = Story::registered();
    let wide = SearchRange { start: Oid::from([1, 3, 5, 1]), include: false, end: Oid::null() };
    let flood = request(7, 1, Body::Get(vec![wide; 2000])).to_bytes();
    for _ in 0..40 {
        story.session.handle_bytes(story.now, &flood);
    }
    assert!(story.session.output().len() <= MAX_OUTPUT);
    assert!(matches!(story.session.poll_action(), Some(Action::Disconnect { .. })));
}

#[test]
fn garbage_ends_the_session_with_a_close() {
    let mut story = Story::registered();
    story.pass(ms(1000));
    story.session.handle_bytes(story.now, &[0xff; 20]);
    let Some(Action::Disconnect { farewell }) = story.session.poll_action() else { panic!("no disconnect") };
    let farewell = Pdu::read(&farewell).unwrap();
    assert_eq!(farewell.body, Body::Close(Close { reason: CloseReason::ParseError }));
    let because = LostBecause::Garbage(InvalidPdu::Version(255));
    assert_eq!(story.events(), [Event::Lost { because, lasted: ms(1000) }]);
}
