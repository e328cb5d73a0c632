//! The notifications that the session has in its hands: handed over by their source, and not taken by the master yet.
//!
//! They stay here until the master has answered for them, over any number of connections. In a crowd several are on their way
//! at once, so that each does not cost a round trip. But what is on its way when this process is killed is told of twice, once
//! by a hung master when it goes on and once by the next process. So the window begins with one and opens by one with each
//! answer, and after a lull it is closed again.

use std::collections::VecDeque;
use std::time::Duration;

use crate::notification::Notification;

/// How many at the most: enough to have neither side wait for the other to be run.
pub const WINDOW: usize = 16;

/// How long after the last answer another notification belongs to the same crowd.
const LULL: Duration = Duration::from_millis(10);

/// How often the master may refuse a notification, or lose it, before it is given up.
const MAX_TRIES: u32 = 3;

/// In the order in which they were handed over.
#[derive(Debug)]
pub(super) struct Window {
    held: VecDeque<Held>,
    /// How many there may be.
    room: usize,
    answered: Duration,
}

#[derive(Debug)]
struct Held {
    notification: Notification,
    is_on_its_way: bool,
    was_sent: bool,
    failures: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { held: VecDeque::new(), room: 1, answered: Duration::ZERO }
    }
}

impl Window {
    /// Whether one more may be handed over.
    pub(super) fn has_room(&self) -> bool {
        self.held.len() < self.room
    }

    pub(super) fn push(&mut self, now: Duration, notification: Notification) {
        if self.held.is_empty() && now.saturating_sub(self.answered) > LULL {
            self.room = 1;
        }
        self.held.push_back(Held { notification, is_on_its_way: false, was_sent: false, failures: 0 });
    }

    /// The oldest one that is not on its way and may be, which it is from now on, and whether it was before.
    pub(super) fn send(&mut self) -> Option<(&Notification, bool)> {
        let held = self.held.iter_mut().take(self.room).find(|held| !held.is_on_its_way)?;
        held.is_on_its_way = true;
        let was_sent = std::mem::replace(&mut held.was_sent, true);
        Some((&held.notification, was_sent))
    }

    /// The master has it.
    pub(super) fn accept(&mut self, now: Duration, id: u64) {
        self.remove(id);
        self.room = (self.room + 1).min(WINDOW);
        self.answered = now;
    }

    /// It has to be sent again; returns whether it has failed often enough, and is given up instead.
    pub(super) fn fail(&mut self, id: u64) -> bool {
        let Some(held) = self.held.iter_mut().find(|held| held.notification.id == id) else { return false };
        held.is_on_its_way = false;
        held.failures += 1;
        let is_over = held.failures >= MAX_TRIES;
        if is_over {
            self.remove(id);
        }
        is_over
    }

    /// The connection is gone, and with it all that were on their way.
    pub(super) fn call_back(&mut self) {
        self.held.iter_mut().for_each(|held| held.is_on_its_way = false);
        self.room = 1;
    }

    fn remove(&mut self, id: u64) {
        self.held.retain(|held| held.notification.id != id);
    }
}
