//! One program with many virtual routers: its start, and what it costs and how regular it is at rest.

use std::{collections::BTreeMap, time::Duration};

use lab::{Error, Process, Result, Subject, clock, wait};

use crate::{
    BURSTS, DOWN_INTERVAL, SOON, bare,
    pace::Pace,
    support::{
        self,
        daemon::{self, Daemon},
        fleet,
        sniffer::{Heard, Sniffer},
        watch::{monitor, seconds_of_stamp, time_of_day},
    },
};

/// How long what is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    /// The CPU time of the program, and then of the bare loop.
    pub(crate) steady: Duration,
    /// The advertisements.
    pub(crate) watch: Duration,
}

/// What was seen.
pub(crate) struct Growth {
    /// From the start of the process to the first advertisement of the last router, in seconds.
    pub(crate) masters: f64,
    /// The same to the last virtual address.
    pub(crate) addresses: f64,
    /// At rest, in percent of a core.
    pub(crate) cpu: f64,
    /// That of the bare loop.
    pub(crate) bare: f64,
    /// Resident memory at rest, at its peak, and with shared pages divided up, in MiB.
    pub(crate) rss: f64,
    pub(crate) peak: f64,
    pub(crate) pss: f64,
    pub(crate) pace: Pace,
}

/// Alone on the wire, with so many virtual routers.
pub(crate) fn run(subject: &Subject, size: usize, spans: Spans) -> Result<Growth> {
    let lan = fleet::hosts(size)?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let monitor = monitor(alpha)?;
    let sniffer = Sniffer::start(beta)?;
    let began = clock::wall();
    let daemon = Daemon::start(subject, alpha, "alpha", &fleet::config(size, 100, ""))?;
    support::rest(DOWN_INTERVAL)?;
    daemon.wait_entries(0, "MASTER", size, SOON)?;
    let addresses = wait::until("all addresses", SOON, || {
        support::rest(Duration::from_millis(100)).map_err(|error| error.to_string())?;
        last_of(&monitor, 2 * size)
    })?;
    let masters = last_first(&sniffer.stop()?, size)?;
    drop(monitor);
    support::rest(BURSTS)?;

    let cpu = percent(spans.steady, || daemon.cpu())?;
    let (rss, pss) = daemon.memory();
    let peak = daemon.peak();
    let sniffer = Sniffer::start(beta)?;
    support::rest(spans.watch)?;
    let heard = sniffer.stop()?;
    daemon.kill9();

    let bare = bare::start(alpha, &heard)?;
    support::rest(Duration::from_secs(2))?;
    let of_bare = percent(spans.steady, || daemon::cpu(bare.pid()))?;
    if bare.status().is_some() {
        return Err(Error::Unexpected(format!("the bare loop has ended:\n{}", bare.log_tail())));
    }
    Ok(Growth {
        masters: masters.saturating_sub(began).as_secs_f64(),
        addresses: addresses - time_of_day(began),
        cpu,
        bare: of_bare,
        rss: mib(rss),
        peak: mib(peak),
        pss: mib(pss),
        pace: Pace::of(&heard),
    })
}

#[expect(clippy::cast_precision_loss, reason = "KiB of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// How much of a core something takes over a while.
fn percent(span: Duration, cpu: impl Fn() -> Duration) -> Result<f64> {
    let (since, before) = (clock::now(), cpu());
    support::rest(span)?;
    Ok(cpu().saturating_sub(before).as_secs_f64() / since.elapsed().as_secs_f64() * 100.0)
}

/// When the last of `size` routers was heard for the first time.
fn last_first(heard: &[Heard], size: usize) -> Result<Duration> {
    let mut firsts = BTreeMap::new();
    for advert in heard {
        firsts.entry(advert.router()).or_insert(advert.at);
    }
    match firsts.values().max() {
        Some(last) if firsts.len() == size => Ok(*last),
        _ => Err(Error::Unexpected(format!("{} routers of {size} were heard", firsts.len()))),
    }
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
