//! Reloads under traffic: what differs is brought about, and nothing else is touched.
//!
//! Most stories have a MASTER on alpha that advertises ten times a second, and keepalived as BACKUP on beta, which would
//! take over if alpha fell silent for a third of a second.

use std::time::Duration;

use lab::monitor::AddressMonitor;
use lab::{Lan, Result, Router, State, clock, wait};

use crate::reload_scene::{ALPHA, INTERVAL, Scene, instances, setup};
use crate::world::{LATE, SOON, Setup, V3, VI, VIP, assert_steady, from, is_keepalived, ours};

#[test]
fn a_reload_without_differences_is_not_seen_by_anybody() -> Result<()> {
    if is_keepalived("SIGHUP: what does not differ") {
        return Ok(());
    }
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    for round in 0..10 {
        scene.reload(&format!("! round {round}\n\n{text}"))?;
    }
    scene.goes_on(&capture)?;
    let adverts = capture.vrrp()?;
    assert_steady(&adverts, ALPHA, INTERVAL, LATE, &scene.control.stop());
    for two in from(&adverts, ALPHA).windows(2) {
        let gap = two[1].time.saturating_sub(two[0].time);
        assert!(gap + LATE / 2 > INTERVAL / 2, "an advertisement out of turn, after {gap:?}");
    }
    assert!(monitor.changes().is_empty(), "{:?}", monitor.changes());
    Ok(())
}

#[test]
fn another_priority_and_interval_are_no_change_of_state() -> Result<()> {
    let scene = Scene::new(&setup(150).text())?;
    let capture = scene.capture()?;
    scene.reload(&Setup { advert_int: "0.2".into(), ..setup(140) }.text())?;
    scene.goes_on(&capture)?;
    let adverts = capture.vrrp()?;
    let last = from(&adverts, ALPHA).pop().map(|advert| (advert.priority(), advert.message[5]));
    assert_eq!(last, Some((140, 20)));
    Ok(())
}

#[test]
fn a_priority_below_the_other_routers_gives_the_mastership_away() -> Result<()> {
    let scene = Scene::new(&setup(150).text())?;
    scene.reload(&setup(50).text())?;
    scene.wait_takeover()?;
    scene.router.wait_entering(VI, State::Backup, SOON)?;
    wait::until_true("the address to be gone", SOON, || !scene.alpha().has_address(VIP))
}

#[test]
fn another_name_is_the_same_router() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    scene.reload(&text.replace("vrrp_instance VI", "vrrp_instance OTHER"))?;
    scene.goes_on(&capture)?;
    assert_eq!(scene.router.entries("OTHER", State::Backup), 0);
    assert!(monitor.changes().is_empty(), "{:?}", monitor.changes());
    Ok(())
}

#[test]
fn a_router_that_is_gone_leaves_with_priority_0_and_another_one_begins() -> Result<()> {
    let scene = Scene::new(&setup(150).text())?;
    let capture = scene.capture()?;
    let mut other = setup(150);
    (other.vrid, other.vips) = (52, vec!["10.9.0.110/24".into()]);
    scene.reload(&other.text())?;
    scene.wait_takeover()?;
    wait::until_true("the addresses", SOON, || {
        !scene.alpha().has_address(VIP) && scene.alpha().has_address("10.9.0.110")
    })?;
    let adverts = capture.vrrp()?;
    let last = from(&adverts, ALPHA).into_iter().rfind(|advert| advert.vrid() == 51);
    assert_eq!(last.map(lab::pcap::Vrrp::priority), Some(0));
    Ok(())
}

#[test]
fn a_new_router_does_not_disturb_the_others() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    let mut other = setup(150);
    (other.vrid, other.vips) = (52, vec!["10.9.0.110/24".into()]);
    // In front of the other: its place, and its row of the MIB, are other ones then.
    scene.reload(&text.replacen("vrrp_instance", &format!("{}vrrp_instance", other.instance("NEW")), 1))?;
    scene.router.wait_entering("NEW", State::Master, SOON)?;
    scene.goes_on(&capture)?;
    let old: Vec<_> = capture.vrrp()?.into_iter().filter(|advert| advert.vrid() == 51).collect();
    assert_steady(&old, ALPHA, INTERVAL, LATE, &scene.control.stop());
    assert!(monitor.changes().iter().all(|change| !change.address.starts_with(VIP)));
    Ok(())
}

