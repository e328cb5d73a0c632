//! Words that each change one decision of a router.

use super::*;
use crate::vrrp::{OldChecksum, policy};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

/// A router that does otherwise than usual.
fn with(priority: u8, policy: Policy) -> Settings {
    Settings { policy, ..router(priority) }
}

/// The only peer of [`unicast`].
const PEER: IpAddr = OTHER;
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 99));

/// A router with one unicast peer, whose advertisements must have from 250 to 254 hops left where that is checked.
fn unicast(priority: u8, policy: Policy) -> Settings {
    let peers = vec![policy::Peer { address: PEER, min_ttl: 250, max_ttl: 254 }];
    let destination = Destination::Unicast(vec![PEER]);
    Settings { destination, ..with(priority, Policy { peers, ..policy }) }
}

/// What a unicast router with `settings` at `source` sends to 10.9.0.1.
fn to_us(settings: &Settings, source: IpAddr, priority: u8) -> Vec<u8> {
    let destination = Destination::Unicast(vec![[10, 9, 0, 1].into()]);
    advert_of(&Settings { destination, ..settings.clone() }, source, priority)
}

#[test]
fn lower_prio_no_advert_leaves_the_answer_to_gratuitous_arp() {
    let mut lan = Lan::master(with(150, Policy { lower_prio_no_advert: true, ..Policy::default() }));
    lan.hear_at(10.5, 100);
    assert_eq!(
        lan.take_lines(),
        [
            "10.500 warning: (VI) Received advert from 10.9.0.77 with lower priority 100, ours 150, forcing \
             new election",
            "10.500 announce x5"
        ]
    );
    lan.run_until(at(11.2));
    assert_eq!(lan.take_lines(), ["11.000 advert 150"], "its timer is not moved");
    lan.hear_at(11.5, 0);
    assert_eq!(lan.take_lines(), ["11.500 advert 150"], "a router that released is answered");
}

#[test]
fn higher_prio_send_advert_sends_once_more_before_it_gives_way() {
    let policy = Policy { higher_prio_send_advert: true, ..Policy::default() };
    let mut lan = Lan::master(with(150, policy));
    lan.hear_at(10.5, 200);
    assert_eq!(
        lan.take_lines(),
        [
            "10.500 info: (VI) Master received advert from 10.9.0.77 with higher priority 200, ours 150",
            "10.500 advert 150",
            "10.500 withdraw",
            "10.500 MASTER -> BACKUP (router 10.9.0.77 has higher priority 200)",
        ]
    );
}

#[test]
fn an_owner_may_hear_nobody() {
    let deaf = Policy { owner_ignore_adverts: true, ..Policy::default() };
    let mut lan = Lan::master(Settings { start_as_master: true, ..with(255, deaf.clone()) });
    lan.hear_from([10, 9, 0, 200].into(), 255);
    lan.hear(100);
    assert_eq!(lan.take_lines(), [""; 0]);
    assert_eq!(lan.counted(Counter::AdvertReceived), 0);
    let mut other = Lan::master(with(150, deaf));
    other.hear(200);
    assert_eq!(other.state(0), State::Backup, "who owns nothing hears everybody");
}

#[test]
fn skip_check_adv_addr_trusts_the_master_that_is_known() {
    let policy = Policy { skip_check_adv_addr: true, ..Policy::default() };
    let mut lan = Lan::started(with(100, policy));
    let others = Settings { addresses: vec![[10, 9, 0, 222].into()], ..router(200) };
    let packet = advert_of(&others, OTHER, 200);
    for errors in [1, 1, 1] {
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.counted(Counter::AddressListError), errors);
    }
    let more = Settings { addresses: vec![VIP, [10, 9, 0, 222].into()], ..router(200) };
    let packet = advert_of(&more, OTHER, 200);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    assert_eq!(lan.counted(Counter::AddressListError), 2, "another number of them is noted all the same");
}

#[test]
fn a_stranger_is_believed_and_counted() {
    let settings = unicast(100, Policy::default());
    let mut lan = Lan::started(settings.clone());
    for (source, strangers) in [(PEER, 0), (STRANGER, 1)] {
        let packet = to_us(&settings, source, 200);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.status().master, Some(Peer { address: source, priority: Priority(200) }));
        assert_eq!(lan.counted(Counter::StrangerReceived), strangers);
    }
}

