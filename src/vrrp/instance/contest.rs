//! Contested mastership: what is known of a router that advertises as master while this one is, with a claim not
//! better than ours. It should give way; one that does not cannot hear us, or does not want to.
//!
//! The contest is shown in the status, and its begin and end are events in the stream of transitions. There is one
//! at a time, whoever takes part in it, and it lasts an advertisement interval at least: whatever is sent at us, the
//! stream gets two events an interval at most.

use std::net::IpAddr;

use super::{Instance, Timer};
use crate::{
    registry::{Change, Contest, ContestEnd, Counter, Peer, Reason},
    units::{Priority, Time},
    vrrp::{Action, election::master_down_interval, validate::Accepted},
};

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
            return;
        }
        self.contest = Some(Contest { rival, since: now, heard: 1 });
        self.counters.add(Counter::Contest);
        self.tell(Reason::Contested { rival: rival.address, priority: rival.priority });
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

    /// Forgets the contest, if there is one, and says so.
    pub(super) fn end_contest(&mut self, end: ContestEnd) {
        self.timers.stop(Timer::ContestOver);
        if let Some(contest) = self.contest.take() {
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
