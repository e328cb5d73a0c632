//! One program that checks for a while, and what was seen of it.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use lab::{Error, Host, Process, Result, Subject};

use crate::{
    bare, site,
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

/// Runs a program with so many checks, and the bare loop beside it.
pub(crate) fn run(subject: &Subject, kind: Kind, size: usize) -> Result<Round> {
    let (lan, twin) = (site::build(kind)?, site::build(Kind::Tcp)?);
    let host = &lan["alpha"];
    let daemon = Daemon::start_parts(subject, host, "checks", &site::config(kind, size), &[])?;
    daemon.wait_entries(0, "MASTER", 1, SOON)?;
    let bare = bare::start(&twin["alpha"], Kind::Tcp, size)?;
    support::rest(SETTLES)?;
    let (opened, opened_bare) = (Sniffer::of_openings(host)?, Sniffer::of_openings(&twin["alpha"])?);
    let adverts = Sniffer::start(&lan["beta"])?;
    let before = [daemon.cpu(), cpu(bare.pid())];
    support::rest(WATCH)?;
    let after = [daemon.cpu(), cpu(bare.pid())];
    let (opened, opened_bare, adverts) = (opened.stop()?, opened_bare.stop()?, adverts.stop()?);
    runs(&bare)?;
    let [of_check, of_bare] = [0, 1].map(|one| (after[one] - before[one]).as_secs_f64() * 1e6);
    let (of_check, of_bare) = (of_check / count(&opened), of_bare / count(&opened_bare));
    let (rss, pss) = daemon.memory();
    daemon.kill9();
    drop(bare);
    let of_page = (kind == Kind::Http).then(|| of_page(host, size)).transpose()?;
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

/// What the bare loop takes for a connection and the page, in µs, of the servers that the program has checked: alone, since a third
/// loop would have the processors busy.
fn of_page(host: &Host, size: usize) -> Result<f64> {
    let bare = bare::start(host, Kind::Http, size)?;
    support::rest(Duration::from_secs(1))?;
    let opened = Sniffer::of_openings(host)?;
    let before = cpu(bare.pid());
    support::rest(WATCH)?;
    let after = cpu(bare.pid());
    runs(&bare)?;
    Ok((after - before).as_secs_f64() * 1e6 / count(&opened.stop()?))
}

fn runs(bare: &Process) -> Result<()> {
    match bare.status() {
        None => Ok(()),
        Some(_) => Err(Error::Unexpected(format!("the bare loop has ended:\n{}", bare.log_tail()))),
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
