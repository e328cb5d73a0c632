//! The rows of sync groups.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{
    config,
    registry::{Reason, State},
    units::Time,
};

/// A `vrrp_sync_group`.
#[derive(Debug)]
pub struct GroupRow {
    /// Position among the groups that have members, from 1: vrrpSyncGroupIndex.
    pub index: u32,
    /// What the configuration says.
    pub config: config::SyncGroup,
    status: Arc<ArcSwap<GroupStatus>>,
}

/// What is true of a sync group right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// The state that all of its members have.
    pub state: State,
    /// Since when this state lasts.
    pub since: Time,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// The member that keeps others from becoming MASTER: they would be, each alone.
    pub held_back_by: Option<String>,
}

impl GroupRow {
    /// The row of `config` at `index` (from 1), in state INIT.
    pub fn new(index: u32, config: config::SyncGroup) -> Self {
        Self { index, config, status: Arc::default() }
    }

    /// The row of the same group with another index or other settings.
    pub(super) fn succeed(&self, index: u32, config: config::SyncGroup) -> Self {
        Self { index, config, status: Arc::clone(&self.status) }
    }

    /// What is true now.
    pub fn status(&self) -> Arc<GroupStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: GroupStatus) {
        self.status.store(Arc::new(status));
    }
}
