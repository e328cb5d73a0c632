//! Nothing that others do to the host holds up advertisements: not the lock of the network configuration, which
//! anybody may hold for seconds, and no flood of changes. And nobody on the link can keep a router busy.

use std::fmt::Write as _;
use std::time::Duration;

use lab::{Capture, Control, Host, Injector, Lan, Load, Result, Router, State, clock, frame, wait};

use crate::world::{SOON, Setup, V3, VI, VIP, assert_steady, in_its_way, is_keepalived, ours};

/// The interval of the instance that is watched.
const INTERVAL: Duration = Duration::from_millis(50);
/// How late it may be with an advertisement.
const LATE: Duration = Duration::from_millis(50);
/// Deleting one takes the kernel some milliseconds, which it waits with the lock held; how many depends on the kernel.
const BRIDGES: [usize; 4] = [50, 200, 800, 3200];
/// How long the lock is held at the least, or the story tells nothing.
const HELD: Duration = Duration::from_millis(400);
/// Changes at once.
const FLOOD: usize = 10_000;

/// Commands of `ip`, one a line, by one process.
fn batch(host: &Host, commands: &str) -> Result<()> {
    let file = host.write("batch", commands)?;
    host.run(&["ip", "-batch", &file.to_string_lossy()]).map(drop)
}

/// The instance that is watched, MASTER on alpha.
fn watched() -> Setup {
    Setup { advert_int: INTERVAL.as_secs_f64().to_string(), ..V3.alpha(150) }
}

/// `commands` that take effect at once, and then the deletion of `bridges` interfaces in one request; how long that held
/// the lock.
fn with_lock_held_after(host: &Host, commands: &str, bridges: usize) -> Result<Duration> {
    let made = (0..bridges).fold(String::new(), |mut all, number| {
        // Writing to a String cannot fail.
        let _ = writeln!(all, "link add b{number} type bridge\nlink set b{number} group 77");
        all
    });
    batch(host, &made)?;
    let begin = clock::now();
    batch(host, &format!("{commands}link del group 77\n"))?;
    Ok(clock::now() - begin)
}

/// As many as it takes to hold the lock for long.
fn enough_bridges(host: &Host) -> Result<usize> {
    for bridges in BRIDGES {
        if with_lock_held_after(host, "", bridges)? > HELD {
            return Ok(bridges);
        }
    }
    panic!("nothing holds the lock for {HELD:?} on this kernel");
}

#[test]
fn whoever_holds_the_lock_of_the_network_configuration_does_not_hold_up_advertisements() -> Result<()> {
    if is_keepalived("lock of the network configuration held by another program") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let late = Setup {
        interface: "late0".into(),
        vrid: 77,
        vips: vec!["10.7.0.100/24".into(), "10.7.0.101/24".into()],
        ..V3.alpha(100)
    };
    let text = format!(
        "global_defs {{\n  dynamic_interfaces\n}}\n{}{}",
        watched().instance(VI),
        late.instance("LATE")
    );
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    let bridges = enough_bridges(alpha)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let control = Control::start();
    for _ in 0..3 {
        let mark = router.mark();
        // Its groups are to be joined now,
        with_lock_held_after(
            alpha,
            "link add late0 type veth peer name late1\nlink set late1 up\naddr add 10.7.0.1/24 dev late0\n\
             link set late0 up\n",
            bridges,
        )?;
        router.wait_entering_since(mark, "LATE", State::Master, SOON)?;
        let mark = router.mark();
        // and its sockets to be closed.
        with_lock_held_after(alpha, "link del late0\n", bridges)?;
        router.wait_entering_since(mark, "LATE", State::Fault, SOON)?;
    }
    let stalls = control.stop();
    assert_steady(&capture.vrrp()?, "10.9.0.1", INTERVAL, LATE, &stalls);
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    Ok(())
}

#[test]
fn ten_thousand_changes_at_once_hold_up_no_advertisement_and_none_is_missed() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let before = alpha.addresses("va0")?;
    let router = watched().start_until(&ours(), alpha, State::Master)?;
    wait::until_true("the VIP", SOON, || alpha.has_address(VIP))?;
    let mut commands = String::new();
    for number in 0..FLOOD {
        if number == FLOOD / 2 {
            let _ = writeln!(commands, "addr del {VIP}/24 dev va0");
        }
        let _ = writeln!(
            commands,
            "addr add 10.{}.{}.{}/32 dev lo",
            200 + number / 62_500,
            number / 250 % 250,
            number % 250 + 1
        );
    }
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let control = Control::start();
    batch(alpha, &commands)?;
    wait::until_true("the VIP again", SOON, || alpha.has_address(VIP))?;
    let stalls = control.stop();
    assert_steady(&capture.vrrp()?, "10.9.0.1", INTERVAL, LATE, &stalls);
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    router.stop()?;
    assert_eq!(alpha.addresses("va0")?, before);
    Ok(())
}

