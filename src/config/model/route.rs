//! Routes, virtual and static.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{config::Place, units::Family};

/// The protocol that marks routes and rules as ours (rt_protos: keepalived).
pub const PROTOCOL: u8 = 18;
/// The table that holds routes which name none (RT_TABLE_MAIN).
pub const MAIN_TABLE: u32 = 254;

/// A prefix: every address that begins with its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Its address, as written: bits behind the prefix may be set.
    pub address: IpAddr,
    /// Length in bits, 0..=32 or 0..=128.
    pub prefix: u8,
}

impl Network {
    /// Every address of a family.
    pub const fn every(family: Family) -> Self {
        match family {
            Family::V4 => Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: 0 },
            Family::V6 => Self { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 0 },
        }
    }

    /// The family of its addresses.
    pub const fn family(self) -> Family {
        Family::of(self.address)
    }

    /// Without the bits behind the prefix.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let behind = u32::from(self.family().bits().saturating_sub(self.prefix));
        let address = match self.address {
            IpAddr::V4(address) => {
                Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(behind).unwrap_or(0)).into()
            }
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(behind).unwrap_or(0)).into()
            }
        };
        Self { address, ..self }
    }

    /// Its last address: every bit behind the prefix is set.
    pub fn last(self) -> IpAddr {
        let prefix = self.prefix.into();
        match self.address {
            IpAddr::V4(first) => {
                Ipv4Addr::from_bits(first.to_bits() | u32::MAX.checked_shr(prefix).unwrap_or(0)).into()
            }
            IpAddr::V6(first) => {
                Ipv6Addr::from_bits(first.to_bits() | u128::MAX.checked_shr(prefix).unwrap_or(0)).into()
            }
        }
    }
}

/// One line of `virtual_routes` or `static_routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The word before the destination: `unicast` and its like.
    pub kind: RouteKind,
    /// Where it leads.
    pub destination: Network,
    /// `from`: for packets from there only, IPv6.
    pub from: Option<Network>,
    /// `src`: the preferred source address.
    pub source: Option<IpAddr>,
    /// `table`, else the main one.
    pub table: u32,
    /// `vrf`: the table of this device instead.
    pub vrf: Option<String>,
    /// `tos` or `dsfield`.
    pub tos: u8,
    /// `protocol`: who made it.
    pub protocol: u8,
    /// `scope`; `None` leaves it to the kernel.
    pub scope: Option<u8>,
    /// `metric`; 0 leaves it to the kernel.
    pub metric: u32,
    /// `via`, `dev`, `onlink` and `encap` of the route itself; its next hops have their own.
    pub hop: Hop,
    /// `nexthop`: several next hops, by weight.
    pub next_hops: Vec<NextHop>,
    /// `expires`: its lifetime in seconds, IPv6.
    pub expires: Option<u32>,
    /// `pref`, IPv6.
    pub preference: Option<RouterPreference>,
    /// `ttl-propagate`.
    pub ttl_propagate: Option<bool>,
    /// What TCP is told about the path.
    pub metrics: RouteMetrics,
    /// `add`, `prepend` or `append`.
    pub insertion: Insertion,
    /// `no_track`: nobody reacts to its loss.
    pub no_track: bool,
    /// `track_group`: the instances that suffer with a static route.
    pub track_group: Option<Box<str>>,
    /// Where the line is.
    pub at: Place,
}

impl Route {
    /// The interfaces that it names.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        let hops = self.next_hops.iter().map(|next| &next.hop);
        std::iter::once(&self.hop).chain(hops).filter_map(|hop| hop.device.as_deref())
    }

    /// IPv4 or IPv6.
    pub const fn family(&self) -> Family {
        self.destination.family()
    }
}

/// As far as people need to know which line is meant, in the words of ip-route(8).
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != RouteKind::Unicast {
            write!(f, "{} ", self.kind.word())?;
        }
        self.destination.fmt(f)?;
        self.hop.fmt(f)?;
        for next in &self.next_hops {
            write!(f, " nexthop{}", next.hop)?;
        }
        match &self.vrf {
            Some(vrf) => write!(f, " vrf {vrf}")?,
            None if self.table != MAIN_TABLE => write!(f, " table {}", self.table)?,
            None => {}
        }
        if self.metric != 0 {
            write!(f, " metric {}", self.metric)?;
        }
        Ok(())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == 0 { f.write_str("default") } else { write!(f, "{}/{}", self.address, self.prefix) }
    }
}

/// With a space before each part.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        match &self.device {
            Some(device) => write!(f, " dev {device}"),
            None => Ok(()),
        }
    }
}

