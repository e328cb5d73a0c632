//! Links that virtual routers have of their own.

use std::net::IpAddr;

/// `use_vmac` or `use_ipvlan`: a link stacked upon the instance's interface, for its addresses and advertisements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualLink {
    /// Its name, at most 15 bytes; `None` makes one of `vmac_prefix` and the virtual router's number.
    pub name: Option<String>,
    /// What kind of link.
    pub kind: VirtualLinkKind,
    /// `group`: the number that `ip link set group` gives; `None` means the interface's own.
    pub group: Option<u32>,
    /// `netlink_notify_msg`: the kernel reports the interface anew when the link is made, for programs that have to
    /// know that it takes frames for another MAC now.
    pub announce_parent: bool,
    /// `vmac_xmit_base`: advertisements go through the interface and not through the link.
    pub transmit_on_parent: bool,
}

/// What kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VirtualLinkKind {
    /// A private macvlan with this MAC, else the virtual router's own: 00-00-5E-00-01-VRID or 00-00-5E-00-02-VRID
    /// (RFC 9568 §7.3).
    Macvlan(Option<[u8; 6]>),
    /// An ipvlan in L2 mode. It has its interface's MAC, so for IPv4 it needs an address to send from.
    Ipvlan(IpvlanMode, Option<IpAddr>),
}

/// What passes between the ipvlans of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IpvlanMode {
    /// Everything.
    #[default]
    Bridge,
    /// Nothing.
    Private,
    /// What the switch outside sends back.
    Vepa,
}
