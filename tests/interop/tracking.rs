//! What moves a router's priority or sends it to FAULT: interfaces, files, processes, its source address.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::lan::Join;
use lab::{Capture, Control, Host, Lan, Process, Result, Router, State, Subject, clock, wait};

use crate::world::{LATE, Ours, SOON, Setup, V3, VI, VIP, assert_steady, is_keepalived, ours, side_by_side};

/// The usual pair, with a second interface on each: `va1` of alpha loses its carrier when `vb1` of beta is taken down.
fn pair() -> Result<Lan> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::BackToBack, &[("alpha", "va1", ""), ("beta", "vb1", "")])?;
    Ok(lan)
}

/// `track_file` blocks for files in a host's directory: name and the lines of the block.
fn files(host: &Host, blocks: &[(&str, &str)]) -> String {
    blocks.iter().fold(String::new(), |mut text, (name, lines)| {
        let path = host.dir().join(name);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "track_file {name} {{\n  file \"{}\"\n  {lines}\n}}", path.display());
        text
    })
}

/// A list of an instance, one entry a line.
fn list(keyword: &str, entries: &[&str]) -> String {
    format!("{keyword} {{\n    {}\n  }}", entries.join("\n    "))
}

/// A router's advertisements as its neighbour sees them.
struct Watcher(Capture);

impl Watcher {
    fn on(host: &Host, interface: &str) -> Result<Self> {
        Ok(Self(Capture::start(host, interface, "ip proto 112")?))
    }

    /// Waits until advertisements of this priority come.
    fn wait_priority(&self, priority: u8, why: &str) -> Result<()> {
        self.wait_priority_of(51, priority, why)
    }

    /// The same for another virtual router than the usual.
    fn wait_priority_of(&self, vrid: u8, priority: u8, why: &str) -> Result<()> {
        let what = format!("priority {priority} of {vrid}: {why}");
        self.0.wait_vrrp(&what, SOON, |seen| {
            let last = seen.iter().rfind(|advert| advert.vrid() == vrid);
            last.is_some_and(|last| last.priority() == priority)
        })?;
        Ok(())
    }
}

#[test]
fn weights_move_the_priority_that_is_advertised() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    alpha.write("load", "3\n")?;
    let setup = Setup {
        before: files(alpha, &[("load", "weight 2"), ("back", "weight 1 reverse")]),
        ..V3.alpha(100)
            .line(list("track_interface", &["va1 weight 20", "lo weight -10 reverse"]))
            .line(list("track_file", &["load", "back weight 3"]))
    };
    let watcher = Watcher::on(beta, "vb0")?;
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    watcher.wait_priority(126, "va1 is up, load is 3")?;
    beta.link_down("vb1")?;
    watcher.wait_priority(106, "va1 is down")?;
    alpha.write("load", "0x10\n")?;
    watcher.wait_priority(132, "load is 16")?;
    alpha.write("back", "4")?;
    watcher.wait_priority(120, "back is 4, and counts three times and backwards")?;
    beta.link_up("vb1")?;
    watcher.wait_priority(140, "va1 is up again")?;
    alpha.link_down("lo")?;
    watcher.wait_priority(150, "lo is down, and its weight is reversed")?;
    alpha.write("load", "10000")?;
    watcher.wait_priority(254, "no priority is higher")?;
    alpha.write("load", "-120")?;
    watcher.wait_priority(1, "none is lower")?;
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    Ok(())
}

#[test]
fn the_better_router_moves_with_the_weights() {
    side_by_side(&Ours::BOTH, |cast| {
        let lan = pair()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let (first, second) = cast.cast();
        alpha.write("drain", "0")?;
        let setup = Setup {
            before: files(alpha, &[("drain", "weight -1")]),
            ..V3.alpha(150)
                .line(list("track_file", &["drain"]))
                .line(list("track_interface", &["va1 weight -60"]))
        };
        let one = setup.start(&first, alpha)?;
        let two = V3.beta(120).start(&second, beta)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        for round in 0..2 {
            alpha.write("drain", "40")?;
            lan.wait_holder(VIP, "beta", SOON)?;
            alpha.write("drain", "0")?;
            lan.wait_holder(VIP, "alpha", SOON)?;
            beta.link_down("vb1")?;
            lan.wait_holder(VIP, "beta", SOON)?;
            beta.link_up("vb1")?;
            lan.wait_holder(VIP, "alpha", SOON)?;
            assert_eq!(one.entries(VI, State::Fault), 0, "round {round}\n{}", one.log());
        }
        assert_eq!(two.entries(VI, State::Fault), 0, "{}", two.log());
        Ok(())
    });
}

