//! A reload: other settings for a router that goes on, or the end of one that is no longer configured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Action, Instance, State, Timer};
use crate::{
    config::tracking::Tracker,
    registry::{Change, Reason, Switch},
    units::{Time, Version},
    vrrp::{Fault, Membership, Settings, auth::Guard},
};

/// What a reload has for a router that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// Its settings from now on.
    pub settings: Settings,
    /// Its priority is not another one in the file: what an order has made of it stays.
    pub same_priority: bool,
    /// The same for preemption.
    pub same_preempt: bool,
    /// It authenticates its packets as before.
    pub same_auth: bool,
    /// What it tracks, by the old positions and the new ones; everything else counts no more.
    pub trackers: Vec<(Tracker, Tracker)>,
    /// Its addresses are others: a MASTER has them brought to what they have to be.
    pub reinstall: bool,
}

impl Instance {
    /// Other settings, from now on. The state stays, and so does every timer that they say nothing of: a MASTER whose
    /// advertisements look otherwise now sends one at once, so that nobody goes by the old ones, and a BACKUP waits as
    /// long as it would have with these settings from the beginning.
    pub fn handle_reload(&mut self, now: Time, reload: Reload) {
        if self.state == State::Stop {
            return;
        }
        let Reload { mut settings, same_priority, same_preempt, same_auth, trackers, reinstall } = reload;
        if same_priority && !settings.is_owner() {
            settings.priority = self.settings.priority;
        }
        match self.ordered.get(Switch::Preempt) {
            Some(ordered) if same_preempt => settings.preempt = ordered,
            _ => self.ordered.forget(Switch::Preempt),
        }
        let (waits, priority) = (self.master_down_interval(), self.priority);
        let was = std::mem::replace(&mut self.settings, settings.settled());
        self.follow_trackers(&trackers);
        if !same_auth {
            self.guard = Guard::new(&self.settings.auth).at_the_time_of(&self.guard);
        }
        if was.is_owner() != self.settings.is_owner() {
            (self.conceded, self.other_owner) = (false, None);
        }
        if self.settings.version == Version::V2 || self.master_interval == was.advert_interval {
            self.master_interval = self.settings.advert_interval;
        }
        if let Some(at) = self.timers.get(Timer::MasterDown) {
            self.timers.set(Timer::MasterDown, (at + self.master_down_interval() - waits).max(now));
        }
        self.update_priority(now);
        let looks_otherwise = self.transmitter.follow(&self.settings) || self.priority != priority;
        if self.state == State::Master {
            if looks_otherwise || was.advert_interval != self.settings.advert_interval {
                self.send_advert(now, self.priority);
                self.timers.set(Timer::Advert, now + self.settings.advert_interval);
            }
            if was.garp != self.settings.garp {
                self.pace_announcements(now);
            }
            if reinstall {
                self.actions.push_back(Action::InstallAddresses);
            }
        }
        if self.settings.membership == Membership::Alone {
            self.leave_group(now);
        }
        self.follow_faults(now);
    }

    /// The end of a router that is no longer configured, which is told as DELETED or as FAULT. A MASTER gives way to others
    /// first. Nothing happens afterwards, whatever is handed in.
    pub fn handle_removal(&mut self, now: Time, to: State) {
        if self.state == State::Stop {
            return;
        }
        let from = self.shown_state();
        if self.state == State::Master {
            // RFC 9568 §6.4.3 (6.4.3-8).
            self.release(now);
            self.leave_master();
        }
        self.timers.stop_all();
        self.ready = false;
        let change = Change { from, to, reason: Reason::Deleted, priority: self.priority };
        self.actions.push_back(Action::Transition(change));
        (self.state, self.since, self.reason) = (State::Stop, now, Some(Reason::Deleted));
    }

    /// What is tracked has other positions now, or is tracked no more.
    fn follow_trackers(&mut self, trackers: &[(Tracker, Tracker)]) {
        let moved = |tracker: Tracker| trackers.iter().find(|(old, _)| *old == tracker).map(|(_, new)| *new);
        let weights = std::mem::take(&mut self.weights);
        self.weights = weights.into_iter().filter_map(|(t, weight)| Some((moved(t)?, weight))).collect();
        let faults = std::mem::take(&mut self.faults);
        let fault = |(fault, reason)| {
            Some(match (fault, reason) {
                (Fault::Tracked(tracker), Reason::Tracked { name, detail, .. }) => {
                    let tracker = moved(tracker)?;
                    (Fault::Tracked(tracker), Reason::Tracked { tracker, name, detail })
                }
                (Fault::Pending(tracker), reason) => (Fault::Pending(moved(tracker)?), reason),
                other => other,
            })
        };
        self.faults = faults.into_iter().filter_map(fault).collect::<BTreeMap<_, _>>();
    }

    /// Announces from now on as often as the settings say.
    fn pace_announcements(&mut self, now: Time) {
        let garp = self.settings.garp;
        for (timer, period) in [(Timer::GarpRefresh, garp.refresh), (Timer::GarpExtra, garp.extra)] {
            if period.is_zero() || !self.announced {
                self.timers.stop(timer);
            } else {
                self.timers.set(timer, now + period);
            }
        }
    }

    /// It is alone from now on, and does what it would have done already.
    fn leave_group(&mut self, now: Time) {
        self.faults.remove(&Fault::Group);
        self.faults.remove(&Fault::GroupPending);
        if self.ready {
            self.become_master(now, self.takeover.clone());
        }
    }
}
