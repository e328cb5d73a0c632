//! What is asked for, each with what was seen of either program and whether it is met.

use crate::{
    growth::Growth,
    start::Start,
    support::{table::Summary, verdict::clause},
};

/// keepalived at 2000 virtual routers, in percent of a core.
const CPU: f64 = 3.6;
/// How much more than the bare loop.
const OVER_BARE: f64 = 1.3;
/// Longer than the interval, in microseconds. A period that is timed from the advertisement before is 30 and more longer.
const DRIFT: f64 = 5.0;
/// Of an advertisement at rest, in ms.
const LATE: f64 = 20.0;
/// Resident memory in MiB.
const RSS: f64 = 32.0;
/// From the master down interval until all are MASTER, in seconds.
const START: f64 = 0.2;
/// The worst virtual router after the death of 2000 masters, in ms.
const WORST: f64 = 81.0;

/// The clauses on a size at rest, of Steadfast and keepalived.
pub(crate) fn judge_rest(size: usize, ours: &Growth, theirs: &Growth) {
    let both = |what: fn(&Growth) -> f64| (what(ours), what(theirs));
    let cpu = both(|growth| growth.cpu.median);
    let limit = format!("keepalived's, {CPU}");
    clause(size, "CPU at rest, % of a core", limit, cpu, cpu.0 <= cpu.1.min(CPU));
    let over = both(|growth| growth.over_bare.median);
    clause(size, "CPU over that of the bare loop", OVER_BARE, over, over.0 <= OVER_BARE);
    let drift = both(|growth| growth.pace.drift.median);
    clause(size, "drift of the period, µs", DRIFT, drift, drift.0.abs() <= DRIFT);
    let late = both(|growth| growth.pace.late);
    clause(size, "latest advertisement, ms", LATE, late, late.0 <= LATE);
    let rss = both(|growth| growth.rss);
    clause(size, "RSS, MiB", RSS, rss, rss.0 < RSS);
}

/// The clause on the starts at a size, by their median.
pub(crate) fn judge_start(size: usize, ours: &[Start], theirs: &[Start]) {
    let median = |starts: &[Start]| Summary::of(starts.iter().map(Start::beyond)).median;
    let (ours, theirs) = (median(ours), median(theirs));
    let what = "all MASTER with addresses after the down interval, s";
    clause(size, what, START, (ours, theirs), ours <= START);
}

/// The clause on the death of a master, over all rounds.
pub(crate) fn judge_failover(size: usize, ours: &[Summary], theirs: &[Summary]) {
    let worst = |rounds: &[Summary]| rounds.iter().map(|round| round.max).fold(f64::MIN, f64::max);
    let (ours, theirs) = (worst(ours), worst(theirs));
    clause(size, "worst successor after kill -9, ms", WORST, (ours, theirs), ours <= WORST);
}
