//! What the host holds over a reload: addresses, static items, links of the routers' own.

use std::time::Duration;

use lab::monitor::AddressMonitor;
use lab::{Lan, Result, Router, State, wait};

use crate::reload_scene::{ALPHA, Scene, setup};
use crate::vmac::held;
use crate::world::{SOON, Setup, VIP, from, is_keepalived, ours};

#[test]
fn addresses_come_and_go_and_those_that_stay_are_not_touched() -> Result<()> {
    let with = |last: &[u8]| {
        let mut setup = setup(150);
        setup.vips = last.iter().map(|last| format!("10.9.0.{last}/24")).collect();
        setup.text()
    };
    let scene = Scene::alone(&with(&[100, 101]))?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    scene.reload(&with(&[100, 102]))?;
    monitor.wait_change("10.9.0.102", true, Duration::ZERO, SOON)?;
    monitor.wait_change("10.9.0.101", false, Duration::ZERO, SOON)?;
    scene.goes_on(&capture)?;
    assert!(
        monitor.changes().iter().all(|change| !change.address.starts_with(VIP)),
        "{:?}",
        monitor.changes()
    );
    let addresses = |advert: &lab::pcap::Vrrp| advert.message[8..16].to_vec();
    let adverts = capture.vrrp()?;
    let last = from(&adverts, ALPHA).last().map(|advert| addresses(advert));
    assert_eq!(last, Some(vec![10, 9, 0, 100, 10, 9, 0, 102]));
    Ok(())
}

#[test]
fn an_address_that_moves_between_routers_stays() -> Result<()> {
    if is_keepalived("SIGHUP: an address that moves between two instances") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let text = |one: &str, two: &str| {
        let router = |vrid: u8, vips: &str| {
            let vips = vips.split(' ').map(|last| format!("10.9.0.{last}/24")).collect();
            Setup { vrid, vips, ..setup(150) }
        };
        router(1, one).instance("ONE") + &router(2, two).instance("TWO")
    };
    let router = Router::start(&ours(), alpha, "alpha", &text("101 103", "102"))?;
    for name in ["ONE", "TWO"] {
        router.wait_entering(name, State::Master, SOON)?;
    }
    let all = ["10.9.0.101", "10.9.0.102", "10.9.0.103"];
    wait::until_true("the addresses", SOON, || all.iter().all(|address| alpha.has_address(address)))?;
    let monitor = AddressMonitor::start(alpha)?;
    router.reload(alpha, "alpha", &text("101", "102 103"), SOON)?;
    assert!(monitor.changes().is_empty(), "{:?}", monitor.changes());
    assert!(alpha.has_address("10.9.0.103"));
    router.reload(alpha, "alpha", &text("101", "102"), SOON)?;
    monitor.wait_change("10.9.0.103", false, Duration::ZERO, SOON).map(drop)
}

#[test]
fn static_addresses_and_routes_come_and_go() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let alpha = scene.alpha();
    let monitor = AddressMonitor::start(alpha)?;
    let with = |address: &str, route: &str| {
        format!(
            "static_ipaddress {{\n  10.8.0.1/24 dev va0\n  {address}\n}}\nstatic_routes {{\n  {route} via 10.8.0.9 dev va0\n}}\n{text}"
        )
    };
    let routes = || alpha.run(&["ip", "route"]).unwrap_or_default();
    scene.reload(&with("10.8.1.1/24 dev va0", "10.70.0.0/16"))?;
    wait::until_true("the first", SOON, || {
        alpha.has_address("10.8.1.1") && routes().contains("10.70.0.0/16")
    })?;
    scene.reload(&with("10.8.2.1/24 dev va0", "10.71.0.0/16"))?;
    wait::until_true("the second", SOON, || {
        let (addresses, routes) = (alpha.has_address("10.8.2.1") && !alpha.has_address("10.8.1.1"), routes());
        addresses && routes.contains("10.71.0.0/16") && !routes.contains("10.70.0.0/16")
    })?;
    let stays = monitor.changes().into_iter().filter(|change| change.address.starts_with("10.8.0.1/"));
    assert_eq!(stays.count(), 1, "{:?}", monitor.changes());
    scene.reload(&text)?;
    wait::until_true("none", SOON, || !alpha.has_address("10.8.0.1") && !routes().contains("10.71.0.0/16"))
}

#[test]
fn a_router_with_a_link_of_its_own_comes_and_goes() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (alpha, capture) = (scene.alpha(), scene.capture()?);
    let before = held(alpha)?;
    let mut other = setup(150).line("use_vmac");
    (other.vrid, other.vips) = (52, vec!["10.9.0.110/24".into()]);
    for round in 0..2 {
        let mark = scene.router.mark();
        scene.reload(&(text.clone() + &other.instance("OWN")))?;
        scene.router.wait_entering_since(mark, "OWN", State::Master, SOON)?;
        let said = scene.router.process().log_since(mark);
        assert!(!said.contains("(OWN) Entering FAULT"), "{said}");
        // Its number and name: the kernel tells the state of a new link when it comes to it.
        let link = || alpha.sh("ip -o link | grep 00:00:5e:00:01:34 | cut -d' ' -f1-2").unwrap_or_default();
        let (first, seen) = (link(), capture.vrrp()?.len());
        let named = first.contains("vrrp.52@");
        assert!(
            named || round > 0 && is_keepalived("SIGHUP: a link of a router that is removed, and comes back"),
            "{first}"
        );
        capture.wait_vrrp("its advertisements", SOON, |adverts| {
            adverts[seen..].iter().filter(|advert| advert.vrid() == 52).count() >= 3
        })?;
        // Something else differs: the link is not made anew.
        scene.reload(&(text.replace("150", "151") + &other.instance("OWN")))?;
        assert_eq!(link(), first);
        scene.reload(&text)?;
        wait::until_true("the link to be gone", SOON, || link().is_empty())?;
        let left = |adverts: &[lab::pcap::Vrrp]| {
            adverts.iter().rfind(|advert| advert.vrid() == 52).is_some_and(|advert| advert.priority() == 0)
        };
        capture.wait_vrrp("its farewell", SOON, left)?;
    }
    if !is_keepalived("SIGHUP: a link of a router that is removed, and comes back") {
        wait::until_eq("the host as before", SOON, &before, || held(alpha).unwrap_or_default())?;
    }
    scene.goes_on(&capture)
}
