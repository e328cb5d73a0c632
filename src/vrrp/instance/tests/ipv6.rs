//! A virtual router over IPv6, and one that waits until its address may be used.

use super::*;
use crate::vrrp::multicast_group;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The usual router over IPv6: the virtual link-local address first.
fn ipv6(priority: u8) -> Settings {
    Settings {
        destination: Destination::Multicast(multicast_group(Family::V6)),
        addresses: vec![ip("fe80::51"), ip("2001:db8:9::100")],
        ..router(priority)
    }
}

/// A router over IPv6 at `source`, not started.
fn at_source(settings: Settings, source: Source) -> Lan {
    let mut lan = Lan::new([settings]);
    lan.source(source);
    lan
}

impl Lan {
    fn source(&mut self, source: Source) {
        self.input(0, |instance, now| instance.handle_source(now, source));
    }
}

const OWN: &str = "fe80::7fff:ffff:ffff:ffff";

#[test]
fn it_takes_over_as_over_ipv4() {
    let mut lan = at_source(ipv6(150), Source::Address(ip(OWN)));
    lan.start(0);
    lan.run_until(at(3.5));
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 INIT -> BACKUP (start)",
            "3.414 advert 150",
            "3.414 BACKUP -> MASTER (no master heard)",
            "3.414 install",
            "3.414 announce x5",
        ]
    );
}

#[test]
fn of_equal_priorities_the_higher_of_128_bits_wins() {
    for (other, is_better) in [("fe80::8000:0:0:0", true), ("fe80::7fff:ffff:ffff:fffe", false)] {
        let mut lan = at_source(ipv6(150), Source::Address(ip(OWN)));
        lan.start(0);
        lan.run_until(at(4.0));
        assert_eq!(lan.state(0), State::Master);
        lan.hear_from(ip(other), 150);
        assert_eq!(lan.state(0) == State::Backup, is_better, "{other}");
    }
}

#[test]
fn addresses_of_the_other_family_are_not_advertised() {
    let mut settings = ipv6(150);
    settings.addresses.insert(1, VIP);
    assert_eq!(advert_in(&advert_of(&settings, ip(OWN), 150)).addresses, ipv6(150).addresses);
    let mut lan = at_source(settings, Source::Address(ip(OWN)));
    lan.start(0);
    lan.hear_from(ip("fe80::9"), 200);
    assert_eq!(lan.counted(Counter::AddressListError), 0);
    assert_eq!(lan.status().master.map(|peer| peer.address), Some(ip("fe80::9")));
}

const AWAITED: &str = "waiting for address fe80::a of interface eth0: it is tentative";

