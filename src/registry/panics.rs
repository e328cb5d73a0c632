//! Mistakes of the program itself: where a thread panicked. What goes on after that is the business of whoever watches over
//! the thread; that it happened is shown here and in the log.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwapOption;

use crate::units::Time;

/// The panics since the start.
#[derive(Debug, Default)]
pub struct Panics {
    count: AtomicU64,
    restarts: AtomicU64,
    last: ArcSwapOption<Panic>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The thread's name.
    pub thread: String,
    /// File, line and column of the source.
    pub place: String,
    /// What it said.
    pub message: String,
    /// When, on the monotonic clock.
    pub at: Time,
}

impl Panics {
    /// A thread panics.
    pub fn note(&self, panic: Panic) {
        self.last.store(Some(Arc::new(panic)));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A part that panicked begins anew.
    pub fn note_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// How often a part began anew.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// The last one.
    pub fn last(&self) -> Option<Arc<Panic>> {
        self.last.load_full()
    }
}
