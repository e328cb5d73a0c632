//! Programs that the daemon starts: who is told of transitions, and who decides about FAULT.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::{Capture, Control, Host, Lan, Result, State, clock, wait};

use crate::world::{
    LATE, Ours, SOON, Setup, V3, VI, VIP, assert_steady, from, is_keepalived, ours, side_by_side,
};

/// An executable script on a host.
pub(crate) fn script(host: &Host, name: &str, text: &str) -> Result<PathBuf> {
    let path = host.write(name, &format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(|error| lab::Error::io(format!("make {} executable", path.display()), error))?;
    Ok(path)
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Process ids that scripts wrote down, one a line.
fn pids(path: &Path) -> Vec<u32> {
    lines(path).iter().filter_map(|line| line.parse().ok()).collect()
}

/// A process that nobody has waited for yet is dead, too.
fn lives(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[test]
fn notify_scripts_are_told_of_every_transition_with_keepaliveds_arguments() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let told = alpha.dir().join("told");
    let tell = script(alpha, "tell.sh", &format!("echo \"$$ $*\" >> {}", told.display()))?;
    let tell = tell.display();
    let setup = V3
        .alpha(150)
        .line(format!("notify_master \"{tell} own 'of a' MASTER\""))
        .line(format!("notify_backup \"{tell} own BACKUP\""))
        .line(format!("notify_fault {tell}"))
        .line(format!("notify_stop \"{tell} own STOP\""))
        .line(format!("notify \"{tell} any\""));
    let mut expected = Vec::new();
    let mut told_of = |own: &str, state: &str| {
        expected.extend([own.to_owned(), format!("any INSTANCE VI {state} 150")]);
        wait::until(state, SOON, || {
            let seen = in_order_of_start(&lines(&told), 2);
            if seen == expected { Ok(()) } else { Err(format!("{seen:?}, awaited {expected:?}")) }
        })
    };
    let router = setup.start(&ours(), alpha)?;
    told_of("own BACKUP", "BACKUP")?;
    told_of("own of a MASTER", "MASTER")?;
    alpha.link_down("va0")?;
    told_of("", "FAULT")?;
    alpha.link_up("va0")?;
    told_of("own BACKUP", "BACKUP")?;
    told_of("own of a MASTER", "MASTER")?;
    router.stop()?;
    told_of("own STOP", "STOP")
}

/// What scripts were told, so many `at_once`. Those are started together, so their lines may come in any order; their
/// process ids, which the lines begin with, tell the order in which they were started.
pub(crate) fn in_order_of_start(lines: &[String], at_once: usize) -> Vec<String> {
    let mut told = Vec::new();
    for together in lines.chunks(at_once) {
        let mut together: Vec<(i32, &str)> = together
            .iter()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(pid, words)| Some((pid.parse().ok()?, words)))
            .collect();
        together.sort_unstable();
        // The kernel starts again with small numbers when it has used the large ones.
        let smallest = together.first().map_or(0, |(pid, _)| *pid);
        let after_the_start_again = together.partition_point(|(pid, _)| pid - smallest < 1000);
        together.rotate_left(after_the_start_again);
        told.extend(together.into_iter().map(|(_, words)| words.to_owned()));
    }
    told
}

/// A script that does not end, nor does its child, and neither listens to SIGTERM.
fn hanging(host: &Host, name: &str, after: &str) -> Result<(PathBuf, PathBuf)> {
    let seen = host.dir().join(format!("{name}.pids"));
    let list = seen.display();
    let text = format!(
        "{after}\ntrap '' TERM\nsleep 1000 &\necho $! >> {list}\necho $$ >> {list}\nwhile :; do sleep 1000; done"
    );
    Ok((script(host, name, &text)?, seen))
}

#[test]
fn a_tracked_script_that_hangs_is_killed_with_its_children_and_has_failed() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let flag = alpha.write("good", "")?;
    // While the flag is there the script succeeds at once.
    let after = format!("[ -e {} ] && exit 0", flag.display());
    let (check, seen) = hanging(alpha, "check.sh", &after)?;
    let mut setup = V3.alpha(150).line("track_script {\n    check\n  }");
    setup.before = format!(
        "vrrp_script check {{\n  script {}\n  interval 1\n  timeout 1\n  fall 1\n  rise 1\n}}\n",
        check.display()
    );
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    fs::remove_file(&flag).expect("the flag is there");
    router.wait_entering(VI, State::Fault, SOON)?;
    wait::until("the family of the script to be gone", SOON, || {
        let living: Vec<_> = pids(&seen).into_iter().take(2).filter(|pid| lives(*pid)).collect();
        if pids(&seen).len() >= 2 && living.is_empty() { Ok(()) } else { Err(format!("{living:?}")) }
    })?;
    let mark = router.mark();
    alpha.write("good", "")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    router.stop()?;
    if is_keepalived("tracked script that does not end for SIGTERM") {
        return Ok(());
    }
    wait::until_eq("nothing to be left behind", SOON, &false, || pids(&seen).into_iter().any(lives))
}

