//! `no_accept` and strict mode: a MASTER answers for its addresses and takes no packet that is sent to them.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lab::{Host, Lan, Result, Router, State, wait};

use crate::world::{SOON, Setup, V3, V3_IPV6, VI, VIP, VIP6, ours, side_by_side};

/// How long nothing has to be heard: a host on the same link answers within milliseconds.
const UNANSWERED: Duration = Duration::from_secs(1);

/// The rules of a host, without what differs from run to run: blanks and line breaks within lists.
fn rules(host: &Host) -> Result<Vec<String>> {
    let text = host.run(&["nft", "list", "ruleset"])?;
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(joined.split(" } ").map(str::to_owned).collect())
}

/// The same as text that a failure shows well.
fn listing(host: &Host) -> Result<String> {
    Ok(rules(host)?.join("\n"))
}

const OF_IPV4: &str = "\
    table ip keepalived { set vips { type ipv4_addr elements = { 10.9.0.100\n\
    chain out { type filter hook output priority filter - 1; policy accept; ip saddr @vips drop\n\
    chain in { type filter hook input priority filter - 1; policy accept; ip daddr @vips drop } }";

const OF_IPV6: &str = "\
    table ip6 keepalived { set vips { type ipv6_addr elements = { 2001:db8:9::100\n\
    set neighbor-discovery { type icmpv6_type flags constant elements = { nd-neighbor-solicit, nd-neighbor-advert\n\
    set vips_link_local { type ipv6_addr . iface_index elements = { fe80::51 . \"va0\"\n\
    chain out { type filter hook output priority filter - 1; policy accept; \
    icmpv6 type @neighbor-discovery accept ip6 saddr fe80::/10 goto out_link_local ip6 saddr @vips drop\n\
    chain in { type filter hook input priority filter - 1; policy accept; \
    icmpv6 type @neighbor-discovery accept ip6 daddr fe80::/10 goto in_link_local ip6 daddr @vips drop\n\
    chain in_link_local { ip6 daddr . iif @vips_link_local drop\n\
    chain out_link_local { ip6 saddr . oif @vips_link_local drop } }";

