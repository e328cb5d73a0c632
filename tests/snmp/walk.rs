//! Every object that is served, through every tool that a manager has.

use std::collections::BTreeSet;

use lab::{Lan, Result, Router, SnmpClient, Snmpd, State, lan::Join};

use crate::scene::{KEEPALIVED, SOON, calm, mib_dirs, steadfast, with_names};

const CONFIG: &str = include_str!("differential/masters.conf");

/// Objects asked for in one request.
const TOGETHER: usize = 20;

/// A router whose every table has rows, at rest.
fn everything() -> Result<(Lan, Snmpd, Router)> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let config = CONFIG.replace("SOCKET", snmpd.agentx());
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    for name in ["PASS2", "UNICAST3", "MULTICAST3"] {
        router.wait_entering(name, State::Master, SOON)?;
    }
    router.wait_log("region 1.3.6.1.4.1.9586.100.5.2 is registered", SOON)?;
    Ok((lan, snmpd, router))
}

/// The lines that a tool prints, one per object: `OID = TYPE: value`.
fn lines(client: &SnmpClient, tool: &str, options: &[&str], args: &[&str]) -> Result<Vec<String>> {
    Ok(client.tool(tool, options, args)?.lines().map(str::to_owned).collect())
}

#[test]
fn every_object_can_be_walked_got_and_bulk_walked() -> Result<()> {
    let _calm = calm();
    let (_lan, snmpd, _router) = everything()?;
    let client = snmpd.client();
    let walked = lines(&client, "snmpwalk", &[], &[KEEPALIVED])?;
    // 3 instances, 3 scripts, 5 tracked lines, 10 addresses: a walk that is cut short is shorter than this.
    assert!(walked.len() > 200, "{} objects:\n{}", walked.len(), walked.join("\n"));
    for repetitions in ["1", "7", "50"] {
        let option = format!("-Cr{repetitions}");
        assert_eq!(lines(&client, "snmpbulkwalk", &[&option], &[KEEPALIVED])?, walked);
    }
    for some in walked.chunks(TOGETHER) {
        let oids: Vec<&str> = some.iter().filter_map(|line| line.split(" = ").next()).collect();
        assert_eq!(lines(&client, "snmpget", &[], &oids)?, some);
    }
    Ok(())
}

#[test]
fn every_name_and_every_enumeration_resolves() -> Result<()> {
    let _calm = calm();
    let (_lan, snmpd, _router) = everything()?;
    let client = with_names(snmpd.client());
    let said = client.try_tool("snmpwalk", &[], &["KEEPALIVED-MIB::keepalived"])?;
    assert_eq!(said.stderr, "");
    assert!(!said.stdout.contains("Wrong Type"), "{}", said.stdout);
    let enumerations = enumerations()?;
    let mut seen = BTreeSet::new();
    for line in said.stdout.lines() {
        // Nothing but the indexes is left as a number.
        let (object, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let (_, name) = object.split_once("-MIB::").unwrap_or_else(|| panic!("{line}"));
        let name = name.split('.').next().filter(|name| *name != "keepalived");
        let name = name.unwrap_or_else(|| panic!("{line}"));
        let deepest = if name.starts_with("vrrpAddress") || name.starts_with("vrrpTracked") { 2 } else { 1 };
        assert_eq!(object.matches('.').count(), deepest, "{line}");
        if enumerations.contains(name) {
            assert!(value.starts_with("INTEGER: ") && value.ends_with(')'), "no name for the value: {line}");
        }
        seen.insert(name.to_owned());
    }
    assert!(seen.len() > 60, "{seen:?}");
    Ok(())
}

/// The objects whose values have names, by the code's own declaration.
fn enumerations() -> Result<BTreeSet<&'static str>> {
    let view = ::steadfast::snmp::view();
    let objects = view.objects().filter(|object| matches!(object.syntax, agentx::Syntax::Enum(_)));
    Ok(objects.map(|object| object.name).collect())
}

#[test]
fn tables_have_names_and_words() -> Result<()> {
    let _calm = calm();
    let (_lan, snmpd, _router) = everything()?;
    let client = with_names(snmpd.client());

    let instances = client.table("KEEPALIVED-MIB::vrrpInstanceTable")?;
    assert_eq!(instances.len(), 3, "{instances:?}");
    assert_eq!(instances[0]["vrrpInstanceName"], "PASS2");
    assert_eq!(instances[0]["vrrpInstanceState"], "master");
    assert_eq!(instances[0]["vrrpInstanceAuthType"], "password");
    assert_eq!(instances[1]["vrrpInstanceVrrpVersion"], "vrrpv3");
    assert_eq!(instances[2]["vrrpInstancePreempt"], "noPreempt");
    assert_eq!(instances[2]["vrrpInstanceEffectivePriority"], "94");

    let addresses = client.table("KEEPALIVED-MIB::vrrpAddressTable")?;
    assert_eq!(addresses.len(), 10, "{addresses:?}");
    let scopes: Vec<&str> = addresses.iter().map(|row| row["vrrpAddressScope"].as_str()).collect();
    assert_eq!(&scopes[..4], ["global", "linkLocal", "interfaceLocal", "siteLocal"]);
    let advertised = addresses.iter().filter(|row| row["vrrpAddressAdvertising"] == "advertised").count();
    assert_eq!(advertised, 8);

    let scripts = client.table("KEEPALIVED-MIB::vrrpScriptTable")?;
    let results: Vec<&str> = scripts.iter().map(|row| row["vrrpScriptResult"].as_str()).collect();
    assert_eq!(results[0], "good", "{scripts:?}");
    let tracked = client.table("KEEPALIVED-MIB::vrrpTrackedScriptTable")?;
    assert_eq!(tracked.len(), 5, "{tracked:?}");
    assert_eq!(tracked[2]["vrrpTrackedScriptWgtRev"], "true");

    for table in ["vrrpInstanceTable", "vrrpAddressTable", "vrrpScriptTable", "vrrpTrackedScriptTable"] {
        let said = client.try_tool("snmptable", &["-Cb"], &[&format!("KEEPALIVED-MIB::{table}")])?;
        assert!(said.status.success() && said.stderr.is_empty(), "{table}: {}", said.stderr);
        assert!(!said.stdout.contains("Wrong Type"), "{}", said.stdout);
    }
    Ok(())
}

#[test]
fn a_column_is_found_by_its_name() -> Result<()> {
    let lan = Lan::pair()?;
    let [mibs, base] = mib_dirs();
    let dirs = format!("{}:{}", mibs.display(), base.display());
    let found = lan["alpha"].run(&[
        "snmptranslate",
        "-M",
        &dirs,
        "-m",
        "KEEPALIVED-MIB",
        "-On",
        "KEEPALIVED-MIB::vrrpInstanceState.3",
    ])?;
    assert_eq!(found.trim(), format!("{KEEPALIVED}.2.3.1.4.3"));
    Ok(())
}
