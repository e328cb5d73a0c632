//! Packets and announcements over IPv4.

use std::{
    io::{ErrorKind, Read as _},
    net::Ipv4Addr,
    time::Duration,
};

use steadfast::{
    kernel::{AnnounceSocket, Inbox, VrrpSocket, arp, error::describe, raw::Outgoing},
    units::Family,
};

use crate::{Peer, in_namespace, index, ip, is_up, until};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// A whole IPv4 packet of protocol 112; the kernel fills in the header checksum.
fn packet(from: Ipv4Addr, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0xc0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 1, 0, 0, 255, 112, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(payload);
    packet
}

const HERE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

/// The next packet's payload; its IPv4 header must be the sender's.
async fn payload(socket: &VrrpSocket, to: Ipv4Addr) -> Vec<u8> {
    let mut inbox = Inbox::new(2048);
    let packet = socket.recv(&mut inbox).await.unwrap();
    let (header, _) = etherparse::Ipv4Header::from_slice(packet).unwrap();
    assert_eq!((header.source, header.destination), (HERE.octets(), to.octets()));
    assert_eq!((header.time_to_live, header.identification, header.protocol.0), (255, 1, 112));
    assert_eq!((packet[1], header.header_checksum), (0xc0, header.calc_header_checksum()));
    packet[20..].to_vec()
}

#[test]
fn packets_reach_groups_that_are_joined_and_unicast_peers() {
    in_namespace(|| async {
        let peer = Peer::new().await;
        let here = VrrpSocket::open("a", index("a"), Family::V4).unwrap();
        let there = peer.there(|| {
            let socket = VrrpSocket::open("b", index("b"), Family::V4).unwrap();
            socket.join(GROUP.into()).unwrap();
            // Another program's membership must not make us hear its group.
            std::net::UdpSocket::bind("0.0.0.0:0").map(|other| {
                other.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 99), &THERE).unwrap();
                (socket, other)
            })
        });
        let (there, _other) = there.unwrap();
        let stranger = Ipv4Addr::new(224, 0, 0, 99);
        here.send(&packet(HERE, stranger, b"not for us"), stranger.into()).unwrap();
        here.send(&packet(HERE, GROUP, b"multicast"), GROUP.into()).unwrap();
        here.send(&packet(HERE, THERE, b"unicast"), THERE.into()).unwrap();
        assert_eq!(payload(&there, GROUP).await, b"multicast");
        assert_eq!(payload(&there, THERE).await, b"unicast");

        let nothing_left = there.try_recv(&mut Inbox::new(64)).unwrap_err();
        assert_eq!(nothing_left.kind(), ErrorKind::WouldBlock);
        // Nor does a sender hear itself.
        here.join(GROUP.into()).unwrap();
        here.send(&packet(HERE, GROUP, b"echo"), GROUP.into()).unwrap();
        assert_eq!(here.try_recv(&mut Inbox::new(64)).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_batch_leaves_in_order_and_only_what_is_refused_stays_behind() {
    in_namespace(|| async {
        let peer = Peer::new().await;
        let here = VrrpSocket::open("a", index("a"), Family::V4).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V4).unwrap());
        peer.there(|| there.join(GROUP.into())).unwrap();
        let to_group: Vec<_> = (0..150_u8).map(|number| packet(HERE, GROUP, &[number; 20])).collect();
        let to_peer = packet(HERE, THERE, b"unicast");
        let too_long = packet(HERE, GROUP, &[0; 1500]);
        let mut batch: Vec<_> =
            to_group.iter().map(|packet| Outgoing { packet, destination: GROUP.into() }).collect();
        batch.insert(70, Outgoing { packet: &too_long, destination: GROUP.into() });
        batch.insert(100, Outgoing { packet: &to_peer, destination: THERE.into() });
        let mut refused = Vec::new();
        here.send_many(&batch, |position, error| refused.push((position, describe(&error))));
        assert_eq!(refused, [(70, "EMSGSIZE: Message too long".to_owned())]);
        for number in 0..150_u8 {
            if number == 99 {
                assert_eq!(payload(&there, THERE).await, b"unicast");
            }
            assert_eq!(payload(&there, GROUP).await, [number; 20]);
        }
    });
}

