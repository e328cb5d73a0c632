//! Settings that a manager changes while the router runs.

use super::Instance;
use crate::{
    registry::{Reason, Setting, State, Switch},
    units::{Priority, Time},
};

impl Instance {
    /// A manager wants another setting. It counts from now on: a priority in the next advertisement of a MASTER and in
    /// the timer of a BACKUP, preemption at the next advertisement that is heard. What the other switches are for is the
    /// driver's business; the machine keeps them for its row and tells of them.
    ///
    /// An owner's priority says that it owns the addresses (RFC 9568 §5.2.4), and no other one may claim that, so neither is
    /// changed; nor is anything that already is as it should be.
    pub fn handle_setting(&mut self, now: Time, setting: Setting) {
        if self.state == State::Stop {
            return;
        }
        let from = match setting {
            Setting::BasePriority(priority) => {
                let before = self.settings.priority;
                if self.settings.is_owner()
                    || matches!(priority, Priority::RELEASE | Priority::OWNER)
                    || priority == before
                {
                    return;
                }
                self.settings.priority = priority;
                Setting::BasePriority(before)
            }
            Setting::Switch(switch, on) => {
                if !self.switch(switch, on) {
                    return;
                }
                Setting::Switch(switch, !on)
            }
        };
        self.tell(Reason::Set { from, to: setting });
        self.update_priority(now);
    }

    /// Puts a switch where it is not yet. Returns whether that is another place.
    fn switch(&mut self, switch: Switch, on: bool) -> bool {
        if switch == Switch::Preempt {
            if self.settings.is_owner() || self.settings.preempt == on {
                return false;
            }
            self.settings.preempt = on;
        } else if self.ordered.get(switch) == Some(on) {
            return false;
        }
        self.ordered.set(switch, on);
        true
    }
}
