//! Who asks beside who answers, in virtual time: agents that are discovered, begin anew, or are somebody else.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use agentx::{Oid, Scalar, Syntax, Value, VarBind, View};

use super::{
    Credentials, Session,
    receiver::{Notification, Receiver},
    session::Heard,
};
use crate::{
    snmp_wire::{Engine, Kind, Level, Message, Passwords, Pdu, Refusal, User, Version},
    udp_agent::{Access, Agent, Community, Grant, Settings, Subtrees},
    usm_protocols::{Authentication, Privacy},
};

const AUTH: (Authentication, &str) = (Authentication::Sha256, "sign here please");
const PRIVACY: (Privacy, &str) = (Privacy::Aes128, "hide this please");

static SCALARS: [Scalar<()>; 1] =
    [Scalar::new(&[1, 3, 6, 1, 4, 1, 9586, 7], "seven", Syntax::Integer32, |()| Some(Value::Integer(7)))];

fn seven() -> Oid {
    Oid::from([1, 3, 6, 1, 4, 1, 9586, 7, 0])
}

fn question(kind: Kind) -> Pdu {
    Pdu::new(kind, 41, vec![VarBind::new(seven(), Value::Null)])
}

/// An agent that began at 0, with a community and a user.
fn agent(boots: u32) -> Agent<impl agentx::Mib> {
    let mib = View::new().scalars(&SCALARS).serve(|| Arc::new(()));
    let engine = Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 9, 9], boots };
    let grant =
        Grant { sources: Vec::new(), access: Access { subtrees: Arc::new(Subtrees::all()), write: false } };
    let user = User::new("nms").with(&engine, &mut Passwords::default(), AUTH, Some(PRIVACY));
    let mut agent = Agent::new(mib, Duration::ZERO, 5);
    agent.set_up(Settings {
        communities: vec![Community::new("public", grant.clone())],
        users: vec![(user, grant)],
        engine: Arc::new(engine),
        context: b"blue".to_vec(),
        ..Settings::default()
    });
    agent
}

fn credentials(
    name: &str,
    auth: Option<(Authentication, &str)>,
    privacy: Option<(Privacy, &str)>,
) -> Credentials {
    Credentials::new(name.to_owned(), Level::Private, auth, privacy)
}

fn session(auth: &'static str, privacy: &'static str) -> Session {
    let credentials = credentials("nms", Some((AUTH.0, auth)), Some((PRIVACY.0, privacy)));
    Session::of_user(credentials, b"", 77)
}

/// Asks until there is an answer or an end; how many datagrams that took.
fn converse<M: agentx::Mib>(
    session: &mut Session,
    agent: &mut Agent<M>,
    (now, there): (Duration, Duration),
    asked: &Pdu,
) -> (Result<Option<Pdu>, Refusal>, usize) {
    for sent in 1..=6 {
        let datagram = session.datagram(now, asked).unwrap();
        let Some(answer) = agent.handle(there, Ipv4Addr::LOCALHOST.into(), &datagram) else {
            return (Ok(None), sent);
        };
        match session.hear(now, asked, &answer) {
            Ok(Heard::Again) => {}
            Ok(Heard::Nothing) => return (Ok(None), sent),
            Ok(Heard::Answer(pdu)) => return (Ok(Some(pdu)), sent),
            Err(refusal) => return (Err(refusal), sent),
        }
    }
    (Ok(None), 7)
}

fn at(seconds: u64) -> (Duration, Duration) {
    // Their clocks do not begin together.
    (Duration::from_secs(seconds), Duration::from_secs(seconds + 5000))
}

