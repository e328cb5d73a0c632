//! The numbered stream of transitions: one writer path that never waits, and a cursor per reader.
//!
//! The stream keeps the last [`Stream::CAPACITY`] transitions in a ring of atomically replaced slots. A
//! writer takes the next number and stores one pointer; a reader loads one pointer. A reader that falls a
//! whole ring behind learns how many it lost, so that loss is never silent. Refused packets, which are no transitions and
//! must not push any out, have a smaller one of their own.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use crate::{
    registry::{Change, Rejection, Subject, Transition},
    units::Time,
};

/// Everything of a kind that has happened, in order.
#[derive(Debug)]
pub struct Stream<T = Transition> {
    slots: Box<[ArcSwapOption<T>]>,
    next: AtomicU64,
    /// For the readers in a hurry, and for the others.
    published: [Notify; 2],
}

/// What knows its number in the stream.
pub trait Numbered {
    /// The number, from 1 without gaps.
    fn number(&self) -> u64;
}

impl Numbered for Transition {
    fn number(&self) -> u64 {
        self.seq
    }
}

impl Numbered for Rejection {
    fn number(&self) -> u64 {
        self.seq
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

impl Stream {
    /// Transitions kept for readers that are behind: an hour of a thousand instances that flap every
    /// minute, at the price of one pointer each.
    pub const CAPACITY: usize = 65_536;

    /// Appends a transition and wakes the readers; returns it with its number.
    pub fn publish(&self, at: Time, wall: SystemTime, subject: Subject, change: Change) -> Arc<Transition> {
        self.append(|seq| Transition { seq, at, wall, subject, change })
    }

    /// Appends one of several transitions: the readers are woken after the last of them, by [`wake`](Self::wake).
    pub fn append_unheard(
        &self,
        at: Time,
        wall: SystemTime,
        subject: Subject,
        change: Change,
    ) -> Arc<Transition> {
        self.put(|seq| Transition { seq, at, wall, subject, change })
    }
}

impl<T: Numbered> Stream<T> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            slots: (0..capacity).map(|_| ArcSwapOption::empty()).collect(),
            next: AtomicU64::new(1),
            published: Default::default(),
        }
    }

    fn slot(&self, seq: u64) -> &ArcSwapOption<T> {
        let ring = self.slots.len() as u64;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a remainder of the ring's length, which is a usize"
        )]
        let position = (seq % ring) as usize;
        &self.slots[position]
    }

    /// Appends what is made of the next number, and wakes the readers.
    pub(super) fn append(&self, make: impl FnOnce(u64) -> T) -> Arc<T> {
        let entry = self.put(make);
        self.wake();
        entry
    }

    /// Wakes the readers.
    pub fn wake(&self) {
        self.published.iter().for_each(Notify::notify_waiters);
    }

    fn put(&self, make: impl FnOnce(u64) -> T) -> Arc<T> {
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(make(seq));
        self.slot(seq).store(Some(Arc::clone(&entry)));
        entry
    }

    /// Number of the newest entry, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next.load(Ordering::Relaxed) - 1
    }
}

/// A reader's position in the stream. It moves only when the reader says so, because a sink has delivered
/// a transition only when its receiver has taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    next: u64,
    is_in_a_hurry: bool,
}

/// A reader that begins with the first transition.
impl Default for Cursor {
    fn default() -> Self {
        Self { next: 1, is_in_a_hurry: false }
    }
}

impl Cursor {
    /// A reader that begins with the first transition and is woken before the others: somebody waits for what it makes of them.
    /// Where there are few processors, the threads that are woken have to take turns.
    pub fn in_a_hurry() -> Self {
        Self { is_in_a_hurry: true, ..Self::default() }
    }

    /// The next transition, if it has been published. The cursor stays where it is.
    pub fn peek<T: Numbered>(&self, stream: &Stream<T>) -> Option<Arc<T>> {
        self.peek_ahead(stream, 0)
    }

    /// The transition `ahead` places after the next one, for a sink with several on their way.
    pub fn peek_ahead<T: Numbered>(&self, stream: &Stream<T>, ahead: u64) -> Option<Arc<T>> {
        let seq = self.next.saturating_add(ahead);
        stream.slot(seq).load_full().filter(|entry| entry.number() == seq)
    }

    /// Steps over everything up to and including `seq`: it is delivered.
    pub fn advance_past(&mut self, seq: u64) {
        self.next = self.next.max(seq.saturating_add(1));
    }

    /// Number of the transition this cursor waits for.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Moves to the oldest transition still kept when the ring has overtaken this cursor, and returns how
    /// many were lost to it (0 is the normal case).
    pub fn catch_up<T: Numbered>(&mut self, stream: &Stream<T>) -> u64 {
        let lost = self.behind(stream);
        self.next += lost;
        lost
    }

    /// How many transitions the ring has forgotten that this cursor still waits for.
    fn behind<T: Numbered>(&self, stream: &Stream<T>) -> u64 {
        let oldest = (stream.newest() + 1).saturating_sub(stream.slots.len() as u64).max(1);
        oldest.saturating_sub(self.next)
    }

