//! Clauses of RFC 9568 that no other story tells by the way (docs/rfc9568.md).

use super::*;
use crate::vrrp::multicast_group;

const ADDRESSES: [&str; 2] = ["10.9.0.100", "fe80::51"];

/// Every kind of multicast router: both versions over both families, of every role.
fn kinds() -> Vec<(Settings, IpAddr)> {
    let mut kinds = Vec::new();
    for (version, vip) in
        [Version::V2, Version::V3].into_iter().flat_map(|one| ADDRESSES.map(|vip| (one, vip)))
    {
        let vip: IpAddr = vip.parse().unwrap();
        let family = Family::of(vip);
        let source = if vip.is_ipv4() { "10.9.0.1" } else { "fe80::1" };
        for priority in [1, 100, 255] {
            let destination = Destination::Multicast(multicast_group(family));
            let settings = Settings { version, addresses: vec![vip], destination, ..router(priority) };
            kinds.push((settings, source.parse().unwrap()));
        }
    }
    kinds
}

/// RFC 9568 §5.1.1.3 (5.1.1.3-1), §5.1.2.3 (5.1.2.3-1), §5.2.1 (5.2.1-1), §5.1.1.4 (5.1.1.4-1).
#[test]
fn what_is_multicast_has_255_hops_the_configured_version_and_protocol_112() {
    for (settings, source) in kinds() {
        for priority in [0, 1, 254, 255] {
            let packet = advert_of(&settings, source, priority);
            let header = Header::parse(&packet).unwrap();
            assert_eq!(header.hop_limit, 255);
            assert_eq!(packet[if source.is_ipv4() { 9 } else { 6 }], 112);
            assert_eq!(packet[header.length], settings.version.number() << 4 | 1);
        }
    }
}

/// RFC 9568 §7.2 (7.2-4).
#[test]
fn a_multicast_router_speaks_to_its_group_alone() {
    for (settings, source) in kinds() {
        let copies = Transmitter::new(&settings).advert(
            &mut Guard::new(&Auth::None),
            Time::default(),
            source,
            Priority(100),
        );
        let destinations: Vec<IpAddr> = copies.iter().map(|copy| copy.destination).collect();
        assert_eq!(destinations, [multicast_group(Family::of(source))]);
    }
}

/// RFC 9568 §6.4.3 (6.4.3-13).
#[test]
fn the_election_compares_who_sent_and_not_what_is_listed() {
    let listed = |list: [u8; 4]| Settings { addresses: vec![list.into()], ..router(100) };
    for (sender, list, state) in [
        // The instance is 10.9.0.1.
        ([10, 9, 0, 77], [10, 9, 0, 0], State::Backup),
        ([10, 9, 0, 0], [10, 9, 0, 77], State::Master),
    ] {
        let mut lan = Lan::master(router(100));
        let packet = advert_of(&listed(list), sender.into(), 100);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.state(0), state, "{sender:?} lists {list:?}");
    }
}

/// RFC 9568 §5.2.7 (5.2.7-1): twelve bits of hundredths.
#[test]
fn the_longest_interval_fits_and_a_longer_one_does_not_wrap() {
    for (configured, sent) in [(40_950, 4095), (41_000, 4095), (255_000, 4095), (10, 1)] {
        let settings = Settings { advert_interval: Duration::from_millis(configured), ..router(100) };
        let packet = advert_of(&settings, [10, 9, 0, 1].into(), 100);
        let field = u16::from_be_bytes([packet[HEADER_LEN + 4], packet[HEADER_LEN + 5]]);
        assert_eq!(field, sent, "{configured} ms");
    }
}
