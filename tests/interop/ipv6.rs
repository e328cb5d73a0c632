//! What is different over IPv6: addresses of both families, neighbour advertisements, groups, duplicate address
//! detection.

use lab::{AddressMonitor, Capture, Host, Injector, Lan, Result, Router, State, Subject, clock, wait};
use steadfast::units::Family;

use crate::addresses::leftovers_are_removed;
use crate::world::{
    ADVERTS, Ours, SOON, Setup, Talk, V3, V3_IPV6, VI, VIP, VIP6, assert_nothing_rejected, from,
    is_keepalived, ours, side_by_side,
};

/// Every way to write a virtual address of IPv6 that has an effect in the kernel. The first one is the virtual
/// link-local address.
const LINES: [&str; 12] = [
    "fe80::51",
    "2001:db8:9::100/64",
    "2001:db8:9::101",
    "2001:db8:9::102/64 -nodad",
    "2001:db8:9::103 preferred_lft forever",
    "2001:db8:9::104/64 preferred_lft 0",
    "2001:db8:9::105/64 dev va0",
    "2001:db8:9::106/64 home",
    "2001:db8:a::107/64 mngtmpaddr",
    "2001:db8:b::108/64 noprefixroute",
    "2001:db8:d::110 peer 2001:db8:d::1",
    "2001:db8:e::111/64 home noprefixroute preferred_lft 0",
];
/// Of both families, whatever the advertised ones are.
const EXCLUDED: &str = "virtual_ipaddress_excluded {\n    10.9.0.120/24\n    2001:db8:9::120/64\n    10.9.0.121 preferred_lft 0\n  }";

/// The addresses of all interfaces as `ip` shows them, without index and lifetimes, each with its words in order. An
/// address that may not be used yet, as one is for a moment with `-nodad`, is shown without that.
fn shown(host: &Host) -> Result<Vec<Vec<String>>> {
    let text = host.run(&["ip", "-o", "addr", "show"])?;
    let line = |line: &str| {
        let (_, rest) = line.split_once(": ")?;
        let mut words: Vec<_> = rest.split('\\').next()?.split_whitespace().map(str::to_owned).collect();
        words.retain(|word| word != "tentative");
        words.sort();
        Some(words)
    };
    Ok(text.lines().filter_map(line).collect())
}

/// A virtual router with all kinds of lines on a host that forwards: what it holds, its first advertisement, and the
/// first announcement of each address, in their order.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    addresses: Vec<Vec<String>>,
    message: Vec<u8>,
    announced: Vec<Vec<u8>>,
}

fn all_kinds(subject: &Subject, talk: Talk, lines: &[&str]) -> Result<Held> {
    let lan = V3_IPV6.lan()?;
    let alpha = &lan["alpha"];
    alpha.run(&["sysctl", "-qw", "net.ipv6.conf.va0.forwarding=1"])?;
    let before = shown(alpha)?;
    let filter = format!("{ADVERTS} or arp or (icmp6 and ip6[40] == 136 and ip6 dst ff02::1)");
    let capture = Capture::start(&lan["beta"], "vb0", &filter)?;
    let setup = Setup { vips: lines.iter().map(ToString::to_string).collect(), ..talk.alpha(150) };
    let router = setup.line(EXCLUDED).start_until(subject, alpha, State::Master)?;
    let count = lines.len() + 3;
    wait::until("all addresses", SOON, || {
        let held = shown(alpha).unwrap_or_default();
        if held.len() == before.len() + count { Ok(()) } else { Err(format!("{held:#?}\n{}", router.log())) }
    })?;
    let addresses = shown(alpha)?;
    let adverts = capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    let announced = wait::until("every address to be announced", SOON, || {
        let announced = announcements(&capture).map_err(|error| error.to_string())?;
        if announced.len() == count { Ok(announced) } else { Err(format!("{announced:x?}")) }
    })?;
    router.stop()?;
    assert_eq!(shown(alpha)?, before, "after the stop");
    Ok(Held { addresses, message: adverts[0].message.clone(), announced })
}

