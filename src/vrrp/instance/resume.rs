//! A mastership that outlives its process: the engine was killed and is back before anybody can have noticed.
//!
//! The addresses are still in place, and no backup takes over before it has missed the third advertisement. Within the first
//! two the router goes on as MASTER, where a start as BACKUP would have handed a service over that has lost nothing.

use std::time::Duration;

use super::{Action, Instance, Timer};
use crate::{
    registry::{Reason, State},
    units::Time,
};

impl Instance {
    /// The process before this one died `away` ago and left every address of this router behind. Before the start.
    ///
    /// Returns whether the router may go on as MASTER. Then the addresses stay until it does, or has them withdrawn because
    /// something holds it back for too long.
    pub fn handle_interruption(&mut self, now: Time, away: Duration) -> bool {
        // The last advertisement may have left one interval before the death, and a master of theirs may be more patient
        // than we know, never less.
        let noticed = self.settings.advert_interval * self.settings.down_timer_adverts.saturating_sub(1);
        if self.started || away >= noticed {
            return false;
        }
        let until = now + noticed - away;
        self.resume_until = Some(until);
        self.timers.set(Timer::ResumeOver, until);
        true
    }

    /// Whether the router waits for what holds it back, to go on as MASTER.
    pub fn may_resume(&self) -> bool {
        self.resume_until.is_some()
    }

    /// Nothing holds the router back any more: it goes on as MASTER if that is still possible, a member of a sync group
    /// when all of them can; else it begins as any other.
    pub(super) fn resume_or_begin(&mut self, now: Time) {
        if self.resume_until.is_none_or(|until| until <= now) || self.stands_aside() {
            self.give_up_resumption();
            self.begin(now);
        } else if self.is_member() {
            self.become_backup(now, Reason::Started);
            self.takeover = Reason::Resumed;
            self.take_over(now);
        } else {
            self.become_master(now, Reason::Resumed);
        }
    }

    /// It is too late, or something is wrong: others have the addresses soon.
    pub(super) fn give_up_resumption(&mut self) {
        self.timers.stop(Timer::ResumeOver);
        if self.resume_until.take().is_some() && self.state != State::Master {
            self.actions.push_back(Action::WithdrawAddresses);
        }
    }
}
