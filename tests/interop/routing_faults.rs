//! Routes and rules when something goes wrong: the kernel refuses one, an interface is made again, reports are lost, the
//! run before was killed.

use lab::{Host, Result, Router, State, wait};
use nix::sys::signal::Signal;

use crate::resilience::batch;
use crate::routes::{Monitor, lan, setup, shown};
use crate::world::{SOON, Setup, VI, VIP, is_keepalived, ours};

/// Waits until the kernel holds exactly these lines beside what was there `before`.
fn wait_held(router: &Router, host: &Host, before: &[String], lines: &[&str]) -> Result<()> {
    wait::until("exactly the routes and rules that there are to be", SOON, || {
        let mut added = shown(host).map_err(|error| error.to_string())?;
        added.retain(|line| !before.contains(line));
        let has_all = lines.iter().all(|wanted| added.iter().any(|line| line.contains(wanted)));
        let complete = has_all && added.len() == lines.len();
        if complete { Ok(()) } else { Err(format!("{added:#?}\n{}", router.process().log_tail())) }
    })
}

#[test]
fn a_route_that_the_kernel_refuses_is_tried_until_it_takes_it() -> Result<()> {
    if is_keepalived("virtual route that the kernel refuses") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let routes = ["10.70.0.0/16 via 172.16.0.1 dev va0", "10.71.0.0/16 via 10.9.0.9 dev va0"];
    let router = setup(&routes, &["from 10.70.0.0/16 table 60 preference 600"]).start_until(
        &ours(),
        alpha,
        State::Master,
    )?;
    // One that is refused keeps nothing else out.
    wait_held(&router, alpha, &before, &["10.71.0.0/16", "600:"])?;
    router.wait_log("adding route 10.70.0.0/16 via 172.16.0.1 dev va0: ", SOON)?;
    alpha.add_address("172.16.0.9/24", "va0")?;
    wait_held(&router, alpha, &before, &["10.70.0.0/16 via 172.16.0.1", "10.71.0.0/16", "600:"])?;
    // The same refusal is said once, however often it is heard.
    assert_eq!(router.log().matches("adding route 10.70.0.0/16").count(), 1, "{}", router.log());
    assert_eq!((router.entries(VI, State::Master), router.entries(VI, State::Fault)), (1, 0));
    router.stop()?;
    wait_held(&router, alpha, &before, &[])
}

#[test]
fn an_interface_that_is_made_again_gets_its_routes_again() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let make = "ip link add d0 type veth peer name d1 && ip addr add 10.72.0.1/24 dev d0 && \
                ip link set d0 up && ip link set d1 up";
    alpha.sh(make)?;
    let before = shown(alpha)?;
    let routes =
        ["10.73.0.0/16 via 10.72.0.9 dev d0", "10.71.0.0/16 via 10.9.0.9 dev va0", "blackhole 10.74.0.0/16"];
    let rules = ["from 10.70.0.0/16 iif d0 table 60 preference 600"];
    let held = ["10.73.0.0/16 via 10.72.0.9 dev d0", "10.71.0.0/16", "10.74.0.0/16", "600:"];
    let router = setup(&routes, &rules).start_until(&ours(), alpha, State::Master)?;
    wait_held(&router, alpha, &before, &held)?;
    // Without the interface the router cannot do what it is for.
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", "d0"])?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    wait_held(&router, alpha, &before, &[])?;
    let mark = router.mark();
    alpha.sh(make)?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    wait_held(&router, alpha, &before, &held)?;
    router.stop()?;
    wait_held(&router, alpha, &before, &[])
}

#[test]
fn the_routers_own_interface_may_be_made_again_under_its_routes() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let routes = [
        "10.71.0.0/16 via 10.9.0.9 dev va0",
        "10.72.0.0/16 nexthop via 10.9.0.7 dev va0 nexthop via 10.8.0.8 dev va1",
    ];
    let rules = ["to 10.71.0.0/16 table 60 preference 600"];
    let held = ["10.71.0.0/16", "10.72.0.0/16", "600:"];
    // The route of the interface's own subnet is the kernel's.
    let before = shown(alpha)?;
    let router = setup(&routes, &rules).start_until(&ours(), alpha, State::Master)?;
    wait_held(&router, alpha, &before, &held)?;
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", "va0"])?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    wait_held(&router, alpha, &before, &[])?;
    let switch = alpha.namespace().replace("-alpha", "-bridge0");
    let mark = router.mark();
    alpha.sh(&format!(
        "ip link add va0 type veth peer name p0 netns {switch} && ip -n {switch} link set p0 master br0 up && \
         ip addr add 10.9.0.1/24 dev va0 && ip link set va0 up"
    ))?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    wait_held(&router, alpha, &before, &held)?;
    router.stop()?;
    wait_held(&router, alpha, &before, &[])
}

