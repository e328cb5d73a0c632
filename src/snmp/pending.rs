//! The notifications that somebody, the AgentX master or a target of our own, has not taken yet: those of an earlier run, then
//! those of this one.
//!
//! Rejected packets, which have a stream of their own, are told of when there is no transition to tell of.
//!
//! A cursor in the stream from which whoever sends them takes one after the other. What an earlier run of the daemon could not
//! deliver comes first, from the journal, unless the disk takes its time. Where either of the two had to give something up,
//! one notification says how much.

mod deliveries;
mod earlier;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, sync::Arc};

use agentx::{Delivery, Notification, Notifications};
use tokio::sync::watch;
use tracing::warn;

use deliveries::Deliveries;
pub use deliveries::Told;
use earlier::Earlier;
pub use earlier::{Backlog, Expected};

use crate::{
    registry::{Cursor, Registry, Transition},
    snmp::{Clock, Parts, Snapshots, notification, rejected::Rejected},
};

/// The transitions that somebody has not taken yet.
#[derive(Debug)]
pub struct Pending {
    registry: Arc<Registry>,
    snapshots: Snapshots,
    parts: Parts,
    earlier: Earlier,
    cursor: Cursor,
    rejected: Rejected,
    /// Made already and not handed out: a transition can have several.
    ready: VecDeque<Notification>,
    deliveries: Deliveries,
    /// How far everything is when all that was handed out is delivered.
    reached: Told,
    /// Lost and not told of yet, and since the start.
    lost: u64,
    lost_ever: u64,
}

impl Pending {
    /// What an earlier run left, then everything since the start, as far as `told` does not say that it is taken; how
    /// far it has taken them is written there.
    pub fn new(
        (registry, clock): (Arc<Registry>, Clock),
        parts: Parts,
        earlier: Option<Expected>,
        told: watch::Sender<Told>,
    ) -> Self {
        let reached = *told.borrow();
        let mut cursor = Cursor::in_a_hurry();
        cursor.advance_past(reached.now);
        let mut rejected = Rejected::default();
        if reached.now > 0 {
            // Whoever begins later hears of what happens from then on.
            rejected.pass_over(&registry.rejections);
        }
        Self {
            snapshots: Snapshots::new(Arc::clone(&registry), clock, Arc::default()),
            registry,
            parts,
            earlier: Earlier::new(earlier),
            cursor,
            rejected,
            ready: VecDeque::new(),
            deliveries: Deliveries::new(told),
            reached,
            lost: 0,
            lost_ever: 0,
        }
    }

    /// From now on another session sends them, of these MIBs: those first that the one before it had in its hands, as they
    /// were made.
    pub fn take_up(&mut self, parts: Parts) {
        self.parts = parts;
        self.ready = self.deliveries.left();
    }

    /// How many transitions were lost before they could be told of.
    pub fn lost_ever(&self) -> u64 {
        self.lost_ever
    }

    fn lose(&mut self, count: u64) {
        self.lost += count;
        self.lost_ever += count;
    }

    /// Makes the notifications of what comes next, until there is one or nothing comes.
    fn make(&mut self) {
        self.lose_overtaken();
        while self.ready.is_empty() {
            let Some(transition) = self.oldest() else { return self.make_rejection() };
            if self.lost > 0 {
                self.make_loss(&transition);
            } else {
                let before = self.reached;
                self.step_over(&transition);
                self.make_transition(&transition, before);
            }
        }
    }

    /// The ring that the stream is may have gone on without us.
    fn lose_overtaken(&mut self) {
        let overtaken = self.cursor.catch_up(&self.registry.transitions);
        if overtaken > 0 {
            warn!(
                "{overtaken} SNMP notifications were lost: who gets them was away for too many transitions"
            );
            self.lose(overtaken);
        }
    }

    /// The oldest transition that was not handed out.
    fn oldest(&self) -> Option<Arc<Transition>> {
        let earlier = self.earlier.oldest().map(|transition| Arc::new(transition.clone()));
        earlier.or_else(|| self.cursor.peek(&self.registry.transitions))
    }

    /// It is handed out from now on.
    fn step_over(&mut self, transition: &Transition) {
        if self.earlier.oldest().is_some() {
            self.earlier.pop();
            self.reached.earlier = transition.seq;
        } else {
            self.cursor.advance_past(transition.seq);
        }
        self.note_end_of_earlier();
    }

    /// Only then does the position in this run count: in the journal it is behind all of the earlier one.
    fn note_end_of_earlier(&mut self) {
        if self.earlier.is_over() {
            self.reached.now = self.cursor.position() - 1;
        }
    }

    /// What was lost was older than what is still there.
    fn make_loss(&mut self, before: &Transition) {
        let count = std::mem::take(&mut self.lost);
        let notification = notification::of_loss(&self.snapshots.now(), before.at, (count, self.lost_ever));
        self.hand_out(notification, self.reached);
    }

    /// One for each MIB that is served and has a word for it, if any; the transition is told with the last of them.
    fn make_transition(&mut self, transition: &Transition, before: Told) {
        let is_move = transition.change.is_move();
        let made =
            is_move.then(|| notification::of_transition(&self.snapshots.now(), self.parts, transition));
        let mut made = made.unwrap_or_default().into_iter().peekable();
        if made.peek().is_none() {
            self.deliveries.pass_over(self.reached);
        }
        while let Some(notification) = made.next() {
            self.hand_out(notification, if made.peek().is_some() { before } else { self.reached });
        }
    }

    /// What is to be said of rejected packets, when there is no transition to tell of.
    fn make_rejection(&mut self) {
        while self.ready.is_empty()
            && let Some(rejection) = self.rejected.next(&self.registry.rejections)
        {
            // Perhaps no MIB that is served has a notification for it.
            if let Some(made) = notification::of_rejection(&self.snapshots.now(), self.parts, &rejection) {
                self.hand_out(made, self.reached);
            }
        }
    }

    fn hand_out(&mut self, notification: Notification, told: Told) {
        let notification = self.deliveries.hand_out(notification, told);
        self.ready.push_back(notification);
    }
}

impl Notifications for Pending {
    fn next(&mut self) -> Option<Notification> {
        if self.ready.is_empty() && !self.earlier.is_awaited() {
            self.make();
        }
        self.ready.pop_front()
    }

    // What the master did not accept has been logged where it was sent.
    fn acknowledge(&mut self, id: u64, _: Delivery) {
        self.deliveries.acknowledge(id);
    }

    async fn changed(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        let is_awaited = self.earlier.is_awaited();
        tokio::select! {
            lost = self.earlier.settled() => {
                self.lose(lost);
                self.note_end_of_earlier();
                self.deliveries.pass_over(self.reached);
            }
            () = self.cursor.ready(&self.registry.transitions, 0), if !is_awaited => {}
            () = self.rejected.changed(&self.registry.rejections), if !is_awaited => {}
        }
    }
}
