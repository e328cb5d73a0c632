//! What the kernel holds: the same as under keepalived, only while MASTER, and whatever others do to it.

use std::time::Duration;

use lab::lan::Join;
use lab::{AddressMonitor, Capture, Host, Lan, Result, Router, State, Subject, clock, wait};

use crate::world::{SOON, Setup, V3, VI, VIP, does_as_keepalived, from, in_its_way, is_keepalived, ours};

/// Every way to write a virtual address that has an effect in the kernel.
const LINES: [&str; 15] = [
    "10.9.0.100/24",
    "10.9.0.101",
    "10.9.0.102/24 brd 10.9.0.255",
    "10.9.0.103/24 label eth0:web",
    "10.9.0.104/32 scope link",
    "10.9.0.105/32 dev eth0 scope host brd 10.9.0.250 label eth0:all",
    "10.9.1.106/24 dev eth1",
    "10.9.3.107/24 dev eth1",
    "10.9.4.108/24 brd 10.9.4.255 scope site",
    "10.9.5.109/24 brd +",
    "10.9.6.110/24 brd -",
    "10.9.7.111 peer 10.9.7.1",
    "10.9.8.112/24 peer 10.9.8.1",
    "10.9.9.113/24 noprefixroute",
    "10.9.10.114/24 dev eth1 noprefixroute brd +",
];
const EXCLUDED: &str = "virtual_ipaddress_excluded {\n    10.9.0.120/24\n    10.9.5.121/28 dev eth1\n    239.9.0.1/32 autojoin\n  }";

/// The addresses of all interfaces as `ip` shows them, without index and lifetimes.
fn shown(host: &Host) -> Result<Vec<String>> {
    let text = host.run(&["ip", "-o", "-4", "addr", "show"])?;
    let line = |line: &str| {
        let (_, rest) = line.split_once(": ")?;
        let words: Vec<_> = rest.split('\\').next()?.split_whitespace().collect();
        Some(words.join(" "))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// alpha with two interfaces, and who holds what there while MASTER with all kinds of addresses.
fn all_kinds(subject: &Subject) -> Result<(Vec<String>, Vec<Vec<u8>>)> {
    let mut lan =
        Lan::builder().host("alpha", "eth0", "10.9.0.1/24").host("beta", "eth0", "10.9.0.2/24").build()?;
    let second = [("alpha", "eth1", "10.9.1.1/24"), ("beta", "eth1", "10.9.1.2/24")];
    lan.add_segment(Join::Bridge, &second)?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let setup = Setup { interface: "eth0".into(), vips: LINES.map(String::from).to_vec(), ..V3.alpha(150) };
    let capture = Capture::start(&lan["beta"], "eth0", "ip proto 112")?;
    let router = setup.line(EXCLUDED).start_until(subject, alpha, State::Master)?;
    let wanted = before.len() + LINES.len() + 3;
    wait::until("all addresses", SOON, || {
        let held = shown(alpha).unwrap_or_default();
        if held.len() == wanted { Ok(()) } else { Err(format!("{held:#?}\n{}", router.log())) }
    })?;
    let held = shown(alpha)?;
    let adverts = capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    router.stop()?;
    let is_left =
        |line: &String| does_as_keepalived(subject, "VIP of IPv4 with `peer`") && line.contains(" peer ");
    let mut after = shown(alpha)?;
    after.retain(|line| !is_left(line));
    assert_eq!(after, before, "after the stop");
    let messages = adverts.into_iter().take(1).map(|advert| advert.message);
    Ok((held, messages.collect()))
}

#[test]
fn the_kernel_and_the_adverts_are_the_same_under_both_daemons() -> Result<()> {
    let (ours, our_advert) = all_kinds(&ours())?;
    let (theirs, their_advert) = all_kinds(&Subject::Keepalived)?;
    assert_eq!(ours, theirs);
    // Excluded addresses are not in it.
    assert_eq!(our_advert, their_advert);
    assert_eq!(usize::from(our_advert[0][3]), LINES.len());
    Ok(())
}

#[test]
fn an_address_that_another_program_removes_is_back_at_once() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let setup = V3.alpha(150).line("virtual_ipaddress_excluded {\n    10.9.0.120/32\n  }");
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    for (vip, address) in [(VIP, "10.9.0.100/24"), ("10.9.0.120", "10.9.0.120/32")] {
        lan.wait_holder(vip, "alpha", SOON)?;
        let monitor = AddressMonitor::start(alpha)?;
        let capture = Capture::start(&lan["beta"], "vb0", &format!("arp host {vip} or ip proto 112"))?;
        let removed = clock::wall();
        alpha.del_address(address, "va0")?;
        monitor.wait_change(vip, true, removed, SOON)?;
        router.wait_log(&format!("address {vip} was removed by another program"), SOON)?;
        wait::until_true("a gratuitous ARP", SOON, || {
            let is_arp = |bytes: &[u8]| bytes.get(12..14) == Some(&[8, 6]);
            let packets = capture.packets().unwrap_or_default();
            packets.iter().any(|packet| is_arp(&packet.bytes))
        })?;
        let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 5)?;
        assert!(adverts.iter().all(|advert| advert.priority() == 150), "{adverts:?}");
        lan.wait_holder(vip, "alpha", SOON)?;
    }
    assert_eq!(router.entries(VI, State::Master), 1);
    assert_eq!(router.entries(VI, State::Backup), 1);
    Ok(())
}

