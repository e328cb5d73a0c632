//! Packets that were refused for what may be an attack or a mistake in a configuration, as far as somebody is told of each.
//!
//! All of them are counted in the rows. Whoever can send one can send a million, so that only few are told of; they have
//! a stream of their own, and push nothing out of that of the transitions, nor come into the journal.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    registry::{Counter, Stream},
    units::Time,
};

/// How many are kept for readers that are behind: an hour's worth.
const CAPACITY: usize = 512;

/// A packet that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Position in the stream, from 1 without gaps.
    pub seq: u64,
    /// When, on the monotonic clock.
    pub at: Time,
    /// MIB index of the instance that it was for.
    pub instance: u32,
    /// Who sent it, by its own word.
    pub sender: IpAddr,
    /// What was wrong with it: one of [`Counter::is_told`].
    pub error: Counter,
}

/// Those that readers are told of, and how many they are not.
#[derive(Debug)]
pub struct Rejections {
    /// In order.
    pub stream: Stream<Rejection>,
    untold: AtomicU64,
    /// Up to here those count among the untold that a reader was too late for.
    forgotten: AtomicU64,
}

impl Default for Rejections {
    fn default() -> Self {
        Self {
            stream: Stream::with_capacity(CAPACITY),
            untold: AtomicU64::new(0),
            forgotten: AtomicU64::new(0),
        }
    }
}

impl Rejections {
    /// Has readers told of one (the engine only).
    pub fn publish(&self, at: Time, instance: u32, (sender, error): (IpAddr, Counter)) {
        self.stream.append(|seq| Rejection { seq, at, instance, sender, error });
    }

    /// How many nobody is told of one by one, as there were too many.
    pub fn untold(&self) -> u64 {
        self.untold.load(Ordering::Relaxed)
    }

    /// A reader is not told of the last `count` up to number `newest`: it comes too late for them. What another reader came too
    /// late for before is counted once.
    pub fn forget(&self, count: u64, newest: u64) {
        let known = self.forgotten.fetch_max(newest, Ordering::Relaxed);
        self.leave_out(count.min(newest.saturating_sub(known)));
    }

    /// So many more that nobody is told of.
    pub fn leave_out(&self, count: u64) {
        self.untold.fetch_add(count, Ordering::Relaxed);
    }
}
