//! Walking realServerTable of a registry that is fed, up to 100,000 rows, through snmpd: whether a variable costs the same
//! however many rows there are.
//!
//! No daemon runs: the rows are what a configuration comes to, served by this program in a process of its own. One column,
//! realServerWeight, is walked as often as it takes for the same number of variables; keepalived's is not asked, as it needs
//! IPVS to have such rows.
//!
//! `cargo bench --bench servers [-- SIZE …]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::{env, fmt, sync::Arc};

use agentx::{Config, MasterAddress, Oid, Region, Subagent, driver::monotonic};
use lab::{Lan, Process, Result, Snmpd, clock, wait};
use steadfast::{
    registry::Registry,
    snmp::{self, Snapshots},
    units::Time,
};

use support::{
    daemon::cpu,
    rows,
    table::{head, row},
};

/// realServerWeight.
const COLUMN: &str = ".1.3.6.1.4.1.9586.100.5.3.4.1.7";
const SIZES: [usize; 3] = [1000, 10_000, 100_000];
/// Variables of each kind of walk at each size, at least one walk.
const VARBINDS: usize = 20_000;
/// For as many rows to be read and registered.
const SOON: std::time::Duration = std::time::Duration::from_secs(60);
/// What tells this benchmark to serve rows: the address of the master and their number follow.
const FLAG: &str = "--rows";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == FLAG) {
        return serve(&arguments[at + 1], &arguments[at + 2]);
    }
    if !support::wanted() {
        return Ok(());
    }
    let sizes: Vec<usize> = arguments.iter().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    head(
        &format!(
            "realServerWeight of so many real servers: µs per varbind; load average {}",
            support::load()
        ),
        &["rows", "walk", "varbinds", "elapsed", "agent CPU", "snmpd CPU"],
    );
    let sizes = if sizes.is_empty() { &SIZES[..] } else { &sizes };
    sizes.iter().try_for_each(|size| measure(*size))
}

fn failed(error: impl fmt::Display) -> lab::Error {
    lab::Error::Unexpected(error.to_string())
}

fn serve(master: &str, count: &str) -> Result<()> {
    let topology = rows::topology(&rows::servers(count.parse().map_err(failed)?))?;
    let snapshots = Snapshots::new(Arc::new(Registry::new(topology)), || Time(monotonic()), Arc::default());
    let config = Config::new("rows").region(Region::new(Oid::from(snmp::KEEPALIVED)));
    let master: MasterAddress = master.parse().map_err(failed)?;
    let mib = snmp::view().serve(move || snapshots.now());
    let agent = Subagent::new(master, config, mib, monotonic).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(agent.run());
    Ok(())
}

fn measure(size: usize) -> Result<()> {
    let lan = Lan::pair()?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let own = env::current_exe().map_err(failed)?;
    let agent =
        lan["alpha"].spawn("rows", &[&own.to_string_lossy(), FLAG, snmpd.agentx(), &size.to_string()])?;
    let client = snmpd.client();
    wait::until("the rows", SOON, || {
        let (oid, _) = client.get_next(COLUMN).map_err(|error| error.to_string())?;
        if oid.starts_with(COLUMN) { Ok(()) } else { Err(oid) }
    })?;
    for (kind, program, options) in
        [("bulkwalk -Cr50", "snmpbulkwalk", &["-Cr50"][..]), ("walk", "snmpwalk", &[])]
    {
        walk(&snmpd, &agent, size, (kind, program, options))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of varbinds are far below 2^52")]
fn walk(
    snmpd: &Snmpd,
    agent: &Process,
    size: usize,
    (kind, program, options): (&str, &str, &[&str]),
) -> Result<()> {
    let master = snmpd.process().map(Process::pid).unwrap_or_default();
    let (began, ours, theirs) = (clock::now(), cpu(agent.pid()), cpu(master));
    let mut varbinds = 0;
    while varbinds < VARBINDS {
        let said = snmpd.client().try_tool(program, options, &[COLUMN])?;
        let count = said.stdout.lines().filter(|line| line.starts_with(COLUMN)).count();
        if !said.status.success() || count != size {
            return Err(failed(format!("{count} of {size} rows: {}", said.stderr)));
        }
        varbinds += count;
    }
    let elapsed = began.elapsed();
    let per_varbind =
        |time: std::time::Duration| format!("{:.1}", time.as_secs_f64() * 1e6 / varbinds as f64);
    let (ours, theirs) = (cpu(agent.pid()) - ours, cpu(master) - theirs);
    row(&[&size, &kind, &varbinds, &per_varbind(elapsed), &per_varbind(ours), &per_varbind(theirs)]);
    Ok(())
}
