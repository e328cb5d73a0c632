//! What arrives of notifications, and what is answered. No socket and no clock.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use agentx::{Oid, Value, VarBind};

use super::Credentials;
use crate::snmp_wire::{
    self, Engine, Envelope, Incoming, Kind, Level, Message, Pdu, Peer, Reader, Refusal, Scoped, TrapV1, User,
    Version,
};

/// sysUpTime.0 and snmpTrapOID.0, the first two objects of a notification.
const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

/// How many senders of version 3 are remembered with their time.
const SENDERS: usize = 4096;

/// One who listens.
pub(super) struct Receiver {
    /// The only one that is believed, if there is one.
    community: Option<Vec<u8>>,
    usm: Option<Usm>,
}

/// Who is believed in version 3.
struct Usm {
    credentials: Credentials,
    /// This side's engine, which informs are for, and when it began.
    engine: Engine,
    began: Duration,
    user: User,
    /// Engines that send traps, each with its own keys.
    senders: HashMap<Vec<u8>, Peer>,
    /// Of the last message that was encrypted.
    salt: u64,
    /// Reports so far.
    reports: u32,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notification {
    pub(super) version: &'static str,
    /// Whether its sender waits for an acknowledgement.
    pub(super) is_inform: bool,
    /// Whom version 1 says that it is about.
    pub(super) agent: Option<Ipv4Addr>,
    pub(super) id: Oid,
    /// sysUpTime there.
    pub(super) uptime: u32,
    pub(super) varbinds: Vec<VarBind>,
}

/// What comes of a datagram.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) notification: Option<Notification>,
    /// What its sender is sent.
    pub(super) answer: Option<Vec<u8>>,
}

impl Receiver {
    /// Nobody else should know the seed.
    pub(super) fn new(
        now: Duration,
        salt: u64,
        community: Option<&str>,
        credentials: Option<Credentials>,
    ) -> Self {
        let usm = credentials.map(|mut credentials| {
            let engine = Engine::passing();
            let user = credentials.user(&engine);
            Usm { credentials, engine, began: now, user, senders: HashMap::new(), salt, reports: 0 }
        });
        Self { community: community.map(|name| name.as_bytes().to_vec()), usm }
    }

    pub(super) fn handle(&mut self, now: Duration, datagram: &[u8]) -> Heard {
        match Message::read(datagram) {
            Ok(Message::Community { version, community, pdu }) => {
                let is_believed = self.community.as_ref().is_none_or(|known| known == community);
                if is_believed { of_community(version, community, pdu) } else { Heard::default() }
            }
            Ok(Message::V3(reader)) => match (&mut self.usm, Incoming::read(datagram, reader)) {
                (Some(usm), Ok(incoming)) => usm.hear(now, &incoming),
                _ => Heard::default(),
            },
            _ => Heard::default(),
        }
    }
}

fn of_community(version: Version, community: &[u8], pdu: Reader<'_>) -> Heard {
    if version == Version::V1 {
        let notification = TrapV1::read(pdu).ok().and_then(of_first_version);
        return Heard { notification, answer: None };
    }
    let notification = version.pdu(pdu).ok().and_then(|pdu| Some((notification("v2c", &pdu)?, pdu)));
    let Some((notification, pdu)) = notification else { return Heard::default() };
    let answer = notification.is_inform.then(|| version.message(community, &acknowledgement(pdu))).flatten();
    Heard { notification: Some(notification), answer }
}

fn of_first_version(trap: TrapV1) -> Option<Notification> {
    let (id, agent) = (trap.id()?, Some(trap.agent.into()));
    let TrapV1 { time: uptime, varbinds, .. } = trap;
    Some(Notification { version: "v1", is_inform: false, agent, id, uptime, varbinds })
}