#[test]
fn without_weight_a_failure_is_a_fault() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    alpha.write("stop", "0")?;
    alpha.write("serve", "1")?;
    let setup = Setup {
        before: files(alpha, &[("stop", "weight 0"), ("serve", "weight 0 reverse"), ("deep", "weight 2")]),
        ..V3.alpha(100)
            .line(list("track_interface", &["va1"]))
            .line(list("track_file", &["stop", "serve", "deep"]))
    };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let in_and_out =
        |what: &str, fail: &dyn Fn() -> Result<()>, mend: &dyn Fn() -> Result<()>| -> Result<()> {
            let mark = router.mark();
            fail()?;
            router.wait_entering_since(mark, VI, State::Fault, SOON)?;
            wait::until_eq(&format!("no VIP: {what}"), SOON, &false, || alpha.has_address(VIP))?;
            let mark = router.mark();
            mend()?;
            router.wait_entering_since(mark, VI, State::Backup, SOON)?;
            router.wait_entering_since(mark, VI, State::Master, SOON).map(drop)
        };
    in_and_out("carrier lost", &|| beta.link_down("vb1"), &|| beta.link_up("vb1"))?;
    in_and_out("taken down", &|| alpha.link_down("va1"), &|| alpha.link_up("va1"))?;
    let write = |name: &'static str, text: &'static str| move || alpha.write(name, text).map(drop);
    in_and_out("stop is 1", &write("stop", "1"), &write("stop", "0"))?;
    in_and_out("serve is gone", &|| remove(&alpha.dir().join("serve")), &write("serve", "1"))?;
    in_and_out("deep asks for too much", &write("deep", "-127"), &write("deep", "-20"))?;
    // Of two faults at once both have to go.
    let mark = router.mark();
    alpha.write("stop", "2")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let mark = router.mark();
    beta.link_down("vb1")?;
    beta.link_up("vb1")?;
    alpha.write("serve", "0")?;
    alpha.write("stop", "0")?;
    wait::throughout("FAULT for serve", Duration::from_secs(1), || {
        let log = router.process().log_since(mark);
        if log.contains("Entering") { Err(log) } else { Ok(()) }
    })?;
    alpha.write("serve", "1")?;
    router.wait_entering_since(mark, VI, State::Master, SOON).map(drop)
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| lab::Error::io(format!("remove {}", path.display()), error))
}

#[test]
fn what_a_group_tracks_moves_all_its_members() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    alpha.write("load", "0")?;
    alpha.write("stop", "0")?;
    let instance = |vrid: u8, priority: u8| Setup {
        vrid,
        vips: vec![format!("10.9.0.{vrid}/24")],
        ..V3.alpha(priority)
    };
    let text = format!(
        "global_defs {{\n  router_id lab\n}}\n{}vrrp_sync_group G {{\n  group {{\n    ONE\n    TWO\n  }}\n  {}\n  {}\n}}\n{}{}",
        files(alpha, &[("load", "weight 2"), ("stop", "weight 0")]),
        list("track_file", &["load", "stop"]),
        list("track_interface", &["va1"]),
        instance(51, 100).instance("ONE"),
        instance(52, 110).instance("TWO")
    );
    let watcher = Watcher::on(beta, "vb0")?;
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    let both = |mark: usize, state: State| -> Result<()> {
        router.wait_entering_since(mark, "ONE", state, SOON)?;
        router.wait_entering_since(mark, "TWO", state, SOON).map(drop)
    };
    both(0, State::Master)?;
    alpha.write("load", "5")?;
    watcher.wait_priority_of(51, 110, "load is 5")?;
    watcher.wait_priority_of(52, 120, "load is 5 for the other, too")?;
    let mark = router.mark();
    alpha.write("stop", "1")?;
    both(mark, State::Fault)?;
    let mark = router.mark();
    alpha.write("stop", "0")?;
    both(mark, State::Master)?;
    let mark = router.mark();
    beta.link_down("vb1")?;
    both(mark, State::Fault)?;
    let mark = router.mark();
    beta.link_up("vb1")?;
    both(mark, State::Master)
}

