//! One program with many virtual routers: its start, and what it costs and how regular it is at rest.

use std::time::Duration;

use lab::{Error, Result, Subject, clock};

use crate::{
    BURSTS, bare,
    pace::Pace,
    start::{self, Start},
    support::{self, daemon, fleet, sniffer::Sniffer, table::Summary},
};

/// How long what is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    /// The CPU time of the program and of the bare loop: so many windows of so long.
    pub(crate) windows: (usize, Duration),
    /// The advertisements.
    pub(crate) watch: Duration,
}

/// What was seen.
pub(crate) struct Growth {
    pub(crate) start: Start,
    /// At rest, in percent of a core, over the windows.
    pub(crate) cpu: Summary,
    /// That of the bare loop.
    pub(crate) bare: Summary,
    /// How many times that.
    pub(crate) over_bare: Summary,
    /// Resident memory at rest, at its peak, and with shared pages divided up, in MiB.
    pub(crate) rss: f64,
    pub(crate) peak: f64,
    pub(crate) pss: f64,
    pub(crate) pace: Pace,
}

/// Alone on the wire, with so many virtual routers.
pub(crate) fn run(subject: &Subject, size: usize, spans: Spans) -> Result<Growth> {
    let lan = fleet::hosts(size)?;
    let (daemon, start) = start::run(subject, &lan, size)?;
    support::rest(BURSTS)?;

    let sniffer = Sniffer::start(&lan["beta"])?;
    support::rest(spans.watch)?;
    let heard = sniffer.stop()?;

    // Both at once: what the machine does to the one it does to the other.
    let twin = fleet::hosts(size)?;
    fleet::assume_addresses(&twin["alpha"], 0..size)?;
    let bare = bare::start(&twin["alpha"], &heard)?;
    support::rest(BURSTS)?;
    let windows = windows(spans.windows, || [daemon.cpu(), daemon::cpu(bare.pid())])?;
    let of = |what: fn([f64; 2]) -> f64| Summary::of(windows.iter().copied().map(what));
    let (cpu, of_bare) = (of(|[own, _]| own), of(|[_, bare]| bare));
    let over_bare = of(|[own, bare]| own / bare);
    if bare.status().is_some() {
        return Err(Error::Unexpected(format!("the bare loop has ended:\n{}", bare.log_tail())));
    }
    let (rss, pss) = daemon.memory();
    let peak = daemon.peak();
    daemon.kill9();
    Ok(Growth {
        start,
        cpu,
        bare: of_bare,
        over_bare,
        rss: mib(rss),
        peak: mib(peak),
        pss: mib(pss),
        pace: Pace::of(&heard),
    })
}

/// Only its start.
pub(crate) fn start(subject: &Subject, size: usize) -> Result<Start> {
    let lan = fleet::hosts(size)?;
    let (daemon, start) = start::run(subject, &lan, size)?;
    daemon.kill9();
    Ok(start)
}

#[expect(clippy::cast_precision_loss, reason = "KiB of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// How much of a core two things take, in percent, in each of some windows.
fn windows((count, span): (usize, Duration), cpu: impl Fn() -> [Duration; 2]) -> Result<Vec<[f64; 2]>> {
    let window = |_| {
        let (since, [own, other]) = (clock::now(), cpu());
        support::rest(span)?;
        let (passed, [own_now, other_now]) = (since.elapsed().as_secs_f64(), cpu());
        let percent = |now: Duration, before| now.saturating_sub(before).as_secs_f64() / passed * 100.0;
        Ok([percent(own_now, own), percent(other_now, other)])
    };
    (0..count).map(window).collect()
}
