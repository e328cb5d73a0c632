//! FIFOs: which lines are written, when, and whose the pipes and their scripts are.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::{FifoReader, Host, Injector, Lan, Result, Router, State, clock, frame, wait};

use crate::groups::{self, Group};
use crate::scripts::{lines, script};
use crate::world::{SOON, Setup, V3, VI, is_keepalived, ours};

/// Waits until these are the first lines, each group of them in any order of its own.
fn wait_lines(reader: &mut FifoReader, expected: &[Vec<&str>]) -> Result<()> {
    wait::until("the lines", SOON, || {
        let mut seen = reader.lines();
        let mut rest = seen.as_mut_slice();
        for together in expected {
            let (now, later) = rest.split_at_mut(together.len().min(rest.len()));
            now.sort();
            rest = later;
        }
        let all = expected.concat();
        if seen.len() >= all.len() && seen[..all.len()] == all {
            Ok(())
        } else {
            Err(format!("{seen:?}, awaited {expected:?}"))
        }
    })
}

/// A file with words of `global_defs`.
fn with_globals(setup: &Setup, globals: &str) -> String {
    setup.text().replacen("router_id lab\n", &format!("router_id lab\n{globals}"), 1)
}

fn start(setup: &Setup, globals: &str, host: &Host) -> Result<Router> {
    Router::start(&ours(), host, host.name(), &with_globals(setup, globals))
}

fn fifo(host: &Host, name: &str) -> PathBuf {
    host.dir().join(name)
}

#[test]
fn lines_of_instances_and_groups_and_whose_the_fifos_are() -> Result<()> {
    let lan = groups::lan()?;
    let alpha = &lan["alpha"];
    let [all, vrrp] = ["all", "vrrp"].map(|name| fifo(alpha, name));
    let mut group = Group::of(&V3.alpha(150));
    group.globals =
        format!("  notify_fifo {}\n  vrrp_notify_fifo {} daemon\n", all.display(), vrrp.display());
    let router = group.start(&ours(), alpha)?;
    let mut readers = [FifoReader::open(&all, SOON)?, FifoReader::open(&vrrp, SOON)?];
    for (path, owner) in [(&all, 0), (&vrrp, 1)] {
        let found = fs::metadata(path).expect("it was opened");
        assert!(found.file_type().is_fifo());
        assert_eq!(
            (found.mode() & 0o7777, found.uid(), found.gid()),
            (0o600, owner, owner),
            "{}",
            path.display()
        );
    }
    let mut told = vec![
        vec!["GROUP \"G\" BACKUP 0"],
        vec!["INSTANCE \"ONE\" BACKUP 150", "INSTANCE \"TWO\" BACKUP 150"],
    ];
    let mut told_of = |members: [&'static str; 2], group: &'static str| {
        told.extend([members.to_vec(), vec![group]]);
        readers.iter_mut().try_for_each(|reader| wait_lines(reader, &told))
    };
    told_of(["INSTANCE \"ONE\" MASTER 150", "INSTANCE \"TWO\" MASTER 150"], "GROUP \"G\" MASTER 0")?;
    alpha.link_down("va0")?;
    told_of(["INSTANCE \"ONE\" FAULT 150", "INSTANCE \"TWO\" FAULT 150"], "GROUP \"G\" FAULT 0")?;
    alpha.link_up("va0")?;
    told_of(["INSTANCE \"ONE\" BACKUP 150", "INSTANCE \"TWO\" BACKUP 150"], "GROUP \"G\" BACKUP 0")?;
    told_of(["INSTANCE \"ONE\" MASTER 150", "INSTANCE \"TWO\" MASTER 150"], "GROUP \"G\" MASTER 0")?;
    router.stop()?;
    told_of(["INSTANCE \"ONE\" STOP 150", "INSTANCE \"TWO\" STOP 150"], "GROUP \"G\" STOP 0")?;
    assert!(!all.exists() && !vrrp.exists());
    Ok(())
}

#[test]
fn changes_of_priority_are_told_in_every_state() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let path = fifo(alpha, "fifo");
    let file = alpha.write("number", "0\n")?;
    let mut setup = V3.alpha(150).line("track_file {\n    number\n  }");
    setup.before = format!("track_file number {{\n  file {}\n  weight 1\n}}\n", file.display());
    let globals = format!("  vrrp_notify_fifo {}\n  vrrp_notify_priority_changes on\n", path.display());
    let router = start(&setup, &globals, alpha)?;
    let mut reader = FifoReader::open(&path, SOON)?;
    let mut told = Vec::new();
    let mut told_of = |state: &str, priority: u8| {
        told.push(format!("INSTANCE \"{VI}\" {state} {priority}"));
        wait_lines(&mut reader, &told.iter().map(|line| vec![line.as_str()]).collect::<Vec<_>>())
    };
    told_of("BACKUP", 150)?;
    told_of("MASTER", 150)?;
    alpha.write("number", "-3\n")?;
    told_of("MASTER_PRIORITY", 147)?;
    let better = V3.beta(200).start_until(&ours(), beta, State::Master)?;
    told_of("BACKUP", 147)?;
    alpha.write("number", "7\n")?;
    told_of("BACKUP_PRIORITY", 157)?;
    alpha.link_down("va0")?;
    told_of("FAULT", 157)?;
    alpha.write("number", "9\n")?;
    told_of("BACKUP_PRIORITY", 159)?;
    better.stop()?;
    router.stop()?;
    told_of("STOP", 159)
}

