//! What somebody without the key can do to a router that asks for one: nothing. And what clocks have to do with it.

use super::{captures::signing, *};
use crate::{
    units::Utc,
    vrrp::testing::{capture, signed_at},
};

/// The routers of the captures with a key, as BACKUP and as MASTER that has sent once, at the time of a packet, and that packet.
fn cases() -> Vec<(&'static str, Lan, Vec<u8>)> {
    let header = Settings { version: Version::V2, auth: Auth::Header(*b"s3cret99"), ..router(150) };
    let both = |(name, settings): (&'static str, Settings)| {
        let packet = capture(name).swap_remove(2);
        let sender = Header::parse(&packet).unwrap().source;
        let destination = match settings.destination {
            Destination::Unicast(_) => Destination::Unicast(vec![sender]),
            group => group,
        };
        // Better than the captured router, so that the one packet that is believed takes no mastership.
        let settings = Settings { destination, priority: Priority(200), ..settings };
        let source = match sender {
            IpAddr::V4(_) => IpAddr::from([10, 9, 0, 200]),
            IpAddr::V6(_) => "fe80::200".parse().unwrap(),
        };
        [0.0, 4.0].map(|until| {
            let mut lan = Lan::new([settings.clone()]);
            lan.input(0, |instance, now| instance.handle_source(now, Source::Address(source)));
            lan.start(0);
            lan.run_until(at(until));
            if matches!(settings.auth, Auth::Signed(_)) {
                lan.input(0, |instance, now| instance.handle_clock(now, signed_at(&packet)));
            }
            (name, lan, packet.clone())
        })
    };
    signing().into_iter().chain([("v2_ah", header)]).flat_map(both).collect()
}

fn fingerprint(lan: &Lan) -> (InstanceStatus, Option<Time>) {
    (lan.status(), lan.nodes[0].instance.poll_timeout())
}

fn hear(lan: &mut Lan, packet: &[u8]) {
    lan.input(0, |instance, now| instance.handle_packet(now, packet));
}

#[test]
fn no_bit_of_an_authentic_packet_can_be_another_and_no_byte_missing() {
    for (name, mut lan, packet) in cases() {
        let before = fingerprint(&lan);
        let ip = if packet[0] >> 4 == 4 { 20 } else { 40 };
        for bit in ip * 8..packet.len() * 8 {
            let mut altered = packet.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            hear(&mut lan, &altered);
            assert_eq!(fingerprint(&lan), before, "{name}, byte {}", bit / 8);
        }
        for length in 0..packet.len() {
            hear(&mut lan, &packet[..length]);
            assert_eq!(fingerprint(&lan), before, "{name} cut to {length}");
        }
        assert_eq!(lan.counted(Counter::AdvertReceived), 0, "{name}");
        hear(&mut lan, &packet);
        assert_eq!(lan.counted(Counter::AdvertReceived), 1, "{name}: the packet itself is believed");
        hear(&mut lan, &packet);
        assert_eq!(lan.counted(Counter::AdvertReceived), 1, "{name}: once");
    }
}

#[test]
fn ten_thousand_forgeries_are_told_in_a_few_lines_and_answered_by_nothing() {
    for (name, mut lan, packet) in cases() {
        lan.take_lines();
        let last = packet.len() - 1;
        for number in 0..10_000_u32 {
            let mut forged = packet.clone();
            forged[last] ^= u8::try_from(1 + number % 255).unwrap();
            hear(&mut lan, &forged);
        }
        let lines = lan.take_lines();
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        assert!(lines[0].contains("rejected"), "{lines:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_a_little_costs_no_mastership() {
    let [_, (_, signed), ..] = signing();
    let named =
        |name: &str, priority| Settings { name: name.into(), priority: Priority(priority), ..signed.clone() };
    let mut lan = Lan::new([named("A", 150), named("B", 100)]);
    let utc = |seconds: u64| Utc(Duration::from_secs(1_800_000_000 + seconds));
    for node in 0..2 {
        lan.input(node, |instance, now| instance.handle_clock(now, utc(100)));
        lan.start(node);
    }
    lan.run_until(at(10.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Backup));
    lan.input(0, |instance, now| instance.handle_clock(now, utc(110 - 4)));
    lan.run_until(at(60.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Backup));
    assert_eq!(lan.nodes[1].counters.value(Counter::SignatureReplay), 0);
    let told =
        lan.lines.iter().filter(|line| line.contains("the clock of 10.9.0.1 is 3 s behind ours")).count();
    assert_eq!(told, 1, "{:?}", lan.lines);

    // Too far: nobody believes it any more, and it is said why.
    lan.input(0, |instance, now| instance.handle_clock(now, utc(160 - 60)));
    lan.run_until(at(70.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Master));
    assert!(lan.nodes[1].counters.value(Counter::SignatureStale) >= 3);
    lan.input(0, |instance, now| instance.handle_clock(now, utc(170)));
    lan.run_until(at(75.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Backup));
}