#[test]
fn routes_and_rules_that_go_amid_ten_thousand_lost_reports_are_back() -> Result<()> {
    if is_keepalived("reports of links and addresses lost while the process did not run") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let routes = [
        "10.71.0.0/16 via 10.9.0.9 dev va0",
        "10.72.0.0/16 via 10.9.0.9 dev va0",
        "2001:db8:60::/48 via fe80::9 dev va0",
    ];
    let rules =
        ["from 10.60.0.0/16 table 60 preference 600", "from 2001:db8:60::/48 table 60 preference 602"];
    let held = ["10.71.0.0/16", "10.72.0.0/16", "2001:db8:60::/48 via", "600:", "602:"];
    let router = setup(&routes, &rules).start_until(&ours(), alpha, State::Master)?;
    wait_held(&router, alpha, &before, &held)?;

    router.signal_vrrp(Signal::SIGSTOP)?;
    // Ten thousand changes before, and ten thousand after: nothing of what is in between is reported.
    let churn = "addr add 10.201.0.1/32 dev lo\naddr del 10.201.0.1/32 dev lo\n".repeat(5_000);
    batch(alpha, &churn)?;
    alpha.sh(
        "ip route del 10.71.0.0/16 && ip -6 route del 2001:db8:60::/48 && ip rule del preference 600 && \
         ip route replace 10.72.0.0/16 via 10.9.0.8 dev va0 && ip -6 rule del preference 602",
    )?;
    batch(alpha, &churn)?;
    let mark = router.mark();
    router.signal_vrrp(Signal::SIGCONT)?;
    router.process().wait_log_since(mark, "listing them anew", SOON)?;
    wait::until_true("all routes and rules", SOON, || {
        shown(alpha).is_ok_and(|now| held.iter().all(|wanted| now.iter().any(|line| line.contains(wanted))))
    })?;
    assert_eq!(
        (router.entries(VI, State::Master), router.entries(VI, State::Fault)),
        (1, 0),
        "{}",
        router.log()
    );
    router.stop().map(drop)
}

/// A router that is MASTER from its start, with an address, a route and a rule.
fn owner() -> Setup {
    let routes = ["src 10.9.0.100 10.71.0.0/16 via 10.9.0.9 dev va0", "2001:db8:60::/48 via fe80::9 dev va0"];
    let mut owner = setup(&routes, &["from 10.60.0.0/16 table 60 preference 600"]);
    owner.priority = 255;
    owner
}

#[test]
fn an_owner_goes_on_with_what_its_killed_run_left() -> Result<()> {
    if is_keepalived("what an earlier run left of a router that is MASTER from its start") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let held = ["10.71.0.0/16", "2001:db8:60::/48 via", "600:"];
    let text = owner().text().replace("state BACKUP", "state MASTER");
    let first = Router::start(&ours(), alpha, "alpha", &text)?;
    wait_held(&first, alpha, &before, &held)?;
    first.kill9();
    drop(first);
    let monitor = Monitor::start(alpha)?;
    let second = Router::start(&ours(), alpha, "alpha", &text)?;
    second.wait_entering(VI, State::Master, SOON)?;
    second.wait_log("goes on with route 10.71.0.0/16 via 10.9.0.9 dev va0, left by an earlier run", SOON)?;
    assert!(alpha.has_address(VIP));
    // Whatever is done to them has been done when the router says farewell.
    second.stop()?;
    wait_held(&second, alpha, &before, &[])?;
    assert!(!alpha.has_address(VIP));
    let changes = monitor.changes();
    assert!(changes.iter().all(|line| line.contains("Deleted")), "added again: {changes:#?}");
    Ok(())
}

#[test]
fn a_route_waits_for_the_address_that_it_comes_from() -> Result<()> {
    if is_keepalived("virtual route whose source is a VIP with `-nodad`") {
        return Ok(());
    }
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let before = shown(alpha)?;
    let setup = setup(&["src 2001:db8:9::100 2001:db8:70::/48 via fe80::9 dev va0"], &[])
        .line("virtual_ipaddress_excluded {\n    2001:db8:9::100/64 dev va0 -nodad\n  }");
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    wait_held(&router, alpha, &before, &["2001:db8:70::/48 via fe80::9 dev va0"])?;
    router.stop()?;
    wait_held(&router, alpha, &before, &[])
}
