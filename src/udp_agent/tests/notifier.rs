//! The notifier in front of a receiver: the SNMPv3 of that one is the agent's own, which decides what is heard and reports why not.

use std::{net::Ipv4Addr, sync::LazyLock};

use agentx::Notification;
use rasn_snmp::v1;
use zeroize::Zeroizing;

use super::*;
use crate::snmp_wire::{Credentials, Envelope};

/// An answer without objects.
fn response(request_id: i32, error: i32) -> Pdu {
    Pdu { first: error, ..Pdu::new(Kind::Response, request_id, Vec::new()) }
}

const PASSWORD: &str = "correct horse";
/// When sysUpTime was 0.
const BEGAN: Duration = Duration::from_secs(100);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn community() -> Zeroizing<String> {
    Zeroizing::new("secret".to_owned())
}

fn told_with(protocol: Protocol, inform: bool) -> Notifier {
    let target = Target { protocol, inform, timeout: seconds(1), retries: 2 };
    let origin = Origin { engine: engine(1, 7), began: BEGAN };
    Notifier::new(target, origin, 0x0123_4567_89ab_cdef)
}

/// What happened 5.5 s after the beginning.
fn notification(id: u64) -> Notification {
    let number = i32::try_from(id).unwrap();
    Notification {
        id,
        at: BEGAN + Duration::from_millis(5500),
        trap_oid: oid(&format!("{ROOT}.2.10.0.2")),
        varbinds: vec![VarBind::new(oid(&format!("{ROOT}.2.3.1.4")), Value::Integer(number))],
    }
}

/// What a message of version 2c says.
fn read_pdu(datagram: &[u8]) -> Pdu {
    let Ok(Message::Community { version, community, pdu }) = Message::read(datagram) else {
        panic!("{datagram:02x?}")
    };
    assert_eq!((version, community), (Version::V2c, &b"secret"[..]));
    version.pdu(pdu).unwrap()
}

/// A message of version 2c that answers it.
fn answer(request_id: i32, error: i32) -> Vec<u8> {
    Version::V2c.message(b"secret", &response(request_id, error)).unwrap()
}

/// Sends what is due, and returns it.
fn send(notifier: &mut Notifier, now: Duration) -> Option<Vec<u8>> {
    let message = notifier.poll_transmit(now);
    notifier.handle_sent(now, message.is_some());
    message
}

#[test]
fn an_inform_is_repeated_and_ever_less_often_until_it_is_acknowledged() {
    let mut notifier = told_with(Protocol::V2c(community()), true);
    assert!(notifier.is_free() && notifier.poll_timeout().is_none());
    let mut now = seconds(200);
    notifier.notify(now, notification(1));
    let first = send(&mut notifier, now).unwrap();
    let pdu = read_pdu(&first);
    let uptime = VarBind::new(oid("1.3.6.1.2.1.1.3.0"), Value::TimeTicks(550));
    let trap_oid = Value::ObjectIdentifier(oid(&format!("{ROOT}.2.10.0.2")));
    let trap_oid = VarBind::new(oid("1.3.6.1.6.3.1.1.4.1.0"), trap_oid);
    let value = notification(1).varbinds.remove(0);
    assert_eq!(pdu.varbinds, [uptime, trap_oid, value]);
    assert_eq!(send(&mut notifier, now), None, "once at a time");
    let mut waits = Vec::new();
    for _ in 0..8 {
        let due = notifier.poll_timeout().unwrap();
        assert_eq!(notifier.poll_transmit(due - Duration::from_nanos(1)), None);
        waits.push((due - now).as_secs());
        now = due;
        assert_eq!(send(&mut notifier, now).as_ref(), Some(&first), "it is the same one");
        assert_eq!(notifier.trouble().is_some(), waits.len() > 2, "{waits:?}");
    }
    assert_eq!(waits, [1, 1, 1, 2, 4, 8, 15, 15]);
    assert!(!notifier.is_free());
    notifier.handle(now, &answer(pdu.request_id, 0));
    assert_eq!(notifier.poll_done(), Some((1, Outcome::Acknowledged)));
    assert_eq!((notifier.poll_done(), notifier.trouble(), notifier.poll_timeout()), (None, None, None));
    assert_eq!(notifier.counts(), Counts { sent: 9, repeated: 8 });
}

