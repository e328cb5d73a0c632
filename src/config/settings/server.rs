//! What services, their servers and groups of services are called by: addresses, ports and firewall marks.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{FromLine, Heading, Parsed};
use crate::{
    config::{
        Diagnostic, Network, Place, Prose, Range, Report, Severity, slips,
        text::{Line, Word},
        tree::Node,
        value,
    },
    units::Family,
};

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port; 0 for every port, or for the port of the service.
    pub port: u16,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.port)
    }
}

impl Endpoint {
    /// An address and perhaps a port; what follows a `/` or `-` of the address is dropped.
    fn of(address: Word<'_>, port: Option<Word<'_>>) -> Option<Self> {
        let (address, _) = value::host_address(address.text)?;
        Some(Self { address, port: port.map_or(Some(0), |word| self::port(word.text))? })
    }
}

fn port(word: &str) -> Option<u16> {
    value::integer(word).and_then(|port| u16::try_from(port).ok())
}

impl Heading for Endpoint {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let found = Self::of(node.argument()?, node.line.word(2));
        if found.is_none() {
            report.add(unusable(
                node,
                "a server",
                Prose::own(format!("write {} ADDRESS PORT", node.keyword.name)),
            ));
        }
        found
    }
}

impl Parsed for Endpoint {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        Heading::parse(node, report)
    }
}

fn unusable(node: &Node, what: &str, help: impl Into<Prose>) -> Diagnostic {
    let first = node.line.word(1).filter(|_| node.line.word(2).is_none());
    let both = first.and_then(|word| slips::endpoint(word.text));
    let ended = || node.line.words(1).find_map(|word| slips::ended(word.text));
    let help = match both {
        Some(both) => format!("write {} {both}: a blank parts address and port", node.keyword.name).into(),
        None => ended().map_or_else(|| help.into(), |(_, help)| help.into()),
    };
    let shown = node.line.words(1).map(|word| word.text).collect::<Vec<_>>().join(" ");
    let headline = format!("`{shown}` is not {what}: the block is ignored");
    Diagnostic::new("unusable-service", Severity::Error, headline, &node.span()).help(help)
}

/// What a `virtual_server` serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// An address, and a port unless it serves them all.
    Address(Endpoint),
    /// Packets with a firewall mark.
    Mark(u32),
    /// The members of a `virtual_server_group`.
    Group(Box<str>),
}

impl Default for Destination {
    fn default() -> Self {
        Self::Mark(0)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(endpoint) if endpoint.port == 0 => endpoint.address.fmt(f),
            Self::Address(endpoint) => endpoint.fmt(f),
            Self::Mark(mark) => write!(f, "fwmark {mark}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl Heading for Destination {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let (first, second) = (node.argument()?, node.line.word(2));
        let found = match first.text {
            "fwmark" => second.and_then(|word| mark(word.text)).map(Self::Mark),
            "group" => second.map(|word| Self::Group(word.text.into())),
            _ => Endpoint::of(first, second).map(Self::Address),
        };
        if found.is_none() {
            let help =
                "write virtual_server ADDRESS PORT, virtual_server fwmark N or virtual_server group NAME";
            report.add(unusable(node, "a service", help));
        }
        found
    }
}

fn mark(word: &str) -> Option<u32> {
    value::integer(word).and_then(|mark| u32::try_from(mark).ok())
}

/// `virtual_server_group`: addresses, ranges and firewall marks that share one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// Its name.
    pub name: String,
    /// Its services; never empty.
    pub members: Vec<GroupMember>,
    /// Where the block begins.
    pub at: Place,
}

/// One line of a `virtual_server_group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupMember {
    /// `ADDR [PORT]`, `ADDR-END [PORT]`: every address from the first to the last, with this port.
    Addresses(Range<IpAddr>, u16),
    /// `ADDR/LEN [PORT]`: every address of the prefix, with this port.
    Network(Network, u16),
    /// `fwmark N [inet|inet6]`; without a family it has that of the servers.
    Mark(u32, Option<Family>),
}

impl GroupMember {
    /// IPv4 or IPv6, where the line says so.
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Addresses(range, _) => Some(Family::of(range.first)),
            Self::Network(network, _) => Some(network.family()),
            Self::Mark(_, family) => *family,
        }
    }

    /// Services that one line may stand for; those behind them are left out: the prefix of a careless line must not fill the
    /// memory.
    pub const SERVICES_AT_MOST: usize = 65_536;

    /// The first and the last address; none of a mark.
    pub fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        match self {
            Self::Addresses(range, _) => Some((range.first, range.last)),
            Self::Network(network, _) => Some((network.address, network.last())),
            Self::Mark(..) => None,
        }
    }

    /// Whether there are more addresses than services may be.
    fn is_too_many(&self) -> bool {
        let behind_first = match self.ends() {
            Some((IpAddr::V4(first), IpAddr::V4(last))) => u128::from(last.to_bits() - first.to_bits()),
            Some((IpAddr::V6(first), IpAddr::V6(last))) => last.to_bits() - first.to_bits(),
            _ => 0,
        };
        behind_first >= Self::SERVICES_AT_MOST as u128
    }
}

