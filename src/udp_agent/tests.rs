//! The agent in front of a small MIB, asked as net-snmp's tools ask; its decoder beside another one; and the notifier in front
//! of a receiver that is away, forgets, or is somebody else.

mod attack;
mod decoders;
mod notifier;
mod v3;

use std::{net::IpAddr, sync::Arc, time::Duration};

use agentx::{Access as Max, Column, Index, Oid, Scalar, Syntax, Table, Value, VarBind, View, mib::Change};
use rasn_snmp::{v2, v2c};

use super::*;
use crate::{
    snmp_wire::{Engine, Incoming, Kind, MAX_MESSAGE, Message, Passwords, Pdu, User, Version},
    usm_protocols::{Authentication, Privacy},
};

/// What a manager wrote last.
type Cell = std::sync::atomic::AtomicI32;

struct Rows {
    written: Arc<Cell>,
}

struct Order(Arc<Cell>, i32, i32);

impl Change for Order {
    fn commit(&mut self) -> Result<(), agentx::CommitFailed> {
        self.2 = self.0.swap(self.1, std::sync::atomic::Ordering::SeqCst);
        // 13 is refused when it is too late.
        if self.1 == 13 { Err(agentx::CommitFailed) } else { Ok(()) }
    }

    fn undo(&mut self) -> Result<(), agentx::UndoFailed> {
        self.0.store(self.2, std::sync::atomic::Ordering::SeqCst);
        Ok(())
    }
}

const ROOT: &str = "1.3.6.1.4.1.9586.100.5";

static SCALARS: [Scalar<Rows>; 2] = [
    Scalar::new(&[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1, 1], "version", Syntax::DisplayString, |_| {
        Some(Value::text("one"))
    }),
    Scalar {
        access: Max::ReadWrite,
        write: Some(|rows, (), value| match value {
            Value::Integer(to) => Ok(Box::new(Order(Arc::clone(&rows.written), *to, 0))),
            _ => Err(agentx::wire::ErrorCode::WrongType),
        }),
        ..Scalar::new(&[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1, 2], "written", Syntax::Integer32, |rows| {
            Some(Value::Integer(rows.written.load(std::sync::atomic::Ordering::SeqCst)))
        })
    },
];

static TABLE: Table<Rows, u32> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 3, 1],
    name: "entry",
    index: &[Index { name: "index", syntax: Syntax::Integer32, implied: false }],
    columns: &[
        Column::new(2, "name", Syntax::DisplayString, |_, row| Some(Value::text(format!("row {row}")))),
        Column::new(3, "much", Syntax::Counter64, |_, row| Some(Value::Counter64(u64::from(*row) << 40))),
        Column::new(4, "little", Syntax::Gauge32, |_, row| Some(Value::Gauge32(*row))),
    ],
    seek: |_, after, include| {
        let first = after.first().map_or(1, |row| if include && after.len() == 1 { *row } else { row + 1 });
        (first.max(1) <= 2000).then(|| (vec![first.max(1)], first.max(1)))
    },
};

fn agent(communities: Vec<Community>) -> Agent<impl agentx::Mib> {
    let rows = Arc::new(Rows { written: Arc::default() });
    let mib = View::new().scalars(&SCALARS).table(&TABLE).serve(move || Arc::clone(&rows));
    let identity = Identity {
        description: "Linux test".into(),
        object: vec![1, 3, 6, 1, 4, 1, 9586, 100, 5, 1000],
        modules: vec![Module { id: oid("1.3.6.1.6.3.1"), description: "SNMPv2-MIB".into() }],
        ..Identity::default()
    };
    let mut agent = Agent::new(mib, Duration::from_secs(100), 5);
    agent.set_up(Settings { identity: Arc::new(identity), communities, ..Settings::default() });
    agent
}

