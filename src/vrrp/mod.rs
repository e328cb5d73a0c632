//! VRRP for IPv4 and IPv6, versions 2 and 3: what one virtual router on one interface says, hears and decides.
//!
//! In the order in which a packet passes: [`ip`] reads the header that a socket delivers, with [`ipv4`] and [`ipv6`]
//! as the codecs of the two families, [`packet`] is the codec of the message behind it, [`auth`] what proves who sent it,
//! [`validate`] says whether it may be believed and which counter it moves, `election` compares two routers, and
//! [`Instance`] is the machine of RFC 9568 §6.4 with keepalived's FAULT state. What the machine wants done comes out as
//! [`Action`]s. Instances that change state together are members of a [`SyncGroup`], a machine that looks at them and
//! gives them [`Order`]s. [`SyncDaemon`] is what of IPVS follows one.
//!
//! Deterministic: no socket, no clock, no random source, no log. The room may import [`crate::registry`]'s
//! types, [`crate::units`], the checksum and what [`crate::config`] calls authentication and trackers; the driver in
//! `daemon` carries its actions out.

mod action;
mod addressee;
pub mod auth;
mod election;
mod group;
pub(crate) mod hex;
mod holding;
mod input;
mod instance;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
pub mod packet;
mod policy;
mod report;
mod restore;
mod settings;
mod source;
mod sync_daemon;
mod timers;
mod transmit;
pub mod validate;

pub use self::{
    action::{Action, Level, Log, Outgoing},
    addressee::{Addressee, multicast_group},
    group::{GroupAction, Member, Order, SyncGroup},
    holding::Holding,
    input::Input,
    instance::{Fault, Instance, Reload},
    policy::{OldChecksum, Peer, Policy},
    settings::{Auth, Destination, Garp, Membership, Settings},
    source::Source,
    sync_daemon::{SyncChannel, SyncDaemon, SyncRequest, SyncRole},
    transmit::{LONGEST_ADVERT, advert_len},
};

#[cfg(test)]
pub(crate) mod testing;
