//! Packets that must not be believed: cut off, altered, mutated ten thousand times.

use super::*;
use crate::vrrp::testing::{capture, checksum};

/// Mutations in all, over all captures and both states.
const MUTATIONS: u32 = 10_000;

/// A small generator (xorshift), so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// What the machine must not change because of a packet that is not believed.
fn fingerprint(lan: &Lan) -> (InstanceStatus, Option<Time>) {
    (lan.status(), lan.nodes[0].instance.poll_timeout())
}

fn errors(lan: &Lan) -> Vec<Counter> {
    Counter::ALL
        .into_iter()
        .filter(|counter| !SENDING.contains(counter) && lan.counted(*counter) > 0)
        .collect()
}

/// Counters that a router moves on its own.
const SENDING: [Counter; 2] = [Counter::AdvertSent, Counter::BecomeMaster];

/// The settings of each captured router, so that its packets are the peer's, and both states. The address is
/// another one than any captured router's.
fn cases() -> Vec<(&'static str, Lan)> {
    let two = vec![VIP, IpAddr::from([10, 9, 0, 101])];
    let v2 = Settings { version: Version::V2, ..router(100) };
    let settings = [
        ("v2_noauth", Settings { addresses: two.clone(), ..v2.clone() }),
        ("v2_pass", Settings { auth: Auth::Pass(*b"s3cret99"), ..v2.clone() }),
        ("v3_ipv4", Settings { addresses: two, ..router(100) }),
        ("v3_ipv4_250ms", Settings { advert_interval: Duration::from_millis(250), ..router(100) }),
        ("frr_interop_v2", v2),
        ("frr_interop_v3", router(100)),
    ];
    let both = |(name, settings): (&'static str, Settings)| {
        [Lan::started(settings.clone()), Lan::master(settings)].map(|mut lan| {
            lan.input(0, |instance, now| {
                instance.handle_source(now, Source::Address([10, 9, 0, 200].into()))
            });
            (name, lan)
        })
    };
    settings.into_iter().flat_map(both).collect()
}

/// Says in its own way, from the offsets of the RFCs, whether `packet` is a good advertisement for `settings`, and
/// if it is not, which counter must move. It shares no code with the validation but the checksum's arithmetic.
fn oracle(settings: &Settings, packet: &[u8]) -> Result<(), Option<Counter>> {
    let Some(ip) = etherparse::Ipv4HeaderSlice::from_slice(packet).ok() else {
        return Err(None);
    };
    let message = &packet[ip.slice().len()..];
    if ip.protocol().0 != 112 || message.len() < 8 || message[1] != 51 {
        return Err(None);
    }
    let (version, kind) = (message[0] / 16, message[0] % 16);
    let wanted = 8 + 4 * usize::from(message[3]) + if version == 2 { 8 } else { 0 };
    let is_padding =
        |shorter: usize, longer: usize| longer > shorter && longer <= 46 && (longer - shorter) % 4 == 2;
    let total = usize::from(ip.total_len());
    let password = match settings.auth {
        Auth::Pass(password) => Some(password),
        _ => None,
    };
    let is_v2 = settings.version == Version::V2;
    let auth_type = u8::from(password.is_some());
    let length = u16::try_from(wanted).unwrap().to_be_bytes();
    let pseudo = [ip.source().as_slice(), &ip.destination(), &[0, 112], &length].concat();
    let rules: [(bool, Counter); 10] = [
        (
            message.len() == wanted || is_padding(ip.slice().len() + wanted, packet.len()),
            Counter::PacketLengthError,
        ),
        (ip.ttl() == 255, Counter::TtlError),
        (version == settings.version.number(), Counter::VersionError),
        (!is_v2 || message[4] < 3, Counter::InvalidAuthType),
        (!is_v2 || message[4] == auth_type, Counter::AuthTypeMismatch),
        (
            password.is_none_or(|password| message.get(wanted - 8..wanted) == Some(&password[..])),
            Counter::AuthFailure,
        ),
        (!is_v2 || message[5] == 1, Counter::AdvertIntervalError),
        (kind == 1, Counter::InvalidType),
        (total == packet.len() || is_padding(total, packet.len()), Counter::PacketLengthError),
        (is_v2 || message[4] & 0x0f != 0 || message[5] != 0, Counter::AdvertIntervalError),
    ];
    if let Some((_, counter)) = rules.into_iter().find(|(holds, _)| !holds) {
        return Err(Some(counter));
    }
    let body = &message[..wanted];
    let is_right = checksum(body) == 0 || !is_v2 && checksum(&[&pseudo, body].concat()) == 0;
    if !is_right {
        return Err(Some(Counter::ChecksumError));
    }
    if !ip.destination_addr().is_multicast() {
        return Err(Some(Counter::AddressListError));
    }
    let no_router = matches!(ip.source(), [127 | 224..=239, ..] | [0, 0, 0, 0] | [255, 255, 255, 255]);
    if no_router { Err(None) } else { Ok(()) }
}

