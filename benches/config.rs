//! How long a configuration test takes, and how it grows.
//!
//! First beside keepalived, both programs in turn: 2,000 instances, and 2,284 virtual servers with 37,205 real
//! servers that each have a checker; then ten times a tenth of each, to see that time grows with the size alone.
//! Second Steadfast alone on shapes that invite quadratic work, each in one size and ten times that.
//!
//! `cargo bench --bench config [-- ROUNDS]`, 15 rounds unless told.

#![expect(clippy::expect_used, reason = "a bench fails loudly")]

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use support::{
    shapes,
    table::{Summary, head, row},
};

const STEADFAST: &str = env!("CARGO_BIN_EXE_steadfast");
/// Rounds of a shape: its figures are as steady as they need to be.
const SHAPE_ROUNDS: u64 = 3;

fn main() {
    if !support::wanted() {
        return;
    }
    let rounds = support::number(15);
    enter_namespace();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    beside_keepalived(directory.path(), rounds);
    growth(directory.path());
}

/// What one run took, in milliseconds.
struct Run {
    elapsed: f64,
    cpu: f64,
}

fn beside_keepalived(directory: &Path, rounds: u64) {
    let title = format!("Configuration test, {rounds} rounds in turn: ms, median (min–max)");
    head(&title, &["file", "lines", "Steadfast", "keepalived", "times faster", "in CPU time", "peak kB"]);
    let file = directory.join("big.conf");
    for (name, text) in [
        ("200 instances", shapes::instances(200)),
        ("2,000 instances", shapes::instances(2_000)),
        ("228 services, 3,720 servers", shapes::services(228, 3_720)),
        ("2,284 services, 37,205 servers", shapes::services(2_284, 37_205)),
    ] {
        fs::write(&file, &text).expect("the file can be written");
        let pairs: Vec<_> = (0..rounds).map(|_| (run(STEADFAST, &file), run("keepalived", &file))).collect();
        let of = |figure: fn(&(Run, Run)) -> f64| Summary::of(pairs.iter().map(figure));
        row(&[
            &name,
            &text.lines().count(),
            &format!("{:.1}", of(|(ours, _)| ours.elapsed)),
            &format!("{:.1}", of(|(_, theirs)| theirs.elapsed)),
            &of(|(ours, theirs)| theirs.elapsed / ours.elapsed),
            &of(|(ours, theirs)| theirs.cpu / ours.cpu),
            &peak(&file),
        ]);
    }
}

fn growth(directory: &Path) {
    let title = "Growth with ten times the size: CPU ms, median";
    head(title, &["shape", "small size", "small", "large", "grows by", "large, peak kB"]);
    for shape in shapes::ALL {
        let [small, large] = [shape.size, shape.size * 10].map(|size| {
            let file = shape.write(directory, size).expect("the files can be written");
            let cpu = Summary::of((0..SHAPE_ROUNDS).map(|_| run_any(&file).cpu)).median;
            (cpu, file)
        });
        row(&[
            &shape.name,
            &shape.size,
            &format!("{:.1}", small.0),
            &format!("{:.1}", large.0),
            &format!("{:.1}", large.0 / small.0),
            &peak(&large.1),
        ]);
    }
}

fn test(program: &str, file: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("-t").arg("-f").arg(file).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A test of a file that is right.
fn run(program: &str, file: &Path) -> Run {
    let (run, code, said) = measured(test(program, file));
    assert_eq!(code, Some(0), "{program}: {said:.2000}");
    run
}

/// A test by Steadfast of a file that need not be right.
fn run_any(file: &Path) -> Run {
    let (run, code, said) = measured(test(STEADFAST, file));
    assert!(matches!(code, Some(0 | 5 | 6)), "{code:?}: {said:.2000}");
    run
}

fn measured(mut command: Command) -> (Run, Option<i32>, String) {
    let (before, start) = (children(), lab::clock::now());
    let output = command.output().expect("both programs are there: install the package keepalived");
    let elapsed = (lab::clock::now() - start).as_secs_f64() * 1e3;
    let cpu = (children() - before).as_secs_f64() * 1e3;
    (Run { elapsed, cpu }, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// CPU time of the children that have ended.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("a process may ask for its usage");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

/// Peak resident memory of a test by Steadfast in kB, as GNU time has it.
fn peak(file: &Path) -> u64 {
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M", STEADFAST, "-t", "-f"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .expect("install the package time");
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().last().and_then(|line| line.trim().parse().ok()).expect("time says how much")
}

/// A network namespace of this process, with the interfaces that the instances name; it ends with the process.
fn enter_namespace() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("network namespaces need root");
    for link in 0..shapes::LINKS {
        let name = format!("bench{link}");
        let status = Command::new("ip").args(["link", "add", "name", &name, "type", "bridge"]).status();
        assert!(status.expect("install the package iproute2").success(), "ip link add {name} failed");
    }
}
