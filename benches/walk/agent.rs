//! Who is walked, with the snmpd in front.

use std::{env, fmt::Write as _, time::Duration};

use lab::{Lan, Process, Result, SnmpClient, Snmpd, Subject, clock, lan::Join, wait};

use crate::{
    SUBTREE, config,
    floor::{self, Floor},
    support::{
        self,
        daemon::{Daemon, cpu},
        fleet,
        sniffer::Sniffer,
    },
};

const SOON: Duration = Duration::from_secs(30);
/// How long everybody is looked at before the walks.
const AT_REST: Duration = Duration::from_secs(10);
/// Where the agent of our own is asked; snmpd has port 161.
const OWN: &str = "127.0.0.1:1161";
const OWN_AGENT: &str = "snmp_agent {\n  listen 127.0.0.1:1161\n}\n";

/// What is walked, with its snmpd.
pub(crate) struct Agent {
    pub(crate) name: String,
    subtree: &'static str,
    server: Server,
    /// CPU that it takes without being walked, in seconds a second.
    at_rest: f64,
    snmpd: Snmpd,
    lan: Lan,
}

enum Server {
    Router(Daemon),
    Floor(Process),
}

/// Whom a walk asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// snmpd, which asks by AgentX.
    Snmpd,
    /// The agent of our own.
    Own,
}

impl Door {
    /// What tables say behind the name of who is asked.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Snmpd => "",
            Self::Own => ", snmp_agent",
        }
    }
}

/// One walk; times in µs per varbind.
pub(crate) struct Walk {
    pub(crate) varbinds: f64,
    pub(crate) elapsed: f64,
    pub(crate) daemon: f64,
    /// The same without what the daemon takes at rest.
    pub(crate) answers: f64,
    pub(crate) snmpd: f64,
}

impl Agent {
    /// A program with so many virtual routers, on a host with the addresses of `around` of them.
    pub(crate) fn start(subject: &Subject, size: usize, around: usize) -> Result<Self> {
        let mut lan = fleet::hosts(around)?;
        let k = fleet::interfaces(around);
        let (name, near, far) = (format!("v{k}"), format!("10.9.{k}.1/24"), format!("10.9.{k}.2/24"));
        lan.add_segment(Join::BackToBack, &[("alpha", &name, &near), ("beta", &name, &far)])?;
        fleet::assume_addresses(&lan["alpha"], size..around)?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let global = format!("  enable_snmp_vrrp\n  snmp_socket {}\n", snmpd.agentx());
        let own = if matches!(subject, Subject::Steadfast(_)) { OWN_AGENT } else { "" };
        let daemon = Daemon::start(subject, &lan["alpha"], "alpha", &(config(size, k, &global) + own))?;
        daemon.wait_entries(0, "MASTER", size + 1, SOON)?;
        answering(&snmpd.client(), SUBTREE)?;
        let mut name = subject.to_string();
        if size != around {
            // Writing to a String cannot fail.
            let _ = write!(name, ", {size}");
        }
        Ok(Self { name, subtree: SUBTREE, server: Server::Router(daemon), at_rest: 0.0, snmpd, lan })
    }

    /// An agent that has nothing to find out.
    pub(crate) fn floor(floor: Floor, size: usize) -> Result<Self> {
        // snmpd takes more time for a request on a host with thousands of addresses.
        let lan = fleet::hosts(size)?;
        fleet::assume_addresses(&lan["alpha"], 0..size)?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let own = env::current_exe().map_err(|error| lab::Error::Unexpected(error.to_string()))?;
        let (own, size) = (own.to_string_lossy(), size.to_string());
        let argv = [&*own, floor::FLAG, floor.name(), snmpd.agentx(), &size];
        let process = lan["alpha"].spawn("floor", &argv)?;
        answering(&snmpd.client(), floor.subtree())?;
        let (name, server) = (floor.name().to_owned(), Server::Floor(process));
        Ok(Self { name, subtree: floor.subtree(), server, at_rest: 0.0, snmpd, lan })
    }

    /// Finds out what each of them takes while nobody asks anything.
    pub(crate) fn rest(agents: &mut [Self]) -> Result<()> {
        let before: Vec<Duration> = agents.iter().map(Self::cpu).collect();
        let began = clock::now();
        support::rest(AT_REST)?;
        for (agent, before) in agents.iter_mut().zip(before) {
            agent.at_rest = (agent.cpu() - before).div_duration_f64(began.elapsed());
        }
        Ok(())
    }

    /// How it can be asked.
    pub(crate) fn doors(&self) -> impl Iterator<Item = Door> {
        let is_ours = matches!(self.server, Server::Router(_))
            && !self.name.starts_with(&Subject::Keepalived.to_string());
        [Door::Snmpd].into_iter().chain(is_ours.then_some(Door::Own))
    }

    /// Hears the advertisements; of a floor there are none.
    pub(crate) fn listen(&self) -> Result<Option<Sniffer>> {
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
    pub(crate) fn walk(&self, door: Door, program: &str, options: &[&str]) -> Result<Option<Walk>> {
        let snmpd = self.snmpd.process().map(lab::Process::pid).unwrap_or_default();
        let client = match door {
            Door::Snmpd => self.snmpd.client(),
            Door::Own => SnmpClient::new(&self.lan["alpha"], OWN),
        };
        let (began, ours, theirs) = (clock::now(), self.cpu(), cpu(snmpd));
        let said = client.try_tool(program, options, &[self.subtree])?;
        let elapsed = began.elapsed();
        let (ours, theirs) = (self.cpu() - ours, cpu(snmpd) - theirs);
        if !said.status.success() {
            return Ok(None);
        }
        let varbinds = said.stdout.lines().filter(|line| line.starts_with(self.subtree)).count() as f64;
        let per_varbind = |time: Duration| time.as_secs_f64() * 1e6 / varbinds;
        Ok(Some(Walk {
            varbinds,
            elapsed: per_varbind(elapsed),
            daemon: per_varbind(ours),
            answers: per_varbind(ours) - self.at_rest * per_varbind(elapsed),
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