#[test]
fn a_file_is_followed_whatever_becomes_of_it() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let path = alpha.dir().join("load");
    let setup = Setup {
        before: files(alpha, &[("load", "weight 1"), ("made", "weight 1\n  init_file 7")]),
        ..V3.alpha(100).line(list("track_file", &["load", "made"]))
    };
    let watcher = Watcher::on(beta, "vb0")?;
    let _router = setup.start_until(&ours(), alpha, State::Master)?;
    watcher.wait_priority(107, "made was made with 7, load is not there")?;
    assert_eq!(fs::read_to_string(alpha.dir().join("made")).unwrap_or_default().trim(), "7");
    let huge = "1".repeat(1 << 20);
    let follow = |what: &str, step: Result<()>, priority| {
        step?;
        watcher.wait_priority(priority, what)
    };
    let write = |text: &str| alpha.write("load", text).map(drop);
    follow("made", write("5\n"), 112)?;
    follow("replaced by another of its name", rename(&alpha.write("new", "10")?, &path), 117)?;
    follow("without a number", write("junk"), 107)?;
    follow("with words after the number", write(" \n12 34 apples"), 119)?;
    follow("removed", remove(&path), 107)?;
    follow("made again", write("-7"), 100)?;
    follow("moved away", rename(&path, &alpha.dir().join("away")), 107)?;
    follow("octal", write("010"), 115)?;
    follow("empty", write(""), 107)?;
    follow("before the number that does not fit", write("30"), 137)?;
    alpha.write("load", &huge)?;
    alpha.write("made", "8")?;
    watcher.wait_priority(138, "a number of a million digits is ignored")
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| lab::Error::io(format!("rename {}", from.display()), error))
}

#[test]
fn a_file_that_cannot_be_read_delays_nobody() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let pipe = alpha.dir().join("pipe");
    alpha.run(&["mkfifo", &pipe.to_string_lossy()])?;
    let setup = Setup {
        before: files(alpha, &[("pipe", "weight 1")]),
        ..V3.alpha(100).line(list("track_file", &["pipe"]))
    };
    let capture = Capture::start(beta, "vb0", "ip proto 112")?;
    let control = Control::start();
    let _router = setup.start_until(&ours(), alpha, State::Master)?;
    let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 10)?;
    assert_steady(&adverts, "10.9.0.1", V3.interval(), LATE / 3, &control.stop());
    assert!(adverts.iter().all(|advert| advert.priority() == 100), "{adverts:?}");
    Ok(())
}

#[test]
fn a_file_may_be_a_link_and_its_directory_may_come_later() -> Result<()> {
    if is_keepalived("`track_file` in a directory that is not there at the start") {
        return Ok(());
    }
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let setup = Setup {
        before: files(alpha, &[("link", "weight 1"), ("nowhere/deep/file", "weight 1")]),
        ..V3.alpha(100).line(list("track_file", &["link", "nowhere/deep/file"]))
    };
    let watcher = Watcher::on(beta, "vb0")?;
    let _router = setup.start_until(&ours(), alpha, State::Master)?;
    let directory = alpha.dir().join("nowhere/deep");
    for number in [5, 6] {
        fs::create_dir_all(&directory).expect("the directory can be made");
        alpha.write("nowhere/deep/file", &number.to_string())?;
        watcher.wait_priority(100 + number, "the file is there")?;
        fs::remove_dir_all(alpha.dir().join("nowhere")).expect("the directory can be removed");
        watcher.wait_priority(100, "the file is gone")?;
    }
    alpha.write("target", "20")?;
    symlink("target", alpha.dir().join("link")).expect("the link can be made");
    watcher.wait_priority(120, "the link is there")?;
    alpha.write("target", "30")?;
    watcher.wait_priority(130, "what it leads to has changed")
}

#[test]
fn delays_keep_a_flapping_cable_from_a_fault() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let delay = Duration::from_millis(1500);
    let setup = Setup {
        before: "interface_up_down_delays {\n  va1 1.5 1\n}\n".to_owned(),
        ..V3.alpha(100).line(list("track_interface", &["va1"]))
    };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let mark = router.mark();
    for _ in 0..5 {
        beta.link_down("vb1")?;
        beta.link_up("vb1")?;
    }
    beta.link_down("vb1")?;
    let down = clock::wall();
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let after = clock::wall().saturating_sub(down);
    assert!(after + LATE / 6 >= delay, "FAULT {after:?} after the link was lost\n{}", router.log());
    let log = router.process().log_since(mark);
    assert_eq!(log.matches("Entering").count(), 1, "{log}");
    let mark = router.mark();
    beta.link_up("vb1")?;
    let up = clock::wall();
    router.wait_entering_since(mark, VI, State::Backup, SOON)?;
    let after = clock::wall().saturating_sub(up);
    assert!(after + LATE / 6 >= Duration::from_secs(1), "BACKUP {after:?} after the link was back");
    Ok(())
}

