//! Reloads under traffic: what differs is brought about, and nothing else is touched.
//!
//! Most stories have a MASTER on alpha that advertises ten times a second, and keepalived as BACKUP on beta, which would
//! take over if alpha fell silent for a third of a second.

use std::time::Duration;

use lab::mail::MailServer;
use lab::monitor::AddressMonitor;
use lab::{Capture, Control, FifoReader, Host, Lan, Result, Router, State, Subject, clock, wait};

use crate::mail;
use crate::vmac::held;
use crate::world::{
    ADVERTS, LATE, SOON, Setup, V3, VI, VIP, assert_steady, from, in_its_way, is_keepalived, ours,
};

const INTERVAL: Duration = Duration::from_millis(100);
const ALPHA: &str = "10.9.0.1";

fn setup(priority: u8) -> Setup {
    Setup { advert_int: "0.1".into(), ..V3.alpha(priority) }
}

fn peer(priority: u8) -> Setup {
    Setup { advert_int: "0.1".into(), ..V3.beta(priority) }
}

/// Alpha as MASTER, and mostly beta as its BACKUP.
struct Scene {
    lan: Lan,
    router: Router,
    backup: Option<Router>,
    control: Control,
}

impl Scene {
    fn new(text: &str) -> Result<Self> {
        let mut scene = Self::alone(text)?;
        let backup = peer(100).start_until(&Subject::Keepalived, &scene.lan["beta"], State::Backup)?;
        scene.backup = Some(backup);
        Ok(scene)
    }

    /// Without a BACKUP, which would not believe a MASTER that advertises other addresses than it has itself.
    fn alone(text: &str) -> Result<Self> {
        let lan = Lan::pair()?;
        let router = Router::start(&ours(), &lan["alpha"], "alpha", text)?;
        router.wait_entering(VI, State::Master, SOON)?;
        wait::until_true("the address", SOON, || lan["alpha"].has_address(VIP))?;
        let backup = None;
        Ok(Self { control: Control::start(), router, backup, lan })
    }

    fn alpha(&self) -> &Host {
        &self.lan["alpha"]
    }

    /// What was foretold is done.
    fn reload(&self, text: &str) -> Result<()> {
        let told = self.foretold(text)?;
        let mark = self.router.mark();
        self.router.reload(self.alpha(), "alpha", text, SOON)?;
        let Some(told) = told else { return Ok(()) };
        let line = self.router.process().wait_log_since(mark, "Configuration reloaded: ", SOON)?;
        assert!(line.ends_with(&told), "{line}, foretold {told}");
        Ok(())
    }

    /// What `steadfast config diff` says beforehand of instances and groups; there is nobody to ask for keepalived.
    fn foretold(&self, text: &str) -> Result<Option<String>> {
        let Some(program) = in_its_way(&ours(), Some(env!("CARGO_BIN_EXE_steadfast")), None) else {
            return Ok(None);
        };
        let new = self.alpha().write("foretold.conf", text)?.display().to_string();
        let old = self.alpha().dir().join("alpha.conf").display().to_string();
        let output = self.alpha().exec(&[program, "config", "diff", &old, &new])?;
        let said = output.stdout;
        let counts = said.lines().last().and_then(|line| line.strip_prefix("a reload: "));
        assert!(counts.is_some() || said == "no difference\n", "{said}");
        Ok(Some(counts.unwrap_or("0 added, 0 changed, 0 removed").to_owned()))
    }

    /// The BACKUP takes over.
    fn wait_takeover(&self) -> Result<()> {
        let backup = self.backup.as_ref().expect("there is one in this story");
        backup.wait_entering(VI, State::Master, SOON).map(drop)
    }

    fn capture(&self) -> Result<Capture> {
        Capture::start(&self.lan["beta"], "vb0", ADVERTS)
    }

