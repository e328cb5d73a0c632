//! What the benchmarks share: a router without detailed log, figures from /proc, medians and tables.
//!
//! Every benchmark runs both programs, steadfast and Debian's keepalived, from the same configuration text,
//! in labs of network namespaces, interleaved. Each prints tables with a row or column per program, and where bounds are
//! set a verdict on each; none of them fails for it.

pub(crate) mod addresses;
pub(crate) mod daemon;
pub(crate) mod fleet;
pub(crate) mod rows;
pub(crate) mod shapes;
pub(crate) mod sniffer;
pub(crate) mod table;
pub(crate) mod verdict;
pub(crate) mod watch;

use std::env;
use std::fs;
use std::time::Duration;

use lab::{Result, Subject, clock, wait};

/// Both programs, in the order of the columns.
pub(crate) fn subjects() -> [Subject; 2] {
    [Subject::Steadfast(env!("CARGO_BIN_EXE_steadfast").into()), Subject::Keepalived]
}

/// Whether this is `cargo bench`, which says so; `cargo test --benches` only wants to see that it starts.
pub(crate) fn wanted() -> bool {
    env::args().any(|argument| argument == "--bench")
}

/// The number given on the command line (`cargo bench --bench NAME -- 5`), or else `default`.
pub(crate) fn number(default: u64) -> u64 {
    env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default)
}

/// How busy the machine was in the last minute, for the heading of a table.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// Lets time pass: what is measured happens in other processes meanwhile.
pub(crate) fn rest(span: Duration) -> Result<()> {
    let end = clock::now() + span;
    wait::until_true("the time to pass", span + Duration::from_secs(60), || clock::now() >= end)
}
