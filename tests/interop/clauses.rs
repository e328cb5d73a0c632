//! Clauses of RFC 9568 that only a host can show: who answers for the virtual addresses, and what advertisements leave
//! from while a host holds them (docs/rfc9568.md).

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use lab::{Capture, Host, Lan, Result, State, wait};

use crate::world::{SOON, Setup, V3, VI, VIP, is_keepalived, ours, side_by_side};

/// A family, by what a client asks for, and what those two routers configure for it.
#[derive(Debug)]
struct Case {
    /// Where the client finds the virtual address.
    service: &'static str,
    client: &'static str,
    vips: &'static [&'static str],
    /// Place and value of what tells an answer of ARP, or to a neighbour solicitation, from the rest of the frames.
    answer: &'static [(usize, u8)],
    /// A router advertisement, which nobody sends.
    router_advertisement: &'static [(usize, u8)],
    source: std::ops::Range<usize>,
}

const CASES: [Case; 2] = [
    Case {
        service: "10.9.0.100:9",
        client: "10.9.0.3/24",
        vips: &["10.9.0.100/24"],
        answer: &[(12, 8), (13, 6), (21, 2), (28, 10), (31, 100)],
        router_advertisement: &[(12, 8), (13, 0), (23, 1), (34, 9)],
        source: 26..30,
    },
    Case {
        service: "[2001:db8:9::100]:9",
        client: "2001:db8:9::3/64",
        vips: &["fe80::51/64", "2001:db8:9::100/64"],
        // The flag of a solicited one.
        answer: &[(12, 0x86), (20, 58), (54, 136), (58, 0x60)],
        router_advertisement: &[(12, 0x86), (20, 58), (54, 134)],
        source: 22..38,
    },
];

impl Case {
    fn setup(&self, setup: Setup) -> Setup {
        Setup { vips: self.vips.iter().map(ToString::to_string).collect(), ..setup }
    }
}

fn fits(bytes: &[u8], pattern: &[(usize, u8)]) -> bool {
    pattern.iter().all(|(place, value)| bytes.get(*place) == Some(value))
}

/// Who sent frames like that: the MACs.
fn senders(capture: &Capture, pattern: &[(usize, u8)]) -> BTreeSet<Vec<u8>> {
    let packets = capture.packets().unwrap_or_default();
    let wanted = packets.iter().filter(|packet| fits(&packet.bytes, pattern));
    wanted.map(|packet| packet.bytes[6..12].to_vec()).collect()
}

/// Whether whoever has the virtual address says that nothing listens on its port 9.
fn is_answered(client: &Host, case: &Case) -> bool {
    let service: SocketAddr = case.service.parse().expect("an address with a port");
    let ask = || {
        let any = if service.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(Duration::from_millis(500)))?;
        socket.connect(service)?;
        socket.send(b"?")?;
        socket.recv(&mut [0])
    };
    let answer = client.inside(ask);
    matches!(answer, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused)
}

/// The MACs that frames show the virtual address with, as their sender or in what they say (RFC 826, RFC 4861 §4.4).
fn shown(capture: &Capture, case: &Case) -> BTreeSet<String> {
    let service: SocketAddr = case.service.parse().expect("an address with a port");
    let mut found = BTreeSet::new();
    for packet in capture.packets().unwrap_or_default() {
        let bytes = &packet.bytes;
        let (address, said) = match service.ip() {
            IpAddr::V4(address) if fits(bytes, &[(12, 8), (13, 6)]) => (address.octets().to_vec(), 22..28),
            IpAddr::V6(address) if fits(bytes, &[(12, 0x86), (20, 58), (54, 136)]) => {
                (address.octets().to_vec(), 80..86)
            }
            _ => continue,
        };
        let at = if service.is_ipv4() { 28 } else { 62 };
        if bytes.get(at..at + address.len()) == Some(&address[..]) {
            let macs = [bytes.get(6..12), bytes.get(said)];
            let text =
                |mac: &[u8]| mac.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
            found.extend(macs.into_iter().flatten().map(text));
        }
    }
    found
}

/// Two routers, and a client with the case's address.
fn lan_with_client(case: &Case) -> Result<Lan> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .host("client", "vc0", "10.9.0.4/24")
        .build()?;
    lan["client"].run(&["ip", "addr", "replace", case.client, "dev", "vc0"])?;
    Ok(lan)
}

