//! Clauses of RFC 9568 that no other story tells by the way (docs/rfc9568.md).

use super::*;
use crate::vrrp::{multicast_group, packet::Body};

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

/// What a MASTER of the same priority becomes when such a router advertises such an address; it is 10.9.0.1 itself.
fn after_an_advert(sender: [u8; 4], listed: [u8; 4]) -> State {
    let mut lan = Lan::master(router(100));
    let settings = Settings { addresses: vec![listed.into()], ..router(100) };
    let packet = advert_of(&settings, sender.into(), 100);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.state(0)
}

/// RFC 9568 §6.4.3 (6.4.3-13): of equal priorities.
#[test]
fn a_higher_sender_wins_whatever_it_lists() {
    for listed in [[10, 9, 0, 0], [10, 9, 0, 100], [10, 9, 0, 255]] {
        assert_eq!(after_an_advert([10, 9, 0, 77], listed), State::Backup, "{listed:?}");
    }
}

/// RFC 9568 §6.4.3 (6.4.3-13).
#[test]
fn a_lower_sender_wins_nothing_by_what_it_lists() {
    for listed in [[10, 9, 0, 0], [10, 9, 0, 100], [10, 9, 0, 255], [255, 255, 255, 254]] {
        assert_eq!(after_an_advert([10, 9, 0, 0], listed), State::Master, "{listed:?}");
    }
}

/// RFC 9568 §6.4.2 (6.4.2-7): the driver may come for a deadline that has moved since.
#[test]
fn a_deadline_that_has_moved_makes_nobody_master() {
    let mut lan = Lan::started(router(100));
    let old = lan.next_due().unwrap().0;
    lan.hear_at(3.5, 200);
    lan.take_lines();
    lan.now = old;
    for _ in 0..3 {
        lan.input(0, |instance, now| instance.handle_timeout(now));
    }
    assert_eq!((lan.state(0), lan.take_lines()), (State::Backup, Vec::<String>::new()));
    lan.run_until(at(7.2));
    let became: Vec<_> = lan.take_lines().into_iter().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(became, ["7.109 BACKUP -> MASTER (master 10.9.0.77 fell silent)"]);
}

/// What makes a packet invalid, and how.
type Mutation = (&'static str, fn(&mut Vec<u8>));

/// RFC 9568 §6.4.3 (6.4.3-10): one that fails the validation (§7.1) is answered with nothing, and moves no timer.
#[test]
fn priority_0_that_is_not_valid_is_not_answered() {
    let mutations: [Mutation; 7] = [
        ("hops", |packet| packet[8] = 254),
        ("version", |packet| packet[HEADER_LEN] = 0x21),
        ("type", |packet| packet[HEADER_LEN] = 0x32),
        ("checksum", |packet| packet[HEADER_LEN + 6] ^= 1),
        ("another priority than the one that was summed", |packet| packet[HEADER_LEN + 7] ^= 1),
        ("short", |packet| packet.truncate(HEADER_LEN + 7)),
        ("a count without addresses", |packet| packet[HEADER_LEN + 3] = 9),
    ];
    for (what, mutate) in mutations {
        let mut lan = Lan::master(router(100));
        lan.run_until(at(10.4));
        let mut packet = advert_of(&router(100), OTHER, 0);
        mutate(&mut packet);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        lan.run_until(at(11.5));
        let sent: Vec<_> = lan.take_lines().into_iter().filter(|line| line.contains("advert ")).collect();
        assert_eq!(sent, ["11.000 advert 100"], "{what}");
        assert_eq!(lan.counted(Counter::PriorityZeroReceived), 0, "{what}");
    }
}

/// What a router alone sends until then.
fn sent_until(lan: &mut Lan, end: Time) -> Vec<(Priority, Body)> {
    let instance = &mut lan.nodes[0].instance;
    let mut sent = Vec::new();
    while let Some(due) = instance.poll_timeout().filter(|due| *due <= end) {
        instance.handle_timeout(due);
        while let Some(action) = instance.poll_action() {
            if let Action::Send(copies) = action {
                let advert = advert_in(&copies[0].packet);
                sent.push((advert.priority, advert.body));
            }
        }
    }
    lan.now = end;
    sent
}

/// RFC 9568 §7.2 (7.2-1): neither what a BACKUP has learnt from its master nor a weight that is gone.
#[test]
fn nothing_of_a_former_state_is_advertised() {
    let interval = |advert: &(Priority, Body)| match advert.1 {
        Body::V3 { interval, .. } => interval,
        Body::V2 { .. } => panic!("version 3"),
    };
    let mut lan = Lan::started(router(100));
    let slow = Settings { advert_interval: Duration::from_secs(3), ..router(200) };
    let packet = advert_of(&slow, OTHER, 200);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), -40));
    let own = advert_in(&advert_of(&router(100), OTHER, 100)).body;
    let as_master = sent_until(&mut lan, at(13.0));
    assert!(as_master.len() > 1, "{as_master:?}");
    assert!(as_master.iter().all(|advert| advert.0 == Priority(60)), "{as_master:?}");
    assert!(as_master.iter().all(|advert| interval(advert) == interval(&(Priority(100), own.clone()))));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), 0));
    let later = sent_until(&mut lan, at(16.0));
    assert!(later.len() > 1 && later.iter().all(|advert| advert.0 == Priority(100)), "{later:?}");
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
