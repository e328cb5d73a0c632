//! The start of one program with many virtual routers: how soon all are MASTER.

use std::{collections::BTreeMap, time::Duration};

use lab::{Error, Lan, Result, Subject, clock};

use crate::{
    DOWN_INTERVAL, SOON,
    support::{
        self,
        addresses::Addresses,
        daemon::Daemon,
        fleet,
        sniffer::{Heard, Sniffer},
    },
};

/// A start that needs so long beyond the down interval, in seconds, is explained.
const LATE: f64 = 0.5;

/// How long it took from the start of the process, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// To the first advertisement of the last router.
    pub(crate) masters: f64,
    /// To the last virtual address.
    pub(crate) addresses: f64,
}

impl Start {
    /// How long after the master down interval both were there, in seconds.
    pub(crate) fn beyond(&self) -> f64 {
        self.masters.max(self.addresses) - DOWN_INTERVAL.as_secs_f64()
    }
}

/// Starts it alone on the wire, and returns it with what it took.
pub(crate) fn run(subject: &Subject, lan: &Lan, size: usize) -> Result<(Daemon, Start)> {
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let config = fleet::config(size, 100, "");
    let addresses = Addresses::watch(alpha)?;
    let sniffer = Sniffer::start(beta)?;
    let began = clock::wall();
    let daemon = Daemon::start(subject, alpha, "alpha", &config)?;
    support::rest(DOWN_INTERVAL)?;
    let last_address = addresses.last_of(2 * size, SOON)?;
    daemon.wait_entries(0, "MASTER", size, SOON)?;
    let last_master = last_first(&sniffer.stop()?, size)?;
    addresses.stop()?;
    let since = |at: Duration| at.saturating_sub(began).as_secs_f64();
    let start = Start { masters: since(last_master), addresses: since(last_address) };
    if start.beyond() > LATE {
        explain(&daemon);
    }
    Ok((daemon, start))
}

/// What the log of a late start has to say, but for the entries that every start has.
#[expect(clippy::print_stderr, reason = "for whoever wonders at a figure")]
fn explain(daemon: &Daemon) {
    let log = daemon.process().log_since(0);
    let (entries, others): (Vec<&str>, Vec<&str>) =
        log.lines().partition(|line| line.contains(") Entering "));
    for line in others.iter().take(40) {
        eprintln!("a late start: {line}");
    }
    for state in ["BACKUP", "MASTER", "FAULT"] {
        let all: Vec<_> = entries.iter().filter(|line| line.contains(&format!("{state} STATE"))).collect();
        if let [first, .., last] = all.as_slice() {
            eprintln!("a late start: {} entries of {state}, from {first} to {last}", all.len());
        }
    }
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
