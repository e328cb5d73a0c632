//! The notifications that the AgentX master has not taken yet: those of an earlier run, then those of this one.
//!
//! Rejected packets, which have a stream of their own, are told of when there is no transition to tell of.
//!
//! A cursor in the stream that moves when the master has answered; nothing is copied out of the stream. What an earlier
//! run of the daemon could not deliver comes first, from the journal. Where either of the two had to give something up,
//! one notification says how much.

use std::{collections::VecDeque, sync::Arc};

use agentx::{Delivery, Notification, Notifications};
use tokio::sync::watch;
use tracing::warn;

use crate::{
    registry::{Cursor, Registry, Transition},
    snmp::{Clock, Parts, Snapshots, notification, rejected::Rejected},
};

/// What an earlier run of the daemon could not deliver.
#[derive(Debug, Default)]
pub struct Backlog {
    /// The transitions, the oldest first.
    pub transitions: VecDeque<Transition>,
    /// How many more there were, that the journal had no room for or lost otherwise.
    pub lost: u64,
}

/// How far the master has taken what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Number, in the journal, of the newest transition of an earlier run.
    pub earlier: u64,
    /// Number, in the stream, of the newest transition of this run.
    pub now: u64,
}

/// The transitions that the AgentX master has not taken yet.
#[derive(Debug)]
pub struct Pending {
    registry: Arc<Registry>,
    snapshots: Snapshots,
    parts: Parts,
    backlog: VecDeque<Transition>,
    cursor: Cursor,
    rejected: Rejected,
    /// How many notifications of the oldest transition the master has, and how many there are.
    part: (usize, usize),
    /// Number of the newest transition of this run that was shown.
    shown: u64,
    /// What is being delivered, with the number under which it is.
    current: Option<(u64, Item)>,
    last_id: u64,
    /// Lost and not told of yet, and since the start.
    lost: u64,
    lost_ever: u64,
    told: watch::Sender<Told>,
}

/// What a notification tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// So many were lost.
    Lost(u64),
    /// The transition of this number in the journal, and which of its notifications.
    Earlier(u64, usize),
    /// The transition of this number in the stream, and which of its notifications.
    Now(u64, usize),
    /// The rejected packet of this number.
    Rejected(u64),
}

impl Pending {
    /// `backlog`, then everything since the start; how far the master has taken them is written to `told`.
    pub fn new(
        (registry, clock): (Arc<Registry>, Clock),
        parts: Parts,
        backlog: Backlog,
        told: watch::Sender<Told>,
    ) -> Self {
        let Backlog { mut transitions, lost } = backlog;
        transitions.retain(|transition| transition.change.is_move());
        Self {
            snapshots: Snapshots::new(Arc::clone(&registry), clock, Arc::default()),
            registry,
            parts,
            backlog: transitions,
            cursor: Cursor::default(),
            rejected: Rejected::default(),
            part: (0, 0),
            shown: 0,
            current: None,
            last_id: 0,
            lost,
            lost_ever: lost,
            told,
        }
    }

    /// What is to be delivered next, with the transition that it is, or before which it is.
    fn next(&mut self) -> Option<(Item, Arc<Transition>)> {
        let overtaken = self.cursor.catch_up(&self.registry.transitions);
        if overtaken > 0 {
            warn!(
                "{overtaken} SNMP notifications were lost: the AgentX master was away for too many transitions"
            );
            self.lost += overtaken;
            self.lost_ever += overtaken;
            if self.backlog.is_empty() {
                // The transition that was being told is among them.
                self.part = (0, 0);
            }
        }
        let (item, transition) = match self.backlog.front() {
            Some(front) => (Item::Earlier(front.seq, self.part.0), Arc::new(front.clone())),
            None => {
                let transition = self.next_move()?;
                self.shown = transition.seq;
                (Item::Now(transition.seq, self.part.0), transition)
            }
        };
        // What was lost was older than what is still there.
        let item = match self.current {
            Some((_, lost @ Item::Lost(_))) => lost,
            _ if self.lost > 0 => Item::Lost(self.lost),
            _ => item,
        };
        Some((item, transition))
    }

    /// What was told is told no more; a transition goes with the last of its notifications.
    fn done_with(&mut self, item: Item) {
        match item {
            Item::Lost(count) => {
                self.lost -= count;
                return;
            }
            Item::Rejected(number) => return self.rejected.done_with(number),
            Item::Earlier(..) | Item::Now(..) => {}
        }
        self.part.0 += 1;
        if self.part.0 < self.part.1 {
            return;
        }
        self.part = (0, 0);
        match item {
            Item::Earlier(number, _) => {
                self.backlog.pop_front();
                self.told.send_modify(|told| told.earlier = number);
            }
            Item::Now(number, _) => {
                self.cursor.advance_past(number);
                self.told.send_modify(|told| told.now = number);
            }
            Item::Lost(_) | Item::Rejected(_) => {}
        }
    }