#[test]
fn an_interface_that_is_down_or_gone_refuses_by_name() {
    in_namespace(|| async {
        let peer = Peer::new().await;
        let here = VrrpSocket::open("a", index("a"), Family::V4).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V4).unwrap());
        there.join(GROUP.into()).unwrap();
        let (announcer, a) = (AnnounceSocket::open().unwrap(), index("a"));
        ip("link set dev a down");
        let refused = here.send(&packet(HERE, GROUP, b"down"), GROUP.into()).unwrap_err();
        assert_eq!(describe(&refused), "ENETUNREACH: Network is unreachable");
        let refused = announcer.announce(a, [2, 0, 0, 0, 0, 1], HERE.into(), false).unwrap_err();
        assert_eq!(describe(&refused), "ENETDOWN: Network is down");
        ip("link set dev a up");
        until(|| is_up("a")).await;
        here.send(&packet(HERE, GROUP, b"up"), GROUP.into()).unwrap();
        assert_eq!(payload(&there, GROUP).await, b"up");
        announcer.announce(a, [2, 0, 0, 0, 0, 1], HERE.into(), false).unwrap();
        // The receiver's interface may come and go as well.
        peer.there(|| ip("link set dev b down"));
        peer.there(|| ip("link set dev b up"));
        until(|| {
            here.send(&packet(HERE, GROUP, b"again"), GROUP.into()).unwrap();
            there.try_recv(&mut Inbox::new(64)).is_ok()
        })
        .await;
        ip("link del dev a");
        let refused = here.send(&packet(HERE, GROUP, b"gone"), GROUP.into()).unwrap_err();
        assert_eq!(describe(&refused), "ENODEV: No such device");
        let refused = announcer.announce(a, [2, 0, 0, 0, 0, 1], HERE.into(), false).unwrap_err();
        assert_eq!(describe(&refused), "ENXIO: No such device or address");
    });
}

#[test]
fn a_gratuitous_arp_arrives_as_it_was_built() {
    in_namespace(|| async {
        let peer = Peer::new().await;
        let arp_protocol = i32::from(0x0806_u16.to_be());
        let capture = peer.there(|| {
            let protocol = Some(socket2::Protocol::from(arp_protocol));
            socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, protocol).unwrap()
        });
        capture.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mac = [0x02, 0, 0, 0, 0x0a, 0x01];
        let vip = Ipv4Addr::new(10, 9, 0, 100);
        AnnounceSocket::open().unwrap().announce(index("a"), mac, vip.into(), false).unwrap();
        let mut frame = [0xa5; 128];
        let length = (&capture).read(&mut frame).expect("the frame arrives within ten seconds");
        assert_eq!(frame[..length], arp::gratuitous_frame(mac, vip));
    });
}

#[test]
fn authentication_headers_are_heard_when_vrrp_is_behind_them() {
    in_namespace(|| async {
        let peer = Peer::new().await;
        let here = VrrpSocket::open("a", index("a"), Family::V4).unwrap();
        let (there, plain) = peer.there(|| {
            let authenticated = VrrpSocket::open_authenticated("b", index("b")).unwrap();
            let plain = VrrpSocket::open("b", index("b"), Family::V4).unwrap();
            authenticated.join(GROUP.into()).unwrap();
            plain.join(GROUP.into()).unwrap();
            (authenticated, plain)
        });
        let behind = |next: u8, what: &[u8]| {
            let mut packet = packet(HERE, GROUP, &[&[next, 4, 0, 0], what].concat());
            packet[9] = 51;
            packet
        };
        here.send(&behind(6, b"not for us"), GROUP.into()).unwrap();
        here.send(&behind(112, b"for us"), GROUP.into()).unwrap();
        let mut inbox = Inbox::new(2048);
        let heard = there.recv(&mut inbox).await.unwrap();
        assert_eq!((heard[9], &heard[24..]), (51, &b"for us"[..]));
        for socket in [&there, &plain] {
            let nothing_left = socket.try_recv(&mut Inbox::new(64)).unwrap_err();
            assert_eq!(nothing_left.kind(), ErrorKind::WouldBlock);
        }
    });
}
