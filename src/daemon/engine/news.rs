//! What has happened, told to readers and the log after what the network waits for.
//!
//! To tell somebody of a transition or a line wakes a thread for it. Where a thousand routers have something to tell at once that
//! takes longer than everything else that is done for them, so it is kept until the lane is about to wait
//! and told in one go, in order: those who follow the transitions are woken once for many. Only what the engine itself has to
//! say of the host is written at once, and so may stand before the transitions of its turn.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use tracing::{debug, enabled, info, warn};

use super::{Engine, turn::PORTION};
use crate::{
    kernel::clock,
    registry::{Change, Reason, Registry, State, Subject, Transition},
    units::Time,
    vrrp::{self, Level},
};

/// What is still to be told.
#[derive(Debug)]
pub(super) struct News {
    waiting: VecDeque<Item>,
    registry: Arc<Registry>,
}

/// Something to tell.
#[derive(Debug)]
enum Item {
    Transition { at: Time, wall: SystemTime, subject: Subject, change: Change },
    Line(Line),
}

/// A line of a machine, and how many were left out before it.
#[derive(Debug)]
struct Line {
    log: vrrp::Log,
    left_out: u64,
}

/// The same, when those who follow the transitions know it.
enum Told {
    Transition(Arc<Transition>),
    Line(Line),
}

impl News {
    /// None, of what the registry is to tell readers.
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self { waiting: VecDeque::new(), registry: Arc::clone(registry) }
    }

    /// Something is in another state now, or has something to say of the one that it is in.
    pub(super) fn of_transition(&mut self, at: Time, subject: Subject, change: Change) {
        self.waiting.push_back(Item::Transition { at, wall: clock::wall(), subject, change });
    }
}

/// A mistake that ends the lane does not keep what has happened before it from those who go on.
impl Drop for News {
    fn drop(&mut self) {
        for item in self.waiting.drain(..) {
            if let Item::Transition { at, wall, subject, change } = item {
                write_transition(&self.registry.transitions.publish(at, wall, subject, change));
            }
        }
    }
}

impl Engine {
    /// A machine has a line for the log, which is left out where packets have provoked too many.
    pub(super) fn note_line(&mut self, now: Time, log: vrrp::Log) {
        if log.detail && !enabled!(tracing::Level::DEBUG) {
            return;
        }
        let left_out = if log.provoked { self.brake.admit(now) } else { Some(0) };
        if let Some(left_out) = left_out {
            self.news.waiting.push_back(Item::Line(Line { log, left_out }));
        }
    }

    /// Tells everything that has happened by now.
    pub(super) fn tell(&mut self) {
        while !self.news.waiting.is_empty() {
            let portion = self.news.waiting.len().min(PORTION);
            let News { waiting, registry } = &mut self.news;
            let publish = |item| match item {
                Item::Transition { at, wall, subject, change } => {
                    Told::Transition(registry.transitions.append_unheard(at, wall, subject, change))
                }
                Item::Line(line) => Told::Line(line),
            };
            let told: Vec<Told> = waiting.drain(..portion).map(publish).collect();
            if told.iter().any(|told| matches!(told, Told::Transition(_))) {
                registry.transitions.wake();
            }
            for told in &told {
                match told {
                    Told::Transition(transition) => write_transition(transition),
                    Told::Line(line) => write_line(line),
                }
            }
            // For a few it is not worth looking at the clock.
            if portion == PORTION && self.has_started() {
                self.advertise();
            }
        }
    }
}

fn write_line(Line { log, left_out }: &Line) {
    if *left_out > 0 {
        warn!("{left_out} log lines about received packets were left out");
    }
    match (log.level, log.detail) {
        (_, true) => debug!("{}", log.text),
        (Level::Info, false) => info!("{}", log.text),
        (Level::Warning, false) => warn!("{}", log.text),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        daemon::engine::testing::{Stuck, address, in_namespace, listed},
        registry::Cursor,
        units::Priority,
    };

    #[test]
    fn what_has_happened_is_told_although_the_lane_ends() {
        in_namespace(async || {
            let mut stuck = Stuck::new("", "");
            stuck.start(listed(vec![address(2, 1, false)]));
            stuck.engine.tell();
            let registry = Arc::clone(&stuck.engine.registry);
            let mut cursor = Cursor::default();
            cursor.advance_past(registry.transitions.newest());
            let (from, to) = (State::Backup, State::Master);
            let change = Change { from, to, reason: Reason::NoMaster, priority: Priority::DEFAULT };
            stuck.engine.note_transition(0, clock::now(), change);
            assert_eq!(cursor.peek(&registry.transitions), None);
            drop(stuck);
            assert_eq!(cursor.peek(&registry.transitions).unwrap().subject.name(), "VI");
        });
    }
}
