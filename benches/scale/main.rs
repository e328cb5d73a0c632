//! Many virtual routers in one process: how soon they are up, what they cost, how regular they are, how fast they fail
//! over; and which of the bounds set for that are kept.
//!
//! Version 3, advert_int 1, two /32 addresses each, 250 to an interface, no SNMP. At each size either program runs in
//! turn, in a lab of its own: it starts several times, rests, and is watched from the other end of the links; then a bare
//! loop beside it, in a lab like that, sends the packets it sends. At last masters are killed and their successors' first advertisements timed.
//!
//! `cargo bench --bench scale [-- short] [SIZE …] [start] [rest] [kill]`: all of it takes 15 minutes, the short form 7;
//! sizes and the names of parts choose.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

mod bare;
mod clauses;
mod failover;
mod growth;
mod pace;
mod start;

use std::{env, path::Path, time::Duration};

use lab::{Error, Result, Subject};

use growth::{Growth, Spans};
use start::Start;
use support::{
    table::{Summary, head, row},
    verdict,
};

const SIZES: [usize; 3] = [250, 1000, 2000];
const SOON: Duration = Duration::from_secs(30);
/// Three intervals and (256 - 100) / 256 of one, RFC 9568 §6.1.
const DOWN_INTERVAL: Duration = Duration::from_nanos(3_609_375_000);
/// The second burst of gratuitous ARP comes 5 s after the first.
const BURSTS: Duration = Duration::from_secs(6);

/// What is measured, and how long.
struct Plan {
    sizes: Vec<usize>,
    /// Beside the one of each part.
    starts: usize,
    rest: Option<Spans>,
    kills: usize,
}

impl Plan {
    /// By the words of the command line.
    fn of(words: &[String]) -> Self {
        let has = |word: &str| words.iter().any(|known| known == word);
        let every = !["start", "rest", "kill"].into_iter().any(has);
        let wanted = |word, long, short| match (every || has(word), has("short")) {
            (false, _) => 0,
            (true, false) => long,
            (true, true) => short,
        };
        let seconds = Duration::from_secs;
        let spans = match wanted("rest", 2, 1) {
            0 => None,
            1 => Some(Spans { windows: (3, seconds(4)), watch: seconds(12) }),
            _ => Some(Spans { windows: (5, seconds(5)), watch: seconds(40) }),
        };
        let chosen: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
        Self {
            sizes: if chosen.is_empty() { SIZES.to_vec() } else { chosen },
            starts: wanted("start", 5, 3),
            rest: spans,
            kills: wanted("kill", 3, 1),
        }
    }
}

/// What came of it at a size, of Steadfast and keepalived.
struct Outcome {
    size: usize,
    starts: [Vec<Start>; 2],
    rest: Option<[Growth; 2]>,
    kills: [Vec<Summary>; 2],
}

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
    let plan = Plan::of(&words);
    let outcomes = plan.sizes.iter().map(|size| measure(*size, &plan)).collect::<Result<Vec<_>>>()?;
    verdict::begin("instances");
    for Outcome { size, starts: [our_starts, their_starts], rest, kills: [ours, theirs] } in &outcomes {
        if let Some([ours, theirs]) = rest {
            clauses::judge_rest(*size, ours, theirs);
        }
        if !our_starts.is_empty() {
            clauses::judge_start(*size, our_starts, their_starts);
        }
        if !ours.is_empty() {
            clauses::judge_failover(*size, ours, theirs);
        }
    }
    Ok(())
}

/// Everything that is planned at a size.
fn measure(size: usize, plan: &Plan) -> Result<Outcome> {
    let rest = plan.rest.map(|spans| at_rest(size, spans)).transpose()?;
    let mut starts: [Vec<Start>; 2] = Default::default();
    for (growth, starts) in rest.iter().flatten().zip(&mut starts) {
        starts.push(growth.start);
    }
    interleaved(plan.starts.saturating_sub(starts[0].len()), &mut starts, |subject| {
        growth::start(subject, size)
    })?;
    if plan.starts > 0 {
        tell_starts(size, &starts);
    }
    let mut kills: [Vec<Summary>; 2] = Default::default();
    interleaved(plan.kills, &mut kills, |subject| Ok(Summary::of(failover::run(subject, size)?)))?;
    if plan.kills > 0 {
        tell_kills(size, &kills);
    }
    Ok(Outcome { size, starts, rest, kills })
}

/// Some rounds of something, of one program and then the other.
fn interleaved<T>(
    rounds: usize,
    results: &mut [Vec<T>; 2],
    run: impl Fn(&Subject) -> Result<T>,
) -> Result<()> {
    for _ in 0..rounds {
        for (subject, results) in support::subjects().iter().zip(results.iter_mut()) {
            results.push(run(subject)?);
        }
    }
    Ok(())
}

fn at_rest(size: usize, spans: Spans) -> Result<[Growth; 2]> {
    let columns = [
        "program",
        "CPU %",
        "bare loop %",
        "RSS MiB",
        "peak",
        "PSS",
        "drift µs",
        "latest ms",
        "largest gap s",
    ];
    head(&format!("{size} virtual routers, all MASTER, at rest"), &columns);
    let [ours, theirs] = support::subjects();
    let one = |subject| -> Result<Growth> {
        let seen = growth::run(&subject, size, spans)?;
        row(&[
            &subject,
            &seen.cpu,
            &seen.bare,
            &seen.over_bare,
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

fn tell_starts(size: usize, starts: &[Vec<Start>; 2]) {
    let rounds = starts[0].len();
    let title = format!("{size} virtual routers start, {rounds} rounds: seconds, median (min–max)");
    let columns = ["program", "all advertise after", "all addresses after", "both, beyond the down interval"];
    head(&title, &columns);
    for (subject, starts) in support::subjects().iter().zip(starts) {
        let of = |what: fn(&Start) -> f64| format!("{:.3}", Summary::of(starts.iter().map(what)));
        row(&[subject, &of(|start| start.masters), &of(|start| start.addresses), &of(Start::beyond)]);
    }
}

fn tell_kills(size: usize, kills: &[Vec<Summary>; 2]) {
    let title = format!("kill -9 of a master of {size}: first advertisements, ms beyond 3609.4 ms");
    head(&title, &["program", "median (min–max) over the virtual routers of a run"]);
    for (subject, rounds) in support::subjects().iter().zip(kills) {
        for round in rounds {
            row(&[subject, round]);
        }
    }
}
