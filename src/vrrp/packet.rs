//! The VRRP message: version 2 (RFC 3768 §5.1, with RFC 2338's authentication) and version 3 (RFC 9568 §5.1), over
//! IPv4 and IPv6. No RFC has version 2 over IPv6; keepalived speaks it, with a checksum as in version 3 and without
//! authentication data.
//!
//! [`View`] reads single fields of bytes that may still be wrong, which is what validation needs: its order of
//! checks decides which counter moves. [`Advert`] is a whole message, decoded at once or to be sent. Neither
//! looks at the IP header, except that some checksums cover addresses from it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use thiserror::Error;

use super::ip::PROTOCOL;
use crate::{
    checksum::Sum,
    units::{Family, Priority, Version, Vrid},
};

/// Addresses one advertisement can carry: the count is one byte.
pub const MAX_ADDRESSES: usize = 255;

/// Length of the fixed part, up to the first address.
pub const FIXED_LEN: usize = 8;

/// Length of the authentication data that ends every message of version 2 over IPv4.
pub const AUTH_DATA_LEN: usize = 8;

/// The only type there is, ADVERTISEMENT (RFC 9568 §5.2.2).
pub const TYPE_ADVERTISEMENT: u8 = 1;

/// Where each field lies.
pub(crate) mod field {
    use std::ops::Range;

    pub(crate) const VERSION_TYPE: usize = 0;
    pub(crate) const VRID: usize = 1;
    pub(crate) const PRIORITY: usize = 2;
    pub(crate) const COUNT: usize = 3;
    /// Version 2.
    pub(crate) const AUTH_TYPE: usize = 4;
    /// Version 2, seconds.
    pub(crate) const INTERVAL: usize = 5;
    /// Version 3: four reserved bits, then twelve of centiseconds.
    pub(crate) const MAX_INTERVAL: Range<usize> = 4..6;
    pub(crate) const CHECKSUM: Range<usize> = 6..8;
}

/// Hundredths of a second, 12 bits on the wire (RFC 9568 §5.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Centiseconds(u16);

impl Centiseconds {
    /// The longest interval that version 3 can express.
    pub const MAX: Self = Self(0x0fff);

    /// Takes the low twelve bits of a field; the high four are reserved and not looked at (RFC 9568
    /// §5.2.6 (5.2.6-1), §5.2.7 (5.2.7-1)).
    pub const fn from_field(field: u16) -> Self {
        Self(field & Self::MAX.0)
    }

    /// The nearest value not above `interval`, at least 1 and at most [`Self::MAX`].
    pub fn from_duration(interval: Duration) -> Self {
        let centiseconds = u16::try_from(interval.as_millis() / 10).unwrap_or(u16::MAX);
        Self(centiseconds.clamp(1, Self::MAX.0))
    }

    /// The number on the wire.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// As a span of time.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64 * 10)
    }
}

/// Authentication type of version 2 (RFC 2338 §5.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthType {
    /// 0: no authentication.
    None,
    /// 1: simple text password.
    Password,
    /// 2: IP authentication header.
    Header,
    /// Anything else.
    Unknown(u8),
}

impl From<u8> for AuthType {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Password,
            2 => Self::Header,
            unknown => Self::Unknown(unknown),
        }
    }
}

impl From<AuthType> for u8 {
    fn from(auth_type: AuthType) -> Self {
        match auth_type {
            AuthType::None => 0,
            AuthType::Password => 1,
            AuthType::Header => 2,
            AuthType::Unknown(unknown) => unknown,
        }
    }
}

impl fmt::Display for AuthType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Password => f.write_str("simple"),
            Self::Header => f.write_str("ah"),
            Self::Unknown(unknown) => write!(f, "unknown({unknown})"),
        }
    }
}

/// Which bytes a received checksum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The form of the message's own version and family: version 2 over IPv4 without pseudo header, all others with
    /// it (RFC 5798 §5.2.8, what keepalived and FRR send and demand).
    Usual,
    /// Version 3 over IPv4 without pseudo header: the form of RFC 9568 §5.2.8.
    MessageOnly,
    /// Version 3 over IPv4, sent to a router, with the group as destination in the pseudo header: keepalived before
    /// 1.3.7.
    OldUnicast,
}

