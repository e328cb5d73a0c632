//! Words that each change one thing that a router says or believes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::frame::{Ipv4, VRRP_GROUP, advert_v3};
use lab::pcap::Vrrp;
use lab::{Capture, Injector, Lan, Result, Router, State, Subject, clock, wait};

use crate::scripts::{lines, script};
use crate::world::{
    EARLY, LATE, Ours, SOON, Setup, Talk, V3, VI, VIP, from, in_its_way, is_keepalived, ours, side_by_side,
};

const ALPHA: [u8; 4] = [10, 9, 0, 1];
const BETA: [u8; 4] = [10, 9, 0, 2];
pub(crate) const GAMMA: [u8; 4] = [10, 9, 0, 3];
const VIPS: [[u8; 4]; 1] = [[10, 9, 0, 100]];
const UNICAST: Talk = Talk { unicast: true, ..V3 };

/// alpha, where the router is, and gamma, which pretends to be others.
pub(crate) struct Stage {
    pub(crate) lan: Lan,
    injector: Injector,
}

impl Stage {
    /// Both hosts.
    pub(crate) fn build() -> Result<Self> {
        let lan =
            Lan::builder().host("alpha", "va0", "10.9.0.1/24").host("gamma", "vg0", "10.9.0.3/24").build()?;
        let injector = Injector::open(&lan["gamma"], "vg0")?;
        Ok(Self { lan, injector })
    }

    /// The router on alpha.
    pub(crate) fn start_until(&self, setup: &Setup, state: State) -> Result<Router> {
        setup.start_until(&ours(), &self.lan["alpha"], state)
    }

    /// What alpha advertises, on gamma.
    pub(crate) fn capture(&self) -> Result<Capture> {
        Capture::start(&self.lan["gamma"], "vg0", "ip proto 112 and src host 10.9.0.1")
    }

    /// An advertisement of a router at `source`, to the group or to alpha.
    pub(crate) fn advertise(&self, source: [u8; 4], unicast: bool, priority: u8, ttl: u8) -> Result<()> {
        let destination = if unicast { ALPHA } else { VRRP_GROUP };
        let message = advert_v3((source, destination), 51, priority, 100, &VIPS);
        let packet = Ipv4 { dst: destination, ttl, ..Ipv4::vrrp(source, &message) };
        let mac = self.lan["gamma"].mac("vg0")?;
        let frame = match unicast {
            true => packet.ethernet_to(self.lan["alpha"].mac("va0")?, mac),
            false => packet.ethernet(mac),
        };
        self.injector.send(&frame)
    }
}

/// The router on alpha, with advertisements a second apart.
pub(crate) fn slow(line: &str) -> Setup {
    Setup { advert_int: "1".into(), ..V3.alpha(150).line(line) }
}

#[test]
fn lower_prio_no_advert_decides_whether_a_worse_router_is_answered() {
    let cases = [
        ("# nothing", "# nothing", true),
        ("# nothing", "lower_prio_no_advert", false),
        ("# nothing", "strict_mode", false),
        // Strict mode wherever no instance says otherwise.
        ("vrrp_strict", "# nothing", false),
        ("vrrp_strict", "strict_mode off", true),
    ];
    side_by_side(&cases, |(word, line, answered)| {
        let stage = Stage::build()?;
        let setup = Setup { before: format!("global_defs {{\n  {word}\n}}\n"), ..slow(line) };
        let _alpha = stage.start_until(&setup, State::Master)?;
        let capture = stage.capture()?;
        let regular = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?.len();
        stage.advertise(GAMMA, false, 100, 255)?;
        let seen = capture.wait_vrrp("the next one", SOON, |seen| seen.len() > regular)?;
        let gap = seen[regular].time.saturating_sub(seen[regular - 1].time);
        let interval = Duration::from_secs(1);
        assert_eq!(gap < interval - LATE, *answered, "{gap:?} from one advertisement to the next");
        Ok(())
    });
}

#[test]
fn higher_prio_send_advert_decides_whether_a_better_router_is_answered() {
    let cases = [("# nothing", 0), ("higher_prio_send_advert", 1)];
    side_by_side(&cases, |(line, answers)| {
        let stage = Stage::build()?;
        let alpha = stage.start_until(&slow(line), State::Master)?;
        let capture = stage.capture()?;
        let regular = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?.len();
        let mark = alpha.mark();
        stage.advertise(GAMMA, false, 200, 255)?;
        alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
        let packets = capture.stop()?;
        assert_eq!(lab::pcap::vrrp(&packets).count(), regular + answers);
        Ok(())
    });
}

