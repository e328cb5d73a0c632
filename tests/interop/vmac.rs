//! Virtual routers with a link of their own (`use_vmac`): the virtual MAC, what the kernel holds for it, and what is
//! left of it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use lab::{Capture, Host, Lan, Result, State, Subject, wait};

use crate::world::{Ours, SOON, Setup, V3, VI, VIP, does_as_keepalived, is_keepalived, ours, side_by_side};

/// The virtual router's MAC and link, as RFC 9568 §7.3 and keepalived name them.
const MAC: &str = "00:00:5e:00:01:33";
const LINK: &str = "vrrp.51";

/// Settings of the network that the story looks at, of every interface.
const SETTINGS: &str = "sysctl -a 2>/dev/null | grep -E '^net\\.ipv[46]\\.conf\\..*\\.(arp_ignore|arp_filter|accept_local|\
    rp_filter|promote_secondaries|disable_ipv6|addr_gen_mode|forwarding) |igmp_link_local_mcast_reports'";

/// What the kernel holds of links, addresses, settings and rules, a line each. What differs from run to run is left
/// out: numbers of interfaces and packets, names of namespaces.
pub(crate) fn held(host: &Host) -> Result<BTreeSet<String>> {
    let ip = |arguments: &[&str]| host.run(&[&["ip", "-o"], arguments].concat());
    let mut lines: BTreeSet<String> = ip(&["-d", "link", "show"])?.lines().map(link).collect();
    lines.extend(ip(&["addr", "show"])?.lines().map(without_number));
    lines.extend(host.sh(SETTINGS)?.lines().map(str::to_owned));
    let mut table = String::new();
    for line in host.run(&["nft", "list", "ruleset"])?.lines().map(str::trim) {
        if line.starts_with("table") {
            line.clone_into(&mut table);
        }
        let rule = line.split(" packets ").collect::<Vec<_>>();
        let end = rule.get(1).and_then(|counted| counted.split(' ').nth(3)).unwrap_or_default();
        lines.insert(format!("{table} {} {end}", rule[0]));
    }
    Ok(lines)
}

/// Name and parent, flags, MAC, kind and mode of a link.
fn link(line: &str) -> String {
    let line = without_number(line);
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|known| *known == word).map_or(words.len(), |at| at + 1);
        words.get(at).copied().unwrap_or_default()
    };
    let name = words[0].split("@if").next().unwrap_or_default();
    let kind = [after("macvlan"), after("mode"), after("group"), after("addrgenmode")].join(" ");
    let mac = after("link/ether");
    format!("{name} {} {mac} {kind}", words[1])
}

fn without_number(line: &str) -> String {
    line.split_once(": ").map_or(line, |(_, rest)| rest).to_owned()
}

/// What is in one and not in the other.
fn assert_same(ours: &BTreeSet<String>, theirs: &BTreeSet<String>, story: &str) {
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join("\n  ")
    };
    let (extra, missing) = (only(ours, theirs), only(theirs, ours));
    assert!(extra.is_empty() && missing.is_empty(), "{story}\ntoo much:\n  {extra}\nmissing:\n  {missing}");
}

/// alpha's usual router with a link of its own, and more lines.
fn with_vmac(lines: &[&str]) -> Setup {
    lines.iter().fold(V3.alpha(150).line("use_vmac"), |setup, line| setup.line(*line))
}

/// The same for IPv6.
fn of_ipv6(lines: &[&str]) -> Setup {
    let vips = ["fe80::51/64", "2001:db8:9::100/64"].map(str::to_owned).to_vec();
    lines.iter().fold(Setup { vips, ..V3.alpha(150) }, |setup, line| setup.line(*line))
}

/// Two virtual routers of one number, whose links cannot both have the usual name.
fn both_families() -> Setup {
    let other = of_ipv6(&["use_vmac"]).instance("OTHER");
    Setup { before: other, ..with_vmac(&[]) }
}

fn globals(lines: &str) -> String {
    format!("global_defs {{\n{lines}\n}}\n")
}

