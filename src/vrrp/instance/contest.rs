//! Contested mastership: what is known of a router that advertises as master while this one is, with a claim not
//! better than ours. It should give way; one that does not cannot hear us, or does not want to.
//!
//! The contest is shown in the status, and its begin and end are events in the stream of transitions. There is one
//! at a time, whoever takes part in it, and it lasts an advertisement interval at least. Whoever can put packets on the
//! link has one begin and end in each interval for ever, and each event is a line in the log and a record in the
//! journal, where it takes the place of a real transition: so only some are told. A contest that is not told when it
//! begins is told when it is still there as soon as one may be again: one that lasts never stays untold.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{Instance, Level, Matter, Timer};
use crate::{
    registry::{Change, Contest, ContestEnd, Counter, Peer, Reason},
    units::{Allowance, Priority, Time, master_down_interval},
    vrrp::{Action, validate::Accepted},
};

/// Contests told in a row, as when a bad link comes and goes.
const BURST: u32 = 10;
/// From one that is told to the next after that.
const PACE: Duration = Duration::from_secs(10);

/// Which contests are told in the stream of transitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    allowance: Allowance,
    /// The begin of the present contest has been told, and so its end has to be.
    is_told: bool,
}

impl Default for Telling {
    fn default() -> Self {
        Self { allowance: Allowance::new(BURST, PACE), is_told: false }
    }
}

impl Instance {
    /// A router that should give way has advertised.
    pub(super) fn note_rival(&mut self, now: Time, advert: &Accepted) {
        let own = self.settings.advert_interval;
        // What a router sends that we have just taken over from may have crossed our first advertisement.
        if self.contest.is_none() && now.since(self.since) < own {
            return;
        }
        let rival = Peer { address: advert.source, priority: advert.priority };
        let adverts = self.settings.down_timer_adverts;
        let silence = master_down_interval(self.settings.version, adverts, rival.priority, advert.interval);
        self.timers.set(Timer::ContestOver, now + silence.max(own));
        if let Some(contest) = &mut self.contest {
            contest.rival = rival;
            contest.heard += 1;
        } else {
            self.contest = Some(Contest { rival, since: now, heard: 1 });
            self.counters.add(Counter::Contest);
        }
        self.tell_contest(now, rival);
    }

    /// Says that there is a contest, once, when that may be said.
    fn tell_contest(&mut self, now: Time, rival: Peer) {
        if self.telling.is_told {
            return;
        }
        self.telling.is_told = self.telling.allowance.take(now);
        if self.telling.is_told {
            self.tell(Reason::Contested { rival: rival.address, priority: rival.priority });
            return;
        }
        self.log_limited(
            now,
            (Level::Warning, false),
            // One line, however many senders there are.
            (Ipv4Addr::UNSPECIFIED.into(), Matter::Contests),
            format_args!(
                "others have contested the mastership more than {BURST} times in a row: one contest in {} s is told",
                PACE.as_secs()
            ),
        );
    }

    /// Somebody released a mastership: the rival, when it is not heard again within an interval.
    pub(super) fn rival_released(&mut self, now: Time, sender: IpAddr) {
        if let (Some(contest), Some(over)) = (&mut self.contest, self.timers.get(Timer::ContestOver))
            && contest.rival.address == sender
        {
            contest.rival.priority = Priority::RELEASE;
            self.timers.set(Timer::ContestOver, over.min(now + self.settings.advert_interval));
        }
    }

    /// The contest is over. The switches may have believed the rival until now.
    pub(super) fn rival_silent(&mut self, now: Time) {
        let released = self.contest.is_some_and(|contest| contest.rival.priority == Priority::RELEASE);
        self.end_contest(if released { ContestEnd::Released } else { ContestEnd::Silent });
        self.announce_after_contest(now);
    }

    /// Forgets the contest, if there is one, and says so if its begin was told.
    pub(super) fn end_contest(&mut self, end: ContestEnd) {
        self.timers.stop(Timer::ContestOver);
        let is_told = std::mem::take(&mut self.telling.is_told);
        if let Some(contest) = self.contest.take()
            && is_told
        {
            let Contest { rival, heard, .. } = contest;
            self.tell(Reason::Uncontested { rival: rival.address, heard, end });
        }
    }

    /// Publishes an event that is no change of state.
    pub(super) fn tell(&mut self, reason: Reason) {
        let change = Change { from: self.state, to: self.state, reason, priority: self.priority };
        self.actions.push_back(Action::Transition(change));
    }
}