fn grant(write: bool) -> Grant {
    Grant { sources: Vec::new(), access: Access { subtrees: Arc::new(Subtrees::all()), write } }
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

fn under(suffix: &str) -> Oid {
    oid(&format!("{ROOT}.{suffix}"))
}

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// The varbinds of a request for these names.
fn names(names: &[Oid]) -> Vec<VarBind> {
    names.iter().map(|name| VarBind::new(name.clone(), Value::Null)).collect()
}

/// A request with this number.
fn request(version: Version, kind: Kind, (first, second): (i32, i32), varbinds: Vec<VarBind>) -> Vec<u8> {
    version.message(b"public", &Pdu { first, second, ..Pdu::new(kind, 77, varbinds) }).unwrap()
}

/// What came back: error-status, error-index and the varbinds, as the agent's own decoder has them.
fn read(answer: &[u8]) -> (i32, i32, Vec<VarBind>) {
    let Ok(Message::Community { pdu, version, .. }) = Message::read(answer) else { panic!("{answer:02x?}") };
    let pdu = version.pdu(pdu).unwrap();
    assert_eq!(pdu.request_id, 77);
    (pdu.first, pdu.second, pdu.varbinds)
}

fn ask<M: agentx::Mib>(agent: &mut Agent<M>, datagram: &[u8]) -> Option<(i32, i32, Vec<VarBind>)> {
    agent.handle(Duration::from_secs(160), LOCAL, datagram).map(|answer| read(&answer))
}

#[test]
fn get_and_getnext_as_each_version_has_them() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let get = |version, name: &str| request(version, Kind::Get, (0, 0), names(&[oid(name)]));
    let (.., found) = ask(&mut agent, &get(Version::V2c, "1.3.6.1.2.1.1.3.0")).unwrap();
    assert_eq!(found[0].value, Value::TimeTicks(6000));
    let (.., found) = ask(&mut agent, &get(Version::V2c, &format!("{ROOT}.1.1"))).unwrap();
    assert_eq!(found[0].value, Value::NoSuchInstance);
    let (.., found) = ask(&mut agent, &get(Version::V2c, &format!("{ROOT}.9.1"))).unwrap();
    assert_eq!(found[0].value, Value::NoSuchObject);
    let (error, index, found) = ask(&mut agent, &get(Version::V1, &format!("{ROOT}.9.1"))).unwrap();
    assert_eq!((error, index, &found[0].value), (2, 1, &Value::Null));
    let (error, index, _) = ask(&mut agent, &get(Version::V1, &format!("{ROOT}.2.3.1.3.1"))).unwrap();
    assert_eq!((error, index), (2, 1), "version 1 knows no Counter64");

    let next = |version, name: Oid| request(version, Kind::GetNext, (0, 0), names(&[name]));
    let (.., found) = ask(&mut agent, &next(Version::V1, under("2.3.1.2.2000"))).unwrap();
    assert_eq!(found[0].name, under("2.3.1.4.1"), "which it passes over");
    let (.., found) = ask(&mut agent, &next(Version::V2c, under("2.3.1.2.2000"))).unwrap();
    assert_eq!(found[0], VarBind::new(under("2.3.1.3.1"), Value::Counter64(1 << 40)));
    let (error, index, _) = ask(&mut agent, &next(Version::V1, oid("1.3.6.1.6.3.15.1.1.6.0"))).unwrap();
    assert_eq!((error, index), (2, 1));
    let (.., found) = ask(&mut agent, &next(Version::V2c, oid("1.3.6.1.6.3.15.1.1.6.0"))).unwrap();
    assert_eq!(found[0].value, Value::EndOfMibView);
}

#[test]
fn a_walk_passes_through_both_mibs_in_order() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let (mut at, mut seen) = (oid("1.3"), Vec::new());
    while let Some((0, _, found)) =
        ask(&mut agent, &request(Version::V2c, Kind::GetNext, (0, 0), names(&[at.clone()])))
        && found[0].value != Value::EndOfMibView
    {
        assert!(found[0].name > at, "{at} then {}", found[0].name);
        at = found[0].name.clone();
        seen.push(at.clone());
    }
    assert!(seen.contains(&oid("1.3.6.1.6.3.10.2.1.4.0")) && seen.contains(&oid("1.3.6.1.6.3.15.1.1.6.0")));
    assert_eq!(seen.first(), Some(&oid("1.3.6.1.2.1.1.1.0")));
    assert!(seen.contains(&oid("1.3.6.1.2.1.1.9.1.2.1")) && seen.contains(&oid("1.3.6.1.2.1.11.32.0")));
    assert_eq!(
        (seen.last(), seen.len()),
        (Some(&oid("1.3.6.1.6.3.15.1.1.6.0")), 8 + 3 + 8 + 2 + 3 * 2000 + 4 + 11)
    );
}