/// The configurations whose effect on the kernel is compared, with what else has to be so before.
fn cases() -> Vec<(&'static str, Setup)> {
    let named = V3.alpha(150).line("use_vmac edge 02:03:04:05:06");
    let other_interface = Setup {
        vips: ["10.9.0.100 ", "10.9.0.101 dev va0", "10.9.1.100 dev eth1 use_vmac", "10.9.1.101 dev eth1"]
            .map(|vip| vip.replacen(' ', "/24 ", 1))
            .to_vec(),
        before: globals("vmac_prefix a_very_long_prefix\nvmac_addr_prefix other"),
        ..with_vmac(&[])
    };
    let everywhere = Setup {
        vips: vec!["10.9.0.100/24".into(), "10.9.1.101/24 dev eth1".into()],
        ..with_vmac(&["use_vmac_addr"])
    };
    let rules = Setup {
        before: globals("nftables filter_vmac\nnftables_priority -7\nnftables_counters"),
        ..with_vmac(&[])
    };
    vec![
        ("true", with_vmac(&[])),
        ("true", with_vmac(&["vmac_xmit_base"])),
        ("true", named),
        ("true", other_interface),
        ("true", rules),
        ("true", everywhere),
        ("true", Setup { before: globals("disable_local_igmp"), ..with_vmac(&[]) }),
        ("true", V3.alpha(150).line("promote_secondaries")),
        ("true", with_vmac(&["promote_secondaries"])),
        ("true", of_ipv6(&["use_vmac"])),
        ("true", of_ipv6(&["use_vmac", "vmac_xmit_base"])),
        ("true", both_families()),
        // The name is taken.
        ("ip link add vrrp.51 address 02:00:00:00:00:99 type bridge", with_vmac(&[])),
        ("ip link add vrrp.51 link eth1 address 02:00:00:00:00:99 type macvlan mode private", with_vmac(&[])),
        ("ip link add vrrp.51 link va0 address 02:00:00:00:00:99 type macvlan mode bridge", with_vmac(&[])),
        ("ip link add edge address 02:00:00:00:00:99 type bridge", V3.alpha(150).line("use_vmac edge")),
    ]
}

/// A host with two interfaces, and something done to it.
fn host_for(before: &str) -> Result<Lan> {
    let mut lan = Lan::pair()?;
    lan.add_segment(
        lab::lan::Join::BackToBack,
        &[("alpha", "eth1", "10.9.1.1/24"), ("beta", "eth1", "10.9.1.2/24")],
    )?;
    lan["alpha"].sh(before)?;
    Ok(lan)
}

/// What the kernel holds while MASTER. Afterwards it is all as before.
fn held_while_master(subject: &Subject, before: &str, setup: &Setup) -> Result<BTreeSet<String>> {
    let lan = host_for(before)?;
    let alpha = &lan["alpha"];
    let at_first = held(alpha)?;
    let router = setup.start_until(subject, alpha, State::Master)?;
    let other = setup.before.contains("OTHER").then_some("fe80::51/64");
    for vip in setup.vips.iter().map(String::as_str).chain(other) {
        let address = format!(" {} ", vip.split(' ').next().unwrap_or_default());
        let shown = || alpha.run(&["ip", "-o", "addr", "show"]).unwrap_or_default();
        wait::until_true("all addresses", SOON, || shown().contains(&address))?;
    }
    let while_master = held(alpha)?;
    router.stop()?;
    if !does_as_keepalived(subject, "`arp_ignore` and `arp_filter` of the interface below") {
        assert_same(&held(alpha)?, &at_first, &format!("after the stop, {before}, {setup:?}"));
    }
    Ok(while_master)
}

#[test]
fn the_kernel_holds_the_same_under_both_daemons_and_nothing_is_left_of_it() -> Result<()> {
    side_by_side(&cases(), |(before, setup)| {
        let ours = held_while_master(&ours(), before, setup)?;
        let theirs = held_while_master(&Subject::Keepalived, before, setup)?;
        assert_same(&ours, &theirs, &format!("{before}, {setup:?}"));
        Ok(())
    });
    Ok(())
}

