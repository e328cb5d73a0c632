//! Every check: its verdict, its counter, its place in the order.

use std::net::Ipv4Addr;

use super::*;
use crate::{
    units::Vrid,
    vrrp::{
        Auth, Garp, LONGEST_ADVERT,
        auth::trailer,
        testing::{advert_of, checksum},
    },
};

const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

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
        addresses: vec![IpAddr::from([10, 9, 0, 100]), IpAddr::from([10, 9, 0, 101])],
        destination: Destination::Multicast(GROUP),
        source: None,
        track_source: false,
        garp: Garp::default(),
        down_timer_adverts: 3,
        membership: crate::vrrp::Membership::Alone,
        policy: crate::vrrp::Policy::default(),
    }
}

fn with_password(password: &[u8; 8]) -> Settings {
    Settings { auth: Auth::Pass(*password), ..settings(Version::V2) }
}

/// What a router with `settings` sends, from [`SENDER`].
fn packet(settings: &Settings) -> Vec<u8> {
    advert_of(settings, SENDER, settings.priority.0)
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
    let verdict = validate(settings, &mut Guard::new(&settings.auth), Time::default(), packet);
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
                stranger: false,
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
    rejected(&v3, &alter(0, 0x55), Reject::Header(InvalidHeader::Version(5)), None);
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
        let addresses = addresses.iter().map(|last| IpAddr::from([10, 9, 0, *last])).collect();
        judged(&v3, &packet(&Settings { addresses, ..v3.clone() }))
    };
    let counted = vec![Counter::AdvertReceived, Counter::AddressListError];
    let list = |verdict: Result<Accepted, Reject>| verdict.unwrap().addresses;
    let (verdict, moved) = theirs(&[100]);
    assert_eq!((list(verdict), moved), (AddressList::Count { ours: 2, theirs: 1 }, counted.clone()));
    let (verdict, moved) = theirs(&[100, 102]);
    assert_eq!((list(verdict), moved), (AddressList::Lacks(IpAddr::from([10, 9, 0, 101])), counted.clone()));
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
    let v3 = Settings { addresses: vec![IpAddr::from([10, 9, 0, 100])], ..settings(Version::V3) };
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
    assert_eq!(judge(32 + 402), [Counter::PacketLengthError], "longer than any padding");
    let five = Settings { addresses: vec![GROUP; 5], ..v3.clone() };
    let mut long = packet(&five);
    long.extend_from_slice(&[0, 0]);
    assert_eq!(judged(&five, &long).1, [Counter::PacketLengthError], "48 bytes need no padding");
}

#[test]
fn a_source_that_no_router_can_have_is_rejected_after_every_other_check() {
    let v3 = settings(Version::V3);
    for source in [[0, 0, 0, 0], [127, 255, 255, 255], [224, 0, 0, 18], [239, 1, 2, 3], [255; 4]] {
        let mut packet = packet(&v3);
        packet[12..16].copy_from_slice(&source);
        rejected(&v3, &packet, Reject::Checksum, Some(Counter::ChecksumError));
        fix_checksum(&mut packet);
        rejected(&v3, &packet, Reject::Source, None);
    }
    for source in [[0, 0, 0, 1], [126, 0, 0, 1], [223, 255, 255, 255], [255, 255, 255, 254]] {
        let mut packet = packet(&v3);
        packet[12..16].copy_from_slice(&source);
        fix_checksum(&mut packet);
        assert_eq!(judged(&v3, &packet).1, [Counter::AdvertReceived]);
    }
}

#[test]
fn a_unicast_instance_takes_any_ttl_and_nothing_sent_to_many() {
    let group = settings(Version::V3);
    let unicast =
        Settings { destination: Destination::Unicast(vec![IpAddr::from([10, 9, 0, 1])]), ..group.clone() };
    let moved = [Counter::AdvertReceived, Counter::StrangerReceived];
    assert_eq!(judged(&unicast, &altered(&unicast, 8, 3)).1, moved);
    let counter = Some(Counter::AddressListError);
    rejected(&unicast, &packet(&group), Reject::Destination(GROUP), counter);
    let broadcast = IpAddr::from([255; 4]);
    let shouted = Settings { destination: Destination::Unicast(vec![broadcast]), ..group.clone() };
    rejected(&unicast, &packet(&shouted), Reject::Destination(broadcast), counter);
    rejected(&group, &packet(&unicast), Reject::Destination(IpAddr::from([10, 9, 0, 1])), counter);
}

