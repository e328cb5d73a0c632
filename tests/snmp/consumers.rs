//! What people read keepalived's MIB with, unmodified from their Debian packages: each says the same behind the daemon as
//! behind keepalived. Commands and files are those of `docs/monitoring.md`, as they stand there.
//!
//! What may differ is in [`KNOWN`], and each entry quotes the row of `docs/differences.md` that explains it. Who is asked in
//! the place of snmpd is the daemon itself: then nothing may differ.

#[path = "consumers/decoder.rs"]
mod decoder;
#[path = "consumers/plugins.rs"]
mod plugins;
#[path = "consumers/prometheus.rs"]
mod prometheus;
#[path = "consumers/receivers.rs"]
mod receivers;

use std::{collections::BTreeSet, fs, path::Path};

use lab::{Host, Lan, Result, Router, SnmpClient, Snmpd, State, Subject, lan::Join, snmp::COMMUNITY, wait};

use crate::scene::{KEEPALIVED, ROUTER_ID, SOON, instance, steadfast};

const CONFIG: &str = include_str!("consumers/router.conf");
/// The daemon's own agent, beside snmpd's.
const AGENT: &str = "snmp_agent {\n  listen 127.0.0.1:1161\n}\n";
const SNMPD: &str = "127.0.0.1:161";
const OWN: &str = "127.0.0.1:1161";
/// Where `docs/monitoring.md` has the MIB modules.
const INSTALLED: &str = "/usr/local/share/steadfast/mibs";
/// KEEPALIVED-MIB, VRRP-MIB and VRRPV3-MIB.
const MIBS: [&str; 3] = [KEEPALIVED, ".1.3.6.1.2.1.68", ".1.3.6.1.2.1.207"];
/// vrrpInstanceState and vrrpInstanceWantedState of the four routers.
const STATES: [&str; 2] = [".1.3.6.1.4.1.9586.100.5.2.3.1.4", ".1.3.6.1.4.1.9586.100.5.2.3.1.6"];
const SETTLED: [&str; 4] = ["INTEGER: 2", "INTEGER: 2", "INTEGER: 1", "INTEGER: 3"];

/// How a line that only one of the two programs causes begins, or one that both do, each with its own value; and how the
/// row in `docs/differences.md` begins.
type Known = (&'static str, &'static str);

fn read(relative: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(relative);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands in `docs/monitoring.md` in the block of this name, for this scene's router.
fn documented(block: &str) -> String {
    let page = read("docs/monitoring.md");
    let is_fence = |line: &str| line.starts_with("```") && line.ends_with(&format!(" {block}"));
    let lines = page.lines().skip_while(|line| !is_fence(line)).skip(1).take_while(|line| *line != "```");
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(!text.is_empty(), "docs/monitoring.md has no block `{block}`");
    let mibs = Path::new(env!("CARGO_MANIFEST_DIR")).join("mibs");
    let text = [" ", "="].iter().fold(text, |text, before| {
        text.replace(&format!("{before}steadfast"), &format!("{before}{COMMUNITY}"))
    });
    text.replace("router1", "127.0.0.1").replace(INSTALLED, &mibs.display().to_string())
}

/// One host with snmpd and room for either program, and a better router beside it.
struct Watched {
    lan: Lan,
    snmpd: Snmpd,
    _better: Router,
}

impl Watched {
    fn start() -> Result<Self> {
        let mut lan = Lan::pair()?;
        lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let better = instance("BETTER", "vd1", 13, 200, "0.5").replace("10.99.0.13/32", "10.8.0.113/24");
        let better = "global_defs {\n  vrrp_version 3\n}\n".to_owned() + &better;
        let better = Router::start(&steadfast(), &lan["beta"], "beta", &better)?;
        better.wait_entering("BETTER", State::Master, SOON)?;
        Ok(Self { lan, snmpd, _better: better })
    }

    fn host(&self) -> &Host {
        &self.lan["alpha"]
    }

    /// What `look` sees of a program that has settled.
    fn behind<T>(&self, subject: &Subject, look: impl FnOnce() -> Result<T>) -> Result<T> {
        let config = CONFIG.replace("SOCKET", self.snmpd.agentx());
        let config = config + if let Subject::Steadfast(_) = subject { AGENT } else { "" };
        let router = Router::start(subject, self.host(), &subject.to_string(), &config)?;
        let client = self.snmpd.client();
        let mut before = 0;
        wait::until(&format!("{subject} to settle"), SOON, || {
            let objects = count(&client).map_err(|error| error.to_string())?;
            let states = STATES.map(|column| client.walk(column).unwrap_or_default());
            let settled = states.iter().all(|rows| rows.iter().map(|(_, value)| value.as_str()).eq(SETTLED));
            // keepalived registers column by column: complete is what does not grow any more.
            let grown = objects != std::mem::replace(&mut before, objects);
            if settled && !grown { Ok(()) } else { Err(format!("{objects} objects, {states:?}")) }
        })?;
        let seen = look()?;
        router.stop()?;
        wait::until_true("snmpd to forget the router", SOON, || client.get(ROUTER_ID).is_err())?;
        Ok(seen)
    }

    /// The same behind keepalived and behind the daemon.
    fn behind_both<T>(&self, look: impl Fn() -> Result<T>) -> Result<(T, T)> {
        Ok((self.behind(&Subject::Keepalived, &look)?, self.behind(&steadfast(), &look)?))
    }

    /// What `look` sees by snmpd behind keepalived, by snmpd behind the daemon, and by the daemon itself.
    fn by_all<T>(&self, look: impl Fn(&str) -> Result<T>) -> Result<[T; 3]> {
        let theirs = self.behind(&Subject::Keepalived, || look(SNMPD))?;
        let [ours, own] = self.behind(&steadfast(), || Ok([look(SNMPD)?, look(OWN)?]))?;
        Ok([theirs, ours, own])
    }

    /// A documented command on the router's host, in its directory: its output and exit status.
    fn run(&self, block: &str) -> Result<(String, Option<i32>)> {
        let script = format!("cd {} && {}", self.host().dir().display(), documented(block));
        let said = self.host().exec(&["sh", "-c", &script])?;
        Ok((said.stdout + &said.stderr, said.status.code()))
    }
}

fn count(client: &SnmpClient) -> Result<usize> {
    MIBS.iter().try_fold(0, |sum, mib| Ok(sum + client.bulkwalk(mib, 25)?.len()))
}

/// Both say the same, but for lines that are known, and all of those are there.
fn assert_same(theirs: &str, ours: &str, known: &[Known]) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (theirs, ours) = (lines(theirs), lines(ours));
    let differing: Vec<&String> = theirs.symmetric_difference(&ours).collect();
    let unknown = differing.iter().filter(|line| !known.iter().any(|(start, _)| line.starts_with(start)));
    let unknown: Vec<_> =
        unknown.map(|line| format!("{} {line}", if ours.contains(*line) { "+" } else { "-" })).collect();
    assert!(unknown.is_empty(), "not in docs/differences.md:\n{}", unknown.join("\n"));
    let page = read("docs/differences.md");
    for (start, row) in known {
        assert!(differing.iter().any(|line| line.starts_with(start)), "`{start}` does not differ any more");
        assert!(page.lines().any(|line| line.starts_with(row)), "docs/differences.md has no row {row}");
    }
}