impl FromLine for GroupMember {
    fn parse(line: &Line, report: &mut Report) -> Option<Self> {
        let first = line.first();
        match member(first, line.word(1), line.word(2)) {
            Ok(member) => {
                if member.is_too_many() {
                    let most = Self::SERVICES_AT_MOST;
                    let what = format!("this is more than {most} services: the first {most} are made");
                    report.add(
                        Diagnostic::new("too-many-services", Severity::Warning, what, &first.span())
                            .help("use a firewall mark for so many addresses"),
                    );
                }
                Some(member)
            }
            Err((word, why, help)) => {
                report.add(
                    Diagnostic::new(
                        "invalid-value",
                        if why == MISSING { Severity::Fatal } else { Severity::Error },
                        format!("{why}: the line is ignored"),
                        &word.span(),
                    )
                    .help(help),
                );
                None
            }
        }
    }
}

const MISSING: &str = "fwmark needs a value";

type Refused<'a> = (Word<'a>, &'static str, &'static str);

fn member<'a>(
    first: Word<'a>,
    second: Option<Word<'a>>,
    third: Option<Word<'a>>,
) -> Result<GroupMember, Refused<'a>> {
    if first.text == "fwmark" {
        let word = second.ok_or((first, MISSING, "write fwmark N"))?;
        let help = "write fwmark with a number from 0 to 4294967295";
        let number = mark(word.text).ok_or((word, "this is not a firewall mark", help))?;
        let family = match third {
            None => None,
            Some(word) => match word.text {
                "inet" => Some(Family::V4),
                "inet6" => Some(Family::V6),
                _ => return Err((word, "this is not a family", "write inet or inet6 behind the mark")),
            },
        };
        return Ok(GroupMember::Mark(number, family));
    }
    let number = match second {
        None => 0,
        Some(word) => {
            let help = "write a port from 1 to 65535 behind the address";
            port(word.text).ok_or((word, "this is not a port", help))?
        }
    };
    let help = "write ADDRESS PORT, ADDRESS-END PORT or ADDRESS/LENGTH PORT";
    let bad = |why| (first, why, help);
    if let Some((address, length)) = first.text.split_once('/') {
        let address: IpAddr = address.parse().map_err(|_| bad("this is not an address"))?;
        let longest = Family::of(address).bits();
        let prefix = value::integer(length).and_then(|length| u8::try_from(length).ok());
        let prefix = prefix.filter(|prefix| *prefix <= longest).ok_or(bad("this is not a prefix length"))?;
        if has_host_bits(address, prefix) {
            return Err((
                first,
                "this address has bits behind its prefix",
                "write the first address of the network before the slash",
            ));
        }
        return Ok(GroupMember::Network(Network { address, prefix }, number));
    }
    let (address, end) =
        first.text.split_once('-').map_or((first.text, None), |(address, end)| (address, Some(end)));
    let begin: IpAddr = address.parse().map_err(|_| bad("this is not an address"))?;
    let last = match end {
        None => return Ok(GroupMember::Addresses(Range { first: begin, last: begin }, number)),
        Some(end) => range_end(begin, end).ok_or(bad("this is not the end of a range"))?,
    };
    if last <= begin {
        return Err((first, "this range ends before it begins", "write the lower address first"));
    }
    Ok(GroupMember::Addresses(Range { first: begin, last }, number))
}

/// A whole address of the same family, the last octet of an IPv4 address, or the last 16 bits of an IPv6 address.
fn range_end(begin: IpAddr, end: &str) -> Option<IpAddr> {
    match begin {
        IpAddr::V4(begin) => {
            let [a, b, c, _] = begin.octets();
            let octet = || end.parse().ok().map(|d| Ipv4Addr::new(a, b, c, d));
            end.parse().ok().or_else(octet).map(IpAddr::V4)
        }
        IpAddr::V6(begin) => {
            let [a, b, c, d, e, f, g, _] = begin.segments();
            let segment = || u16::from_str_radix(end, 16).ok().map(|h| Ipv6Addr::new(a, b, c, d, e, f, g, h));
            end.parse().ok().or_else(segment).map(IpAddr::V6)
        }
    }
}

fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    match address {
        IpAddr::V4(address) => u32::MAX.checked_shr(prefix.into()).unwrap_or(0) & u32::from(address) != 0,
        IpAddr::V6(address) => u128::MAX.checked_shr(prefix.into()).unwrap_or(0) & u128::from(address) != 0,
    }
}
