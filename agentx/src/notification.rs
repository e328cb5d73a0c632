//! Notifications on their way to the master: who has them, and who takes them.
//!
//! The subagent pulls: it takes the next notification of its [`Notifications`] when it can send it, keeps it, over any number
//! of connections, until the master has answered for it, and then acknowledges it. At most
//! [`session::WINDOW`](crate::session::WINDOW) are in its hands at a time. So a source can be a cursor in somebody else's
//! numbered stream, of which another process, after this one, repeats what was not acknowledged.
//!
//! [`queue`] is a source for whoever has no such stream.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

use crate::oid::Oid;
use crate::value::VarBind;
use crate::wire::ErrorCode;

/// Something happened that managers want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The source's number for it, by which it is acknowledged.
    pub id: u64,
    /// When it happened, on the subagent's monotonic clock. It becomes sysUpTime.0.
    pub at: Duration,
    /// The notification's OID, the value of snmpTrapOID.0.
    pub trap_oid: Oid,
    /// Its objects, in the order of the MIB.
    pub varbinds: Vec<VarBind>,
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The master has it.
    Accepted,
    /// The master refuses it for what it contains; it would refuse it again.
    Refused(ErrorCode),
    /// The master answered what was sent after it and never answered this, session after session.
    Unanswered,
}

/// Where the subagent takes notifications from.
pub trait Notifications: Send {
    /// The next notification; each is handed out once, in their order.
    fn next(&mut self) -> Option<Notification>;

    /// The notification `id` is done with. They are acknowledged in the order in which they were handed out, but for those that
    /// the master refuses or does not answer: the ones behind them may come first.
    fn acknowledge(&mut self, id: u64, delivery: Delivery);

    /// Returns when [`Notifications::next`] may have become `Some`. Cancelled and called again at any time.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;
}

/// A subagent without notifications.
impl Notifications for () {
    fn next(&mut self) -> Option<Notification> {
        None
    }

    fn acknowledge(&mut self, _: u64, _: Delivery) {}

    async fn changed(&mut self) {
        std::future::pending().await
    }
}

/// A queue of at most `capacity` notifications, beside those that the subagent has in its hands: the sender's end and the
/// subagent's end. When it is full the oldest is dropped, counted and logged.
#[must_use]
pub fn queue(capacity: usize) -> (Sender, Queue) {
    let shared =
        Arc::new(Shared { state: Mutex::default(), added: Notify::new(), capacity: capacity.max(1) });
    (Sender { shared: Arc::clone(&shared) }, Queue { shared })
}

/// Puts notifications into a [`queue`]; never waits.
#[derive(Debug, Clone)]
pub struct Sender {
    shared: Arc<Shared>,
}

/// A [`queue`]'s end for the subagent.
#[derive(Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    added: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Notification>,
    /// How many were handed out and are not acknowledged.
    in_hand: usize,
    last_id: u64,
    dropped: u64,
}

impl Shared {
    /// A sender that panicked left the queue whole: every change to it is one push or pop.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Queues a notification of what happened at `at`; returns its number.
    pub fn send(&self, at: Duration, trap_oid: Oid, varbinds: Vec<VarBind>) -> u64 {
        let mut state = self.shared.state();
        state.last_id += 1;
        let id = state.last_id;
        state.waiting.push_back(Notification { id, at, trap_oid, varbinds });
        if state.waiting.len() > self.shared.capacity {
            state.waiting.pop_front();
            state.dropped += 1;
            if state.dropped.is_power_of_two() {
                warn!(dropped = state.dropped, "the notification queue is full: the oldest are dropped");
            }
        }
        drop(state);
        self.shared.added.notify_one();
        id
    }

    /// How many notifications were dropped for lack of room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.state().dropped
    }

    /// How many wait for the master's answer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let state = self.shared.state();
        state.waiting.len() + state.in_hand
    }
}

impl Notifications for Queue {
    fn next(&mut self) -> Option<Notification> {
        let mut state = self.shared.state();
        let next = state.waiting.pop_front()?;
        state.in_hand += 1;
        Some(next)
    }

    fn acknowledge(&mut self, _: u64, _: Delivery) {
        let mut state = self.shared.state();
        state.in_hand = state.in_hand.saturating_sub(1);
    }

    async fn changed(&mut self) {
        self.shared.added.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.next()).map(|notification| notification.id).collect()
    }

    #[test]
    fn hands_each_out_once_and_counts_it_until_it_is_acknowledged() {
        let (sender, mut queue) = queue(8);
        let first = sender.send(Duration::ZERO, Oid::from([1]), Vec::new());
        let second = sender.send(Duration::ZERO, Oid::from([2]), Vec::new());
        assert_eq!((ids(&mut queue), sender.waiting()), (vec![first, second], 2));
        queue.acknowledge(first, Delivery::Accepted);
        assert_eq!((ids(&mut queue), sender.waiting()), (vec![], 1));
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts() {
        let (sender, mut queue) = queue(2);
        let mut send = |n| sender.send(Duration::ZERO, Oid::from([n]), Vec::new());
        let first = send(0);
        assert_eq!(queue.next().map(|n| n.id), Some(first), "it is in the subagent's hands");
        let later: Vec<u64> = (1..=3).map(&mut send).collect();
        assert_eq!((sender.dropped(), sender.waiting()), (1, 3));
        assert_eq!(ids(&mut queue), later[1..]);
    }
}