    /// What is to be said of rejected packets, when there is no transition to tell of.
    fn rejection(&mut self) -> Option<Notification> {
        loop {
            let rejection = self.rejected.next(&self.registry.rejections)?;
            let item = Item::Rejected(rejection.seq);
            let id = self.id(item);
            let snapshot = self.snapshots.now();
            if let Some(notification) = notification::of_rejection(&snapshot, self.parts, id, &rejection) {
                self.current = Some((id, item));
                return Some(notification);
            }
            // No MIB that is served has a notification for it.
            self.rejected.done_with(rejection.seq);
        }
    }

    /// The number under which something is delivered: the same for as long as it is the same thing.
    fn id(&mut self, item: Item) -> u64 {
        let id = match self.current {
            Some((id, current)) if current == item => id,
            _ => self.last_id + 1,
        };
        self.last_id = id;
        id
    }

    /// The next transition of this run that there is a notification for; the others are delivered by being passed over.
    fn next_move(&mut self) -> Option<Arc<Transition>> {
        loop {
            let next = self.cursor.peek(&self.registry.transitions)?;
            if next.change.is_move() {
                return Some(next);
            }
            self.cursor.advance_past(next.seq);
            self.told.send_modify(|told| told.now = next.seq);
        }
    }
}

impl Notifications for Pending {
    fn oldest(&mut self) -> Option<Notification> {
        // What is on its way stays the oldest.
        if let Some((_, Item::Rejected(_))) = self.current
            && let Some(rejection) = self.rejection()
        {
            return Some(rejection);
        }
        loop {
            let Some((item, transition)) = self.next() else { return self.rejection() };
            let id = self.id(item);
            let snapshot = self.snapshots.now();
            if let Item::Lost(count) = item {
                self.current = Some((id, item));
                return Some(notification::of_loss(&snapshot, id, transition.at, (count, self.lost_ever)));
            }
            let mut told = notification::of_transition(&snapshot, self.parts, id, &transition);
            self.part.1 = told.len();
            if self.part.0 < told.len() {
                self.current = Some((id, item));
                return Some(told.swap_remove(self.part.0));
            }
            // No MIB that is served has a notification for it.
            self.done_with(item);
        }
    }

    // What the master did not accept has been logged where it was sent.
    fn acknowledge(&mut self, id: u64, _: Delivery) {
        let Some((_, item)) = self.current.take_if(|(current, _)| *current == id) else { return };
        self.done_with(item);
    }