/// What a router of version 3 over IPv6 expects and sends.
fn ipv6(version: Version) -> Settings {
    let addresses = ["fe80::51", "2001:db8:9::100"].map(|address| address.parse().unwrap());
    let group = crate::vrrp::multicast_group(Family::V6);
    Settings {
        addresses: addresses.to_vec(),
        destination: Destination::Multicast(group),
        ..settings(version)
    }
}

#[test]
fn no_advertisement_is_longer_than_the_longest() {
    let full = |settings: Settings, address: &str| {
        let addresses = vec![address.parse().unwrap(); 300];
        packet_from(&Settings { addresses, ..settings }, address).len()
    };
    assert_eq!(full(ipv6(Version::V3), "fe80::51") + trailer::LEN, LONGEST_ADVERT);
    assert_eq!(full(settings(Version::V2), "10.9.0.2"), 20 + 8 + 255 * 4 + 8);
}

fn packet_from(settings: &Settings, source: &str) -> Vec<u8> {
    advert_of(settings, source.parse().unwrap(), settings.priority.0)
}

#[test]
fn over_ipv6_every_check_has_its_verdict_and_its_counter() {
    const MESSAGE: usize = 40;
    for version in [Version::V2, Version::V3] {
        let ours = ipv6(version);
        let good = packet_from(&ours, "fe80::ff:fe00:b02");
        assert_eq!(judged(&ours, &good).1, [Counter::AdvertReceived]);
        let alter = |at: usize, byte| {
            let mut packet = good.clone();
            packet[at] = byte;
            packet
        };
        // RFC 9568 §5.1.2.3 (5.1.2.3-2).
        for hop_limit in [64, 254] {
            rejected(&ours, &alter(7, hop_limit), Reject::Ttl(hop_limit), Some(Counter::TtlError));
        }
        // RFC 9568 §5.2.8 (5.2.8-1, 5.2.8-3): the sum covers both addresses and has no other form.
        for (at, byte) in [(MESSAGE + 2, 99), (MESSAGE + 6, good[MESSAGE + 6] ^ 1), (23, 9)] {
            rejected(&ours, &alter(at, byte), Reject::Checksum, Some(Counter::ChecksumError));
        }
        let mut without_pseudo_header = alter(MESSAGE + 6, 0);
        without_pseudo_header[MESSAGE + 7] = 0;
        let sum = checksum(&without_pseudo_header[MESSAGE..]);
        without_pseudo_header[MESSAGE + 6..MESSAGE + 8].copy_from_slice(&sum.to_be_bytes());
        rejected(&ours, &without_pseudo_header, Reject::Checksum, Some(Counter::ChecksumError));
        let length = Reject::MessageLength { expected: 80, found: 82 };
        rejected(&ours, &[&good[..], &[0, 0]].concat(), length, Some(Counter::PacketLengthError));
    }
}

#[test]
fn over_ipv6_a_source_that_no_router_can_have_is_rejected() {
    let ours = ipv6(Version::V3);
    for source in ["::", "::1", "ff02::12"] {
        rejected(&ours, &packet_from(&ours, source), Reject::Source, None);
    }
    assert_eq!(judged(&ours, &packet_from(&ours, "2001:db8::1")).1, [Counter::AdvertReceived]);
}

#[test]
fn a_packet_of_the_other_family_is_for_another_router() {
    let (v4, v6) = (settings(Version::V3), ipv6(Version::V3));
    rejected(&v6, &packet(&v4), Reject::Family(Family::V4), None);
    rejected(&v4, &packet_from(&v6, "fe80::1"), Reject::Family(Family::V6), None);
}

#[test]
fn over_ipv6_nobody_has_the_password() {
    let ours = Settings { auth: Auth::Pass(*b"s3cret99"), ..ipv6(Version::V2) };
    rejected(&ours, &packet_from(&ours, "fe80::1"), Reject::Password, Some(Counter::AuthFailure));
}

#[test]
fn ip_options_are_skipped() {
    let v3 = settings(Version::V3);
    let plain = packet(&v3);
    let mut packet = [&plain[..20], &[1, 1, 1, 0], &plain[20..]].concat();
    packet[0] = 0x46;
    packet[3] += 4;
    assert_eq!(judged(&v3, &packet).1, [Counter::AdvertReceived]);
}
