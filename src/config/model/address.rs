//! Address lines, virtual and static, and the addresses of other routers.

use std::net::{IpAddr, Ipv4Addr};

use crate::{config::Place, units::Family};

/// One line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the line")]
pub struct AddressLine {
    /// The address.
    pub address: IpAddr,
    /// Prefix length, 0..=32 or 0..=128; that of a host when the line has none or has a `peer`.
    pub prefix: u8,
    /// `peer`: the other end of a point-to-point link, of the same family.
    pub peer: Option<IpAddr>,
    /// `brd`; `None` sets no broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// `dev`; `None` means the instance's interface, or `default_interface` for a static address.
    pub device: Option<String>,
    /// `scope`; always global for IPv6, where the kernel finds it out.
    pub scope: Scope,
    /// `label`, IPv4 only, at most 15 bytes.
    pub label: Option<String>,
    /// How long the address is preferred for new connections.
    pub preferred: Preferred,
    /// `home` (IFA_F_HOMEADDRESS), IPv6.
    pub home: bool,
    /// Duplicate address detection is left out (IFA_F_NODAD), as it is for IPv6 unless the line says `-nodad`.
    pub nodad: bool,
    /// `mngtmpaddr` (IFA_F_MANAGETEMPADDR), IPv6.
    pub mngtmpaddr: bool,
    /// `noprefixroute` (IFA_F_NOPREFIXROUTE).
    pub noprefixroute: bool,
    /// `autojoin` (IFA_F_MCAUTOJOIN).
    pub autojoin: bool,
    /// `no_track`: nobody reacts to the loss of the address or of its interface.
    pub no_track: bool,
    /// `use_vmac`: the address gets a VMAC of its own on its interface. Never of a static address.
    pub use_vmac: bool,
    /// `track_group`: the instances that suffer with a static address.
    pub track_group: Option<Box<str>>,
    /// Where the line is.
    pub at: Place,
}

impl AddressLine {
    /// An address of a host without options.
    pub fn new(address: IpAddr) -> Self {
        let family = Family::of(address);
        Self {
            address,
            prefix: family.bits(),
            peer: None,
            broadcast: None,
            device: None,
            scope: Scope::GLOBAL,
            label: None,
            preferred: Preferred::Forever,
            home: false,
            nodad: family == Family::V6,
            mngtmpaddr: false,
            noprefixroute: false,
            autojoin: false,
            no_track: false,
            use_vmac: false,
            track_group: None,
            at: Place::default(),
        }
    }
}

/// `preferred_lft`: how long an address may be the source of new connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preferred {
    /// As long as it exists.
    #[default]
    Forever,
    /// So many seconds; 0 makes it deprecated at once, as every IPv6 address with prefix length 128 is by default.
    Seconds(u32),
}

/// Address scope, by the kernel's numbers (rtnetlink `RT_SCOPE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(pub u8);

impl Scope {
    /// Valid everywhere.
    pub const GLOBAL: Self = Self(0);
    /// Valid in this site (IPv6 heritage).
    pub const SITE: Self = Self(200);
    /// Valid on this link.
    pub const LINK: Self = Self(253);
    /// Valid on this host.
    pub const HOST: Self = Self(254);
    /// Does not exist.
    pub const NOWHERE: Self = Self(255);
}

/// One line of `unicast_peer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnicastPeer {
    /// The other router's address, of the instance's family.
    pub address: IpAddr,
    /// `min_ttl`: advertisements that arrive with less are dropped; `None` accepts any.
    pub min_ttl: Option<u8>,
    /// `max_ttl`: advertisements that arrive with more are dropped; `None` accepts any.
    pub max_ttl: Option<u8>,
}