#[test]
fn every_truncation_is_rejected_without_a_trace_in_the_machine() {
    for (name, mut lan) in cases() {
        let packet = capture(name).swap_remove(0);
        for length in 0..packet.len() {
            let before = fingerprint(&lan);
            let counted = lan.counted(Counter::PacketLengthError);
            lan.input(0, |instance, now| instance.handle_packet(now, &packet[..length]));
            assert_eq!(fingerprint(&lan), before, "{name} cut to {length}");
            let expected = u64::from(length >= HEADER_LEN + 8);
            assert_eq!(lan.counted(Counter::PacketLengthError), counted + expected, "{name} cut to {length}");
        }
        assert_eq!(errors(&lan), [Counter::PacketLengthError], "{name}");
    }
}

#[test]
fn an_absurd_count_of_addresses_is_a_wrong_length() {
    for (name, mut lan) in cases() {
        let mut packet = capture(name).swap_remove(0);
        packet[HEADER_LEN + 3] = 255;
        let before = fingerprint(&lan);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!((fingerprint(&lan), errors(&lan)), (before, vec![Counter::PacketLengthError]), "{name}");
    }
}

#[test]
fn no_better_router_is_believed_with_a_tail_behind_its_message() {
    for tail in [14, 18, 402] {
        let mut lan = Lan::master(router(100));
        let mut packet = advert_of(&router(200), OTHER, 200);
        let length = packet.len() + tail;
        packet.resize(length, 0xa5);
        packet[2..4].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        let believed = length <= 46;
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        assert_eq!(lan.state(0), if believed { State::Backup } else { State::Master }, "{tail} bytes");
        assert_eq!(lan.counted(Counter::PacketLengthError), u64::from(!believed), "{tail} bytes");
    }
}

#[test]
fn no_better_router_is_believed_that_has_the_address_of_no_router() {
    let mut lan = Lan::master(router(100));
    for source in [[0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 18], [255, 255, 255, 255]].map(IpAddr::from) {
        lan.hear_from(source, 200);
        lan.hear_from(source, 200);
        assert_eq!(
            lan.take_lines(),
            [format!(
                "10.000 warning: (VI) packet from {source} rejected: its source is no address of a router"
            )]
        );
    }
    assert_eq!(lan.state(0), State::Master);
    assert_eq!(errors(&lan), [], "neither received nor an error");
}

#[test]
fn ten_thousand_mutations_of_the_captures_move_the_right_counter_and_nothing_else() {
    let mut random = Random(0x5eed_0112);
    let (mut good, mut bad) = (0, 0);
    for mutation in 0..MUTATIONS {
        let mut cases = cases();
        let (name, mut lan) = cases.swap_remove(random.below(cases.len()));
        let mut packets = capture(name);
        let captured = packets.swap_remove(random.below(packets.len()));
        let packet = mutate(&mut random, &captured);
        let before = fingerprint(&lan);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
        match oracle(&lan.nodes[0].settings, &packet) {
            Ok(()) => {
                good += 1;
                assert_eq!(
                    lan.counted(Counter::AdvertReceived),
                    1,
                    "{name}, mutation {mutation}: {packet:02x?}"
                );
            }
            Err(counter) => {
                bad += 1;
                let expected: Vec<Counter> = counter.into_iter().collect();
                assert_eq!(errors(&lan), expected, "{name}, mutation {mutation}: {packet:02x?}");
                assert_eq!(fingerprint(&lan), before, "{name}, mutation {mutation}: {packet:02x?}");
            }
        }
    }
    assert!(good > 100 && bad > 8000, "{good} good, {bad} bad");
}

/// One to four changes: a byte, a bit, a cut, bytes behind; now and then with the checksum made right again, so
/// that the checks behind it are reached.
fn mutate(random: &mut Random, packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(packet.len().max(1));
        match random.below(8) {
            0 => packet.truncate(at),
            1 => packet.extend((0..random.below(20)).map(|byte| u8::try_from(byte).unwrap())),
            2..=4 if !packet.is_empty() => packet[at] ^= 1 << random.below(8),
            _ if !packet.is_empty() => packet[at] = u8::try_from(random.below(256)).unwrap(),
            _ => {}
        }
    }
    let end = packet.len() & !1;
    if random.below(3) == 0 && end >= HEADER_LEN + 8 {
        packet[HEADER_LEN + 6..HEADER_LEN + 8].fill(0);
        let sum = checksum(&packet[HEADER_LEN..end]);
        packet[HEADER_LEN + 6..HEADER_LEN + 8].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}
