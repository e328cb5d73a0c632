//! Notifications: a window of them on its way, kept until the master has answered for each.

use super::*;

/// The numbers of the notifications among these.
fn announced(pdus: &[Pdu]) -> Vec<u32> {
    let number = |pdu: &Pdu| match &pdu.body {
        Body::Notify(varbinds) => match &varbinds[1].value {
            Value::ObjectIdentifier(trap_oid) => trap_oid.subids().last().copied(),
            other => panic!("{other:?}"),
        },
        _ => None,
    };
    pdus.iter().filter_map(number).collect()
}

#[test]
fn a_notification_carries_the_uptime_of_its_event() {
    let mut story = Story::registered();
    assert_eq!(story.session.status().uptime.map(|uptime| uptime.at(story.now)), Some(100));
    let at = story.now;
    story.pass(ms(2500));
    let trap_oid = Oid::from([1, 3, 5, 0, 1]);
    let varbinds = vec![VarBind::new(Oid::from([1, 3, 5, 1]), Value::Integer(3))];
    story.session.notify(
        story.now,
        Notification { id: 4, at, trap_oid: trap_oid.clone(), varbinds: varbinds.clone() },
    );
    let notify = story.sent_one();
    let mut expected = vec![
        VarBind::new(exchange::SYS_UP_TIME.into(), Value::TimeTicks(100)),
        VarBind::new(exchange::SNMP_TRAP_OID.into(), Value::ObjectIdentifier(trap_oid)),
    ];
    expected.extend(varbinds);
    assert_eq!(notify.body, Body::Notify(expected));
    assert_eq!(story.events(), []);
    story.answer(&notify, ErrorCode::NoError);
    assert_eq!(story.events(), [Event::Notified(4, Delivery::Accepted)]);
}

/// As many as there is room for, numbered from `first`, and nothing sent yet; returns the number after the last.
fn fill(story: &mut Story, first: u64) -> u64 {
    let full = (first..).find(|id| {
        let is_full = !story.session.can_notify();
        if !is_full {
            story.notify(*id);
        }
        is_full
    });
    full.unwrap()
}

/// A story with a window that is open wide, and the number of the next notification.
fn crowded() -> (Story, u64) {
    let mut story = Story::registered();
    let mut next = 1;
    for _ in 0..WINDOW {
        next = fill(&mut story, next);
        story.answer_all();
    }
    story.events();
    (story, next)
}

#[test]
fn the_window_opens_with_each_answer_and_is_closed_after_a_lull() {
    let mut story = Story::registered();
    let mut next = 1;
    let mut widths = Vec::new();
    for _ in 0..6 {
        let first = next;
        next = fill(&mut story, first);
        widths.push(next - first);
        story.answer_all();
    }
    assert_eq!(widths, [1, 2, 4, 8, 16, 16]);
    story.pass(ms(11));
    assert_eq!(fill(&mut story, next) - next, 1);
}

#[test]
fn a_window_moves_with_each_answer() {
    let (mut story, first) = crowded();
    let next = fill(&mut story, first);
    let sent = story.sent();
    assert_eq!(announced(&sent).len(), WINDOW);
    story.answer(&sent[0], ErrorCode::NoError);
    assert_eq!(story.events(), [Event::Notified(first, Delivery::Accepted)]);
    assert_eq!(fill(&mut story, next), next + 1);
    assert_eq!(announced(&story.sent()).len(), 1);
}

#[test]
fn of_a_window_that_was_cut_off_only_what_was_not_answered_is_sent_again_in_its_order() {
    let (mut story, first) = crowded();
    (first..first + 4).for_each(|id| story.notify(id));
    let sent = story.sent();
    let numbers = announced(&sent);
    story.answer(&sent[0], ErrorCode::NoError);
    story.answer(&sent[1], ErrorCode::NoError);
    story.events();
    let again = story.reconnect();
    assert_eq!(announced(&again), numbers[2..3], "the window begins with one again");
    story.events();
    story.answer(&again[0], ErrorCode::NoError);
    assert!(story.session.can_notify());
    story.answer_all();
    let accepted = [2, 3].map(|at| Event::Notified(numbers[at].into(), Delivery::Accepted));
    assert_eq!(story.events(), accepted);
    assert_eq!(story.tally()[1], 2, "were sent twice");
}

#[test]
fn a_master_that_takes_its_time_for_each_of_a_window_is_not_overdue() {
    let (mut story, first) = crowded();
    (first..first + 4).for_each(|id| story.notify(id));
    for notify in story.sent() {
        story.pass(ms(1000));
        assert_eq!(story.link(), Link::Open);
        story.answer(&notify, ErrorCode::NoError);
    }
}

#[test]
fn one_lost_notification_of_a_window_is_sent_again_without_the_others() {
    let (mut story, first) = crowded();
    (first..first + 3).for_each(|id| story.notify(id));
    let sent = story.sent();
    let lost = announced(&sent)[1];
    story.answer(&sent[0], ErrorCode::NoError);
    story.answer(&sent[2], ErrorCode::NoError);
    story.pass(ms(1500));
    assert_eq!(story.session.status().lost_because, Some(LostBecause::Unanswered));
    assert_eq!(announced(&story.back()), [lost]);
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
    story.notify(5);
    story.sent();
    for round in 1..=3 {
        story.pass(ms(1500));
        let probe = story.sent_one();
        story.answer(&probe, ErrorCode::NoError);
        story.events();
        story.pass(ms(1500));
        let events = story.events();
        let unanswered = Event::Notified(5, Delivery::Unanswered);
        assert_eq!(events.contains(&unanswered), round == 3, "round {round}: {events:?}");
        assert!(matches!(events.last(), Some(Event::Lost { because: LostBecause::Unanswered, .. })));
        assert_eq!(announced(&story.back()), if round < 3 { vec![5] } else { vec![] });
        story.events();
    }
}

#[test]
fn a_refused_notification_is_given_up_after_three_tries() {
    let mut story = Story::registered();
    story.notify(5);
    for expected in [vec![], vec![], vec![Event::Notified(5, Delivery::Refused(ErrorCode::ProcessingError))]]
    {
        let notify = story.sent_one();
        story.answer(&notify, ErrorCode::ProcessingError);
        assert_eq!(story.events(), expected);
    }
    assert_eq!((story.tally(), story.sent()), ([3, 2, 0, 1], vec![]));
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
    let again = story.back();
    assert_eq!(announced(&again), [1]);
    story.answer(&again[0], ErrorCode::NoError);
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
