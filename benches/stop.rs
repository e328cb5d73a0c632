//! How soon a router that is told to stop has given its addresses up.
//!
//! 250 virtual routers of version 3 with ten addresses each on one interface, all MASTER, first on the interface
//! itself, then each on a MAC of its own (`use_vmac`). Each program gets SIGTERM; counted from there, on the kernel's
//! reports and a capture at the other end of the link: the last advertisement of priority 0, the last virtual address,
//! the end of the process. First with the machine left alone, then beside busy loops, four to a processor. No address may
//! be left, and every farewell comes before the last address goes.
//!
//! `cargo bench --bench stop [-- ROUNDS]`, 3 rounds by default.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::fmt::Write as _;
use std::thread::available_parallelism;
use std::time::Duration;

use lab::{Host, Lan, Process, Result, Subject, clock, wait};
use nix::sys::signal::Signal;

use support::addresses::{Addresses, Seen};
use support::daemon::Daemon;
use support::fleet;
use support::table::{Summary, head, row};
use support::verdict;
use support::watch::Capture;

const ROUTERS: usize = 250;
const ADDRESSES: usize = 10;
const SOON: Duration = Duration::from_secs(120);
/// Busy loops for each processor.
const LOOPS: usize = 4;

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let rounds = support::number(3);
    let columns =
        ["links", "beside", "program", "last priority 0 s", "last address s", "end s", "addresses left"];
    head("SIGTERM for 250 masters of ten addresses each", &columns);
    let mut verdicts = Vec::new();
    for vmac in [false, true] {
        for busy in [false, true] {
            let mut rows = support::subjects().map(|subject| (subject, Vec::new()));
            for _ in 0..rounds {
                for (subject, stops) in &mut rows {
                    stops.push(stop(subject, vmac, busy)?);
                }
            }
            for (subject, stops) in &rows {
                let of = |what: fn(&Stop) -> f64| Summary::of(stops.iter().map(what));
                let (farewell, address, end) = (of(|s| s.farewell), of(|s| s.address), of(|s| s.end));
                let left = of(|s| s.left);
                row(&[
                    &links(vmac),
                    &beside(busy),
                    subject,
                    &farewell,
                    &address,
                    &end,
                    &format!("{left:.0}"),
                ]);
            }
            verdicts.push((vmac, busy, rows.map(|(_, stops)| stops)));
        }
    }
    verdict::begin("links, beside");
    for (vmac, busy, [ours, theirs]) in &verdicts {
        let subject = format!("{}, {}", links(*vmac), beside(*busy));
        let worst = |stops: &[Stop], what: fn(&Stop) -> f64| stops.iter().map(what).fold(f64::MIN, f64::max);
        let left = (worst(ours, |stop| stop.left), worst(theirs, |stop| stop.left));
        verdict::clause(&subject, "addresses left behind", 0, left, left.0 == 0.0);
        let after = |stop: &Stop| stop.farewell - stop.address;
        let after = (worst(ours, after), worst(theirs, after));
        verdict::clause(&subject, "last farewell after the last address, s", 0, after, after.0 <= 0.0);
    }
    Ok(())
}

fn links(vmac: bool) -> &'static str {
    if vmac { "use_vmac" } else { "one" }
}

fn beside(busy: bool) -> &'static str {
    if busy { "busy loops" } else { "nothing" }
}

/// What a stop took, in seconds from SIGTERM; NaN for what never happened.
struct Stop {
    farewell: f64,
    address: f64,
    end: f64,
    /// Virtual addresses that were there in the end.
    left: f64,
}

fn stop(subject: &Subject, vmac: bool, busy: bool) -> Result<Stop> {
    let lan: Lan = fleet::hosts(1)?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let daemon = Daemon::start(subject, alpha, "alpha", &config(vmac))?;
    daemon.wait_entries(0, "MASTER", ROUTERS, SOON)?;
    wait::until("all addresses", SOON, || {
        support::rest(Duration::from_millis(200)).map_err(|e| e.to_string())?;
        let there = held(alpha).map_err(|e| e.to_string())?;
        if there == ROUTERS * ADDRESSES { Ok(()) } else { Err(there.to_string()) }
    })?;
    support::rest(Duration::from_secs(6))?;
    let (addresses, capture) = (Addresses::watch(alpha)?, Capture::start(beta, "v0")?);
    let loops = if busy { busy_loops(alpha)? } else { Vec::new() };
    support::rest(Duration::from_secs(1))?;

    let told = clock::wall();
    daemon.process().signal(Signal::SIGTERM)?;
    daemon.process().wait(SOON)?;
    let end = clock::wall().saturating_sub(told);
    drop(loops);
    support::rest(Duration::from_secs(1))?;
    let farewells = capture.stop()?.into_iter().filter(|advert| advert.priority() == 0 && advert.time > told);
    let farewell = farewells.map(|advert| advert.time.saturating_sub(told).as_secs_f64()).next_back();
    let Seen { removed, last_removed, .. } = addresses.stop()?;
    let last_address = (removed > 0).then(|| last_removed.saturating_sub(told).as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a few thousand at the most")]
    let left = held(alpha)? as f64;
    Ok(Stop {
        farewell: farewell.unwrap_or(f64::NAN),
        address: last_address.unwrap_or(f64::NAN),
        end: end.as_secs_f64(),
        left,
    })
}

/// How many virtual addresses a host has.
fn held(host: &Host) -> Result<usize> {
    Ok(host.run(&["ip", "-o", "-4", "address"])?.matches(" inet 10.200.").count())
}

fn busy_loops(host: &Host) -> Result<Vec<Process>> {
    let processors = available_parallelism().map_or(1, std::num::NonZero::get);
    (0..LOOPS * processors)
        .map(|n| host.spawn(&format!("loop{n}"), &["sh", "-c", "while :; do :; done"]))
        .collect()
}

fn config(vmac: bool) -> String {
    let mut text = "global_defs {\n  router_id bench\n  vrrp_version 3\n}\n".to_owned();
    let vmac = if vmac { "  use_vmac\n  vmac_xmit_base\n" } else { "" };
    for router in 0..ROUTERS {
        let _ = write!(
            text,
            "vrrp_instance VI_{router} {{\n  state MASTER\n  interface v0\n  virtual_router_id {}\n  priority 200\n  \
             advert_int 1\n  garp_master_repeat 1\n{vmac}  virtual_ipaddress {{\n",
            router + 1
        );
        for address in 0..ADDRESSES {
            let _ = writeln!(text, "    10.200.{router}.{address}/32");
        }
        text += "  }\n}\n";
    }
    text
}