#[test]
fn addresses_left_by_a_dead_run_are_removed_at_the_next_start() -> Result<()> {
    let lan = Lan::pair()?;
    let mut setup = V3.alpha(150);
    setup.vips.push("10.9.0.101/32".into());
    leftovers_are_removed(&lan, &setup, &[VIP, "10.9.0.101"], V3.interval())
}

/// A router dies with its addresses on the interface; the next start removes each, and holds it again no earlier than a
/// router that begins as BACKUP may.
pub(crate) fn leftovers_are_removed(
    lan: &Lan,
    setup: &Setup,
    vips: &[&str],
    at_least: Duration,
) -> Result<()> {
    let alpha = &lan["alpha"];
    let first = setup.start_until(&ours(), alpha, State::Master)?;
    for vip in vips {
        lan.wait_holder(vip, "alpha", SOON)?;
    }
    first.kill9();
    drop(first);
    assert!(vips.iter().all(|vip| alpha.has_address(vip)));
    let monitor = AddressMonitor::start(alpha)?;
    let started = clock::wall();
    let second = Router::start(&ours(), alpha, again(), &setup.text())?;
    for vip in vips {
        let removed = monitor.wait_change(vip, false, started, SOON)?;
        let added = monitor.wait_change(vip, true, removed.time, SOON)?;
        assert!(added.time - removed.time > at_least, "{vip} is not held while BACKUP");
    }
    second.wait_entering(VI, State::Master, SOON).map(drop)
}

/// The name of a second run. Where nobody reaps the first keepalived's child, it takes that for a running daemon.
fn again() -> &'static str {
    in_its_way(&ours(), "alpha", "again")
}

#[test]
fn with_dont_release_vrrp_a_stop_leaves_everything_as_it_is() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let router = Router::start_with(&ours(), alpha, "alpha", &V3.alpha(150).text(), &["-V"])?;
    router.wait_entering(VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    router.stop()?;
    assert!(alpha.has_address(VIP));
    let packets = capture.stop()?;
    let adverts: Vec<_> = lab::pcap::vrrp(&packets).collect();
    assert!(!from(&adverts, "10.9.0.1").is_empty());
    assert!(adverts.iter().all(|advert| advert.priority() != 0), "{adverts:?}");
    Ok(())
}

#[test]
fn a_stop_removes_only_what_we_added() -> Result<()> {
    if is_keepalived("VIP that is on the interface at the start") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    // The owner's own address is one of the virtual ones.
    alpha.add_address("10.9.7.1/24", "va0")?;
    let before = shown(alpha)?;
    let mut setup = V3.alpha(255);
    setup.vips.push("10.9.7.1/24".into());
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert!(alpha.has_address("10.9.7.1"));
    router.stop()?;
    assert_eq!(shown(alpha)?, before);
    Ok(())
}

#[test]
fn an_interface_that_is_deleted_and_made_again_is_used_again() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = V3.alpha(150).start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", "va0"])?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;

    let switch = alpha.namespace().replace("-alpha", "-bridge0");
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let mark = router.mark();
    alpha.sh(&format!(
        "ip link add va0 type veth peer name p0 netns {switch} && ip -n {switch} link set p0 master br0 up && \
         ip addr add 10.9.0.1/24 dev va0 && ip link set va0 up"
    ))?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    capture.wait_vrrp("adverts from the new interface", SOON, |seen| seen.len() >= 3)?;
    router.stop()?;
    assert!(!alpha.has_address(VIP));
    Ok(())
}

#[test]
fn an_address_that_the_kernel_refuses_is_named_and_tried_again() -> Result<()> {
    const REFUSED: &str = "2001:db8:9::100";
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let set_ipv6 = |off: u8| alpha.run(&["sysctl", "-qw", &format!("net.ipv6.conf.va0.disable_ipv6={off}")]);
    set_ipv6(1)?;
    let setup = V3.alpha(150).line(format!("virtual_ipaddress_excluded {{\n    {REFUSED}/64\n  }}"));
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    // All others are there, and it goes on advertising.
    lan.wait_holder(VIP, "alpha", SOON)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    capture.wait_vrrp("adverts", SOON, |seen| from(seen, "10.9.0.1").len() >= 3)?;
    assert!(!alpha.has_address(REFUSED));
    if is_keepalived("VIP that the kernel refuses") {
        return Ok(());
    }
    let said = router.wait_log(REFUSED, SOON)?;
    assert!(said.contains("WARN") && said.contains("va0"), "{said}");
    set_ipv6(0)?;
    wait::until_true("the address", SOON, || alpha.has_address(REFUSED))?;
    assert_eq!(
        (router.entries(VI, State::Master), router.entries(VI, State::Backup)),
        (1, 1),
        "{}",
        router.log()
    );
    router.stop()?;
    assert!(!alpha.has_address(REFUSED));
    Ok(())
}
