//! A client that is not made of net-snmp: what it decodes is what net-snmp does.

use std::{collections::BTreeMap, path::Path};

use lab::{Result, SnmpClient, snmp::COMMUNITY};

use super::{MIBS, Watched, assert_same};
use crate::scene::calm;

/// vrrpv3OperationsUpTime, and the statistics of both modules: numbers that grow while the router runs.
const GROWING: [&str; 3] =
    ["1.3.6.1.2.1.207.1.1.1.1.12.", "1.3.6.1.2.1.207.1.2.5.1.", "1.3.6.1.2.1.68.2.4.1."];

/// Everything that pysnmp reads from an agent, line by line: OID, type and value.
fn walked(watched: &Watched, agent: &str) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snmp/consumers/walk.py");
    let script = script.display().to_string();
    let arguments = ["/usr/bin/python3", &script, agent, COMMUNITY];
    let printed = watched.host().run(&[&arguments[..], &MIBS.map(|mib| &mib[1..])].concat())?;
    Ok(printed.lines().map(comparable).collect())
}

/// The same by snmpbulkwalk, in pysnmp's words.
fn net_snmp(watched: &Watched, agent: &str) -> Result<String> {
    let client = SnmpClient::new(watched.host(), agent);
    let mut text = String::new();
    for mib in MIBS {
        // -Ox: strings in hexadecimal. -Ot: TimeTicks as a number.
        let printed = client.tool("snmpbulkwalk", &["-Ox", "-Ot", "-Cr25"], &[mib])?;
        // A long string goes on in the next lines, which do not begin with an OID.
        let objects = printed.split("\n.").map(|object| object.replace('\n', ""));
        text.extend(objects.map(|object| comparable(&in_pysnmp_words(&object))));
    }
    Ok(text)
}

fn in_pysnmp_words(line: &str) -> String {
    let (oid, value) = line.split_once(" = ").unwrap_or((line, ""));
    let (kind, shown) = match value.split_once(": ") {
        Some(("INTEGER", number)) => ("Integer", number.to_owned()),
        Some(("Hex-STRING", octets)) => ("OctetString", octets.replace(' ', "").to_lowercase()),
        Some(("IpAddress", address)) => {
            let octets = address.split('.').map(|part| format!("{:02x}", part.parse::<u8>().unwrap_or(0)));
            ("IpAddress", octets.collect())
        }
        Some((kind, number)) => (kind, number.to_owned()),
        None if value == "\"\"" => ("OctetString", String::new()),
        None => ("TimeTicks", value.to_owned()),
    };
    format!("{} {kind} {shown}", oid.trim_start_matches('.'))
}

/// A line without the value of what grows.
fn comparable(line: &str) -> String {
    let grows = GROWING.iter().any(|start| line.starts_with(start));
    let shown = line.rsplit_once(' ').map_or(line, |(object, _)| if grows { object } else { line });
    format!("{shown}\n")
}

/// The type of each object.
fn types(walk: &str) -> BTreeMap<&str, &str> {
    walk.lines().filter_map(|line| line.split_once(' ')).map(|(oid, rest)| (oid, first_word(rest))).collect()
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Without what counts from the start of each agent.
fn without_times(walk: &str) -> String {
    let bare = |line: &str| line.split_once(" TimeTicks ").map_or(line, |(oid, _)| oid).to_owned() + "\n";
    walk.lines().map(bare).collect()
}

#[test]
fn pysnmp_decodes_what_net_snmp_does_with_the_types_of_keepalived() -> Result<()> {
    let _calm = calm();
    let watched = Watched::start()?;
    let look = |agent: &str| Ok((walked(&watched, agent)?, net_snmp(&watched, agent)?));
    let [theirs, ours, own] = watched.by_all(look)?;
    for (by_pysnmp, by_net_snmp) in [&theirs, &ours, &own] {
        assert_same(by_net_snmp, by_pysnmp, &[]);
    }
    // Itself the daemon serves all MIBs.
    let known = types(&ours.0);
    let shared = own.0.lines().filter(|line| known.contains_key(first_word(line)));
    let shared: String = shared.map(|line| format!("{line}\n")).collect();
    assert_same(&without_times(&ours.0), &without_times(&shared), &[]);
    let (theirs, ours) = (types(&theirs.0), types(&ours.0));
    let common: Vec<_> = theirs.iter().filter(|(oid, _)| ours.contains_key(*oid)).collect();
    assert!(common.len() > 200, "{} objects in common", common.len());
    for (oid, kind) in common {
        assert_eq!(ours[oid], *kind, "{oid}");
    }
    Ok(())
}
