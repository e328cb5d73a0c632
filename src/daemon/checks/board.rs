//! What the kernel should hold: written by the lane, read by the thread that asks the kernel.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{kernel::ipvs::ServiceKey, pool::Entry, registry::Topology};

/// The board. It holds one word for each service at the most, the newest.
#[derive(Debug, Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
    /// The kernel has, or has no more, services that are in `installed`.
    pub(super) told: Notify,
}

#[derive(Debug, Default)]
struct State {
    wanted: HashMap<ServiceKey, Option<Entry>>,
    topology: Option<Arc<Topology>>,
    installed: HashMap<ServiceKey, bool>,
    /// The services that the kernel should have, as far as was said.
    named: HashSet<ServiceKey>,
    is_over: bool,
}

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Services that should be otherwise, or not be.
    pub(super) wanted: HashMap<ServiceKey, Option<Entry>>,
    /// What a reload has put in place.
    pub(super) topology: Option<Arc<Topology>>,
    /// It is the end: what was installed is to go.
    pub(super) is_over: bool,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These services should be so.
    pub(super) fn want(&self, entries: impl IntoIterator<Item = (ServiceKey, Option<Entry>)>) {
        let mut state = self.state();
        for (key, entry) in entries {
            if entry.is_some() {
                state.named.insert(key);
            } else {
                state.named.remove(&key);
            }
            state.wanted.insert(key, entry);
        }
        self.changed.notify_one();
    }

    /// The services that the kernel should have.
    pub(super) fn keys(&self) -> Vec<ServiceKey> {
        self.state().named.iter().copied().collect()
    }

    /// A reload has put this in place; what it wants of the kernel has been said before.
    pub(super) fn follow(&self, topology: Arc<Topology>) {
        self.state().topology = Some(topology);
        self.changed.notify_one();
    }

    /// The end: what was installed goes.
    pub(super) fn stop(&self) {
        self.state().is_over = true;
        self.changed.notify_one();
    }

    /// Takes what there is to do; waits for it as long as that.
    pub(super) fn take(&self, patience: Duration) -> Work {
        let idle = |state: &mut State| state.wanted.is_empty() && state.topology.is_none() && !state.is_over;
        let waited = self.changed.wait_timeout_while(self.state(), patience, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Work { wanted: mem::take(&mut state.wanted), topology: state.topology.take(), is_over: state.is_over }
    }

    /// Says whether the kernel has these services.
    pub(super) fn tell(&self, installed: impl IntoIterator<Item = (ServiceKey, bool)>) {
        self.state().installed.extend(installed);
        self.told.notify_one();
    }

    /// What was said of services since the last time.
    pub(super) fn heard(&self) -> HashMap<ServiceKey, bool> {
        mem::take(&mut self.state().installed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Family;

    #[test]
    fn the_newest_word_counts_and_nothing_piles_up() {
        let board = Board::default();
        let key = ServiceKey::Mark { family: Family::V4, mark: 7 };
        for _ in 0..1000 {
            board.want([(key, None)]);
        }
        let work = board.take(Duration::ZERO);
        assert_eq!((work.wanted.len(), work.is_over), (1, false));
        assert!(board.take(Duration::ZERO).wanted.is_empty());
        board.stop();
        assert!(board.take(Duration::from_secs(60)).is_over);
    }
}
