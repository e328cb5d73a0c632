//! Regions: asked for, refused, and looked after.

use super::*;

#[test]
fn opens_then_registers_and_announces_all_at_once() {
    let mut story = Story::new();
    assert_eq!(story.link(), Link::Connecting);
    story.connect();
    assert_eq!(story.link(), Link::Opening);
    let open = story.sent_one();
    assert_eq!((open.header.session_id, open.body.kind()), (0, PduType::Open));
    story.answer(&open, ErrorCode::NoError);
    assert_eq!(story.link(), Link::Registering);
    let set_up = story.sent();
    let seen: Vec<_> = set_up.iter().map(|pdu| (pdu.header.session_id, pdu.body.kind())).collect();
    assert_eq!(seen, [(7, PduType::Register), (7, PduType::AddAgentCaps), (7, PduType::Register)]);
    for request in &set_up {
        assert!(!story.session.can_notify());
        story.answer(request, ErrorCode::NoError);
    }
    assert!(story.session.status().is_registered());
    let (five, six) = (Oid::from([1, 3, 5]), Oid::from([1, 3, 6]));
    assert_eq!(story.events(), [Event::Opened, Event::Registered(five), Event::Registered(six)]);
}

/// An open session of which the first region is refused and everything else granted; returns the refused Register.
fn refused_in_part(story: &mut Story) -> Pdu {
    story.connect();
    let open = story.sent_one();
    story.answer(&open, ErrorCode::NoError);
    let mut set_up = story.sent();
    let register = set_up.remove(0);
    story.answer(&register, ErrorCode::DuplicateRegistration);
    set_up.iter().for_each(|request| story.answer(request, ErrorCode::NoError));
    register
}

#[test]
fn a_refused_region_is_asked_for_again_and_holds_nothing_up() {
    let mut story = Story::new();
    let register = refused_in_part(&mut story);
    let status = story.session.status();
    assert_eq!((status.link, status.registered, status.is_registered()), (Link::Open, 1, false));
    story.notify(1);
    story.answer_all();
    story.pass(ms(50));
    assert_eq!(story.sent_one().body, register.body);
    story.pass(ms(1500));
    assert_eq!(story.link(), Link::Unresponsive);
}

#[test]
fn a_refused_region_is_registered_in_the_end_after_pauses_that_double() {
    let mut story = Story::new();
    refused_in_part(&mut story);
    for pause in [50, 100, 200, 400, 500, 500] {
        story.pass(ms(pause - 1));
        assert_eq!(story.sent(), []);
        story.pass(ms(1));
        let register = story.sent_one();
        story.answer(&register, ErrorCode::DuplicateRegistration);
    }
    story.pass(ms(500));
    story.answer_all();
    assert!(story.session.status().is_registered());
    story.pass(ms(3000));
    assert_eq!(story.sent(), [], "nothing is registered twice");
}

#[test]
fn a_region_that_nobody_asks_for_is_asked_about_and_registered_again_when_it_is_gone() {
    // Nothing else is asked in that time.
    let timing = Timing { ping_after: ms(10_000_000), ..Timing::default() };
    let mut story = Story::of(Config { timing, ..two_regions() });
    story.connect();
    story.answer_all();
    story.events();
    let check_after = timing.check_after;
    let regions = |story: &mut Story| -> Vec<Oid> {
        let registers = story.answer_with(ErrorCode::DuplicateRegistration);
        registers.into_iter().map(|register| register.subtree).collect()
    };
    // Somebody asks for what is in the first region, nobody for the second.
    story.pass(check_after / 2);
    story.receive(&request(7, 99, get()));
    story.answer_all();
    story.pass(check_after / 2);
    assert_eq!(regions(&mut story), [Oid::from([1, 3, 6])]);
    assert_eq!(story.events(), [], "the master still has it");
    story.pass(check_after / 2);
    assert_eq!(regions(&mut story), [Oid::from([1, 3, 5])]);
    // The master has lost the second one.
    story.pass(check_after / 2);
    let registers = story.answer_with(ErrorCode::NoError);
    assert_eq!(registers.len(), 1);
    assert_eq!(story.events(), [Event::Restored(Oid::from([1, 3, 6]))]);
    assert_eq!(story.session.status().restored, 1);
    assert!(story.session.status().is_registered());
    // The master has it no more, and does not give it.
    story.pass(check_after / 2);
    story.answer_with(ErrorCode::RequestDenied);
    assert_eq!(story.events(), [Event::Refused(Oid::from([1, 3, 5]), ErrorCode::RequestDenied)]);
    assert_eq!(story.session.status().registered, 1);
}

#[test]
fn everything_of_a_session_is_in_its_context() {
    let config =
        Config::new("a story").context("blue").region(Region::new(Oid::from([1, 3, 5])).describe("five"));
    let mut story = Story::of(config);
    story.connect();
    let mut seen = Vec::new();
    let mut answered = |story: &mut Story| {
        for sent in story.sent() {
            seen.push((sent.body.kind(), sent.context.clone()));
            story.answer(&sent, ErrorCode::NoError);
        }
    };
    answered(&mut story);
    answered(&mut story);
    story.notify(1);
    answered(&mut story);
    let blue = || Some(b"blue".to_vec());
    assert_eq!(
        seen,
        [
            (PduType::Open, None),
            (PduType::Register, blue()),
            (PduType::AddAgentCaps, blue()),
            (PduType::Notify, blue())
        ]
    );
}

#[test]
fn what_no_master_may_be_asked_is_refused() {
    let session = |region| Session::new(Config::new("").region(region), One::default(), ms(0)).map(|_| ());
    assert_eq!(session(Region::new(Oid::null())), Err(InvalidConfig::NullRegion));
    let zero = Region { priority: 0, ..Region::new(Oid::from([1, 3])) };
    assert_eq!(session(zero), Err(InvalidConfig::PriorityZero(Oid::from([1, 3]))));
}
