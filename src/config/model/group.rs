//! Sync groups.

use super::{Notify, tracking::Tracks};
use crate::config::settings;

/// A `vrrp_sync_group`: instances that change state together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncGroup {
    /// The block's name.
    pub name: String,
    /// `group`: positions in [`Config::instances`](super::Config::instances), in the order of the block; never empty.
    pub members: Vec<usize>,
    /// What every member tracks, besides its own.
    pub tracks: Tracks,
    /// `sync_group_tracking_weight` or its older spelling `global_tracking`: members keep the weights of their own
    /// trackers.
    pub tracking_weight: bool,
    /// Programs told of the group's changes.
    pub notify: Notify,
    /// Every word of the block, as written.
    pub settings: Box<settings::SyncGroup>,
}
