//! The agent: a datagram in, at most one out.

mod repeats;
mod reports;

use std::{net::IpAddr, sync::Arc, time::Duration};

use agentx::Mib;

use self::{repeats::Repeats, reports::MOST_TIMES};
use super::{
    access::{Access, Community, Grant},
    brake::Brake,
    objects::Objects,
    operations::{Request, Room},
    own::{Counts, Identity, Own},
};
use crate::snmp_wire::{
    self, AROUND, Engine, Envelope, Incoming, Kind, Level, MAX_MESSAGE, Message, Pdu, Reader, Refusal,
    Scoped, Unreadable, User, Version,
};

/// An agent for the objects of `M`: no socket, no clock. Time is since the beginning of the clock that its owner goes by.
pub struct Agent<M: Mib> {
    objects: Objects<M>,
    settings: Arc<Settings>,
    /// When sysUpTime and snmpEngineTime were 0.
    began: Duration,
    counts: Counts,
    brake: Brake,
    repeats: Repeats,
    /// Of the last message that was encrypted.
    salt: u64,
}

/// Who may ask, and what they are told of the agent itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The system group.
    pub identity: Arc<Identity>,
    /// Who asks in SNMPv1 and v2c.
    pub communities: Vec<Community>,
    /// Who asks in SNMPv3, and what that gives.
    pub users: Vec<(User, Grant)>,
    /// The engine, for which the users' keys are made.
    pub engine: Arc<Engine>,
    /// The context that is there beside the default one; empty for none.
    pub context: Vec<u8>,
}

impl<M: Mib> Agent<M> {
    /// Nobody may ask it yet. The seed is for what nobody should foresee.
    pub fn new(mib: M, began: Duration, seed: u64) -> Self {
        let (settings, counts, repeats) = Default::default();
        let (objects, brake) = (Objects::new(mib), Brake::new(seed));
        Self { objects, settings, began, counts, brake, repeats, salt: seed }
    }

    /// From now on this holds. What was counted stays.
    pub fn set_up(&mut self, settings: Settings) {
        self.settings = Arc::new(settings);
    }

    /// The answer to a datagram from `source`, if it gets one: who may not ask hears nothing, or a Report of SNMPv3.
    pub fn handle(&mut self, now: Duration, source: IpAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        count(&mut self.counts.packets);
        match Message::read(datagram) {
            Ok(Message::Community { version, community, pdu }) => {
                self.community(now, (source, datagram.len()), (version, community), pdu)
            }
            Ok(Message::V3(reader)) => self.v3(now, source, datagram, reader),
            Ok(Message::Unknown) => {
                count(&mut self.counts.bad_versions);
                None
            }
            Err(_) => {
                count(&mut self.counts.malformed);
                None
            }
        }
    }

    fn community(
        &mut self,
        now: Duration,
        (source, asked): (IpAddr, usize),
        (version, name): (Version, &[u8]),
        pdu: Reader<'_>,
    ) -> Option<Vec<u8>> {
        let settings = Arc::clone(&self.settings);
        let named = settings.communities.iter().filter(|known| known.is_named(name));
        let Some(grant) = named.map(|known| &known.grant).find(|grant| grant.holds_for(source)) else {
            count(&mut self.counts.bad_names);
            return None;
        };
        let Ok(pdu) = version.pdu(pdu) else {
            count(&mut self.counts.malformed);
            return None;
        };
        if pdu.kind == Kind::Set && !grant.access.write {
            count(&mut self.counts.bad_uses);
        }
        let room = MAX_MESSAGE.saturating_sub(AROUND + name.len());
        let room = rooms(room, (source, asked), grant, Level::Plain);
        let response = self.answer(now, pdu, &grant.access, version, room)?;
        let answer = version.message(name, &response).filter(|answer| answer.len() <= MAX_MESSAGE);
        if answer.is_none() {
            count(&mut self.counts.dropped);
        }
        answer
    }

    /// RFC 3412 §7.2 with the security model of RFC 3414.
    fn v3(&mut self, now: Duration, source: IpAddr, datagram: &[u8], reader: Reader<'_>) -> Option<Vec<u8>> {
        let incoming = match Incoming::read(datagram, reader) {
            Ok(incoming) => incoming,
            Err(why) => {
                count(match why {
                    Unreadable::Malformed => &mut self.counts.malformed,
                    Unreadable::OtherModel => &mut self.counts.unknown_models,
                    Unreadable::Invalid => &mut self.counts.invalid_messages,
                });
                return None;
            }
        };
        let settings = Arc::clone(&self.settings);
        let is_asker =
            |(user, grant): &&(User, Grant)| user.is_named(incoming.user) && grant.holds_for(source);
        let asker = settings.users.iter().find(is_asker);
        let user = asker.map(|(user, _)| user);
        match (self.open(now, &incoming, user), asker) {
            (Ok(scoped), Some(asker)) => {
                self.serve(now, (source, datagram.len()), (&incoming, scoped), asker)
            }
            (Ok(_), None) => None,
            (Err(refusal), _) => self.report(now, (source, datagram.len()), (&incoming, user), refusal),
        }
    }

