//! IPv6: packets whose headers the kernel takes apart, neighbour advertisements, addresses with and without duplicate
//! address detection.

use std::{
    io::{ErrorKind, Read as _},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use steadfast::{
    kernel::{
        Added, Address, AddressInfo, AnnounceSocket, Detection, Event, Events, Inbox, ReceiveBuffer,
        VrrpSocket, Watch, error::describe, nd, raw::Outgoing,
    },
    units::Family,
};

use crate::{Peer, address, event, in_namespace, index, ip, is_up, requests, until};

const GROUP: &str = "ff02::12";
const HERE: &str = "fe80::a";
const THERE: &str = "fe80::b";

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// Two hosts with link-local addresses that may be used at once.
async fn pair() -> Peer {
    let peer = Peer::new().await;
    ip(&format!("-6 addr add {HERE}/64 dev a nodad"));
    peer.there(|| ip(&format!("-6 addr add {THERE}/64 dev b nodad")));
    peer
}

/// A whole IPv6 packet of protocol 112.
fn packet(to: &str, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x6c, 0, 0, 0];
    packet.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    packet.extend([112, hop_limit]);
    packet.extend(v6(HERE).octets());
    packet.extend(v6(to).octets());
    packet.extend(payload);
    packet
}

/// What `socket` receives next.
async fn received(socket: &VrrpSocket) -> Vec<u8> {
    let mut inbox = Inbox::new(2048);
    socket.recv(&mut inbox).await.unwrap().to_vec()
}

/// The packet as the other side has it: only class and flow label are lost.
fn without_class(mut packet: Vec<u8>) -> Vec<u8> {
    packet[0] = 0x60;
    packet
}

#[test]
fn packets_arrive_with_the_header_they_were_sent_with() {
    in_namespace(|| async {
        let peer = pair().await;
        let here = VrrpSocket::open("a", index("a"), Family::V6).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V6).unwrap());
        there.join(v6(GROUP).into()).unwrap();
        let send = |to: &str, hop_limit, payload: &[u8]| {
            here.send(&packet(to, hop_limit, payload), v6(to).into()).unwrap();
        };
        send("ff02::99", 255, b"nobody there");
        send(GROUP, 255, b"multicast");
        send(GROUP, 254, b"from afar");
        send(THERE, 64, b"unicast");
        assert_eq!(received(&there).await, without_class(packet(GROUP, 255, b"multicast")));
        assert_eq!(received(&there).await, without_class(packet(GROUP, 254, b"from afar")));
        assert_eq!(received(&there).await, without_class(packet(THERE, 64, b"unicast")));
        let nothing_left = there.try_recv(&mut Inbox::new(64)).unwrap_err();
        assert_eq!(nothing_left.kind(), ErrorKind::WouldBlock);
        // Nor does a sender hear itself.
        here.join(v6(GROUP).into()).unwrap();
        send(GROUP, 255, b"echo");
        assert_eq!(here.try_recv(&mut Inbox::new(64)).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_batch_leaves_in_order_and_only_what_is_refused_stays_behind() {
    in_namespace(|| async {
        let peer = pair().await;
        let here = VrrpSocket::open("a", index("a"), Family::V6).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V6).unwrap());
        peer.there(|| there.join(v6(GROUP).into())).unwrap();
        let packets: Vec<_> = (0..100_u8).map(|number| packet(GROUP, 255, &[number; 24])).collect();
        let (too_long, to_peer) = (packet(GROUP, 255, &[0; 1500]), packet(THERE, 64, b"unicast"));
        let mut batch: Vec<_> =
            packets.iter().map(|packet| Outgoing { packet, destination: v6(GROUP).into() }).collect();
        batch.insert(70, Outgoing { packet: &too_long, destination: v6(GROUP).into() });
        batch.push(Outgoing { packet: &to_peer, destination: v6(THERE).into() });
        let mut refused = Vec::new();
        here.send_many(&batch, |position, error| refused.push((position, describe(&error))));
        assert_eq!(refused, [(70, "EMSGSIZE: Message too long".to_owned())]);
        for packet in packets.into_iter().chain([to_peer]) {
            assert_eq!(received(&there).await, without_class(packet));
        }
    });
}

#[test]
fn an_interface_that_is_down_refuses_and_is_used_again_when_it_is_up() {
    in_namespace(|| async {
        let peer = pair().await;
        let here = VrrpSocket::open("a", index("a"), Family::V6).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V6).unwrap());
        there.join(v6(GROUP).into()).unwrap();
        ip("link set dev a down");
        let refused = here.send(&packet(GROUP, 255, b"down"), v6(GROUP).into()).unwrap_err();
        assert_eq!(describe(&refused), "ENETUNREACH: Network is unreachable");
        ip("link set dev a up");
        until(|| is_up("a")).await;
        // The kernel may take a moment to have its routes for multicast back.
        until(|| here.send(&packet(GROUP, 255, b"up"), v6(GROUP).into()).is_ok()).await;
        assert_eq!(received(&there).await[40..], *b"up");
    });
}

