//! What a BACKUP does: wait, and judge the master it hears (RFC 9568 §6.4.2).

use std::net::IpAddr;

use super::{Instance, Matter, Timer};
use crate::{
    registry::{Peer, Reason, State},
    units::{Priority, Time, skew_time},
    vrrp::validate::Accepted,
};

impl Instance {
    /// Enters BACKUP and waits the whole master down interval of our own interval.
    pub(super) fn become_backup(&mut self, now: Time, reason: Reason) {
        self.master = None;
        self.takeover = Reason::NoMaster;
        self.master_interval = self.settings.advert_interval;
        self.wait_as_backup(now, reason);
    }

    /// Enters BACKUP below a master that was just heard, at its interval.
    pub(super) fn become_backup_of(&mut self, now: Time, advert: &Accepted, reason: Reason) {
        self.follow_master(now, advert);
        self.wait_as_backup(now, reason);
    }

    fn wait_as_backup(&mut self, now: Time, reason: Reason) {
        self.tolerate_until = None;
        self.ready = false;
        self.storm.claimed(now);
        self.change(now, State::Backup, reason);
        let begin = now.max(self.quiet_until);
        self.timers.set(Timer::MasterDown, begin + self.master_down_interval());
    }

    /// An advertisement was heard while BACKUP.
    pub(super) fn heard_as_backup(&mut self, now: Time, advert: &Accepted) {
        let sender = advert.source;
        self.reclaim_ownership(now, advert);
        if advert.priority == Priority::RELEASE {
            self.heard_release(now, sender);
            return;
        }
        let is_lower = advert.priority < self.priority;
        if is_lower && !self.tolerates_lower(now) {
            // RFC 9568 §6.4.2 (6.4.2-10): the timer keeps running, so that we take over when it expires.
            let priority = advert.priority;
            self.master = Some(Peer { address: sender, priority });
            self.takeover = Reason::Preempted { master: sender, priority };
            self.complain(
                now,
                (sender, Matter::LowerPriority),
                format_args!("received lower priority ({priority}) advert from {sender} - discarding"),
            );
            return;
        }
        // RFC 9568 §6.4.2 (6.4.2-9); no comparison of addresses here (6.4.2-11).
        if !is_lower {
            self.tolerate_until = None;
        }
        self.follow_master(now, advert);
        self.timers.set(Timer::MasterDown, now + self.master_down_interval());
    }

    /// RFC 9568 §6.4.2 (6.4.2-8). The timer is never prolonged: a stream of releases would hold it up for ever.
    fn heard_release(&mut self, now: Time, master: IpAddr) {
        self.detail(
            now,
            (master, Matter::Released),
            format_args!("Backup received priority 0 advertisement"),
        );
        self.takeover = Reason::MasterReleased { master };
        let skew_over = now + skew_time(self.settings.version, self.skew_priority(), self.master_interval);
        let down = self.timers.get(Timer::MasterDown).map_or(skew_over, |down| down.min(skew_over));
        self.timers.set(Timer::MasterDown, down);
    }

    fn follow_master(&mut self, now: Time, advert: &Accepted) {
        self.storm.claimed(now);
        self.wanted = State::Backup;
        self.ready = false;
        self.adopt_interval(now, advert);
        self.master = Some(Peer { address: advert.source, priority: advert.priority });
        self.takeover = Reason::MasterDown { master: advert.source };
    }

    /// Whether a master of lower priority is left alone: without preemption always, with `preempt_delay` for
    /// that long since the first one was heard.
    fn tolerates_lower(&mut self, now: Time) -> bool {
        if !self.settings.preempt || self.stands_aside() {
            return true;
        }
        if self.settings.preempt_delay.is_zero() {
            return false;
        }
        now < *self.tolerate_until.get_or_insert(now + self.settings.preempt_delay)
    }

    /// An owner that conceded takes its priority back when the other owner is gone or has conceded itself.
    fn reclaim_ownership(&mut self, now: Time, advert: &Accepted) {
        let same_owner = advert.priority == Priority::OWNER
            && self.master.is_some_and(|master| master.address == advert.source);
        if self.conceded && !same_owner {
            self.conceded = false;
            self.update_priority(now);
        }
    }
}
