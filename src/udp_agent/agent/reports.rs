//! Reports: what is said to who asks in SNMPv3 and cannot be answered.

use std::{net::IpAddr, sync::Arc, time::Duration};

use agentx::Mib;

use super::{super::own::Counts, Agent, count};
use crate::snmp_wire::{Incoming, Level, Refusal, User};

/// What is said to who proves nothing is at most so many times as large as what it is about: whoever names another's address as
/// the source of a small question sends that one little.
pub(super) const MOST_TIMES: usize = 3;

/// The count of a refusal.
fn counted(refusal: Refusal, counts: &mut Counts) -> &mut u32 {
    match refusal {
        Refusal::UnsupportedLevel => &mut counts.unsupported_levels,
        Refusal::NotInTime => &mut counts.not_in_time,
        Refusal::UnknownUser => &mut counts.unknown_users,
        Refusal::UnknownEngine => &mut counts.unknown_engines,
        Refusal::WrongDigest => &mut counts.wrong_digests,
        Refusal::Undecipherable => &mut counts.undecipherable,
        Refusal::UnknownHandler => &mut counts.unknown_handlers,
        Refusal::UnknownContext => &mut counts.unknown_contexts,
        Refusal::Malformed => &mut counts.malformed,
    }
}

impl<M: Mib> Agent<M> {
    /// Counts a refusal, and reports it to who wants to hear of it.
    pub(super) fn report(
        &mut self,
        now: Duration,
        (source, asked): (IpAddr, usize),
        (incoming, user): (&Incoming<'_>, Option<&User>),
        refusal: Refusal,
    ) -> Option<Vec<u8>> {
        let counter = counted(refusal, &mut self.counts);
        count(counter);
        let report = refusal.report(incoming, *counter)?;
        let level = refusal.level(incoming.level);
        let is_silent = self.settings.engine.id.is_empty();
        // What is not of now may be what somebody else has heard before, and says again.
        let is_proven = level > Level::Plain && refusal != Refusal::NotInTime;
        if is_silent || !is_proven && !self.brake.lets(now, source) {
            return None;
        }
        let settings = Arc::clone(&self.settings);
        let user = user.ok_or(incoming.user);
        let answer = self.envelope(now, incoming, &settings, (user, level), b"").seal(&report);
        answer.filter(|answer| level > Level::Plain || answer.len() <= MOST_TIMES * asked)
    }
}