/// Rounds of a forger who hastens takeovers, each with a claim and its release.
const FORGED: usize = 400;
const FORGER: [u8; 4] = [10, 9, 0, 66];

#[test]
fn whoever_forges_claims_and_releases_gets_a_few_takeovers_and_not_one_each() -> Result<()> {
    if is_keepalived("claims and releases forged in turn") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let calls = alpha.dir().join("calls");
    let setup = V3.alpha(100).line(format!("notify \"/bin/sh -c 'echo >> {}'\" root", calls.display()));
    let setup = Setup { before: "global_defs {\n  script_user root\n}\n".into(), ..setup };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let injector = Injector::open(&lan["beta"], "vb0")?;
    let forged = |priority| {
        let advert = frame::advert_v3((FORGER, frame::VRRP_GROUP), 51, priority, 1, &[[10, 9, 0, 100]]);
        frame::Ipv4::vrrp(FORGER, &advert).ethernet([2, 0, 0, 0, 0, 66])
    };
    let (claim, release) = (forged(200), forged(0));
    for _ in 0..FORGED {
        injector.send(&claim)?;
        injector.send(&release)?;
        // Time for the skew at the interval that the claim names.
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let mark = router.mark();
    router.wait_log("others have hastened", SOON)?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let takeovers = router.entries(VI, State::Master);
    // Its own at the start, ten at once, and one after the silence at the end; a machine that stalls adds another.
    assert!((10..=14).contains(&takeovers), "{takeovers} takeovers\n{}", router.process().log_tail());
    let moves = takeovers + router.entries(VI, State::Backup);
    wait::until_eq("one call for each move", SOON, &moves, || {
        std::fs::read_to_string(&calls).map_or(0, |text| text.lines().count())
    })
}

/// How long the short story of a busy machine is; `cargo bench --bench load` tells one of ten minutes.
const BUSY: Duration = Duration::from_secs(15);
/// Scripts that the master starts every second.
const SCRIPTS: usize = 100;

#[test]
fn a_busy_machine_brings_about_no_false_takeover_with_real_time_priority() -> Result<()> {
    const INTERVAL: &str = "0.1";
    let lan = Lan::pair()?;
    // A hundred scripts at once are more than the 10 ms that it has.
    let is_killed = is_keepalived("real-time work for longer than `vrrp_rlimit_rttime`");
    let limit = if is_killed { "vrrp_rlimit_rttime 10000000" } else { "# nothing" };
    let global = format!("global_defs {{\n  vrrp_rt_priority 50\n  script_user root\n  {limit}\n}}\n");
    let (mut scripts, mut tracked) = (String::new(), String::new());
    for number in 0..SCRIPTS {
        let _ =
            writeln!(scripts, "vrrp_script s{number} {{\n  script /bin/true\n  interval 1\n  timeout 60\n}}");
        let _ = writeln!(tracked, "    s{number}");
    }
    let better = Setup { advert_int: INTERVAL.into(), before: format!("{global}{scripts}"), ..V3.alpha(150) }
        .line(format!("track_script {{\n{tracked}  }}"));
    let worse = Setup { advert_int: INTERVAL.into(), before: global, ..V3.beta(100) };
    let master = better.start_until(&ours(), &lan["alpha"], State::Master)?;
    let standby = worse.start_until(&ours(), &lan["beta"], State::Backup)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let load = Load::start(&lan["alpha"])?;
    let end = clock::now() + BUSY;
    wait::until_true("the end of the load", BUSY * 4, || clock::now() >= end)?;
    drop(load);
    assert_eq!(standby.entries(VI, State::Master), 0, "{}", standby.log());
    assert_eq!(
        (master.entries(VI, State::Master), master.entries(VI, State::Backup)),
        (1, 1),
        "{}",
        master.log()
    );
    let adverts = capture.vrrp()?.len();
    assert!(adverts >= 120, "{adverts} advertisements in {BUSY:?}");
    if in_its_way(&ours(), true, false) {
        master.process().terminate(SOON)?;
        println!("{}", master.wait_log("The vrrp lane: ", SOON)?);
    }
    Ok(())
}
