//! Reports: what is said to who asks in SNMPv3 and cannot be answered (RFC 3412 §7.1 (3), RFC 3414 §3.2).

use std::{net::IpAddr, sync::Arc, time::Duration};

use agentx::{Mib, Oid, Value, VarBind};
use rasn_snmp::v2;

use super::{
    super::{
        encode::{self, Response},
        own::Counts,
        v3::{Incoming, Level},
    },
    Agent, count,
};

/// A Report is at most so many times as large as what it is about: whoever names another's address as the source of a small
/// question sends that one little.
const MOST_TIMES: usize = 3;

/// Why somebody is not answered; whoever has been identified by then, by place among the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownEngine,
    UnknownUser,
    UnsupportedLevel,
    WrongDigest,
    NotInTime(usize),
    Undecipherable,
    /// There is no PDU in it.
    Malformed,
    UnknownHandler(usize),
    UnknownContext(usize),
}

impl Refusal {
    /// The count of it, and that count's name; nobody is told of what is no message.
    fn counted(self, counts: &mut Counts) -> (&mut u32, &'static [u32]) {
        match self {
            Self::UnsupportedLevel => (&mut counts.unsupported_levels, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0]),
            Self::NotInTime(_) => (&mut counts.not_in_time, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0]),
            Self::UnknownUser => (&mut counts.unknown_users, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0]),
            Self::UnknownEngine => (&mut counts.unknown_engines, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0]),
            Self::WrongDigest => (&mut counts.wrong_digests, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0]),
            Self::Undecipherable => (&mut counts.undecipherable, &[1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0]),
            Self::UnknownHandler(_) => (&mut counts.unknown_handlers, &[1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0]),
            Self::UnknownContext(_) => (&mut counts.unknown_contexts, &[1, 3, 6, 1, 6, 3, 12, 1, 5, 0]),
            Self::Malformed => (&mut counts.malformed, &[]),
        }
    }
}

impl<M: Mib> Agent<M> {
    /// Counts a refusal, and reports it to who wants to hear of it.
    pub(super) fn report(
        &mut self,
        now: Duration,
        (source, asked): (IpAddr, usize),
        incoming: &Incoming<'_>,
        refusal: Refusal,
    ) -> Option<Vec<u8>> {
        let (counter, name) = refusal.counted(&mut self.counts);
        count(counter);
        let varbinds = vec![VarBind::new(Oid::try_from(name).ok()?, Value::Counter32(*counter))];
        let request_id = incoming.plain().map_or(0, |scoped| scoped.pdu.request_id);
        // By RFC 3414 §3.2 (7) who is late hears the time with a signature.
        let (user, level) = match refusal {
            Refusal::NotInTime(user) => (Some(user), Level::Signed),
            Refusal::UnknownHandler(user) | Refusal::UnknownContext(user) => (Some(user), incoming.level),
            _ => (None, Level::Plain),
        };
        let quiet =
            self.settings.engine.id.is_empty() || !incoming.reportable || refusal == Refusal::Malformed;
        if quiet || level == Level::Plain && !self.brake.lets(now, source) {
            return None;
        }
        let settings = Arc::clone(&self.settings);
        let user = user.and_then(|user| settings.users.get(user)).ok_or(incoming.user);
        let response = Response { request_id, varbinds, ..Response::default() };
        let envelope = self.envelope(now, incoming, &settings, (user, level), b"");
        let answer = envelope.seal(v2::Pdus::Report(v2::Report(encode::pdu(&response)?)));
        answer.filter(|answer| level > Level::Plain || answer.len() <= MOST_TIMES * asked)
    }
}