#[test]
fn a_tentative_address_is_awaited_silently_and_the_reason_is_shown() {
    let mut lan = at_source(ipv6(150), Source::Tentative(ip("fe80::a")));
    lan.start(0);
    // No transition, so no script and no trap; outputs show FAULT with its reason, as for an awaited script.
    assert_eq!(lan.take_lines(), [format!("0.000 info: (VI) {AWAITED}")]);
    assert_eq!(lan.status().state, State::Fault);
    assert_eq!(lan.status().reason.unwrap().to_string(), AWAITED);
    assert_eq!((lan.status().source, lan.nodes[0].instance.poll_timeout()), (None, None));
    lan.run_until(at(1.5));
    lan.source(Source::Tentative(ip("fe80::a")));
    lan.source(Source::Address(ip("fe80::a")));
    assert_eq!(lan.take_lines(), ["1.500 INIT -> BACKUP (start)"]);
    assert_eq!(lan.status().source, Some(ip("fe80::a")));
    lan.run_until(at(1.5 + 3.42));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn a_duplicate_is_a_fault_with_a_name_until_it_is_gone() {
    let mut lan = at_source(ipv6(150), Source::Tentative(ip("fe80::a")));
    lan.start(0);
    lan.take_lines();
    lan.source(Source::Duplicate(ip("fe80::a")));
    let duplicate = "address fe80::a of interface eth0 is a duplicate: another host has it";
    assert_eq!(lan.take_lines(), [format!("0.000 INIT -> FAULT ({duplicate})")]);
    // The operator gives the interface another one.
    lan.source(Source::Tentative(ip("fe80::b")));
    assert_eq!(lan.status().reason.unwrap().to_string(), AWAITED.replace("fe80::a", "fe80::b"));
    lan.source(Source::Address(ip("fe80::b")));
    assert_eq!(lan.take_decisions(), ["0.000 FAULT -> BACKUP (all faults gone)"]);
}

#[test]
fn a_link_that_comes_back_with_a_tentative_address_is_waited_for() {
    let mut lan = at_source(ipv6(150), Source::Address(ip("fe80::a")));
    lan.start(0);
    let down = Reason::InterfaceDown { interface: "eth0".into() };
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Interface, Some(down)));
    lan.source(Source::Tentative(ip("fe80::a")));
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Interface, None));
    assert_eq!((lan.state(0), lan.status().source), (State::Fault, None));
    assert_eq!(lan.status().reason.unwrap().to_string(), AWAITED);
    lan.source(Source::Address(ip("fe80::a")));
    assert_eq!(lan.state(0), State::Backup);
}

#[test]
fn a_master_does_not_leave_because_its_address_is_looked_at_again() {
    let mut lan = at_source(ipv6(150), Source::Address(ip("fe80::a")));
    lan.start(0);
    lan.run_until(at(4.0));
    lan.take_lines();
    lan.source(Source::Tentative(ip("fe80::a")));
    assert_eq!((lan.take_lines(), lan.state(0)), (vec![], State::Master));
    lan.source(Source::Missing);
    assert_eq!(
        lan.take_lines(),
        [
            "4.000 advert 0",
            "4.000 info: (VI) sent 0 priority",
            "4.000 withdraw",
            "4.000 MASTER -> FAULT (no IPv6 link-local address for interface eth0)",
        ]
    );
}

#[test]
fn a_configured_source_is_waited_for_while_it_is_tentative() {
    let own = ip("2001:db8:9::1");
    let settings = Settings { source: Some(own), ..ipv6(150) };
    let mut lan = at_source(settings, Source::Tentative(own));
    lan.start(0);
    assert_eq!(lan.status().state, State::Fault);
    lan.source(Source::Address(own));
    assert_eq!((lan.state(0), lan.status().source), (State::Backup, Some(own)));
}

/// Traffic class and flow label, which nobody looks at.
fn is_free(bit: usize) -> bool {
    (4..32).contains(&bit)
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    for (version, name) in [(Version::V2, "v2_ipv6"), (Version::V3, "v3_ipv6")] {
        let good = crate::vrrp::testing::capture(name).swap_remove(0);
        let mut lan = at_source(Settings { version, ..ipv6(100) }, Source::Address(ip(OWN)));
        lan.start(0);
        lan.run_until(at(4.0));
        assert_eq!(lan.state(0), State::Master);
        let before = lan.status();
        for bit in (0..good.len() * 8).filter(|bit| !is_free(*bit)) {
            let mut packet = good.clone();
            packet[bit / 8] ^= 0x80 >> (bit % 8);
            lan.input(0, |instance, now| instance.handle_packet(now, &packet));
            assert_eq!(lan.status(), before, "{name}, bit {bit}");
        }
        for length in 0..good.len() {
            lan.input(0, |instance, now| instance.handle_packet(now, &good[..length]));
            assert_eq!(lan.status(), before, "{name} cut to {length}");
        }
        assert_eq!(lan.counted(Counter::AdvertReceived), 0, "{name}");
        lan.input(0, |instance, now| instance.handle_packet(now, &good));
        assert_eq!(lan.state(0), State::Backup, "the packet itself is believed");
    }
}