    /// Waits until a transition `ahead` places after the next one is there to be peeked at, or there is something to
    /// [catch up](Self::catch_up) with.
    pub async fn ready<T: Numbered>(&self, stream: &Stream<T>, ahead: u64) {
        loop {
            let [first, then] = &stream.published;
            let mut published = pin!(if self.is_in_a_hurry { first } else { then }.notified());
            // Registered before looking, so that a transition published in between wakes us.
            published.as_mut().enable();
            if self.peek_ahead(stream, ahead).is_some() || self.behind(stream) > 0 {
                return;
            }
            published.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Mutex,
        task::{Context, Wake, Waker},
    };

    use super::*;
    use crate::{
        registry::{Reason, State},
        units::Priority,
    };

    fn sample(name: &str) -> (Subject, Change) {
        let (from, to) = (State::Backup, State::Master);
        let change = Change { from, to, reason: Reason::NoMaster, priority: Priority::DEFAULT };
        (Subject::Instance { index: 1, name: name.into() }, change)
    }

    fn publish(stream: &Stream<Transition>, name: &str) {
        let (subject, change) = sample(name);
        stream.publish(Time::from_secs(1), SystemTime::UNIX_EPOCH, subject, change);
    }

    #[test]
    fn a_cursor_reads_in_order_and_moves_only_when_told() {
        let stream = Stream::<Transition>::with_capacity(8);
        let mut cursor = Cursor::default();
        assert_eq!(cursor.peek(&stream), None);
        for name in ["a", "b", "c"] {
            publish(&stream, name);
        }
        assert_eq!(cursor.peek(&stream).unwrap().subject.name(), "a");
        assert_eq!(cursor.peek(&stream).unwrap().seq, 1);
        assert_eq!(cursor.peek_ahead(&stream, 2).unwrap().subject.name(), "c");
        cursor.advance_past(2);
        assert_eq!(cursor.peek(&stream).unwrap().subject.name(), "c");
        cursor.advance_past(3);
        assert_eq!(cursor.peek(&stream), None);
    }

    #[test]
    fn a_reader_that_the_ring_overtook_learns_how_many_it_lost() {
        let stream = Stream::<Transition>::with_capacity(4);
        let mut cursor = Cursor::default();
        for number in 0..10 {
            publish(&stream, &number.to_string());
        }
        assert_eq!(cursor.peek(&stream), None);
        assert_eq!(cursor.catch_up(&stream), 6);
        assert_eq!(cursor.peek(&stream).unwrap().seq, 7);
        assert_eq!(cursor.catch_up(&stream), 0);
    }

    #[tokio::test]
    async fn a_reader_that_the_ring_overtook_does_not_wait_for_what_is_gone() {
        let stream = Stream::<Transition>::with_capacity(4);
        let cursor = Cursor::default();
        for number in 0..10 {
            publish(&stream, &number.to_string());
        }
        let ready = cursor.ready(&stream, 0);
        assert!(futures_util::FutureExt::now_or_never(ready).is_some(), "it waits for ever");
    }

    #[test]
    fn a_waiting_reader_is_woken_from_another_thread() {
        let stream = Arc::new(Stream::<Transition>::with_capacity(4));
        let writer = Arc::clone(&stream);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cursor = Cursor::default();
        let thread = std::thread::spawn(move || publish(&writer, "woken"));
        runtime.block_on(cursor.ready(&stream, 0));
        thread.join().unwrap();
        assert_eq!(cursor.peek(&stream).unwrap().subject.name(), "woken");
    }

    #[test]
    fn several_transitions_wake_their_readers_once_after_the_last() {
        let stream = Stream::<Transition>::with_capacity(4);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let cursor = Cursor::default();
        let mut ready = Box::pin(cursor.ready(&stream, 0));
        let waker = Waker::from(Arc::new(Named("reader", Arc::clone(&woken))));
        assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        for name in ["a", "b"] {
            let (subject, change) = sample(name);
            stream.append_unheard(Time::from_secs(1), SystemTime::UNIX_EPOCH, subject, change);
        }
        assert_eq!(*woken.lock().unwrap(), [""; 0]);
        stream.wake();
        assert_eq!(*woken.lock().unwrap(), ["reader"]);
        drop(ready);
        let names = [0, 1].map(|ahead| cursor.peek_ahead(&stream, ahead).unwrap().subject.name().to_owned());
        assert_eq!(names, ["a", "b"]);
    }

    /// Writes down that it was woken.
    struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn who_is_in_a_hurry_is_woken_before_those_who_waited_before() {
        let stream = Stream::<Transition>::with_capacity(4);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let (other, hurried) = (Cursor::default(), Cursor::in_a_hurry());
        let mut waiting = [("other", &other), ("hurried", &hurried)].map(|(name, cursor)| {
            let mut ready = Box::pin(cursor.ready(&stream, 0));
            let waker = Waker::from(Arc::new(Named(name, Arc::clone(&woken))));
            assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            ready
        });
        publish(&stream, "news");
        assert_eq!(*woken.lock().unwrap(), ["hurried", "other"]);
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.iter_mut().all(|ready| ready.as_mut().poll(&mut context).is_ready()));
    }
}
