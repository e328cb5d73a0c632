//! What a receiver says: that it has an inform, or, in SNMPv3, why it cannot hear it.

use std::time::Duration;

use super::{MOST_TURNS, Notifier, Outcome, Protocol, Trouble};
use crate::snmp_wire::{Engine, Incoming, Kind, Level, Message, Pdu, Peer, Refusal};

/// What an engine's id has at least (RFC 3411 §5).
const SHORTEST_ENGINE: usize = 5;
/// And at most.
const LONGEST_ENGINE: usize = 32;

impl Notifier {
    /// Takes a datagram from the receiver. What is not an answer to what was said changes nothing.
    pub fn handle(&mut self, now: Duration, datagram: &[u8]) {
        if !self.target.inform {
            return;
        }
        match (Message::read(datagram), &self.target.protocol) {
            (Ok(Message::Community { version, community, pdu }), Protocol::V2c(own))
                if community == own.as_bytes() =>
            {
                if let Ok(pdu) = version.pdu(pdu) {
                    self.hear_response(&pdu);
                }
            }
            (Ok(Message::V3(reader)), Protocol::V3(..)) => {
                if let Ok(incoming) = Incoming::read(datagram, reader) {
                    self.hear_v3(now, &incoming);
                }
            }
            _ => {}
        }
    }

    /// An acknowledgement, if it is one of what is on its way.
    fn hear_response(&mut self, pdu: &Pdu) {
        let is_of =
            |id| self.current.as_ref().is_some_and(|current| current.is_said && current.first_id == id);
        if pdu.kind == Kind::Response && is_of(pdu.request_id) {
            self.trouble = None;
            self.finish(match pdu.first {
                0 => Outcome::Acknowledged,
                error => Outcome::Refused(error),
            });
        }
    }

    fn hear_v3(&mut self, now: Duration, incoming: &Incoming<'_>) {
        let Some(current) = &self.current else { return };
        if !(current.first_id..=self.last_id).contains(&incoming.id) {
            return;
        }
        if incoming.level == Level::Plain {
            let Some(scoped) = incoming.plain() else { return };
            let can_sign = self.peer.as_ref().is_some_and(|peer| peer.user.level() > Level::Plain);
            match scoped.pdu.kind {
                Kind::Report => self.hear_report(incoming, &scoped.pdu, false),
                _ if !can_sign => self.hear_response(&scoped.pdu),
                _ => {}
            }
            return;
        }
        let Some(peer) = &mut self.peer else { return };
        let is_its = incoming.engine == peer.engine.id && peer.user.is_named(incoming.user);
        if !is_its || !peer.user.has_signed(incoming) || !peer.hears(now, incoming.moment) {
            return;
        }
        let Some(scoped) = incoming.open(&peer.user) else { return };
        match scoped.pdu.kind {
            Kind::Report => self.hear_report(incoming, &scoped.pdu, true),
            // What was said in private is answered in private (RFC 3412 §7.2.10).
            _ if incoming.level == peer.user.level() => self.hear_response(&scoped.pdu),
            _ => {}
        }
    }

    /// Why it was not heard (RFC 3414 §3.2). Only what is about time has to be signed, which nobody but the receiver knows.
    fn hear_report(&mut self, incoming: &Incoming<'_>, pdu: &Pdu, is_signed: bool) {
        match Refusal::told_by(pdu) {
            Some(Refusal::UnsupportedLevel) => self.trouble = Some(Trouble::UnsupportedLevel),
            // Its time is known by now.
            Some(Refusal::NotInTime) if is_signed => self.say_anew(),
            Some(Refusal::UnknownUser) => self.trouble = Some(Trouble::UnknownUser),
            Some(Refusal::UnknownEngine) => self.meet(incoming.engine),
            Some(Refusal::WrongDigest) => self.trouble = Some(Trouble::WrongDigest),
            Some(Refusal::Undecipherable) => self.trouble = Some(Trouble::Undecipherable),
            _ => {}
        }
    }

    /// The receiver's engine is this one.
    fn meet(&mut self, id: &[u8]) {
        let is_known = self.peer.as_ref().is_some_and(|peer| peer.engine.id == id);
        let Protocol::V3(credentials, _) = &self.target.protocol else { return };
        if is_known || !(SHORTEST_ENGINE..=LONGEST_ENGINE).contains(&id.len()) {
            return;
        }
        let engine = Engine { id: id.to_vec(), boots: 0 };
        let user = credentials.user(&engine, &mut self.keys);
        self.peer = Some(Peer::new(engine, user));
        self.say_anew();
    }

    fn say_anew(&mut self) {
        if let Some(current) = self.current.as_mut().filter(|current| current.turns < MOST_TURNS) {
            current.turns += 1;
            (current.due, current.is_turn) = (Duration::ZERO, true);
        }
    }
}
