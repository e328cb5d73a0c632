//! VRRP-MIB and VRRPV3-MIB beside keepalived's, and what is told by them.
//!
//! What may differ is in [`KNOWN`], and each entry quotes the row of `docs/differences.md` that explains it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use lab::{Lan, Result, Router, SnmpClient, Snmpd, Snmptrapd, Subject, lan::Join, snmp::Trap, wait};

use crate::{
    scene::{SOON, calm, steadfast, with_names},
    transitions::HERE,
};

const CONFIG: &str = include_str!("differential/rfc.conf");
const V2: &str = ".1.3.6.1.2.1.68";
const V3: &str = ".1.3.6.1.2.1.207";
/// vrrpTrapNewMaster, vrrpv3NewMaster.
const NEW_MASTER: [&str; 2] = [".1.3.6.1.2.1.68.0.1", ".1.3.6.1.2.1.207.0.1"];
/// vrrpOperState and vrrpv3OperationsStatus.
const STATES: [&str; 2] = [".1.3.6.1.2.1.68.1.3.1.3.", ".1.3.6.1.2.1.207.1.1.1.1.6."];

/// Objects that differ, by their beginning, and how the row in `docs/differences.md` begins.
const KNOWN: &[(&str, &str)] = &[
    (".1.3.6.1.2.1.68.1.3.1.7.", "| M28 | "),
    (".1.3.6.1.2.1.68.1.3.1.10.", "| M27 | "),
    (".1.3.6.1.2.1.68.1.3.1.13.", "| M34 | "),
    (".1.3.6.1.2.1.207.1.1.1.1.5.", "| M29 | "),
    (".1.3.6.1.2.1.207.1.1.1.1.12.", "| M34 | "),
    (".1.3.6.1.2.1.207.1.2.4.0", "| M33 | "),
    (".1.3.6.1.2.1.207.1.2.5.1.12.", "| M33 | "),
];

type Walk = BTreeMap<String, String>;

/// The tables of both, and the columns of them that differ by [`KNOWN`].
const TABLES: [&str; 5] = [
    ".1.3.6.1.2.1.68.1.3",
    ".1.3.6.1.2.1.68.1.4",
    ".1.3.6.1.2.1.68.2.4",
    ".1.3.6.1.2.1.207.1.1.2",
    ".1.3.6.1.2.1.207.1.2.5",
];
const OPERATIONS: &str = ".1.3.6.1.2.1.207.1.1.1";
const KNOWN_COLUMNS: [&str; 6] = [
    "vrrpOperMasterIpAddr",
    "vrrpOperAuthKey",
    "vrrpOperVirtualRouterUpTime",
    "vrrpv3OperationsVirtualMacAddr",
    "vrrpv3OperationsUpTime",
    "vrrpv3StatisticsRowDiscontinuityTime",
];
/// vrrpv3OperationsUpTime, which grows while it is looked at.
const UP_TIME: &str = ".1.3.6.1.2.1.207.1.1.1.1.12.";

/// A table as snmptable shows it: its rows, each with its columns.
type Table = Vec<BTreeMap<String, String>>;

/// What one program shows and tells.
struct Read {
    walk: Walk,
    tables: Vec<Table>,
    told: [Vec<Trap>; 2],
}

/// GET of every object says what the walk said.
fn assert_got(snmpd: &Snmpd, walk: &Walk) -> Result<()> {
    let oids: Vec<&str> = walk.keys().map(String::as_str).collect();
    for (oid, value) in snmpd.client().get_all(&oids, 20)? {
        let walked = &walk[&oid];
        assert!(*walked == value || oid.starts_with(UP_TIME), "{oid}: {value}, in the walk {walked}");
    }
    Ok(())
}

/// What snmptable shows: every cell of the walk.
fn tables(snmpd: &Snmpd, walk: &Walk) -> Result<Vec<Table>> {
    let client = with_names(snmpd.client());
    TABLES
        .iter()
        .chain([&OPERATIONS])
        .map(|oid| {
            let rows = client.table(oid)?;
            let is_cell = |(column, value): &(&String, &String)| *column != "index" && *value != "?";
            let cells: usize = rows.iter().map(|row| row.iter().filter(is_cell).count()).sum();
            let walked = walk.keys().filter(|object| object.starts_with(&format!("{oid}."))).count();
            assert_eq!(cells, walked, "cells of {oid}: {rows:#?}");
            Ok(rows)
        })
        .collect()
}

