//! Clauses of RFC 9568 that only a host can show (docs/rfc9568.md): who answers for the virtual addresses and takes packets
//! to them, and what advertisements leave from while a host holds them. What is of virtual MACs is in `virtual_mac`.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use lab::{Capture, Host, Lan, Result, State, wait};

use crate::world::{SOON, Setup, V3, VI, VIP, ours, side_by_side};

/// A family, by what a client asks for, and what those two routers configure for it.
#[derive(Debug)]
pub(crate) struct Case {
    /// Where the client finds the virtual address.
    pub(crate) service: &'static str,
    pub(crate) client: &'static str,
    vips: &'static [&'static str],
    /// Place and value of what tells a question for the virtual address from the rest of the frames.
    pub(crate) question: &'static [(usize, u8)],
    /// And what does an answer of ARP, or to a neighbour solicitation.
    pub(crate) answer: &'static [(usize, u8)],
    /// A router advertisement, which nobody sends.
    pub(crate) router_advertisement: &'static [(usize, u8)],
    source: std::ops::Range<usize>,
}

pub(crate) const CASES: [Case; 2] = [
    Case {
        service: "10.9.0.100:9",
        client: "10.9.0.3/24",
        vips: &["10.9.0.100/24"],
        question: &[(12, 8), (13, 6), (21, 1), (38, 10), (41, 100)],
        answer: &[(12, 8), (13, 6), (21, 2), (28, 10), (31, 100)],
        router_advertisement: &[(12, 8), (13, 0), (23, 1), (34, 9)],
        source: 26..30,
    },
    Case {
        service: "[2001:db8:9::100]:9",
        client: "2001:db8:9::3/64",
        vips: &["fe80::51/64", "2001:db8:9::100/64"],
        question: &[(12, 0x86), (20, 58), (54, 135), (62, 0x20), (76, 1), (77, 0)],
        // The flag of a solicited one.
        answer: &[(12, 0x86), (20, 58), (54, 136), (58, 0x60)],
        router_advertisement: &[(12, 0x86), (20, 58), (54, 134)],
        source: 22..38,
    },
];

impl Case {
    pub(crate) fn setup(&self, setup: Setup) -> Setup {
        Setup { vips: self.vips.iter().map(ToString::to_string).collect(), ..setup }
    }

    pub(crate) fn is_ipv6(&self) -> bool {
        self.service.starts_with('[')
    }

    /// The virtual address.
    pub(crate) fn address(&self) -> String {
        let service: SocketAddr = self.service.parse().expect("an address with a port");
        service.ip().to_string()
    }
}

pub(crate) fn fits(bytes: &[u8], pattern: &[(usize, u8)]) -> bool {
    pattern.iter().all(|(place, value)| bytes.get(*place) == Some(value))
}

/// Who sent frames like that: the MACs.
pub(crate) fn senders(capture: &Capture, pattern: &[(usize, u8)]) -> BTreeSet<Vec<u8>> {
    let packets = capture.packets().unwrap_or_default();
    let wanted = packets.iter().filter(|packet| fits(&packet.bytes, pattern));
    wanted.map(|packet| packet.bytes[6..12].to_vec()).collect()
}

/// The MAC of a host of the lab, as its only sender.
pub(crate) fn mac(host: u8, port: u8) -> BTreeSet<Vec<u8>> {
    BTreeSet::from([vec![2, 0, 0, 0, host, port]])
}

/// Whether whoever has an address says that nothing listens on its port 9.
pub(crate) fn is_answered(client: &Host, service: &str) -> bool {
    let service: SocketAddr = service.parse().expect("an address with a port");
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

/// Two routers, and a client with the case's address.
pub(crate) fn lan_with_client(case: &Case) -> Result<Lan> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .host("client", "vc0", "10.9.0.4/24")
        .build()?;
    lan["client"].run(&["ip", "addr", "replace", case.client, "dev", "vc0"])?;
    lan.hosts().iter().try_for_each(answer_always)?;
    Ok(lan)
}

