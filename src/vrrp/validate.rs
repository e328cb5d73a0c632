//! May a received packet be believed? The checks, in the order that decides which counter moves.
//!
//! The order is keepalived's, because its users compare counters; RFC 9568 §7.1 asks for the same checks in no
//! particular order. A rejected packet has no effect beyond its counter and one log line. Two findings are
//! counted on packets that are used all the same: another address list (RFC 9568 §7.1 makes that check a MAY)
//! and a version 3 checksum without pseudo header (RFC 9568 §5.2.8's own form).

use std::{net::Ipv4Addr, time::Duration};

use thiserror::Error;

use super::{
    Auth, Destination, Settings,
    ipv4::{self, Header, InvalidHeader},
    packet::{AuthType, Coverage, FIXED_LEN, MAX_ADDRESSES, TYPE_ADVERTISEMENT, View},
    transmit::whole_seconds,
};
use crate::{
    registry::{Counter, Counters},
    units::{Priority, Version},
};

/// Payload of the shortest Ethernet frame: a shorter packet may arrive padded to this length.
const ETHERNET_MIN_PAYLOAD: usize = 46;

/// An advertisement that may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Who sent it: the source of the IPv4 header.
    pub source: Ipv4Addr,
    /// The priority it advertises.
    pub priority: Priority,
    /// The sender's interval; in version 2 always ours.
    pub interval: Duration,
    /// Which bytes its checksum covers.
    pub checksum: Coverage,
    /// How its address list compares with ours.
    pub addresses: AddressList,
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
    Lacks(Ipv4Addr),
}