#[test]
fn a_link_of_the_router_has_the_delays_of_its_interface() -> Result<()> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .back_to_back()
        .build()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    // More would be limited: a master is missed after 0.4 s.
    let delay = Duration::from_millis(300);
    let setup = Setup {
        before: "interface_up_down_delays {\n  va0 0.3 0.3\n}\n".to_owned(),
        ..V3.alpha(100).line("use_vmac")
    };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let mark = router.mark();
    beta.link_down("vb0")?;
    beta.link_up("vb0")?;
    beta.link_down("vb0")?;
    let down = clock::wall();
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let after = clock::wall().saturating_sub(down);
    assert!(after + LATE / 6 >= delay, "FAULT after {after:?}\n{}", router.log());
    let mark = router.mark();
    beta.link_up("vb0")?;
    let up = clock::wall();
    router.wait_entering_since(mark, VI, State::Backup, SOON)?;
    let after = clock::wall().saturating_sub(up);
    assert!(after + LATE / 6 >= delay, "BACKUP after {after:?}\n{}", router.log());
    Ok(())
}

#[test]
fn an_interface_that_is_removed_is_a_fault_until_one_of_its_name_is_made() -> Result<()> {
    let lan = pair()?;
    let alpha = &lan["alpha"];
    // A delay is for cables, not for this.
    let setup = Setup {
        before: "interface_up_down_delays {\n  va1 20 20\n}\n".to_owned(),
        ..V3.alpha(100).line(list("track_interface", &["va1"]))
    };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let mark = router.mark();
    alpha.run(&["ip", "link", "del", "va1"])?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    let mark = router.mark();
    alpha.sh("ip link add va1 type veth peer name vx1 && ip link set vx1 up && ip link set va1 up")?;
    router.wait_entering_since(mark, VI, State::Master, SOON).map(drop)
}

#[test]
fn an_instance_may_leave_its_own_interface_alone() -> Result<()> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .back_to_back()
        .build()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let other = Setup { vrid: 52, vips: vec!["10.9.0.101/24".into()], ..V3.alpha(100) };
    let text = format!(
        "global_defs {{\n  router_id lab\n}}\n{}{}",
        V3.alpha(100).line("dont_track_primary").instance(VI),
        other.instance("OTHER")
    );
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.wait_entering("OTHER", State::Master, SOON)?;
    beta.link_down("vb0")?;
    router.wait_entering("OTHER", State::Fault, SOON)?;
    beta.link_up("vb0")?;
    let mark = router.mark();
    router.wait_entering_since(mark, "OTHER", State::Master, SOON)?;
    assert_eq!(
        (router.entries(VI, State::Fault), router.entries(VI, State::Master)),
        (0, 1),
        "{}",
        router.log()
    );
    Ok(())
}

#[test]
fn the_interface_of_an_address_is_tracked_unless_the_line_says_otherwise() -> Result<()> {
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let with = |name: &str, vrid: u8, line: &str| {
        let vips = vec![format!("10.9.0.{vrid}/24"), format!("10.8.0.{vrid}/24 dev va1 {line}")];
        Setup { vrid, vips, ..V3.alpha(100) }.line("dont_track_primary").instance(name)
    };
    let text =
        format!("global_defs {{\n  router_id lab\n}}\n{}{}", with(VI, 51, ""), with("CALM", 52, "no_track"));
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.wait_entering("CALM", State::Master, SOON)?;
    beta.link_down("vb1")?;
    router.wait_entering(VI, State::Fault, SOON)?;
    let mark = router.mark();
    beta.link_up("vb1")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    assert_eq!(router.entries("CALM", State::Fault), 0, "{}", router.log());
    Ok(())
}

/// A program of a name that no other lab's process has.
struct Program(PathBuf);

impl Program {
    fn on(host: &Host) -> Result<Self> {
        // The kernel keeps 15 bytes of a name; that of the lab has no more.
        let name = host.namespace().trim_end_matches(host.name()).trim_end_matches('-');
        let path = host.dir().join(name);
        let from = Path::new("/bin/sleep");
        fs::copy(from, &path).map_err(|error| lab::Error::io(format!("copy {}", from.display()), error))?;
        Ok(Self(path))
    }