/// By default a host tells another once a second at most that nothing listens on a port.
pub(crate) fn answer_always(host: &Host) -> Result<()> {
    host.run(&["sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]).map(drop)
}

/// Has the client ask whose the address is, and use it. What was announced it forgets, or it would have no reason to.
pub(crate) fn ask(client: &Host, capture: &Capture, case: &Case) {
    let asked = || {
        let forgets = client.run(&["ip", "neigh", "flush", "dev", "vc0"]).is_ok();
        forgets && is_answered(client, case.service) && !senders(capture, case.answer).is_empty()
    };
    wait::until_true("an answer", SOON, asked).expect("somebody has the address");
}

/// What says who has an address, and who takes packets to it.
fn answers(client: &Host) -> Result<Capture> {
    Capture::start(client, "vc0", "arp or icmp6 or icmp")
}

/// Whether a host is in the group where an address is asked for (RFC 4291 §2.7.1).
fn is_in_solicited_node_group(host: &Host, interface: &str) -> bool {
    let groups = host.run(&["ip", "-6", "maddr", "show", "dev", interface]).unwrap_or_default();
    groups.contains("ff02::1:ff00:100")
}

/// RFC 9568 §6.4.2 (6.4.2-1, 6.4.2-2, 6.4.2-5).
#[test]
fn a_backup_answers_nobody_though_there_is_no_master() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let client = &lan["client"];
        let capture = answers(client)?;
        // It waits for two minutes.
        let patient = Setup { advert_int: "40".into(), ..case.setup(V3.alpha(100)) };
        let router = patient.start_until(&ours(), &lan["alpha"], State::Backup)?;
        let asked = || {
            client.run(&["ip", "neigh", "flush", "dev", "vc0"]).is_ok()
                && !is_answered(client, case.service)
                && !senders(&capture, case.question).is_empty()
        };
        assert!((0..3).all(|_| asked()), "three questions, no answer");
        assert_eq!(senders(&capture, case.answer), BTreeSet::new());
        assert!(!is_in_solicited_node_group(&lan["alpha"], "va0"));
        assert_eq!(router.entries(VI, State::Master), 0);
        router.stop().map(drop)
    });
}

/// RFC 9568 §6.4.2 (6.4.2-1, 6.4.2-2, 6.4.2-5): its silence was that of a BACKUP.
#[test]
fn a_backup_that_takes_over_answers_from_then_on() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let client = &lan["client"];
        let master = case.setup(V3.alpha(150)).start_until(&ours(), &lan["alpha"], State::Master)?;
        let backup = case.setup(V3.beta(100)).start_until(&ours(), &lan["beta"], State::Backup)?;
        master.stop()?;
        backup.wait_entering(VI, State::Master, SOON)?;
        let capture = answers(client)?;
        ask(client, &capture, case);
        assert_eq!(senders(&capture, case.answer), mac(0x0b, 2), "who answers");
        backup.stop()?;
        wait::until_true("silence", SOON, || !is_answered(client, case.service))
    });
}

/// RFC 9568 §6.4.3 (6.4.3-1, 6.4.3-2, 6.4.3-6).
#[test]
fn the_master_answers_and_accepts_alone() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let (alpha, beta, client) = (&lan["alpha"], &lan["beta"], &lan["client"]);
        let capture = answers(client)?;
        let _master = case.setup(V3.alpha(150)).start_until(&ours(), alpha, State::Master)?;
        let _backup = case.setup(V3.beta(100)).start_until(&ours(), beta, State::Backup)?;
        ask(client, &capture, case);
        assert_eq!(senders(&capture, case.answer), mac(0x0a, 1), "who answers");
        if case.is_ipv6() {
            let are_in =
                [(alpha, "va0"), (beta, "vb0")].map(|(host, port)| is_in_solicited_node_group(host, port));
            assert_eq!(are_in, [true, false]);
        }
        assert_eq!(senders(&capture, case.router_advertisement), BTreeSet::new());
        Ok(())
    });
}

/// RFC 9568 §6.4.3 (6.4.3-1, 6.4.3-2, 6.4.3-6): not even where a client goes on sending to it.
#[test]
fn who_gives_way_answers_no_more() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let (alpha, client) = (&lan["alpha"], &lan["client"]);
        let worse = case.setup(V3.alpha(100)).start_until(&ours(), alpha, State::Master)?;
        let mark = worse.mark();
        let _better = case.setup(V3.beta(150)).start_until(&ours(), &lan["beta"], State::Master)?;
        worse.wait_entering_since(mark, VI, State::Backup, SOON)?;
        let address = case.address();
        wait::until_true("an end of the address", SOON, || !alpha.has_address(&address))?;
        let capture = answers(client)?;
        ask(client, &capture, case);
        assert_eq!(senders(&capture, case.answer), mac(0x0b, 2), "who answers");
        assert!(!is_in_solicited_node_group(alpha, "va0"));
        let known = ["ip", "neigh", "replace", &address, "lladdr", "02:00:00:00:0a:01", "dev", "vc0"];
        client.run(&[&known[..], &["nud", "permanent"]].concat())?;
        assert!(!(0..3).any(|_| is_answered(client, case.service)), "it takes what is for the other one");
        Ok(())
    });
}

#[test]
fn a_master_advertises_from_its_own_address_while_it_holds_virtual_ones() {
    side_by_side(&CASES, |case| {
        let lan = Lan::pair()?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112 or ip6 proto 112")?;
        let router = case.setup(V3.alpha(150)).start_until(&ours(), &lan["alpha"], State::Master)?;
        if !case.is_ipv6() {
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