/// The different frames that are no advertisements and come from alpha.
fn announcements(capture: &Capture) -> Result<Vec<Vec<u8>>> {
    let mut seen = Vec::new();
    for packet in capture.packets()? {
        let is_advert = lab::pcap::vrrp(std::slice::from_ref(&packet)).next().is_some();
        let from_alpha = packet.bytes.get(6..12) == Some(&[2, 0, 0, 0, 0x0a, 1]);
        if from_alpha && !is_advert && !seen.contains(&packet.bytes) {
            seen.push(packet.bytes);
        }
    }
    Ok(seen)
}

#[test]
fn the_kernel_the_adverts_and_the_announcements_are_the_same_under_both_daemons() {
    // One of IPv4 whose excluded addresses are of both families, too. A tentative address is announced by keepalived at
    // once, and by us when it may be.
    let of_ipv6: Vec<_> = LINES.into_iter().filter(|line| !line.contains("-nodad")).collect();
    let cases = [(V3_IPV6, of_ipv6), (V3, vec!["10.9.0.100/24"])];
    side_by_side(&cases, |(talk, lines)| {
        let (ours, theirs) =
            (all_kinds(&ours(), *talk, lines)?, all_kinds(&Subject::Keepalived, *talk, lines)?);
        assert_eq!(ours, theirs);
        assert_eq!(usize::from(ours.message[3]), lines.len(), "excluded addresses are not in it");
        Ok(())
    });
}

#[test]
fn with_detection_an_address_is_held_as_under_keepalived() -> Result<()> {
    let held = |subject: &Subject| all_kinds(subject, V3_IPV6, &LINES);
    let (ours, theirs) = (held(&ours())?, held(&Subject::Keepalived)?);
    assert_eq!((ours.addresses, ours.message), (theirs.addresses, theirs.message));
    Ok(())
}

#[test]
fn what_does_not_fit_into_a_packet_is_held_and_not_advertised() -> Result<()> {
    let vips: Vec<_> = (0x100..0x178).map(|last| format!("2001:db8:9::{last:x}/64")).collect();
    let first = |subject: &Subject| -> Result<Vec<u8>> {
        let lan = V3_IPV6.lan()?;
        let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
        let setup = Setup { vips: vips.clone(), ..V3_IPV6.alpha(150) };
        let _router = setup.start_until(subject, &lan["alpha"], State::Master)?;
        lan.wait_holder("2001:db8:9::177", "alpha", SOON)?;
        Ok(capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?.swap_remove(0).message)
    };
    let ours = first(&ours())?;
    // 14 + 40 + 8 bytes of headers and 89 addresses fill 1500.
    assert_eq!((ours[3], ours.len()), (89, 8 + 89 * 16));
    assert_eq!(ours, first(&Subject::Keepalived)?);
    Ok(())
}

#[test]
fn both_families_may_share_a_vrid_on_an_interface() {
    side_by_side(&Ours::BOTH, |cast| {
        let lan = V3_IPV6.lan()?;
        let (better, worse) = cast.cast();
        let text = |of: fn(Talk, u8) -> Setup, priority| {
            of(V3, priority).instance("V4") + &of(V3_IPV6, priority).instance("V6")
        };
        let beta = Router::start(&worse, &lan["beta"], "beta", &text(Talk::beta, 100))?;
        for name in ["V4", "V6"] {
            beta.wait_entering(name, State::Master, SOON)?;
        }
        let alpha = Router::start(&better, &lan["alpha"], "alpha", &text(Talk::alpha, 150))?;
        for vip in [VIP, VIP6] {
            lan.wait_holder(vip, "alpha", SOON)?;
        }
        for name in ["V4", "V6"] {
            assert_eq!(beta.entries(name, State::Backup), 2, "{}", beta.log());
        }
        let rejected = [&alpha, &beta].map(Router::log).concat();
        assert!(!rejected.contains("rejected") && !rejected.contains("invalid"), "{rejected}");
        Ok(())
    });
}