#[test]
fn a_neighbour_advertisement_arrives_as_it_was_built_and_is_believed() {
    in_namespace(|| async {
        let peer = pair().await;
        let ipv6 = i32::from(0x86dd_u16.to_be());
        let capture = peer.there(|| {
            let protocol = Some(socket2::Protocol::from(ipv6));
            socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, protocol).unwrap()
        });
        capture.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mac = [0x02, 0, 0, 0, 0x0a, 0x01];
        let vip = v6("2001:db8:9::100");
        peer.there(|| ip("neigh add 2001:db8:9::100 lladdr 02:00:00:00:99:99 dev b nud stale"));
        AnnounceSocket::open().unwrap().announce(index("a"), mac, vip.into(), false).unwrap();
        let expected = nd::advertisement_frame(mac, vip, false);
        let mut frame = [0xa5; 128];
        // The kernels talk to each other too.
        while frame[..expected.len()] != expected {
            let _ = (&capture).read(&mut frame).expect("the frame arrives within ten seconds");
        }
        until(|| peer.there(|| ip("-6 neigh show dev b")).contains("02:00:00:00:0a:01")).await;
    });
}

#[test]
fn a_router_is_who_forwards_on_the_interface() {
    in_namespace(|| async {
        ip("link add name a.1 type veth peer name b");
        assert!(!nd::is_router("a.1"));
        std::fs::write("/proc/sys/net/ipv6/conf/a.1/forwarding", "1").unwrap();
        assert!(nd::is_router("a.1") && !nd::is_router("b"));
    });
}

/// The IPv6 addresses of an interface as `ip` shows them, but for the kernel's own.
fn shown(interface: &str) -> Vec<String> {
    let shown = ip(&format!("-o -6 addr show dev {interface}"));
    let address = |line: &str| {
        let line = line.split("inet6 ").nth(1).unwrap_or_default();
        line.split('\\').next().unwrap_or_default().trim().to_owned()
    };
    let mut shown: Vec<_> = shown.lines().map(address).filter(|line| line.starts_with("2001:")).collect();
    shown.sort();
    shown
}

#[test]
fn an_address_is_added_as_configured_and_only_that_is_removed() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let a = index("a");
        let (requests, _connection) = requests();
        let plain = Address { nodad: true, ..address(a, v6("2001:db8::1"), 64) };
        let host =
            Address { preferred: Some(0), ..Address { nodad: true, ..address(a, v6("2001:db8::2"), 128) } };
        let checked = address(a, v6("2001:db8::3"), 64);
        for address in [&plain, &host, &checked] {
            assert_eq!(requests.add_address(address).await, Ok(Added::New));
            assert_eq!(requests.add_address(address).await, Ok(Added::AlreadyThere));
        }
        // What keepalived leaves behind for the same lines.
        let expected = [
            "2001:db8::1/64 scope global nodad",
            "2001:db8::2/128 scope global deprecated nodad",
            "2001:db8::3/64 scope global tentative",
        ];
        let words = |line: &String| {
            let mut words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words
        };
        let shown_words: Vec<_> = shown("a").iter().map(words).collect();
        assert_eq!(shown_words, expected.map(str::to_owned).iter().map(words).collect::<Vec<_>>());

        // IPv6 knows an address once per interface, whatever its prefix length is.
        let longer = Address { prefix: 128, ..plain.clone() };
        assert_eq!(requests.add_address(&longer).await, Ok(Added::AlreadyThere));
        assert_eq!(requests.remove_address(&longer).await, Ok(()));
        assert_eq!(shown("a").len(), 3);
        for address in [&plain, &host, &checked, &plain] {
            assert_eq!(requests.remove_address(address).await, Ok(()));
        }
        assert_eq!(shown("a"), [] as [&str; 0]);
    });
}

/// How detection of `wanted` ends: every event about it until it is no longer tentative.
async fn detected(events: &mut Events, wanted: Ipv6Addr) -> Vec<Detection> {
    let mut seen = Vec::new();
    loop {
        let about = |event| match event {
            Event::AddressAdded(AddressInfo { address, detection, .. }) if address == IpAddr::V6(wanted) => {
                Some(detection)
            }
            _ => None,
        };
        let detection = event(events, about).await;
        seen.push(detection);
        if detection != Detection::Tentative {
            return seen;
        }
    }
}

#[test]
fn duplicate_address_detection_is_heard_to_its_end() {
    in_namespace(|| async {
        let peer = pair().await;
        let mut events = Events::open(Watch::default(), ReceiveBuffer::default()).unwrap();
        ip("-6 addr add 2001:db8::1/64 dev a");
        let free = detected(&mut events, v6("2001:db8::1")).await;
        assert_eq!((free.first(), free.last()), (Some(&Detection::Tentative), Some(&Detection::Passed)));
        peer.there(|| ip("-6 addr add 2001:db8::2/64 dev b nodad"));
        ip("-6 addr add 2001:db8::2/64 dev a");
        assert_eq!(detected(&mut events, v6("2001:db8::2")).await.last(), Some(&Detection::Duplicate));
    });
}

#[test]
fn a_group_is_heard_again_when_ipv6_was_off_and_is_joined_anew() {
    in_namespace(|| async {
        let peer = pair().await;
        let here = VrrpSocket::open("a", index("a"), Family::V6).unwrap();
        let there = peer.there(|| VrrpSocket::open("b", index("b"), Family::V6).unwrap());
        there.join(v6(GROUP).into()).unwrap();
        // A link that cannot carry 1280 bytes has no IPv6 (RFC 8200 §5), and forgets its groups.
        peer.there(|| {
            ip("link set dev b mtu 1000");
            ip("link set dev b mtu 1500");
        });
        here.send(&packet(GROUP, 255, b"lost"), v6(GROUP).into()).unwrap();
        assert_eq!(there.try_recv(&mut Inbox::new(64)).unwrap_err().kind(), ErrorKind::WouldBlock);
        there.join_again(v6(GROUP).into()).unwrap();
        here.send(&packet(GROUP, 255, b"heard"), v6(GROUP).into()).unwrap();
        assert_eq!(received(&there).await[40..], *b"heard");
    });
}
