//! A router that does not get the processor, and what the words about that make of it.

use std::path::{Path, PathBuf};
use std::{fs, time::Duration};

use lab::frame::{Ipv4, VRRP_GROUP, advert_v3};
use lab::{Injector, Lan, Result, Router, State, wait};
use nix::sys::signal::Signal;

use crate::world::{SOON, Setup, V3, VI, is_keepalived, ours, side_by_side};

/// Longer than a backup waits for a silent master, at the usual interval.
const LONG: Duration = Duration::from_secs(1);

/// The router on alpha with these lines in `global_defs`, MASTER.
fn router(lan: &Lan, globals: &str, setup: &Setup) -> Result<Router> {
    let text = format!("global_defs {{\n  {globals}\n}}\n{}", setup.instance(VI));
    let router = Router::start(&ours(), &lan["alpha"], "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    Ok(router)
}

/// Keeps a router from running for a while, in which `meanwhile` happens.
fn stall(router: &Router, time: Duration, meanwhile: impl FnOnce() -> Result<()>) -> Result<()> {
    router.signal_vrrp(Signal::SIGSTOP)?;
    let stat = Path::new("/proc").join(router.vrrp_pid(SOON)?.to_string()).join("stat");
    let stopped = || {
        let stat = fs::read_to_string(&stat).map_err(|error| error.to_string())?;
        if stat.contains(") T ") { Ok(()) } else { Err(stat) }
    };
    let outcome = wait::until("a stopped router", SOON, stopped)
        .and_then(|()| wait::throughout("a stopped router", time, stopped))
        .and_then(|()| meanwhile());
    router.signal_vrrp(Signal::SIGCONT)?;
    outcome
}

/// The thread that advertises.
fn lane(router: &Router) -> Result<PathBuf> {
    let tasks = Path::new("/proc").join(router.vrrp_pid(SOON)?.to_string()).join("task");
    let entries = fs::read_dir(tasks).expect("the router runs");
    let mut tasks = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_lane = |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "vrrp\n");
    Ok(tasks.find(is_lane).expect("it has a lane"))
}

/// Real-time priority and policy of a thread (proc_pid_stat(5)); the policy 2 is SCHED_RR.
fn schedule(thread: &Path) -> (u32, u32) {
    let stat = fs::read_to_string(thread.join("stat")).expect("the thread runs");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    let field = |number: usize| fields[number - 3].parse().expect("a number");
    (field(40), field(41))
}

/// With `nopreempt` whoever has taken over meanwhile shall keep the addresses.
#[test]
fn timer_expired_backup_has_a_stalled_master_resign() {
    if is_keepalived("`auth_hmac`, `owner_ignore_adverts`") {
        return;
    }
    let cases = [("# nothing", false), ("timer_expired_backup 254", true), ("thread_timer_expired", true)];
    side_by_side(&cases, |(line, resigns)| {
        let lan = Lan::pair()?;
        let alpha = router(&lan, "# nothing", &V3.alpha(150).line("nopreempt").line(*line))?;
        let mark = alpha.mark();
        stall(&alpha, LONG, || Ok(()))?;
        if *resigns {
            let log = alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
            assert!(log.contains("stalled for"), "{log}");
        }
        // Alone it is MASTER again, or still.
        alpha.wait_entering(VI, State::Master, SOON)?;
        wait::until_eq("entries", SOON, &usize::from(*resigns), || alpha.entries(VI, State::Backup) - 1)
    });
}

/// How late the lane is decides how soon it comes next time.
#[test]
fn a_late_lane_gets_a_higher_priority_where_it_may() {
    if is_keepalived("`vrrp_rt_priority`, `vrrp_priority`") {
        return;
    }
    let cases = [("# nothing", (0, 0)), ("max_auto_priority 30\n  min_auto_priority_delay 100000", (1, 2))];
    side_by_side(&cases, |(globals, raised)| {
        let lan = Lan::pair()?;
        let alpha = router(&lan, globals, &V3.alpha(150))?;
        let lane = lane(&alpha)?;
        assert_eq!(schedule(&lane), (0, 0));
        stall(&alpha, LONG, || Ok(()))?;
        wait::until("the raise", SOON, || {
            let (priority, policy) = schedule(&lane);
            let is_raised = priority >= raised.0 && policy == raised.1;
            if is_raised { Ok(()) } else { Err(format!("{priority} {policy}")) }
        })?;
        assert!(schedule(&lane).0 <= 30);
        Ok(())
    });
}

/// A flood that arrived during a stall is worked off in one go, for longer than real-time threads may work: keepalived
/// is killed for that.
#[test]
fn a_lane_that_works_too_long_is_scheduled_as_usual_for_a_while() -> Result<()> {
    if is_keepalived("real-time work for longer than `vrrp_rlimit_rttime`") {
        return Ok(());
    }
    let lan =
        Lan::builder().host("alpha", "va0", "10.9.0.1/24").host("gamma", "vg0", "10.9.0.3/24").build()?;
    let injector = Injector::open(&lan["gamma"], "vg0")?;
    let mac = lan["gamma"].mac("vg0")?;
    let alpha = router(&lan, "vrrp_rt_priority 10\n  vrrp_rlimit_rttime 1000", &V3.alpha(150))?;
    let lane = lane(&alpha)?;
    let source = [10, 9, 0, 3];
    let worse = advert_v3((source, VRRP_GROUP), 51, 100, 20, &[[10, 9, 0, 100]]);
    let frame = Ipv4::vrrp(source, &worse).ethernet(mac);
    let mark = alpha.mark();
    // A kernel that counts in ticks of 10 ms may need a second try.
    wait::until("a lane that worked too long", SOON, || {
        let flood = || (0..2500).try_for_each(|_| injector.send(&frame));
        stall(&alpha, Duration::from_millis(50), flood).map_err(|error| error.to_string())?;
        let log = alpha.process().log_since(mark);
        if log.contains("worked for more than 1000 µs without a pause") { Ok(()) } else { Err(log) }
    })?;
    // It is still there, and comes before others again.
    wait::until_eq("its schedule", SOON, &(10, 2), || schedule(&lane))?;
    alpha.stop().map(drop)
}