#[test]
fn routers_meet_in_the_group_that_they_are_told() {
    let words = |family: Family| match family {
        Family::V4 => ("vrrp_mcast_group4 224.0.0.77", "mcast_dst_ip 224.0.0.77", "224.0.0.77"),
        Family::V6 => ("vrrp_mcast_group6 ff02::77", "mcast_dst_ip ff02::77", "ff02::77"),
    };
    let cases: Vec<_> =
        Ours::BOTH.into_iter().flat_map(|ours| [V3, V3_IPV6].map(|talk| (talk, ours))).collect();
    side_by_side(&cases, |&(talk, cast)| {
        let lan = talk.lan()?;
        let (better, worse) = cast.cast();
        let (of_all, of_one, group) = words(talk.family);
        let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
        let mut globally = talk.beta(100);
        globally.before = format!("global_defs {{\n  {of_all}\n}}\n");
        let beta = globally.start_until(&worse, &lan["beta"], State::Master)?;
        let mark = beta.mark();
        let alpha = talk.alpha(150).line(of_one).start_until(&better, &lan["alpha"], State::Master)?;
        beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
        assert!(capture.vrrp()?.iter().all(|advert| advert.dst.to_string() == group));
        assert_nothing_rejected(&alpha)?;
        assert_nothing_rejected(&beta)
    });
}

#[test]
fn an_address_that_another_program_removes_is_back_at_once() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = V3_IPV6.lan()?;
    let alpha = &lan["alpha"];
    let router = V3_IPV6.alpha(150).start_until(&ours(), alpha, State::Master)?;
    for (vip, address) in [("fe80::51", "fe80::51/64"), (VIP6, "2001:db8:9::100/64")] {
        lan.wait_holder(vip, "alpha", SOON)?;
        let monitor = AddressMonitor::start(alpha)?;
        let capture = Capture::start(&lan["beta"], "vb0", &format!("icmp6 and ip6 src {vip}"))?;
        let removed = clock::wall();
        alpha.del_address(address, "va0")?;
        monitor.wait_change(vip, true, removed, SOON)?;
        router.wait_log(&format!("address {vip} was removed by another program"), SOON)?;
        wait::until_true("a neighbour advertisement", SOON, || {
            capture.packets().is_ok_and(|packets| !packets.is_empty())
        })?;
    }
    assert_eq!((router.entries(VI, State::Master), router.entries(VI, State::Backup)), (1, 1));
    Ok(())
}

#[test]
fn addresses_left_by_a_dead_run_are_removed_at_the_next_start() -> Result<()> {
    let lan = V3_IPV6.lan()?;
    let setup = V3_IPV6.alpha(150).line("virtual_ipaddress_excluded {\n    2001:db8:9::120\n  }");
    leftovers_are_removed(&lan, &setup, &["fe80::51", VIP6, "2001:db8:9::120"], V3_IPV6.interval())?;
    assert!(lan["alpha"].has_address("2001:db8:9::1"), "the interface's own address stays");
    Ok(())
}

/// alpha with duplicate address detection, its link down, so that its addresses are looked at anew when it is up.
fn with_detection() -> Result<Lan> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.link_down("va0")?;
    let settings = ["all", "default", "va0"].map(|name| format!("net.ipv6.conf.{name}.accept_dad=1"));
    alpha.run(&["sysctl", "-qw", &settings[0], &settings[1], &settings[2]])?;
    Ok(lan)
}

const OWN: &str = "fe80::ff:fe00:a01";

