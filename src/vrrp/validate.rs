//! May a received packet be believed? The checks, in the order that decides which counter moves.
//!
//! The order is keepalived's, because its users compare counters; RFC 9568 §7.1 asks for the same checks in no
//! particular order. A rejected packet has no effect beyond its counter and one log line. Two findings are
//! counted on packets that are used all the same: another address list (RFC 9568 §7.1 makes that check a MAY)
//! and a version 3 checksum without pseudo header (RFC 9568 §5.2.8's own form).

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use thiserror::Error;

use super::{
    Destination, Peer, Policy, Settings,
    auth::{Guard, signature::Flaw},
    ip::{HOP_LIMIT, Header, InvalidHeader},
    packet::{AuthType, Coverage, MAX_ADDRESSES, TYPE_ADVERTISEMENT, View},
    transmit::whole_seconds,
};
use crate::{
    registry::{Counter, Counters},
    units::{Family, Priority, Time, Version},
};

/// Payload of the shortest Ethernet frame: a shorter packet may arrive padded to this length.
const ETHERNET_MIN_PAYLOAD: usize = 46;

/// An advertisement that may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Who sent it: the source of the IP header.
    pub source: IpAddr,
    /// The priority it advertises.
    pub priority: Priority,
    /// The sender's interval; in version 2 always ours.
    pub interval: Duration,
    /// Which bytes its checksum covers.
    pub checksum: Coverage,
    /// How its address list compares with ours.
    pub addresses: AddressList,
    /// It was sent to us alone, and by nobody that `unicast_peer` names.
    pub stranger: bool,
}

/// How a received address list compares with ours. The order of addresses does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressList {
    /// It has all of ours and no more.
    Same,
    /// It has another number of addresses.
    Count {
        /// How many we have.
        ours: usize,
        /// How many it has.
        theirs: u8,
    },
    /// It has as many, but not this one of ours.
    Lacks(IpAddr),
}

/// Why a packet is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reject {
    /// No whole IP header; nothing is known of the sender.
    #[error("{0}")]
    Header(#[from] InvalidHeader),
    /// The packet ends inside the fixed part of the message.
    #[error("packet of {0} bytes is too short for VRRP")]
    Truncated(usize),
    /// Meant for a virtual router of this family, which ours is not.
    #[error("sent over {0}")]
    Family(Family),
    /// Meant for another virtual router.
    #[error("virtual router id {0} is not ours")]
    Vrid(u8),
    /// The packet's length is not what its version and address count ask for.
    #[error("packet of {found} bytes, its version and address count ask for {expected}")]
    MessageLength {
        /// What the packet's own fields ask for.
        expected: usize,
        /// What was received.
        found: usize,
    },
    /// A TTL or hop limit other than 255: it may come from beyond the link.
    #[error("TTL {0}, must be 255")]
    Ttl(u8),
    /// The version is not the configured one.
    #[error("version {found}, ours is {ours}")]
    Version {
        /// What is configured.
        ours: u8,
        /// What was received.
        found: u8,
    },
    /// The authentication type does not exist.
    #[error("authentication type {0} does not exist")]
    UnknownAuthType(u8),
    /// The authentication type is not the configured one.
    #[error("authentication type {found}, ours is {ours}")]
    AuthType {
        /// What is configured.
        ours: AuthType,
        /// What was received.
        found: AuthType,
    },
    /// The password is wrong.
    #[error("wrong password")]
    Password,
    /// There is no authentication header.
    #[error("no authentication header, ours is auth_type AH")]
    NoHeader,
    /// There is an authentication header.
    #[error("an authentication header, ours is not auth_type AH")]
    UnexpectedHeader,
    /// Its trailer is not there or proves nothing.
    #[error("{0}")]
    Signature(Flaw),
    /// Its sender is none of the unicast peers, which with `auth_hmac` it has to be.
    #[error("its sender is no unicast_peer")]
    Stranger,
    /// The ICV of its authentication header is wrong.
    #[error("wrong integrity check: another password, or changed on its way")]
    IntegrityCheck,
    /// The SPI of its authentication header is not its source.
    #[error("security parameters index {0} is not its source")]
    SecurityIndex(Ipv4Addr),
    /// The sequence number of its authentication header is an old one.
    #[error("sequence number {found} after {last}: a replay")]
    Sequence {
        /// What was received.
        found: u32,
        /// What was sent or accepted last.
        last: u32,
    },
    /// Version 2: the interval is not ours.
    #[error("advertisement interval {found}s, ours is {ours}s (version 2 needs equal ones)")]
    Interval {
        /// What is configured.
        ours: u8,
        /// What was received.
        found: u8,
    },
    /// The type is not ADVERTISEMENT.
    #[error("type {0}, must be 1")]
    Type(u8),
    /// The length in the IP header is not the length received.
    #[error("IP length {claimed}, received {found} bytes")]
    TotalLength {
        /// What the header says.
        claimed: usize,
        /// What was received.
        found: usize,
    },
    /// Version 3: an interval of zero would make a backup take over at once.
    #[error("advertisement interval 0")]
    ZeroInterval,
    /// The checksum is wrong.
    #[error("wrong checksum")]
    Checksum,
    /// Multicast to a unicast instance or the reverse.
    #[error("sent to {0}, which this instance does not listen to")]
    Destination(IpAddr),
    /// The source is unspecified, loopback, multicast or the limited broadcast address.
    #[error("its source is no address of a router")]
    Source,
    /// `check_unicast_src`: nobody that `unicast_peer` names.
    #[error("its source is no unicast_peer (check_unicast_src)")]
    NotAPeer,
    /// `check_unicast_src`: the peer is nearer or further away than its `min_ttl` and `max_ttl` allow.
    #[error("TTL {found}, must be {min} to {max} from this peer")]
    PeerTtl {
        /// `min_ttl`.
        min: u8,
        /// `max_ttl`.
        max: u8,
        /// What was received.
        found: u8,
    },
}

