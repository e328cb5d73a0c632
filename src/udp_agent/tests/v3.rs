//! Version 3 as a manager speaks it, also one who is late, mistaken or an impostor.

use std::sync::LazyLock;

use rasn_snmp::v3::{HeaderData, Message as V3, Pdus, ScopedPdu, ScopedPduData, USMSecurityParameters};

use super::*;
use crate::snmp_wire::{Envelope, Level};

const PASSWORD: &str = "correct horse";

/// The agent's clock at the time of the question.
const NOW: Duration = Duration::from_secs(160);

fn engine() -> Arc<Engine> {
    Arc::new(Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 1, 2, 3], boots: 4 })
}

/// One who signs, one who encrypts as well, one who does neither. Their keys are work.
pub(super) static USERS: LazyLock<Vec<(User, Grant)>> = LazyLock::new(|| {
    let of = User::new;
    let private = Some((Privacy::Aes128, PASSWORD));
    let keys = &mut Passwords::default();
    let users = [
        of("signer").with(&engine(), keys, (Authentication::Sha256, PASSWORD), None),
        of("private").with(&engine(), keys, (Authentication::Sha1, PASSWORD), private),
        of("open"),
        of("224").with(&engine(), keys, (Authentication::Sha224, PASSWORD), None),
    ];
    users.map(|user| (user, grant(false))).into()
});

/// The signature that goes with a protocol.
fn signature(auth: Authentication, bytes: &[u8]) -> Vec<u8> {
    let place = match auth {
        Authentication::Sha256 => 0,
        Authentication::Sha1 => 1,
        _ => 3,
    };
    USERS[place].0.sign(bytes)
}

fn with_users() -> Agent<impl agentx::Mib> {
    let mut agent = agent(Vec::new());
    let context = b"blue".to_vec();
    agent.set_up(Settings { users: USERS.clone(), engine: engine(), context, ..Settings::default() });
    agent
}

/// A question for sysUpTime.0.
struct Question<'a> {
    user: &'a str,
    flags: u8,
    engine: Vec<u8>,
    moment: (u32, u32),
    context: &'a str,
    /// Signs; what it is given is all zeroes where the signature is.
    signed_by: Option<Authentication>,
}

impl Question<'_> {
    fn bytes(&self) -> Vec<u8> {
        let variable_bindings = vec![v2::VarBind {
            name: rasn::types::ObjectIdentifier::new(vec![1, 3, 6, 1, 2, 1, 1, 3, 0]).unwrap(),
            value: v2::VarBindValue::Unspecified,
        }];
        let pdu = v2::Pdu { request_id: 77, error_status: 0, error_index: 0, variable_bindings };
        let scoped = ScopedPdu {
            engine_id: self.engine.clone().into(),
            name: self.context.as_bytes().to_vec().into(),
            data: Pdus::GetRequest(v2::GetRequest(pdu)),
        };
        let length = self.signed_by.map_or(0, |_| if self.user == "signer" { 24 } else { 12 });
        let parameters = USMSecurityParameters {
            authoritative_engine_id: self.engine.clone().into(),
            authoritative_engine_boots: self.moment.0.into(),
            authoritative_engine_time: self.moment.1.into(),
            user_name: self.user.as_bytes().to_vec().into(),
            authentication_parameters: vec![0; length].into(),
            privacy_parameters: Vec::new().into(),
        };
        let mut bytes = rasn::ber::encode(&V3 {
            version: 3.into(),
            global_data: HeaderData {
                message_id: 9.into(),
                max_size: 1472.into(),
                flags: vec![self.flags].into(),
                security_model: 3.into(),
            },
            security_parameters: rasn::ber::encode(&parameters).unwrap().into(),
            scoped_data: ScopedPduData::CleartextPdu(scoped),
        })
        .unwrap();
        if let Some(auth) = self.signed_by {
            let mut signature = signature(auth, &bytes);
            signature.resize(length, 0);
            let at = bytes.windows(length).position(|zeroes| zeroes.iter().all(|byte| *byte == 0)).unwrap();
            bytes[at..at + length].copy_from_slice(&signature);
        }
        bytes
    }
}