#[test]
fn priorities_are_told_only_where_that_is_asked_for() -> Result<()> {
    let lan = groups::lan()?;
    let alpha = &lan["alpha"];
    let path = fifo(alpha, "fifo");
    let file = alpha.write("number", "0\n")?;
    let mut group = Group::of(&V3.alpha(150)).each("track_file {\n    number\n  }");
    group.globals = format!("  vrrp_notify_fifo {}\n", path.display());
    group.before = format!("track_file number {{\n  file {}\n  weight 1\n}}\n", file.display());
    group.lines = "  sync_group_tracking_weight\n  notify_priority_changes on\n".to_owned();
    group.members[1].lines.push("notify_priority_changes off".to_owned());
    let router = group.start_until(&ours(), alpha, State::Master)?;
    let mut reader = FifoReader::open(&path, SOON)?;
    alpha.write("number", "4\n")?;
    wait::until("the member that tells", SOON, || {
        let seen = reader.lines();
        if seen.iter().any(|line| line == "INSTANCE \"ONE\" MASTER_PRIORITY 154") {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    })?;
    router.stop()?;
    let seen = reader.lines();
    let told: Vec<_> = seen.iter().filter(|line| line.contains("_PRIORITY")).collect();
    assert_eq!(told.len(), 1, "{seen:?}");
    assert!(seen.contains(&"INSTANCE \"TWO\" STOP 154".to_owned()), "{seen:?}");
    Ok(())
}

#[test]
fn a_fifo_that_was_there_keeps_its_mode_and_outlives_the_daemon() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let path = fifo(alpha, "fifo");
    alpha.run(&["mkfifo", "-m", "0664", &path.to_string_lossy()])?;
    let mut reader = FifoReader::open(&path, SOON)?;
    let router = start(&V3.alpha(150), &format!("  vrrp_notify_fifo {} daemon\n", path.display()), alpha)?;
    wait_lines(&mut reader, &[vec!["INSTANCE \"VI\" BACKUP 150"], vec!["INSTANCE \"VI\" MASTER 150"]])?;
    router.stop()?;
    let found = fs::metadata(&path).expect("it outlives the daemon");
    assert_eq!((found.mode() & 0o7777, found.uid()), (0o664, 0));
    Ok(())
}

#[test]
fn a_regular_file_is_no_fifo() -> Result<()> {
    if is_keepalived("regular file, or symbolic link, where a FIFO should be") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let path = alpha.write("file", "text")?;
    let router = start(&V3.alpha(150), &format!("  notify_fifo {}\n", path.display()), alpha)?;
    router.wait_log("it is no FIFO", SOON)?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.stop()?;
    assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some("text"));
    Ok(())
}

/// A FIFO script that writes down who it is and what it reads.
fn reading(host: &Host) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let [who, seen] = ["who", "seen"].map(|name| host.dir().join(name));
    for file in [&who, &seen] {
        fs::write(file, "").expect("the folder is ours");
        host.run(&["chmod", "666", &file.to_string_lossy()])?;
    }
    let text =
        format!("echo \"$$ $(id -un) $*\" >> {}\nexec cat \"$2\" >> {}", who.display(), seen.display());
    Ok((script(host, "reader.sh", &text)?, who, seen))
}

#[test]
fn the_script_of_a_fifo_gets_its_path_last_and_runs_as_its_user() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let path = fifo(alpha, "fifo");
    let (reader, who, seen) = reading(alpha)?;
    let globals = format!(
        "  notify_fifo {} daemon\n  notify_fifo_script \"{} own\" daemon\n",
        path.display(),
        reader.display()
    );
    let router = start(&V3.alpha(150), &globals, alpha)?;
    let expected = ["INSTANCE \"VI\" BACKUP 150", "INSTANCE \"VI\" MASTER 150"].map(str::to_owned).to_vec();
    wait::until_eq("the lines", SOON, &expected, || lines(&seen))?;
    let found = lines(&who);
    assert_eq!(found.len(), 1, "{found:?}");
    let (pid, rest) = found[0].split_once(' ').expect("a pid comes first");
    assert_eq!(rest, format!("daemon own {}", path.display()));
    router.stop()?;
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the script outlives the daemon");
    Ok(())
}

