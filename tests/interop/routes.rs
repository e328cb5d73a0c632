//! Routes and rules in the kernel: the same as under keepalived, in the same order, only while MASTER, and whatever
//! others do to them.

use lab::lan::Join;
use lab::process::Process;
use lab::{Host, Lan, Result, Router, State, Subject, wait};

use crate::world::{SOON, Setup, V3, is_keepalived, ours};

/// Routes of both families with what most files use.
const ROUTES: [&str; 9] = [
    "10.60.0.0/16 via 10.9.0.9 dev va0",
    "src 10.9.0.100 10.61.0.0/16 via 10.9.0.9 dev va0 metric 5",
    "10.62.0.0/16 via 10.9.0.9",
    "10.62.1.0/24 dev va1 scope link no_track",
    "blackhole 10.63.0.0/16",
    "10.64.0.0/16 nexthop via 10.9.0.7 dev va0 weight 2 nexthop via 10.9.0.8 dev va0",
    "10.66.0.0/16 via 10.9.0.9 dev va0 table 66 add",
    "2001:db8:60::/48 via fe80::9 dev va0",
    "2001:db8:61::/48 dev va1 metric 7",
];
/// And rules.
const RULES: [&str; 4] = [
    "from 10.60.0.0/16 table 60 preference 600",
    "to 10.60.0.0/16 iif va1 table 60 preference 601",
    "from 2001:db8:60::/48 table 60 preference 602",
    "fwmark 7/15 blackhole preference 603",
];

/// alpha with two interfaces, beta on the same links.
pub(crate) fn lan() -> Result<Lan> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")])?;
    for interface in ["va0", "va1"] {
        wait::until_true("the links' own IPv6 addresses", SOON, || {
            let shown = lan["alpha"].run(&["ip", "-6", "addr", "show", "dev", interface]).unwrap_or_default();
            shown.contains("fe80::") && !shown.contains("tentative")
        })?;
    }
    Ok(lan)
}

pub(crate) fn setup(routes: &[&str], rules: &[&str]) -> Setup {
    let block = |name: &str, lines: &[&str]| format!("{name} {{\n    {}\n  }}", lines.join("\n    "));
    V3.alpha(150).line(block("virtual_routes", routes)).line(block("virtual_rules", rules))
}

/// All routes that are not the kernel's own, and all rules.
pub(crate) fn shown(host: &Host) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for family in ["-4", "-6"] {
        let routes = host.run(&["ip", family, "-o", "-d", "route", "show", "table", "all"])?;
        lines.extend(routes.lines().filter(|line| !line.contains("proto kernel")).map(tidy));
        lines.extend(host.run(&["ip", family, "-d", "rule"])?.lines().map(tidy));
    }
    Ok(lines)
}

/// Without the backslashes and blanks of `ip -o`.
fn tidy(line: &str) -> String {
    line.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What changes, in the kernel's order.
pub(crate) struct Monitor(Process);

impl Monitor {
    const MARKER: &str = "32000";

    pub(crate) fn start(host: &Host) -> Result<Self> {
        let process = host.spawn("changes", &["ip", "-o", "monitor", "all"])?;
        wait::until("the monitor to listen", SOON, || {
            let rule = |what| host.run(&["ip", "rule", what, "table", "7", "preference", Self::MARKER]);
            rule("add").and_then(|_| rule("del")).map_err(|error| error.to_string())?;
            if process.log().contains(Self::MARKER) { Ok(()) } else { Err(process.log()) }
        })?;
        Ok(Self(process))
    }

    /// Addresses, routes and rules that came or went, without those that the kernel adds by itself.
    pub(crate) fn changes(&self) -> Vec<String> {
        let log = self.0.log();
        let is_ours = |line: &&str| {
            let kind = ["[ADDR]", "[ROUTE]", "[RULE]"].iter().any(|kind| line.starts_with(kind));
            kind && !line.contains("proto kernel")
                && !line.contains(Self::MARKER)
                && !line.contains("fe80::/64")
        };
        let without_index = |line: String| match line.split_once(": ") {
            Some((before, rest)) if before.starts_with("[ADDR]") => {
                format!("{} {rest}", before.trim_end_matches(|c: char| c.is_ascii_digit()))
            }
            _ => line,
        };
        log.lines().filter(is_ours).map(tidy).map(without_index).collect()
    }
}

/// What is there while MASTER, and every change from the start to the end.
fn life(subject: &Subject) -> Result<(Vec<String>, Vec<String>)> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let monitor = Monitor::start(alpha)?;
    let router = setup(&ROUTES, &RULES).start_until(subject, alpha, State::Master)?;
    let last = "lookup 60";
    wait::until("all routes and rules", SOON, || {
        let held = shown(alpha).unwrap_or_default();
        let complete = held.len() == before.len() + ROUTES.len() + RULES.len()
            && held.iter().any(|line| line.contains(last));
        if complete { Ok(()) } else { Err(format!("{held:#?}\n{}", router.log())) }
    })?;
    let held = shown(alpha)?;
    router.stop()?;
    assert_eq!(shown(alpha)?, before, "after the stop");
    let both = monitor.changes();
    Ok((held, both))
}

