//! A received VRRP packet: the IPv4 header, the message, and whether it may be believed.

use std::{net::Ipv4Addr, time::Duration};

use steadfast::{
    units::{Priority, Version, Vrid},
    vrrp::{
        Auth, Destination, Garp, MULTICAST_GROUP, Settings,
        ipv4::{self, Header},
        packet::{Advert, Coverage, View},
        validate::validate,
    },
};

/// The first byte chooses what the router expects, the rest is the packet.
pub fn check(input: &[u8]) {
    let Some((&choice, packet)) = input.split_first() else { return };
    let settings = settings(choice, packet);
    match validate(&settings, packet) {
        Ok(accepted) => {
            assert!(!accepted.interval.is_zero(), "an interval of zero is believed");
            assert!(!accepted.source.is_unspecified() && !accepted.source.is_multicast());
        }
        Err(reject) => {
            assert!(!reject.to_string().is_empty());
            reject.counter();
        }
    }
    let Ok((header, length)) = Header::parse(packet) else { return };
    assert!((ipv4::HEADER_LEN..=packet.len()).contains(&length));
    let mut bytes = [0xa5; ipv4::HEADER_LEN];
    header.emit(&mut bytes);
    assert_eq!(Header::parse(&bytes), Ok((header, ipv4::HEADER_LEN)));
    message(&packet[length..], header.source, header.destination);
}

/// Whatever is read as an advertisement is written as one of the same bytes, but for its reserved bits and checksum.
fn message(bytes: &[u8], source: Ipv4Addr, destination: Ipv4Addr) {
    if let Ok(view) = View::new(bytes) {
        view.checksum(source, destination);
        assert!(view.addresses().count() <= usize::from(view.count()));
    }
    let advert = match Advert::parse(bytes) {
        Ok(advert) => advert,
        Err(invalid) => return assert!(!invalid.to_string().is_empty()),
    };
    assert_eq!(advert.wire_len(), bytes.len());
    assert!(advert.to_string().starts_with("VRRPv"));
    let mut out = vec![0xa5; advert.wire_len()];
    advert.emit(source, destination, &mut out);
    assert_eq!(Advert::parse(&out).as_ref(), Ok(&advert));
    let checksum = View::new(&out).map(|view| view.checksum(source, destination));
    assert_eq!(checksum, Ok(Some(Coverage::Usual)), "its own checksum is wrong: {out:02x?}");
}

/// A router with the packet's virtual router id, so that most packets get past that check.
fn settings(choice: u8, packet: &[u8]) -> Settings {
    let vrid = packet.get(ipv4::HEADER_LEN + 1).copied().and_then(Vrid::new).or(Vrid::new(51));
    let v3 = choice & 1 != 0;
    let peer = Ipv4Addr::new(192, 0, 2, 2);
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
        auth: if choice & 2 != 0 && !v3 { Auth::Pass(*b"password") } else { Auth::None },
        addresses: vec![Ipv4Addr::new(192, 0, 2, 10)],
        destination: if choice & 4 == 0 {
            Destination::Multicast(MULTICAST_GROUP)
        } else {
            Destination::Unicast(vec![peer])
        },
        source: None,
        garp: Garp::default(),
        down_timer_adverts: Settings::DEFAULT_DOWN_TIMER_ADVERTS,
    }
}