/// Has the client ask whose the address is, and use it. What was announced it forgets, or it would have no reason to.
fn ask(client: &Host, capture: &Capture, case: &Case) {
    let asked = || {
        let forgets = client.run(&["ip", "neigh", "flush", "dev", "vc0"]).is_ok();
        forgets && is_answered(client, case) && !senders(capture, case.answer).is_empty()
    };
    wait::until_true("an answer", SOON, asked).expect("somebody has the address");
}

#[test]
fn only_the_master_answers_for_the_virtual_addresses() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let (alpha, beta, client) = (&lan["alpha"], &lan["beta"], &lan["client"]);
        let capture = Capture::start(client, "vc0", "arp or icmp6 or icmp")?;
        let master = case.setup(V3.alpha(150)).start_until(&ours(), alpha, State::Master)?;
        let backup = case.setup(V3.beta(100)).start_until(&ours(), beta, State::Backup)?;
        let mac = |host, port| BTreeSet::from([vec![2, 0, 0, 0, host, port]]);
        ask(client, &capture, case);
        assert_eq!(senders(&capture, case.answer), mac(0x0a, 1), "who answered while alpha was master");
        capture.stop()?;
        master.stop()?;
        backup.wait_entering(VI, State::Master, SOON)?;
        let capture = Capture::start(client, "vc0", "arp or icmp6 or icmp")?;
        ask(client, &capture, case);
        assert_eq!(senders(&capture, case.answer), mac(0x0b, 2), "who answered while beta was master");
        assert_eq!(senders(&capture, case.router_advertisement), BTreeSet::new());
        backup.stop()?;
        wait::until_true("silence", SOON, || !is_answered(client, case))?;
        Ok(())
    });
}

/// RFC 9568 §8.1.2 (8.1.2-1, 8.1.2-3, 8.1.2-6), §8.2.2 (8.2.2-1, 8.2.2-5, 8.2.2-8): an owner, a router that is none, and
/// the owner after its restart.
#[test]
fn with_a_link_of_its_own_an_address_is_shown_with_the_virtual_mac_alone() {
    if is_keepalived("it asks for its neighbours from its physical MAC, with the virtual address as its own")
    {
        return;
    }
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let (alpha, beta, client) = (&lan["alpha"], &lan["beta"], &lan["client"]);
        let capture = Capture::start(client, "vc0", "arp or icmp6")?;
        let owner = case.setup(V3.alpha(255)).line("use_vmac");
        let master = owner.start_until(&ours(), alpha, State::Master)?;
        let other = case.setup(V3.beta(100)).line("use_vmac").start_until(&ours(), beta, State::Backup)?;
        ask(client, &capture, case);
        master.stop()?;
        other.wait_entering(VI, State::Master, SOON)?;
        ask(client, &capture, case);
        let mark = other.mark();
        let master = owner.start_until(&ours(), alpha, State::Master)?;
        other.wait_entering_since(mark, VI, State::Backup, SOON)?;
        ask(client, &capture, case);
        master.stop()?;
        other.stop()?;
        let family = if case.service.starts_with('[') { 2 } else { 1 };
        assert_eq!(shown(&capture, case), BTreeSet::from([format!("00:00:5e:00:0{family}:33")]));
        Ok(())
    });
}

#[test]
fn a_master_advertises_from_its_own_address_while_it_holds_virtual_ones() {
    side_by_side(&CASES, |case| {
        let lan = Lan::pair()?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112 or ip6 proto 112")?;
        let router = case.setup(V3.alpha(150)).start_until(&ours(), &lan["alpha"], State::Master)?;
        if !case.service.starts_with('[') {
            lan.wait_holder(VIP, "alpha", SOON)?;
        }
        let count = capture.packets()?.len();
        wait::until_true("two more", SOON, || capture.packets().is_ok_and(|all| all.len() >= count + 2))?;
        router.stop()?;
        let packets = capture.stop()?;
        let sources: BTreeSet<_> =
            packets.iter().map(|packet| packet.bytes[case.source.clone()].to_vec()).collect();
        assert_eq!(sources.len(), 1, "{sources:?}");
        let source = sources.first().map(Vec::as_slice).unwrap_or_default();
        assert!(source == [10, 9, 0, 1] || source.starts_with(&[0xfe, 0x80]), "{source:?}");
        assert!(!source.ends_with(&[0, 0x51]), "the virtual address");
        Ok(())
    });
}
