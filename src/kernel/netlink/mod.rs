//! rtnetlink: what interfaces, addresses, routes and rules of both families there are, and which we want there to be.
//!
//! Sockets of their own, so that a flood of events can never push out the answer to a request: [`Requests`] adds,
//! removes and lists; [`Events`] hears what anyone changes. To follow the state without a gap: open
//! [`Events`], then list through [`Requests`], then apply the events; and list again after
//! [`Event::Overrun`].

mod address;
mod carrier;
mod change;
mod decode;
mod events;
#[cfg(test)]
mod golden;
mod requests;
mod route;
mod rule;
mod virtual_link;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

pub use change::{Added, Change, Granted};
pub use events::{Event, Events, Watch};
pub use requests::Requests;
pub use route::{Devices, PreparedRoute, RouteInfo};
pub use rule::{PreparedRule, RuleInfo};
pub use virtual_link::{NewLink, NewLinkKind};

use crate::units::IfIndex;

/// An address to put on an interface or to take from it: what `virtual_ipaddress` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the kernel's")]
pub struct Address {
    /// The interface.
    pub index: IfIndex,
    /// The address itself.
    pub address: IpAddr,
    /// Prefix length in bits, 0..=32 or 0..=128.
    pub prefix: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// `brd`: the broadcast address. None is set without it.
    pub broadcast: Option<Ipv4Addr>,
    /// `scope` as a number of rt_scopes (rtnetlink(7)): 0 global, 253 link, 254 host. That of an IPv6 address follows
    /// from the address.
    pub scope: u8,
    /// `label`, at most 15 bytes; the kernel uses the interface's name without it. IPv4 only.
    pub label: Option<String>,
    /// Leave out duplicate address detection (IFA_F_NODAD): the router that held the address a moment ago may not
    /// have heard yet. IPv6 only.
    pub nodad: bool,
    /// For how many seconds the address may be the source of new connections; `None` for as long as it exists.
    pub preferred: Option<u32>,
    /// `home` (IFA_F_HOMEADDRESS), IPv6 only.
    pub home: bool,
    /// `mngtmpaddr` (IFA_F_MANAGETEMPADDR), IPv6 only.
    pub manages_temporary: bool,
    /// `noprefixroute` (IFA_F_NOPREFIXROUTE): the kernel adds no route to its prefix.
    pub noprefixroute: bool,
    /// `autojoin` (IFA_F_MCAUTOJOIN): the kernel joins the group that the address is.
    pub autojoin: bool,
}

impl Address {
    /// An address without options.
    pub const fn new(index: IfIndex, address: IpAddr, prefix: u8) -> Self {
        Self {
            index,
            address,
            prefix,
            peer: None,
            broadcast: None,
            scope: 0,
            label: None,
            nodad: false,
            preferred: None,
            home: false,
            manages_temporary: false,
            noprefixroute: false,
            autojoin: false,
        }
    }
}

impl From<&AddressInfo> for Address {
    fn from(known: &AddressInfo) -> Self {
        let &AddressInfo { index, address, prefix, scope, .. } = known;
        let label = known.label.clone();
        Self { scope, label, ..Self::new(index, address, prefix) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// An interface as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index, which a renamed interface keeps and a recreated one does not.
    pub index: IfIndex,
    /// Its name.
    pub name: String,
    /// Administratively up and running (IFF_UP and IFF_RUNNING: carrier and operational state).
    pub up: bool,
    /// Administratively up (IFF_UP), whatever its carrier is.
    pub enabled: bool,
    /// Hardware address; `None` where it is not six bytes (tunnels) or there is none.
    pub mac: Option<[u8; 6]>,
    /// Largest IP packet in bytes.
    pub mtu: u32,
    /// It does no ARP (IFF_NOARP): gratuitous ARP is pointless.
    pub noarp: bool,
    /// It can do multicast (IFF_MULTICAST).
    pub multicast: bool,
    /// It is a loopback interface.
    pub loopback: bool,
    /// The number that `ip link set group` gives interfaces; 0 where nobody did.
    pub group: u32,
    /// What it is stacked upon, and how; `None` for what has no parent.
    pub stacked: Option<Stacked>,
    /// The routing table of a VRF.
    pub vrf_table: Option<u32>,
}

#[cfg(test)]
impl Link {
    /// An interface for tests: up, with multicast, without a hardware address.
    pub(crate) fn sample(index: u32, name: &str) -> Link {
        Link {
            index: IfIndex(index),
            name: name.to_owned(),
            up: true,
            enabled: true,
            mac: None,
            mtu: 1500,
            noarp: false,
            multicast: true,
            loopback: false,
            group: 0,
            stacked: None,
            vrf_table: None,
        }
    }
}

/// How an interface is stacked upon another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stacked {
    /// The interface below.
    pub parent: IfIndex,
    /// How they share the link.
    pub sharing: Sharing,
}

/// How an interface shares the link of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// macvlan in private mode: a MAC of its own, and nothing passes between it and others on the same parent.
    PrivateMacvlan,
    /// macvlan in another mode.
    Macvlan,
    /// ipvlan in L2 mode: the parent's MAC, and addresses of its own.
    Ipvlan(Isolation),
    /// Any other kind or mode.
    Other,
}

/// What passes between the ipvlans of one parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Everything.
    #[default]
    Bridge,
    /// Nothing.
    Private,
    /// What the switch outside sends back.
    Vepa,
}

/// An address as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddressInfo {
    /// The interface it is on.
    pub index: IfIndex,
    /// The address itself (the local end on a point-to-point link).
    pub address: IpAddr,
    /// Prefix length in bits.
    pub prefix: u8,
    /// Its label; the kernel sets the interface's name where nobody sets another.
    pub label: Option<String>,
    /// Not the first of its IPv4 subnet on the interface: the kernel drops it with the first one, unless
    /// promote_secondaries is on.
    pub secondary: bool,
    /// Scope as a number of rt_scopes.
    pub scope: u8,
    /// Whether it may be used yet.
    pub detection: Detection,
}

/// Where duplicate address detection has come to (RFC 4862 §5.4); an IPv4 address has it behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Detection {
    /// The address is ours alone, as far as anybody knows, or nobody asked.
    #[default]
    Passed,
    /// It goes on: the address is tentative, and nothing may be sent from it.
    Tentative,
    /// Another host on the link has the address; the kernel will not use it.
    Duplicate,
}

/// The interface's name, for a message; "interface 7" when it is gone.
fn interface_name(index: IfIndex) -> String {
    match nix::net::if_::if_indextoname(index.0) {
        // nix reports an unknown index as success with an empty name.
        Ok(name) if !name.is_empty() => name.to_string_lossy().into_owned(),
        _ => format!("interface {index}"),
    }
}