    /// What is asked, if it is by who it says, and of what is here.
    fn open(&self, now: Duration, incoming: &Incoming<'_>, user: Option<&User>) -> Result<Scoped, Refusal> {
        let Settings { engine, context, .. } = &*self.settings;
        let time = Engine::time(now.saturating_sub(self.began));
        let scoped = snmp_wire::open(engine, time, user, incoming)?;
        if scoped.engine != engine.id {
            return Err(Refusal::UnknownHandler);
        }
        if !scoped.context.is_empty() && scoped.context != *context {
            return Err(Refusal::UnknownContext);
        }
        Ok(scoped)
    }

    fn serve(
        &mut self,
        now: Duration,
        (source, asked): (IpAddr, usize),
        (incoming, scoped): (&Incoming<'_>, Scoped),
        (user, grant): &(User, Grant),
    ) -> Option<Vec<u8>> {
        if !scoped.pdu.kind.is_request() {
            return None;
        }
        let settings = Arc::clone(&self.settings);
        let names = 2 * settings.engine.id.len() + incoming.user.len() + scoped.context.len();
        let most = MAX_MESSAGE.min(incoming.max_size);
        let room = most.saturating_sub(2 * AROUND + 64 + names);
        let Scoped { pdu, context, .. } = scoped;
        let is_signed_set = pdu.kind == Kind::Set && incoming.level > Level::Plain;
        if is_signed_set && let Some(before) = self.repeats.answer(now, incoming.signature) {
            return Some(before);
        }
        let response = if incoming.level < user.level() {
            // Whoever can do better must (RFC 3415 §3.2: there is no access at this level).
            if incoming.level == Level::Plain && !self.brake.lets(now, source) {
                return None;
            }
            Pdu { kind: Kind::Response, first: AUTHORIZATION_ERROR, second: 0, ..pdu }
        } else {
            let room = rooms(room, (source, asked), grant, incoming.level);
            self.answer(now, pdu, &grant.access, Version::V2c, room)?
        };
        let envelope = self.envelope(now, incoming, &settings, (Ok(user), incoming.level), &context);
        let answer = envelope.seal(&response).filter(|answer| answer.len() <= most);
        match &answer {
            Some(answer) if is_signed_set => self.repeats.keep(now, incoming.signature, answer),
            Some(_) => {}
            None => count(&mut self.counts.dropped),
        }
        answer
    }

    /// What an answer to a message says beside its content.
    fn envelope<'a>(
        &mut self,
        now: Duration,
        incoming: &Incoming<'a>,
        settings: &'a Settings,
        (user, level): (Result<&'a User, &'a [u8]>, Level),
        context: &'a [u8],
    ) -> Envelope<'a> {
        self.salt = self.salt.wrapping_add(1);
        let time = Engine::time(now.saturating_sub(self.began));
        let (engine, salt) = (&*settings.engine, self.salt);
        let (id, context_engine) = (incoming.id, &*engine.id);
        Envelope { id, engine, time, context_engine, user, level, context, salt }
    }

    fn answer(&self, now: Duration, pdu: Pdu, access: &Access, version: Version, room: Room) -> Option<Pdu> {
        let up = now.saturating_sub(self.began);
        let own = Own {
            identity: Arc::clone(&self.settings.identity),
            engine: Arc::clone(&self.settings.engine),
            counts: self.counts,
            uptime: ticks(up),
            time: Engine::time(up),
        };
        let moment = self.objects.moment(own);
        Request { objects: &self.objects, moment: &moment, access, version, room }.answer(pdu)
    }
}

/// Of the room that there is in an answer, what somebody gets who has asked with so many bytes. Who proves nothing, and may ask
/// from everywhere, may be somebody else than the source says: that one is not sent much more than was asked.
fn rooms(any: usize, (source, asked): (IpAddr, usize), grant: &Grant, level: Level) -> Room {
    let is_known = level > Level::Plain || !grant.is_everywhere() || source.is_loopback();
    Room { any, bulk: if is_known { any } else { any.min(MOST_TIMES * asked) } }
}

/// authorizationError (RFC 3416 §3).
const AUTHORIZATION_ERROR: i32 = 16;

/// A Counter32 wraps.
fn count(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}

/// TimeTicks: they wrap after 497 days.
pub(super) fn ticks(time: Duration) -> u32 {
    u32::try_from((time.as_millis() / 10) & u128::from(u32::MAX)).unwrap_or(0)
}
