//! The command line tools, asking an agent from a host.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{COMMUNITY, environment};
use crate::error::{Error, Result};
use crate::host::{Host, Output};
use crate::vm::limit;

/// From a request to its answer, before it is asked again.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Where and as whom to ask. Numeric unless MIB modules were given.
#[derive(Debug, Clone)]
pub struct SnmpClient {
    host: Host,
    agent: String,
    community: String,
    mibs: Option<(String, String)>,
}

impl SnmpClient {
    /// Asks `agent` (an address, with `:port` where it is not 161) from `host`, SNMPv2c.
    pub fn new(host: &Host, agent: &str) -> Self {
        Self { host: host.clone(), agent: agent.into(), community: COMMUNITY.into(), mibs: None }
    }

    /// With another community.
    #[must_use]
    pub fn community(mut self, community: &str) -> Self {
        self.community = community.into();
        self
    }

    /// With names: loads `modules` (as in `KEEPALIVED-MIB`) from `dirs`, in that order of preference.
    #[must_use]
    pub fn mibs(mut self, dirs: &[&Path], modules: &str) -> Self {
        let dirs: Vec<String> = dirs.iter().map(|dir| dir.to_string_lossy().into_owned()).collect();
        self.mibs = Some((dirs.join(":"), modules.into()));
        self
    }

    /// One object: `TYPE: value` as net-snmp prints it. An absent one is an error.
    pub fn get(&self, oid: &str) -> Result<String> {
        let mut rows = varbinds(&self.tool("snmpget", &[], &[oid])?);
        match rows.pop() {
            Some((_, value)) if !value.starts_with("No Such") => Ok(value),
            found => Err(Error::Unexpected(format!("snmpget {oid}: {}", found.unwrap_or_default().1))),
        }
    }

    /// Many objects, so many in one request: OID and `TYPE: value`, or what is said of one that is absent.
    pub fn get_all(&self, oids: &[&str], together: usize) -> Result<Vec<(String, String)>> {
        let mut rows = Vec::new();
        for some in oids.chunks(together) {
            rows.extend(varbinds(&self.tool("snmpget", &[], some)?));
        }
        Ok(rows)
    }

    /// The object after `oid`: its OID and `TYPE: value`.
    pub fn get_next(&self, oid: &str) -> Result<(String, String)> {
        let rows = varbinds(&self.tool("snmpgetnext", &[], &[oid])?);
        rows.into_iter().next().ok_or_else(|| Error::Unexpected(format!("snmpgetnext {oid}: nothing")))
    }

    /// All objects below `oid` by GetNext: OID and `TYPE: value`. Empty where there is none.
    pub fn walk(&self, oid: &str) -> Result<Vec<(String, String)>> {
        // -CI: where the subtree is empty, do not get the OID itself.
        Ok(existing(varbinds(&self.tool("snmpwalk", &["-CI"], &[oid])?)))
    }

    /// The same by GetBulk, `repetitions` rows at a time.
    pub fn bulkwalk(&self, oid: &str, repetitions: u32) -> Result<Vec<(String, String)>> {
        let option = format!("-Cr{repetitions}");
        Ok(existing(varbinds(&self.tool("snmpbulkwalk", &[&option], &[oid])?)))
    }

    /// Sets one object; `kind` is a letter of snmpset (`i`, `s`, …).
    pub fn set(&self, oid: &str, kind: &str, value: &str) -> Result<String> {
        self.tool("snmpset", &[], &[oid, kind, value])
    }

    /// A table by snmptable: one map per row, from column name (or index part) to value. Needs
    /// [`SnmpClient::mibs`].
    pub fn table(&self, table: &str) -> Result<Vec<BTreeMap<String, String>>> {
        // -Ob: indexes as numbers. snmptable takes strings without a printable octet in an index for one and the same.
        let text = self.tool("snmptable", &["-Ob", "-Ci", "-Cf", "\t"], &[table])?;
        Ok(parse_table(&text))
    }

    /// Runs a tool with the version, community, output and agent options set, then `args`.
    pub fn tool(&self, program: &str, options: &[&str], args: &[&str]) -> Result<String> {
        let output = self.try_tool(program, options, args)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = if output.stderr.trim().is_empty() { output.stdout } else { output.stderr };
        let command = format!("{program} {} {}", self.agent, args.join(" "));
        Err(Error::Command { command, status: output.status.to_string(), output: said.trim().to_owned() })
    }

    /// As [`SnmpClient::tool`]; a failing tool is an answer, not an error.
    pub fn try_tool(&self, program: &str, options: &[&str], args: &[&str]) -> Result<Output> {
        let names = self.mibs.as_ref();
        let patience = limit(ANSWERS_WITHIN).as_secs().to_string();
        let mut argv = vec![program, "-v2c", "-c", &self.community, "-t", &patience, "-r", "2"];
        match names {
            Some((dirs, modules)) => argv.extend(["-M", dirs, "-m", modules]),
            None => argv.extend(["-On", "-Oe"]),
        }
        argv.extend_from_slice(options);
        argv.push(&self.agent);
        argv.extend_from_slice(args);
        self.host.exec_with(&argv, &self.environment())
    }

    fn environment(&self) -> HashMap<String, String> {
        let state: PathBuf = self.host.dir().join("snmp-tools");
        environment(&state)
    }
}

/// `OID = TYPE: value` lines. Long octet strings go on in the next lines, which have no ` = ` after
/// an OID; a string may contain anything.
fn varbinds(text: &str) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let (name, value) = line.split_once(" =").unwrap_or((line, ""));
        let starts = !name.is_empty() && !name.contains(' ') && line.contains(" =");
        match rows.last_mut() {
            Some((_, value)) if !starts => {
                value.push('\n');
                value.push_str(line);
            }
            _ => rows.push((name.to_owned(), value.trim().to_owned())),
        }
    }
    rows
}

/// An empty walk prints one line that says so; it is not an object.
fn existing(rows: Vec<(String, String)>) -> Vec<(String, String)> {
    rows.into_iter()
        .filter(|(_, value)| !value.starts_with("No Such") && !value.starts_with("No more variables"))
        .collect()
}

/// A title, an empty line, the header, the rows; all separated by tabs.
fn parse_table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().filter(|line| line.contains('\t'));
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines
        .map(|line| {
            header.iter().zip(line.split('\t')).map(|(name, value)| ((*name).into(), value.into())).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_octets_stay_with_their_object() {
        let rows = varbinds(".1.3.1 = Hex-STRING: 00 01\n02 03\n.1.3.2 = INTEGER: 4\n");
        assert_eq!(rows[0], (".1.3.1".into(), "Hex-STRING: 00 01\n02 03".into()));
        assert_eq!(rows[1], (".1.3.2".into(), "INTEGER: 4".into()));
    }

    #[test]
    fn table_rows_are_maps() {
        let rows = parse_table("SNMP table: x\n\nindex\tname\tstate\n1\tVI_1\tmaster\n");
        assert_eq!(rows[0]["state"], "master");
    }
}