#[test]
fn routes_and_rules_and_their_order_are_the_same_under_both_daemons() -> Result<()> {
    let (ours, our_changes) = life(&ours())?;
    let (theirs, their_changes) = life(&Subject::Keepalived)?;
    assert_eq!(ours, theirs);
    assert_eq!(our_changes, their_changes);
    // Addresses, routes and rules on the way in; rules, routes and addresses on the way out.
    let kinds: Vec<_> = our_changes.iter().filter_map(|line| line.split(']').next()).collect();
    let mut runs = kinds.clone();
    runs.dedup();
    assert_eq!(runs, ["[ADDR", "[ROUTE", "[RULE", "[ROUTE", "[ADDR"], "{our_changes:#?}");
    Ok(())
}

#[test]
fn what_another_program_removes_or_replaces_is_back_at_once() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let router = setup(&ROUTES, &RULES).start_until(&ours(), alpha, State::Master)?;
    let complete = |held: &[String]| held.iter().filter(|line| line.contains("keepalived")).count() == 13;
    wait::until_true("all routes and rules", SOON, || shown(alpha).is_ok_and(|held| complete(&held)))?;
    let held = shown(alpha)?;
    for (change, told) in [
        ("route del 10.60.0.0/16", "route 10.60.0.0/16 via 10.9.0.9 dev va0 was removed"),
        ("route del 10.62.0.0/16", "route 10.62.0.0/16 via 10.9.0.9 was removed"),
        ("-6 route del 2001:db8:60::/48", "route 2001:db8:60::/48 via fe80::9 dev va0 was removed"),
        ("rule del preference 600", "rule from 10.60.0.0/16 preference 600 was removed"),
        (
            "route change 10.61.0.0/16 via 10.9.0.8 dev va0 metric 5",
            "route 10.61.0.0/16 via 10.9.0.9 dev va0 metric 5 was removed",
        ),
    ] {
        let argv: Vec<&str> = ["ip"].into_iter().chain(change.split(' ')).collect();
        alpha.run(&argv)?;
        router.wait_log(told, SOON)?;
        wait::until(&format!("everything after {change}"), SOON, || {
            let now = shown(alpha).unwrap_or_default();
            // What replaced a route stays beside it.
            if held.iter().all(|line| now.contains(line)) { Ok(()) } else { Err(format!("{now:#?}")) }
        })?;
    }
    assert_eq!(router.entries("VI", State::Master), 1);
    router.stop().map(drop)
}

#[test]
fn the_loss_of_what_nobody_tracks_is_left_as_it_is() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let routes = ["10.62.1.0/24 dev va1 scope link no_track", "10.60.0.0/16 via 10.9.0.9 dev va0"];
    let mut setup = setup(&routes, &["from 10.60.0.0/16 table 60 preference 600 no_track"]);
    setup.vips.push("10.9.0.102/24 no_track".into());
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    wait::until_true("the rule", SOON, || {
        shown(alpha).is_ok_and(|held| held.iter().any(|l| l.starts_with("600:")))
    })?;
    alpha.run(&["ip", "route", "del", "10.62.1.0/24"])?;
    alpha.run(&["ip", "rule", "del", "preference", "600"])?;
    alpha.del_address("10.9.0.102/24", "va0")?;
    // An interface that only they need may go down.
    alpha.link_down("va1")?;
    // Whatever is done about it has been done by the time that something else is noticed and mended.
    alpha.run(&["ip", "route", "del", "10.60.0.0/16"])?;
    wait::until_true("the tracked route", SOON, || {
        shown(alpha).is_ok_and(|held| held.iter().any(|line| line.contains("10.60.0.0/16 via")))
    })?;
    let held = shown(alpha)?;
    assert!(!held.iter().any(|line| line.contains("10.62.1.0/24") || line.starts_with("600:")), "{held:#?}");
    assert!(!alpha.has_address("10.9.0.102"));
    assert_eq!(router.entries("VI", State::Fault), 0);
    router.stop().map(drop)
}

#[test]
fn routes_and_rules_left_by_a_dead_run_are_removed_at_the_next_start() -> Result<()> {
    if is_keepalived("virtual routes that a killed run left") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let setup = setup(&ROUTES, &RULES);
    let first = setup.start_until(&ours(), alpha, State::Master)?;
    wait::until_true("the last rule", SOON, || {
        shown(alpha).is_ok_and(|held| held.iter().any(|line| line.starts_with("602:")))
    })?;
    first.kill9();
    drop(first);
    assert!(shown(alpha)?.len() > before.len());
    let mut text = setup.text();
    // It hears a better router, so to speak: nothing makes it MASTER.
    text = text.replace("advert_int 0.2", "advert_int 40");
    let second = Router::start(&ours(), alpha, "alpha", &text)?;
    second.wait_entering("VI", State::Backup, SOON)?;
    assert_eq!(shown(alpha)?, before);
    second.stop().map(drop)
}