#[test]
fn check_unicast_src_believes_peers_within_their_bounds_alone() {
    let policy = Policy { check_unicast_src: true, ..Policy::default() };
    let settings = unicast(100, policy);
    let mut lan = Lan::started(settings.clone());
    for (source, ttl) in [(STRANGER, 252), (PEER, 249), (PEER, 255)] {
        let mut packet = to_us(&settings, source, 200);
        packet[8] = ttl;
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.status().master, None, "{source}, TTL {ttl}");
    }
    // As in keepalived these count as received.
    assert_eq!(lan.counted(Counter::AdvertReceived), 3);
    assert_eq!(lan.counted(Counter::StrangerReceived), 1);
    assert_eq!(lan.counted(Counter::TtlError), 2);
    for ttl in [250, 254] {
        let mut packet = to_us(&settings, PEER, 200);
        packet[8] = ttl;
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.status().master.map(|master| master.address), Some(PEER), "TTL {ttl}");
    }
}

#[test]
fn unicast_ttl_is_that_of_unicast_copies_alone() {
    let ttl = |settings: &Settings| advert_of(settings, [10, 9, 0, 1].into(), 100)[8];
    let policy = Policy { unicast_ttl: Some(7), ..Policy::default() };
    assert_eq!(ttl(&unicast(100, policy.clone())), 7);
    assert_eq!(ttl(&unicast(100, Policy::default())), 255);
    assert_eq!(ttl(&with(100, policy.clone())), 255);
    let peers = Destination::Unicast(vec!["2001:db8::2".parse().unwrap()]);
    let over_ipv6 = |policy| Settings { destination: peers.clone(), ..with(100, policy) };
    let hops = |policy| advert_of(&over_ipv6(policy), "2001:db8::1".parse().unwrap(), 100)[7];
    assert_eq!((hops(policy), hops(Policy::default())), (7, 64));
}

/// Which checksum an advertisement of `settings` has.
fn coverage(settings: &Settings, group: IpAddr) -> Option<Coverage> {
    let packet = to_us(settings, PEER, 100);
    let view = View::new(Family::V4, &packet[HEADER_LEN..]).unwrap();
    let us = IpAddr::from([10, 9, 0, 1]);
    view.checksum(PEER, us).or_else(|| view.has_old_checksum(PEER, group).then_some(Coverage::OldUnicast))
}

#[test]
fn v3_checksum_as_v2_covers_the_message_alone() {
    let short = Policy { v3_checksum_as_v2: true, ..Policy::default() };
    assert_eq!(coverage(&unicast(100, short.clone()), GROUP), Some(Coverage::MessageOnly));
    assert_eq!(coverage(&unicast(100, Policy::default()), GROUP), Some(Coverage::Usual));
    // Whoever sends the one hears the other, too.
    for (ours, theirs) in [(short.clone(), Policy::default()), (Policy::default(), short)] {
        let mut lan = Lan::started(with(100, ours));
        let packet = advert_of(&with(200, theirs), OTHER, 200);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.counted(Counter::AdvertReceived), 1);
    }
}

/// RFC 9568 §5.2.8 (5.2.8-2): nor is one over something else than either form covers.
#[test]
fn v3_checksum_as_v2_believes_no_wrong_one() {
    let short = || with(100, Policy { v3_checksum_as_v2: true, ..Policy::default() });
    for at in 0..4 {
        let mut lan = Lan::started(short());
        let mut packet = advert_of(&short(), OTHER, 200);
        packet[HEADER_LEN + 8 + at] ^= 1;
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        let counted = [Counter::AdvertReceived, Counter::ChecksumError].map(|counter| lan.counted(counter));
        assert_eq!(counted, [0, 1]);
    }
}

