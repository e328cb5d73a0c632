//! The codec against golden bytes, the captures and chance.

use proptest::prelude::*;

use super::*;
use crate::vrrp::{ip::Header, testing::capture};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

const V2: [u8; 20] = [
    0x21, 0x33, 0x96, 0x01, 0x01, 0x01, 0xc8, 0x09, 10, 9, 0, 100, b's', b'3', b'c', b'r', b'e', b't', b'9',
    b'9',
];
const V3: [u8; 16] = [0x31, 0x33, 0x96, 0x02, 0x00, 0x64, 0x38, 0xee, 10, 9, 0, 100, 10, 9, 0, 101];

fn v2() -> Advert {
    Advert {
        family: Family::V4,
        vrid: Vrid::new(51).unwrap(),
        priority: Priority(150),
        addresses: vec![IpAddr::from([10, 9, 0, 100])],
        body: Body::V2 { interval: 1, auth_type: AuthType::Password, auth_data: *b"s3cret99" },
    }
}

fn v3() -> Advert {
    Advert {
        family: Family::V4,
        vrid: Vrid::new(51).unwrap(),
        priority: Priority(150),
        addresses: vec![IpAddr::from([10, 9, 0, 100]), IpAddr::from([10, 9, 0, 101])],
        body: Body::V3 { interval: Centiseconds::from_field(100) },
    }
}

fn emitted(advert: &Advert, destination: IpAddr) -> Vec<u8> {
    let mut out = vec![0xa5; advert.wire_len()];
    advert.emit(SOURCE, destination, &mut out);
    out
}

#[test]
fn deconstruct_v2() {
    let view = View::new(Family::V4, &V2).unwrap();
    assert_eq!((view.version(), view.message_type(), view.vrid()), (2, 1, 51));
    assert_eq!((view.priority(), view.count()), (Priority(150), 1));
    assert_eq!((view.auth_type(), view.interval_seconds()), (AuthType::Password, 1));
    assert_eq!(view.addresses().collect::<Vec<_>>(), [IpAddr::from([10, 9, 0, 100])]);
    assert_eq!(view.auth_data(), Some(b"s3cret99"));
    assert_eq!(view.expected_len(), V2.len());
    assert_eq!(view.checksum(SOURCE, GROUP), Some(Coverage::Usual));
}

#[test]
fn construct_v2() {
    assert_eq!(v2().wire_len(), V2.len());
    assert_eq!(
        v2().to_string(),
        "VRRPv2, Advertisement, vrid 51, prio 150, authtype simple, intvl 1s, length 20, addrs: 10.9.0.100"
    );
}

#[test]
fn parse_v2() {
    assert_eq!(Advert::parse(Family::V4, &V2), Ok(v2()));
}

#[test]
fn emit_v2() {
    assert_eq!(emitted(&v2(), GROUP), V2);
}

#[test]
fn deconstruct_v3() {
    let view = View::new(Family::V4, &V3).unwrap();
    assert_eq!((view.version(), view.message_type(), view.vrid()), (3, 1, 51));
    assert_eq!((view.priority(), view.count()), (Priority(150), 2));
    assert_eq!(view.max_interval().duration(), Duration::from_secs(1));
    assert_eq!(view.addresses().count(), 2);
    assert_eq!(view.auth_data(), None);
    assert_eq!(view.expected_len(), V3.len());
    assert_eq!(view.checksum(SOURCE, GROUP), Some(Coverage::Usual));
    assert_eq!(view.checksum(SOURCE, SOURCE), None, "the destination is covered");
}

#[test]
fn construct_v3() {
    assert_eq!(v3().wire_len(), V3.len());
    assert_eq!(
        v3().to_string(),
        "VRRPv3, Advertisement, vrid 51, prio 150, intvl 100cs, length 16, addrs(2): 10.9.0.100,10.9.0.101"
    );
}

#[test]
fn parse_v3() {
    assert_eq!(Advert::parse(Family::V4, &V3), Ok(v3()));
}

#[test]
fn emit_v3() {
    assert_eq!(emitted(&v3(), GROUP), V3);
}

#[test]
fn each_unicast_copy_has_its_own_checksum() {
    let mut advert = v3();
    advert.addresses.truncate(1);
    let copy = emitted(&advert, IpAddr::from([10, 9, 0, 2]));
    assert_eq!(copy, [0x31, 0x33, 0x96, 0x01, 0x00, 0x64, 0x19, 0x69, 10, 9, 0, 100]);
}