#[test]
fn only_an_answer_to_this_inform_acknowledges_it() {
    let mut notifier = told_with(Protocol::V2c(community()), true);
    let now = seconds(200);
    notifier.notify(now, notification(1));
    let first = read_pdu(&send(&mut notifier, now).unwrap()).request_id;
    // A lost answer: the receiver has it twice, and both of its answers come.
    let later = now + seconds(1);
    assert!(send(&mut notifier, later).is_some());
    notifier.handle(later, &answer(first, 0));
    assert_eq!(notifier.poll_done(), Some((1, Outcome::Acknowledged)));
    notifier.notify(later, notification(2));
    let second = send(&mut notifier, later).unwrap();
    let request_id = read_pdu(&second).request_id;
    assert_ne!(request_id, first);
    let of_another = Version::V2c.message(b"public", &response(request_id, 0)).unwrap();
    for wrong in [answer(first, 0), answer(request_id + 1, 0), of_another, second, b"nonsense".to_vec()] {
        notifier.handle(later, &wrong);
        assert_eq!(notifier.poll_done(), None, "{wrong:02x?}");
    }
    notifier.handle(later, &answer(request_id, 5));
    assert_eq!(
        notifier.poll_done(),
        Some((2, Outcome::Refused(5))),
        "genErr: it would not take it later either"
    );
    assert!(notifier.is_free());
}

#[test]
fn traps_are_done_with_when_they_are_sent_and_leave_the_receiver_time_to_read() {
    let mut notifier = told_with(Protocol::V2c(community()), false);
    let mut now = seconds(200);
    notifier.notify(now, notification(1));
    let message = notifier.poll_transmit(now).unwrap();
    assert_eq!(notifier.poll_done(), None);
    notifier.handle_sent(now, false);
    assert_eq!((notifier.poll_done(), notifier.is_free()), (None, false), "there was no way there");
    now = notifier.poll_timeout().unwrap();
    let again = send(&mut notifier, now).unwrap();
    assert_eq!(again, message);
    assert_eq!(notifier.poll_done(), Some((1, Outcome::Sent)));
    for number in 2..=500 {
        notifier.notify(now, notification(number));
        now = notifier.poll_timeout().unwrap();
        assert!(send(&mut notifier, now).is_some());
        assert_eq!(notifier.poll_done(), Some((number, Outcome::Sent)));
    }
    let took = now - seconds(201);
    assert!((Duration::from_millis(900)..seconds(2)).contains(&took), "{took:?}");
    assert_eq!(notifier.counts(), Counts { sent: 500, repeated: 0 });
    assert_eq!(notifier.trouble(), None);
}

#[test]
fn a_trap_of_version_1() {
    let mut notifier = told_with(Protocol::V1(community()), false);
    notifier.set_address(Ipv4Addr::new(192, 0, 2, 7));
    notifier.notify(seconds(200), notification(3));
    let message = send(&mut notifier, seconds(200)).unwrap();
    let message: v1::Message<v1::Pdus> = rasn::ber::decode(&message).unwrap();
    let v1::Pdus::Trap(trap) = message.data else { panic!("{message:?}") };
    assert_eq!(trap.enterprise.to_string(), format!("{ROOT}.2.10"));
    assert_eq!((trap.generic_trap, trap.specific_trap, trap.time_stamp.0), (6.into(), 2.into(), 550));
    assert!(format!("{:?}", trap.agent_addr).contains("[192, 0, 2, 7]"), "{:?}", trap.agent_addr);
    assert_eq!(trap.variable_bindings.len(), 1);
    let counter = VarBind::new(oid(ROOT), Value::Counter64(1));
    assert_eq!(notifier.poll_done(), Some((3, Outcome::Sent)));
    notifier.notify(seconds(300), Notification { varbinds: vec![counter], ..notification(4) });
    assert_eq!(send(&mut notifier, seconds(300)), None);
    assert_eq!(notifier.poll_done(), Some((4, Outcome::Unsayable)), "nothing waits for it");
}

fn engine(last: u8, boots: u32) -> Arc<Engine> {
    Arc::new(Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 1, 2, 3, last], boots })
}

/// The user of every receiver here, and of our own engine. The keys are work.
static KEYS: LazyLock<Vec<User>> = LazyLock::new(|| {
    let keys = &mut Passwords::default();
    [1, 2, 3].map(|last| credentials(PASSWORD).user(&engine(last, 0), keys)).to_vec()
});

fn credentials(password: &str) -> Credentials {
    Credentials::new("told", Some((Authentication::Sha256, password)), Some((Privacy::Aes128, PASSWORD)))
}