/// Why bytes are not an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAdvert {
    /// The message ends inside the fixed part.
    #[error("message cut off after {0} bytes, the fixed part has 8")]
    Truncated(usize),
    /// Neither version 2 nor 3.
    #[error("version {0}, neither 2 nor 3")]
    Version(u8),
    /// Not an advertisement.
    #[error("type {0}, not 1")]
    Type(u8),
    /// Virtual router 0.
    #[error("virtual router id 0")]
    Vrid,
    /// The length is not what version and address count ask for.
    #[error("message of {found} bytes, its version and address count ask for {expected}")]
    Length {
        /// What the message's own fields ask for.
        expected: usize,
        /// What there is.
        found: usize,
    },
}

/// The fields of a message, read where they lie; only the fixed part is certain to be there.
#[derive(Clone, Copy)]
pub struct View<'a> {
    family: Family,
    fixed: &'a [u8; FIXED_LEN],
    rest: &'a [u8],
    trailer: &'a [u8],
}

impl<'a> View<'a> {
    /// A view of `bytes`, which came by `family` and may go on behind the message.
    ///
    /// # Errors
    /// [`InvalidAdvert::Truncated`] when the fixed part is incomplete.
    pub fn new(family: Family, bytes: &'a [u8]) -> Result<Self, InvalidAdvert> {
        let (fixed, rest) =
            bytes.split_first_chunk::<FIXED_LEN>().ok_or(InvalidAdvert::Truncated(bytes.len()))?;
        Ok(Self { family, fixed, rest, trailer: &[] })
    }

    /// The same with a trailer behind the message, which over IPv6 the checksum covers, too.
    #[must_use]
    pub fn before(self, trailer: &'a [u8]) -> Self {
        Self { trailer, ..self }
    }

    /// Version nibble.
    pub fn version(&self) -> u8 {
        self.fixed[field::VERSION_TYPE] >> 4
    }

    /// Type nibble.
    pub fn message_type(&self) -> u8 {
        self.fixed[field::VERSION_TYPE] & 0x0f
    }

    /// Virtual router id; 0 is not a legal one.
    pub fn vrid(&self) -> u8 {
        self.fixed[field::VRID]
    }

    /// Priority.
    pub fn priority(&self) -> Priority {
        Priority(self.fixed[field::PRIORITY])
    }

    /// Number of addresses the message claims to have.
    pub fn count(&self) -> u8 {
        self.fixed[field::COUNT]
    }

    /// Version 2: authentication type.
    pub fn auth_type(&self) -> AuthType {
        self.fixed[field::AUTH_TYPE].into()
    }

    /// Version 2: advertisement interval in seconds.
    pub fn interval_seconds(&self) -> u8 {
        self.fixed[field::INTERVAL]
    }

    /// Version 3: the sender's interval.
    pub fn max_interval(&self) -> Centiseconds {
        let [high, low] = [self.fixed[field::MAX_INTERVAL.start], self.fixed[field::MAX_INTERVAL.start + 1]];
        Centiseconds::from_field(u16::from_be_bytes([high, low]))
    }

    /// The length that the version and the address count ask for. A version that nobody knows is taken to
    /// have no authentication data.
    pub fn expected_len(&self) -> usize {
        FIXED_LEN + self.list_len() + auth_data_len(self.family, self.version())
    }

    /// Length of the list of addresses that the message claims to have.
    fn list_len(&self) -> usize {
        usize::from(self.count()) * self.family.octets()
    }

