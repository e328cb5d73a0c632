//! A session in virtual time: what it sends to a master that the story plays.

mod clauses;
mod connection;
mod notifications;
mod registration;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::mib::{Change, CommitFailed, SetError, UndoFailed};
use crate::oid::Oid;
use crate::value::{Value, VarBind};
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
            pdus.push(Pdu::read_payload(header, payload).unwrap());
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
        let trap_oid = Oid::from([1, 3, 5, 0, u32::try_from(id).unwrap()]);
        let notification = Notification { id, at: self.now, trap_oid, varbinds: Vec::new() };
        self.session.notify(self.now, notification);
    }

    /// Loses the connection, and goes on to the moment the next one is open and registered; returns what is asked then.
    fn reconnect(&mut self) -> Vec<Pdu> {
        self.session.handle_disconnected(self.now);
        self.back()
    }

    fn back(&mut self) -> Vec<Pdu> {
        assert!(matches!(self.session.poll_action(), Some(Action::Disconnect { .. })));
        self.pass(ms(400));
        self.connect();
        let open = self.sent_one();
        self.answer(&open, ErrorCode::NoError);
        let set_up = self.sent();
        assert_eq!(set_up.len(), 3, "two regions, one capability: {set_up:?}");
        set_up.iter().for_each(|request| self.answer(request, ErrorCode::NoError));
        assert!(self.session.status().is_registered());
        self.sent()
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
