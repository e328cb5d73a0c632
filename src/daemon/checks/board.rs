//! What the kernel should hold: written by the lane, read by the thread that asks the kernel.

use std::{
    collections::HashMap,
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
    /// The kernel has, or has no more, services that are in `installed`; or there is a question.
    pub(super) told: Notify,
    /// It is the end, for whoever does not look at the board.
    pub(super) over: Notify,
    /// `-I`: what is installed stays at the end.
    pub(super) keeps: bool,
}

#[derive(Debug, Default)]
struct State {
    wanted: HashMap<ServiceKey, Option<Entry>>,
    topology: Option<Arc<Topology>>,
    installed: HashMap<ServiceKey, bool>,
    /// The services that the kernel may have by what was said here, and whether it should.
    named: HashMap<ServiceKey, bool>,
    /// Everything is to be said once more.
    is_asked: bool,
    is_over: bool,
    #[cfg(test)]
    has_mistake: bool,
    #[cfg(test)]
    spoils_reloads: bool,
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

impl State {
    fn is_idle(&self) -> bool {
        #[cfg(test)]
        if self.has_mistake {
            return false;
        }
        self.wanted.is_empty() && self.topology.is_none() && !self.is_over
    }
}

impl Board {
    /// An empty one; `keeps` is whether what is installed stays at the end.
    pub(super) fn new(keeps: bool) -> Self {
        Self { keeps, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These services should be so.
    pub(super) fn want(&self, entries: impl IntoIterator<Item = (ServiceKey, Option<Entry>)>) {
        let mut state = self.state();
        for (key, entry) in entries {
            state.named.insert(key, entry.is_some());
            state.wanted.insert(key, entry);
        }
        self.changed.notify_one();
    }

    /// The services that the kernel may have by what was said here: those that it should have, and those that it is not known
    /// to have lost.
    pub(super) fn keys(&self) -> Vec<ServiceKey> {
        self.state().named.keys().copied().collect()
    }

    /// Asks what the kernel should hold of every service: whoever knew is gone.
    pub(super) fn ask(&self) {
        self.state().is_asked = true;
        self.told.notify_one();
    }

    /// Whether that was asked since the last time.
    pub(super) fn take_question(&self) -> bool {
        mem::take(&mut self.state().is_asked)
    }

    /// A reload has put this in place; what it wants of the kernel has been said before.
    pub(super) fn follow(&self, topology: Arc<Topology>) {
        self.state().topology = Some(topology);
        self.changed.notify_one();
    }

    /// The end: what was installed goes, unless it is to be kept.
    pub(super) fn stop(&self) {
        self.state().is_over = true;
        self.changed.notify_one();
        self.over.notify_one();
    }

    /// Has whoever takes the next piece of work make a mistake over it.
    #[cfg(test)]
    pub(super) fn spoil(&self) {
        self.state().has_mistake = true;
        self.changed.notify_one();
    }

    /// Has the lane make a mistake over every reload from now on.
    #[cfg(test)]
    pub(super) fn spoil_reloads(&self) {
        self.state().spoils_reloads = true;
    }

    /// Whether it does.
    #[cfg(test)]
    pub(super) fn spoils_reloads(&self) -> bool {
        self.state().spoils_reloads
    }

    /// Takes what there is to do; waits for it as long as that.
    pub(super) fn take(&self, patience: Duration) -> Work {
        let waited = self.changed.wait_timeout_while(self.state(), patience, |state| state.is_idle());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (wanted, topology, is_over) =
            (mem::take(&mut state.wanted), state.topology.take(), state.is_over);
        #[cfg(test)]
        assert!(!mem::take(&mut state.has_mistake), "a mistake of the thread");
        Work { wanted, topology, is_over }
    }

    /// Says whether the kernel has these services.
    pub(super) fn tell(&self, installed: impl IntoIterator<Item = (ServiceKey, bool)>) {
        let mut state = self.state();
        for (key, is) in installed {
            if !is && state.named.get(&key) == Some(&false) {
                state.named.remove(&key);
            }
            state.installed.insert(key, is);
        }
        drop(state);
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
    use crate::{
        kernel::ipvs::{Flags, Service},
        units::Family,
    };

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

    #[test]
    fn a_service_is_named_until_the_kernel_is_known_to_have_lost_it() {
        let board = Board::default();
        let key = ServiceKey::Mark { family: Family::V4, mark: 7 };
        let service = || Service { key, scheduler: "wlc".into(), flags: Flags::default(), persistence: None };
        let entry = || Some(Entry { service: service(), destinations: Vec::new() });
        board.want([(key, entry())]);
        board.tell([(key, false)]);
        assert_eq!(board.keys(), [key], "refused, and still wanted");
        board.want([(key, None)]);
        board.tell([(key, true)]);
        assert_eq!(board.keys(), [key], "not wanted, and still there");
        board.tell([(key, false)]);
        assert_eq!(board.keys(), []);
        board.want([(key, entry())]);
        assert_eq!(board.keys(), [key]);
        board.ask();
        assert!(board.take_question() && !board.take_question());
    }
}
