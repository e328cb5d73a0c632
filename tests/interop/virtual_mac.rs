//! Clauses of RFC 9568 about the virtual MAC (docs/rfc9568.md), which are kept with `use_vmac`: who is asked for a virtual
//! address, announces it or has just been restarted shows that MAC and no other, and it makes no address of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use lab::frame::icmpv6;
use lab::{Capture, Injector, Lan, Result, State, wait};

use crate::clauses::{CASES, Case, ask, fits, lan_with_client, senders};
use crate::world::{SOON, V3, VI, is_keepalived, ours, side_by_side};

/// The virtual MAC of a case's family (RFC 9568 §7.3).
fn virtual_mac(case: &Case) -> Vec<u8> {
    vec![0, 0, 0x5e, 0, if case.is_ipv6() { 2 } else { 1 }, 0x33]
}

/// The MACs that frames show the virtual address with, as their sender or in what they say (RFC 826, RFC 4861 §4.4).
fn shown(capture: &Capture, case: &Case) -> BTreeSet<Vec<u8>> {
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
            found.extend([bytes.get(6..12), bytes.get(said)].into_iter().flatten().map(<[u8]>::to_vec));
        }
    }
    found
}

/// RFC 9568 §8.1.2 (8.1.2-1, 8.1.2-6), §8.2.2 (8.2.2-1, 8.2.2-8).
#[test]
fn asked_for_an_address_a_master_names_the_virtual_mac() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let capture = Capture::start(&lan["client"], "vc0", "arp or icmp6")?;
        let setup = case.setup(V3.alpha(150)).line("use_vmac");
        let _master = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        ask(&lan["client"], &capture, case);
        assert_eq!(senders(&capture, case.answer), BTreeSet::from([virtual_mac(case)]));
        assert!(shown(&capture, case).contains(&virtual_mac(case)));
        Ok(())
    });
}

/// RFC 9568 §8.1.2 (8.1.2-6), §8.2.2 (8.2.2-8): the neighbour whose entry has grown old asks the MAC in it.
#[test]
fn asked_at_its_physical_mac_a_master_says_nothing_of_the_address() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let client = &lan["client"];
        // An announcement would give the neighbour another entry.
        let setup = case.setup(V3.alpha(150)).line("use_vmac").line("garp_master_delay 600");
        let _master = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        let capture = Capture::start(client, "vc0", "arp or icmp6")?;
        ask(client, &capture, case);
        let asked_at = |mac: [u8; 6]| {
            let is_asked = |bytes: &[u8]| fits(bytes, case.question) && bytes.starts_with(&mac);
            capture.packets().is_ok_and(|all| all.iter().any(|packet| is_asked(&packet.bytes)))
        };
        let physical = [2, 0, 0, 0, 0x0a, 1];
        let address = case.address();
        let old = ["ip", "neigh", "replace", &address, "lladdr", "02:00:00:00:0a:01", "dev", "vc0", "nud"];
        wait::until_true("a question at the physical MAC", SOON, || {
            client.run(&[&old[..], &["probe"]].concat()).is_ok() && asked_at(physical)
        })?;
        wait::until("the end of the entry", SOON, || {
            let entry = client.run(&["ip", "neigh", "show", &address]).unwrap_or_default();
            if entry.contains("FAILED") || entry.is_empty() { Ok(()) } else { Err(entry) }
        })?;
        assert_eq!(senders(&capture, case.answer), BTreeSet::from([virtual_mac(case)]));
        Ok(())
    });
}

/// RFC 9568 §8.1.2 (8.1.2-1, 8.1.2-3), §8.2.2 (8.2.2-1, 8.2.2-5): an owner, a router that is none, and the owner after its
/// restart.
#[test]
fn an_address_is_shown_with_the_virtual_mac_alone() {
    if is_keepalived("`arp_announce` of the interface below") {
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
        assert_eq!(shown(&capture, case), BTreeSet::from([virtual_mac(case)]));
        Ok(())
    });
}

/// RFC 9568 §8.1.2 (8.1.2-3), §8.2.2 (8.2.2-5): it does announce, and not from where its own address is.
#[test]
fn a_restarted_owner_announces_with_the_virtual_mac() {
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let owner = case.setup(V3.alpha(255)).line("use_vmac");
        owner.start_until(&ours(), &lan["alpha"], State::Master)?.stop()?;
        let capture = Capture::start(&lan["client"], "vc0", "arp or icmp6")?;
        let _again = owner.start_until(&ours(), &lan["alpha"], State::Master)?;
        wait::until_true("an announcement", SOON, || !shown(&capture, case).is_empty())?;
        let named = shown(&capture, case);
        assert_eq!(named, BTreeSet::from([virtual_mac(case)]));
        Ok(())
    });
}

/// A router advertisement of a prefix that hosts make addresses of (RFC 4861 §4.2, §4.6.2), of no use as a router.
fn router_advertisement(source: [u8; 6], prefix: Ipv6Addr) -> Vec<u8> {
    let lifetimes = [0, 0, 0x0e, 0x10];
    let mut message = vec![134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([3, 4, 64, 0xc0]);
    message.extend([lifetimes, lifetimes, [0; 4]].concat());
    message.extend(prefix.octets());
    let from: Ipv6Addr = "fe80::ff:fe00:b02".parse().expect("an address");
    icmpv6(source, from, 1, message)
}

/// RFC 9568 §7.4 (7.4-1): a host makes addresses of the prefixes that it hears of, but not on the link with the virtual MAC.
#[test]
fn no_interface_identifier_is_made_of_the_virtual_mac() {
    if is_keepalived("`accept_ra` and `autoconf` of a link with IPv6") {
        return;
    }
    side_by_side(&CASES, |case| {
        let lan = lan_with_client(case)?;
        let alpha = &lan["alpha"];
        let setup = case.setup(V3.alpha(150)).line("use_vmac");
        let _master = setup.start_until(&ours(), alpha, State::Master)?;
        let injector = Injector::open(&lan["beta"], "vb0")?;
        let prefix: Ipv6Addr = "2001:db8:77::".parse().expect("a prefix");
        let advertisement = router_advertisement(lan["beta"].mac("vb0")?, prefix);
        // The physical interface has heard it, and by then the other one, too.
        wait::until_true("an address of the host's own", SOON, || {
            injector.send(&advertisement).is_ok() && alpha.has_address("2001:db8:77::ff:fe00:a01")
        })?;
        let held = alpha.run(&["ip", "-6", "-o", "addr", "show"])?;
        assert!(!held.contains("5eff:fe00:"), "{held}");
        Ok(())
    });
}

/// RFC 9568 §7.4 (7.4-1): the source over IPv6 has the identifier that the interface has without the virtual router.
#[test]
fn over_ipv6_advertisements_have_the_identifier_of_the_interface() -> Result<()> {
    let [_, case] = &CASES;
    let lan = Lan::pair()?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip6 proto 112")?;
    let setup = case.setup(V3.alpha(150)).line("use_vmac");
    let _master = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
    let seen = capture.wait_vrrp("three", SOON, |seen| seen.len() > 2)?;
    assert!(seen.iter().all(|advert| advert.src.to_string() == "fe80::ff:fe00:a01"), "{seen:?}");
    let macs = senders(&capture, &[(12, 0x86), (20, 112)]);
    assert_eq!(macs, BTreeSet::from([virtual_mac(case)]));
    Ok(())
}
