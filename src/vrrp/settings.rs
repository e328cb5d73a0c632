//! What the configuration says of one virtual router, as the machine needs it.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::Policy;
pub use crate::config::Auth;
use crate::units::{Family, Priority, Version, Vrid};

/// One virtual router, every default filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the `vrrp_instance`, for messages.
    pub name: String,
    /// The interface's name, for messages and reasons.
    pub interface: String,
    /// `virtual_router_id`.
    pub vrid: Vrid,
    /// `version`.
    pub version: Version,
    /// `priority`, 1..=255, before tracking.
    pub priority: Priority,
    /// `advert_int`: whole seconds in version 2, centiseconds up to 40.95 s in version 3.
    pub advert_interval: Duration,
    /// `state MASTER`. Only an owner (priority 255) starts at once because of it.
    pub start_as_master: bool,
    /// Take over from a master of lower priority. Always true for an owner and for `state MASTER`.
    pub preempt: bool,
    /// `preempt_delay`: how long to tolerate a master of lower priority after a start as BACKUP.
    pub preempt_delay: Duration,
    /// `authentication` of version 2, or `auth_hmac`, which any version may have.
    #[serde(skip)]
    pub auth: Auth,
    /// The addresses that advertisements carry, in their order; those of another family, and more than
    /// [`packet::MAX_ADDRESSES`](super::packet::MAX_ADDRESSES), do not fit and are left out.
    pub addresses: Vec<IpAddr>,
    /// Where advertisements go.
    pub destination: Destination,
    /// `unicast_src_ip` or `mcast_src_ip`; `None` means the interface's own: its primary address for
    /// IPv4, its link-local one for IPv6.
    pub source: Option<IpAddr>,
    /// `track_src_ip`: without that source on this host the router is in FAULT.
    pub track_source: bool,
    /// Gratuitous ARP timing.
    pub garp: Garp,
    /// `down_timer_adverts`: advertisements a master may miss, 1..=100, default 3.
    pub down_timer_adverts: u32,
    /// Whether a [`SyncGroup`](super::SyncGroup) decides with it.
    pub membership: Membership,
    /// What it does otherwise than usual.
    pub policy: Policy,
}

/// Whether a router changes its state alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Yes.
    #[default]
    Alone,
    /// No: it is a member of a sync group, and becomes MASTER only when the group says so.
    Member,
    /// A member of a sync group of owners (priority 255, `state MASTER`) only, which begin as MASTER.
    AmongOwners,
}

/// The shortest advertisement interval: what version 3 counts in. A shorter one in [`Settings`] is raised to it.
const MIN_ADVERT_INTERVAL: Duration = Duration::from_millis(10);

/// The longest advertisement interval, that of version 2's one byte. A longer one is lowered to it.
const MAX_ADVERT_INTERVAL: Duration = Duration::from_secs(255);

impl Settings {
    /// The settings with everything in bounds, and with what some of them demand of others.
    pub(super) fn settled(mut self) -> Self {
        self.advert_interval = self.advert_interval.clamp(MIN_ADVERT_INTERVAL, MAX_ADVERT_INTERVAL);
        let family = self.family();
        self.addresses.retain(|address| Family::of(*address) == family);
        self.addresses.truncate(super::packet::MAX_ADDRESSES);
        // RFC 9568 §6.1 (6.1-5): an owner preempts whatever the configuration says; keepalived does the same
        // for `state MASTER`. A delay needs preemption and a start as BACKUP.
        if !self.preempt || self.start_as_master {
            self.preempt_delay = Duration::ZERO;
        }
        self.preempt |= self.is_owner() || self.start_as_master;
        self
    }

    /// What `down_timer_adverts` defaults to (RFC 9568 §6.1: three intervals and the skew).
    pub const DEFAULT_DOWN_TIMER_ADVERTS: u32 = 3;

    /// Whether this router owns the addresses (RFC 9568 §5.2.4, by configuration only).
    pub fn is_owner(&self) -> bool {
        self.priority == Priority::OWNER
    }

    /// The family that this router speaks: that of where its advertisements go.
    pub fn family(&self) -> Family {
        match &self.destination {
            Destination::Multicast(group) => Family::of(*group),
            Destination::Unicast(peers) => {
                peers.first().or(self.addresses.first()).map_or(Family::V4, |address| Family::of(*address))
            }
        }
    }
}

/// Where advertisements go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To a group, 224.0.0.18 or ff02::12 unless configured otherwise.
    Multicast(IpAddr),
    /// One copy to each `unicast_peer`.
    Unicast(Vec<IpAddr>),
}

/// When and how often gratuitous ARP is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garp {
    /// `garp_master_repeat`: messages per address in a burst.
    pub repeat: u32,
    /// `garp_master_delay`: from the first burst to the second; zero means no second burst.
    pub delay: Duration,
    /// `garp_master_refresh`: period of the refresh while MASTER; zero means no refresh.
    pub refresh: Duration,
    /// `garp_master_refresh_repeat`: messages per address in a refresh.
    pub refresh_repeat: u32,
    /// `garp_lower_prio_repeat`: messages per address after an advertisement of lower priority.
    pub lower_prio_repeat: u32,
    /// `garp_lower_prio_delay`: from those to their second burst; zero means no second burst.
    pub lower_prio_delay: Duration,
    /// `garp_extra_if`: period of announcements on interfaces that no advertisements leave by; zero means none.
    pub extra: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            repeat: 5,
            delay: Duration::from_secs(5),
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_repeat: 5,
            lower_prio_delay: Duration::from_secs(5),
            extra: Duration::ZERO,
        }
    }
}
