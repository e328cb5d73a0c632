mod clauses;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::mib::{Change, CommitFailed, SetError, UndoFailed};
use crate::oid::Oid;
use crate::wire::{ByteOrder, ErrorCode, InvalidPdu, Register, Response, SearchRange};

/// One variable, 1.3.5.1 = 42, that can be set; it counts the SETs that are reserved.
#[derive(Default)]
struct One(Arc<()>);

struct Reserved(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Change for Reserved {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        Ok(())
    }
}

impl Mib for One {
    type Snapshot = ();

    fn snapshot(&self) -> Arc<()> {
        Arc::new(())
    }

    fn value(&self, (): &(), oid: &Oid) -> Value {
        if *oid == Oid::from([1, 3, 5, 1]) { Value::Integer(42) } else { Value::NoSuchObject }
    }

    fn next(&self, (): &(), after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let name = Oid::from([1, 3, 5, 1]);
        let follows = name > *after || include && name == *after;
        (follows && end.is_none_or(|end| name < *end)).then(|| VarBind::new(name, Value::Integer(42)))
    }

    fn test_set(&self, (): &(), _: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        Ok(Box::new(Reserved(Arc::clone(&self.0))))
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn two_regions() -> Config {
    Config::new("a story")
        .region(Region::new(Oid::from([1, 3, 5])).describe("five"))
        .region(Region::new(Oid::from([1, 3, 6])))
}

/// A session, a clock, and a master made of what a test says.
struct Story {
    session: Session<One>,
    reserved: Arc<()>,
    now: Duration,
    sys_up_time: u32,
}

impl Story {
    fn new() -> Self {
        Self::of(two_regions())
    }

    fn of(config: Config) -> Self {
        let reserved = Arc::new(());
        Self {
            reserved: Arc::clone(&reserved),
            session: Session::new(config, One(Arc::clone(&reserved)), ms(1000)).unwrap(),
            now: ms(1000),
            sys_up_time: 100,
        }
    }

    /// A story that begins with an open session 7, registered, and nothing left to say about it.
    fn registered() -> Self {
        let mut story = Self::new();
        story.connect();
        story.answer_all();
        assert!(story.session.status().is_registered());
        story.events();
        story
    }

    fn connect(&mut self) {
        assert_eq!(self.session.poll_action(), Some(Action::Connect));
        self.session.handle_connected(self.now);
    }

    /// What the session has written since the last look.
    fn sent(&mut self) -> Vec<Pdu> {
        let mut assembly = Assembly::default();
        assembly.push(self.session.output());
        self.session.handle_written(self.session.output().len());
        let mut pdus = Vec::new();
        while let Some((header, payload)) = assembly.next_pdu().unwrap() {
            pdus.push(Pdu::read_payload(header, &payload).unwrap());
        }
        pdus
    }

    fn sent_one(&mut self) -> Pdu {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    fn receive(&mut self, pdu: &Pdu) {
        self.session.handle_bytes(self.now, &pdu.to_bytes());
    }

    fn answer(&mut self, request: &Pdu, error: ErrorCode) {
        let session_id = if matches!(request.body, Body::Open(_)) { 7 } else { request.header.session_id };
        let header = Header { kind: PduType::Response, session_id, ..request.header.clone() };
        let body =
            Body::Response(Response { sys_up_time: self.sys_up_time, error, index: 0, varbinds: Vec::new() });
        self.receive(&Pdu { header, context: None, body });
    }

    /// Says this to every Register, and noError to the rest, until nothing is asked any more; returns the Registers.
    fn answer_with(&mut self, error: ErrorCode) -> Vec<Register> {
        let mut registers = Vec::new();
        loop {
            let sent = self.sent();
            if sent.is_empty() {
                return registers;
            }
            for pdu in sent {
                match &pdu.body {
                    Body::Register(register) => {
                        registers.push(register.clone());
                        self.answer(&pdu, error);
                    }
                    Body::Response(_) => {}
                    _ => self.answer(&pdu, ErrorCode::NoError),
                }
            }
        }
    }

    /// Says noError to everything, until nothing is asked any more; returns what was asked.
    fn answer_all(&mut self) -> Vec<Body> {
        let mut asked = Vec::new();
        loop {
            let sent = self.sent();
            if sent.is_empty() {
                return asked;
            }
            for pdu in sent {
                self.answer(&pdu, ErrorCode::NoError);
                asked.push(pdu.body);
            }
        }
    }

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.session.poll_timeout().filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            self.session.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    fn link(&self) -> Link {
        self.session.status().link
    }

    /// Notifications sent, sent again, accepted and given up.
    fn tally(&self) -> [u64; 4] {
        let Tally { sent, repeated, accepted, given_up, .. } = self.session.status().notifications;
        [sent, repeated, accepted, given_up]
    }

    fn notify(&mut self, id: u64) {
        assert!(self.session.can_notify());
        let notification =
            Notification { id, at: self.now, trap_oid: Oid::from([1, 3, 5, 0, 1]), varbinds: Vec::new() };
        self.session.notify(self.now, &notification);
    }

    /// Loses the connection, and goes on to the moment the next one is open and registered.
    fn reconnect(&mut self) {
        self.session.handle_disconnected(self.now);
        self.back();
    }

    fn back(&mut self) {
        assert!(matches!(self.session.poll_action(), Some(Action::Disconnect { .. })));
        self.pass(ms(400));
        self.connect();
        let set_up = self.answer_all();
        assert_eq!(set_up.len(), 4, "Open, two regions, one capability: {set_up:?}");
        assert!(self.session.status().is_registered());
    }
}

fn request(session_id: u32, packet_id: u32, body: Body) -> Pdu {
    let header = Header { session_id, packet_id, ..Header::new(body.kind(), ByteOrder::Little) };
    Pdu { header, context: None, body }
}

fn get() -> Body {
    Body::Get(vec![SearchRange { start: Oid::from([1, 3, 5, 1]), include: false, end: Oid::null() }])
}

fn error_of(pdu: &Pdu) -> ErrorCode {
    match &pdu.body {
        Body::Response(response) => response.error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn opens_then_registers_and_announces_one_by_one() {
    let mut story = Story::new();
    assert_eq!(story.link(), Link::Connecting);
    story.connect();
    assert_eq!(story.link(), Link::Opening);
    let open = story.sent_one();
    assert_eq!((open.header.session_id, open.body.kind()), (0, PduType::Open));
    story.answer(&open, ErrorCode::NoError);
    assert_eq!(story.link(), Link::Registering);
    let first = story.sent_one();
    assert_eq!((first.header.session_id, first.body.kind()), (7, PduType::Register));
    story.answer(&first, ErrorCode::NoError);
    let rest: Vec<PduType> = story.answer_all().iter().map(Body::kind).collect();
    assert_eq!(rest, [PduType::AddAgentCaps, PduType::Register]);
    assert!(story.session.status().is_registered());
    let (five, six) = (Oid::from([1, 3, 5]), Oid::from([1, 3, 6]));
    assert_eq!(story.events(), [Event::Opened, Event::Registered(five), Event::Registered(six)]);
}

#[test]
fn a_refused_region_is_asked_for_again_and_holds_nothing_up() {
    let mut story = Story::new();
    story.connect();
    let open = story.sent_one();
    story.answer(&open, ErrorCode::NoError);
    let register = story.sent_one();
    story.answer(&register, ErrorCode::DuplicateRegistration);
    story.answer_all();
    let status = story.session.status();
    assert_eq!((status.link, status.registered, status.is_registered()), (Link::Open, 1, false));
    story.notify(1);
    story.answer_all();
    story.pass(ms(500));
    assert_eq!(story.sent_one().body, register.body);
    story.pass(ms(1500));
    assert_eq!(story.link(), Link::Unresponsive);
}

#[test]
fn a_refused_region_is_registered_in_the_end() {
    let mut story = Story::new();
    story.connect();
    let open = story.sent_one();
    story.answer(&open, ErrorCode::NoError);
    for _ in 0..3 {
        let register = story.sent_one();
        story.answer(&register, ErrorCode::DuplicateRegistration);
        story.answer_all();
        story.pass(ms(500));
    }
    story.answer_all();
    assert!(story.session.status().is_registered());
    story.pass(ms(3000));
    assert_eq!(story.sent(), [], "nothing is registered twice");
}

#[test]
fn answers_requests_of_its_session_alone() {
    let mut story = Story::registered();
    story.receive(&request(7, 99, get()));
    let answer = story.sent_one();
    assert_eq!((answer.header.packet_id, answer.header.order), (99, ByteOrder::Little));
    assert_eq!(error_of(&answer), ErrorCode::NoError);
    story.receive(&request(8, 100, get()));
    assert_eq!(error_of(&story.sent_one()), ErrorCode::NotOpen);
    story.receive(&request(8, 101, Body::CleanupSet));
    assert_eq!(story.sent(), [], "a CleanupSet is never answered");
}

#[test]
fn a_request_that_cannot_be_parsed_is_told_so() {
    let mut story = Story::registered();
    let mut bytes = request(7, 1, get()).to_bytes();
    bytes[20] = 200; // n_subid
    story.session.handle_bytes(story.now, &bytes);
    assert_eq!(error_of(&story.sent_one()), ErrorCode::ParseError);
    let mut stray = request(7, 2, Body::CommitSet).to_bytes();
    stray[16] = 4; // payload_length
    stray.extend([0; 4]);
    story.session.handle_bytes(story.now, &stray);
    assert_eq!(
        error_of(&story.sent_one()),
        ErrorCode::CommitFailed,
        "RFC 2741 §6.2.9: a header only, whatever follows"
    );
    let mut unknown = request(7, 3, Body::Ping).to_bytes();
    unknown[1] = 77;
    story.session.handle_bytes(story.now, &unknown);
    assert_eq!(story.sent(), []);
    assert_eq!(story.link(), Link::Open);
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
    assert!(story.now - start > ms(20 * 150), "20 sessions in {:?}", story.now - start);
}

#[test]
fn an_absent_master_is_tried_at_least_every_400_ms() {
    let mut story = Story::new();
    for _ in 0..50 {
        assert_eq!(story.session.poll_action(), Some(Action::Connect));
        story.session.handle_connect_failed(story.now);
        let retry = story.session.poll_timeout().unwrap() - story.now;
        assert!(retry <= ms(400), "{retry:?}");
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
fn what_no_master_may_be_asked_is_refused() {
    let session = |region| Session::new(Config::new("").region(region), One::default(), ms(0)).map(|_| ());
    assert_eq!(session(Region::new(Oid::null())), Err(InvalidConfig::NullRegion));
    let zero = Region { priority: 0, ..Region::new(Oid::from([1, 3])) };
    assert_eq!(session(zero), Err(InvalidConfig::PriorityZero(Oid::from([1, 3]))));
}

proptest! {
    /// Whatever the master sends and however long it takes, the session lives and has a plan.
    #[test]
    fn no_master_can_break_a_session(
        pdus in proptest::collection::vec((crate::wire::tests::pdus(), any::<[u8; 3]>(), 0..3000_u64), 1..30),
    ) {
        let mut story = Story::registered();
        for (mut pdu, [at, byte, mutate], pause) in pdus {
            if pdu.header.session_id % 4 != 0 {
                pdu.header.session_id = 7;
            }
            let mut bytes = pdu.to_bytes();
            if mutate % 4 == 0 {
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte;
            }
            story.session.handle_bytes(story.now, &bytes);
            story.pass(ms(pause));
            while let Some(action) = story.session.poll_action() {
                if action == Action::Connect {
                    story.session.handle_connected(story.now);
                    story.answer_all();
                }
            }
            prop_assert!(story.session.poll_timeout().is_some_and(|deadline| deadline > story.now));
            prop_assert!(story.session.output().len() <= MAX_OUTPUT);
        }
    }
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
    for _ in 0..3 {
        let sent = story.sent_one();
        seen.push((sent.body.kind(), sent.context.clone()));
        story.answer(&sent, ErrorCode::NoError);
    }
    story.notify(1);
    let sent = story.sent_one();
    seen.push((sent.body.kind(), sent.context));
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