#[test]
fn the_old_unicast_checksum_is_answered_in_kind() {
    let old = |old_checksum| unicast(100, Policy { old_checksum, ..Policy::default() });
    let always = old(OldChecksum::Always(GROUP));
    assert_eq!(coverage(&always, GROUP), Some(Coverage::OldUnicast));
    let packet = to_us(&always, PEER, 50);

    let mut lan = Lan::master(old(OldChecksum::Detected(GROUP)));
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    let told = "10.000 info: (VI) Setting unicast VRRPv3 checksum to old version";
    assert!(lan.take_lines().contains(&told.to_owned()));
    let Instance { transmitter, guard, .. } = &mut lan.nodes[0].instance;
    let copy = transmitter.advert(guard, at(10.0), [10, 9, 0, 1].into(), Priority(100)).remove(0);
    let view = View::new(Family::V4, &copy.packet[HEADER_LEN..]).unwrap();
    assert!(view.has_old_checksum([10, 9, 0, 1].into(), GROUP));

    let mut lan = Lan::started(old(OldChecksum::Never));
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    assert_eq!(lan.counted(Counter::ChecksumError), 1);
}

#[test]
fn a_stalled_master_resigns_when_another_must_have_taken_over() {
    let policy = Policy { timer_expired_backup: Some(Priority(100)), ..Policy::default() };
    let stalled = |preempt, seconds| {
        let mut lan = Lan::master(Settings { preempt, ..with(150, policy.clone()) });
        // The advertisement of 11 s is looked at that late.
        lan.now = at(11.0 + seconds);
        lan.input(0, |instance, now| instance.handle_timeout(now));
        lan.take_decisions()
    };
    // A router of priority 100 waits for 3.609 s.
    assert_eq!(
        stalled(false, 3.7),
        ["14.700 withdraw", "14.700 MASTER -> BACKUP (stalled for 3.700 s, another router has taken over)"]
    );
    assert_eq!(stalled(false, 3.6), [""; 0]);
    assert_eq!(stalled(true, 3.7), [""; 0], "with preemption it would only take it back");
}

#[test]
fn a_delayed_start_hears_nothing_and_then_waits_as_usual() {
    let mut lan = Lan::new([router(150)]);
    lan.input(0, |instance, _| instance.handle_delay(at(2.0)));
    lan.start(0);
    assert_eq!(lan.take_lines(), ["0.000 INIT -> BACKUP (start, quiet for 2 s)"]);
    lan.hear_at(1.9, 200);
    assert_eq!((lan.counted(Counter::AdvertReceived), lan.status().master), (0, None));
    lan.run_until(at(5.41));
    assert_eq!(lan.take_lines(), [""; 0]);
    lan.run_until(at(5.42));
    assert_eq!(lan.take_decisions()[0], "5.414 BACKUP -> MASTER (no master heard)");
}

#[test]
fn a_delayed_router_hears_from_the_end_of_the_delay_on() {
    let mut lan = Lan::new([router(150)]);
    lan.input(0, |instance, _| instance.handle_delay(at(2.0)));
    lan.start(0);
    lan.hear_at(2.0, 200);
    assert_eq!(lan.counted(Counter::AdvertReceived), 1);
    lan.take_lines();
    lan.run_until(at(5.5));
    assert_eq!(lan.take_decisions()[0], "5.414 BACKUP -> MASTER (master 10.9.0.77 fell silent)");
}

#[test]
fn a_delayed_owner_takes_its_addresses_when_the_delay_is_over() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(255) }]);
    lan.input(0, |instance, _| instance.handle_delay(at(2.0)));
    lan.start(0);
    lan.run_until(at(3.0));
    assert_eq!(
        lan.take_decisions(),
        [
            "0.000 INIT -> BACKUP (start, quiet for 2 s)",
            "2.000 BACKUP -> MASTER (owner of the addresses)",
            "2.000 install",
            "2.000 announce x5"
        ]
    );
}

#[test]
fn a_link_that_comes_up_during_the_delay_does_not_shorten_it() {
    let mut lan = Lan::new([router(150)]);
    let down = Reason::InterfaceDown { interface: "eth0".into() };
    lan.input(0, |instance, now| {
        instance.handle_delay(at(2.0));
        instance.handle_fault(now, Fault::Interface, Some(down));
    });
    lan.start(0);
    lan.run_until(at(1.0));
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Interface, None));
    lan.run_until(at(5.42));
    assert_eq!(lan.take_decisions()[2], "5.414 BACKUP -> MASTER (no master heard)");
}