/// Without the columns that are known to differ.
fn comparable(tables: &[Table]) -> Vec<Table> {
    let row = |row: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        row.iter()
            .filter(|(column, _)| !KNOWN_COLUMNS.contains(&column.as_str()))
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect()
    };
    tables.iter().map(|table| table.iter().map(row).collect()).collect()
}

fn walk(client: &SnmpClient) -> Result<Walk> {
    let mut walk = Walk::new();
    for mib in [V2, V3] {
        walk.extend(client.bulkwalk(mib, 25)?);
    }
    Ok(walk)
}

/// What a program shows once all five states are master and nothing grows any more, and what it has told by then: each
/// notification with its objects.
fn shown_by(subject: &Subject, lan: &Lan, snmpd: &Snmpd, trapd: &Snmptrapd, config: &str) -> Result<Read> {
    let before = NEW_MASTER.map(|oid| trapd.traps_of(oid).len());
    let config = config.replace("SOCKET", snmpd.agentx());
    let router = Router::start(subject, &lan["alpha"], &format!("rfc-{subject}"), &config)?;
    let client = snmpd.client();
    let mut seen = Walk::new();
    let walk = wait::until(&format!("{subject} to settle"), SOON, || {
        let now = walk(&client).map_err(|error| error.to_string())?;
        let is_master = |(oid, value): &(&String, &String)| {
            STATES.iter().any(|state| oid.starts_with(state)) && *value == "INTEGER: 3"
        };
        let masters = now.iter().filter(is_master).count();
        let grown = now.len() != seen.len();
        seen.clone_from(&now);
        if masters == 5 && !grown {
            Ok(now)
        } else {
            Err(format!("{masters} masters, {} objects", now.len()))
        }
    })?;
    for (oid, (before, count)) in NEW_MASTER.iter().zip(before.into_iter().zip([1, 4])) {
        trapd.wait_traps(oid, before + count, SOON)?;
    }
    // In the order of their objects: the routers of one program need not become master in the order of the other's.
    let mut told = NEW_MASTER.map(|oid| trapd.traps_of(oid));
    for (traps, before) in told.iter_mut().zip(before) {
        traps.drain(..before);
        traps.sort_by(|a, b| a.varbinds.cmp(&b.varbinds));
    }
    // keepalived 2.2.7 has no answer to a GET of VRRP-MIB.
    if let Subject::Steadfast(_) = subject {
        assert_got(snmpd, &walk)?;
    }
    let tables = tables(snmpd, &walk)?;
    router.stop()?;
    wait::until_true("snmpd to forget the router", SOON, || client.get(&format!("{V3}.1.2.1.0")).is_err())?;
    Ok(Read { walk, tables, told })
}

fn scene() -> Result<(Lan, Snmpd, Snmptrapd)> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let trapd = Snmptrapd::start(&lan["alpha"])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).trap_sink(HERE).start()?;
    Ok((lan, snmpd, trapd))
}

#[test]
fn both_rfc_mibs_are_keepalived_s_except_for_the_documented_differences() -> Result<()> {
    let _calm = calm();
    let (lan, snmpd, trapd) = scene()?;
    let Read { walk: theirs, tables: their_tables, told } =
        shown_by(&Subject::Keepalived, &lan, &snmpd, &trapd, CONFIG)?;
    let Read { walk: ours, tables: our_tables, told: mut told_too } =
        shown_by(&steadfast(), &lan, &snmpd, &trapd, CONFIG)?;
    assert_eq!(comparable(&our_tables), comparable(&their_tables), "snmptable shows");
    let (mut seen, mut unknown) = (BTreeSet::new(), Vec::new());
    for object in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        if theirs.get(object) == ours.get(object) {
            continue;
        }
        match KNOWN.iter().position(|(known, _)| object.starts_with(known)) {
            Some(at) => drop(seen.insert(at)),
            None => unknown.push(format!("{object}: {:?}, ours {:?}", theirs.get(object), ours.get(object))),
        }
    }
    assert!(unknown.is_empty(), "not in docs/differences.md:\n{}", unknown.join("\n"));
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/differences.md")).unwrap();
    for (at, (object, row)) in KNOWN.iter().enumerate() {
        // Two times that grow may be the same when they are looked at.
        assert!(seen.contains(&at) || *object == UP_TIME, "{object} does not differ any more");
        assert!(page.lines().any(|line| line.starts_with(row)), "docs/differences.md has no row {row}");
    }
    for (theirs, ours) in told.iter().zip(&mut told_too) {
        for (theirs, ours) in theirs.iter().zip(ours.iter_mut()) {
            ours.sysuptime = theirs.sysuptime;
        }
        assert_eq!(ours, theirs, "what tells of a new master");
    }
    Ok(())
}