impl RouteKind {
    /// The word of ip-route(8).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Local => "local",
            Self::Broadcast => "broadcast",
            Self::Anycast => "anycast",
            Self::Multicast => "multicast",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Throw => "throw",
            Self::Nat => "nat",
            Self::ExternalResolve => "xresolve",
        }
    }
}

/// What becomes of packets, by the kernel's numbers (rtnetlink `RTN_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "ip-route(8) has the names")]
pub enum RouteKind {
    #[default]
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
    Throw = 9,
    Nat = 10,
    ExternalResolve = 11,
}

/// A next hop: what comes after the destination in a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// `via`.
    pub via: Option<IpAddr>,
    /// `dev` or `oif`.
    pub device: Option<String>,
    /// `onlink`: the next hop is on the link, whatever its address looks like.
    pub onlink: bool,
    /// `encap`.
    pub encap: Option<Encap>,
    /// `realms`, IPv4.
    pub realms: Option<Realms>,
}

/// One of several next hops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// The next hop itself.
    pub hop: Hop,
    /// `weight`, 1..=256: its share.
    pub weight: u16,
}

/// `realms [FROM/]TO`, IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Realms {
    /// Where packets come from; 0 for anywhere.
    pub from: u16,
    /// Where they go.
    pub to: u16,
}

/// How packets are wrapped for a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encap {
    /// `ip` or `ip6`: the metadata of a tunnel.
    Ip(IpTunnel),
    /// `mpls`: labels, outermost first, each 20 bits.
    Mpls(Vec<u32>),
    /// `ila`: the locator.
    Ila(u64),
}

/// The metadata of an IP tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpTunnel {
    /// `ip` or `ip6`.
    pub family: Family,
    /// `id`.
    pub id: Option<u64>,
    /// `dst`.
    pub destination: Option<IpAddr>,
    /// `src`.
    pub source: Option<IpAddr>,
    /// `tos` or `tc`.
    pub tos: Option<u8>,
    /// `ttl` or `hoplimit`.
    pub ttl: Option<u8>,
    /// `flags`.
    pub flags: Option<u16>,
}

/// `pref` (RFC 4191 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are the RFC's")]
pub enum RouterPreference {
    Low,
    Medium,
    High,
}

/// Where among routes of the same destination a route is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Insertion {
    /// `add`: only where there is none; the default for all but unicast routes.
    Add,
    /// `prepend`: before the others; the default for unicast routes.
    Prepend,
    /// `append`: behind them.
    Append,
}

/// A metric, and whether the kernel may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Metric<T> {
    /// The value.
    pub value: T,
    /// `lock`: the kernel may not change it.
    pub locked: bool,
}

/// A time among the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricTime {
    /// A number without unit, for the kernel as it is.
    Raw(u32),
    /// Milliseconds.
    Milliseconds(u32),
}

/// What TCP is told about a path (rtnetlink `RTAX_*`); what is `None` is the kernel's business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMetrics {
    /// `mtu`: in bytes.
    pub mtu: Option<Metric<u32>>,
    /// `advmss`: in bytes.
    pub advmss: Option<Metric<u32>>,
    /// `hoplimit`.
    pub hoplimit: Option<u8>,
    /// `rtt`.
    pub rtt: Option<Metric<MetricTime>>,
    /// `rttvar`.
    pub rttvar: Option<Metric<MetricTime>>,
    /// `rto_min`.
    pub rto_min: Option<Metric<MetricTime>>,
    /// `reordering`: in segments.
    pub reordering: Option<Metric<u32>>,
    /// `window`: in bytes.
    pub window: Option<u32>,
    /// `cwnd`: in segments.
    pub cwnd: Option<Metric<u32>>,
    /// `ssthresh`.
    pub ssthresh: Option<Metric<u32>>,
    /// `initcwnd`: in segments.
    pub initcwnd: Option<u32>,
    /// `initrwnd`: in segments.
    pub initrwnd: Option<u32>,
    /// `features ecn`.
    pub ecn: bool,
    /// `quickack`.
    pub quickack: Option<bool>,
    /// `congctl`: the name of an algorithm.
    pub congestion_control: Option<Metric<Box<str>>>,
    /// `fastopen_no_cookie`.
    pub fastopen_no_cookie: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_ends_with_every_bit_behind_its_prefix_set() {
        let last = |address: &str, prefix| Network { address: address.parse().unwrap(), prefix }.last();
        assert_eq!(last("10.67.0.28", 31), "10.67.0.29".parse::<IpAddr>().unwrap());
        assert_eq!(last("10.67.0.28", 32), "10.67.0.28".parse::<IpAddr>().unwrap());
        assert_eq!(last("0.0.0.0", 0), "255.255.255.255".parse::<IpAddr>().unwrap());
        assert_eq!(last("fd00::", 120), "fd00::ff".parse::<IpAddr>().unwrap());
    }
}