#[test]
fn the_captures_parse_and_come_out_again_byte_by_byte() {
    let mut packets = 0;
    for name in [
        "v2_noauth",
        "v2_pass",
        "v2_unicast",
        "v3_ipv4",
        "v3_ipv4_250ms",
        "v3_vmac",
        "v3_unicast",
        "kk_v3_equal_prio",
        "frr_interop_v2",
        "frr_interop_v3",
        "v3_ipv6",
        "v2_ipv6",
        "v3_unicast6",
        "frr_interop_v3_ipv6",
    ] {
        for packet in capture(name) {
            let header = Header::parse(&packet).unwrap();
            let message = &packet[header.length..];
            let advert = Advert::parse(header.family(), message).unwrap();
            let view = View::new(header.family(), message).unwrap();
            assert_eq!(view.checksum(header.source, header.destination), Some(Coverage::Usual), "{name}");
            let mut out = vec![0xa5; advert.wire_len()];
            advert.emit(header.source, header.destination, &mut out);
            assert_eq!(out, message, "{name}: {advert}");
            packets += 1;
        }
    }
    assert!(packets > 80, "{packets} packets");
}

#[test]
fn the_message_only_checksum_is_told_apart() {
    for packet in capture("ka243_v3_csum_as_v2") {
        let header = Header::parse(&packet).unwrap();
        let view = View::new(Family::V4, &packet[header.length..]).unwrap();
        assert_eq!(view.checksum(header.source, header.destination), Some(Coverage::MessageOnly));
    }
}

#[test]
fn a_broken_message_names_the_field() {
    let with = |at: usize, byte| {
        let mut bytes = V3;
        bytes[at] = byte;
        Advert::parse(Family::V4, &bytes)
    };
    assert_eq!(Advert::parse(Family::V4, &V3[..7]), Err(InvalidAdvert::Truncated(7)));
    assert_eq!(Advert::parse(Family::V4, &V3[..15]), Err(InvalidAdvert::Length { expected: 16, found: 15 }));
    assert_eq!(Advert::parse(Family::V4, &V2[..19]), Err(InvalidAdvert::Length { expected: 20, found: 19 }));
    assert_eq!(with(0, 0x41), Err(InvalidAdvert::Version(4)));
    assert_eq!(with(0, 0x32), Err(InvalidAdvert::Type(2)));
    assert_eq!(with(1, 0), Err(InvalidAdvert::Vrid));
    assert_eq!(with(3, 255), Err(InvalidAdvert::Length { expected: 8 + 255 * 4, found: 16 }));
}

#[test]
fn reserved_bits_are_not_looked_at() {
    // RFC 9568 §5.2.6 (5.2.6-1).
    let mut bytes = V3;
    bytes[4] |= 0xf0;
    assert_eq!(Advert::parse(Family::V4, &bytes), Ok(v3()));
}

#[test]
fn an_unknown_authentication_type_survives_the_round_trip() {
    let mut advert = v2();
    advert.body = Body::V2 { interval: 1, auth_type: AuthType::Unknown(7), auth_data: [0; 8] };
    assert_eq!(Advert::parse(Family::V4, &emitted(&advert, GROUP)), Ok(advert));
}

#[test]
fn the_password_is_never_printed() {
    assert!(!format!("{:?} {}", v2(), v2()).contains("s3cret"));
}

proptest! {
    #[test]
    fn whatever_is_emitted_parses_to_the_same(
        vrid in 1..=255u8,
        priority: u8,
        count in 0..=MAX_ADDRESSES,
        octets: [u8; 16],
        is_v6: bool,
        field in 0..=0x0fffu16,
        auth_data: [u8; 8],
        is_v3: bool,
    ) {
        let body = if is_v3 {
            Body::V3 { interval: Centiseconds::from_field(field) }
        } else {
            Body::V2 { interval: 1, auth_type: AuthType::Password, auth_data }
        };
        let [a, b, c, d, ..] = octets;
        let (family, address) =
            if is_v6 { (Family::V6, octets.into()) } else { (Family::V4, [a, b, c, d].into()) };
        let body = match body {
            Body::V2 { interval, auth_type, .. } if is_v6 => Body::V2 { interval, auth_type, auth_data: [0; 8] },
            body => body,
        };
        let (vrid, priority) = (Vrid::new(vrid).unwrap(), Priority(priority));
        let advert = Advert { family, vrid, priority, addresses: vec![address; count], body };
        let bytes = emitted(&advert, GROUP);
        prop_assert_eq!(View::new(family, &bytes).unwrap().checksum(SOURCE, GROUP), Some(Coverage::Usual));
        prop_assert_eq!(Advert::parse(family, &bytes), Ok(advert));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for family in [Family::V4, Family::V6] {
            if let Ok(view) = View::new(family, &bytes) {
                let _ = view.checksum(SOURCE, GROUP);
                let _ = (view.addresses().count(), view.auth_data());
            }
            if let Ok(advert) = Advert::parse(family, &bytes) {
                prop_assert_eq!(advert.wire_len(), bytes.len());
            }
        }
    }
}
