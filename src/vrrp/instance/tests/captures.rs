//! An instance with the settings of a captured router sends the captured packets.

use super::*;
use crate::{
    config::{AntiReplay, SignatureMode, Signatures},
    units::Vrid,
    vrrp::{
        OldChecksum, Policy, multicast_group,
        testing::{capture, key, signed_at, with_header_checksum},
    },
};

/// Starts an instance at the captured source, lets it send as many advertisements as were captured, stops it, and compares
/// everything it sent, priority 0 included.
fn sends_as_captured(name: &str, settings: Settings) {
    let captured = capture(name);
    let copies = match &settings.destination {
        Destination::Multicast(_) => 1,
        Destination::Unicast(peers) => peers.len(),
    };
    let is_signed = matches!(settings.auth, Auth::Signed(_));
    let mut instance = Instance::new(settings, Arc::default());
    let source = Header::parse(&captured[0]).unwrap().source;
    instance.handle_source(Time::default(), Source::Address(source));
    instance.handle_start(Time::default());
    let mut sent = Vec::new();
    let mut now = Time::default();
    while sent.len() < captured.len() {
        now = instance.poll_timeout().unwrap();
        if is_signed {
            instance.handle_clock(now, signed_at(&captured[sent.len()]));
        }
        if sent.len() + copies == captured.len() {
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
    for name in ["v3_ipv4", "ka243_v3_ipv4"] {
        sends_as_captured(name, Settings { addresses: two_addresses(), ..router(150) });
    }
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

/// `old_unicast_checksum`.
fn with_old_checksum() -> Settings {
    let old_checksum = OldChecksum::Always(multicast_group(Family::V4));
    Settings { destination: to_b(), policy: Policy { old_checksum, ..Policy::default() }, ..router(150) }
}

#[test]
fn version_3_unicast_with_the_checksum_of_old() {
    sends_as_captured("v3_unicast_oldcsum", with_old_checksum());
}

/// A link of its own is seen in the frame alone.
#[test]
fn version_3_with_a_virtual_mac() {
    sends_as_captured("v3_vmac", router(150));
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

/// The routers of the captures with `auth_hmac`.
pub(super) fn signing() -> [(&'static str, Settings); 4] {
    let signed = |active| {
        let anti_replay = AntiReplay::Time { window: 5 };
        let (keys, mode) = (vec![key(1), key(2)], SignatureMode::Enforce);
        Auth::Signed(Box::new(Signatures { keys, active, anti_replay, mode }))
    };
    let peers = [2, 3].map(|last| IpAddr::from([10, 9, 0, last])).to_vec();
    let v3 = Settings { auth: signed(1), ..router(150) };
    [
        ("ka243_hmac_v2_mcast", Settings { auth: signed(1), ..v2() }),
        ("ka243_hmac_v3_mcast", Settings { addresses: two_addresses(), ..v3 }),
        ("ka243_hmac_v3_ipv6", Settings { auth: signed(1), ..ipv6() }),
        (
            "ka243_hmac_v3_unicast",
            Settings { auth: signed(2), destination: Destination::Unicast(peers), ..router(150) },
        ),
    ]
}

#[test]
fn signed_by_auth_hmac() {
    for (name, settings) in signing() {
        sends_as_captured(name, settings);
    }
}

#[test]
fn a_backup_believes_what_is_signed_in_the_captures_and_only_once() {
    for (name, settings) in signing() {
        // Of the captured copies to two peers it gets one.
        let packets = capture(name).into_iter().filter(|packet| packet[19] != 3).collect::<Vec<_>>();
        let peers = Destination::Unicast(vec![IpAddr::from([10, 9, 0, 1])]);
        let is_unicast = matches!(settings.destination, Destination::Unicast(_));
        let destination = if is_unicast { peers } else { settings.destination.clone() };
        let mut lan = Lan::started(Settings { preempt: false, destination, ..settings });
        for packet in &packets {
            lan.input(0, |instance, now| {
                instance.handle_clock(now, signed_at(packet));
                instance.handle_source(now, Source::Address(OTHER));
                instance.handle_packet(now, packet);
                instance.handle_packet(now, packet);
            });
        }
        let count = packets.len() as u64;
        assert!(count >= 3, "{name}");
        assert_eq!(lan.counted(Counter::AdvertReceived), count, "{name}");
        assert_eq!(lan.counted(Counter::SignatureReplay), count, "{name}");
        let signature = lan.status().signature.unwrap();
        assert_eq!(signature.key, Some(if name.ends_with("unicast") { 2 } else { 1 }), "{name}");
    }
}

/// A master whose tracker fails releases twice back to back, and again at its end; beside it an owner, who releases once.
#[test]
fn a_backup_takes_over_once_for_each_release_of_the_captured_masters() {
    let packets = capture("v2_fault_prio0");
    let of = |vrid: u8| packets.iter().filter(move |packet| packet[21] == vrid).collect::<Vec<_>>();
    let owned = Settings {
        vrid: Vrid::new(52).unwrap(),
        addresses: vec![IpAddr::from([10, 9, 0, 101])],
        ..Settings { priority: Priority(100), ..v2() }
    };
    for (settings, takeovers, releases) in
        [(Settings { priority: Priority(100), ..v2() }, 2, 3), (owned, 1, 1)]
    {
        let mut lan = Lan::started(Settings { preempt: false, ..settings });
        lan.input(0, |instance, now| instance.handle_source(now, Source::Address(OTHER)));
        let captured = of(lan.nodes[0].settings.vrid.value());
        for (place, packet) in captured.iter().enumerate() {
            // Those of a pair of releases left together; after one there is time to take over.
            let is_release = |packet: &[u8]| packet[22] == Priority::RELEASE.0;
            let follows = place.checked_sub(1).is_some_and(|last| is_release(captured[last]));
            let gap = if is_release(packet) && follows { 0.0 } else { 1.0 };
            let now = lan.now + Duration::from_secs_f64(gap);
            lan.run_until(now);
            lan.input(0, |instance, now| instance.handle_packet(now, packet));
        }
        let end = lan.now + Duration::from_secs(1);
        lan.run_until(end);
        assert_eq!(lan.counted(Counter::AdvertReceived), captured.len() as u64);
        assert_eq!(lan.counted(Counter::PriorityZeroReceived), releases);
        assert_eq!(lan.counted(Counter::BecomeMaster), takeovers, "{:#?}", lan.take_lines());
    }
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
        ("ka243_v3_ipv4", Settings { addresses: two_addresses(), ..router(150) }),
        ("v3_ipv4_250ms", router(150)),
        ("v3_vmac", router(150)),
        ("v3_unicast_oldcsum", with_old_checksum()),
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