/// A comparison that does not depend on the order in which chains and sets were made.
fn parts(listing: &str) -> Vec<String> {
    let mut parts: Vec<String> = listing
        .replace("table ip keepalived { ", "")
        .replace("table ip6 keepalived { ", "")
        .replace(" }", "")
        .lines()
        .map(|line| line.trim_matches([' ', '}']).to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    parts.sort();
    parts
}

/// Whether `from` gets an answer from an address: that nobody listens there is one.
fn answers(from: &Host, address: &str) -> Result<bool> {
    let to = SocketAddr::new(address.parse().expect("it is an address"), 9);
    let outcome = from.inside(|| TcpStream::connect_timeout(&to, UNANSWERED))?;
    Ok(outcome.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}

#[test]
fn the_rules_of_a_master_that_accepts_nothing_are_keepalived_s() {
    let cases = [
        (V3, VIP, OF_IPV4, "# nothing"),
        (V3_IPV6, VIP6, OF_IPV6, "# nothing"),
        // Which is the usual way.
        (V3_IPV6, VIP6, OF_IPV6, "nftables_ifindex"),
    ];
    side_by_side(&cases, |(talk, vip, expected, global)| {
        let lan = talk.lan()?;
        let alpha = &lan["alpha"];
        let before = format!("global_defs {{\n  {global}\n}}\n");
        let setup = Setup { before, ..talk.alpha(100).line("no_accept") };
        let router = setup.start_until(&ours(), alpha, State::Master)?;
        lan.wait_holder(vip, "alpha", SOON)?;
        let seen = listing(alpha)?;
        assert_eq!(parts(&seen), parts(expected), "{seen}");
        // A better router comes: what it takes over is accepted again, should the host have it otherwise.
        let better = talk.beta(150).start_until(&ours(), &lan["beta"], State::Master)?;
        router.wait_entering(VI, State::Backup, SOON)?;
        let is_gone =
            || listing(alpha).is_ok_and(|seen| !seen.contains("elements = { 10.") && !seen.contains("::100"));
        wait::until_true("no address in the rules", SOON, is_gone)?;
        drop(better);
        router.stop()?;
        wait::until_true("no rules", SOON, || listing(alpha).is_ok_and(|seen| seen.is_empty()))
    });
}

#[test]
fn packets_to_the_addresses_are_accepted_unless_told_otherwise() {
    let cases = [
        ("# nothing", 100, true),
        ("no_accept", 100, false),
        ("no_accept\n  accept", 100, true),
        ("strict_mode", 100, false),
        ("strict_mode\n  accept", 100, true),
        // An owner accepts whatever it is told.
        ("no_accept", 255, true),
    ];
    side_by_side(&cases, |(line, priority, accepted)| {
        let lan = Lan::pair()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let setup = Setup { advert_int: "0.2".into(), ..V3.alpha(*priority).line(*line) };
        // An owner in strict mode, and only an owner, is MASTER from the start.
        let _router = setup.start_until(&ours(), alpha, State::Master)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        assert_eq!(answers(beta, VIP)?, *accepted);
        assert!(answers(beta, "10.9.0.1")?, "its own address answers");
        // It answers for the address all the same.
        let neighbours = beta.run(&["ip", "neigh", "show", VIP])?;
        assert!(neighbours.contains("lladdr"), "{neighbours}");
        Ok(())
    });
}

/// RFC 9568 §6.1 (6.1-1).
#[test]
fn neighbours_find_the_addresses_of_a_master_that_accepts_nothing() {
    side_by_side(&[(V3, VIP), (V3_IPV6, VIP6)], |(talk, vip)| {
        let lan = talk.lan()?;
        let beta = &lan["beta"];
        let _router = talk.alpha(100).line("no_accept").start_until(&ours(), &lan["alpha"], State::Master)?;
        lan.wait_holder(vip, "alpha", SOON)?;
        let is_found = || {
            // What was announced does not count.
            let forgets = beta.run(&["ip", "neigh", "flush", "dev", "vb0"]).is_ok();
            let refuses = answers(beta, vip).is_ok_and(|answers| !answers);
            let known = beta.run(&["ip", "neigh", "show", vip, "dev", "vb0"]).unwrap_or_default();
            forgets && refuses && known.contains("lladdr")
        };
        wait::until_true("the address to be found", SOON, is_found)
    });
}

/// What an earlier run left would keep packets out of a host that has the address for another reason.
#[test]
fn rules_of_a_run_that_was_killed_are_replaced() -> Result<()> {
    if crate::world::is_keepalived("rules that a killed daemon left") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let setup = V3.alpha(100).line("no_accept");
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    router.kill9();
    assert!(listing(alpha)?.contains(VIP));
    let better = V3.beta(150).start_until(&ours(), &lan["beta"], State::Master)?;
    let router = Router::start(&ours(), alpha, "again", &setup.text())?;
    router.wait_entering(VI, State::Backup, SOON)?;
    wait::until_true("no rules", SOON, || listing(alpha).is_ok_and(|seen| !seen.contains(VIP)))?;
    better.stop()?;
    router.wait_entering(VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert!(listing(alpha)?.contains(VIP));
    // Somebody flushes all rules: the next change makes them anew.
    alpha.run(&["nft", "flush", "ruleset"])?;
    let better = V3.beta(150).start_until(&ours(), &lan["beta"], State::Master)?;
    let entries = || router.entries(VI, State::Backup);
    wait::until_eq("BACKUP again", SOON, &2, entries)?;
    better.stop()?;
    wait::until_true("the rules", SOON, || listing(alpha).is_ok_and(|seen| seen.contains(VIP)))
}