/// A link of that name that is not as it has to be is made anew, which is why it is gone afterwards. keepalived 2.2.7
/// has no rules for it.
#[test]
fn a_macvlan_elsewhere_gives_its_name_up() -> Result<()> {
    let before = "ip link add edge link eth1 address 02:00:00:00:00:99 type macvlan mode private";
    let setup = V3.alpha(150).line("use_vmac edge");
    let lines = |subject: &Subject| {
        let lan = host_for(before)?;
        let router = setup.start_until(subject, &lan["alpha"], State::Master)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        let mut lines = held(&lan["alpha"])?;
        lines.retain(|line| !line.starts_with("table"));
        router.stop()?;
        assert!(lan["alpha"].exec(&["ip", "link", "show", "edge"])?.stdout.is_empty());
        Ok(lines)
    };
    assert_same(&lines(&ours())?, &lines(&Subject::Keepalived)?, before);
    Ok(())
}

/// Frames on beta's side of the segment: destination and source MAC, and what follows.
fn sources(capture: &Capture, kind: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let mac = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
    let packets = capture.packets().unwrap_or_default();
    let wanted = packets.iter().filter(|packet| packet.bytes.get(12..).is_some_and(&kind));
    wanted.map(|packet| mac(&packet.bytes[6..12])).collect()
}

/// Gratuitous ARP for the virtual address: from it, about it.
fn is_announcement(bytes: &[u8]) -> bool {
    let vip = Some(&[10, 9, 0, 100][..]);
    bytes.starts_with(&[0x08, 0x06]) && bytes.get(16..20) == vip && bytes.get(26..30) == vip
}

fn is_vrrp(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x08, 0x00]) && bytes.get(11) == Some(&112)
}

fn is_igmp(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x08, 0x00]) && bytes.get(11) == Some(&2)
}

/// Whether whoever has the virtual address says that nothing listens on its port 9.
fn answers(client: &Host) -> bool {
    let ask = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(500)))?;
        socket.connect((VIP, 9))?;
        socket.send(b"?")?;
        socket.recv(&mut [0])
    };
    let answer = client.inside(ask);
    matches!(answer, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused)
}

/// The client's ARP table has the virtual MAC for the virtual address. Under keepalived only until the router asks for
/// the client's MAC, which it does from its physical one with the virtual address as its own.
fn assert_known_by_virtual_mac(router: &Subject, client: &Host) -> Result<()> {
    let entry = client.run(&["ip", "neigh", "show", VIP, "dev", "vc0"])?;
    assert!(
        entry.contains(MAC) || does_as_keepalived(router, "`arp_announce` of the interface below"),
        "{entry}"
    );
    Ok(())
}

#[test]
fn a_failover_keeps_the_mac_that_clients_know() -> Result<()> {
    side_by_side(&Ours::BOTH, |cast| {
        let (one, two) = cast.cast();
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("client", "vc0", "10.9.0.3/24")
            .build()?;
        let (alpha, beta, client) = (&lan["alpha"], &lan["beta"], &lan["client"]);
        let capture = Capture::start(client, "vc0", "ip proto 112 or ip proto 2 or arp")?;
        let master = with_vmac(&[]).start_until(&one, alpha, State::Master)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        let backup = V3.beta(100).line("use_vmac").start_until(&two, beta, State::Backup)?;
        wait::until_true("an answer of the virtual address", SOON, || answers(client))?;
        assert_known_by_virtual_mac(&one, client)?;
        master.stop()?;
        lan.wait_holder(VIP, "beta", SOON)?;
        backup.wait_entering(VI, State::Master, SOON)?;
        wait::until_true("an answer of the virtual address", SOON, || answers(client))?;
        assert_known_by_virtual_mac(&two, client)?;
        backup.stop()?;
        assert_eq!(lan.holders(VIP), Vec::<String>::new());
        // All that the routers say of the virtual router they say with its MAC; groups they report with their own.
        assert!(sources(&capture, is_vrrp).iter().all(|mac| mac == MAC));
        let announced = sources(&capture, is_announcement);
        assert!(!announced.is_empty() && announced.iter().all(|mac| mac == MAC), "{announced:?}");
        let reports = sources(&capture, is_igmp);
        assert!(!reports.is_empty() && reports.iter().all(|mac| mac.starts_with("02:")), "{reports:?}");
        Ok(())
    });
    Ok(())
}