/// Why a packet is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reject {
    /// No whole IPv4 header; nothing is known of the sender.
    #[error("{0}")]
    Header(#[from] InvalidHeader),
    /// The packet ends inside the fixed part of the message.
    #[error("packet of {0} bytes is too short for VRRP")]
    Truncated(usize),
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
    /// A TTL other than 255: it may come from beyond the link.
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
    /// The IPv4 header's total length is not the length received.
    #[error("IPv4 total length {claimed}, received {found} bytes")]
    TotalLength {
        /// What the header says.
        claimed: u16,
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
    Destination(Ipv4Addr),
}

impl Reject {
    /// The counter it moves, if any: what cannot be attributed to a virtual router is counted nowhere.
    pub fn counter(&self) -> Option<Counter> {
        match self {
            Self::Header(_) | Self::Truncated(_) | Self::Vrid(_) => None,
            Self::MessageLength { .. } | Self::TotalLength { .. } => Some(Counter::PacketLengthError),
            Self::Ttl(_) => Some(Counter::TtlError),
            Self::Version { .. } => Some(Counter::VersionError),
            Self::UnknownAuthType(_) => Some(Counter::InvalidAuthType),
            Self::AuthType { .. } => Some(Counter::AuthTypeMismatch),
            Self::Password => Some(Counter::AuthFailure),
            Self::Interval { .. } | Self::ZeroInterval => Some(Counter::AdvertIntervalError),
            Self::Type(_) => Some(Counter::InvalidType),
            Self::Checksum => Some(Counter::ChecksumError),
            // keepalived counts it so, for want of a better one.
            Self::Destination(_) => Some(Counter::AddressListError),
        }
    }
}

/// Checks one IPv4 packet, as a raw socket delivers it, against what `settings` expects.
///
/// # Errors
/// [`Reject`], the first check that fails.
pub fn validate(settings: &Settings, packet: &[u8]) -> Result<Accepted, Reject> {
    let (header, header_len) = Header::parse(packet)?;
    let message = &packet[header_len..];
    let view = View::new(message).map_err(|_| Reject::Truncated(packet.len()))?;
    if view.vrid() != settings.vrid.value() {
        return Err(Reject::Vrid(view.vrid()));
    }
    // RFC 9568 §7.1 (7.1-3): the whole message is there, and nothing behind it.
    let expected = header_len + view.expected_len();
    if !is_whole(expected, packet.len()) {
        return Err(Reject::MessageLength { expected, found: packet.len() });
    }
    // RFC 9568 §5.1.1.3 (5.1.1.3-2); a unicast peer may be further away.
    let multicast = matches!(settings.destination, Destination::Multicast(_));
    if multicast && header.ttl != ipv4::TTL {
        return Err(Reject::Ttl(header.ttl));
    }
    // RFC 9568 §7.1 (7.1-1).
    let ours = settings.version.number();
    if view.version() != ours {
        return Err(Reject::Version { ours, found: view.version() });
    }
    if settings.version == Version::V2 {
        authenticate(&settings.auth, &view)?;
        let (ours, found) = (whole_seconds(settings), view.interval_seconds());
        // RFC 3768 §7.1: keepalived rejects it too, but does not count it.
        if found != ours {
            return Err(Reject::Interval { ours, found });
        }
    }
    // RFC 9568 §5.2.2 (5.2.2-1).
    if view.message_type() != TYPE_ADVERTISEMENT {
        return Err(Reject::Type(view.message_type()));
    }
    if !is_padded_or_exact(usize::from(header.total_length), packet.len()) {
        return Err(Reject::TotalLength { claimed: header.total_length, found: packet.len() });
    }
    // RFC 9568 §7.1 (7.1-5): keepalived accepts it, and one forged packet then makes two masters.
    if settings.version == Version::V3 && view.max_interval().value() == 0 {
        return Err(Reject::ZeroInterval);
    }
    // RFC 9568 §5.2.8 (5.2.8-1, 5.2.8-2).
    let Some(checksum) = view.checksum(header.source, header.destination) else {
        return Err(Reject::Checksum);
    };
    if multicast != header.destination.is_multicast() {
        return Err(Reject::Destination(header.destination));
    }
    let interval = match settings.version {
        Version::V2 => settings.advert_interval,
        Version::V3 => view.max_interval().duration(),
    };
    let addresses = compare_addresses(&settings.addresses, &view);
    Ok(Accepted { source: header.source, priority: view.priority(), interval, checksum, addresses })
}

/// Moves the counters that belong to a verdict.
pub fn count(verdict: &Result<Accepted, Reject>, counters: &Counters) {
    match verdict {
        Err(reject) => {
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
            if accepted.priority == Priority::RELEASE {
                counters.add(Counter::PriorityZeroReceived);
            }
        }
    }
}

/// Whether `received` bytes are a packet of `expected` bytes, possibly with Ethernet padding behind it. A packet
/// is a whole number of words and the padded payload of 46 bytes is not, hence the remainder of 2.
fn is_whole(expected: usize, received: usize) -> bool {
    received == expected
        || (received > expected && expected < ETHERNET_MIN_PAYLOAD && (received - expected) % 4 == 2)
}

/// The same for the total length of the IPv4 header, which also bounds what padding may reach.
fn is_padded_or_exact(claimed: usize, received: usize) -> bool {
    received == claimed || (received <= ETHERNET_MIN_PAYLOAD && is_whole(claimed, received))
}

/// RFC 2338 §5.3.6 and §7.1.
fn authenticate(auth: &Auth, view: &View<'_>) -> Result<(), Reject> {
    let found = view.auth_type();
    if let AuthType::Unknown(number) = found {
        return Err(Reject::UnknownAuthType(number));
    }
    let ours = match auth {
        Auth::None => AuthType::None,
        Auth::Pass(_) => AuthType::Password,
    };
    if found != ours {
        return Err(Reject::AuthType { ours, found });
    }
    match (auth, view.auth_data()) {
        (Auth::Pass(password), Some(data)) if !equal_in_constant_time(password, data) => {
            Err(Reject::Password)
        }
        _ => Ok(()),
    }
}

/// Compares without telling by its duration where the first difference is.
fn equal_in_constant_time(a: &[u8; 8], b: &[u8; 8]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b))) == 0
}

