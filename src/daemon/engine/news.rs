//! What has happened, told to readers and the log after what the network waits for.
//!
//! To tell somebody of a transition or a line wakes a thread for it. Where a thousand routers have something to tell at once that
//! takes longer than everything else that is done for them, so it is kept until the lane is about to wait
//! and told in one go, in order: those who follow the transitions are woken once for many.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use tracing::{debug, enabled, info, warn};

use super::{Engine, turn::PORTION};
use crate::{
    kernel::clock,
    registry::{Change, Reason, State, Subject, Transition},
    units::Time,
    vrrp::{self, Level},
};

/// What is still to be told.
#[derive(Debug, Default)]
pub(super) struct News {
    waiting: VecDeque<Item>,
}

/// Something to tell.
#[derive(Debug)]
enum Item {
    Transition { at: Time, wall: SystemTime, subject: Subject, change: Change },
    Log { at: Time, line: vrrp::Log },
}

/// The same, when those who follow the transitions know it.
enum Told {
    Transition(Arc<Transition>),
    Log { at: Time, line: vrrp::Log },
}

impl News {
    /// Something is in another state now, or has something to say of the one that it is in.
    pub(super) fn of_transition(&mut self, at: Time, subject: Subject, change: Change) {
        self.waiting.push_back(Item::Transition { at, wall: clock::wall(), subject, change });
    }

    /// A machine has a line for the log.
    pub(super) fn of_line(&mut self, at: Time, line: vrrp::Log) {
        self.waiting.push_back(Item::Log { at, line });
    }
}

impl Engine {
    /// Tells everything that has happened by now.
    pub(super) fn tell(&mut self) {
        while !self.news.waiting.is_empty() {
            let portion = self.news.waiting.len().min(PORTION);
            let transitions = &self.registry.transitions;
            let publish = |item| match item {
                Item::Transition { at, wall, subject, change } => {
                    Told::Transition(transitions.append_unheard(at, wall, subject, change))
                }
                Item::Log { at, line } => Told::Log { at, line },
            };
            let told: Vec<Told> = self.news.waiting.drain(..portion).map(publish).collect();
            transitions.wake();
            for told in told {
                match told {
                    Told::Transition(transition) => write_transition(&transition),
                    Told::Log { at, line } => self.write_line(&line, at),
                }
            }
            // Few are told faster than to look at the clock is worth.
            if portion == PORTION && self.has_started() {
                self.advertise();
            }
        }
    }

    /// Writes a line of a machine, unless packets have provoked too many.
    fn write_line(&mut self, line: &vrrp::Log, at: Time) {
        if line.detail && !enabled!(tracing::Level::DEBUG) {
            return;
        }
        if line.provoked {
            match self.brake.admit(at) {
                None => return,
                Some(0) => {}
                Some(more) => warn!("{more} log lines about received packets were left out"),
            }
        }
        match (line.level, line.detail) {
            (_, true) => debug!("{}", line.text),
            (Level::Info, false) => info!("{}", line.text),
            (Level::Warning, false) => warn!("{}", line.text),
        }
    }
}

fn write_transition(transition: &Transition) {
    let Transition { seq, subject, change, .. } = transition;
    match subject {
        Subject::Instance { name, .. } => write_of_instance(name, *seq, change),
        Subject::Group { name, .. } => write_of_group(name, *seq, change),
        _ => info!("Configuration {}", change.reason),
    }
}

fn write_of_instance(name: &str, seq: u64, change: &Change) {
    let Change { to: state, reason, .. } = change;
    match state {
        _ if matches!(reason, Reason::Priority { .. } | Reason::Set { .. } | Reason::Relented { .. }) => {
            info!(instance = name, %state, seq, "({name}) {reason}");
        }
        state if matches!(reason, Reason::Intervened { .. }) && !change.is_move() => {
            info!(instance = name, %state, seq, "({name}) {reason}");
        }
        _ if !change.is_move() => warn!(instance = name, %state, seq, "({name}) {reason}"),
        State::Stop => info!(instance = name, %state, seq, "({name}) Stopped ({reason})"),
        state => info!(instance = name, %state, seq, "({name}) Entering {state} STATE ({reason})"),
    }
}

fn write_of_group(name: &str, seq: u64, change: &Change) {
    let Change { to: state, reason, .. } = change;
    match state {
        State::Stop => info!(group = name, %state, seq, "VRRP_Group({name}) Stopped ({reason})"),
        state => info!(group = name, %state, seq, "VRRP_Group({name}) Entering {state} STATE ({reason})"),
    }
}
