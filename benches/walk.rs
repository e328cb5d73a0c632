//! Walking the VRRP subtree of KEEPALIVED-MIB through snmpd: time and CPU per varbind.
//!
//! Both programs run side by side in labs of their own, all their virtual routers MASTER and two addresses
//! each, without traps (with them keepalived can lock itself up at the larger sizes). Walks alternate between
//! them: five GetBulk walks of 50 repetitions and five GetNext walks each.
//!
//! `cargo bench --bench walk [-- WALKS]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::time::Duration;

use lab::{Lan, Result, SnmpClient, Snmpd, Subject, clock, wait};

use support::daemon::{Daemon, cpu};
use support::fleet;
use support::table::{Summary, head, row};

/// KEEPALIVED-MIB::vrrp
const SUBTREE: &str = ".1.3.6.1.4.1.9586.100.5.2";
const SIZES: [usize; 3] = [10, 250, 1000];
const SOON: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let walks = support::number(5);
    for size in SIZES {
        let mut agents = Vec::new();
        for subject in support::subjects() {
            agents.push(Agent::start(subject, size)?);
        }
        let title = format!("Walks of {size} instances, {walks} each: µs per varbind, median (min–max)");
        let columns = ["program", "walk", "varbinds", "elapsed", "daemon CPU", "snmpd CPU"];
        head(&title, &columns);
        for (name, program, options) in
            [("bulkwalk -Cr50", "snmpbulkwalk", &["-Cr50"][..]), ("walk", "snmpwalk", &[])]
        {
            let mut series = [Vec::new(), Vec::new()];
            for _ in 0..walks {
                for (agent, series) in agents.iter().zip(&mut series) {
                    series.extend(agent.walk(program, options)?);
                }
            }
            for (agent, series) in agents.iter().zip(&series) {
                let of = |figure: fn(&Walk) -> f64| Summary::of(series.iter().map(figure));
                row(&[
                    &agent.subject,
                    &name,
                    &of(|walk| walk.varbinds).median,
                    &format!("{:.1}", of(|walk| walk.elapsed)),
                    &format!("{:.1}", of(|walk| walk.daemon)),
                    &format!("{:.1}", of(|walk| walk.snmpd)),
                    &(walks - series.len() as u64),
                ]);
            }
        }
    }
    Ok(())
}

/// A router with its snmpd.
struct Agent {
    subject: Subject,
    daemon: Daemon,
    snmpd: Snmpd,
    _lan: Lan,
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
        let lan = fleet::hosts(size)?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let global = format!("  enable_snmp_vrrp\n  snmp_socket {}\n", snmpd.agentx());
        let config = fleet::config(size, 100, &global);
        let daemon = Daemon::start(&subject, &lan["alpha"], "alpha", &config)?;
        daemon.wait_entries(0, "MASTER", size, SOON)?;
        answering(&snmpd.client())?;
        Ok(Self { subject, daemon, snmpd, _lan: lan })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of varbinds are far below 2^52")]
    /// `None` when snmpd left a request unanswered three times, for 2 s each.
    fn walk(&self, program: &str, options: &[&str]) -> Result<Option<Walk>> {
        let snmpd = self.snmpd.process().map(lab::Process::pid).unwrap_or_default();
        let client = self.snmpd.client();
        let (began, ours, theirs) = (clock::now(), self.daemon.cpu(), cpu(snmpd));
        let said = client.try_tool(program, options, &[SUBTREE])?;
        let elapsed = began.elapsed();
        let (ours, theirs) = (self.daemon.cpu() - ours, cpu(snmpd) - theirs);
        if !said.status.success() {
            return Ok(None);
        }
        let varbinds = said.stdout.lines().filter(|line| line.starts_with(SUBTREE)).count() as f64;
        let per_varbind = |time: Duration| time.as_secs_f64() * 1e6 / varbinds;
        Ok(Some(Walk {
            varbinds,
            elapsed: per_varbind(elapsed),
            daemon: per_varbind(ours),
            snmpd: per_varbind(theirs),
        }))
    }
}

fn answering(client: &SnmpClient) -> Result<()> {
    wait::until("the MIB to answer", SOON, || {
        let (oid, _) = client.get_next(SUBTREE).map_err(|error| error.to_string())?;
        if oid.starts_with(SUBTREE) { Ok(()) } else { Err(oid) }
    })
}