#[test]
fn notify_scripts_that_hang_delay_neither_adverts_nor_the_stop() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let (hang, seen) = hanging(alpha, "hang.sh", "")?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let control = Control::start();
    let setup = V3.alpha(150).line(format!("notify {}", hang.display()));
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    wait::until("scripts of two transitions", SOON, || {
        if pids(&seen).len() >= 4 { Ok(()) } else { Err(format!("{:?}", pids(&seen))) }
    })?;
    let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 12)?;
    assert_steady(&adverts, "10.9.0.1", V3.interval(), LATE / 3, &control.stop());
    let asked = clock::wall();
    router.stop()?;
    let took = clock::wall().saturating_sub(asked);
    assert!(took < Duration::from_secs(4), "the stop took {took:?}");
    let adverts = capture
        .wait_vrrp("priority 0", SOON, |seen| seen.last().is_some_and(|advert| advert.priority() == 0))?;
    let released = adverts.last().map_or(asked, |advert| advert.time).saturating_sub(asked);
    assert!(released < LATE, "priority 0 left {released:?} after SIGTERM");
    Ok(())
}

/// A router whose service runs as long as its host has the file `good`.
fn checked(host: &Host, setup: Setup, weight: i16) -> Result<Setup> {
    let good = host.write("good", "")?;
    let check = script(host, "check.sh", &format!("[ -e {} ]", good.display()))?;
    let before = format!(
        "vrrp_script check {{\n  script {}\n  interval 1\n  weight {weight}\n  fall 1\n  rise 1\n}}\n",
        check.display()
    );
    Ok(Setup { before, ..setup.line("track_script {\n    check\n  }") })
}

/// The service stops where the addresses are, then on the other host, too, and returns there.
#[test]
fn the_weight_of_a_script_moves_the_addresses_and_is_no_fault() {
    // What success adds, or what failure takes away.
    let cases = [2, -2].into_iter().flat_map(|weight| Ours::BOTH.map(|ours| (weight, ours)));
    side_by_side(&cases.collect::<Vec<_>>(), |&(weight, ours)| {
        let lan = Lan::pair()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let (first, second) = ours.cast();
        let capture = Capture::start(beta, "vb0", "ip proto 112")?;
        let (good, bad) = (weight.max(0), weight.min(0));
        let wait_master = |sender: &str, priority: i16| {
            let what = format!("priority {priority} of {sender}");
            capture.wait_vrrp(&what, SOON, |seen| {
                from(seen, sender).last().is_some_and(|advert| i16::from(advert.priority()) == priority)
            })
        };
        let remove = |host: &Host| fs::remove_file(host.dir().join("good")).expect("the service runs");
        let one = checked(alpha, V3.alpha(101), weight)?.start_until(&first, alpha, State::Master)?;
        wait_master("10.9.0.1", 101 + good)?;
        let two = checked(beta, V3.beta(100), weight)?.start_until(&second, beta, State::Backup)?;

        remove(alpha);
        two.wait_entering(VI, State::Master, SOON)?;
        wait_master("10.9.0.2", 100 + good)?;
        lan.wait_holder(VIP, "beta", SOON)?;

        let mark = one.mark();
        remove(beta);
        one.wait_entering_since(mark, VI, State::Master, SOON)?;
        wait_master("10.9.0.1", 101 + bad)?;
        lan.wait_holder(VIP, "alpha", SOON)?;

        beta.write("good", "")?;
        lan.wait_holder(VIP, "beta", SOON)?;
        for router in [&one, &two] {
            assert_eq!(router.entries(VI, State::Fault), 0, "{}", router.log());
        }
        Ok(())
    });
}

/// Before its first result nothing is known of a script; with `init_fail` that is a failure, until it has succeeded as often
/// as one has to that has failed.
#[test]
fn init_fail_has_a_script_succeed_several_times_at_the_start() {
    let mut cases = vec![("# nothing", false)];
    if !is_keepalived("`init_fail`") {
        cases.push(("init_fail", true));
    }
    side_by_side(&cases, |(line, has_to)| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let calls = alpha.dir().join("calls");
        let check = script(alpha, "check.sh", &format!("echo good >> {}", calls.display()))?;
        let mut setup = V3.alpha(150).line("track_script {\n    check\n  }");
        setup.before = format!(
            "vrrp_script check {{\n  script {}\n  interval 1\n  rise 5\n  {line}\n}}\n",
            check.display()
        );
        let router = setup.start(&ours(), alpha)?;
        router.wait_entering(VI, State::Master, SOON)?;
        // Anybody waits a master down interval more, in which there is another one at most.
        let succeeded = lines(&calls).len();
        assert_eq!(succeeded >= 5, *has_to, "{succeeded}: {}", router.log());
        Ok(())
    });
}