/// IPv6 behind an Ethernet header's type, with that next header and, for ICMPv6, of that type.
fn is_ipv6(bytes: &[u8], next: u8, kind: Option<u8>) -> bool {
    let kind_fits = kind.is_none_or(|kind| bytes.get(42) == Some(&kind));
    bytes.starts_with(&[0x86, 0xdd]) && bytes.get(8) == Some(&next) && kind_fits
}

#[test]
fn a_failover_over_ipv6_keeps_the_mac() -> Result<()> {
    side_by_side(&Ours::BOTH, |cast| {
        let (one, two) = cast.cast();
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("client", "vc0", "10.9.0.3/24")
            .build()?;
        let capture = Capture::start(&lan["client"], "vc0", "ip6")?;
        let master = of_ipv6(&["use_vmac"]).start_until(&one, &lan["alpha"], State::Master)?;
        let second = Setup { interface: "vb0".into(), priority: 100, ..of_ipv6(&["use_vmac"]) };
        let backup = second.start_until(&two, &lan["beta"], State::Backup)?;
        let mark = backup.mark();
        master.stop()?;
        backup.wait_entering_since(mark, VI, State::Master, SOON)?;
        let announced = |bytes: &[u8]| is_ipv6(bytes, 58, Some(136));
        let count = sources(&capture, announced).len();
        wait::until_true("announcements", SOON, || sources(&capture, announced).len() > count)?;
        backup.stop()?;
        for seen in [sources(&capture, announced), sources(&capture, |bytes| is_ipv6(bytes, 112, None))] {
            assert!(!seen.is_empty() && seen.iter().all(|mac| mac == "00:00:5e:00:02:33"), "{seen:?}");
        }
        // Neither reports of groups nor questions for routers.
        let housekeeping =
            sources(&capture, |bytes| is_ipv6(bytes, 0, None) || is_ipv6(bytes, 58, Some(133)));
        assert!(housekeeping.iter().all(|mac| mac != "00:00:5e:00:02:33"), "{housekeeping:?}");
        Ok(())
    });
    Ok(())
}

#[test]
fn advertisements_leave_by_the_interface_when_told_so() -> Result<()> {
    for lines in [vec!["vmac_xmit_base"], vec!["unicast_peer {\n    10.9.0.2\n  }"]] {
        let lan = Lan::pair()?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112 or arp")?;
        let router = with_vmac(&lines).start_until(&ours(), &lan["alpha"], State::Master)?;
        wait::until_true("gratuitous ARP", SOON, || !sources(&capture, is_announcement).is_empty())?;
        assert!(sources(&capture, is_announcement).iter().all(|mac| mac == MAC));
        let adverts = sources(&capture, is_vrrp);
        assert!(!adverts.is_empty() && adverts.iter().all(|mac| mac == "02:00:00:00:0a:01"), "{adverts:?}");
        router.stop()?;
    }
    Ok(())
}

#[test]
fn what_a_killed_run_left_is_used_and_put_back_by_the_next() -> Result<()> {
    if is_keepalived("`arp_ignore` and `arp_filter` of the interface below") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.run(&["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.va0.arp_filter=0"])?;
    let at_first = held(alpha)?;
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let while_master = held(alpha)?;
    router.kill9();
    assert_same(&held(alpha)?, &while_master, "after SIGKILL");
    alpha.run(&["ip", "addr", "add", "10.9.0.77/24", "dev", LINK])?;
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert_same(&held(alpha)?, &while_master, "under the next run");
    router.stop()?;
    assert_same(&held(alpha)?, &at_first, "after its stop");
    Ok(())
}

