//! What an operator wants of the router: to stand aside for a while, or another priority.
//!
//! A router that *stands aside* (step-down, maintenance) is no MASTER any more and lets every master be, whatever its
//! priority. After a step-down it takes over when nobody else is master: the service matters more than the wish. In
//! maintenance it never does.

use super::{Instance, Timer};
use crate::{
    registry::{Intervention, Operator, Reason, Standing, State},
    units::Time,
};

impl Instance {
    /// An operator wants something. It takes the place of what was wanted of the same kind before.
    pub fn handle_intervention(&mut self, now: Time, standing: Standing) {
        if self.state == State::Stop {
            return;
        }
        let what = standing.what;
        let lasting = standing.until.map(|until| until.since(now));
        let reason = Reason::Intervened { what, by: standing.by.clone(), lasting };
        self.interventions.retain(|known| !what.replaces(known.what));
        self.interventions.push(standing);
        match what {
            Intervention::Priority(_) => {
                self.tell(reason);
                self.update_priority(now);
            }
            Intervention::StepDown | Intervention::Maintenance => self.stand_aside(now, reason),
        }
    }

    /// What was wanted is over: somebody says so, or (`None`) its time has come.
    pub fn handle_relenting(&mut self, now: Time, what: Intervention, by: Option<Operator>) {
        let count = self.interventions.len();
        self.interventions.retain(|known| !what.replaces(known.what));
        if self.interventions.len() == count || self.state == State::Stop {
            return;
        }
        self.tell(Reason::Relented { what, by });
        self.update_priority(now);
        if self.state == State::Backup && self.timers.get(Timer::MasterDown).is_none() && !self.ready {
            self.timers.set(Timer::MasterDown, now + self.master_down_interval());
        }
    }

    /// What operators want at present.
    pub fn interventions(&self) -> &[Standing] {
        &self.interventions
    }

    /// Whether it lets every master be.
    pub(super) fn stands_aside(&self) -> bool {
        let is_aside = |standing: &Standing| !matches!(standing.what, Intervention::Priority(_));
        self.interventions.iter().any(is_aside)
    }

    /// Whether it is to be no MASTER whatever happens.
    pub(super) fn is_in_maintenance(&self) -> bool {
        self.interventions.iter().any(|standing| standing.what == Intervention::Maintenance)
    }

    /// What operators add to the priority.
    pub(super) fn adjustment(&self) -> i32 {
        let added = self.interventions.iter().map(|standing| match standing.what {
            Intervention::Priority(by) => i32::from(by),
            Intervention::StepDown | Intervention::Maintenance => 0,
        });
        added.sum()
    }

    fn stand_aside(&mut self, now: Time, reason: Reason) {
        match self.state {
            State::Master => {
                self.release(now);
                self.leave_master();
                self.become_backup(now, reason);
            }
            State::Backup => {
                self.tell(reason);
                self.ready = false;
                self.wanted = State::Backup;
                self.takeover = match self.master {
                    Some(master) => Reason::MasterDown { master: master.address },
                    None => Reason::NoMaster,
                };
                let begin = now.max(self.quiet_until);
                self.timers.set(Timer::MasterDown, begin + self.master_down_interval());
            }
            _ => {
                self.give_up_resumption();
                self.tell(reason);
            }
        }
    }
}
