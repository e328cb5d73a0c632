//! Walking realServerTable of a registry that is fed, up to 100,000 rows, through snmpd and by the agent of our own: whether a
//! variable costs the same however many rows there are.
//!
//! No daemon runs: the rows are what a configuration comes to, served by this program in a process of its own. One column,
//! realServerWeight, is walked as often as it takes for the same number of variables; keepalived's is not asked, as it needs
//! IPVS to have such rows.
//!
//! `cargo bench --bench servers [-- SIZE …]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::{env, fmt, net::UdpSocket, sync::Arc};

use agentx::{Config, MasterAddress, Mib, Oid, Region, Subagent, driver::monotonic};
use lab::{Lan, Process, Result, SnmpClient, Snmpd, clock, snmp::COMMUNITY, wait};
use steadfast::{
    registry::Registry,
    snmp::{self, Snapshots},
    snmp_wire::MAX_MESSAGE,
    udp_agent::{Access, Agent, Community, Grant, Settings, Subtrees},
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
/// What tells this benchmark to serve rows: the address of the master, or [`ITSELF`], and their number follow.
const FLAG: &str = "--rows";
/// Where it answers without a master.
const ITSELF: &str = "127.0.0.1:1161";

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
        &["rows", "walk", "by", "varbinds", "elapsed", "agent CPU", "snmpd CPU"],
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
    let mib = snmp::view().serve(move || snapshots.now());
    if master == ITSELF {
        return answer(mib);
    }
    let config = Config::new("rows").region(Region::new(Oid::from(snmp::KEEPALIVED)));
    let master: MasterAddress = master.parse().map_err(failed)?;
    let agent = Subagent::new(master, config, mib, monotonic).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(agent.run());
    Ok(())
}

/// The agent of our own, for ever.
fn answer(mib: impl Mib) -> Result<()> {
    let access = Access { subtrees: Arc::new(Subtrees::all()), write: false };
    let communities = vec![Community::new(COMMUNITY, Grant { sources: Vec::new(), access })];
    let mut agent = Agent::new(mib, monotonic(), 0);
    agent.set_up(Settings { communities, ..Settings::default() });
    let socket = UdpSocket::bind(ITSELF).map_err(failed)?;
    let mut buffer = vec![0; MAX_MESSAGE + 1];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).map_err(failed)?;
        if let Some(answer) = agent.handle(monotonic(), from.ip(), &buffer[..length]) {
            socket.send_to(&answer, from).map_err(failed)?;
        }
    }
}

/// Whom to ask for rows, and who serves them.
struct Served {
    by: &'static str,
    client: SnmpClient,
    agent: Process,
    snmpd: Option<Snmpd>,
    _lan: Lan,
}

impl Served {
    fn through_snmpd(size: usize) -> Result<Self> {
        let lan = Lan::pair()?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let agent = spawn(&lan, snmpd.agentx(), size)?;
        Ok(Self { by: "snmpd", client: snmpd.client(), agent, snmpd: Some(snmpd), _lan: lan })
    }

    fn itself(size: usize) -> Result<Self> {
        let lan = Lan::pair()?;
        let agent = spawn(&lan, ITSELF, size)?;
        let client = SnmpClient::new(&lan["alpha"], ITSELF);
        Ok(Self { by: "itself", client, agent, snmpd: None, _lan: lan })
    }
}

/// This program as one that serves so many.
fn spawn(lan: &Lan, master: &str, size: usize) -> Result<Process> {
    let own = env::current_exe().map_err(failed)?;
    lan["alpha"].spawn("rows", &[&own.to_string_lossy(), FLAG, master, &size.to_string()])
}

fn measure(size: usize) -> Result<()> {
    for served in [Served::through_snmpd(size)?, Served::itself(size)?] {
        wait::until("the rows", SOON, || {
            let (oid, _) = served.client.get_next(COLUMN).map_err(|error| error.to_string())?;
            if oid.starts_with(COLUMN) { Ok(()) } else { Err(oid) }
        })?;
        for walk in [("bulkwalk -Cr50", "snmpbulkwalk", &["-Cr50"][..]), ("walk", "snmpwalk", &[])] {
            self::walk(&served, size, walk)?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of varbinds are far below 2^52")]
fn walk(served: &Served, size: usize, (kind, program, options): (&str, &str, &[&str])) -> Result<()> {
    let Served { by, client, agent, snmpd, .. } = served;
    let master = snmpd.as_ref().and_then(Snmpd::process).map(Process::pid);
    let of_master = || master.map(cpu).unwrap_or_default();
    let (began, ours, theirs) = (clock::now(), cpu(agent.pid()), of_master());
    let mut varbinds = 0;
    while varbinds < VARBINDS {
        let said = client.try_tool(program, options, &[COLUMN])?;
        let count = said.stdout.lines().filter(|line| line.starts_with(COLUMN)).count();
        if !said.status.success() || count != size {
            return Err(failed(format!("{count} of {size} rows: {}", said.stderr)));
        }
        varbinds += count;
    }
    let elapsed = began.elapsed();
    let per_varbind =
        |time: std::time::Duration| format!("{:.1}", time.as_secs_f64() * 1e6 / varbinds as f64);
    let (ours, theirs) = (cpu(agent.pid()) - ours, of_master() - theirs);
    row(&[&size, &kind, by, &varbinds, &per_varbind(elapsed), &per_varbind(ours), &per_varbind(theirs)]);
    Ok(())
}