impl Reject {
    /// The counter it moves, if any: what cannot be attributed to a virtual router is counted nowhere, nor is a
    /// bad source, for which there is no counter.
    pub fn counter(&self) -> Option<Counter> {
        match self {
            Self::Header(_)
            | Self::Family(_)
            | Self::Truncated(_)
            | Self::Vrid(_)
            | Self::Source
            | Self::Stranger => None,
            Self::NotAPeer => Some(Counter::StrangerReceived),
            Self::PeerTtl { .. } => Some(Counter::TtlError),
            Self::MessageLength { .. } | Self::TotalLength { .. } => Some(Counter::PacketLengthError),
            Self::Ttl(_) => Some(Counter::TtlError),
            Self::Version { .. } => Some(Counter::VersionError),
            Self::UnknownAuthType(_) => Some(Counter::InvalidAuthType),
            Self::AuthType { .. } | Self::NoHeader | Self::UnexpectedHeader => {
                Some(Counter::AuthTypeMismatch)
            }
            Self::Password | Self::IntegrityCheck | Self::SecurityIndex(_) | Self::Sequence { .. } => {
                Some(Counter::AuthFailure)
            }
            Self::Signature(flaw) => Some(flaw.counter()),
            Self::Interval { .. } | Self::ZeroInterval => Some(Counter::AdvertIntervalError),
            Self::Type(_) => Some(Counter::InvalidType),
            Self::Checksum => Some(Counter::ChecksumError),
            // keepalived counts it so, for want of a better one.
            Self::Destination(_) => Some(Counter::AddressListError),
        }
    }

    /// Whether it was an advertisement in order, which counts as received, as in keepalived.
    fn is_advert(&self) -> bool {
        matches!(self, Self::NotAPeer | Self::PeerTtl { .. })
    }
}

/// Checks one IP packet, as a socket delivers it, against what `settings` expects. `guard` takes note of what may not be
/// said twice.
///
/// # Errors
/// [`Reject`], the first check that fails.
pub fn validate(
    settings: &Settings,
    guard: &mut Guard,
    now: Time,
    packet: &[u8],
) -> Result<Accepted, Reject> {
    let header = Header::parse(packet)?;
    if header.family() != settings.family() {
        return Err(Reject::Family(header.family()));
    }
    let message = &packet[header.length..];
    let view = View::new(header.family(), message).map_err(|_| Reject::Truncated(packet.len()))?;
    if view.vrid() != settings.vrid.value() {
        return Err(Reject::Vrid(view.vrid()));
    }
    guard.check_presence(&header)?;
    // RFC 9568 §7.1 (7.1-3): the whole message is there, and nothing behind it but padding.
    let expected = header.length + view.expected_len();
    let trailer = guard.trailer(packet, expected);
    if trailer.is_none() && !is_whole(expected, packet.len()) {
        return Err(Reject::MessageLength { expected, found: packet.len() });
    }
    let view = view.before(trailer.map_or(&[], |trailer| trailer));
    // RFC 9568 §5.1.1.3 (5.1.1.3-2), §5.1.2.3 (5.1.2.3-2); a unicast peer may be further away.
    let multicast = matches!(settings.destination, Destination::Multicast(_));
    if multicast && header.hop_limit != HOP_LIMIT {
        return Err(Reject::Ttl(header.hop_limit));
    }
    // RFC 9568 §7.1 (7.1-1).
    let ours = settings.version.number();
    if view.version() != ours {
        return Err(Reject::Version { ours, found: view.version() });
    }
    if let Destination::Unicast(peers) = &settings.destination
        && guard.knows_its_peers()
        && !peers.contains(&header.source)
    {
        return Err(Reject::Stranger);
    }
    guard.judge_trailer(now, header.source, &packet[header.length..expected], trailer)?;
    if settings.version == Version::V2 {
        guard.judge(&view, &header, &packet[..expected])?;
        let (ours, found) = (whole_seconds(settings), view.interval_seconds());
        // RFC 3768 §7.1: keepalived rejects it too, but does not count it.
        if found != ours {
            return Err(Reject::Interval { ours, found });
        }
    }
    // RFC 9568 §5.2.2 (5.2.2-1), §7.1 (7.1-2).
    if view.message_type() != TYPE_ADVERTISEMENT {
        return Err(Reject::Type(view.message_type()));
    }
    if !is_whole(header.total_length, packet.len()) {
        return Err(Reject::TotalLength { claimed: header.total_length, found: packet.len() });
    }
    // RFC 9568 §7.1 (7.1-5): keepalived accepts it, and one forged packet then makes two masters.
    if settings.version == Version::V3 && view.max_interval().value() == 0 {
        return Err(Reject::ZeroInterval);
    }
    // RFC 9568 §5.2.8 (5.2.8-1, 5.2.8-2, 5.2.8-3).
    let old = settings.policy.old_checksum.group().filter(|_| !multicast);
    let is_old = |group: &IpAddr| view.has_old_checksum(header.source, *group);
    let checksum = view.checksum(header.source, header.destination);
    let Some(checksum) = checksum.or_else(|| old.filter(is_old).map(|_| Coverage::OldUnicast)) else {
        return Err(Reject::Checksum);
    };
    if multicast != header.destination.is_multicast() || is_broadcast(header.destination) {
        return Err(Reject::Destination(header.destination));
    }
    // Last, so that every other mistake is counted as keepalived counts it.
    if !is_router(header.source) {
        return Err(Reject::Source);
    }
    let stranger = !multicast && !is_from_peer(&settings.policy, &header)?;
    guard.believe();
    let interval = match settings.version {
        Version::V2 => settings.advert_interval,
        Version::V3 => view.max_interval().duration(),
    };
    let addresses = compare_addresses(&settings.addresses, &view);
    let priority = view.priority();
    Ok(Accepted { source: header.source, priority, interval, checksum, addresses, stranger })
}