fn compare_addresses(ours: &[Ipv4Addr], view: &View<'_>) -> AddressList {
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

/// The VRID of a packet, for whoever sorts packets to instances; `None` when it has none.
pub fn vrid_of(packet: &[u8]) -> Option<u8> {
    let (_, header_len) = Header::parse(packet).ok()?;
    packet.get(header_len..header_len + FIXED_LEN)?.get(1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        units::Vrid,
        vrrp::{Garp, testing::checksum, transmit::Transmitter},
    };

    const SENDER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

    /// Offset of the message in a packet without options.
    const MESSAGE: usize = 20;

    fn settings(version: Version) -> Settings {
        Settings {
            name: "VI".into(),
            interface: "eth0".into(),
            vrid: Vrid::new(51).unwrap(),
            version,
            priority: Priority(100),
            advert_interval: Duration::from_secs(1),
            start_as_master: false,
            preempt: true,
            preempt_delay: Duration::ZERO,
            auth: Auth::None,
            addresses: vec![Ipv4Addr::new(10, 9, 0, 100), Ipv4Addr::new(10, 9, 0, 101)],
            destination: Destination::Multicast(GROUP),
            source: None,
            garp: Garp::default(),
            down_timer_adverts: 3,
        }
    }

    fn with_password(password: &[u8; 8]) -> Settings {
        Settings { auth: Auth::Pass(*password), ..settings(Version::V2) }
    }

    /// What a router with `settings` sends, from [`SENDER`].
    fn packet(settings: &Settings) -> Vec<u8> {
        let copies = Transmitter::new(settings).advert(SENDER, settings.priority);
        copies.into_iter().next().unwrap().packet
    }

    /// The packet of `settings` with a byte set, and the checksum of the message made right again.
    fn altered(settings: &Settings, at: usize, byte: u8) -> Vec<u8> {
        let mut packet = packet(settings);
        packet[at] = byte;
        fix_checksum(&mut packet);
        packet
    }

    /// Corrects the message's checksum, in the form of the version it claims.
    fn fix_checksum(packet: &mut [u8]) {
        packet[MESSAGE + 6..MESSAGE + 8].fill(0);
        let mut covered = packet[MESSAGE..].to_vec();
        if packet[MESSAGE] >> 4 == 3 {
            covered.extend_from_slice(&packet[12..20]);
            covered.extend_from_slice(&[0, 112]);
            covered.extend_from_slice(&u16::try_from(packet.len() - MESSAGE).unwrap().to_be_bytes());
        }
        let sum = checksum(&covered);
        packet[MESSAGE + 6..MESSAGE + 8].copy_from_slice(&sum.to_be_bytes());
    }

    /// The verdict on `packet` and the counters it moved.
    fn judged(settings: &Settings, packet: &[u8]) -> (Result<Accepted, Reject>, Vec<Counter>) {
        let verdict = validate(settings, packet);
        let counters = Counters::default();
        count(&verdict, &counters);
        let moved = Counter::ALL.into_iter().filter(|counter| counters.value(*counter) > 0).collect();
        (verdict, moved)
    }

    fn rejected(settings: &Settings, packet: &[u8], reject: Reject, counter: Option<Counter>) {
        assert_eq!(judged(settings, packet), (Err(reject), counter.into_iter().collect()), "{reject}");
    }

    #[test]
    fn a_good_advertisement_is_accepted_in_both_versions() {
        for version in [Version::V2, Version::V3] {
            let settings = settings(version);
            let (verdict, moved) = judged(&settings, &packet(&settings));
            assert_eq!(
                verdict,
                Ok(Accepted {
                    source: SENDER,
                    priority: Priority(100),
                    interval: Duration::from_secs(1),
                    checksum: Coverage::Usual,
                    addresses: AddressList::Same,
                })
            );
            assert_eq!(moved, [Counter::AdvertReceived]);
        }
    }

    #[test]
    fn every_check_of_version_3_has_its_verdict_and_its_counter() {
        let v3 = settings(Version::V3);
        let alter = |at, byte| altered(&v3, at, byte);
        rejected(&v3, &alter(0, 0x65), Reject::Header(InvalidHeader::Version(6)), None);
        rejected(&v3, &packet(&v3)[..27], Reject::Truncated(27), None);
        rejected(&v3, &alter(MESSAGE + 1, 52), Reject::Vrid(52), None);
        let length = Reject::MessageLength { expected: 40, found: 36 };
        rejected(&v3, &alter(MESSAGE + 3, 3), length, Some(Counter::PacketLengthError));
        rejected(&v3, &alter(8, 254), Reject::Ttl(254), Some(Counter::TtlError));
        let version = Reject::Version { ours: 3, found: 4 };
        rejected(&v3, &alter(MESSAGE, 0x41), version, Some(Counter::VersionError));
        rejected(&v3, &alter(MESSAGE, 0x32), Reject::Type(2), Some(Counter::InvalidType));
        let total = Reject::TotalLength { claimed: 37, found: 36 };
        rejected(&v3, &alter(3, 37), total, Some(Counter::PacketLengthError));
        rejected(&v3, &alter(MESSAGE + 5, 0), Reject::ZeroInterval, Some(Counter::AdvertIntervalError));
        let mut wrong = packet(&v3);
        wrong[MESSAGE + 2] ^= 1;
        rejected(&v3, &wrong, Reject::Checksum, Some(Counter::ChecksumError));
    }

    #[test]
    fn every_check_of_version_2_has_its_verdict_and_its_counter() {
        let v2 = settings(Version::V2);
        let pass = with_password(b"s3cret99");
        let alter = |at, byte| altered(&v2, at, byte);
        let version = Reject::Version { ours: 2, found: 3 };
        rejected(&v2, &packet(&settings(Version::V3)), version, Some(Counter::VersionError));
        rejected(&v2, &alter(MESSAGE + 4, 3), Reject::UnknownAuthType(3), Some(Counter::InvalidAuthType));
        let mismatch = |ours, found| Reject::AuthType { ours, found };
        let counter = Some(Counter::AuthTypeMismatch);
        rejected(&v2, &packet(&pass), mismatch(AuthType::None, AuthType::Password), counter);
        rejected(&v2, &alter(MESSAGE + 4, 2), mismatch(AuthType::None, AuthType::Header), counter);
        rejected(&pass, &packet(&v2), mismatch(AuthType::Password, AuthType::None), counter);
        let other = packet(&with_password(b"s3cret98"));
        rejected(&pass, &other, Reject::Password, Some(Counter::AuthFailure));
        let interval = Reject::Interval { ours: 1, found: 2 };
        rejected(&v2, &alter(MESSAGE + 5, 2), interval, Some(Counter::AdvertIntervalError));
        rejected(&v2, &alter(MESSAGE, 0x20), Reject::Type(0), Some(Counter::InvalidType));
        assert_eq!(judged(&pass, &packet(&pass)).1, [Counter::AdvertReceived]);
    }

    #[test]
    fn of_several_mistakes_the_first_in_the_order_counts() {
        let v2 = with_password(b"s3cret99");
        let mut packet = packet(&v2);
        let mut expect = |at: usize, byte: u8, counter: Counter| {
            packet[at] = byte;
            assert_eq!(judged(&v2, &packet).1, [counter]);
        };
        // From the last check to the first, each mistake hides those made before it.
        expect(MESSAGE + 6, 0xff, Counter::ChecksumError);
        expect(3, 1, Counter::PacketLengthError);
        expect(MESSAGE, 0x22, Counter::InvalidType);
        expect(MESSAGE + 5, 9, Counter::AdvertIntervalError);
        expect(MESSAGE + 16, 0, Counter::AuthFailure);
        expect(MESSAGE + 4, 0, Counter::AuthTypeMismatch);
        expect(MESSAGE + 4, 9, Counter::InvalidAuthType);
        expect(8, 1, Counter::TtlError);
        expect(MESSAGE + 3, 255, Counter::PacketLengthError);
    }

    #[test]
    fn a_message_only_checksum_is_accepted_and_counted() {
        let v3 = settings(Version::V3);
        let mut packet = packet(&v3);
        packet[MESSAGE + 6..MESSAGE + 8].fill(0);
        let sum = checksum(&packet[MESSAGE..]);
        packet[MESSAGE + 6..MESSAGE + 8].copy_from_slice(&sum.to_be_bytes());
        let (verdict, moved) = judged(&v3, &packet);
        assert_eq!(verdict.unwrap().checksum, Coverage::MessageOnly);
        assert_eq!(moved, [Counter::AdvertReceived, Counter::ChecksumWithoutPseudoHeader]);
    }

    #[test]
    fn another_address_list_is_counted_and_accepted() {
        let v3 = settings(Version::V3);
        let theirs = |addresses: &[u8]| {
            let addresses = addresses.iter().map(|last| Ipv4Addr::new(10, 9, 0, *last)).collect();
            judged(&v3, &packet(&Settings { addresses, ..v3.clone() }))
        };
        let counted = vec![Counter::AdvertReceived, Counter::AddressListError];
        let list = |verdict: Result<Accepted, Reject>| verdict.unwrap().addresses;
        let (verdict, moved) = theirs(&[100]);
        assert_eq!((list(verdict), moved), (AddressList::Count { ours: 2, theirs: 1 }, counted.clone()));
        let (verdict, moved) = theirs(&[100, 102]);
        assert_eq!(
            (list(verdict), moved),
            (AddressList::Lacks(Ipv4Addr::new(10, 9, 0, 101)), counted.clone())
        );
        let (verdict, moved) = theirs(&[]);
        assert_eq!((list(verdict), moved), (AddressList::Count { ours: 2, theirs: 0 }, counted));
        let (verdict, moved) = theirs(&[101, 100]);
        assert_eq!((list(verdict), moved), (AddressList::Same, vec![Counter::AdvertReceived]));
    }

    #[test]
    fn priority_0_is_counted() {
        let v3 = settings(Version::V3);
        let moved = judged(&v3, &altered(&v3, MESSAGE + 2, 0)).1;
        assert_eq!(moved, [Counter::AdvertReceived, Counter::PriorityZeroReceived]);
    }

    #[test]
    fn ethernet_padding_is_tolerated_and_nothing_else_behind_the_message() {
        let v3 = Settings { addresses: vec![Ipv4Addr::new(10, 9, 0, 100)], ..settings(Version::V3) };
        let judge = |length: usize| {
            let mut packet = packet(&v3);
            assert_eq!(packet.len(), 32);
            packet.resize(length, 0);
            judged(&v3, &packet).1
        };
        assert_eq!(judge(46), [Counter::AdvertReceived]);
        assert_eq!(judge(33), [Counter::PacketLengthError]);
        assert_eq!(judge(36), [Counter::PacketLengthError]);
        assert_eq!(judge(50), [Counter::PacketLengthError], "longer than any padding");
        let four = Settings { addresses: vec![GROUP; 5], ..v3.clone() };
        let mut long = packet(&four);
        long.extend_from_slice(&[0, 0]);
        assert_eq!(judged(&four, &long).1, [Counter::PacketLengthError], "48 bytes need no padding");
    }

    #[test]
    fn a_unicast_instance_takes_any_ttl_and_no_multicast() {
        let group = settings(Version::V3);
        let unicast =
            Settings { destination: Destination::Unicast(vec![Ipv4Addr::new(10, 9, 0, 1)]), ..group.clone() };
        assert_eq!(judged(&unicast, &altered(&unicast, 8, 3)).1, [Counter::AdvertReceived]);
        let counter = Some(Counter::AddressListError);
        rejected(&unicast, &packet(&group), Reject::Destination(GROUP), counter);
        rejected(&group, &packet(&unicast), Reject::Destination(Ipv4Addr::new(10, 9, 0, 1)), counter);
    }

    #[test]
    fn ip_options_are_skipped() {
        let v3 = settings(Version::V3);
        let plain = packet(&v3);
        let mut packet = [&plain[..20], &[1, 1, 1, 0], &plain[20..]].concat();
        packet[0] = 0x46;
        packet[3] += 4;
        assert_eq!(judged(&v3, &packet).1, [Counter::AdvertReceived]);
        assert_eq!(vrid_of(&packet), Some(51));
    }

    #[test]
    fn the_vrid_is_read_from_whatever_is_long_enough() {
        let packet = packet(&settings(Version::V2));
        assert_eq!(vrid_of(&packet), Some(51));
        assert_eq!(vrid_of(&packet[..28]), Some(51));
        assert_eq!(vrid_of(&packet[..27]), None);
    }
}