#[test]
fn a_router_waits_until_its_address_is_certain() -> Result<()> {
    if is_keepalived("source address over IPv6 that is tentative") {
        return Ok(());
    }
    let lan = with_detection()?;
    let alpha = &lan["alpha"];
    // Longer than the master down interval, so that a router that does not wait is MASTER before it may send.
    alpha.run(&["sysctl", "-qw", "net.ipv6.neigh.va0.retrans_time_ms=3000"])?;
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    alpha.link_up("va0")?;
    wait::until_true("a tentative address", SOON, || {
        alpha.run(&["ip", "-6", "addr", "show", "dev", "va0"]).is_ok_and(|shown| shown.contains("tentative"))
    })?;
    let router = V3_IPV6.alpha(150).start(&ours(), alpha)?;
    router.wait_log(&format!("(VI) waiting for address {OWN} of interface va0: it is tentative"), SOON)?;
    router.wait_entering(VI, State::Master, SOON)?;
    assert_eq!(router.entries(VI, State::Fault), 0, "to wait is no fault: {}", router.log());
    let seen = capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 3)?;
    assert_eq!(from(&seen, OWN).len(), seen.len());

    // The same when the link was away while it ran.
    let mark = router.mark();
    alpha.link_down("va0")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    alpha.link_up("va0")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    assert!(!router.log().contains("cannot send"), "{}", router.log());
    Ok(())
}

#[test]
fn an_address_that_another_host_has_is_a_fault_until_it_is_free() -> Result<()> {
    if is_keepalived("source address over IPv6 that is a duplicate") {
        return Ok(());
    }
    let lan = with_detection()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    beta.add_address(&format!("{OWN}/64"), "vb0")?;
    alpha.link_up("va0")?;
    alpha.wait_running("va0")?;
    let router = V3_IPV6.alpha(150).start(&ours(), alpha)?;
    let line = router.wait_entering(VI, State::Fault, SOON)?;
    let why = format!("(address {OWN} of interface va0 is a duplicate: another host has it)");
    assert!(line.contains(&why), "{line}");
    // The kernel looks again when the link has been down, or when the address is made anew.
    beta.del_address(&format!("{OWN}/64"), "vb0")?;
    alpha.link_down("va0")?;
    alpha.link_up("va0")?;
    router.wait_entering(VI, State::Master, SOON).map(drop)
}

#[test]
fn an_advertisement_with_a_wrong_checksum_is_refused_and_named() -> Result<()> {
    if is_keepalived("checksum of an advertisement over IPv6") {
        return Ok(());
    }
    let lan = V3_IPV6.lan()?;
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    let alpha = V3_IPV6.alpha(100).start_until(&ours(), &lan["alpha"], State::Master)?;
    capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    // alpha's own advertisement with a higher priority, as if it came from beta.
    let frames = capture.packets()?;
    let mut frame = frames[0].bytes.clone();
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0x0b, 2]);
    frame[36] = 0x0b;
    frame[37] = 0x02;
    frame[54 + 2] = 200;
    Injector::open(&lan["beta"], "vb0")?.send(&frame)?;
    alpha.wait_log("packet from fe80::ff:fe00:b02 rejected: wrong checksum", SOON)?;
    assert_eq!(alpha.entries(VI, State::Backup), 1, "{}", alpha.log());
    Ok(())
}

#[test]
fn a_router_that_has_forgotten_its_groups_hears_the_master_again() -> Result<()> {
    if is_keepalived("interface whose IPv6 was off for a moment") {
        return Ok(());
    }
    let lan = V3_IPV6.lan()?;
    let beta = V3_IPV6.beta(200).start_until(&Subject::Keepalived, &lan["beta"], State::Master)?;
    let alpha = V3_IPV6.alpha(100).start_until(&ours(), &lan["alpha"], State::Backup)?;
    // A link that cannot carry 1280 bytes has no IPv6 at all.
    let mark = alpha.mark();
    lan["alpha"].run(&["ip", "link", "set", "va0", "mtu", "1000"])?;
    alpha.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let mark = alpha.mark();
    lan["alpha"].run(&["ip", "link", "set", "va0", "mtu", "1500"])?;
    alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
    let capture = Capture::start(&lan["alpha"], "va0", ADVERTS)?;
    // Three times what a router that hears nothing would wait.
    capture.wait_vrrp("adverts of beta", SOON, |seen| from(seen, "fe80::ff:fe00:b02").len() >= 12)?;
    assert_eq!(alpha.entries(VI, State::Master), 0, "{}", alpha.log());
    assert_nothing_rejected(&beta)
}