#[test]
fn what_others_have_set_since_is_theirs() -> Result<()> {
    if is_keepalived("`arp_ignore` and `arp_filter` of the interface below") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    alpha.run(&["sysctl", "-qw", "net.ipv4.conf.va0.arp_ignore=2"])?;
    router.stop()?;
    let after =
        alpha.run(&["sysctl", "-n", "net.ipv4.conf.va0.arp_ignore", "net.ipv4.conf.va0.arp_filter"])?;
    assert_eq!(after.split_whitespace().collect::<Vec<_>>(), ["2", "0"]);
    Ok(())
}

#[test]
fn a_link_that_somebody_deletes_is_made_again() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let before = held(alpha)?;
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", LINK])?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert_same(&held(alpha)?, &before, "after the deletion");
    router.stop()?;
    Ok(())
}

/// Both at once: the link goes down with its parent, and comes up with it.
#[test]
fn the_parents_carrier_is_the_links() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let before = held(alpha)?;
    let mark = router.mark();
    alpha.link_down("va0")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let mark = router.mark();
    alpha.link_up("va0")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert_same(&held(alpha)?, &before, "after the link was down");
    router.stop()?;
    Ok(())
}

/// Two macvlans of one MAC cannot both be up on one interface.
#[test]
fn a_mac_that_is_taken_is_a_fault_with_its_reason() -> Result<()> {
    if is_keepalived("a link that cannot be brought up") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.sh(&format!("ip link add other link va0 address {MAC} up type macvlan mode bridge"))?;
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Fault)?;
    router.wait_log("bringing vrrp.51 up: Address already in use", SOON)?;
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", "other"])?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    router.stop()?;
    Ok(())
}

/// Reverse path filtering of `all` counts for every interface. keepalived 2.2.7 forgets some of them.
#[test]
fn every_interface_keeps_its_reverse_path_filter() -> Result<()> {
    if is_keepalived("`net.ipv4.conf.all.rp_filter`") {
        return Ok(());
    }
    let lan = host_for("sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth1.rp_filter=1")?;
    let alpha = &lan["alpha"];
    let filters = || {
        let names = ["all", "default", "va0", "eth1", LINK];
        names.map(|name| {
            let path = format!("/proc/sys/net/ipv4/conf/{name}/rp_filter");
            alpha.run(&["cat", &path]).map(|value| value.trim().to_owned()).unwrap_or_default()
        })
    };
    let before = filters();
    assert_eq!(before, ["2", "0", "0", "1", ""]);
    let router = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
    assert_eq!(filters(), ["0", "2", "2", "2", "0"]);
    router.stop()?;
    assert_eq!(filters(), before);
    Ok(())
}

/// Ours in a container that may make links, and whose settings are read-only.
fn contained(host: &Host) -> Result<Option<Subject>> {
    let Subject::Steadfast(binary) = ours() else { return Ok(None) };
    let script = format!(
        "#!/bin/sh\nexec unshare -m sh -c 'mount --bind /proc/sys /proc/sys && \
         mount -o remount,bind,ro /proc/sys && exec {} \"$@\"' sh \"$@\"\n",
        binary.display()
    );
    let contained = host.write("contained", &script)?;
    host.run(&["chmod", "+x", &contained.to_string_lossy()])?;
    Ok(Some(Subject::Steadfast(contained)))
}

