//! A conversation with one agent: what is sent, and what comes of answers. No socket and no clock.
//!
//! In version 3 the agent's engine is discovered first, and then its time, which it must have signed (RFC 3414 §4).

use std::time::Duration;

use super::Credentials;
use crate::snmp_wire::{
    Engine, Envelope, Incoming, Kind, Level, Message, Pdu, Peer, Reader, Refusal, Version,
};

/// A conversation.
pub(super) struct Session(By);

/// Who asks.
enum By {
    Community(Version, Vec<u8>),
    User(Box<Usm>),
}

struct Usm {
    credentials: Credentials,
    context: Vec<u8>,
    /// The agent's engine, and the keys for it; unknown before the discovery.
    agent: Option<Peer>,
    /// Of the last message that was encrypted.
    salt: u64,
}

/// What comes of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The answer.
    Answer(Pdu),
    /// Something was learnt: the question is to be sent again.
    Again,
    /// It is of no use.
    Nothing,
}

impl Session {
    pub(super) fn of_community(version: Version, name: &[u8]) -> Self {
        Self(By::Community(version, name.to_vec()))
    }

    /// Nobody else should know the seed.
    pub(super) fn of_user(credentials: Credentials, context: &[u8], salt: u64) -> Self {
        let agent = None;
        Self(By::User(Box::new(Usm { credentials, context: context.to_vec(), agent, salt })))
    }

    /// What is to be sent for a question; `None` for one that cannot be written.
    pub(super) fn datagram(&mut self, now: Duration, asked: &Pdu) -> Option<Vec<u8>> {
        match &mut self.0 {
            By::Community(version, name) => version.message(name, asked),
            By::User(usm) => usm.datagram(now, asked),
        }
    }

    /// What a datagram from the agent says to a question.
    pub(super) fn hear(&mut self, now: Duration, asked: &Pdu, datagram: &[u8]) -> Result<Heard, Refusal> {
        match (&mut self.0, Message::read(datagram)) {
            (By::Community(version, name), Ok(Message::Community { version: of, community, pdu })) => {
                let is_ours = of == *version && community == &name[..];
                let pdu = of.pdu(pdu).ok().filter(|pdu| is_ours && answers(pdu, asked));
                Ok(pdu.map_or(Heard::Nothing, Heard::Answer))
            }
            (By::User(usm), Ok(Message::V3(reader))) => usm.hear(now, asked, datagram, reader),
            _ => Ok(Heard::Nothing),
        }
    }
}

/// Whether a PDU is the answer to a question.
fn answers(pdu: &Pdu, asked: &Pdu) -> bool {
    pdu.kind == Kind::Response && pdu.request_id == asked.request_id
}

impl Usm {
    fn datagram(&mut self, now: Duration, asked: &Pdu) -> Option<Vec<u8>> {
        let id = asked.request_id;
        let Some(Peer { engine, user, .. }) = &self.agent else {
            let (engine, level) = (&Engine::default(), Level::Plain);
            let (user, context, context_engine) = (Err(&b""[..]), &b""[..], &b""[..]);
            let discovery = Envelope { id, engine, time: 0, context_engine, user, level, context, salt: 0 };
            return discovery.seal(&Pdu::new(Kind::Get, id, Vec::new()));
        };
        self.salt = self.salt.wrapping_add(1);
        let (time, salt, level) = (self.agent.as_ref()?.time(now), self.salt, self.credentials.level);
        let (context_engine, context) = (&engine.id[..], &self.context[..]);
        Envelope { id, engine, time, context_engine, user: Ok(user), level, context, salt }.seal(asked)
    }

    fn hear(
        &mut self,
        now: Duration,
        asked: &Pdu,
        datagram: &[u8],
        reader: Reader<'_>,
    ) -> Result<Heard, Refusal> {
        let incoming = Incoming::read(datagram, reader).ok();
        let Some(incoming) = incoming.filter(|incoming| incoming.id == asked.request_id) else {
            return Ok(Heard::Nothing);
        };
        if self.agent.is_none() {
            return self.discover(&incoming);
        }
        let level = self.credentials.level;
        let Some(agent) = &mut self.agent else { return Ok(Heard::Nothing) };
        let is_signed = incoming.level > Level::Plain;
        let is_believed = incoming.engine == agent.engine.id
            && (!is_signed || agent.user.has_signed(&incoming) && agent.hears(now, incoming.moment));
        let Some(scoped) = is_believed.then(|| incoming.open(&agent.user)).flatten() else {
            return Ok(Heard::Nothing);
        };
        match scoped.pdu.kind {
            // What it has signed says what time it is there.
            Kind::Report => match Refusal::told_by(&scoped.pdu) {
                Some(Refusal::NotInTime) if is_signed => Ok(Heard::Again),
                Some(refusal) => Err(refusal),
                None => Ok(Heard::Nothing),
            },
            _ if incoming.level == level && answers(&scoped.pdu, asked) => Ok(Heard::Answer(scoped.pdu)),
            _ => Ok(Heard::Nothing),
        }
    }

    /// Learns from a Report which engine the agent is.
    fn discover(&mut self, incoming: &Incoming<'_>) -> Result<Heard, Refusal> {
        let report = incoming.plain().map(|scoped| scoped.pdu).filter(|pdu| pdu.kind == Kind::Report);
        match report.as_ref().and_then(Refusal::told_by) {
            Some(Refusal::UnknownEngine) if (5..=32).contains(&incoming.engine.len()) => {
                self.agent = Some(self.credentials.peer(incoming.engine));
                Ok(Heard::Again)
            }
            Some(Refusal::UnknownEngine) | None => Ok(Heard::Nothing),
            Some(refusal) => Err(refusal),
        }
    }
}
