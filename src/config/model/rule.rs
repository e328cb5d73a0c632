//! Policy rules, virtual and static.

use std::fmt;

use super::route::{Network, Realms};
use crate::{config::Place, units::Family};

/// One line of `virtual_rules` or `static_rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// IPv4 or IPv6.
    pub family: Family,
    /// What becomes of packets that it selects.
    pub action: RuleAction,
    /// `not`: it selects all others.
    pub inverted: bool,
    /// `from`.
    pub from: Option<Network>,
    /// `to`.
    pub to: Option<Network>,
    /// `preference`, else a number assigned downward from 16384.
    pub preference: u32,
    /// `tos` or `dsfield`.
    pub tos: u8,
    /// `fwmark`.
    pub mark: Option<Mark>,
    /// `realms`, IPv4.
    pub realms: Option<Realms>,
    /// `iif` or `dev`.
    pub input: Option<String>,
    /// `oif`.
    pub output: Option<String>,
    /// `tunnel-id`.
    pub tunnel_id: Option<u64>,
    /// `uidrange`.
    pub uids: Option<Range<u32>>,
    /// `protocol`: who made it.
    pub protocol: u8,
    /// `ipproto`: by its number (RFC 5237).
    pub ip_protocol: Option<u8>,
    /// `sport`.
    pub source_ports: Option<Range<u16>>,
    /// `dport`.
    pub destination_ports: Option<Range<u16>>,
    /// `suppress_prefixlength`: results with prefixes of this length or shorter do not count.
    pub suppress_prefix_length: Option<u8>,
    /// `suppress_ifgroup`: results through interfaces of this group do not count.
    pub suppress_group: Option<u32>,
    /// `no_track`: nobody reacts to its loss.
    pub no_track: bool,
    /// `track_group`: the instances that suffer with a static rule.
    pub track_group: Option<Box<str>>,
    /// Where the line is.
    pub at: Place,
}

impl Rule {
    /// The interfaces that it names.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        [&self.input, &self.output].into_iter().filter_map(|name| name.as_deref())
    }
}

/// As far as people need to know which line is meant, in the words of ip-rule(8).
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inverted {
            f.write_str("not ")?;
        }
        match self.from {
            Some(from) if from.prefix > 0 => write!(f, "from {from}")?,
            _ => f.write_str("from all")?,
        }
        if let Some(to) = self.to.filter(|to| to.prefix > 0) {
            write!(f, " to {to}")?;
        }
        if let Some(input) = &self.input {
            write!(f, " iif {input}")?;
        }
        if let Some(output) = &self.output {
            write!(f, " oif {output}")?;
        }
        write!(f, " preference {}", self.preference)
    }
}

/// What a rule does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// `table`: look there.
    Table(u32),
    /// `goto`: go on at the rule of this preference, which is larger than the rule's own.
    Goto(u32),
    /// `nop`: go on.
    Nop,
    /// `blackhole`: drop silently.
    Blackhole,
    /// `unreachable`: drop, and say that there is no route.
    Unreachable,
    /// `prohibit`: drop, and say that it is forbidden.
    Prohibit,
    /// `l3mdev`: look in the table of the packet's VRF.
    L3mdev,
}

/// `fwmark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The value.
    pub value: u32,
    /// The bits that are compared.
    pub mask: u32,
}

/// From one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range<T> {
    /// The first.
    pub first: T,
    /// The last, not less than the first.
    pub last: T,
}