/// What a router without a link of its own sets is a help, and no condition.
#[test]
fn read_only_settings_keep_no_router_without_a_link_of_its_own_from_its_work() -> Result<()> {
    if is_keepalived("settings of the network are read-only") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let Some(subject) = contained(&lan["alpha"])? else { return Ok(()) };
    let router =
        V3.alpha(150).line("promote_secondaries").start_until(&subject, &lan["alpha"], State::Master)?;
    router.wait_log("setting net.ipv4.conf.va0.promote_secondaries to 1: Read-only file system", SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    router.stop().map(drop)
}

#[test]
fn read_only_settings_are_said_and_a_fault_where_nothing_would_be_heard() -> Result<()> {
    if is_keepalived("settings of the network are read-only") {
        return Ok(());
    }
    for (filter, state) in [("0", State::Master), ("1", State::Fault)] {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        alpha.run(&["sysctl", "-qw", &format!("net.ipv4.conf.all.rp_filter={filter}")])?;
        let Some(subject) = contained(alpha)? else { return Ok(()) };
        let router = with_vmac(&[]).start_until(&subject, alpha, state)?;
        router.wait_log("setting net.ipv4.conf.va0.arp_ignore to 1: Read-only file system", SOON)?;
        if state == State::Fault {
            router.wait_log("no other router would be heard", SOON)?;
        }
        router.stop()?;
        assert!(alpha.exec(&["ip", "link", "show", LINK])?.stdout.is_empty());
    }
    Ok(())
}

/// ipvlan is a module that many kernels do not have; `tests/vm` tells what comes of it where there is one.
#[test]
fn a_kernel_without_ipvlan_is_a_fault_with_a_name() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let probe = alpha.exec(&["ip", "link", "add", "probe", "link", "va0", "type", "ipvlan", "mode", "l2"])?;
    if probe.status.success() {
        lab::note("what comes of a kernel without ipvlan is not told: this one has it");
    } else if !is_keepalived("`use_ipvlan` where the kernel has none") {
        let setup = V3.alpha(150).line("use_ipvlan shared 10.9.0.51");
        let router = setup.start_until(&ours(), alpha, State::Fault)?;
        router.wait_log("creating ipvlan shared on va0: ", SOON)?;
        router.stop()?;
    }
    Ok(())
}

/// The kernel puts a macvlan of a macvlan beside it, on the interface below.
#[test]
fn a_virtual_router_may_be_on_a_macvlan() -> Result<()> {
    let lan = host_for("ip link add mv0 link va0 type macvlan mode bridge && ip link set mv0 up")?;
    let alpha = &lan["alpha"];
    alpha.run(&["ip", "addr", "add", "10.9.0.7/24", "dev", "mv0"])?;
    let setup = Setup { interface: "mv0".into(), ..with_vmac(&[]) };
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() > 3)?;
    assert!(adverts.iter().all(|advert| advert.src.to_string() == "10.9.0.7"));
    assert!(sources(&capture, is_vrrp).iter().all(|mac| mac == MAC));
    assert_eq!(router.entries(VI, State::Master), 1);
    router.stop()?;
    Ok(())
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_whatever_it_is_to_do() {
    if is_keepalived("link, rules and settings of a run that was killed") {
        return;
    }
    // No link at all; one of another name; one on another interface, with tables of another name.
    let elsewhere = Setup {
        interface: "eth1".into(),
        vips: vec!["10.9.1.100/24".into()],
        before: globals("nftables other"),
        ..with_vmac(&[])
    };
    let cases = [V3.alpha(150), V3.alpha(150).line("use_vmac edge"), elsewhere];
    side_by_side(&cases, |next| {
        let lan = host_for("true")?;
        let alpha = &lan["alpha"];
        let at_first = held(alpha)?;
        let while_master = {
            let router = next.start_until(&ours(), alpha, State::Master)?;
            settled(alpha, &next.vips[0])?;
            let held = held(alpha)?;
            router.stop()?;
            held
        };
        let killed = with_vmac(&[]).start_until(&ours(), alpha, State::Master)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        killed.kill9();
        drop(killed);
        assert!(held(alpha)?.iter().any(|line| line.starts_with(LINK)), "the story is about what it leaves");
        let router = next.start_until(&ours(), alpha, State::Master)?;
        settled(alpha, &next.vips[0])?;
        wait::until("only what the second run needs", SOON, || {
            let now = held(alpha).map_err(|error| error.to_string())?;
            let other: Vec<_> = now.symmetric_difference(&while_master).cloned().collect();
            if other.is_empty() { Ok(()) } else { Err(other.join("\n")) }
        })?;
        router.stop()?;
        assert_same(&held(alpha)?, &at_first, "after its stop");
        Ok(())
    });
}

/// Waits until a host has a virtual address.
fn settled(host: &Host, vip: &str) -> Result<()> {
    let address = vip.split('/').next().unwrap_or_default();
    wait::until_true("the virtual address", SOON, || host.has_address(address))
}
