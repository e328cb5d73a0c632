//! Settings that a manager changes while the router runs.

use super::Instance;
use crate::{
    registry::{Reason, Setting, State},
    units::{Priority, Time},
};

impl Instance {
    /// A manager wants another setting. It counts from now on: a priority in the next advertisement of a MASTER and in
    /// the timer of a BACKUP, preemption at the next advertisement that is heard.
    ///
    /// An owner's priority says that it owns the addresses (RFC 9568 §5.2.4), and no other one may claim that, so neither is
    /// changed; nor is anything that already is as it should be.
    pub fn handle_setting(&mut self, now: Time, setting: Setting) {
        let from = match setting {
            Setting::BasePriority(_) => Setting::BasePriority(self.settings.priority),
            Setting::Preempt(_) => Setting::Preempt(self.settings.preempt),
        };
        if self.state == State::Stop || self.settings.is_owner() || from == setting {
            return;
        }
        match setting {
            Setting::BasePriority(Priority::RELEASE | Priority::OWNER) => return,
            Setting::BasePriority(priority) => self.settings.priority = priority,
            Setting::Preempt(preempt) => {
                self.settings.preempt = preempt;
                self.ordered_preempt = Some(preempt);
            }
        }
        self.tell(Reason::Set { from, to: setting });
        self.update_priority(now);
    }
}
