//! What the tests of this room share: checksums by hand, packets of routers, and the captures.

use std::{fs, net::IpAddr, path::Path, time::Duration};

pub(crate) use crate::checksum::plain as checksum;

use super::{
    Auth, Destination, Garp, Membership, Settings,
    auth::{
        Guard,
        trailer::{Sequence, Trailer},
    },
    ip::Header,
    ipv4, multicast_group,
    transmit::Transmitter,
};
use crate::{
    config::SigningKey,
    units::{Family, Priority, Time, Utc, Version, Vrid},
};

/// A router called `VI` for 10.9.0.100, version 3, priority 100, interval 1 s.
pub(crate) fn settings() -> Settings {
    Settings {
        name: "VI".into(),
        interface: "eth0".into(),
        vrid: Vrid::new(51).unwrap(),
        version: Version::V3,
        priority: Priority(100),
        advert_interval: Duration::from_secs(1),
        start_as_master: false,
        preempt: true,
        preempt_delay: Duration::ZERO,
        auth: Auth::None,
        addresses: vec![[10, 9, 0, 100].into()],
        destination: Destination::Multicast(multicast_group(Family::V4)),
        source: None,
        track_source: false,
        garp: Garp::default(),
        down_timer_adverts: Settings::DEFAULT_DOWN_TIMER_ADVERTS,
        membership: Membership::Alone,
        policy: super::Policy::default(),
    }
}

/// What a router with `settings` at `source` sends in its first advertisement: the first copy.
pub(crate) fn advert_of(settings: &Settings, source: IpAddr, priority: u8) -> Vec<u8> {
    let mut guard = Guard::new(&settings.auth);
    let copies = Transmitter::new(settings).advert(&mut guard, Time::default(), source, Priority(priority));
    copies.into_iter().next().unwrap().packet
}

/// The keys of the captures.
pub(crate) fn key(id: u8) -> SigningKey {
    let secret = match id {
        1 => (0..32).collect(),
        _ => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef".to_vec(),
    };
    SigningKey::new(id, secret.into()).unwrap()
}

/// When a packet was signed.
pub(crate) fn signed_at(packet: &[u8]) -> Utc {
    let trailer = Trailer::parse(packet.last_chunk().unwrap());
    let Sequence(sequence) = trailer.sequence;
    // A little more than the fraction, which was rounded down.
    let nanos = (sequence >> 16 & 0xffff) * 1_000_000_000 / 65_536 + 1;
    Utc(Duration::from_secs(sequence >> 32) + Duration::from_nanos(nanos))
}

/// Fills in what the kernel does: the checksum of an IPv4 header without options.
pub(crate) fn with_header_checksum(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if packet[0] >> 4 == 6 {
        return packet;
    }
    packet[10..12].fill(0);
    let sum = checksum(&packet[..ipv4::HEADER_LEN]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The IP packets of protocol 112 in `tests/corpus/pcap/NAME.pcap`, in order.
pub(crate) fn capture(name: &str) -> Vec<Vec<u8>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/pcap").join(name).with_extension("pcap");
    let file = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let packets: Vec<_> = frames(&file).into_iter().filter_map(vrrp_packet).collect();
    assert!(!packets.is_empty(), "{} has no VRRP", path.display());
    packets
}

/// The frames of a little-endian pcap file with microseconds, the only kind in the corpus.
fn frames(file: &[u8]) -> Vec<&[u8]> {
    assert_eq!(file[..4], [0xd4, 0xc3, 0xb2, 0xa1], "little-endian pcap");
    let mut rest = &file[24..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let captured = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        frames.push(&rest[16..16 + captured]);
        rest = &rest[16 + captured..];
    }
    frames
}

/// The IP packet in an Ethernet frame, without padding, when it is VRRP. The flow label of IPv6, which the sender's
/// kernel chose, is cleared.
fn vrrp_packet(frame: &[u8]) -> Option<Vec<u8>> {
    if ![[0x08, 0x00], [0x86, 0xdd]].contains(frame[12..14].as_array()?) {
        return None;
    }
    let header = Header::parse(&frame[14..]).ok()?;
    let mut packet = frame[14..14 + header.total_length].to_vec();
    if header.family() == Family::V6 {
        packet[1] &= 0xf0;
        packet[2..4].fill(0);
    }
    Some(packet)
}
