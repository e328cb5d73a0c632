//! Datagrams of nobody who means well: messages of every version, changed, cut off and repeated, and plain noise. `ATTACK` of the
//! environment says how many; without it as many as a usual test run has time for.

use std::env;

use super::{v3::USERS, *};
use crate::snmp_wire::{Envelope, Level};

const USUAL: u64 = 50_000;

/// The same numbers every time (SplitMix64).
struct Noise(u64);

impl Noise {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }
}

/// Messages that make sense: questions, a SET, a response, a discovery, and questions that are signed and encrypted.
fn good(engine: &Engine) -> Vec<Vec<u8>> {
    let set = vec![VarBind::new(under("1.2.0"), Value::Integer(66))];
    let mut messages = vec![
        request(Version::V1, Kind::Get, (0, 0), names(&[under("1.1.0")])),
        request(Version::V1, Kind::GetNext, (0, 0), names(&[oid("1.3"), under("2.3.1.2")])),
        request(Version::V2c, Kind::GetBulk, (1, 5), names(&[under("1"), under("2.3.1.2")])),
        request(Version::V2c, Kind::Set, (0, 0), set.clone()),
        request(Version::V2c, Kind::Response, (0, 0), set.clone()),
    ];
    let empty = Engine::default();
    for (place, level, kind, engine) in [
        (2, Level::Plain, Kind::Get, &empty),
        (2, Level::Plain, Kind::GetNext, engine),
        (0, Level::Signed, Kind::GetBulk, engine),
        (1, Level::Private, Kind::Set, engine),
    ] {
        let (user, context_engine, context) = (Ok(&USERS[place].0), &engine.id[..], &b""[..]);
        let envelope = Envelope { id: 5, engine, time: 60, context_engine, user, level, context, salt: 7 };
        messages.push(envelope.seal(&Pdu { second: 3, ..Pdu::new(kind, 77, set.clone()) }).unwrap());
    }
    messages
}

/// One of them, no longer as it was.
fn changed(messages: &[Vec<u8>], noise: &mut Noise) -> Vec<u8> {
    let mut bytes = messages[noise.below(messages.len())].clone();
    for _ in 0..=noise.below(4) {
        let at = noise.below(bytes.len());
        match noise.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.splice(at..at, [0x84, 0xff, 0xff, 0xff, 0xff]).for_each(drop),
            2 => bytes.splice(at..at, [0x30, 0x80].repeat(1 + noise.below(600))).for_each(drop),
            3 => bytes.extend_from_within(at..),
            4 => bytes = (0..noise.below(300)).map(|_| noise.byte()).collect(),
            _ => {
                let byte = noise.byte();
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
    bytes.truncate(MAX_MESSAGE);
    bytes
}

#[test]
fn no_datagram_harms_it_and_who_may_ask_is_answered_all_the_while() {
    let count = env::var("ATTACK").map_or(USUAL, |count| count.parse().unwrap());
    let mut agent = agent(Vec::new());
    let engine = Arc::new(Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 1, 2, 3], boots: 4 });
    agent.set_up(Settings {
        communities: vec![Community::new("public", grant(false))],
        users: USERS.clone(),
        engine: Arc::clone(&engine),
        ..Settings::default()
    });
    let (messages, mut noise, mut answers) = (good(&engine), Noise(5), 0);
    let question = request(Version::V2c, Kind::Get, (0, 0), names(&[under("1.2.0")]));
    let stranger: IpAddr = "192.0.2.66".parse().unwrap();
    for number in 0..count {
        let datagram = changed(&messages, &mut noise);
        // A thousand of them in a second.
        let now = Duration::from_secs(160) + Duration::from_millis(number % 100_000);
        let answer = agent.handle(now, stranger, &datagram);
        answers += u64::from(answer.is_some());
        assert!(answer.is_none_or(|answer| answer.len() <= MAX_MESSAGE), "{datagram:02x?}");
        if number % 1000 == 0 {
            let (error, _, found) = ask(&mut agent, &question).unwrap();
            assert_eq!((error, &found[0].value), (0, &Value::Integer(0)), "nobody who may has written");
        }
    }
    assert!(answers < count / 2, "{answers} of {count} were answered");
    println!("{count} datagrams, {answers} answers");
}