#[test]
fn a_community_is_answered_at_once_and_anything_else_is_no_answer() {
    let (mut agent, asked) = (agent(1), question(Kind::Get));
    for version in [Version::V1, Version::V2c] {
        let mut session = Session::of_community(version, b"public");
        let (answer, sent) = converse(&mut session, &mut agent, at(1), &asked);
        assert_eq!((answer.unwrap().unwrap().varbinds[0].value.clone(), sent), (Value::Integer(7), 1));
        let good = version.message(b"public", &Pdu { kind: Kind::Response, ..asked.clone() }).unwrap();
        assert!(matches!(session.hear(at(1).0, &asked, &good), Ok(Heard::Answer(_))));
        for bad in [
            version.message(b"public", &Pdu { kind: Kind::Response, request_id: 42, ..asked.clone() }),
            version.message(b"private", &Pdu { kind: Kind::Response, ..asked.clone() }),
            version.message(b"public", &asked),
            Some(good[1..].to_vec()),
        ] {
            assert_eq!(session.hear(at(1).0, &asked, &bad.unwrap()), Ok(Heard::Nothing));
        }
    }
    let mut stranger = Session::of_community(Version::V2c, b"private");
    assert_eq!(converse(&mut stranger, &mut agent, at(1), &asked).0, Ok(None));
}

#[test]
fn an_engine_and_its_time_are_learnt_once() {
    let (mut agent, mut session) = (agent(3), session(AUTH.1, PRIVACY.1));
    for (second, datagrams) in [(1, 3), (2, 1), (10_000, 1)] {
        let (answer, sent) = converse(&mut session, &mut agent, at(second), &question(Kind::GetNext));
        assert_eq!(sent, datagrams, "at {second}");
        assert!(answer.is_ok_and(|answer| answer.is_some()));
    }
}

#[test]
fn an_agent_that_has_begun_anew_is_asked_anew() {
    let (mut before, mut after) = (agent(3), agent(4));
    let (mut session, asked) = (session(AUTH.1, PRIVACY.1), question(Kind::Get));
    assert!(converse(&mut session, &mut before, at(1), &asked).0.is_ok_and(|answer| answer.is_some()));
    let (answer, sent) = converse(&mut session, &mut after, at(2), &asked);
    assert!(answer.is_ok_and(|answer| answer.is_some()));
    assert_eq!(sent, 2);
    // One from before is an echo of long ago.
    assert_eq!(converse(&mut session, &mut before, at(3), &asked).0, Ok(None));
}

#[test]
fn who_is_wrong_hears_why() {
    let asked = question(Kind::Get);
    let heard = |session: &mut Session| converse(session, &mut agent(3), at(1), &asked).0;
    assert_eq!(heard(&mut session("another password", PRIVACY.1)), Err(Refusal::WrongDigest));
    assert_eq!(heard(&mut session(AUTH.1, "another password")), Err(Refusal::Undecipherable));
    let nobody = credentials("nobody", Some(AUTH), Some(PRIVACY));
    assert_eq!(heard(&mut Session::of_user(nobody, b"", 1)), Err(Refusal::UnknownUser));
    let green = credentials("nms", Some(AUTH), Some(PRIVACY));
    assert_eq!(heard(&mut Session::of_user(green, b"green", 1)), Err(Refusal::UnknownContext));
    let blue = credentials("nms", Some(AUTH), Some(PRIVACY));
    assert!(heard(&mut Session::of_user(blue, b"blue", 1)).is_ok_and(|answer| answer.is_some()));
}

#[test]
fn no_change_of_any_byte_of_an_answer_is_believed() {
    let (mut agent, mut session, asked) = (agent(3), session(AUTH.1, PRIVACY.1), question(Kind::Get));
    assert!(converse(&mut session, &mut agent, at(1), &asked).0.is_ok());
    let datagram = session.datagram(at(2).0, &asked).unwrap();
    let answer = agent.handle(at(2).1, Ipv4Addr::LOCALHOST.into(), &datagram).unwrap();
    for place in 0..answer.len() {
        let mut changed = answer.clone();
        changed[place] ^= 1;
        assert!(!matches!(session.hear(at(2).0, &asked, &changed), Ok(Heard::Answer(_))), "byte {place}");
    }
    assert!(matches!(session.hear(at(2).0, &asked, &answer), Ok(Heard::Answer(_))));
}

