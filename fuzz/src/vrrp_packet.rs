//! A received VRRP packet of either family: the IP header, the message, and whether it may be believed.

use std::{net::IpAddr, time::Duration};

use steadfast::{
    config::{AntiReplay, SignatureMode, Signatures, SigningKey},
    units::{Family, Priority, Time, Version, Vrid},
    vrrp::{
        Addressee, Auth, Destination, Garp, Membership, OldChecksum, Peer, Policy, Settings,
        auth::{
            Guard,
            header::{self, AuthHeader},
            trailer::Trailer,
        },
        ip::Header,
        ipv4, ipv6, multicast_group,
        packet::{Advert, Coverage, View},
        validate::validate,
    },
};

/// The first byte chooses what the router expects, the rest is the packet.
pub fn check(input: &[u8]) {
    let Some((&choice, packet)) = input.split_first() else { return };
    let settings = settings(choice, packet);
    match validate(&settings, &mut Guard::new(&settings.auth), Time::from_secs(1), packet) {
        Ok(accepted) => {
            assert!(!accepted.interval.is_zero(), "an interval of zero is believed");
            let has_key = matches!(settings.auth, Auth::Header(_) | Auth::Signed(_));
            assert!(!has_key, "believed without the key");
            assert!(!accepted.source.is_unspecified() && !accepted.source.is_multicast());
        }
        Err(reject) => {
            assert!(!reject.to_string().is_empty());
            reject.counter();
        }
    }
    headers(packet);
    if let Some(bytes) = packet.last_chunk() {
        assert_eq!(Trailer::parse(bytes).bytes(), *bytes);
    }
    let Ok(header) = Header::parse(packet) else { return };
    assert!(header.length <= packet.len());
    message(header.family(), &packet[header.length..], header.source, header.destination);
}

/// A header that is read is written as one with the same fields.
fn headers(packet: &[u8]) {
    if let Ok((header, _)) = ipv4::Header::parse(packet) {
        let mut bytes = [0xa5; ipv4::HEADER_LEN];
        header.emit(&mut bytes);
        assert_eq!(ipv4::Header::parse(&bytes), Ok((header, ipv4::HEADER_LEN)));
    }
    if let Ok(header) = AuthHeader::parse(packet) {
        let mut bytes = [0xa5; header::LEN];
        header.emit(&mut bytes);
        assert_eq!(AuthHeader::parse(&bytes), Ok(header));
    }
    if let Ok(header) = ipv6::Header::parse(packet) {
        let mut bytes = [0xa5; ipv6::HEADER_LEN];
        header.emit(&mut bytes);
        assert_eq!(ipv6::Header::parse(&bytes), Ok(header));
    }
}

/// An advertisement that is read is written as one with the same fields and a checksum that holds.
fn message(family: Family, bytes: &[u8], source: IpAddr, destination: IpAddr) {
    if let Ok(view) = View::new(family, bytes) {
        view.checksum(source, destination);
        assert!(view.addresses().count() <= usize::from(view.count()));
    }
    let advert = match Advert::parse(family, bytes) {
        Ok(advert) => advert,
        Err(invalid) => return assert!(!invalid.to_string().is_empty()),
    };
    assert_eq!(advert.wire_len(), bytes.len());
    assert!(advert.to_string().starts_with("VRRPv"));
    let mut out = vec![0xa5; advert.wire_len()];
    advert.emit(source, destination, &mut out);
    assert_eq!(Advert::parse(family, &out).as_ref(), Ok(&advert));
    let checksum = View::new(family, &out).map(|view| view.checksum(source, destination));
    assert_eq!(checksum, Ok(Some(Coverage::Usual)), "its own checksum is wrong: {out:02x?}");
}

/// No authentication, or one kind of it.
fn auth(choice: u8, v3: bool) -> Auth {
    match choice & (2 | 16 | 32) {
        32 => {
            let keys = SigningKey::new(1, vec![7; 32].into()).into_iter().collect();
            let (anti_replay, mode) = (AntiReplay::Monotonic, SignatureMode::Enforce);
            Auth::Signed(Box::new(Signatures { keys, active: 1, anti_replay, mode }))
        }
        16 if !v3 => Auth::Header(*b"password"),
        2 if !v3 => Auth::Pass(*b"password"),
        _ => Auth::None,
    }
}

/// The words that decide what is believed.
fn policy(choice: u8, peer: IpAddr) -> Policy {
    Policy {
        check_unicast_src: choice & 1 != 0,
        peers: vec![Peer { address: peer, min_ttl: 64, max_ttl: 255 }],
        old_checksum: match multicast_group(Family::V4) {
            group if choice & 4 != 0 => OldChecksum::Detected(group),
            _ => OldChecksum::Never,
        },
        owner_ignore_adverts: choice & 64 != 0,
        skip_check_adv_addr: choice & 128 != 0,
        ..Policy::default()
    }
}

/// A router with the packet's virtual router id, so that most packets get past that check.
fn settings(choice: u8, packet: &[u8]) -> Settings {
    let vrid = Addressee::of(packet).and_then(|addressee| Vrid::new(addressee.vrid)).or(Vrid::new(51));
    let v3 = choice & 1 != 0;
    let (family, peer, address) = if choice & 8 == 0 {
        (Family::V4, IpAddr::from([192, 0, 2, 2]), IpAddr::from([192, 0, 2, 10]))
    } else {
        let host = |last| IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, last]);
        (Family::V6, host(2), host(10))
    };
    Settings {
        name: "VI_1".to_owned(),
        interface: "eth0".to_owned(),
        vrid: vrid.unwrap_or_else(|| unreachable!("51 is a virtual router id")),
        version: if v3 { Version::V3 } else { Version::V2 },
        priority: Priority(100),
        advert_interval: Duration::from_secs(1),
        start_as_master: false,
        preempt: true,
        preempt_delay: Duration::ZERO,
        auth: auth(choice, v3),
        addresses: vec![address],
        destination: if choice & 4 == 0 {
            Destination::Multicast(multicast_group(family))
        } else {
            Destination::Unicast(vec![peer])
        },
        source: None,
        track_source: false,
        garp: Garp::default(),
        down_timer_adverts: Settings::DEFAULT_DOWN_TIMER_ADVERTS,
        policy: policy(choice, peer),
        membership: Membership::Alone,
    }
}