#[test]
fn a_string_in_an_index_has_its_length_before_it_without_snmp_compat() -> Result<()> {
    let _calm = calm();
    let (lan, snmpd, trapd) = scene()?;
    let config = CONFIG.replace("  snmp_compat\n", "");
    let Read { walk, .. } = shown_by(&steadfast(), &lan, &snmpd, &trapd, &config)?;
    let rows: Vec<_> =
        walk.keys().filter_map(|oid| oid.strip_prefix(".1.3.6.1.2.1.207.1.1.2.1.2.")).collect();
    assert_eq!(rows.len(), 7, "{rows:?}");
    let ends = |end: &str| rows.iter().any(|row| row.ends_with(end));
    assert!(ends(".41.1.4.10.9.0.140") && ends(".42.2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.66"), "{rows:?}");
    Ok(())
}

/// beta's routers: one that is none of alpha's, and one of another password.
const STRANGERS: &str = "vrrp_instance STRANGER {\n  interface vb0\n  virtual_router_id 99\n  version 3\n  advert_int 0.1\n  \
     virtual_ipaddress {\n    10.9.0.99\n  }\n}\nvrrp_instance GUESSER {\n  interface vd1\n  virtual_router_id 43\n  \
     priority 200\n  version 2\n  authentication {\n    auth_type PASS\n    auth_pass guess\n  }\n  \
     virtual_ipaddress {\n    10.8.0.140\n  }\n}\n";

/// The daemon beside routers that have no business with it, until a counter has counted so many, and what it has told.
fn beside_strangers(counter: &str, at_least: u64) -> Result<(Lan, Snmptrapd)> {
    let (lan, snmpd, trapd) = scene()?;
    let config = CONFIG.replace("SOCKET", snmpd.agentx());
    let alpha = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    let beta = Router::start(&steadfast(), &lan["beta"], "beta", STRANGERS)?;
    let client = snmpd.client();
    wait::until(counter, SOON, || {
        let shown = client.walk(counter).map_err(|error| error.to_string())?;
        let number = |(_, value): &(String, String)| value.rsplit(' ').next()?.parse::<u64>().ok();
        if shown.iter().filter_map(number).any(|number| number >= at_least) {
            Ok(())
        } else {
            Err(format!("{shown:?}"))
        }
    })?;
    trapd.wait_traps(NEW_MASTER[0], 1, SOON)?;
    beta.stop()?;
    alpha.stop()?;
    Ok((lan, trapd))
}

#[test]
fn packets_for_none_of_the_routers_are_counted() -> Result<()> {
    let _calm = calm();
    // vrrpRouterVrIdErrors and vrrpv3RouterVrIdErrors
    for counter in [".1.3.6.1.2.1.68.2.3", ".1.3.6.1.2.1.207.1.2.3"] {
        beside_strangers(counter, 5)?;
    }
    Ok(())
}

#[test]
fn a_wrong_password_is_counted_and_told_of_once() -> Result<()> {
    let _calm = calm();
    // vrrpStatsAuthFailures
    let (lan, trapd) = beside_strangers(".1.3.6.1.2.1.68.2.4.1.4", 2)?;
    // vrrpTrapAuthFailure, and vrrpTrapPacketSrc as keepalived numbers it, for the configuration has snmp_compat.
    let told = trapd.traps_of(".1.3.6.1.2.1.68.0.2");
    let link = lan["alpha"].run(&["cat", "/sys/class/net/vd0/ifindex"])?;
    let source = format!(".1.3.6.1.2.1.68.1.5.{}.43", link.trim());
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].value(&source), Some("10.8.0.2"), "{told:?}");
    // vrrpv3ProtoError
    assert!(trapd.traps_of(".1.3.6.1.2.1.207.0.2").is_empty());
    Ok(())
}
