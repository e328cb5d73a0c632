//! What the configuration lets a router do otherwise than usual, and the questions that its words answer.
//!
//! Everything off is what RFC 9568 and keepalived do without being told.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::units::{Priority, master_down_interval};

/// The words of an instance that each change one decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `lower_prio_no_advert`: a MASTER answers a worse router with gratuitous ARP alone.
    pub lower_prio_no_advert: bool,
    /// `higher_prio_send_advert`: a MASTER sends one more advertisement before it gives way.
    pub higher_prio_send_advert: bool,
    /// `owner_ignore_adverts`: an owner hears nobody (RFC 9568 §7.1 (7.1-7)).
    pub owner_ignore_adverts: bool,
    /// `skip_check_adv_addr`: the addresses that the master known already advertises are not compared with ours.
    pub skip_check_adv_addr: bool,
    /// `check_unicast_src`: only peers are believed, and only within their bounds.
    pub check_unicast_src: bool,
    /// `unicast_peer` with `min_ttl` and `max_ttl`.
    pub peers: Vec<Peer>,
    /// `unicast_ttl`: the TTL or hop limit of unicast copies.
    pub unicast_ttl: Option<u8>,
    /// `v3_checksum_as_v2`: version 3 over IPv4 is sent without pseudo header.
    pub v3_checksum_as_v2: bool,
    /// `old_unicast_checksum`.
    pub old_checksum: OldChecksum,
    /// `timer_expired_backup`: the priority of the router that takes over when this one is stalled.
    pub timer_expired_backup: Option<Priority>,
}

/// A unicast peer, and how far away it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// `min_ttl`: what its advertisements must have left at least.
    pub min_ttl: u8,
    /// `max_ttl`: what they may have left at most.
    pub max_ttl: u8,
}

/// What is made of version 3's unicast checksum over IPv4 as keepalived had it before 1.3.7: its pseudo header has the
/// multicast group for a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldChecksum {
    /// It is a wrong one.
    #[default]
    Never,
    /// It is sent, with this group, once it was received.
    Detected(IpAddr),
    /// It is sent, with this group.
    Always(IpAddr),
}

impl OldChecksum {
    /// The group in the pseudo header, where the form is accepted.
    pub(super) fn group(self) -> Option<IpAddr> {
        match self {
            Self::Never => None,
            Self::Detected(group) | Self::Always(group) => Some(group),
        }
    }
}

impl Policy {
    /// The peer of that address.
    pub(super) fn peer(&self, address: IpAddr) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.address == address)
    }
}

impl Settings {
    /// Whether a MASTER whose advertisement is this `late` has been replaced meanwhile and does not want it back: it
    /// has been silent for the master down interval of the router named by `timer_expired_backup`.
    pub(super) fn is_replaced(&self, late: Duration) -> bool {
        let Some(priority) = self.policy.timer_expired_backup.filter(|_| !self.preempt) else { return false };
        late > master_down_interval(self.version, self.down_timer_adverts, priority, self.advert_interval)
    }
}