#[test]
fn getbulk_repeats_as_asked_and_ends_where_the_answer_is_full() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let asked = names(&[under("1.1"), under("2.3.1.2"), oid("1.3.6.1.6.3.15.1.1.5.0")]);
    let (.., found) = ask(&mut agent, &request(Version::V2c, Kind::GetBulk, (1, 3), asked.clone())).unwrap();
    let got: Vec<String> = found.iter().map(|found| found.name.to_string()).collect();
    let expected = ["1.1.0", "2.3.1.2.1", "last", "2.3.1.2.2", "last", "2.3.1.2.3", "last"];
    let last = "1.3.6.1.6.3.15.1.1.6.0";
    assert_eq!(got, expected.map(|name| if name == "last" { last.into() } else { format!("{ROOT}.{name}") }));
    assert_eq!(found[4].value, Value::EndOfMibView);

    let many = request(Version::V2c, Kind::GetBulk, (0, i32::MAX), asked);
    let answer = agent.handle(Duration::from_secs(160), LOCAL, &many).unwrap();
    assert!((65_300..=MAX_MESSAGE).contains(&answer.len()), "{}", answer.len());
    let (.., found) =
        ask(&mut agent, &request(Version::V2c, Kind::GetBulk, (5, 5), names(&[under("1.1")]))).unwrap();
    assert_eq!(found.len(), 1, "more non-repeaters than names");
    assert!(ask(&mut agent, &request(Version::V1, Kind::GetBulk, (0, 5), names(&[under("1.1")]))).is_none());
}

#[test]
fn who_may_be_anybody_is_not_sent_much_more_than_was_asked() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let asked = names(&[under("2.3.1.2"), under("2.3.1.3")]);
    let question = request(Version::V2c, Kind::GetBulk, (0, 1000), asked);
    let mut answered = |from: &str, question: &[u8]| {
        let answer = agent.handle(Duration::from_secs(160), from.parse().unwrap(), question).unwrap();
        (answer.len(), read(&answer).2.len())
    };
    let (bytes, cells) = answered("192.0.2.1", &question);
    assert!(bytes <= 4 * question.len() && cells >= 2, "{bytes} bytes for {}, {cells} cells", question.len());
    assert!(answered("127.0.0.1", &question).1 > 1000, "nobody sends from there but this host");
    let sources = vec![Prefix::new("192.0.2.0".parse().unwrap(), 24)];
    let far = Grant { sources, ..grant(false) };
    agent.set_up(Settings { communities: vec![Community::new("public", far)], ..Settings::default() });
    let answer = agent.handle(Duration::from_secs(160), "192.0.2.1".parse().unwrap(), &question).unwrap();
    assert!(read(&answer).2.len() > 1000, "it is this place that may ask");
    // What GetNext brings GetBulk does as well.
    let identity = Arc::new(Identity { description: "long ".repeat(50), ..Identity::default() });
    let communities = vec![Community::new("public", grant(false))];
    agent.set_up(Settings { identity, communities, ..Settings::default() });
    let long = request(Version::V2c, Kind::GetBulk, (0, 10), names(&[oid("1.3.6.1.2.1.1.1")]));
    let answer = agent.handle(Duration::from_secs(160), "192.0.2.1".parse().unwrap(), &long).unwrap();
    assert_eq!(read(&answer).2.len(), 1);
}

#[test]
fn what_does_not_fit_is_too_big() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let asked = names(&vec![oid("1.3.6.1.2.1.1.1.0"); 3000]);
    let (error, index, found) =
        ask(&mut agent, &request(Version::V2c, Kind::Get, (0, 0), asked.clone())).unwrap();
    assert_eq!((error, index, found.len()), (1, 0, 0));
    let (error, _, found) = ask(&mut agent, &request(Version::V1, Kind::Get, (0, 0), asked)).unwrap();
    assert_eq!((error, found.len()), (1, 3000), "version 1 sends the request back");
}