/// Whether a unicast packet comes from a peer; with `check_unicast_src` it has to.
fn is_from_peer(policy: &Policy, header: &Header) -> Result<bool, Reject> {
    let peer = policy.peer(header.source);
    match peer {
        _ if !policy.check_unicast_src => Ok(peer.is_some()),
        None => Err(Reject::NotAPeer),
        Some(Peer { min_ttl, max_ttl, .. }) if (*min_ttl..=*max_ttl).contains(&header.hop_limit) => Ok(true),
        Some(Peer { min_ttl, max_ttl, .. }) => {
            Err(Reject::PeerTtl { min: *min_ttl, max: *max_ttl, found: header.hop_limit })
        }
    }
}

/// Moves the counters that belong to a verdict.
pub fn count(verdict: &Result<Accepted, Reject>, counters: &Counters) {
    match verdict {
        Err(reject) => {
            if reject.is_advert() {
                counters.add(Counter::AdvertReceived);
            }
            if let Some(counter) = reject.counter() {
                counters.add(counter);
            }
        }
        Ok(accepted) => {
            counters.add(Counter::AdvertReceived);
            if accepted.checksum == Coverage::MessageOnly {
                counters.add(Counter::ChecksumWithoutPseudoHeader);
            }
            if accepted.addresses != AddressList::Same {
                counters.add(Counter::AddressListError);
            }
            if accepted.stranger {
                counters.add(Counter::StrangerReceived);
            }
            if accepted.priority == Priority::RELEASE {
                counters.add(Counter::PriorityZeroReceived);
            }
        }
    }
}

/// Whether `received` bytes are a packet of `expected` bytes, possibly with Ethernet padding behind it, which never
/// reaches beyond 46 bytes. A packet is a whole number of words and the padded payload is not, hence the remainder
/// of 2.
fn is_whole(expected: usize, received: usize) -> bool {
    received == expected
        || (received > expected && received <= ETHERNET_MIN_PAYLOAD && (received - expected) % 4 == 2)
}

/// Whether a router can have this address. Hosts drop most of the others on their way in, but not all, and not
/// under every setting.
fn is_router(source: IpAddr) -> bool {
    !(source.is_unspecified() || source.is_loopback() || source.is_multicast() || is_broadcast(source))
}

/// Whether this is the limited broadcast address.
fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

fn compare_addresses(ours: &[IpAddr], view: &View<'_>) -> AddressList {
    let ours = &ours[..ours.len().min(MAX_ADDRESSES)];
    if usize::from(view.count()) != ours.len() {
        return AddressList::Count { ours: ours.len(), theirs: view.count() };
    }
    // The usual case is the same list in the same order: one pass.
    if view.addresses().eq(ours.iter().copied()) {
        return AddressList::Same;
    }
    let lacking = ours.iter().copied().find(|address| !view.addresses().any(|theirs| theirs == *address));
    lacking.map_or(AddressList::Same, AddressList::Lacks)
}

#[cfg(test)]
mod tests;