/// A receiver that speaks SNMPv3.
struct Receiver<M: agentx::Mib> {
    usm: Agent<M>,
    engine: Arc<Engine>,
    user: User,
    began: Duration,
    /// What it has heard: the values of the last objects.
    heard: Vec<Value>,
}

/// The one with this engine, which has begun at that time.
fn receiver(last: u8, boots: u32, began: Duration) -> Receiver<impl agentx::Mib> {
    let (engine, user) = (engine(last, boots), KEYS[usize::from(last) - 1].clone());
    let mut usm = agent(Vec::new());
    let settings = Settings {
        users: vec![(user.clone(), grant(false))],
        engine: Arc::clone(&engine),
        ..Settings::default()
    };
    usm.set_up(settings);
    Receiver { usm, engine, user, began, heard: Vec::new() }
}

impl<M: agentx::Mib> Receiver<M> {
    /// Its time: the agent of these tests has begun at 100 s.
    fn time(&self, now: Duration) -> Duration {
        now.saturating_sub(self.began) + seconds(100)
    }

    fn handle(&mut self, now: Duration, datagram: &[u8]) -> Vec<u8> {
        let now = self.time(now);
        let report = self.usm.handle(now, LOCAL, datagram);
        if let Some(report) = report.filter(|report| !self.is_for_another(report)) {
            return report;
        }
        let Ok(Message::V3(reader)) = Message::read(datagram) else { panic!("another version") };
        let incoming = Incoming::read(datagram, reader).unwrap();
        let scoped = incoming.open(&self.user).unwrap();
        assert_eq!(scoped.engine, engine(1, 0).id, "the context is of the engine that tells");
        self.heard.extend(scoped.pdu.varbinds.last().map(|last| last.value.clone()));
        self.acknowledge(now, &incoming, scoped.pdu.request_id)
    }

    /// Whether a Report says that this is for somebody else here than an agent: then the message itself was believed.
    fn is_for_another(&self, report: &[u8]) -> bool {
        let Ok(Message::V3(reader)) = Message::read(report) else { panic!("another version") };
        let scoped = Incoming::read(report, reader).unwrap().open(&self.user);
        scoped.is_some_and(|scoped| scoped.pdu.varbinds[0].name == oid("1.3.6.1.6.3.11.2.1.3.0"))
    }

    fn acknowledge(&self, now: Duration, incoming: &Incoming<'_>, request_id: i32) -> Vec<u8> {
        let envelope = Envelope {
            id: incoming.id,
            engine: &self.engine,
            time: Engine::time(now - seconds(100)),
            context_engine: &self.engine.id,
            user: Ok(&self.user),
            level: incoming.level,
            context: b"",
            salt: 99,
        };
        envelope.seal(&response(request_id, 0)).unwrap()
    }
}

/// Everything that is said at this moment; returns how many messages that were.
fn converse<M: agentx::Mib>(notifier: &mut Notifier, receiver: &mut Receiver<M>, now: Duration) -> usize {
    let mut said = 0;
    while let Some(message) = send(notifier, now) {
        said += 1;
        assert!(said < 10, "they talk for ever");
        let answer = receiver.handle(now, &message);
        notifier.handle(now, &answer);
    }
    said
}

fn informer(password: &str) -> Notifier {
    told_with(Protocol::V3(credentials(password), String::new()), true)
}

#[test]
fn a_receiver_of_version_3_is_discovered_and_its_time_kept() {
    let (mut notifier, mut receiver) = (informer(PASSWORD), receiver(2, 5, seconds(0)));
    let mut now = seconds(2000);
    for (number, messages) in [(1, 3), (2, 1)] {
        notifier.notify(now, notification(number));
        assert_eq!(converse(&mut notifier, &mut receiver, now), messages, "of notification {number}");
        assert_eq!(notifier.poll_done(), Some((number, Outcome::Acknowledged)));
        now += seconds(3600);
    }
    assert_eq!(receiver.heard, [Value::Integer(1), Value::Integer(2)]);
    assert_eq!(notifier.counts().sent, 3, "one was said before its time was known");
}