#[test]
fn a_backup_waits_no_longer_for_a_reload() -> Result<()> {
    if is_keepalived("SIGHUP: what does not differ") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let slow = |base: Setup| Setup { advert_int: "1".into(), ..base };
    let router = slow(V3.alpha(100)).start_until(&ours(), &lan["alpha"], State::Backup)?;
    let master = slow(V3.beta(150)).start_until(&ours(), &lan["beta"], State::Master)?;
    let text = slow(V3.alpha(100)).text();
    router.wait_log("Entering BACKUP", SOON)?;
    master.kill9();
    let died = clock::now();
    // Others keep it busy with reloads while it waits.
    while router.entries(VI, State::Master) == 0 {
        router.reload(&lan["alpha"], "alpha", &text, SOON)?;
        assert!(clock::now() < died + SOON, "it never takes over");
    }
    let took = clock::now() - died;
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    Ok(())
}

#[test]
fn members_join_and_leave_a_sync_group_without_a_change_of_state() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let text = |members: &str| {
        let group = format!("vrrp_sync_group G {{\n  group {{\n    {members}\n  }}\n}}\n");
        format!("{group}{}", instances(&[("ONE", 1, ""), ("TWO", 2, ""), ("THREE", 3, "")]))
    };
    let router = Router::start(&ours(), alpha, "alpha", &text("ONE\n    TWO"))?;
    let names = ["ONE", "TWO", "THREE"];
    for name in names {
        router.wait_entering(name, State::Master, SOON)?;
    }
    for members in ["ONE\n    TWO\n    THREE", "TWO\n    THREE", "ONE\n    TWO"] {
        router.reload(alpha, "alpha", &text(members), SOON)?;
    }
    for name in names {
        assert_eq!(router.entries(name, State::Master), 1, "{}", router.log());
        assert_eq!(router.entries(name, State::Backup), 1, "{}", router.log());
    }
    Ok(())
}

#[test]
fn what_is_tracked_counts_from_the_reload_on() -> Result<()> {
    let scene = Scene::new(&setup(150).text())?;
    let capture = scene.capture()?;
    let file = scene.alpha().write("number", "7\n")?;
    let tracking = |weight: i8| {
        let mut setup = setup(150).line("track_file {\n    number\n  }");
        setup.before = format!("track_file number {{\n  file {}\n  weight {weight}\n}}\n", file.display());
        setup.text()
    };
    for (text, priority) in [(tracking(1), 157), (tracking(-2), 136), (setup(150).text(), 150)] {
        scene.reload(&text)?;
        capture.wait_vrrp("another priority", SOON, |adverts| {
            from(adverts, ALPHA).last().is_some_and(|advert| advert.priority() == priority)
        })?;
    }
    scene.goes_on(&capture)
}

#[test]
fn reloads_in_a_row_delay_no_advertisement() -> Result<()> {
    if is_keepalived("SIGHUP: what does not differ") {
        return Ok(());
    }
    let scene = Scene::alone(&setup(150).text())?;
    let capture = scene.capture()?;
    for round in 0..20_u8 {
        let mut text = setup(150);
        text.vips.push(format!("10.9.0.{}/24", 120 + round));
        let other =
            Setup { vrid: 60 + round, vips: vec![format!("10.9.0.{}/24", 150 + round)], ..setup(150) };
        let text = text.text() + &other.instance("OTHER");
        scene.router.ask_to_reload(scene.alpha(), "alpha", &text)?;
        capture.wait_vrrp("another advertisement", SOON, |adverts| adverts.len() > usize::from(round) * 2)?;
    }
    wait::until_true("the last one", SOON, || scene.alpha().has_address("10.9.0.139"))?;
    scene.goes_on(&capture)?;
    let old: Vec<_> = capture.vrrp()?.into_iter().filter(|advert| advert.vrid() == 51).collect();
    wait::until_true("the addresses of before to be gone", SOON, || {
        (120..139).all(|last| !scene.alpha().has_address(&format!("10.9.0.{last}")))
    })?;
    assert_steady(&old, ALPHA, INTERVAL, LATE, &scene.control.stop());
    Ok(())
}
