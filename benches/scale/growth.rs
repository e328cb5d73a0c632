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
    /// The CPU time of the program, and then of the bare loop: so many windows of so long.
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
    let (daemon, start) = start::run(subject, &lan, size)?;
    support::rest(BURSTS)?;

    let cpu = percent(spans.windows, || daemon.cpu())?;
    let (rss, pss) = daemon.memory();
    let peak = daemon.peak();
    let sniffer = Sniffer::start(beta)?;
    support::rest(spans.watch)?;
    let heard = sniffer.stop()?;
    daemon.kill9();

    let bare = bare::start(alpha, &heard)?;
    support::rest(Duration::from_secs(2))?;
    let of_bare = percent(spans.windows, || daemon::cpu(bare.pid()))?;
    if bare.status().is_some() {
        return Err(Error::Unexpected(format!("the bare loop has ended:\n{}", bare.log_tail())));
    }
    Ok(Growth {
        start,
        cpu,
        bare: of_bare,
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

/// How much of a core something takes, in each of some windows.
fn percent((windows, span): (usize, Duration), cpu: impl Fn() -> Duration) -> Result<Summary> {
    let window = |_| {
        let (since, before) = (clock::now(), cpu());
        support::rest(span)?;
        Ok(cpu().saturating_sub(before).as_secs_f64() / since.elapsed().as_secs_f64() * 100.0)
    };
    let seen = (0..windows).map(window).collect::<Result<Vec<_>>>()?;
    Ok(Summary::of(seen))
}