/// Who is believed first: a stranger, a peer that is too far away, or one that is near.
#[test]
fn check_unicast_src_decides_who_is_believed() {
    let cases = [
        ("10.9.0.2", "# nothing", 201),
        ("10.9.0.2", "check_unicast_src", 202),
        // Bounds are of no use unless it is known who sends.
        ("10.9.0.2 min_ttl 100", "# nothing", 203),
        ("10.9.0.2 min_ttl 100", "check_unicast_src", 203),
        ("10.9.0.2 max_ttl 98", "check_unicast_src", 204),
    ];
    side_by_side(&cases, |(peer, line, believed)| {
        let stage = Stage::build()?;
        let peers = format!("unicast_src_ip 10.9.0.1\n  unicast_peer {{\n    {peer}\n  }}");
        let setup = Setup { advert_int: "1".into(), ..V3.alpha(100).line(peers).line(*line) };
        let alpha = stage.start_until(&setup, State::Master)?;
        for (source, priority, ttl) in [(GAMMA, 201, 255), (BETA, 202, 99), (BETA, 203, 100), (BETA, 204, 98)]
        {
            stage.advertise(source, true, priority, ttl)?;
        }
        let log = alpha.wait_log("Master received advert", SOON)?;
        let expected = format!("with higher priority {believed}");
        assert!(log.contains(&expected), "{log}");
        Ok(())
    });
}

#[test]
fn unicast_ttl_is_the_ttl_of_unicast_advertisements() {
    let cases = [("", 255), ("unicast_ttl 7", 7)];
    side_by_side(&cases, |(line, ttl)| {
        let lan = UNICAST.lan()?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        let setup = UNICAST.alpha(150);
        let setup = if line.is_empty() { setup } else { setup.line(*line) };
        let _alpha = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
        assert_eq!(seen.iter().map(|advert| advert.ttl).collect::<Vec<_>>(), vec![*ttl; seen.len()]);
        Ok(())
    });
}

#[test]
fn unicast_fault_no_peer_keeps_a_router_without_peers_from_taking_part() -> Result<()> {
    let stage = Stage::build()?;
    let lonely = V3.alpha(150).line("unicast_fault_no_peer");
    let usual = Setup { vrid: 52, vips: vec!["10.9.0.101/24".into()], ..V3.alpha(100) };
    let capture = stage.capture()?;
    let text = format!("{}{}", lonely.instance(VI), usual.instance("USUAL"));
    let alpha = Router::start(&ours(), &stage.lan["alpha"], "alpha", &text)?;
    // Whoever waits longer for a master takes part; by then the other one would, too.
    alpha.wait_entering("USUAL", State::Master, SOON)?;
    let seen = capture.wait_vrrp("its advertisements", SOON, |seen| seen.len() > 2)?;
    assert!(seen.iter().all(|advert| advert.vrid() == 52), "{seen:?}");
    assert_eq!(stage.lan.holders(VIP), [""; 0]);
    let told = in_its_way(
        &ours(),
        "(VI) Entering FAULT STATE",
        "(VI) Cannot use unicast without any peers - going to fault state",
    );
    assert_eq!(alpha.log().matches(told).count(), 1, "{}", alpha.log());
    Ok(())
}

