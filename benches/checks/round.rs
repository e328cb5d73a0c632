//! One program that checks for a while, and what was seen of it.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use lab::{Error, Host, Process, Result, Subject};

use crate::{
    bare, peer, site,
    support::{
        self,
        daemon::{Daemon, cpu},
        sniffer::{Heard, Sniffer},
        table::millis_between,
    },
};

/// From the start until every server has been checked more than once, and for how long it is looked at then.
const SETTLES: Duration = Duration::from_secs(6);
const WATCH: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(120);
/// `delay_loop`, in milliseconds.
const PERIOD: f64 = 1000.0;

/// Where it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this machine. The bare loop runs at the same time: what the machine does to the one it does to the other.
    Here,
    /// In a guest whose time is the instructions of its processor. The bare loop comes afterwards: both would be more than a
    /// second has.
    Guest,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Here => "Here, where the kernel has no IPVS",
            Self::Guest => "In a guest with IPVS, a nanosecond for each instruction",
        })
    }
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// TCP_CHECK.
    Tcp,
    /// HTTP_GET with a digest.
    Http,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP_CHECK",
            Self::Http => "HTTP_GET",
        })
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Checks in a second.
    pub(crate) rate: f64,
    /// CPU time of all processes of the program, µs for each check.
    pub(crate) cpu: f64,
    /// How many times what the bare loop took for a connection at the same time.
    pub(crate) over_bare: f64,
    /// And what it took for a connection and the page, where pages are checked.
    pub(crate) over_page: Option<f64>,
    /// Resident memory of all processes, as each reports it and with shared pages divided up, in MiB.
    pub(crate) rss: f64,
    pub(crate) pss: f64,
    /// How much longer than `delay_loop` it was from one check of a server to the next, in ms: half of them less, 99 % less, and
    /// the most.
    pub(crate) late: [f64; 3],
    /// The longest silence of the virtual router, in ms.
    pub(crate) gap: f64,
}

/// Runs a program with so many checks, and the bare loop beside it or after it.
pub(crate) fn run(place: Place, subject: &Subject, kind: Kind, size: usize) -> Result<Round> {
    let (lan, twin) = (site::build(kind)?, site::build(Kind::Tcp)?);
    let (host, other) = (&lan["alpha"], &twin["alpha"]);
    let env = peer::environment(place, host)?;
    let daemon = Daemon::start_with(subject, host, "checks", &site::config(kind, size), &[], env)?;
    daemon.wait_entries(0, "MASTER", 1, SOON)?;
    let beside = (place == Place::Here).then(|| bare::start(other, Kind::Tcp, size)).transpose()?;
    support::rest(SETTLES)?;
    let (opened, adverts) = (Sniffer::of_openings(host)?, Sniffer::start(&lan["beta"])?);
    let of_bare = beside.map(|bare| Watched::begin(other, bare)).transpose()?;
    let before = daemon.cpu();
    support::rest(WATCH)?;
    let used = daemon.cpu() - before;
    let of_bare = of_bare.map(Watched::end).transpose()?;
    let (opened, adverts) = (opened.stop()?, adverts.stop()?);
    let of_check = used.as_secs_f64() * 1e6 / count(&opened);
    let (rss, pss) = daemon.memory();
    daemon.kill9();
    let of_bare = of_bare.map_or_else(|| alone(other, Kind::Tcp, size), Ok)?;
    let of_page = (kind == Kind::Http).then(|| alone(host, kind, size)).transpose()?;
    let gaps = adverts.windows(2).map(|two| millis_between(two[0].at, two[1].at));
    Ok(Round {
        rate: count(&opened) / WATCH.as_secs_f64(),
        cpu: of_check,
        over_bare: of_check / of_bare,
        over_page: of_page.map(|of_page| of_check / of_page),
        rss: mib(rss),
        pss: mib(pss),
        late: late(&opened),
        gap: gaps.fold(0.0, f64::max),
    })
}

/// What the bare loop takes for each server, in µs, while nothing else runs.
fn alone(host: &Host, kind: Kind, size: usize) -> Result<f64> {
    let bare = bare::start(host, kind, size)?;
    support::rest(Duration::from_secs(1))?;
    let watched = Watched::begin(host, bare)?;
    support::rest(WATCH)?;
    watched.end()
}

/// A bare loop that is looked at.
struct Watched {
    bare: Process,
    opened: Sniffer,
    before: Duration,
}

impl Watched {
    fn begin(host: &Host, bare: Process) -> Result<Self> {
        Ok(Self { opened: Sniffer::of_openings(host)?, before: cpu(bare.pid()), bare })
    }

    /// What it took for a connection, in µs of CPU time.
    fn end(self) -> Result<f64> {
        let used = cpu(self.bare.pid()) - self.before;
        match self.bare.status() {
            None => Ok(used.as_secs_f64() * 1e6 / count(&self.opened.stop()?)),
            Some(_) => Err(Error::Unexpected(format!("the bare loop has ended:\n{}", self.bare.log_tail()))),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousand at the most")]
fn count(opened: &[Heard]) -> f64 {
    opened.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "KiB of a process are far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// By the distances of the connections of each server.
fn late(opened: &[Heard]) -> [f64; 3] {
    let mut last: HashMap<[u8; 4], Duration> = HashMap::new();
    let mut late: Vec<f64> = opened
        .iter()
        .filter_map(|one| last.insert(one.to(), one.at).map(|before| millis_between(before, one.at) - PERIOD))
        .collect();
    late.sort_by(f64::total_cmp);
    let at = |share: usize| late.get(late.len() * share / 100).or(late.last()).copied().unwrap_or(f64::NAN);
    [at(50), at(99), at(100)]
}
