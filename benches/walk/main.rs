//! Walking the VRRP subtree of KEEPALIVED-MIB through snmpd, and by the daemon's own agent: time and CPU per varbind, and what
//! the advertisements make of it.
//!
//! Both programs, and the daemon that answers itself, run side by side in labs of their own, all their virtual routers MASTER and two addresses each, without
//! traps (with them keepalived can lock itself up at the larger sizes), and beside them two agents that have nothing to find
//! out ([`floor`]): what snmpd and the protocol take. Walks alternate between the five: so many GetBulk walks of 50
//! repetitions and as many GetNext walks each. One more virtual router, on a link of its own, advertises every 10 ms
//! meanwhile.
//!
//! `cargo bench --bench walk [-- WALKS [SIZE …]]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

#[path = "../../agentx/examples/constants.rs"]
mod constants;
mod floor;

use std::{env, time::Duration};

use lab::{Lan, Process, Result, SnmpClient, Snmpd, Subject, clock, lan::Join, wait};

use floor::Floor;
use support::{
    daemon::{Daemon, cpu},
    fleet,
    sniffer::Sniffer,
    table::{Summary, head, row},
};

/// KEEPALIVED-MIB::vrrp
const SUBTREE: &str = ".1.3.6.1.4.1.9586.100.5.2";
const SIZES: [usize; 4] = [10, 250, 1000, 2000];
const SOON: Duration = Duration::from_secs(30);
/// Where the daemon answers itself.
const ITSELF: &str = "127.0.0.1:1161";
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
    sizes.iter().try_for_each(|size| measure(walks, *size))
}

/// Two hosts with room for so many, and for the fast one.
fn hosts(size: usize) -> Result<Lan> {
    let mut lan = fleet::hosts(size)?;
    let k = fleet::interfaces(size);
    let (name, near, far) = (format!("v{k}"), format!("10.9.{k}.1/24"), format!("10.9.{k}.2/24"));
    lan.add_segment(Join::BackToBack, &[("alpha", &name, &near), ("beta", &name, &far)])?;
    Ok(lan)
}

/// The virtual routers of a size, and the fast one, on the interface behind theirs, after `global` lines.
fn config(size: usize, global: &str) -> String {
    let k = fleet::interfaces(size);
    fleet::config(size, 100, global)
        + &format!(
            "vrrp_instance FAST {{\n  interface v{k}\n  virtual_router_id {FAST}\n  priority 100\n  \
             advert_int 0.01\n  virtual_ipaddress {{\n    10.199.0.1/32\n    10.199.0.2/32\n  }}\n}}\n"
        )
}