fn good() -> Question<'static> {
    let signed_by = Some(Authentication::Sha256);
    Question {
        user: "signer",
        flags: 5,
        engine: engine().id.clone(),
        moment: (4, 60),
        context: "",
        signed_by,
    }
}

/// The error-status of a Response, `None` for a Report; and the name of its first VarBind.
fn said(answer: &[u8]) -> (Option<u32>, String) {
    let message: V3 = rasn::ber::decode(answer).unwrap();
    let ScopedPduData::CleartextPdu(scoped) = message.scoped_data else { panic!("it is encrypted") };
    let (status, pdu) = match scoped.data {
        Pdus::Report(v2::Report(pdu)) => (None, pdu),
        Pdus::Response(v2::Response(pdu)) => (Some(pdu.error_status), pdu),
        other => panic!("{other:?}"),
    };
    (status, pdu.variable_bindings[0].name.to_string())
}

fn asked(question: &Question<'_>) -> Option<Vec<u8>> {
    with_users().handle(NOW, LOCAL, &question.bytes())
}

#[test]
fn who_signs_is_answered_with_a_signature() {
    let answer = asked(&good()).unwrap();
    assert_eq!(said(&answer), (Some(0), "1.3.6.1.2.1.1.3.0".to_owned()));
    let Ok(Message::V3(reader)) = Message::read(&answer) else { panic!("another version") };
    let incoming = Incoming::read(&answer, reader).unwrap();
    assert!(USERS[0].0.has_signed(&incoming));
    assert_eq!((incoming.id, incoming.moment, incoming.user), (9, (4, 60), &b"signer"[..]));
    assert!(asked(&Question { context: "blue", ..good() }).is_some_and(|answer| said(&answer).0 == Some(0)));
}

#[test]
fn everybody_else_hears_why_not() {
    let reported = |question: &Question<'_>| {
        let (status, name) = said(&asked(question).unwrap());
        assert_eq!(status, None, "{name}");
        name
    };
    let usm = |number: u8| format!("1.3.6.1.6.3.15.1.1.{number}.0");
    let discovery =
        || Question { user: "", flags: 4, engine: Vec::new(), moment: (0, 0), signed_by: None, ..good() };
    assert_eq!(reported(&discovery()), usm(4));
    assert_eq!(reported(&Question { engine: vec![1; 9], ..good() }), usm(4));
    assert_eq!(reported(&Question { user: "nobody", signed_by: None, ..good() }), usm(3));
    assert_eq!(reported(&Question { user: "open", signed_by: None, ..good() }), usm(1));
    assert_eq!(reported(&Question { signed_by: None, ..good() }), usm(5));
    assert_eq!(reported(&Question { signed_by: Some(Authentication::Sha224), ..good() }), usm(5));
    for moment in [(4, 211), (3, 60), (5, 60), (0, 0)] {
        assert_eq!(reported(&Question { moment, ..good() }), usm(2), "{moment:?}");
    }
    assert_eq!(reported(&Question { context: "green", ..good() }), "1.3.6.1.6.3.12.1.5.0");
    // Not to who does not want to hear it, and never much more than was asked.
    assert_eq!(asked(&Question { flags: 0, ..discovery() }), None);
    let question = discovery().bytes();
    let answer = with_users().handle(NOW, LOCAL, &question).unwrap();
    assert!(answer.len() <= 3 * question.len(), "{} for {}", answer.len(), question.len());
}

#[test]
fn a_message_said_again_when_its_time_is_over_is_no_longer_believed() {
    let mut agent = with_users();
    let question = good().bytes();
    assert!(agent.handle(NOW, LOCAL, &question).is_some_and(|answer| said(&answer).0 == Some(0)));
    let later = NOW + Duration::from_secs(151);
    assert!(agent.handle(later, LOCAL, &question).is_some_and(|answer| said(&answer).0.is_none()));
}

