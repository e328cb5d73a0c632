//! Reloads where there is little to reload: while the daemon starts, without routers, over mistakes that it lives with.

use lab::{Lan, Result, Router, State, wait};
use nix::sys::signal::Signal;

use crate::world::{SOON, V3, VI, VIP, in_its_way, is_keepalived, ours};

#[test]
fn a_daemon_of_health_checks_alone_has_no_routers_after_a_reload_either() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let text = V3.alpha(150).text();
    let file = alpha.write("alpha.conf", &text)?;
    let router = Router::start_parts(&ours(), alpha, "alpha", &file, &["-C"])?;
    wait::until_true("the pid file", SOON, || router.dir().join("pid").exists())?;
    router.ask_to_reload(alpha, "alpha", &text)?;
    // keepalived has no process that would say that it is done.
    router.wait_log(in_its_way(&ours(), "Configuration reloaded", "Reload"), SOON)?;
    assert!(!router.log().contains(&format!("({VI}) Entering")), "{}", router.log());
    assert!(!alpha.has_address(VIP));
    assert!(router.stop()?.success());
    Ok(())
}

#[test]
fn a_reload_that_comes_while_the_daemon_starts_waits_for_it() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = Router::start(&ours(), alpha, "alpha", &V3.alpha(150).text())?;
    wait::until_true("the pid file", SOON, || router.dir().join("pid").exists())?;
    router.process().signal(Signal::SIGHUP)?;
    router.process().signal(Signal::SIGHUP)?;
    router.wait_entering(VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    assert!(!router.log().contains("another one is started"), "{}", router.log());
    assert!(router.stop()?.success());
    Ok(())
}

#[test]
fn mistakes_that_the_daemon_started_with_hold_up_no_reload_and_new_ones_do() -> Result<()> {
    if is_keepalived("SIGHUP: a file with mistakes, or none") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let with = |mistakes: &str| V3.alpha(150).line(mistakes).text();
    let router = Router::start(&ours(), alpha, "alpha", &with("prioritty 7"))?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.reload(alpha, "alpha", &with("# one line further down\n  prioritty 7"), SOON)?;
    alpha.write("alpha.conf", &with("prioritty 7\n  advert_imt 3"))?;
    let mark = router.mark();
    router.process().signal(Signal::SIGHUP)?;
    router.process().wait_log_since(mark, "not reloaded", SOON)?;
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    router.stop().map(drop)
}
