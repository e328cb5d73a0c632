//! Health checks: what one costs, beside keepalived's and beside a bare loop of connections; how late it is; and what
//! advertisements notice of a thousand of them.
//!
//! Real servers of this benchmark's own answer on addresses of the loopback interface, each is checked once a second, and one
//! virtual router advertises ten times a second meanwhile. The bare loop opens as many connections to the same kind of servers,
//! in a lab of its own. Where pages are checked another one asks for the same pages, later.
//!
//! keepalived does not check where the kernel has no IPVS. So it is told here that whatever it asks of IPVS is done (`peer.rs`),
//! and both programs run in a guest whose kernel has it, too (`tests/vm/kernel.sh` first). The processor of the guest is an
//! emulated one that takes a nanosecond for each instruction: a µs there is a thousand instructions, of programs and kernel.
//!
//! `cargo bench --bench checks [-- ROUNDS] [here] [guest]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

mod bare;
mod peer;
mod round;
mod site;

use std::env;
use std::path::Path;
use std::time::Duration;

use lab::vm::Machine;
use lab::{Error, Result, Subject};

use round::{Kind, Place, Round};
use support::table::{Summary, head, row};

/// How long the guest may take for a round.
const LIMIT: Duration = Duration::from_secs(1800);
/// What tells this benchmark to measure in the guest that it runs in.
const INSIDE: &str = "--inside";

const SIZES: [(Kind, usize); 3] = [(Kind::Tcp, 1000), (Kind::Tcp, 5000), (Kind::Http, 500)];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == bare::FLAG) {
        return bare::run(&arguments[at + 1..]).map_err(|error| Error::Unexpected(error.to_string()));
    }
    let [ours, theirs] = support::subjects();
    let rounds = support::number(3);
    if arguments.iter().any(|argument| argument == INSIDE) {
        return tell(Place::Guest, &[ours, theirs], rounds);
    }
    if !support::wanted() {
        return Ok(());
    }
    if !is_asked("guest") {
        tell(Place::Here, &[ours, theirs], rounds)?;
    }
    if is_asked("here") { Ok(()) } else { guest(rounds) }
}

/// Whether one of both places alone is asked for.
fn is_asked(place: &str) -> bool {
    env::args().any(|argument| argument == place)
}

/// How many times what a bare loop takes for the same page; nothing where none is asked for.
fn of_page(seen: &[Round]) -> String {
    let over: Option<Vec<f64>> = seen.iter().map(|round| round.over_page).collect();
    over.map_or_else(String::new, |over| format!("{:.2}", Summary::of(over.into_iter())))
}

/// Runs this benchmark in a guest, and passes on what it says.
#[expect(clippy::print_stdout, reason = "the tables are what a benchmark is for")]
fn guest(rounds: u64) -> Result<()> {
    let machine = Machine::at(Path::new(env!("CARGO_TARGET_TMPDIR")).join("vm"))?.counting();
    let own = env::current_exe().map_err(|error| Error::Unexpected(error.to_string()))?;
    let limit = LIMIT.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    println!("{}", machine.run(&format!("LAB_GUEST=1 '{}' {INSIDE} {rounds}", own.display()), limit)?);
    Ok(())
}

/// Measures each program in turn, again and again, and prints what came out.
fn tell(place: Place, subjects: &[Subject], rounds: u64) -> Result<()> {
    head(
        &format!("{place}: median (smallest–largest) of {rounds} rounds"),
        &[
            "checks",
            "program",
            "a second",
            "CPU µs per check",
            "over a bare connection",
            "over a bare page",
            "RSS MiB",
            "PSS MiB",
            "late ms: 50 %",
            "99 %",
            "most",
            "largest advert gap ms",
        ],
    );
    for (kind, size) in &SIZES {
        let mut of_each = vec![Vec::new(); subjects.len()];
        for _ in 0..rounds {
            for (subject, seen) in subjects.iter().zip(&mut of_each) {
                seen.push(round::run(place, subject, *kind, *size)?);
            }
        }
        for (subject, seen) in subjects.iter().zip(&of_each) {
            let of = |what: fn(&Round) -> f64| Summary::of(seen.iter().map(what));
            row(&[
                &format!("{size} {kind}"),
                subject,
                &format!("{:.0}", of(|round| round.rate).median),
                &format!("{:.1}", of(|round| round.cpu)),
                &format!("{:.2}", of(|round| round.over_bare)),
                &of_page(seen),
                &format!("{:.1}", of(|round| round.rss).median),
                &format!("{:.1}", of(|round| round.pss).median),
                &format!("{:.2}", of(|round| round.late[0]).median),
                &format!("{:.2}", of(|round| round.late[1])),
                &format!("{:.1}", of(|round| round.late[2]).max),
                &format!("{:.1}", of(|round| round.gap).max),
            ]);
        }
    }
    Ok(())
}