#[test]
fn set_is_all_or_nothing_and_only_for_who_may() {
    let set = |version, values: &[(Oid, Value)]| {
        let varbinds = values.iter().map(|(name, value)| VarBind::new(name.clone(), value.clone()));
        request(version, Kind::Set, (0, 0), varbinds.collect())
    };
    let written = || under("1.2.0");
    let mut reader = agent(vec![Community::new("public", grant(false))]);
    let good = set(Version::V2c, &[(written(), Value::Integer(5))]);
    assert_eq!(ask(&mut reader, &good).unwrap().0, 6, "noAccess");
    assert_eq!(ask(&mut reader, &set(Version::V1, &[(written(), Value::Integer(5))])).unwrap().0, 2);

    let mut writer = agent(vec![Community::new("public", grant(true))]);
    assert_eq!(ask(&mut writer, &good).unwrap(), (0, 0, vec![VarBind::new(written(), Value::Integer(5))]));
    for (values, error, first) in [
        (vec![(written(), Value::Integer(6)), (oid("1.3.6.1.2.1.1.5.0"), Value::text("x"))], (17, 2), (2, 2)),
        (vec![(written(), Value::Integer(6)), (under("1.1.0"), Value::text("x"))], (17, 2), (2, 2)),
        (vec![(written(), Value::text("x"))], (7, 1), (3, 1)),
        (vec![(written(), Value::Opaque(vec![1, 2]))], (7, 1), (3, 1)),
        (vec![(written(), Value::Integer(6)), (written(), Value::Integer(13))], (14, 0), (5, 0)),
    ] {
        let (status, index, echo) = ask(&mut writer, &set(Version::V2c, &values)).unwrap();
        assert_eq!((status, index), error, "{values:?}");
        assert_eq!(echo.len(), values.len());
        let (status, index, _) = ask(&mut writer, &set(Version::V1, &values)).unwrap();
        assert_eq!((status, index), first, "{values:?}");
    }
    let (.., found) =
        ask(&mut writer, &request(Version::V2c, Kind::Get, (0, 0), names(&[written()]))).unwrap();
    assert_eq!(found[0].value, Value::Integer(5), "nothing of what failed has stayed");
}

#[test]
fn who_may_not_ask_hears_nothing_and_is_counted() {
    let from = vec![Prefix::new("192.0.2.0".parse().unwrap(), 24)];
    let view = Subtrees::new([(oid("1.3.6.1.2.1"), true), (oid("1.3.6.1.2.1.1.9"), false)]);
    let far = Grant { sources: from, access: Access { subtrees: Arc::new(view), write: false } };
    let mut agent = agent(vec![Community::new("public", far)]);
    let get = request(Version::V2c, Kind::GetNext, (0, 0), names(&[oid("1.3.6.1.2.1.1.8")]));
    assert!(ask(&mut agent, &get).is_none(), "not from here");
    let there: IpAddr = "192.0.2.7".parse().unwrap();
    let mut ask =
        |datagram: &[u8]| agent.handle(Duration::from_secs(160), there, datagram).map(|answer| read(&answer));
    assert_eq!(ask(&get).unwrap().2[0].name, oid("1.3.6.1.2.1.1.8.0"));
    let next = request(Version::V2c, Kind::GetNext, (0, 0), names(&[oid("1.3.6.1.2.1.1.8.0")]));
    assert_eq!(ask(&next).unwrap().2[0].name, oid("1.3.6.1.2.1.11.1.0"), "sysORTable is not to be seen");
    let out = request(Version::V2c, Kind::GetNext, (0, 0), names(&[oid("1.3.6.1.2.1.11.32.0")]));
    assert_eq!(ask(&out).unwrap().2[0].value, Value::EndOfMibView);
    let hidden = request(Version::V2c, Kind::Get, (0, 0), names(&[under("1.1.0")]));
    assert_eq!(ask(&hidden).unwrap().2[0].value, Value::NoSuchObject);
    assert!(ask(b"\x30\x03\x02\x01\x02").is_none());
    assert!(ask(b"\x30\x02\x02\x01").is_none());
    let counted =
        (1..=6).filter(|number| *number != 2).map(|number| oid(&format!("1.3.6.1.2.1.11.{number}.0")));
    let (.., found) =
        ask(&request(Version::V2c, Kind::Get, (0, 0), names(&counted.collect::<Vec<_>>()))).unwrap();
    let found: Vec<_> = found.into_iter().map(|found| found.value).collect();
    assert_eq!(found, [8, 1, 1, 0, 1].map(Value::Counter32));
}

#[test]
fn the_answer_is_what_another_encoder_of_the_same_bytes_reads() {
    let mut agent = agent(vec![Community::new("public", grant(false))]);
    let get = request(Version::V2c, Kind::Get, (0, 0), names(&[under("2.3.1.4.7"), under("1.9")]));
    let answer = agent.handle(Duration::from_secs(160), LOCAL, &get).unwrap();
    let message: v2c::Message<v2::Pdus> = rasn::ber::decode(&answer).unwrap();
    let v2::Pdus::Response(v2::Response(pdu)) = message.data else { panic!("{message:?}") };
    assert_eq!(pdu.variable_bindings[1].value, v2::VarBindValue::NoSuchObject);
}
