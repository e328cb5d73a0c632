//! The management station's view: which objects the demo reads, and how it shows them.

use std::path::{Path, PathBuf};

use lab::host::installed;
use lab::{Host, Result, SnmpClient};

/// vrrpInstanceStateChange.
pub(crate) const STATE_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
/// vrrpInstanceState, a varbind of it.
pub(crate) const INSTANCE_STATE: &str = ".1.3.6.1.4.1.9586.100.5.2.3.1.4";
/// routerId, another one.
pub(crate) const ROUTER_ID: &str = ".1.3.6.1.4.1.9586.100.5.1.2";

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

/// The packages to install for the SNMP part; empty when all is there.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let mut packages: Vec<&str> =
        TOOLS.iter().filter(|(program, _)| !installed(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

/// The words of the MIB's VrrpState for the number in a trap.
pub(crate) fn state_name(number: &str) -> String {
    let names = ["init", "backup", "master", "fault", "unknown", "shutdown", "deleted"];
    let known = number.parse::<usize>().ok().and_then(|number| names.get(number));
    known.map_or_else(|| number.to_owned(), |name| (*name).to_owned())
}

/// Reads vrrpInstanceTable of `agent` by name, from the station, and prints some of its columns.
/// Returns the states.
pub(crate) fn show_table(station: &Host, agent: &str) -> Result<Vec<String>> {
    let (own, base) = mib_dirs();
    let client = SnmpClient::new(station, agent).mibs(&[&own, &base], "KEEPALIVED-MIB");
    let rows = client.table("KEEPALIVED-MIB::vrrpInstanceTable")?;
    println!("          {}", line(COLUMNS.map(|name| name.trim_start_matches(PREFIX))));
    for row in &rows {
        println!("          {}", line(COLUMNS.map(|name| row.get(name).map_or("-", String::as_str))));
    }
    Ok(rows.iter().filter_map(|row| row.get("vrrpInstanceState").cloned()).collect())
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
