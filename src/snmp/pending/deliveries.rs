//! What the subagent has in its hands, and how far the AgentX master has taken everything when it is done with each of it.

use std::collections::VecDeque;

use agentx::Notification;
use tokio::sync::watch;

/// How far the master has taken what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Number, in the journal, of the newest transition of an earlier run.
    pub earlier: u64,
    /// Number, in the stream, of the newest transition of this run; 0 until everything of an earlier run is delivered, which
    /// comes before it in the journal.
    pub now: u64,
}

/// The notifications that were handed out, in their order. What is told moves with the oldest that the master does not
/// have: after an end of the daemon it is the first to be told of again.
#[derive(Debug)]
pub(super) struct Deliveries {
    in_hand: VecDeque<Delivery>,
    last_id: u64,
    told: watch::Sender<Told>,
}

#[derive(Debug)]
struct Delivery {
    notification: Notification,
    is_done: bool,
    /// How far everything is when this is done, and all before it.
    told: Told,
}

impl Deliveries {
    /// None yet; how far the master has taken everything is written to `told`.
    pub(super) fn new(told: watch::Sender<Told>) -> Self {
        Self { in_hand: VecDeque::new(), last_id: 0, told }
    }

    /// One more, with which everything is as far as `told`; returns it with its number.
    pub(super) fn hand_out(&mut self, notification: Notification, told: Told) -> Notification {
        self.last_id += 1;
        let notification = Notification { id: self.last_id, ..notification };
        self.in_hand.push_back(Delivery { notification: notification.clone(), is_done: false, told });
        notification
    }

    /// Those that are not done with, in their order: to be sent again by somebody else.
    pub(super) fn left(&self) -> VecDeque<Notification> {
        let left = self.in_hand.iter().filter(|delivery| !delivery.is_done);
        left.map(|delivery| delivery.notification.clone()).collect()
    }

    /// Nothing has to be delivered up to there.
    pub(super) fn pass_over(&mut self, told: Told) {
        match self.in_hand.back_mut() {
            Some(newest) => newest.told = told,
            None => self.tell(told),
        }
    }

    /// The one of this number is done with.
    pub(super) fn acknowledge(&mut self, id: u64) {
        if let Some(delivery) = self.in_hand.iter_mut().find(|delivery| delivery.notification.id == id) {
            delivery.is_done = true;
        }
        let mut reached = None;
        while let Some(oldest) = self.in_hand.pop_front_if(|oldest| oldest.is_done) {
            reached = Some(oldest.told);
        }
        if let Some(told) = reached {
            self.tell(told);
        }
    }

    fn tell(&self, told: Told) {
        self.told.send_if_modified(|shown| std::mem::replace(shown, told) != told);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use agentx::Oid;

    use super::*;

    fn now(now: u64) -> Told {
        Told { earlier: 0, now }
    }

    #[test]
    fn what_is_told_moves_with_the_oldest_that_is_not_acknowledged() {
        let (sender, told) = watch::channel(Told::default());
        let mut deliveries = Deliveries::new(sender);
        deliveries.pass_over(now(3));
        assert_eq!(*told.borrow(), now(3));
        let blank =
            || Notification { id: 0, at: Duration::ZERO, trap_oid: Oid::null(), varbinds: Vec::new() };
        let ids = [4, 5, 6].map(|number| deliveries.hand_out(blank(), now(number)).id);
        deliveries.pass_over(now(9));
        let mut after = |id| {
            deliveries.acknowledge(id);
            (*told.borrow(), deliveries.left().len())
        };
        let seen = [ids[1], 99, ids[0], ids[0], ids[2]].map(&mut after);
        assert_eq!(seen, [(3, 2), (3, 2), (5, 1), (5, 1), (9, 0)].map(|(told, left)| (now(told), left)));
    }
}