#[test]
fn a_receiver_that_has_begun_anew_or_is_another_one_is_found_again() {
    let (mut notifier, mut before) = (informer(PASSWORD), receiver(2, 5, seconds(0)));
    let mut now = seconds(2000);
    let mut tell = |notifier: &mut Notifier, number, heard: &mut dyn FnMut(&mut Notifier, Duration)| {
        now += seconds(10);
        notifier.notify(now, notification(number));
        heard(notifier, now);
        assert_eq!(notifier.poll_done(), Some((number, Outcome::Acknowledged)), "{number}");
    };
    tell(&mut notifier, 1, &mut |notifier, now| assert_eq!(converse(notifier, &mut before, now), 3));
    let mut restarted = receiver(2, 6, seconds(2005));
    tell(&mut notifier, 2, &mut |notifier, now| assert_eq!(converse(notifier, &mut restarted, now), 2));
    let mut other = receiver(3, 1, seconds(0));
    tell(&mut notifier, 3, &mut |notifier, now| assert_eq!(converse(notifier, &mut other, now), 3));
    // One that has forgotten how often it has begun is believed when it has been away for long.
    let mut forgetful = receiver(3, 0, seconds(0));
    now += seconds(10);
    notifier.notify(now, notification(4));
    let mut tries = 0;
    while notifier.poll_done().is_none() {
        tries += 1;
        assert!(tries < 6, "{:?}", notifier.trouble());
        now = notifier.poll_timeout().unwrap().max(now);
        converse(&mut notifier, &mut forgetful, now);
    }
    assert_eq!(forgetful.heard, [Value::Integer(4)]);
}

#[test]
fn why_a_receiver_does_not_listen_is_known_and_it_is_told_when_it_does() {
    let (mut notifier, mut strict) = (informer("another password"), receiver(2, 5, seconds(0)));
    let mut now = seconds(2000);
    notifier.notify(now, notification(1));
    converse(&mut notifier, &mut strict, now);
    assert_eq!((notifier.trouble(), notifier.poll_done()), (Some(Trouble::WrongDigest), None));
    let mut stranger = receiver(2, 5, seconds(0));
    stranger.usm.set_up(Settings { engine: engine(2, 5), ..Settings::default() });
    now += seconds(1);
    converse(&mut notifier, &mut stranger, now);
    assert_eq!(notifier.trouble(), Some(Trouble::UnknownUser));
    assert!(strict.heard.is_empty() && stranger.heard.is_empty());
}

#[test]
fn no_change_of_any_byte_of_an_acknowledgement_is_believed_and_none_of_another_engine() {
    let (mut notifier, mut receiver) = (informer(PASSWORD), receiver(2, 5, seconds(0)));
    let now = seconds(2000);
    notifier.notify(now, notification(1));
    converse(&mut notifier, &mut receiver, now);
    assert!(notifier.poll_done().is_some());
    notifier.notify(now, notification(2));
    let inform = send(&mut notifier, now).unwrap();
    let acknowledgement = receiver.handle(now, &inform);
    for at in 0..acknowledgement.len() {
        for change in [1, 0x80] {
            let mut changed = acknowledgement.clone();
            changed[at] ^= change;
            notifier.handle(now, &changed);
            // The second lowest bit of msgMaxSize and the like are signed, too.
            assert_eq!(notifier.poll_done(), None, "byte {at}");
        }
    }
    let other = self::receiver(3, 5, seconds(0));
    let Ok(Message::V3(reader)) = Message::read(&inform) else { panic!("another version") };
    let incoming = Incoming::read(&inform, reader).unwrap();
    let forged =
        other.acknowledge(other.time(now), &incoming, incoming.open(&KEYS[1]).unwrap().pdu.request_id);
    notifier.handle(now, &forged);
    assert_eq!(notifier.poll_done(), None, "of another engine");
    notifier.handle(now + seconds(151), &acknowledgement);
    assert_eq!(notifier.poll_done(), None, "it is an old one");
    notifier.handle(now + seconds(150), &acknowledgement);
    assert_eq!(notifier.poll_done(), Some((2, Outcome::Acknowledged)));
}

#[test]
fn a_trap_of_version_3_is_signed_by_our_engine() {
    let mut notifier = told_with(Protocol::V3(credentials(PASSWORD), "blue".to_owned()), false);
    notifier.notify(seconds(160), notification(1));
    let trap = send(&mut notifier, seconds(160)).unwrap();
    let Ok(Message::V3(reader)) = Message::read(&trap) else { panic!("another version") };
    let incoming = Incoming::read(&trap, reader).unwrap();
    assert_eq!((incoming.engine, incoming.moment), (&engine(1, 0).id[..], (7, 60)));
    assert!(!incoming.reportable && KEYS[0].has_signed(&incoming));
    let scoped = incoming.open(&KEYS[0]).unwrap();
    assert_eq!((scoped.context, scoped.pdu.varbinds.len()), (b"blue".to_vec(), 3));
    assert_eq!(notifier.poll_done(), Some((1, Outcome::Sent)));
}