#[test]
fn the_script_of_a_fifo_is_started_again_and_reads_to_the_end() -> Result<()> {
    if is_keepalived("script of a FIFO that ends") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let path = fifo(alpha, "fifo");
    let (reader, who, seen) = reading(alpha)?;
    let globals =
        format!("  notify_fifo {}\n  notify_fifo_script \"{} own\" root\n", path.display(), reader.display());
    let router = start(&V3.alpha(150), &globals, alpha)?;
    wait::until_eq("both lines", SOON, &2, || lines(&seen).len())?;
    let pid = lines(&who)[0].split(' ').next().map(str::to_owned).unwrap_or_default();
    alpha.run(&["kill", &pid])?;
    router.wait_log("was killed by signal 15; it is started again in 1 s", SOON)?;
    alpha.link_down("va0")?;
    wait::until_eq("the line that waited for it", SOON, &3, || lines(&seen).len())?;
    router.stop()?;
    let last = lines(&seen).pop();
    assert_eq!(last.as_deref(), Some("INSTANCE \"VI\" STOP 150"));
    assert_eq!(lines(&who).len(), 2);
    Ok(())
}

#[test]
fn a_script_that_does_not_end_delays_the_stop_by_no_more_than_a_second() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let path = fifo(alpha, "fifo");
    let who = alpha.dir().join("who");
    let text = format!("echo $$ >> {}\ntrap '' TERM\nwhile :; do sleep 1000; done", who.display());
    let stubborn = script(alpha, "stubborn.sh", &text)?;
    let globals =
        format!("  notify_fifo {}\n  notify_fifo_script {} root\n", path.display(), stubborn.display());
    let router = start(&V3.alpha(150), &globals, alpha)?;
    router.wait_entering(VI, State::Master, SOON)?;
    wait::until_eq("the script", SOON, &1, || lines(&who).len())?;
    let asked = clock::wall();
    router.stop()?;
    let took = clock::wall().saturating_sub(asked);
    assert!(took < Duration::from_secs(4), "the stop took {took:?}");
    if !is_keepalived("script of a FIFO at the stop") {
        let pid = lines(&who).pop().unwrap_or_default();
        wait::until_eq("the end of the script", SOON, &false, || {
            Path::new(&format!("/proc/{pid}")).exists()
        })?;
    }
    Ok(())
}

/// A router with a MASTER's FIFO and a script, both of which are told of routers with a lower claim, and the
/// advertisements of such a router.
struct Contested {
    router: Router,
    reader: FifoReader,
    /// A line for each run of the script.
    runs: PathBuf,
    injector: Injector,
    rival: Vec<u8>,
}

impl Contested {
    fn start(lan: &Lan) -> Result<Self> {
        let alpha = &lan["alpha"];
        let (path, runs) = (fifo(alpha, "fifo"), alpha.dir().join("runs"));
        let answer = script(alpha, "answer.sh", &format!("echo \"$# arguments\" >> {}", runs.display()))?;
        let setup = V3.alpha(150).line(format!("notify_master_rx_lower_pri {}", answer.display()));
        let router = start(&setup, &format!("  vrrp_notify_fifo {}\n", path.display()), alpha)?;
        let reader = FifoReader::open(&path, SOON)?;
        router.wait_entering(VI, State::Master, SOON)?;
        let source = [10, 9, 0, 77];
        let advert = frame::advert_v3((source, frame::VRRP_GROUP), 51, 50, 20, &[[10, 9, 0, 100]]);
        let rival = frame::Ipv4::vrrp(source, &advert).ethernet([2, 0, 0, 0, 0, 0x77]);
        Ok(Self { router, reader, runs, injector: Injector::open(&lan["beta"], "vb0")?, rival })
    }

    /// How many lines and how many runs of the script there were.
    fn told(&mut self) -> (usize, usize) {
        let of_rivals = |line: &&String| *line == "INSTANCE \"VI\" MASTER_RX_LOWER_PRI 150";
        (self.reader.lines().iter().filter(of_rivals).count(), lines(&self.runs).len())
    }
}

#[test]
fn a_router_with_a_lower_claim_is_told_by_a_line_and_a_script() -> Result<()> {
    let lan = Lan::pair()?;
    let mut story = Contested::start(&lan)?;
    wait::until("a line and a run", SOON, || {
        let sent = story.injector.send(&story.rival);
        let told = story.told();
        if sent.is_ok() && told.0 > 0 && told.1 > 0 { Ok(()) } else { Err(format!("{told:?}")) }
    })?;
    assert_eq!(lines(&story.runs)[0], "0 arguments");
    story.router.stop().map(drop)
}

#[test]
fn a_flood_of_lower_claims_starts_a_script_a_second() -> Result<()> {
    if is_keepalived("another router advertises as master with a lower claim, again and again") {
        return Ok(());
    }
    const SPAN: Duration = Duration::from_secs(4);
    let lan = Lan::pair()?;
    let mut story = Contested::start(&lan)?;
    let (injector, rival) = (&story.injector, &story.rival);
    let mut sent = 0;
    wait::throughout("the flood", SPAN, || {
        sent += 1;
        injector.send(rival).map_err(|error| error.to_string())
    })?;
    assert!(sent > 200, "{sent} advertisements are no flood");
    wait::until("lines and runs", SOON, || {
        let (lines, runs) = story.told();
        if lines >= 3 && runs >= 3 { Ok(()) } else { Err(format!("{lines} lines, {runs} runs")) }
    })?;
    story.router.stop()?;
    let (lines, runs) = story.told();
    assert!(lines <= 6 && runs <= 6, "{lines} lines, {runs} runs");
    Ok(())
}