/// A notification's objects.
fn told() -> Vec<VarBind> {
    vec![
        VarBind::new(Oid::from([1, 3, 6, 1, 2, 1, 1, 3, 0]), Value::TimeTicks(500)),
        VarBind::new(Oid::from([1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0]), Value::ObjectIdentifier(seven())),
        VarBind::new(seven(), Value::Integer(8)),
    ]
}

fn expected(version: &'static str, is_inform: bool) -> Notification {
    let varbinds = told()[2..].to_vec();
    Notification { version, is_inform, agent: None, id: seven(), uptime: 500, varbinds }
}

#[test]
fn informs_are_acknowledged_in_both_versions_and_traps_are_not() {
    let now = at(1).0;
    let believed = credentials("nms", Some(AUTH), Some(PRIVACY));
    let mut receiver = Receiver::new(now, 3, Some("public"), Some(believed));
    let trap = Version::V2c.message(b"public", &Pdu::new(Kind::Trap, 9, told())).unwrap();
    let heard = receiver.handle(now, &trap);
    assert_eq!((heard.notification, heard.answer), (Some(expected("v2c", false)), None));
    let inform = Pdu::new(Kind::Inform, 9, told());
    let mut sender = Session::of_community(Version::V2c, b"public");
    let heard = receiver.handle(now, &sender.datagram(now, &inform).unwrap());
    assert_eq!(heard.notification, Some(expected("v2c", true)));
    let acknowledged = sender.hear(now, &inform, &heard.answer.unwrap());
    assert_eq!(acknowledged, Ok(Heard::Answer(Pdu { kind: Kind::Response, ..inform.clone() })));
    let stranger = Version::V2c.message(b"private", &inform).unwrap();
    assert_eq!(receiver.handle(now, &stranger), super::receiver::Heard::default());

    let (mut sender, mut heard_of) = (session(AUTH.1, PRIVACY.1), Vec::new());
    let acknowledged = (0..6).find_map(|_| {
        let heard = receiver.handle(now, &sender.datagram(now, &inform).unwrap());
        heard_of.extend(heard.notification);
        match sender.hear(now, &inform, &heard.answer.unwrap()) {
            Ok(Heard::Answer(pdu)) => Some(pdu),
            _ => None,
        }
    });
    assert_eq!(acknowledged, Some(Pdu { kind: Kind::Response, ..inform }));
    assert_eq!(heard_of, [expected("v3", true)], "once, after the discovery and the time");
}

#[test]
fn a_trap_of_version_3_is_believed_once_it_is_signed_and_not_said_again_much_later() {
    use crate::snmp_wire::Envelope;
    let now = at(1).0;
    let believed = || credentials("nms", Some(AUTH), Some(PRIVACY));
    let mut receiver = Receiver::new(now, 3, None, Some(believed()));
    let engine = Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 1, 2], boots: 2 };
    let user = believed().user(&engine);
    let trap = |time, level| {
        let (user, context_engine, context) = (Ok(&user), &engine.id[..], &b""[..]);
        let engine = &engine;
        let envelope = Envelope { id: 5, engine, time, context_engine, user, level, context, salt: 9 };
        envelope.seal(&Pdu::new(Kind::Trap, 9, told())).unwrap()
    };
    let heard = receiver.handle(now, &trap(100, Level::Private));
    assert_eq!((heard.notification, heard.answer), (Some(expected("v3", false)), None));
    for (seconds, message, is_heard) in [
        (2, trap(100, Level::Private), true),
        (200, trap(100, Level::Private), false),
        (200, trap(290, Level::Private), true),
        (201, trap(290, Level::Signed), false),
        (201, trap(290, Level::Plain), false),
    ] {
        let heard = receiver.handle(at(seconds).0, &message);
        assert_eq!(heard.notification.is_some(), is_heard, "after {seconds} s");
    }
    let mut changed = trap(300, Level::Private);
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(receiver.handle(at(210).0, &changed).notification, None);
    assert!(matches!(Message::read(&changed), Ok(Message::V3(_))));
}
