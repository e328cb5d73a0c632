//! Static addresses, routes and rules: there from the start to the end, whoever is MASTER.

use lab::{Host, Result, Router, State, wait};

use crate::routes::{Monitor, lan, shown};
use crate::world::{SOON, V3, VI, is_keepalived, ours};

const BLOCKS: &str = "track_group SUFFERS {\n  group {\n    VI\n  }\n}\n\
    static_ipaddress {\n  10.9.7.1/24 dev va1 track_group SUFFERS\n  2001:db8:7::1/64 dev va1\n}\n\
    static_routes {\n  10.70.0.0/16 via 10.9.7.9 dev va1\n  10.71.0.0/16 via 10.9.7.9 dev va1 src 10.9.7.1\n  \
    2001:db8:70::/48 via fe80::9 dev va1\n}\n\
    static_rules {\n  from 10.70.0.0/16 table 70 preference 700\n  from 2001:db8:70::/48 table 70 preference 701\n}\n";
const ITEMS: usize = 5;

fn start(host: &Host) -> Result<Router> {
    let mut setup = V3.alpha(150);
    setup.before = BLOCKS.into();
    setup.start_until(&ours(), host, State::Master)
}

/// Whether all routes and rules and both addresses are there.
fn complete(host: &Host) -> std::result::Result<(), String> {
    let held = shown(host).unwrap_or_default();
    let count = held.iter().filter(|line| line.contains("proto keepalived")).count();
    let addresses = host.has_address("10.9.7.1") && host.has_address("2001:db8:7::1");
    if count == ITEMS && addresses { Ok(()) } else { Err(format!("{held:#?}, addresses: {addresses}")) }
}

#[test]
fn static_items_come_before_the_first_state_and_go_last() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let monitor = Monitor::start(alpha)?;
    let router = start(alpha)?;
    complete(alpha).expect("they are there before a router is MASTER");
    lan.wait_holder("10.9.0.100", "alpha", SOON)?;
    router.stop()?;
    assert_eq!(shown(alpha)?, before);
    assert!(!alpha.has_address("10.9.7.1"));
    let mut order = Vec::new();
    for change in monitor.changes() {
        let word = ["10.9.7.1/24", "10.70.0.0/16 via", "preference 700", "700:", "10.9.0.100"];
        if let Some(word) = word.into_iter().find(|word| change.contains(word)) {
            order.push((change.contains("Deleted"), word));
        }
    }
    order.dedup();
    let coming =
        [(false, "10.9.7.1/24"), (false, "10.70.0.0/16 via"), (false, "700:"), (false, "10.9.0.100")];
    let going = [(true, "10.9.0.100"), (true, "700:"), (true, "10.70.0.0/16 via"), (true, "10.9.7.1/24")];
    // A route with the address as its source may come and go in between.
    order.retain(|(_, word)| coming.iter().any(|(_, known)| known == word));
    assert_eq!(order, [coming, going].concat());
    Ok(())
}

#[test]
fn static_items_that_another_program_removes_are_back_at_once() -> Result<()> {
    if is_keepalived("static route or rule removed by another program") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let router = start(alpha)?;
    complete(alpha).expect("they are there before a router is MASTER");
    for removal in [
        "route del 10.70.0.0/16",
        "-6 route del 2001:db8:70::/48",
        "rule del preference 700",
        "addr del 10.9.7.1/24 dev va1",
    ] {
        let argv: Vec<&str> = ["ip"].into_iter().chain(removal.split(' ')).collect();
        alpha.run(&argv)?;
        let what = format!("everything after {removal}");
        wait::until(&what, SOON, || complete(alpha))?;
    }
    assert_eq!(router.entries(VI, State::Master), 1);
    assert_eq!(router.entries(VI, State::Fault), 0);
    router.stop().map(drop)
}

#[test]
fn an_instance_of_a_track_group_suffers_with_the_interface_of_its_items() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let router = start(alpha)?;
    let fallen = router.mark();
    alpha.link_down("va1")?;
    router.wait_entering_since(fallen, VI, State::Fault, SOON)?;
    let risen = router.mark();
    alpha.link_up("va1")?;
    router.wait_entering_since(risen, VI, State::Master, SOON)?;
    wait::until("everything that went with the interface", SOON, || {
        let held = shown(alpha).unwrap_or_default();
        // The kernel takes an IPv6 address away with its link, and keepalived leaves it at that.
        let ways = held.iter().filter(|line| line.contains("proto keepalived")).count();
        if ways == ITEMS && alpha.has_address("10.9.7.1") { Ok(()) } else { Err(format!("{held:#?}")) }
    })?;
    router.stop().map(drop)
}

#[test]
fn default_interface_is_that_of_static_addresses_that_name_none() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let mut setup = V3.alpha(150);
    setup.before = "global_defs {\n  default_interface va1\n}\nstatic_ipaddress {\n  10.9.7.1/24\n}\n".into();
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let shown = alpha.run(&["ip", "-o", "address", "show", "dev", "va1"])?;
    assert!(shown.contains("10.9.7.1/24"), "{shown}");
    router.stop()?;
    assert!(!alpha.has_address("10.9.7.1"));
    Ok(())
}