fn measure(walks: usize, size: usize) -> Result<()> {
    let mut agents = Floor::ALL.iter().map(|floor| Agent::floor(*floor, size)).collect::<Result<Vec<_>>>()?;
    for subject in support::subjects() {
        agents.push(Agent::start(subject, size)?);
    }
    agents.push(Agent::itself(size)?);
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
            "snmpd CPU",
            "unanswered",
        ],
    );
    let kinds = [("bulkwalk -Cr50", "snmpbulkwalk", &["-Cr50"][..]), ("walk", "snmpwalk", &[])];
    let mut gaps = Vec::new();
    for (kind, program, options) in kinds {
        let mut series: Vec<Vec<Walk>> = agents.iter().map(|_| Vec::new()).collect();
        let sniffers = agents.iter().map(Agent::listen).collect::<Result<Vec<_>>>()?;
        for _ in 0..walks {
            for (agent, series) in agents.iter().zip(&mut series) {
                series.extend(agent.walk(program, options)?);
            }
        }
        let of = |series: &[Walk], figure: fn(&Walk) -> f64| Summary::of(series.iter().map(figure));
        let floor = of(&series[0], |walk| walk.elapsed).median;
        for (agent, series) in agents.iter().zip(&series) {
            let elapsed = of(series, |walk| walk.elapsed);
            row(&[
                &agent.name,
                &kind,
                &of(series, |walk| walk.varbinds).median,
                &format!("{elapsed:.1}"),
                &format!("{:.2}", elapsed.median / floor),
                &format!("{:.1}", of(series, |walk| walk.daemon)),
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
    for (name, kind, Gaps(gaps)) in gaps {
        let at = |part: f64| gaps.get(place(gaps.len(), part)).copied().unwrap_or(f64::NAN);
        let shown = |part| format!("{:.2}", at(part));
        row(&[&name, &kind, &gaps.len(), &shown(0.5), &shown(0.99), &shown(1.0)]);
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a place in a list"
)]
fn place(length: usize, part: f64) -> usize {
    ((length as f64 - 1.0) * part).round() as usize
}

/// Distances between the advertisements of the fast router, in ms, sorted.
struct Gaps(Vec<f64>);

impl Gaps {
    fn of(sniffer: Sniffer) -> Result<Self> {
        let heard = sniffer.stop()?;
        let times: Vec<Duration> =
            heard.iter().filter(|heard| heard.router().1 == FAST).map(|heard| heard.at).collect();
        let mut gaps: Vec<f64> =
            times.windows(2).map(|pair| (pair[1].saturating_sub(pair[0])).as_secs_f64() * 1e3).collect();
        gaps.sort_by(f64::total_cmp);
        Ok(Self(gaps))
    }
}

/// What is walked, with its snmpd if it has one.
struct Agent {
    name: String,
    subtree: &'static str,
    server: Server,
    client: SnmpClient,
    snmpd: Option<Snmpd>,
    lan: Lan,
}

enum Server {
    Router(Daemon),
    Floor(Process),
}

/// One walk; times in µs per varbind.
struct Walk {
    varbinds: f64,
    elapsed: f64,
    daemon: f64,
    snmpd: f64,
}

impl Agent {
    fn start(subject: Subject, size: usize) -> Result<Self> {
        let lan = hosts(size)?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let global = format!("  enable_snmp_vrrp\n  snmp_socket {}\n", snmpd.agentx());
        let (name, config) = (subject.to_string(), config(size, &global));
        Self::router(name, &subject, (&config, size), (snmpd.client(), Some(snmpd)), lan)
    }

    /// The daemon without snmpd.
    fn itself(size: usize) -> Result<Self> {
        let [subject, _] = support::subjects();
        let lan = hosts(size)?;
        let config = config(size, "") + &format!("snmp_agent {{\n  listen {ITSELF}\n}}\n");
        let client = SnmpClient::new(&lan["alpha"], ITSELF);
        Self::router(format!("{subject} itself"), &subject, (&config, size), (client, None), lan)
    }

    fn router(
        name: String,
        subject: &Subject,
        (config, size): (&str, usize),
        (client, snmpd): (SnmpClient, Option<Snmpd>),
        lan: Lan,
    ) -> Result<Self> {
        let daemon = Daemon::start(subject, &lan["alpha"], "alpha", config)?;
        daemon.wait_entries(0, "MASTER", size + 1, SOON)?;
        answering(&client, SUBTREE)?;
        Ok(Self { name, subtree: SUBTREE, server: Server::Router(daemon), client, snmpd, lan })
    }

    fn floor(floor: Floor, size: usize) -> Result<Self> {
        let lan = Lan::pair()?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let own = env::current_exe().map_err(|error| lab::Error::Unexpected(error.to_string()))?;
        let (own, size) = (own.to_string_lossy(), size.to_string());
        let argv = [&*own, floor::FLAG, floor.name(), snmpd.agentx(), &size];
        let process = lan["alpha"].spawn("floor", &argv)?;
        let (client, server) = (snmpd.client(), Server::Floor(process));
        answering(&client, floor.subtree())?;
        let (name, snmpd) = (floor.name().to_owned(), Some(snmpd));
        Ok(Self { name, subtree: floor.subtree(), server, client, snmpd, lan })
    }

    /// Hears the advertisements; of a floor there are none.
    fn listen(&self) -> Result<Option<Sniffer>> {
        match self.server {
            Server::Router(_) => Sniffer::start(&self.lan["beta"]).map(Some),
            Server::Floor(_) => Ok(None),
        }
    }

    fn cpu(&self) -> Duration {
        match &self.server {
            Server::Router(daemon) => daemon.cpu(),
            Server::Floor(process) => cpu(process.pid()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of varbinds are far below 2^52")]
    /// `None` when snmpd left a request unanswered three times, for 2 s each.
    fn walk(&self, program: &str, options: &[&str]) -> Result<Option<Walk>> {
        let snmpd = self.snmpd.as_ref().and_then(Snmpd::process).map(Process::pid);
        let of_snmpd = || snmpd.map(cpu).unwrap_or_default();
        let (began, ours, theirs) = (clock::now(), self.cpu(), of_snmpd());
        let said = self.client.try_tool(program, options, &[self.subtree])?;
        let elapsed = began.elapsed();
        let (ours, theirs) = (self.cpu() - ours, of_snmpd() - theirs);
        if !said.status.success() {
            return Ok(None);
        }
        let varbinds = said.stdout.lines().filter(|line| line.starts_with(self.subtree)).count() as f64;
        let per_varbind = |time: Duration| time.as_secs_f64() * 1e6 / varbinds;
        Ok(Some(Walk {
            varbinds,
            elapsed: per_varbind(elapsed),
            daemon: per_varbind(ours),
            snmpd: per_varbind(theirs),
        }))
    }
}

fn answering(client: &SnmpClient, subtree: &str) -> Result<()> {
    wait::until("the MIB to answer", SOON, || {
        let (oid, _) = client.get_next(subtree).map_err(|error| error.to_string())?;
        if oid.starts_with(subtree) { Ok(()) } else { Err(oid) }
    })
}
