//! Many virtual routers in one process: how soon they are up, what they cost, how regular they are, how fast they fail
//! over; and which of the bounds set for that are kept.
//!
//! Version 3, advert_int 1, two /32 addresses each, 250 to an interface, no SNMP. At each size either program runs in
//! turn, in a lab of its own: it starts, rests, and is watched from the other end of the links; then a bare loop sends
//! the packets it sent. At the end masters are killed and their successors' first advertisements timed.
//!
//! `cargo bench --bench scale [-- short] [SIZE …] [kill]`: all of it takes 15 minutes, the short form 5; sizes and
//! `kill` choose parts.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

mod bare;
mod clauses;
mod failover;
mod growth;
mod pace;

use std::{env, path::Path, time::Duration};

use lab::{Error, Result};

use growth::{Growth, Spans};
use support::table::{Summary, head, row};

const SIZES: [usize; 3] = [250, 1000, 2000];
const FAILOVER: usize = 2000;
const SOON: Duration = Duration::from_secs(30);
/// Three intervals and (256 - 100) / 256 of one, RFC 9568 §6.1.
const DOWN_INTERVAL: Duration = Duration::from_nanos(3_609_375_000);
/// The second burst of gratuitous ARP comes 5 s after the first.
const BURSTS: Duration = Duration::from_secs(6);

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [flag, file] = words.as_slice()
        && flag == bare::FLAG
    {
        return bare::run(Path::new(file)).map_err(|error| Error::Unexpected(error.to_string()));
    }
    if !support::wanted() {
        return Ok(());
    }
    let is_short = words.iter().any(|word| word == "short");
    let only_kill = words.iter().any(|word| word == "kill");
    let chosen: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let all = chosen.is_empty() && !only_kill;
    let sizes = if all { SIZES.to_vec() } else { chosen };
    let seconds = |long, short| Duration::from_secs(if is_short { short } else { long });
    let spans = Spans { steady: seconds(20, 8), watch: seconds(70, 12) };
    let grown = sizes.iter().map(|size| Ok((*size, grow(*size, spans)?))).collect::<Result<Vec<_>>>()?;
    let rounds = if all || only_kill { Some(failovers(if is_short { 1 } else { 3 })?) } else { None };

    let columns = ["instances", "clause", "at most", "Steadfast", "keepalived", "verdict"];
    head("What is asked for", &columns);
    for (size, [ours, theirs]) in &grown {
        clauses::judge_size(*size, ours, theirs);
    }
    if let Some([ours, theirs]) = rounds {
        clauses::judge_failover(FAILOVER, &ours, &theirs);
    }
    Ok(())
}

/// Both programs at a size, and their rows.
fn grow(size: usize, spans: Spans) -> Result<[Growth; 2]> {
    let columns = [
        "program",
        "all advertise after s",
        "all addresses after s",
        "CPU %",
        "bare loop %",
        "RSS MiB",
        "peak",
        "PSS",
        "drift µs",
        "latest ms",
        "largest gap s",
    ];
    head(&format!("{size} virtual routers, all MASTER"), &columns);
    let [ours, theirs] = support::subjects();
    let one = |subject| -> Result<Growth> {
        let seen = growth::run(&subject, size, spans)?;
        row(&[
            &subject,
            &format!("{:.3}", seen.masters),
            &format!("{:.3}", seen.addresses),
            &format!("{:.2}", seen.cpu),
            &format!("{:.2}", seen.bare),
            &format!("{:.1}", seen.rss),
            &format!("{:.1}", seen.peak),
            &format!("{:.1}", seen.pss),
            &seen.pace.drift,
            &format!("{:.2}", seen.pace.late),
            &format!("{:.4}", seen.pace.gap),
        ]);
        Ok(seen)
    };
    Ok([one(ours)?, one(theirs)?])
}

/// The rounds of either program.
fn failovers(rounds: usize) -> Result<[Vec<Summary>; 2]> {
    let mut of = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (subject, of) in support::subjects().iter().zip(&mut of) {
            of.push(Summary::of(failover::run(subject, FAILOVER)?));
        }
    }
    let title = format!("kill -9 of a master of {FAILOVER}: first advertisements, ms beyond 3609.4 ms");
    head(&title, &["program", "median (min–max) over the virtual routers of a run"]);
    for (subject, rounds) in support::subjects().iter().zip(&of) {
        for round in rounds {
            row(&[subject, round]);
        }
    }
    Ok(of)
}
