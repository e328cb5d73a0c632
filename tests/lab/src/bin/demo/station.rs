//! The management station's view: which objects the demo reads, and how it shows them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::host::installed;
use lab::{Host, Process, Result, SnmpClient, Snmptrapd, Subject};

/// vrrpInstanceStateChange.
const STATE_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
/// vrrpInstanceState, a varbind of it.
const INSTANCE_STATE: &str = ".1.3.6.1.4.1.9586.100.5.2.3.1.4";
/// routerId, another one.
const ROUTER_ID: &str = ".1.3.6.1.4.1.9586.100.5.1.2";

/// Programs of net-snmp and the Debian packages that bring them.
const TOOLS: [(&str, &str); 4] =
    [("snmpd", "snmpd"), ("snmptrapd", "snmptrapd"), ("snmptable", "snmp"), ("snmpwalk", "snmp")];

/// Columns of vrrpInstanceTable that fit on a screen.
const COLUMNS: [&str; 5] = [
    "vrrpInstanceName",
    "vrrpInstanceState",
    "vrrpInstanceBasePriority",
    "vrrpInstanceEffectivePriority",
    "vrrpInstanceVipsStatus",
];

const PREFIX: &str = "vrrpInstance";

/// Longer than a program takes to start.
const SOON: Duration = Duration::from_secs(20);

/// What SNMP is spoken with.
#[derive(Clone, Debug)]
pub(crate) enum Means {
    /// snmpd, snmptrapd and the tools.
    NetSnmp,
    /// The daemon's own agent, and its own manager, which is this program.
    Own(PathBuf),
}

impl Means {
    /// What there is; keepalived has nothing of its own.
    pub(crate) fn of(subject: &Subject) -> Option<Self> {
        match subject {
            _ if missing_packages().is_empty() => Some(Self::NetSnmp),
            Subject::Steadfast(binary) => Some(Self::Own(binary.clone())),
            Subject::Keepalived => None,
        }
    }

    /// The words of the command with which the station reads a table.
    pub(crate) fn command(&self) -> &'static str {
        match self {
            Self::NetSnmp => "snmptable -v2c -c public -M mibs:mibs/base -m KEEPALIVED-MIB",
            Self::Own(_) => "steadfast snmp walk",
        }
    }
}

/// Who hears notifications on the station.
pub(crate) enum Listener {
    NetSnmp(Snmptrapd),
    Own(Process),
}

impl Listener {
    /// Starts it and waits until it listens.
    pub(crate) fn start(means: &Means, host: &Host) -> Result<Self> {
        match means {
            Means::NetSnmp => Snmptrapd::start(host).map(Self::NetSnmp),
            Means::Own(program) => {
                let listener = host.spawn("listen", &[&program.to_string_lossy(), "snmp", "listen"])?;
                listener.wait_log("listening at", SOON)?;
                Ok(Self::Own(listener))
            }
        }
    }

    /// The router and the state of each change of an instance that was told of so far.
    pub(crate) fn changes(&self) -> Vec<(String, String)> {
        match self {
            Self::NetSnmp(trapd) => {
                let of = |trap: &lab::snmp::Trap| {
                    let state = state_name(trap.value(INSTANCE_STATE).unwrap_or_default());
                    (trap.value(ROUTER_ID).unwrap_or("?").to_owned(), state)
                };
                trapd.traps_of(STATE_CHANGE).iter().map(of).collect()
            }
            Self::Own(listener) => changes_of(&listener.log()),
        }
    }
}

/// The same of what `steadfast snmp listen` has printed: a line for each notification, and indented ones for its objects.
fn changes_of(log: &str) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    let mut state = None;
    for line in log.lines() {
        if !line.starts_with(' ') {
            state = None;
        } else if let Some((_, value)) = line.split_once("::vrrpInstanceState.") {
            state = value.split_once("INTEGER: ").map(|(_, value)| name_of(value));
        } else if let Some((_, router)) = line.split_once("::routerId.0 = STRING: ") {
            // The last object of a notification.
            changes.extend(state.take().map(|state| (router.to_owned(), state)));
        }
    }
    changes
}

/// `master` of `master(2)`.
fn name_of(value: &str) -> String {
    value.split('(').next().unwrap_or_default().to_owned()
}

/// The packages to install for net-snmp's part; empty when all is there.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let mut packages: Vec<&str> =
        TOOLS.iter().filter(|(program, _)| !installed(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

/// The words of the MIB's VrrpState for the number in a trap.
fn state_name(number: &str) -> String {
    let names = ["init", "backup", "master", "fault", "unknown", "shutdown", "deleted"];
    let known = number.parse::<usize>().ok().and_then(|number| names.get(number));
    known.map_or_else(|| number.to_owned(), |name| (*name).to_owned())
}

/// Reads vrrpInstanceTable of `agent` by name, from the station, and prints some of its columns.
/// Returns the states.
pub(crate) fn show_table(means: &Means, station: &Host, agent: &str) -> Result<Vec<String>> {
    if let Means::Own(program) = means {
        return walk_table(program, station, agent);
    }
    let (own, base) = mib_dirs();
    let client = SnmpClient::new(station, agent).mibs(&[&own, &base], "KEEPALIVED-MIB");
    let rows = client.table("KEEPALIVED-MIB::vrrpInstanceTable")?;
    println!("          {}", line(COLUMNS.map(|name| name.trim_start_matches(PREFIX))));
    for row in &rows {
        println!("          {}", line(COLUMNS.map(|name| row.get(name).map_or("-", String::as_str))));
    }
    Ok(rows.iter().filter_map(|row| row.get("vrrpInstanceState").cloned()).collect())
}

/// The same with the daemon's own manager, which prints an object a line.
fn walk_table(program: &Path, station: &Host, agent: &str) -> Result<Vec<String>> {
    let walked = station.run(&[&program.to_string_lossy(), "snmp", "walk", agent, "vrrpInstanceTable"])?;
    let is_shown = |line: &&str| COLUMNS.iter().any(|column| line.contains(&format!("::{column}.")));
    walked.lines().filter(is_shown).for_each(|line| println!("          {line}"));
    let states =
        walked.lines().filter_map(|line| line.split_once("::vrrpInstanceState.")?.1.split_once("INTEGER: "));
    Ok(states.map(|(_, state)| name_of(state)).collect())
}

/// One row under the columns' names without their common prefix.
fn line(cells: [&str; 5]) -> String {
    let widths = COLUMNS.map(|name| name.len() - PREFIX.len() + 2);
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    padded.collect::<String>().trim_end().to_owned()
}

/// The repository's own modules, and the import modules for machines without the standard ones.
fn mib_dirs() -> (PathBuf, PathBuf) {
    let mibs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mibs");
    let base = mibs.join("base");
    (mibs, base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_read_once_it_is_complete() {
        let log = "listening at 0.0.0.0:162\n2026-11-22T00:00:00.000Z 10.9.0.1 v2c trap \
                   KEEPALIVED-MIB::vrrpInstanceStateChange up 0:00:00.07\n    \
                   KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: backup(1)\n    \
                   KEEPALIVED-MIB::routerId.0 = STRING: beta\n2026-11-22T00:00:01.000Z 10.9.0.1 v2c trap \
                   KEEPALIVED-MIB::vrrpInstanceStateChange up 0:00:00.09\n    \
                   KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: master(2)\n";
        assert_eq!(changes_of(log), [("beta".to_owned(), "backup".to_owned())]);
    }
}