    /// The addresses; none when the message is too short for as many as it claims.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        let list = self.rest.get(..self.list_len()).unwrap_or_default();
        list.chunks_exact(self.family.octets()).filter_map(address)
    }

    /// Version 2 over IPv4: the authentication data behind the addresses; `None` when the message ends before them.
    pub fn auth_data(&self) -> Option<&'a [u8; AUTH_DATA_LEN]> {
        self.rest.get(self.list_len()..)?.first_chunk()
    }

    /// Which checksum the message carries; `None` when it is a wrong one.
    pub fn checksum(&self, source: IpAddr, destination: IpAddr) -> Option<Coverage> {
        let body = self.rest.get(..self.expected_len() - FIXED_LEN)?;
        let mut message = Sum::default();
        message.add(self.fixed);
        message.add(body);
        if self.family == Family::V4 && self.version() == Version::V2.number() {
            // RFC 3768 §5.3.8: from the version field to the end of the authentication data.
            return (message.finish() == 0).then_some(Coverage::Usual);
        }
        let trailer = covered_trailer(self.family, self.trailer);
        let mut with_pseudo =
            Sum::pseudo_header(PROTOCOL, source, destination, self.expected_len() + trailer.len());
        with_pseudo.add(self.fixed);
        with_pseudo.add(body);
        with_pseudo.add(trailer);
        if with_pseudo.finish() == 0 {
            return Some(Coverage::Usual);
        }
        // RFC 9568 §5.2.8 (5.2.8-3): over IPv6 there is one form only.
        (self.family == Family::V4 && message.finish() == 0).then_some(Coverage::MessageOnly)
    }

    /// Whether the checksum is right when the pseudo header names `group` instead of where the packet went.
    pub fn has_old_checksum(&self, source: IpAddr, group: IpAddr) -> bool {
        let is_v3_over_ipv4 = self.family == Family::V4 && self.version() == Version::V3.number();
        is_v3_over_ipv4 && self.checksum(source, group) == Some(Coverage::Usual)
    }
}

/// What the checksum covers of a trailer: over IPv6, where the kernel of the peer makes it, the whole payload. The message
/// before it has an even number of bytes.
fn covered_trailer(family: Family, trailer: &[u8]) -> &[u8] {
    match family {
        Family::V4 => &[],
        Family::V6 => trailer,
    }
}

/// Length of the authentication data of a message (RFC 3768 §5.3.10 ).
fn auth_data_len(family: Family, version: u8) -> usize {
    if family == Family::V4 && version == Version::V2.number() { AUTH_DATA_LEN } else { 0 }
}

/// An address of the list; `None` when the octets are as many as no family has.
fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into()),
        16 => <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// A whole advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The family of the packet around it and of its addresses.
    pub family: Family,
    /// Virtual router.
    pub vrid: Vrid,
    /// Priority.
    pub priority: Priority,
    /// The virtual addresses, all of the family, at most [`MAX_ADDRESSES`].
    pub addresses: Vec<IpAddr>,
    /// What the versions do not share.
    pub body: Body,
}

/// The part of an advertisement that depends on the version.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// RFC 3768, RFC 2338.
    V2 {
        /// Advertisement interval in seconds.
        interval: u8,
        /// Authentication type.
        auth_type: AuthType,
        /// Password, zero padded; zero for other types, and without a place in the message over IPv6.
        auth_data: [u8; AUTH_DATA_LEN],
    },
    /// RFC 5798, RFC 9568.
    V3 {
        /// Interval of the sender's advertisements.
        interval: Centiseconds,
    },
}

/// Never prints the password.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V2 { interval, auth_type, .. } => write!(f, "V2 {{ {interval} s, auth {auth_type} }}"),
            Self::V3 { interval } => write!(f, "V3 {{ {} cs }}", interval.value()),
        }
    }
}

impl Advert {
    /// Reads a message that came by `family` and must end where its fields say. The checksum is [`View::checksum`]'s business.
    ///
    /// # Errors
    /// [`InvalidAdvert`], which names the first field that is wrong.
    pub fn parse(family: Family, bytes: &[u8]) -> Result<Self, InvalidAdvert> {
        let view = View::new(family, bytes)?;
        if view.message_type() != TYPE_ADVERTISEMENT {
            return Err(InvalidAdvert::Type(view.message_type()));
        }
        let vrid = Vrid::new(view.vrid()).ok_or(InvalidAdvert::Vrid)?;
        let length = InvalidAdvert::Length { expected: view.expected_len(), found: bytes.len() };
        let body = match view.version() {
            2 => Body::V2 {
                interval: view.interval_seconds(),
                auth_type: view.auth_type(),
                auth_data: match family {
                    Family::V4 => *view.auth_data().ok_or(length)?,
                    Family::V6 => [0; AUTH_DATA_LEN],
                },
            },
            3 => Body::V3 { interval: view.max_interval() },
            unknown => return Err(InvalidAdvert::Version(unknown)),
        };
        if view.expected_len() != bytes.len() {
            return Err(length);
        }
        Ok(Self { family, vrid, priority: view.priority(), addresses: view.addresses().collect(), body })
    }

    /// Length of the message on the wire.
    pub fn wire_len(&self) -> usize {
        FIXED_LEN + self.listed().len() * self.family.octets() + self.auth_data_len()
    }