    /// Some more advertisements come, and neither router has changed its state since the beginning.
    fn goes_on(&self, capture: &Capture) -> Result<()> {
        let seen = capture.vrrp()?.len();
        capture.wait_vrrp("more advertisements", SOON, |adverts| adverts.len() >= seen + 5)?;
        assert_eq!(self.router.entries(VI, State::Master), 1, "{}", self.router.log());
        if let Some(backup) = &self.backup {
            assert_eq!(backup.entries(VI, State::Master), 0, "{}", backup.log());
        }
        Ok(())
    }
}

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
fn a_file_with_mistakes_changes_nothing() -> Result<()> {
    if is_keepalived("SIGHUP: a file with mistakes, or none") {
        return Ok(());
    }
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    let broken = [
        text.replace("virtual_router_id 51", ""),
        text.replace("priority 150", "priority 1000"),
        format!("{text}\nvrrp_instance {{\n"),
        format!("{text}\n{}", setup(10).instance("SAME_VRID")),
    ];
    for broken in &broken {
        let mark = scene.router.mark();
        scene.router.ask_to_reload(scene.alpha(), "alpha", broken)?;
        scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON)?;
    }
    std::fs::remove_file(scene.alpha().dir().join("alpha.conf")).expect("it is there");
    let mark = scene.router.mark();
    scene.router.process().signal(nix::sys::signal::Signal::SIGHUP)?;
    scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON)?;
    scene.goes_on(&capture)?;
    scene.router.reload(scene.alpha(), "alpha", &text, SOON)?;
    assert!(monitor.changes().is_empty(), "{:?}", monitor.changes());
    assert_steady(&capture.vrrp()?, ALPHA, INTERVAL, LATE, &scene.control.stop());
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