/// RFC 3416 §4.2.6 and §4.2.7.
fn notification(version: &'static str, pdu: &Pdu) -> Option<Notification> {
    let is_inform = match pdu.kind {
        Kind::Inform => true,
        Kind::Trap => false,
        _ => return None,
    };
    let [up, trap, varbinds @ ..] = &pdu.varbinds[..] else { return None };
    match (&up.value, &trap.value) {
        (Value::TimeTicks(uptime), Value::ObjectIdentifier(id))
            if up.name.subids() == SYS_UP_TIME && trap.name.subids() == SNMP_TRAP_OID =>
        {
            let (id, uptime, varbinds) = (id.clone(), *uptime, varbinds.to_vec());
            Some(Notification { version, is_inform, agent: None, id, uptime, varbinds })
        }
        _ => None,
    }
}

/// The answer to an inform: the same again.
fn acknowledgement(inform: Pdu) -> Pdu {
    Pdu { kind: Kind::Response, first: 0, second: 0, ..inform }
}

impl Usm {
    fn hear(&mut self, now: Duration, incoming: &Incoming<'_>) -> Heard {
        if incoming.engine.is_empty() || incoming.engine == self.engine.id {
            return self.inform(now, incoming);
        }
        let notification = self.trap(now, incoming).and_then(|pdu| notification("v3", &pdu));
        Heard { notification: notification.filter(|trap| !trap.is_inform), answer: None }
    }

    /// What is said to this engine: informs, and the questions for its id and time before them.
    fn inform(&mut self, now: Duration, incoming: &Incoming<'_>) -> Heard {
        let time = Engine::time(now.saturating_sub(self.began));
        let known = self.user.is_named(incoming.user).then_some(&self.user);
        match snmp_wire::open(&self.engine, time, known, incoming) {
            // Whoever could have signed and has not may be anybody.
            Ok(_) if incoming.level < self.credentials.level => Heard::default(),
            Ok(Scoped { engine, context, pdu }) => {
                let notification = notification("v3", &pdu).filter(|notification| notification.is_inform);
                let answer = notification.is_some().then(|| {
                    let user = Ok(self.user.clone());
                    self.seal(
                        time,
                        incoming,
                        (user, incoming.level),
                        (&engine, &context),
                        &acknowledgement(pdu),
                    )
                });
                Heard { notification, answer: answer.flatten() }
            }
            Err(refusal) => Heard { notification: None, answer: self.report(time, incoming, refusal) },
        }
    }

    fn report(&mut self, time: u32, incoming: &Incoming<'_>, refusal: Refusal) -> Option<Vec<u8>> {
        self.reports = self.reports.wrapping_add(1);
        let report = refusal.report(incoming, self.reports)?;
        let user = if self.user.is_named(incoming.user) { Ok(self.user.clone()) } else { Err(incoming.user) };
        let context = (&*self.engine.id.clone(), &b""[..]);
        self.seal(time, incoming, (user, refusal.level(incoming.level)), context, &report)
    }

    fn seal(
        &mut self,
        time: u32,
        incoming: &Incoming<'_>,
        (user, level): (Result<User, &[u8]>, Level),
        (context_engine, context): (&[u8], &[u8]),
        pdu: &Pdu,
    ) -> Option<Vec<u8>> {
        self.salt = self.salt.wrapping_add(1);
        let (id, engine, salt) = (incoming.id, &self.engine, self.salt);
        let user = user.as_ref().map_err(|name| *name);
        Envelope { id, engine, time, context_engine, user, level, context, salt }.seal(pdu)
    }

    /// What another engine says, if it is believed. That is remembered, so that it is not said again much later.
    fn trap(&mut self, now: Duration, incoming: &Incoming<'_>) -> Option<Pdu> {
        let level = self.credentials.level;
        if incoming.user != self.credentials.name.as_bytes() || incoming.level != level {
            return None;
        }
        let known = self.senders.remove(incoming.engine);
        let mut sender = known.unwrap_or_else(|| self.credentials.peer(incoming.engine));
        let is_believed = level == Level::Plain || sender.user.has_signed(incoming);
        let is_timely = is_believed && (level == Level::Plain || sender.hears(now, incoming.moment));
        let pdu = is_timely.then(|| incoming.open(&sender.user)).flatten().map(|scoped| scoped.pdu);
        if is_believed && self.senders.len() < SENDERS {
            self.senders.insert(incoming.engine.to_vec(), sender);
        }
        pdu
    }
}
