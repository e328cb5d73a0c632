//! Virtual services (IPVS_SVC_ATTR_*).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::BitOr,
};

use super::{Held, attribute, statistics, wide};
use crate::{
    kernel::attributes::{Attributes, Values},
    units::Family,
};

const FAMILY: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDRESS: u16 = 3;
const PORT: u16 = 4;
const MARK: u16 = 5;
const SCHEDULER: u16 = 6;
const FLAGS: u16 = 7;
const TIMEOUT: u16 = 8;
const NETMASK: u16 = 9;
const STATISTICS: u16 = 10;
const ENGINE: u16 = 11;
const STATISTICS_64: u16 = 12;

/// The protocols that IPVS balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// As in the header of an IP packet.
    fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Which service: what the kernel finds it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceKey {
    /// What is sent to an address and port; port 0 is every port.
    Socket {
        /// Of this protocol.
        protocol: Protocol,
        /// To here.
        address: SocketAddr,
    },
    /// What a firewall rule has marked.
    Mark {
        /// Of the packets' addresses.
        family: Family,
        /// The mark.
        mark: u32,
    },
}

impl ServiceKey {
    /// Of the packets' addresses.
    pub fn family(&self) -> Family {
        match self {
            Self::Socket { address, .. } => Family::of(address.ip()),
            Self::Mark { family, .. } => *family,
        }
    }

    pub(super) fn write(&self, attributes: &mut Attributes) {
        attributes.u16(FAMILY, wide::number(self.family()));
        match self {
            Self::Socket { protocol, address } => attributes
                .u16(PROTOCOL, protocol.number())
                .bytes(ADDRESS, &wide::bytes(address.ip()))
                .be16(PORT, address.port()),
            Self::Mark { mark, .. } => attributes.u32(MARK, *mark),
        };
    }

    fn read(values: Values<'_>) -> Option<Self> {
        let family = wide::family(values.u16(FAMILY)?)?;
        if let Some(mark) = values.u32(MARK) {
            return Some(Self::Mark { family, mark });
        }
        let protocol = values.u16(PROTOCOL)?;
        let protocol = Protocol::ALL.into_iter().find(|known| known.number() == protocol)?;
        let address = wide::address(values.array(ADDRESS)?, family);
        Some(Self::Socket { protocol, address: SocketAddr::new(address, values.be16(PORT)?) })
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket { protocol, address } => write!(f, "{protocol} {address}"),
            Self::Mark { family: Family::V4, mark } => write!(f, "fwmark {mark}"),
            Self::Mark { family: Family::V6, mark } => write!(f, "fwmark {mark} of IPv6"),
        }
    }
}

/// How a service is scheduled: bits of IP_VS_SVC_F_*, without those that are the kernel's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// `ops`: every packet is scheduled for itself (UDP).
    pub const ONE_PACKET: Self = Self(0x4);
    /// `flag-1`, `sh-fallback`, `mh-fallback`.
    pub const SCHEDULER_1: Self = Self(0x8);
    /// `flag-2`, `sh-port`, `mh-port`.
    pub const SCHEDULER_2: Self = Self(0x10);
    /// `flag-3`.
    pub const SCHEDULER_3: Self = Self(0x20);
    const PERSISTENT: u32 = 0x1;
    const OURS: u32 = 0x3c;
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Clients come back to the server they had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// `persistence_timeout`, in seconds.
    pub timeout: u32,
    /// `persistence_granularity`: clients whose addresses agree in that many bits are one; 1 to 32 or to 128.
    pub granularity: u8,
    /// `persistence_engine`, such as `sip`.
    pub engine: Option<String>,
}

/// A virtual service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which.
    pub key: ServiceKey,
    /// `lvs_sched`, at most 15 bytes.
    pub scheduler: String,
    /// How it is scheduled.
    pub flags: Flags,
    /// Whether clients come back to the server they had.
    pub persistence: Option<Persistence>,
}

impl Service {
    /// All that a new or changed service needs.
    pub(super) fn write(&self, attributes: &mut Attributes) {
        self.key.write(attributes);
        let persistent = if self.persistence.is_some() { Flags::PERSISTENT } else { 0 };
        let flags = [(self.flags.0 | persistent).to_ne_bytes(), u32::MAX.to_ne_bytes()].concat();
        let timeout = self.persistence.as_ref().map_or(0, |persistence| persistence.timeout);
        attributes.text(SCHEDULER, &self.scheduler).bytes(FLAGS, &flags).u32(TIMEOUT, timeout);
        let granularity = self.persistence.as_ref().map(|persistence| persistence.granularity);
        match self.key.family() {
            Family::V4 => {
                let bits = u32::from(granularity.unwrap_or(32).min(32));
                attributes.be32(NETMASK, u32::MAX.checked_shl(32 - bits).unwrap_or(0))
            }
            Family::V6 => attributes.u32(NETMASK, granularity.unwrap_or(128).into()),
        };
        if let Some(engine) = self.persistence.as_ref().and_then(|persistence| persistence.engine.as_ref()) {
            attributes.text(ENGINE, engine);
        }
    }
}

/// The service in an answer of the kernel; `None` for what no service has that could be made here.
pub fn read(answer: &[u8]) -> Option<Held<Service>> {
    let values = Values::of(answer).inside(attribute::SERVICE)?;
    let key = ServiceKey::read(values)?;
    let flags = u32::from_ne_bytes(values.array(FLAGS)?);
    let granularity = match key.family() {
        Family::V4 => values.array(NETMASK).map(Ipv4Addr::from)?.to_bits().leading_ones(),
        Family::V6 => values.u32(NETMASK)?,
    };
    let granularity = u8::try_from(granularity).ok()?;
    let persistence = (flags & Flags::PERSISTENT != 0).then(|| Persistence {
        timeout: values.u32(TIMEOUT).unwrap_or_default(),
        granularity,
        engine: values.text(ENGINE),
    });
    let scheduler = values.text(SCHEDULER)?;
    let what = Service { key, scheduler, flags: Flags(flags & Flags::OURS), persistence };
    Some(Held { what, statistics: statistics::read(values, STATISTICS_64, STATISTICS) })
}

/// The key of a service at an address.
impl From<(Protocol, IpAddr, u16)> for ServiceKey {
    fn from((protocol, address, port): (Protocol, IpAddr, u16)) -> Self {
        Self::Socket { protocol, address: SocketAddr::new(address, port) }
    }
}