/// Each instance's vrid is its position, and so is the last byte of its address.
fn instances(names: &[(&str, u8, &str)]) -> String {
    let one = |(name, vrid, line): &(&str, u8, &str)| {
        let setup = Setup { vrid: *vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        let interface = if line.contains("down") { "down0" } else { "va0" };
        Setup { interface: interface.into(), ..setup }.line(line.replace("down", "")).instance(name)
    };
    names.iter().map(one).collect()
}

#[test]
fn those_who_are_deleted_are_told_as_in_fault_or_as_they_ask() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.sh("ip link add down0 type veth peer name down1 && ip address add 10.8.8.1/24 dev down0")?;
    let fifo = alpha.dir().join("fifo");
    let told = alpha.dir().join("told");
    let note = |word: &str| {
        let text = format!("#!/bin/sh\necho {word} \"$@\" >> {}\n", told.display());
        crate::scripts::script(alpha, &format!("note-{word}"), &text)
    };
    let (own, all, fault) = (note("own")?, note("all")?, note("fault")?);
    let globals = format!(
        "global_defs {{\n  router_id lab\n  script_user root\n  vrrp_notify_fifo {}\n  fifo_write_vrrp_states_on_reload\n}}\n",
        fifo.display()
    );
    alpha.sh(&format!("mkfifo {}", fifo.display()))?;
    let script = format!("notify_deleted {}\n  notify {}", own.display(), all.display());
    let general = format!("notify {}\n  notify_fault {}", all.display(), fault.display());
    let kept = [("KEEP", 1, ""), ("LAME", 2, "down")];
    let gone = [
        ("A", 3, general.as_str()),
        ("B", 4, "notify_deleted"),
        ("C", 5, &script),
        ("D", 6, "notify_deleted down"),
    ];
    let gone = [gone.as_slice(), &[("E", 7, "down")]].concat();
    let router = Router::start(
        &ours(),
        alpha,
        "alpha",
        &format!("{globals}{}", instances(&[kept.as_slice(), &gone].concat())),
    )?;
    let mut reader = FifoReader::open(&fifo, SOON)?;
    for name in ["KEEP", "A", "B", "C"] {
        router.wait_entering(name, State::Master, SOON)?;
    }
    wait::until_true("the lines of the start", SOON, || reader.lines().len() >= 11)?;
    let begun = reader.lines().len();
    router.reload(alpha, "alpha", &format!("{globals}{}", instances(&kept)), SOON)?;
    let line = |name: &str, state: &str| format!("INSTANCE \"{name}\" {state} 150");
    let mut expected = [
        line("A", "FAULT"),
        line("B", "DELETED"),
        line("C", "DELETED"),
        line("D", "DELETED"),
        line("LAME", "FAULT"),
    ];
    wait::until_true("the lines", SOON, || reader.lines().len() >= begun + expected.len())?;
    let mut lines = reader.lines().split_off(begun);
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    let mut scripts = ["all INSTANCE A FAULT 150", "all INSTANCE C DELETED 150", "own"];
    let seen = || {
        let mut lines = crate::scripts::lines(&told);
        lines.retain(|line| {
            line.contains("DELETED")
                || line.contains("FAULT")
                || line.starts_with("own")
                || line.starts_with("fault")
        });
        lines.sort();
        lines
    };
    scripts.sort_unstable();
    let scripts: Vec<String> = scripts.iter().map(ToString::to_string).collect();
    wait::until_eq("the scripts", SOON, &scripts, || {
        seen().iter().map(|line| line.trim().to_owned()).collect()
    })
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

/// A file with words of `global_defs`.
fn with_globals(text: &str, globals: &str) -> String {
    text.replacen("router_id lab\n", &format!("router_id lab\n{globals}"), 1)
}

#[test]
fn fifos_follow_a_reload_and_the_one_that_stays_is_not_made_anew() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let dir = scene.alpha().dir();
    let (all, vrrp) = (dir.join("all"), dir.join("vrrp"));
    let fifo = |word: &str, path: &std::path::Path| format!("  {word} {}\n", path.display());
    let new = |name: &str, vrid: u8| {
        let router = Setup { vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        router.instance(name)
    };
    scene.reload(&(with_globals(&text, &fifo("notify_fifo", &all)) + &new("TWO", 52)))?;
    let mut reader = FifoReader::open(&all, SOON)?;
    let told = |name: &str| ["BACKUP", "MASTER"].map(|state| format!("INSTANCE \"{name}\" {state} 150"));
    wait::until_eq("the lines of the new instance", SOON, &told("TWO").to_vec(), || reader.lines())?;
    let both = fifo("notify_fifo", &all) + &fifo("vrrp_notify_fifo", &vrrp);
    scene.reload(&(with_globals(&text, &both) + &new("THREE", 53)))?;
    let mut second = FifoReader::open(&vrrp, SOON)?;
    let mut seen = told("THREE").to_vec();
    seen.insert(0, "INSTANCE \"TWO\" FAULT 150".into());
    wait::until_eq("the lines of the second FIFO", SOON, &seen, || second.lines())?;
    if !is_keepalived("SIGHUP: what does not differ") {
        let seen = [told("TWO").to_vec(), seen].concat();
        wait::until_eq("the lines of the first FIFO", SOON, &seen, || reader.lines())?;
    }
    scene.reload(&text)?;
    wait::until_true("no FIFO", SOON, || !all.exists() && !vrrp.exists())
}

#[test]
fn the_script_of_a_fifo_may_be_another_one() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let alpha = scene.alpha();
    let (fifo, told) = (alpha.dir().join("fifo"), alpha.dir().join("told"));
    let script = |name: &str| {
        let text =
            format!("#!/bin/sh\nwhile read line; do echo {name} $line; done < $1 >> {}\n", told.display());
        let path = crate::scripts::script(alpha, &format!("read-{name}"), &text)?;
        Ok::<_, lab::Error>(format!(
            "  script_user root\n  notify_fifo {}\n  notify_fifo_script {}\n",
            fifo.display(),
            path.display()
        ))
    };
    let other = |vrid: u8| {
        let router = Setup { vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        router.instance("OTHER")
    };
    for (name, vrid) in [("one", 52), ("two", 53)] {
        scene.reload(&(with_globals(&text, &script(name)?) + &other(vrid)))?;
        let line = format!("{name} INSTANCE \"OTHER\" MASTER 150");
        wait::until_true(&line, SOON, || crate::scripts::lines(&told).contains(&line))?;
    }
    scene.reload(&text)?;
    wait::until_true("no FIFO", SOON, || !fifo.exists())
}

#[test]
fn mail_goes_where_the_new_configuration_says() -> Result<()> {
    let text = setup(150).line("smtp_alert").text();
    let scene = Scene::alone(&text)?;
    let server = MailServer::start(&scene.lan["beta"], mail::PORT)?;
    let with = |recipients: &str| {
        let globals = mail::globals("10.9.0.2").replace("ops@example.org\n    night@example.org", recipients);
        with_globals(&text, &globals)
    };
    let lower = |text: String| text.replace("priority 150", "priority 100");
    scene.reload(&with("ops@example.org"))?;
    assert_eq!(server.mails().len(), 0, "nothing has happened since");
    let rival = Setup { advert_int: "0.1".into(), ..V3.beta(120) };
    scene.reload(&lower(with("night@example.org")))?;
    let _rival = rival.start_until(&Subject::Keepalived, &scene.lan["beta"], State::Master)?;
    wait::until_true("a mail", SOON, || !server.mails().is_empty())?;
    let mails = server.mails();
    assert_eq!(
        mails[0].field("Subject"),
        Some(&*format!("[lab] VRRP Instance {VI} - Entering BACKUP state"))
    );
    assert_eq!(mails[0].to, ["night@example.org"]);
    Ok(())
}

#[test]
fn a_file_says_when_a_reload_has_read_the_configuration() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let marker = scene.alpha().dir().join("reading");
    let with = with_globals(&text, &format!("  reload_file {}\n", marker.display()));
    scene.reload(&with)?;
    for text in [&with, &with.replace("150", "140")] {
        std::fs::write(&marker, "a configuration comes").expect("it can be written");
        scene.reload(text)?;
        wait::until_true("the end of the reading", SOON, || !marker.exists())?;
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_a_file_is_left_for_whoever_asks() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let found = scene.alpha().dir().join("found");
    let with = with_globals(&text, &format!("  reload_check_config {}\n", found.display()));
    scene.reload(&with)?;
    let broken = with.replace("priority 150", "priority 150\n  nonsense 1");
    scene.router.ask_to_reload(scene.alpha(), "alpha", &broken)?;
    wait::until_true("what is found", SOON, || {
        std::fs::read_to_string(&found).is_ok_and(|text| text.contains("nonsense"))
    })?;
    assert_eq!(scene.router.entries(VI, State::Master), 1, "{}", scene.router.log());
    Ok(())
}

#[test]
fn a_reload_comes_at_the_time_in_a_file() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let alpha = scene.alpha();
    let file = alpha.dir().join("time");
    let globals = |more: &str| with_globals(&text, &format!("  reload_time_file {}\n{more}", file.display()));
    for (more, priority) in [("", 140), ("  reload_repeat\n", 130)] {
        scene.reload(&globals(more))?;
        let next = globals(more).replace("150", &priority.to_string());
        alpha.write("alpha.conf", &next)?;
        let (time, new) = (file.display(), alpha.dir().join("time.new"));
        let new = new.display();
        alpha.sh(&format!("date -u -d '2 seconds' +%H:%M:%SZ > {new} && mv {new} {time}"))?;
        let capture = scene.capture()?;
        capture.wait_vrrp("the priority of the new file", SOON, |adverts| {
            from(adverts, ALPHA).last().is_some_and(|advert| advert.priority() == priority)
        })?;
        wait::until_true("the file", SOON, || file.exists() != more.is_empty())?;
    }
    Ok(())
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

#[test]
fn what_was_read_and_what_ran_is_saved_around_each_reload() -> Result<()> {
    let text = setup(150).text();
    let folder = |host: &Host| host.dir().join("saved");
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let saved = folder(alpha);
    let text = with_globals(&text, &format!("  config_save_dir {}\n", saved.display()));
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.reload(alpha, "alpha", &text.replace("priority 150", "priority 140"), SOON)?;
    let name = in_its_way(&ours(), "steadfast", "keepalived");
    let files = || {
        let files = std::fs::read_dir(&saved).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    };
    // The process's number is in between.
    let ends = |file: &std::path::Path, what: &str, end: &str| {
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        file.starts_with(&format!("{name}{what}.")) && file.ends_with(end)
    };
    for (what, end, has) in [
        (".conf", ".0", "priority 150"),
        (".conf", ".1", "priority 140"),
        ("_vrrp", ".1.pre", "Priority = 150"),
        ("_vrrp", ".1.post", "Priority = 140"),
    ] {
        let content = || {
            let file = files().into_iter().find(|file| ends(file, what, end))?;
            std::fs::read_to_string(file).ok()
        };
        wait::until_true(&format!("{what} {end}"), SOON, || {
            content().is_some_and(|text| text.contains(has))
        })?;
    }
    router.stop().map(drop)
}

#[test]
fn mistakes_that_it_was_started_with_keep_no_reload_from_being_done() -> Result<()> {
    let text = setup(150).line("nonsense 1").text();
    let scene = Scene::alone(&text)?;
    let capture = scene.capture()?;
    scene.reload(&format!("! moved\n{}", text.replace("priority 150", "priority 140")))?;
    capture.wait_vrrp("the new priority", SOON, |adverts| {
        from(adverts, ALPHA).last().is_some_and(|advert| advert.priority() == 140)
    })?;
    if is_keepalived("SIGHUP: a file with mistakes, or none") {
        return Ok(());
    }
    let mark = scene.router.mark();
    scene.router.ask_to_reload(scene.alpha(), "alpha", &text.replace("nonsense 1", "other_nonsense 1"))?;
    scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON).map(drop)
}
