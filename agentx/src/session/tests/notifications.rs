//! Notifications: one after the other, each with the time of its event.

use super::*;

#[test]
fn one_notification_at_a_time_each_with_the_uptime_of_its_event() {
    let mut story = Story::registered();
    assert_eq!(story.session.status().uptime.map(|uptime| uptime.at(story.now)), Some(100));
    let at = story.now;
    story.pass(ms(2500));
    let trap_oid = Oid::from([1, 3, 5, 0, 1]);
    let varbinds = vec![VarBind::new(Oid::from([1, 3, 5, 1]), Value::Integer(3))];
    story.session.notify(
        story.now,
        &Notification { id: 4, at, trap_oid: trap_oid.clone(), varbinds: varbinds.clone() },
    );
    assert!(!story.session.can_notify());
    let notify = story.sent_one();
    let mut expected = vec![
        VarBind::new(SYS_UP_TIME.into(), Value::TimeTicks(100)),
        VarBind::new(SNMP_TRAP_OID.into(), Value::ObjectIdentifier(trap_oid)),
    ];
    expected.extend(varbinds);
    assert_eq!(notify.body, Body::Notify(expected));
    assert_eq!(story.events(), []);
    story.answer(&notify, ErrorCode::NoError);
    assert_eq!(story.events(), [Event::Notified(4, Delivery::Accepted)]);
    assert!(story.session.can_notify());
}

#[test]
fn a_refused_notification_is_given_up_after_three_tries() {
    let mut story = Story::registered();
    for expected in [vec![], vec![], vec![Event::Notified(5, Delivery::Refused(ErrorCode::ProcessingError))]]
    {
        story.notify(5);
        let notify = story.sent_one();
        story.answer(&notify, ErrorCode::ProcessingError);
        assert_eq!(story.events(), expected);
    }
    assert_eq!(story.tally(), [3, 2, 0, 1]);
}

#[test]
fn not_open_means_starting_over_with_the_notification_kept() {
    let mut story = Story::registered();
    story.pass(ms(1000));
    story.notify(1);
    let notify = story.sent_one();
    story.answer(&notify, ErrorCode::NotOpen);
    assert_eq!(story.events(), [Event::Lost { because: LostBecause::NotOpen, lasted: ms(1000) }]);
    assert_eq!(story.session.status().lost_because, Some(LostBecause::NotOpen));
    story.back();
    assert!(story.session.can_notify(), "so that the driver offers it again");
    story.notify(1);
    let notify = story.sent_one();
    story.answer(&notify, ErrorCode::NoError);
    story.notify(2);
    assert_eq!(story.tally(), [3, 1, 1, 0]);
}

#[test]
fn uptime_is_learnt_anew_from_a_restarted_master() {
    let mut story = Story::registered();
    story.sys_up_time = 3;
    story.reconnect();
    assert_eq!(story.session.status().uptime.map(|uptime| uptime.at(story.now)), Some(3));
}

#[test]
fn an_answer_that_was_held_up_does_not_make_events_older() {
    let mut story = Story::registered();
    let learnt = story.session.status().uptime;
    story.pass(ms(5000));
    let ping = story.sent_one();
    assert_eq!(ping.body, Body::Ping);
    story.sys_up_time += 500;
    story.pass(ms(1200));
    story.answer(&ping, ErrorCode::NoError);
    assert_eq!(story.session.status().uptime, learnt);
}

#[test]
fn a_silent_master_is_waited_for_and_nothing_is_sent_twice() {
    let mut story = Story::registered();
    story.notify(1);
    let notify = story.sent_one();
    story.pass(ms(1500));
    assert_eq!((story.link(), story.events()), (Link::Unresponsive, vec![Event::Unresponsive]));
    let probe = story.sent_one();
    assert_eq!(probe.body, Body::Ping);
    story.pass(Duration::from_secs(170));
    assert_eq!((story.sent(), story.session.poll_action()), (vec![], None), "three minutes of silence");
    story.answer(&notify, ErrorCode::NoError);
    story.answer(&probe, ErrorCode::NoError);
    assert_eq!(story.link(), Link::Open);
    assert_eq!(story.events(), [Event::Notified(1, Delivery::Accepted), Event::Responsive]);
    assert!(story.session.can_notify());
}

#[test]
fn a_request_that_later_ones_overtake_is_lost_and_in_the_end_given_up() {
    let mut story = Story::registered();
    for round in 1..=3 {
        story.notify(5);
        story.sent();
        story.pass(ms(1500));
        let probe = story.sent_one();
        story.answer(&probe, ErrorCode::NoError);
        story.events();
        story.pass(ms(1500));
        let events = story.events();
        let unanswered = Event::Notified(5, Delivery::Unanswered);
        assert_eq!(events.contains(&unanswered), round == 3, "round {round}: {events:?}");
        assert!(matches!(events.last(), Some(Event::Lost { because: LostBecause::Unanswered, .. })));
        story.back();
        story.events();
    }
}
