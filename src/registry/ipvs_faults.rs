//! What befell the table of IPVS: changes by other programs, refusals of the kernel.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwapOption;

/// Since the start; written by the thread that drives IPVS, read by anyone, never locked.
#[derive(Debug, Default)]
pub struct IpvsFaults {
    restored: AtomicU64,
    refused: AtomicU64,
    unread: AtomicU64,
    problem: ArcSwapOption<String>,
}

impl IpvsFaults {
    /// A service is not as this daemon made it, and is put right.
    pub fn note_restored(&self) {
        self.restored.fetch_add(1, Ordering::Relaxed);
    }

    /// The kernel has refused a change, and why.
    pub fn note_refused(&self, why: String) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.problem.store(Some(Arc::new(why)));
    }

    /// The table could not be read, or not be reached at all, and why.
    pub fn note_unread(&self, why: String) {
        self.unread.fetch_add(1, Ordering::Relaxed);
        self.problem.store(Some(Arc::new(why)));
    }

    /// The table is as it should be.
    pub fn note_right(&self) {
        self.problem.store(None);
    }

    /// How often a service was found otherwise than it was made: another program has changed it. Once for as long as it lasts.
    pub fn restored(&self) -> u64 {
        self.restored.load(Ordering::Relaxed)
    }

    /// Changes that the kernel has refused, each time that it was asked.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How often the table could not be read.
    pub fn unread(&self) -> u64 {
        self.unread.load(Ordering::Relaxed)
    }

    /// The last refusal or failure, until the table is as it should be.
    pub fn problem(&self) -> Option<Arc<String>> {
        self.problem.load_full()
    }
}