/// One router has the checksum of old, the other one finds out.
#[test]
fn routers_with_the_old_unicast_checksum_are_understood() {
    side_by_side(&Ours::BOTH, |ours| {
        let lan = UNICAST.lan()?;
        let (alpha, beta) = ours.cast();
        // keepalived is the one of old.
        let old = |setup: Setup, subject: &Subject| {
            setup.line(in_its_way(subject, "# nothing", "old_unicast_checksum"))
        };
        let better = old(UNICAST.alpha(150), &alpha);
        let worse = old(UNICAST.beta(100), &beta);
        let first = better.start_until(&alpha, &lan["alpha"], State::Master)?;
        let second = worse.start_until(&beta, &lan["beta"], State::Backup)?;
        // Handed over and taken back, each has heard the other.
        first.stop()?;
        second.wait_entering(VI, State::Master, SOON)?;
        let mark = second.mark();
        let first = better.start_until(&alpha, &lan["alpha"], State::Master)?;
        second.wait_entering_since(mark, VI, State::Backup, SOON)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        for router in [&first, &second] {
            if in_its_way(router.subject(), true, false) {
                router.wait_log("Setting unicast VRRPv3 checksum to old version", SOON)?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_start_may_be_delayed() {
    // An owner takes its addresses when the delay is over, anybody else waits for a master from then on.
    let cases = [(150, "BACKUP", V3.master_down(150)), (255, "MASTER", Duration::ZERO)];
    side_by_side(&cases, |(priority, state, wait_after)| {
        let stage = Stage::build()?;
        let capture = stage.capture()?;
        let instance = V3.alpha(*priority).instance(VI).replace("state BACKUP", &format!("state {state}"));
        let text = format!("global_defs {{\n  vrrp_startup_delay 2\n}}\n{instance}");
        let started = clock::wall();
        let _alpha = Router::start(&ours(), &stage.lan["alpha"], "alpha", &text)?;
        let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
        let first: &Vrrp = from(&seen, "10.9.0.1")[0];
        let waited = first.time.saturating_sub(started);
        assert!(waited >= Duration::from_secs(2) + *wait_after - EARLY, "{waited:?}");
        wait::until_true("the virtual address", SOON, || stage.lan["alpha"].has_address(VIP))
    });
}

/// In a time namespace whose boot was just now, and in the machine's, whose boot was some time ago.
#[test]
fn a_start_soon_after_the_boot_may_be_delayed() {
    if is_keepalived("`auth_hmac`, `owner_ignore_adverts`") {
        return;
    }
    let young = "up=$(cut -d. -f1 /proc/uptime)\nset -- unshare -T --fork --kill-child --boottime -$up --monotonic -$up";
    // The namespace is up for less than a second when the router starts.
    let cases = [
        (young, Duration::from_secs(3), Duration::from_secs(2)),
        ("set --", Duration::from_secs(1), Duration::ZERO),
    ];
    side_by_side(&cases, |(around, delay, at_least)| {
        let stage = Stage::build()?;
        let alpha = &stage.lan["alpha"];
        let Subject::Steadfast(binary) = ours() else { return Ok(()) };
        let run = format!("flags=$*\n{around}\nexec \"$@\" {} $flags", binary.display());
        let wrapped = Subject::Steadfast(script(alpha, "wrapped.sh", &run)?);
        let globals = format!("global_defs {{\n  vrrp_delay_after_boot {}\n}}\n", delay.as_secs());
        let capture = stage.capture()?;
        let started = clock::wall();
        let _router =
            Router::start(&wrapped, alpha, "alpha", &format!("{globals}{}", V3.alpha(150).instance(VI)))?;
        let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
        let waited = from(&seen, "10.9.0.1")[0].time.saturating_sub(started);
        assert!(waited + EARLY >= *at_least + V3.master_down(150), "{waited:?}");
        Ok(())
    });
}

/// The interfaces are in another network namespace than the program is started in.
#[test]
fn a_network_namespace_may_be_named() -> Result<()> {
    let stage = Stage::build()?;
    let (alpha, gamma) = (&stage.lan["alpha"], &stage.lan["gamma"]);
    let text = format!("net_namespace {}\n{}", alpha.namespace(), V3.alpha(150).instance(VI));
    let router = Router::start(&ours(), gamma, "elsewhere", &text)?;
    stage.lan.wait_holder(VIP, "alpha", SOON)?;
    router.stop()?;
    wait::until_eq("nobody with the address", SOON, &Vec::<String>::new(), || stage.lan.holders(VIP))
}

/// Somebody advertises for a virtual router that is not configured here, twenty times.
#[test]
fn log_unknown_vrids_names_routers_of_others() {
    let cases = [("# nothing", false), ("log_unknown_vrids", true)];
    side_by_side(&cases, |(line, named)| {
        let stage = Stage::build()?;
        let text = format!("global_defs {{\n  {line}\n}}\n{}", slow("# nothing").instance(VI));
        let alpha = Router::start(&ours(), &stage.lan["alpha"], "alpha", &text)?;
        alpha.wait_entering(VI, State::Master, SOON)?;
        let mark = alpha.mark();
        let mac = stage.lan["gamma"].mac("vg0")?;
        for _ in 0..20 {
            let stranger = advert_v3((GAMMA, VRRP_GROUP), 99, 100, 100, &VIPS);
            stage.injector.send(&Ipv4::vrrp(GAMMA, &stranger).ethernet(mac))?;
        }
        // What comes behind them has been heard.
        stage.advertise(GAMMA, false, 200, 255)?;
        alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
        let log = alpha.log();
        let lines = log.matches("Unknown VRID(99) received on interface(va0)").count();
        let most = if is_keepalived("lines about virtual routers that are not configured") { 20 } else { 1 };
        assert_eq!(lines, if *named { most } else { 0 }, "{log}");
        Ok(())
    });
}

/// One advertisement is enough to have the end of a master noticed two minutes late; whoever looks sees it.
#[test]
fn an_interval_taken_over_from_a_master_is_told() -> Result<()> {
    let stage = Stage::build()?;
    let alpha = stage.start_until(&V3.alpha(100), State::Master)?;
    let longest = advert_v3((GAMMA, VRRP_GROUP), 51, 200, 4095, &VIPS);
    let frame = Ipv4::vrrp(GAMMA, &longest).ethernet(stage.lan["gamma"].mac("vg0")?);
    let mark = alpha.mark();
    stage.injector.send(&frame)?;
    alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
    stage.injector.send(&frame)?;
    let told = in_its_way(
        &ours(),
        "goes by the interval of 10.9.0.3, 40950ms",
        "advertisement interval updated from 200ms to 40950ms",
    );
    alpha.wait_log(told, SOON).map(drop)
}

/// An owner hears another one, of a higher address.
#[test]
fn an_owner_that_ignores_advertisements_gives_way_to_nobody() {
    if is_keepalived("`auth_hmac`, `owner_ignore_adverts`") {
        return;
    }
    side_by_side(&[("# nothing", 2), ("owner_ignore_adverts", 1)], |(line, entries)| {
        let stage = Stage::build()?;
        let alpha = stage.start_until(&V3.alpha(255).line(*line), State::Master)?;
        let capture = stage.capture()?;
        let known = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?.len();
        stage.advertise(GAMMA, false, 255, 255)?;
        // Nobody else is there, so it is MASTER again sooner or later.
        capture.wait_vrrp("five more", SOON, |seen| seen.len() > known + 5)?;
        assert_eq!(alpha.entries(VI, State::Backup), *entries, "{}", alpha.log());
        Ok(())
    });
}

/// A master that is known sends other addresses than ours all of a sudden.
#[test]
fn skip_check_adv_addr_trusts_a_master_that_is_known() {
    let cases = [("# nothing", true), ("skip_check_adv_addr", false)];
    side_by_side(&cases, |(line, told)| {
        let stage = Stage::build()?;
        let alpha = stage.start_until(&V3.alpha(100).line(*line), State::Master)?;
        let mark = alpha.mark();
        let mac = stage.lan["gamma"].mac("vg0")?;
        let send = |vips: &[[u8; 4]]| {
            let message = advert_v3((GAMMA, VRRP_GROUP), 51, 200, 20, vips);
            stage.injector.send(&Ipv4::vrrp(GAMMA, &message).ethernet(mac))
        };
        send(&VIPS)?;
        alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
        send(&VIPS)?;
        send(&[[10, 9, 0, 101]])?;
        // All of that has been heard by then.
        alpha.wait_entering_since(mark, VI, State::Master, SOON)?;
        let words = in_its_way(&ours(), "does not have our address 10.9.0.100", "not present");
        assert_eq!(alpha.log().contains(words), *told, "{}", alpha.log());
        Ok(())
    });
}

/// The RFC has no unicast; it is for links without multicast.
#[test]
fn strict_mode_has_no_unicast_where_there_is_multicast() {
    if is_keepalived("unicast peers in strict mode") {
        return;
    }
    side_by_side(&[("on", false), ("off", true)], |(multicast, runs)| {
        let lan = UNICAST.lan()?;
        let alpha = &lan["alpha"];
        alpha.run(&["ip", "link", "set", "va0", "multicast", multicast])?;
        let router = UNICAST.alpha(150).line("strict_mode").start(&ours(), alpha)?;
        if *runs {
            return router.wait_entering(VI, State::Master, SOON).map(drop);
        }
        let ended = router.process().wait(SOON)?;
        assert_eq!(ended.code(), Some(2), "{}", router.log());
        let log = router.log();
        assert!(log.contains("strict mode has no unicast where there is multicast"), "{log}");
        Ok(())
    });
}

/// What files that the router and its scripts make do not permit.
#[test]
fn umask_is_that_of_scripts() {
    let cases = [("# nothing", "0177"), ("umask 027", "0027"), ("umask IWGRP|IWOTH", "0022")];
    side_by_side(&cases, |(line, mask)| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let told = alpha.dir().join("mask");
        let tell = script(alpha, "tell.sh", &format!("umask >> {}", told.display()))?;
        let instance = V3.alpha(150).line(format!("notify_master {}", tell.display())).instance(VI);
        let text = format!("global_defs {{\n  script_user root\n  {line}\n}}\n{instance}");
        let _alpha = Router::start(&ours(), alpha, "alpha", &text)?;
        wait::until_eq("what the script has", SOON, &vec![(*mask).to_owned()], || lines(&told))
    });
}

/// The third field of a thread's `stat` and those behind it.
fn fields_of(thread: &Path) -> Vec<String> {
    let stat = fs::read_to_string(thread.join("stat")).expect("the thread runs");
    stat.rsplit_once(") ").expect("a name").1.split(' ').map(String::from).collect()
}

/// What the kernel says of the threads that speak VRRP: policy and real-time priority, which leave the nice value alone,
/// and processors.
#[test]
fn the_router_comes_before_other_programs() -> Result<()> {
    let stage = Stage::build()?;
    let words = "vrrp_rt_priority 20\n  vrrp_no_swap\n  vrrp_rlimit_rttime 500000\n  vrrp_cpu_affinity 0\n  vrrp_priority -3";
    let text = format!("global_defs {{\n  {words}\n}}\n{}", V3.alpha(150).instance(VI));
    let router = Router::start(&ours(), &stage.lan["alpha"], "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    let pid = router.vrrp_pid(SOON)?;
    let process = Path::new("/proc").join(pid.to_string());
    // As whoever started this has it.
    let nice = fields_of(Path::new("/proc/self"))[19 - 3].clone();
    for task in fs::read_dir(process.join("task")).expect("the process runs") {
        let task = task.expect("it has threads").path();
        let read = |file: &str| fs::read_to_string(task.join(file)).expect("the thread runs");
        let is_ours = ["vrrp", "netlink", "keepalived"].contains(&read("comm").trim());
        // Priority, nice value, real-time priority, policy (proc_pid_stat(5)).
        let fields = fields_of(&task);
        let schedule = [18, 19, 40, 41].map(|field| fields[field - 3].as_str());
        assert_eq!(schedule == ["-21", nice.as_str(), "20", "2"], is_ours, "{} {schedule:?}", read("comm"));
        let is_bound = read("status").contains("Cpus_allowed_list:\t0\n");
        assert!(is_bound || !is_ours, "{}", read("status"));
    }
    let status = fs::read_to_string(process.join("status")).expect("the process runs");
    assert!(!status.contains("VmLck:\t       0 kB"), "{status}");
    let limits = fs::read_to_string(process.join("limits")).expect("the process runs");
    let limit = limits.lines().find(|line| line.starts_with("Max realtime timeout")).expect("there is one");
    assert!(limit.contains("500000"), "{limit}");
    Ok(())
}

/// A router without addresses advertises none, and is MASTER like any other.
#[test]
fn no_virtual_ipaddress_is_a_router_without_addresses() -> Result<()> {
    if is_keepalived("`no_virtual_ipaddress`") {
        return Ok(());
    }
    let instance = |line: &str| {
        let all = slow(line).instance(VI);
        let (before, _) = all.split_once("  virtual_ipaddress").expect("it has addresses");
        format!("{before}}}\n")
    };
    let stage = Stage::build()?;
    let capture = stage.capture()?;
    let alpha = Router::start(&ours(), &stage.lan["alpha"], "alpha", &instance("no_virtual_ipaddress"))?;
    alpha.wait_entering(VI, State::Master, SOON)?;
    let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
    assert_eq!((seen[0].message.len(), seen[0].message[3]), (8, 0), "{:?}", seen[0].message);
    alpha.stop()?;
    let without = Router::start(&ours(), &stage.lan["alpha"], "without", &instance("# nothing"))?;
    assert_eq!(without.process().wait(SOON)?.code(), Some(2), "{}", without.log());
    Ok(())
}
