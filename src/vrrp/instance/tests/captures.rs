//! An instance with the settings of a captured router sends the captured packets.

use super::*;
use crate::vrrp::{
    multicast_group,
    testing::{capture, with_header_checksum},
};

/// Starts an instance at the captured source, lets it send as many advertisements as were captured, stops it, and compares
/// everything it sent, priority 0 included.
fn sends_as_captured(name: &str, settings: Settings) {
    let captured = capture(name);
    let mut instance = Instance::new(settings, Arc::default());
    let source = Header::parse(&captured[0]).unwrap().source;
    instance.handle_source(Time::default(), Source::Address(source));
    instance.handle_start(Time::default());
    let mut sent = Vec::new();
    let mut now = Time::default();
    while sent.len() < captured.len() {
        now = instance.poll_timeout().unwrap();
        if sent.len() == captured.len() - 1 {
            instance.handle_shutdown(now, true);
        } else {
            instance.handle_timeout(now);
        }
        while let Some(action) = instance.poll_action() {
            if let Action::Send(copies) = action {
                sent.extend(copies.into_iter().map(|copy| with_header_checksum(&copy.packet)));
            }
        }
    }
    assert!(captured.len() >= 5, "{name} has {} packets", captured.len());
    assert_eq!(sent, captured, "{name}, at {now:?}");
}

fn v2() -> Settings {
    Settings { version: Version::V2, ..router(150) }
}

fn two_addresses() -> Vec<IpAddr> {
    vec![VIP, IpAddr::from([10, 9, 0, 101])]
}

fn to_b() -> Destination {
    Destination::Unicast(vec![IpAddr::from([10, 9, 0, 2])])
}

#[test]
fn version_2_without_authentication() {
    sends_as_captured("v2_noauth", Settings { addresses: two_addresses(), ..v2() });
}

#[test]
fn version_2_with_a_password() {
    sends_as_captured("v2_pass", Settings { auth: Auth::Pass(*b"s3cret99"), ..v2() });
}

#[test]
fn version_2_with_an_authentication_header() {
    let auth = Auth::Header(*b"s3cret99");
    let to_group = Settings { auth: auth.clone(), ..v2() };
    sends_as_captured("ka243_v2_ah", to_group.clone());
    sends_as_captured("v2_ah", to_group);
    sends_as_captured("v2_ah_unicast", Settings { auth, destination: to_b(), ..v2() });
}

#[test]
fn version_2_unicast() {
    sends_as_captured("v2_unicast", Settings { destination: to_b(), ..v2() });
}

#[test]
fn version_3() {
    sends_as_captured("v3_ipv4", Settings { addresses: two_addresses(), ..router(150) });
}

#[test]
fn version_3_four_times_a_second() {
    let advert_interval = Duration::from_millis(250);
    sends_as_captured("v3_ipv4_250ms", Settings { advert_interval, ..router(150) });
}

#[test]
fn version_3_unicast() {
    sends_as_captured("v3_unicast", Settings { destination: to_b(), ..router(150) });
}

/// The addresses of the captures of IPv6: the link-local one has to be first.
fn two_of_ipv6() -> Vec<IpAddr> {
    ["fe80::51", "2001:db8:9::100"].map(|address| address.parse().unwrap()).to_vec()
}

fn ipv6() -> Settings {
    let destination = Destination::Multicast(multicast_group(Family::V6));
    Settings { destination, addresses: two_of_ipv6(), ..router(150) }
}

#[test]
fn version_3_over_ipv6() {
    sends_as_captured("v3_ipv6", ipv6());
}

#[test]
fn version_2_over_ipv6() {
    sends_as_captured("v2_ipv6", Settings { version: Version::V2, ..ipv6() });
}

#[test]
fn version_3_unicast_over_ipv6() {
    let destination = Destination::Unicast(vec!["2001:db8:9::2".parse().unwrap()]);
    sends_as_captured(
        "v3_unicast6",
        Settings { destination, addresses: two_of_ipv6()[1..].to_vec(), ..ipv6() },
    );
}

#[test]
fn a_backup_that_hears_the_captures_accepts_every_packet() {
    for (name, settings) in [
        ("v2_noauth", Settings { addresses: two_addresses(), ..v2() }),
        ("v2_pass", Settings { auth: Auth::Pass(*b"s3cret99"), ..v2() }),
        ("v2_ah", Settings { auth: Auth::Header(*b"s3cret99"), ..v2() }),
        ("ka243_v2_ah", Settings { auth: Auth::Header(*b"s3cret99"), ..v2() }),
        ("v2_ah_unicast", Settings { auth: Auth::Header(*b"s3cret99"), destination: to_b(), ..v2() }),
        ("v3_ipv4", Settings { addresses: two_addresses(), ..router(150) }),
        ("v3_ipv4_250ms", router(150)),
        ("kk_v3_equal_prio", router(150)),
        ("frr_interop_v2", v2()),
        ("frr_interop_v3", router(150)),
        ("ka243_v3_csum_as_v2", router(150)),
        ("v3_ipv6", ipv6()),
        ("v2_ipv6", Settings { version: Version::V2, ..ipv6() }),
        ("frr_interop_v3_ipv6", ipv6()),
    ] {
        let mut lan = Lan::started(Settings { preempt: false, ..settings });
        let packets = capture(name);
        for packet in &packets {
            lan.input(0, |instance, now| instance.handle_packet(now, packet));
        }
        assert_eq!(lan.counted(Counter::AdvertReceived), packets.len() as u64, "{name}");
        assert_eq!(lan.counted(Counter::AddressListError), 0, "{name}");
    }
}
