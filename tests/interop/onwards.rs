//! Clauses of RFC 9568 about what goes on to another link (docs/rfc9568.md): packets to the virtual MAC where the host
//! forwards, advertisements never.

use std::collections::BTreeSet;

use lab::frame::icmpv6;
use lab::lan::Join;
use lab::{Capture, Host, Injector, Lan, Result, State, wait};

use crate::clauses::{CASES, Case, answer_always, fits, is_answered, lan_with_client, mac, senders};
use crate::world::{SOON, Setup, V3, VI, ours, side_by_side};

/// How a host is on the far link, by family.
const FAR: [[&str; 4]; 2] = [
    ["10.8.0.1/24", "10.8.0.2/24", "10.8.0.9/24", "10.8.0.9:9"],
    ["2001:db8:8::1/64", "2001:db8:8::2/64", "2001:db8:8::9/64", "[2001:db8:8::9]:9"],
];

/// Two routers that forward between the usual link and one where a host is that the client reaches by the virtual address.
struct Transit {
    lan: Lan,
    /// Port 9 of the host on the far link.
    service: &'static str,
}

impl Transit {
    fn build(case: &Case) -> Result<Self> {
        let [alpha, beta, far, service] = FAR[usize::from(case.is_ipv6())];
        let mut lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("client", "vc0", "10.9.0.3/24")
            .host("far", "unused", "")
            .build()?;
        lan.add_segment(Join::Bridge, &[("alpha", "wa0", ""), ("beta", "wb0", ""), ("far", "wf0", "")])?;
        let gateway = alpha.split('/').next().unwrap_or_default();
        for (host, address, interface) in
            [("alpha", alpha, "wa0"), ("beta", beta, "wb0"), ("far", far, "wf0")]
        {
            lan[host].run(&["ip", "addr", "add", address, "dev", interface])?;
        }
        for (host, own, interface) in [("alpha", "1", "va0"), ("beta", "2", "vb0"), ("client", "3", "vc0")] {
            lan[host].add_address(&format!("2001:db8:9::{own}/64"), interface)?;
        }
        for host in ["alpha", "beta"] {
            lan[host].run(&["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])?;
        }
        answer_always(&lan["far"])?;
        lan["far"].run(&["ip", "route", "add", "default", "via", gateway])?;
        let there = far.replace("9/", "0/").replace("::0/", "::/");
        lan["client"].run(&["ip", "route", "add", &there, "via", &case.address()])?;
        Ok(Self { lan, service })
    }

    fn client(&self) -> &Host {
        &self.lan["client"]
    }

    /// Whether the client reaches the host on the far link.
    fn passes(&self) -> bool {
        is_answered(self.client(), self.service)
    }

    /// Waits until the client's packets come to that link from this MAC alone.
    fn wait_carrier(&self, case: &Case, carrier: &BTreeSet<Vec<u8>>) -> Result<()> {
        // UDP, and not what is quoted in an answer.
        let asked = if case.is_ipv6() { [(12, 0x86), (20, 17)] } else { [(12, 8), (23, 17)] };
        wait::until("the way of the packets", SOON, || {
            let capture = Capture::start(&self.lan["far"], "wf0", "udp port 9").map_err(|e| e.to_string())?;
            let passes = (0..3).all(|_| self.passes());
            let carriers = senders(&capture, &asked);
            if passes && carriers == *carrier { Ok(()) } else { Err(format!("{passes} {carriers:02x?}")) }
        })
    }
}

/// The router of a case with a link of its own.
fn with_vmac(case: &Case, setup: Setup) -> Setup {
    case.setup(setup).line("use_vmac")
}

/// RFC 9568 §6.4.3 (6.4.3-5).
#[test]
fn a_master_routes_what_is_sent_to_the_virtual_mac() {
    side_by_side(&CASES, |case| {
        let transit = Transit::build(case)?;
        let lan = &transit.lan;
        let near = Capture::start(transit.client(), "vc0", "udp port 9")?;
        let _master = with_vmac(case, V3.alpha(150)).start_until(&ours(), &lan["alpha"], State::Master)?;
        transit.wait_carrier(case, &mac(0x0a, 0x11))?;
        let to_the_virtual_mac = |bytes: &[u8]| bytes.starts_with(&[0, 0, 0x5e, 0]);
        assert!(near.packets()?.iter().all(|packet| to_the_virtual_mac(&packet.bytes)));
        Ok(())
    });
}

/// RFC 9568 §6.4.3 (6.4.3-5): the switch brings it to whoever is MASTER now, and only that one routes it.
#[test]
fn who_has_given_way_routes_it_no_more() {
    side_by_side(&CASES, |case| {
        let transit = Transit::build(case)?;
        let lan = &transit.lan;
        let worse = with_vmac(case, V3.alpha(100)).start_until(&ours(), &lan["alpha"], State::Master)?;
        transit.wait_carrier(case, &mac(0x0a, 0x11))?;
        let mark = worse.mark();
        let _better = with_vmac(case, V3.beta(150)).start_until(&ours(), &lan["beta"], State::Master)?;
        worse.wait_entering_since(mark, VI, State::Backup, SOON)?;
        transit.wait_carrier(case, &mac(0x0b, 0x12))
    });
}

/// RFC 9568 §5.1.1.2 (5.1.1.2-1), §5.1.2.2 (5.1.2.2-1): with as many hops to go as there are.
#[test]
fn no_advertisement_is_routed_to_another_link() {
    side_by_side(&CASES, |case| {
        let transit = Transit::build(case)?;
        let lan = &transit.lan;
        let adverts = "ip proto 112 or ip6 proto 112";
        let (near, far) = (
            Capture::start(transit.client(), "vc0", adverts)?,
            Capture::start(&lan["far"], "wf0", &format!("{adverts} or udp port 9"))?,
        );
        let _better = case.setup(V3.alpha(150)).start_until(&ours(), &lan["alpha"], State::Master)?;
        // Heard by the router on alpha, which forwards everything else.
        let _other = Setup { vrid: 52, ..case.setup(V3.beta(100)) }.start_until(
            &ours(),
            &lan["beta"],
            State::Master,
        )?;
        let sent = near.wait_vrrp("advertisements of both", SOON, |seen| {
            [51, 52].iter().all(|vrid| seen.iter().filter(|advert| advert.vrid() == *vrid).count() > 2)
        })?;
        assert!(sent.iter().all(|advert| advert.ip[if case.is_ipv6() { 7 } else { 8 }] == 255));
        let is_routed = || !far.packets().unwrap_or_default().is_empty();
        wait::until_true("a way to the far link", SOON, || transit.passes() && is_routed())?;
        assert_eq!(far.vrrp()?.len(), 0);
        Ok(())
    });
}

/// Who sends router advertisements, asked for them or not, while there is a BACKUP that forwards.
fn advertise_routes(is_asked: bool) -> Result<BTreeSet<Vec<u8>>> {
    let [_, case] = &CASES;
    let lan = lan_with_client(case)?;
    let (alpha, client) = (&lan["alpha"], &lan["client"]);
    alpha.run(&["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"])?;
    let _other = case.setup(V3.beta(100)).start_until(&ours(), &lan["beta"], State::Master)?;
    let router = case.setup(V3.alpha(50)).start_until(&ours(), alpha, State::Backup)?;
    let capture = Capture::start(client, "vc0", "ip6")?;
    let mut question = vec![133, 0, 0, 0, 0, 0, 0, 0];
    let mac = client.mac("vc0")?;
    question.extend([[1, 1].as_slice(), mac.as_slice()].concat());
    let injector = Injector::open(client, "vc0")?;
    // Whoever answers does so within half a second (RFC 4861 §6.2.6), in which there are more advertisements of VRRP.
    for rounds in 1..=4 {
        if is_asked {
            let from = "fe80::ff:fe00:c03".parse().expect("an address");
            injector.send(&icmpv6(mac, from, 2, question.clone()))?;
        }
        let is_vrrp = |bytes: &[u8]| fits(bytes, &[(12, 0x86), (20, 112)]);
        wait::until_true("advertisements", SOON, || {
            let packets = capture.packets().unwrap_or_default();
            packets.iter().filter(|packet| is_vrrp(&packet.bytes)).count() > 4 * rounds
        })?;
    }
    assert_eq!(router.entries(VI, State::Master), 0, "{}", router.log());
    Ok(senders(&capture, case.router_advertisement))
}

/// RFC 9568 §6.4.2 (6.4.2-3).
#[test]
fn a_backup_sends_no_router_advertisement() -> Result<()> {
    assert_eq!(advertise_routes(false)?, BTreeSet::new());
    Ok(())
}

/// RFC 9568 §6.4.2 (6.4.2-3).
#[test]
fn asked_for_routers_a_backup_that_forwards_says_nothing() -> Result<()> {
    assert_eq!(advertise_routes(true)?, BTreeSet::new());
    Ok(())
}

/// The flag of a router in what is said of the virtual address, asked for and unasked (RFC 4861 §4.4).
fn router_flags(forwarding: &str) -> Result<BTreeSet<bool>> {
    let [_, case] = &CASES;
    let lan = lan_with_client(case)?;
    let (alpha, client) = (&lan["alpha"], &lan["client"]);
    alpha.run(&["sysctl", "-qw", &format!("net.ipv6.conf.all.forwarding={forwarding}")])?;
    let capture = Capture::start(client, "vc0", "icmp6")?;
    let _master = case.setup(V3.alpha(150)).start_until(&ours(), alpha, State::Master)?;
    let said = |solicited: u8| {
        let is_about_it = [(12, 0x86), (20, 58), (54, 136), (62, 0x20), (76, 1), (77, 0)];
        let packets = capture.packets().unwrap_or_default();
        let all = packets
            .into_iter()
            .map(|packet| packet.bytes)
            .filter(move |bytes| fits(bytes, &is_about_it) && bytes[58] & 0x40 == solicited);
        all.map(|bytes| bytes[58] & 0x80 != 0).collect::<BTreeSet<_>>()
    };
    wait::until_true("an announcement", SOON, || !said(0).is_empty())?;
    wait::until_true("an answer", SOON, || {
        let forgets = client.run(&["ip", "neigh", "flush", "dev", "vc0"]).is_ok();
        forgets && is_answered(client, case.service) && !said(0x40).is_empty()
    })?;
    Ok(said(0).union(&said(0x40)).copied().collect())
}

/// RFC 9568 §6.4.3 (6.4.3-3).
#[test]
fn a_master_that_forwards_says_that_it_is_a_router() -> Result<()> {
    assert_eq!(router_flags("1")?, BTreeSet::from([true]));
    Ok(())
}

/// RFC 9568 §6.4.3 (6.4.3-3): a host would be chosen as a way out that is none.
#[test]
fn a_master_that_does_not_forward_does_not() -> Result<()> {
    assert_eq!(router_flags("0")?, BTreeSet::from([false]));
    Ok(())
}
