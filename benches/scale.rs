//! Many virtual routers in one process: how soon they are up, what they cost, how fast they fail over.
//!
//! Version 3, advert_int 1, two /32 addresses each, 250 to an interface, no SNMP. Sizes: 10, 250, 1000 and
//! 2000. The programs alternate, each in a lab of its own; only one runs at a time. Then a master of 1000 is
//! killed and its successor's first advertisement of every virtual router timed.
//!
//! `cargo bench --bench scale [-- SECONDS OF STEADY STATE]`; with 0 only the failovers are run.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{Error, Process, Result, Subject, clock, wait};

use support::daemon::Daemon;
use support::fleet;
use support::table::{Summary, head, millis_between, row};
use support::watch::{Capture, monitor, seconds_of_stamp, time_of_day};

const SIZES: [usize; 4] = [10, 250, 1000, 2000];
const FAILOVER: usize = 1000;
const FAILOVERS: usize = 3;
const SOON: Duration = Duration::from_secs(30);
/// Three intervals and (256 - 100) / 256 of one, RFC 9568 §6.1.
const DOWN_INTERVAL: Duration = Duration::from_nanos(3_609_375_000);
/// The second burst of gratuitous ARP comes 5 s after the first.
const BURSTS: Duration = Duration::from_secs(6);

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let steady = Duration::from_secs(support::number(10));
    let columns = ["instances", "program", "all VIPs after s", "CPU % of a core", "RSS MiB", "PSS MiB"];
    head("Many virtual routers, all MASTER", &columns);
    for size in SIZES.into_iter().filter(|_| !steady.is_zero()) {
        for subject in support::subjects() {
            growth(&subject, size, steady)?;
        }
    }
    failovers()
}

#[expect(clippy::cast_precision_loss, reason = "KiB of a process are far below 2^52")]
fn growth(subject: &Subject, size: usize, steady: Duration) -> Result<()> {
    let lan = fleet::hosts(size)?;
    let alpha = &lan["alpha"];
    let monitor = monitor(alpha)?;
    let began = clock::wall();
    let daemon = Daemon::start(subject, alpha, "alpha", &fleet::config(size, 100, ""))?;
    support::rest(DOWN_INTERVAL)?;
    daemon.wait_entries(0, "MASTER", size, SOON)?;
    let complete = wait::until("all addresses", SOON, || {
        support::rest(Duration::from_millis(100)).map_err(|e| e.to_string())?;
        last_of(&monitor, 2 * size)
    })?;
    support::rest(BURSTS)?;
    let (since, before) = (clock::now(), daemon.cpu());
    support::rest(steady)?;
    let busy = (daemon.cpu() - before).as_secs_f64() / since.elapsed().as_secs_f64();
    let (rss, pss) = daemon.memory();
    let mib = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
    row(&[
        &size,
        subject,
        &format!("{:.3}", complete - time_of_day(began)),
        &format!("{:.2}", busy * 100.0),
        &mib(rss),
        &mib(pss),
    ]);
    Ok(())
}

/// When the last of `count` virtual addresses was added, in seconds of the day.
fn last_of(monitor: &Process, count: usize) -> std::result::Result<f64, String> {
    let log = monitor.log();
    let added: Vec<&str> =
        log.lines().filter(|line| line.contains(" 10.200.") && !line.contains("Deleted")).collect();
    match added.last() {
        Some(last) if added.len() >= count => {
            seconds_of_stamp(last).ok_or_else(|| format!("no time in `{last}`"))
        }
        _ => Err(format!("{} of {count}", added.len())),
    }
}

fn failovers() -> Result<()> {
    let mut rounds = Vec::new();
    for _ in 0..FAILOVERS {
        for subject in support::subjects() {
            let overshoots = failover(&subject)?;
            rounds.push((subject, Summary::of(overshoots)));
        }
    }
    let title = format!("kill -9 of a master of {FAILOVER}: first advertisements, ms beyond 3609.4 ms");
    head(&title, &["program", "median (min–max) over the virtual routers of a run"]);
    rounds.sort_by_key(|(subject, _)| subject.to_string() != "steadfast");
    for (subject, summary) in &rounds {
        row(&[subject, summary]);
    }
    Ok(())
}

/// Per virtual router, the time from its master's last advertisement to its successor's first one, beyond
/// the master down interval, in ms.
fn failover(subject: &Subject) -> Result<Vec<f64>> {
    let lan = fleet::hosts(FAILOVER)?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let master = Daemon::start(subject, alpha, "alpha", &fleet::config(FAILOVER, 200, ""))?;
    support::rest(Duration::from_secs(3))?;
    master.wait_entries(0, "MASTER", FAILOVER, SOON)?;
    let backup = Daemon::start(subject, beta, "beta", &fleet::config(FAILOVER, 100, ""))?;
    backup.wait_entries(0, "BACKUP", FAILOVER, SOON)?;
    let captures: Vec<Capture> = (0..fleet::interfaces(FAILOVER))
        .map(|k| Capture::start(beta, &format!("v{k}")))
        .collect::<Result<_>>()?;
    support::rest(BURSTS)?;
    let flaps = backup.process().log().matches("Entering MASTER").count();
    master.kill9();
    support::rest(DOWN_INTERVAL)?;
    backup.wait_entries(0, "MASTER", FAILOVER + flaps, SOON)?;
    // tcpdump forgets what it has not yet read when it is told to end.
    support::rest(Duration::from_millis(500))?;
    let mut overshoots = Vec::new();
    for capture in captures {
        let seen = capture.stop()?;
        overshoots.extend(successions(&seen));
    }
    if overshoots.len() < FAILOVER {
        let found = overshoots.len();
        return Err(Error::Unexpected(format!("{found} successions of {FAILOVER}")));
    }
    Ok(overshoots)
}

fn successions(seen: &[Vrrp]) -> impl Iterator<Item = f64> {
    let mut last = BTreeMap::new();
    let mut first = BTreeMap::new();
    for advert in seen {
        if advert.priority() == 200 {
            last.insert(advert.vrid(), advert.time);
            first.remove(&advert.vrid());
        } else {
            first.entry(advert.vrid()).or_insert(advert.time);
        }
    }
    first
        .into_iter()
        .filter_map(move |(vrid, first)| Some(millis_between(*last.get(&vrid)? + DOWN_INTERVAL, first)))
}