    fn auth_data_len(&self) -> usize {
        auth_data_len(self.family, self.version().number())
    }

    fn version(&self) -> Version {
        match self.body {
            Body::V2 { .. } => Version::V2,
            Body::V3 { .. } => Version::V3,
        }
    }

    /// Writes the message into `out`, which must have [`Self::wire_len`] bytes. `source` and `destination` are
    /// those of the IP header around it: most checksums cover them.
    pub fn emit(&self, source: IpAddr, destination: IpAddr, out: &mut [u8]) {
        self.emit_before(&[], source, destination, out);
    }

    /// As [`Self::emit`], with a trailer that will stand behind the message.
    pub(super) fn emit_before(&self, trailer: &[u8], source: IpAddr, destination: IpAddr, out: &mut [u8]) {
        self.emit_fields(out);
        let trailer = covered_trailer(self.family, trailer);
        let mut sum = match (self.family, self.version()) {
            (Family::V4, Version::V2) => Sum::default(),
            _ => Sum::pseudo_header(PROTOCOL, source, destination, out.len() + trailer.len()),
        };
        // RFC 9568 §7.2 (7.2-5): everything else is there by now.
        sum.add(out);
        sum.add(trailer);
        out[field::CHECKSUM].copy_from_slice(&sum.finish().to_be_bytes());
    }

    /// As [`emit`](Self::emit), with a checksum that covers the message alone (RFC 9568 §5.2.8).
    pub fn emit_without_pseudo_header(&self, out: &mut [u8]) {
        self.emit_fields(out);
        let mut sum = Sum::default();
        sum.add(out);
        out[field::CHECKSUM].copy_from_slice(&sum.finish().to_be_bytes());
    }

    /// The message with 0 as its checksum.
    pub(super) fn without_checksum(&self) -> Vec<u8> {
        let mut out = vec![0; self.wire_len()];
        self.emit_fields(&mut out);
        out
    }

    /// Writes everything but the checksum, which is left 0.
    fn emit_fields(&self, out: &mut [u8]) {
        out[field::VRID] = self.vrid.value();
        out[field::PRIORITY] = self.priority.0;
        out[field::CHECKSUM].fill(0);
        for (slot, address) in out[FIXED_LEN..].chunks_exact_mut(self.family.octets()).zip(self.listed()) {
            match address {
                IpAddr::V4(address) => slot.copy_from_slice(&address.octets()),
                IpAddr::V6(address) => slot.copy_from_slice(&address.octets()),
            }
        }
        // RFC 9568 §5.2.5 (5.2.5-2); the list is cut to MAX_ADDRESSES.
        out[field::COUNT] = u8::try_from(self.listed().len()).unwrap_or(u8::MAX);
        // RFC 9568 §5.2.1 (5.2.1-1).
        out[field::VERSION_TYPE] = self.version().number() << 4 | TYPE_ADVERTISEMENT;
        match &self.body {
            Body::V2 { interval, auth_type, auth_data } => {
                out[field::AUTH_TYPE] = (*auth_type).into();
                out[field::INTERVAL] = *interval;
                let trailer = self.auth_data_len();
                let end = out.len();
                out[end - trailer..].copy_from_slice(&auth_data[..trailer]);
            }
            Body::V3 { interval } => {
                out[field::MAX_INTERVAL].copy_from_slice(&interval.value().to_be_bytes());
            }
        }
    }

    fn listed(&self) -> &[IpAddr] {
        &self.addresses[..self.addresses.len().min(MAX_ADDRESSES)]
    }
}

/// Reads like a line of tcpdump, without the password.
impl fmt::Display for Advert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::V2 { interval, auth_type, .. } => {
                write!(f, "VRRPv2, Advertisement, vrid {}, prio {}, ", self.vrid, self.priority)?;
                write!(f, "authtype {auth_type}, intvl {interval}s, ")?;
            }
            Body::V3 { interval } => {
                write!(f, "VRRPv3, Advertisement, vrid {}, prio {}, ", self.vrid, self.priority)?;
                write!(f, "intvl {}cs, ", interval.value())?;
            }
        }
        write!(f, "length {}, addrs", self.wire_len())?;
        if self.addresses.len() != 1 {
            write!(f, "({})", self.addresses.len())?;
        }
        for (position, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if position == 0 { ": " } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