#[test]
fn a_set_that_is_said_again_is_not_carried_out_again() {
    let mut agent = agent(Vec::new());
    let users = USERS.iter().map(|(user, _)| (user.clone(), grant(true))).collect();
    agent.set_up(Settings { users, engine: engine(), ..Settings::default() });
    let said = |id: i32, kind, value| {
        let (engine, user) = (engine(), Ok(&USERS[1].0));
        let (context_engine, context, salt) = (&engine.id[..], &b""[..], u64::from(id.unsigned_abs()));
        let level = Level::Private;
        let envelope = Envelope { id, engine: &engine, time: 60, context_engine, user, level, context, salt };
        envelope.seal(&Pdu::new(kind, id, vec![VarBind::new(under("1.2.0"), value)])).unwrap()
    };
    let mut written = |datagram: &[u8]| {
        let answer = agent.handle(NOW, LOCAL, datagram).unwrap();
        let Ok(Message::V3(reader)) = Message::read(&answer) else { panic!("another version") };
        let pdu = Incoming::read(&answer, reader).unwrap().open(&USERS[1].0).unwrap().pdu;
        assert_eq!((pdu.kind, pdu.first), (Kind::Response, 0));
        (pdu.request_id, pdu.varbinds[0].value.clone())
    };
    let five = said(1, Kind::Set, Value::Integer(5));
    assert_eq!(written(&five), (1, Value::Integer(5)));
    assert_eq!(written(&said(2, Kind::Set, Value::Integer(6))), (2, Value::Integer(6)));
    assert_eq!(written(&five), (1, Value::Integer(5)), "it was lost on its way, perhaps");
    assert_eq!(written(&said(3, Kind::Get, Value::Null)), (3, Value::Integer(6)), "and yet");
}

#[test]
fn who_can_do_better_must() {
    let weak = Question { user: "private", signed_by: Some(Authentication::Sha1), ..good() };
    assert_eq!(said(&asked(&weak).unwrap()).0, Some(16), "authorizationError");
    let open = Question { user: "open", flags: 4, signed_by: None, ..good() };
    assert_eq!(said(&asked(&open).unwrap()).0, Some(0), "who cannot need not");
}

#[test]
fn a_flood_of_discoveries_gets_few_answers_and_a_known_user_every_one() {
    let mut agent = with_users();
    let discovery =
        Question { user: "", flags: 4, engine: Vec::new(), moment: (0, 0), signed_by: None, ..good() };
    let (discovery, question) = (discovery.bytes(), good().bytes());
    let answered = (0..1000).filter(|_| agent.handle(NOW, LOCAL, &discovery).is_some()).count();
    assert!(answered <= 100, "{answered}");
    assert!(agent.handle(NOW, LOCAL, &question).is_some());
}

#[test]
fn what_anybody_can_say_again_or_in_the_name_of_another_gets_few_answers() {
    let weak = Question { user: "private", flags: 4, signed_by: None, ..good() };
    let old = Question { moment: (3, 60), ..good() };
    for question in [weak, old] {
        let (mut agent, question) = (with_users(), question.bytes());
        let answered = (0..1000).filter(|_| agent.handle(NOW, LOCAL, &question).is_some()).count();
        assert!((1..=100).contains(&answered), "{answered}");
    }
}

#[test]
fn no_change_of_any_byte_is_believed() {
    let question = good().bytes();
    let mut agent = with_users();
    assert!(agent.handle(NOW, LOCAL, &question).is_some());
    for at in 0..question.len() {
        for change in [1, 0x80] {
            let mut changed = question.clone();
            changed[at] ^= change;
            let answer = agent.handle(NOW, LOCAL, &changed);
            let is_believed = answer.is_some_and(|answer| said(&answer).0 == Some(0));
            assert!(!is_believed, "byte {at}");
        }
    }
}