    async fn changed(&mut self) {
        // What was shown already is no change.
        let ahead = (self.shown + 1).saturating_sub(self.cursor.position());
        tokio::select! {
            () = self.cursor.ready(&self.registry.transitions, ahead) => {}
            () = self.rejected.changed(&self.registry.rejections) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        registry::{Change, Counter, Reason, State, Subject, Topology},
        units::{IfIndex, Priority, Time},
    };

    fn change(from: State, to: State) -> Change {
        Change { from, to, reason: Reason::NoMaster, priority: Priority::DEFAULT }
    }

    fn subject() -> Subject {
        Subject::Instance { index: 1, name: "VI".into() }
    }

    fn earlier(seq: u64, to: State) -> Transition {
        let wall = std::time::SystemTime::UNIX_EPOCH;
        Transition {
            seq,
            at: Time::from_secs(seq),
            wall,
            subject: subject(),
            change: change(State::Backup, to),
        }
    }

    fn publish(registry: &Registry, to: State) {
        let wall = std::time::SystemTime::UNIX_EPOCH;
        registry.transitions.publish(Time::from_secs(900), wall, subject(), change(State::Backup, to));
    }

    /// A source with a registry and what it says of its deliveries.
    fn source(transitions: Vec<Transition>, lost: u64) -> (Arc<Registry>, Pending, watch::Receiver<Told>) {
        source_of(crate::registry::testing::topology(), transitions, lost)
    }

    fn source_of(
        topology: Topology,
        transitions: Vec<Transition>,
        lost: u64,
    ) -> (Arc<Registry>, Pending, watch::Receiver<Told>) {
        let registry = Arc::new(Registry::new(topology));
        let (told, heard) = watch::channel(Told::default());
        let backlog = Backlog { transitions: transitions.into(), lost };
        (Arc::clone(&registry), Pending::new((registry, Time::default), Parts::ALL, backlog, told), heard)
    }

    /// The second and later sub-identifiers that tell the kinds apart, and when it was.
    fn kind(notification: &Notification) -> (bool, u64) {
        let is_loss = notification.trap_oid == notification::lost();
        (is_loss, notification.at.as_secs())
    }

    fn deliver(pending: &mut Pending) -> Option<(bool, u64)> {
        let notification = pending.oldest()?;
        assert_eq!(pending.oldest().unwrap(), notification, "the same one until it is acknowledged");
        pending.acknowledge(notification.id, Delivery::Accepted);
        Some(kind(&notification))
    }

    #[test]
    fn what_is_left_of_an_earlier_run_goes_out_first_and_what_was_lost_before_that() {
        let moves = vec![earlier(5, State::Master), earlier(6, State::Backup), earlier(8, State::Fault)];
        let (registry, mut pending, told) = source(moves, 4);
        publish(&registry, State::Backup);
        publish(&registry, State::Master);
        assert_eq!(deliver(&mut pending), Some((true, 5)));
        assert_eq!(*told.borrow(), Told::default(), "a loss is no transition");
        assert_eq!(deliver(&mut pending), Some((false, 5)));
        assert_eq!(told.borrow().earlier, 5);
        // Number 6 was no move.
        assert_eq!(deliver(&mut pending), Some((false, 8)));
        assert_eq!(deliver(&mut pending), Some((false, 900)));
        assert_eq!(*told.borrow(), Told { earlier: 8, now: 2 }, "number 1 was passed over");
        assert_eq!(deliver(&mut pending), None);
    }

    #[test]
    fn a_loss_is_told_once_also_when_it_grows_meanwhile() {
        let (registry, mut pending, _told) = source(Vec::new(), 0);
        let overrun = |count: usize| (0..count).for_each(|_| publish(&registry, State::Master));
        overrun(crate::registry::Stream::CAPACITY + 10);
        let first = pending.oldest().unwrap();
        assert_eq!(first.varbinds[0].value, agentx::Value::Gauge32(10));
        overrun(5);
        assert_eq!(pending.oldest().unwrap().varbinds[0].value, agentx::Value::Gauge32(10));
        pending.acknowledge(first.id, Delivery::Accepted);
        let second = pending.oldest().unwrap();
        assert_eq!(second.varbinds[0].value, agentx::Value::Gauge32(5));
        assert_eq!(second.varbinds[1].value, agentx::Value::Counter32(15));
        pending.acknowledge(second.id, Delivery::Accepted);
        assert_eq!(deliver(&mut pending), Some((false, 900)));
    }

    #[test]
    fn an_answer_for_something_else_acknowledges_nothing() {
        let (registry, mut pending, told) = source(vec![earlier(1, State::Master)], 0);
        publish(&registry, State::Master);
        let first = pending.oldest().unwrap();
        pending.acknowledge(first.id + 1, Delivery::Accepted);
        assert_eq!(pending.oldest().unwrap(), first);
        pending.acknowledge(first.id, Delivery::Accepted);
        pending.acknowledge(first.id, Delivery::Accepted);
        assert_eq!(told.borrow().now, 0);
        assert_eq!(deliver(&mut pending), Some((false, 900)));
    }

    #[test]
    fn rejected_packets_are_told_of_after_transitions_and_the_one_on_its_way_stays_the_oldest() {
        let text = "vrrp_instance VI {\n version 3\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.9.0.1\n }\n}\n";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let topology = Topology::new(config, String::new(), Vec::new());
        // By its interface's number the MIB finds the row.
        topology.interfaces[0].set_link(Some(IfIndex(2)));
        let (registry, mut pending, told) = source_of(topology, Vec::new(), 0);
        let reject = |seconds, error| {
            let sender = [10, 9, 0, 66].into();
            registry.rejections.publish(Time::from_secs(seconds), 1, (sender, error));
        };
        reject(800, Counter::TtlError);
        // Nothing that the instance's MIB has a word for.
        reject(801, Counter::AuthFailure);
        reject(802, Counter::ChecksumError);
        publish(&registry, State::Fault);
        assert_eq!(deliver(&mut pending), Some((false, 900)));
        let first = pending.oldest().unwrap();
        assert_eq!(first.at, Time::from_secs(800).0);
        publish(&registry, State::Fault);
        assert_eq!(pending.oldest().unwrap(), first);
        pending.acknowledge(first.id, Delivery::Accepted);
        assert_eq!(deliver(&mut pending), Some((false, 900)));
        assert_eq!(deliver(&mut pending), Some((false, 802)));
        assert_eq!(deliver(&mut pending), None);
        assert_eq!((told.borrow().now, registry.rejections.untold()), (2, 0));
        (0..1_000).for_each(|_| reject(803, Counter::TtlError));
        assert!(deliver(&mut pending).is_some());
        assert_eq!(registry.rejections.untold(), 488, "the ring has forgotten them");
    }
}
