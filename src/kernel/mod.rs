//! The one room that touches Linux: clocks, timers, sockets, netlink, child processes.
//!
//! Machines elsewhere decide; what is here carries their decisions to the kernel and brings its answers
//! back as plain types of this crate. No netlink, nix or socket2 type appears in a public signature, so a
//! breaking release of those crates ends at this folder's door.
//!
//! Everything but [`process`], [`fifo`], [`process_events`], [`procfs`], [`file_watch`], [`link_beat`], [`own_file`], [`memory`] and [`capabilities`] is made for a
//! current-thread tokio runtime (the vrrp lane) and never waits in a system call: what cannot be done at once is an
//! error or a future. The exception is rtnetlink, where the kernel itself works on a request while it is being sent;
//! see [`netlink::Requests`].
//!
//! It may use `units` and `checksum`, and of `config` the types of routes and rules, which are as rich as the kernel's own.

mod announce;
pub mod arp;
mod attributes;
pub mod capabilities;
pub mod clock;
pub mod datagram;
pub mod deadline;
pub mod dial;
pub mod error;
pub mod fifo;
pub mod file_watch;
pub mod firewall;
pub mod ipvs;
mod limits;
pub mod link_beat;
mod local_socket;
pub mod memory;
pub mod namespace;
pub mod nd;
pub mod netlink;
pub mod nft;
mod own_addresses;
pub mod own_file;
mod ping_group;
pub mod process;
pub mod process_events;
pub mod procfs;
pub mod raw;
mod readable;
mod receive_buffer;
pub mod schedule;
mod sys;
pub mod sysctl;

pub use announce::AnnounceSocket;
pub use deadline::{Deadline, rest};
pub use error::KernelError;
pub use fifo::Fifo;
pub use file_watch::FileWatch;
pub use firewall::{Diversion, Refusal, Ruleset};
pub use link_beat::LinkBeat;
pub use local_socket::{Caller, LocalSocket};
pub use netlink::{
    Added, Address, AddressInfo, Change, Detection, Devices, Event, Events, Granted, Isolation, Link,
    NewLink, NewLinkKind, PreparedRoute, PreparedRule, Requests, RouteInfo, RuleInfo, Sharing, Stacked,
    Watch,
};
pub use own_addresses::own_addresses;
pub use ping_group::PingGroup;
pub use process_events::{ProcessEvent, ProcessEvents};
pub use raw::{Inbox, VrrpSocket};
pub use receive_buffer::ReceiveBuffer;
#[cfg(test)]
pub(crate) use sys::unprivileged;
pub use sysctl::Sysctl;
