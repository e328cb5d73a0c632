//! Walking the VRRP subtree of KEEPALIVED-MIB through snmpd: time and CPU per varbind, and what the advertisements make of it.
//!
//! Both programs run side by side in labs of their own, all their virtual routers MASTER and two addresses each, without
//! traps (with them keepalived can lock itself up at the larger sizes), and beside them two agents that have nothing to find
//! out ([`floor`]): what snmpd and the protocol take. Steadfast is asked without snmpd, too, through its `snmp_agent`. Walks alternate
//! between the five: so many GetBulk walks of 50 repetitions and as many GetNext walks each. One more virtual router, on a link of its own, advertises every 10 ms
//! meanwhile. A fourth door is that of a Steadfast of [`SMALL`] on a host with as many addresses as the others': snmpd takes more
//! for a request there, and leaves less of the caches to whoever answers.
//!
//! `cargo bench --bench walk [-- [alone] WALKS [SIZE …]]`; `alone` has only one of the programs run at a time, and without those
//! agents, so that the advertisement has one program's walks to put up with and not the other's advertisements.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

mod agent;

#[path = "../../agentx/examples/constants.rs"]
mod constants;
mod floor;
mod gaps;

use std::env;

use lab::{Result, Subject};

use agent::{Agent, Walk};
use floor::Floor;
use gaps::Gaps;
use support::{
    fleet,
    table::{Summary, head, row},
};

/// KEEPALIVED-MIB::vrrp
const SUBTREE: &str = ".1.3.6.1.4.1.9586.100.5.2";
const SIZES: [usize; 4] = [10, 250, 1000, 2000];
/// Virtual routers of who is to show that their number makes no difference.
const SMALL: usize = 10;
/// VRID of the virtual router that advertises every 10 ms; its interface is the one after those of the fleet.
const FAST: u8 = 251;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == floor::FLAG) {
        return floor::be(&arguments[at + 1..]);
    }
    if !support::wanted() {
        return Ok(());
    }
    let numbers: Vec<usize> = arguments.iter().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let walks = numbers.first().copied().unwrap_or(5);
    let sizes = if numbers.len() > 1 { &numbers[1..] } else { &SIZES };
    if arguments.iter().any(|argument| argument == "alone") {
        let each = |size: &usize| {
            support::subjects().into_iter().try_for_each(|subject| measure(walks, *size, &[], &[subject]))
        };
        return sizes.iter().try_for_each(each);
    }
    sizes.iter().try_for_each(|size| measure(walks, *size, &Floor::ALL, &support::subjects()))
}

/// The virtual routers of a size, and the fast one, on interface `k` behind theirs, after `global` lines.
fn config(size: usize, k: usize, global: &str) -> String {
    fleet::config(size, 100, global)
        + &format!(
            "vrrp_instance FAST {{\n  interface v{k}\n  virtual_router_id {FAST}\n  priority 100\n  \
             advert_int 0.01\n  virtual_ipaddress {{\n    10.199.0.1/32\n    10.199.0.2/32\n  }}\n}}\n"
        )
}

fn measure(walks: usize, size: usize, floors: &[Floor], subjects: &[Subject]) -> Result<()> {
    let mut agents = floors.iter().map(|floor| Agent::floor(*floor, size)).collect::<Result<Vec<_>>>()?;
    for subject in subjects {
        agents.push(Agent::start(subject, size, size)?);
    }
    if let ([ours, _], true) = (subjects, size > SMALL) {
        agents.push(Agent::start(ours, SMALL, size)?);
    }
    Agent::rest(&mut agents)?;
    let title = format!("Walks of {size} instances, {walks} each: µs per varbind, median (min–max)");
    head(
        &title,
        &[
            "program",
            "walk",
            "varbinds",
            "elapsed",
            "over the floor",
            "daemon CPU",
            "of it for the walk",
            "snmpd CPU",
            "unanswered",
        ],
    );
    let kinds = [("bulkwalk -Cr50", "snmpbulkwalk", &["-Cr50"][..]), ("walk", "snmpwalk", &[])];
    let doors: Vec<_> =
        agents.iter().flat_map(|agent| agent.doors().map(move |door| (agent, door))).collect();
    let mut gaps = Vec::new();
    for (kind, program, options) in kinds {
        let mut series: Vec<Vec<Walk>> = doors.iter().map(|_| Vec::new()).collect();
        let sniffers = agents.iter().map(Agent::listen).collect::<Result<Vec<_>>>()?;
        for _ in 0..walks {
            for ((agent, door), series) in doors.iter().zip(&mut series) {
                series.extend(agent.walk(*door, program, options)?);
            }
        }
        let of = |series: &[Walk], figure: fn(&Walk) -> f64| Summary::of(series.iter().map(figure));
        let floor = of(&series[0], |walk| walk.elapsed).median;
        for ((agent, door), series) in doors.iter().zip(&series) {
            let elapsed = of(series, |walk| walk.elapsed);
            row(&[
                &format!("{}{}", agent.name, door.name()),
                &kind,
                &of(series, |walk| walk.varbinds).median,
                &format!("{elapsed:.1}"),
                &format!("{:.2}", elapsed.median / floor),
                &format!("{:.1}", of(series, |walk| walk.daemon)),
                &format!("{:.1}", of(series, |walk| walk.answers)),
                &format!("{:.1}", of(series, |walk| walk.snmpd)),
                &(walks - series.len()),
            ]);
        }
        for (agent, sniffer) in agents.iter().zip(sniffers) {
            let Some(sniffer) = sniffer else { continue };
            gaps.push((agent.name.clone(), kind, Gaps::of(sniffer)?));
        }
    }
    head(
        &format!("The 10 ms advertisement during these walks of {size}: its distances in ms"),
        &["program", "walk", "number", "median", "99 %", "largest"],
    );
    for (name, kind, gaps) in gaps {
        let shown = |part| format!("{:.2}", gaps.at(part));
        row(&[&name, &kind, &gaps.count(), &shown(0.5), &shown(0.99), &shown(1.0)]);
    }
    Ok(())
}