    fn name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn start(&self, host: &Host) -> Result<Process> {
        let process = host.spawn("worker", &[&self.0.to_string_lossy(), "1000"])?;
        // `ip netns exec` becomes the program, in a moment.
        let path = format!("/proc/{}/comm", process.pid());
        wait::until_eq("the program to run", SOON, &self.name(), || {
            fs::read_to_string(&path).unwrap_or_default().trim().to_owned()
        })?;
        Ok(process)
    }
}

#[test]
fn without_its_processes_a_router_begins_in_fault() -> Result<()> {
    let lan = pair()?;
    let alpha = &lan["alpha"];
    let program = Program::on(alpha)?;
    let before = format!("vrrp_track_process some {{\n  process {}\n}}\n", program.name());
    let setup = Setup { before, ..V3.alpha(100).line(list("track_process", &["some"])) };
    let router = setup.start(&ours(), alpha)?;
    // keepalived writes its very first state in another way.
    router.wait_log("ntering FAULT", SOON)?;
    wait::throughout("no VIP", V3.master_down(100), || {
        if alpha.has_address(VIP) { Err(router.log()) } else { Ok(()) }
    })
}

#[test]
fn processes_are_counted_by_name_command_line_and_quorum() -> Result<()> {
    if is_keepalived("`vrrp_track_process` in a network namespace") {
        return Ok(());
    }
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let program = Program::on(alpha)?;
    let (name, path) = (program.name(), program.0.display());
    let blocks = [
        ("some", format!("process {name}")),
        ("two", format!("process {name}\n  quorum 2\n  weight 10")),
        ("three", format!("process {name}\n  quorum 3\n  weight -20")),
        ("exact", format!("process {path} 1000\n  weight 3")),
        ("other", format!("process {path} 100\n  weight 7")),
        ("initial", format!("process {path} 100\n  param_match initial\n  weight 40")),
        ("bare", format!("process {path}\n  param_match\n  weight 8")),
        ("none", format!("process {name}\n  quorum_max 0\n  weight 50 reverse")),
    ];
    let before: String =
        blocks.iter().map(|(name, lines)| format!("vrrp_track_process {name} {{\n  {lines}\n}}\n")).collect();
    let names: Vec<&str> = blocks.iter().map(|(name, _)| *name).collect();
    let setup = Setup { before, ..V3.alpha(100).line(list("track_process", &names)) };
    let watcher = Watcher::on(beta, "vb0")?;
    let _workers = [program.start(alpha)?, program.start(alpha)?];
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    watcher.wait_priority(133, "10 for two, -20 for want of three, 3 and 40 for the command line")?;
    assert_eq!(router.entries(VI, State::Fault), 0, "{}", router.log());
    Ok(())
}

#[test]
fn processes_are_followed_where_the_kernel_does_not_report_them() -> Result<()> {
    if is_keepalived("`vrrp_track_process` in a network namespace") {
        return Ok(());
    }
    let lan = pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let program = Program::on(alpha)?;
    let name = program.name();
    let before = format!(
        "vrrp_track_process some {{\n  process {name}\n}}\n\
         vrrp_track_process two {{\n  process {name}\n  quorum 2\n  weight 10\n}}\n"
    );
    let setup = Setup { before, ..V3.alpha(100).line(list("track_process", &["some", "two"])) };
    let _other = V3.beta(105).start(&Subject::Keepalived, beta)?;
    let router = setup.start_until(&ours(), alpha, State::Fault)?;
    router.wait_log("tracked processes are counted every second instead", SOON)?;
    let one = program.start(alpha)?;
    router.wait_entering(VI, State::Backup, SOON)?;
    let two = program.start(alpha)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    one.kill();
    lan.wait_holder(VIP, "beta", SOON)?;
    let mark = router.mark();
    two.kill();
    router.wait_entering_since(mark, VI, State::Fault, SOON).map(drop)
}

#[test]
fn a_source_address_may_be_needed() -> Result<()> {
    if is_keepalived("`track_src_ip`") {
        return Ok(());
    }
    let lan = pair()?;
    let alpha = &lan["alpha"];
    let setup = V3.alpha(100).line("mcast_src_ip 10.9.0.77\n  track_src_ip");
    let router = setup.start_until(&ours(), alpha, State::Fault)?;
    assert!(router.log().contains("source address 10.9.0.77 is not on this host"), "{}", router.log());
    alpha.add_address("10.9.0.77/24", "va0")?;
    router.wait_entering(VI, State::Master, SOON)?;
    let mark = router.mark();
    alpha.del_address("10.9.0.77/24", "va0")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON).map(drop)
}
