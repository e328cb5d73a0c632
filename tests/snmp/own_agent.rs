//! The agent of our own (`snmp_agent`), asked by net-snmp's tools: it shows what snmpd's AgentX side shows, to whom it may.

use lab::{Lan, Result, Router, SnmpClient, Snmpd, State, lan::Join, wait};

use crate::scene::{INSTANCE_ENTRY, KEEPALIVED, ROUTER_ID, SOON, calm, instance, steadfast, with_names};

const MASTERS: &str = include_str!("differential/masters.conf");

/// Port 161 is snmpd's in stories that have both.
const HERE: &str = "127.0.0.1:1161";
const HERE_V6: &str = "udp6:[::1]:1161";

/// VRRP-MIB and VRRPV3-MIB.
const RFC: [&str; 2] = [".1.3.6.1.2.1.68", ".1.3.6.1.2.1.207"];

/// Services, so that their tables have rows; nobody checks their servers, nor has to have IPVS.
const SERVICES: &str = "virtual_server_group GROUP {
  10.67.0.20 80
  10.67.0.21-23 81
  fwmark 300
}
virtual_server 10.67.0.1 80 {
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  quorum 2
  sorry_server 10.67.1.100 80
  real_server 10.67.1.1 80 {
    weight 2
  }
  real_server 10.67.1.2 80 {
    weight 3
  }
}
virtual_server group GROUP {
  lb_kind DR
  protocol UDP
  real_server 10.67.1.3 80 {
  }
}
";

const AGENT: &str = "snmp_agent {
  listen 127.0.0.1:1161
  listen [::1]:1161
  sys_contact ops@example.net
  community public source 127.0.0.0/8 ::1
  community private source 127.0.0.1 rw
  community narrow source 127.0.0.1 view names
  community far source 10.255.0.0/16
  view names {
    included .1.3.6.1.4.1.9586.100.5.2.3
    excluded 1.3.6.1.4.1.9586.100.5.2.3.1.3
    included 1.3.6.1.4.1.9586.100.5.1.2
  }
}
";

/// The lines that a tool prints: one per object, `OID = TYPE: value`. Behind these objects snmpd has others.
fn lines(client: &SnmpClient, tool: &str, options: &[&str], args: &[&str]) -> Result<Vec<String>> {
    let is_object = |line: &&str| !line.contains("No more variables left") && *line != "End of MIB";
    Ok(client.tool(tool, options, args)?.lines().filter(is_object).map(str::to_owned).collect())
}

/// Without what counts on between two walks.
pub(crate) fn without_counts(lines: &[String]) -> Vec<&str> {
    let counts =
        |line: &str| [" = Counter", " = Timeticks", "snmpEngineTime"].iter().any(|part| line.contains(part));
    lines
        .iter()
        .map(|line| if counts(line) { line.split(": ").next().unwrap_or(line) } else { line })
        .collect()
}

/// Three virtual routers that are MASTER, with all MIBs through snmpd and with these further blocks.
pub(crate) fn masters(lan: &Lan, snmpd: &Snmpd, blocks: &str) -> Result<Router> {
    let globals = "global_defs {\n  enable_snmp_rfc\n  enable_snmp_checker";
    let config = MASTERS.replace("SOCKET", snmpd.agentx()).replace("global_defs {", globals);
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &(config + blocks))?;
    for name in ["PASS2", "UNICAST3", "MULTICAST3"] {
        router.wait_entering(name, State::Master, SOON)?;
    }
    router.wait_log(&format!("region {}", KEEPALIVED.trim_start_matches('.')), SOON)?;
    for region in ["1.3.6.1.4.1.9586.100.5.1000", "1.3.6.1.2.1.207"] {
        router.wait_log(&format!("region {region} is registered"), SOON)?;
    }
    Ok(router)
}

#[test]
fn a_walk_is_the_one_through_snmpd_object_by_object() -> Result<()> {
    let _calm = calm();
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let _router = masters(&lan, &snmpd, &(SERVICES.to_owned() + AGENT))?;
    let (there, here) = (snmpd.client(), SnmpClient::new(&lan["alpha"], HERE));
    for version in ["-v2c", "-v1"] {
        let walked = lines(&there, "snmpwalk", &[version], &[KEEPALIVED])?;
        assert!(walked.len() > 200, "{} objects", walked.len());
        let own = lines(&here, "snmpwalk", &[version], &[KEEPALIVED])?;
        assert_eq!(without_counts(&own), without_counts(&walked), "{version}");
        for subtree in RFC {
            let walked = lines(&there, "snmpwalk", &[version], &[subtree])?;
            let own = lines(&here, "snmpwalk", &[version], &[subtree])?;
            assert!(walked.len() > 10, "{walked:?}");
            assert_eq!(without_counts(&own), without_counts(&walked), "{version}");
        }
    }
    let walked = lines(&here, "snmpwalk", &[], &[KEEPALIVED])?;
    for repetitions in ["1", "7", "50", "1000", "2147483647"] {
        let option = format!("-Cr{repetitions}");
        let bulk = lines(&here, "snmpbulkwalk", &[&option], &[KEEPALIVED])?;
        assert_eq!(without_counts(&bulk), without_counts(&walked), "{repetitions}");
    }
    for some in walked.chunks(20) {
        let oids: Vec<&str> = some.iter().filter_map(|line| line.split(" = ").next()).collect();
        let got = lines(&here, "snmpget", &[], &oids)?;
        assert_eq!(without_counts(&got), without_counts(some));
    }
    tables_are_the_same(&there, &here)
}

/// Every table of all MIBs by snmptable, without what counts on.
fn tables_are_the_same(there: &SnmpClient, here: &SnmpClient) -> Result<()> {
    let (there, here) = (with_names(there.clone()), with_names(here.clone()));
    let objects: Vec<_> =
        ::steadfast::snmp::view().objects().filter(|object| object.index.is_some()).collect();
    let counting: Vec<_> =
        objects.iter().filter(|object| counts_on(object.syntax)).map(|object| object.name).collect();
    let shown = |client: &SnmpClient, table: &str| -> Result<Vec<_>> {
        let mut rows = client.table(table)?;
        rows.iter_mut().for_each(|row| row.retain(|column, _| !counting.contains(&column.as_str())));
        Ok(rows)
    };
    let mut entries: Vec<_> =
        objects.iter().map(|object| object.oid.subids()[..object.oid.subids().len() - 2].to_vec()).collect();
    entries.dedup();
    let mut filled = 0;
    for entry in &entries {
        let table: String = entry.iter().map(|subid| format!(".{subid}")).collect();
        let rows = shown(&here, &table)?;
        filled += usize::from(!rows.is_empty());
        assert_eq!(rows, shown(&there, &table)?, "{table}");
    }
    assert!(entries.len() > 30 && filled >= 12, "{filled} of {} tables have rows", entries.len());
    Ok(())
}

fn counts_on(syntax: agentx::Syntax) -> bool {
    matches!(syntax, agentx::Syntax::Counter32 | agentx::Syntax::Counter64 | agentx::Syntax::TimeTicks)
}

/// alpha with one router and this agent, without snmpd.
fn alone(agent: &str) -> Result<(Lan, Router)> {
    let lan = Lan::pair()?;
    let config = config(agent);
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    router.wait_entering("VI_1", State::Master, SOON)?;
    Ok((lan, router))
}

fn config(agent: &str) -> String {
    let router = instance("VI_1", "va0", 51, 100, "0.1");
    format!("global_defs {{\n  router_id lab\n  vrrp_version 3\n  snmp_set\n}}\n{router}{agent}")
}

#[test]
fn a_manager_discovers_it_as_any_other_device() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = alone(AGENT)?;
    for address in [HERE, HERE_V6] {
        let client = SnmpClient::new(&lan["alpha"], address);
        let system = client.walk(".1.3.6.1.2.1.1")?;
        let value = |oid: &str| {
            let found = system.iter().find(|(name, _)| name == oid);
            found.unwrap_or_else(|| panic!("{oid} in {system:?}")).1.clone()
        };
        assert!(value(".1.3.6.1.2.1.1.1.0").starts_with("STRING: \"Linux "), "{system:?}");
        assert_eq!(value(".1.3.6.1.2.1.1.2.0"), format!("OID: {KEEPALIVED}.1000"));
        assert_eq!(value(".1.3.6.1.2.1.1.4.0"), "STRING: \"ops@example.net\"");
        assert_eq!(value(".1.3.6.1.2.1.1.9.1.2.1"), "OID: .1.3.6.1.6.3.1");
        let first = client.get_next(".1.3")?;
        assert_eq!(first.0, ".1.3.6.1.2.1.1.1.0");
        assert_eq!(client.get(ROUTER_ID)?, "STRING: \"lab\"");
    }
    let modules = with_names(SnmpClient::new(&lan["alpha"], HERE)).table("sysORTable")?;
    assert!(
        modules.iter().any(|row| row["sysORDescr"].contains("SNMP Management Architecture")),
        "{modules:?}"
    );
    Ok(())
}

#[test]
fn a_community_opens_its_view_from_its_sources() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = alone(AGENT)?;
    let client = |community: &str| SnmpClient::new(&lan["alpha"], HERE).community(community);
    let narrow = client("narrow").walk(".1")?;
    assert_eq!(narrow[0], (ROUTER_ID.to_owned(), "STRING: \"lab\"".to_owned()));
    assert!(narrow[1..].iter().all(|(name, _)| name.starts_with(INSTANCE_ENTRY)), "{narrow:?}");
    assert!(!narrow.iter().any(|(name, _)| name.starts_with(&format!("{INSTANCE_ENTRY}.3."))), "{narrow:?}");
    assert!(narrow.len() > 20, "{narrow:?}");
    for stranger in ["far", "nobody"] {
        let said = client(stranger).try_tool("snmpget", &["-t", "0.3", "-r", "0"], &[ROUTER_ID])?;
        assert!(said.stderr.contains("Timeout"), "{stranger}: {said:?}");
    }
    let refused = client("public").get(".1.3.6.1.2.1.11.4.0")?;
    assert_eq!(refused, "Counter32: 2");
    Ok(())
}

#[test]
fn a_manager_that_may_write_changes_the_router_and_nothing_by_halves() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = alone(AGENT)?;
    let (reader, writer) = {
        let client = SnmpClient::new(&lan["alpha"], HERE);
        (client.clone(), client.community("private"))
    };
    let priority = format!("{INSTANCE_ENTRY}.7.1");
    let preempt = format!("{INSTANCE_ENTRY}.13.1");
    let before = reader.get(&priority)?;
    let said = reader.try_tool("snmpset", &[], &[&priority, "i", "150"])?;
    assert!(said.stderr.contains("noAccess"), "{said:?}");
    let said = reader.try_tool("snmpset", &["-v1"], &[&priority, "i", "150"])?;
    assert!(said.stderr.contains("noSuchName"), "{said:?}");
    assert_eq!(reader.get(&priority)?, before);

    writer.set(&priority, "i", "150")?;
    wait::until("the other priority", SOON, || {
        let shown = reader.get(&priority).map_err(|error| error.to_string())?;
        if shown == "INTEGER: 150" { Ok(()) } else { Err(shown) }
    })?;
    for (second, kind, value, error) in [
        (preempt.as_str(), "i", "3", "wrongValue"),
        (preempt.as_str(), "s", "x", "wrongType"),
        (".1.3.6.1.2.1.1.5.0", "s", "x", "notWritable"),
        (ROUTER_ID, "s", "x", "notWritable"),
    ] {
        let said = writer.try_tool("snmpset", &[], &[&priority, "i", "160", second, kind, value])?;
        assert!(said.stderr.contains(error), "{second}: {said:?}");
        assert_eq!(reader.get(&priority)?, "INTEGER: 150");
    }
    Ok(())
}

#[test]
fn a_reload_moves_it_and_ends_it_and_an_address_may_come_later() -> Result<()> {
    let _calm = calm();
    let (lan, router) = alone("")?;
    let alpha = &lan["alpha"];
    let elsewhere = "snmp_agent {\n  listen 127.0.0.1:1162\n  listen 10.77.0.1:1162\n  community other source 10.0.0.0/8 127.0.0.1\n}\n";
    assert!(!router.log().contains("files of the memory are forbidden"));
    router.reload(alpha, "alpha", &config(AGENT), SOON)?;
    router.wait_log("files of the memory are forbidden", SOON)?;
    router.wait_log("SNMP is answered at 127.0.0.1:1161", SOON)?;
    let here = SnmpClient::new(alpha, HERE);
    assert_eq!(here.get(ROUTER_ID)?, "STRING: \"lab\"");
    router.reload(alpha, "alpha", &config(elsewhere), SOON)?;
    router.wait_log("SNMP is answered at 127.0.0.1:1162", SOON)?;
    router.wait_log("SNMP is no longer answered at 127.0.0.1:1161", SOON)?;
    router.wait_log("SNMP cannot be answered at 10.77.0.1:1162 yet", SOON)?;
    let there = SnmpClient::new(alpha, "127.0.0.1:1162").community("other");
    assert_eq!(there.get(ROUTER_ID)?, "STRING: \"lab\"");
    alpha.run(&["ip", "address", "add", "10.77.0.1/32", "dev", "lo"])?;
    router.wait_log("SNMP is answered at 10.77.0.1:1162", SOON)?;
    assert_eq!(
        SnmpClient::new(alpha, "10.77.0.1:1162").community("other").get(ROUTER_ID)?,
        "STRING: \"lab\""
    );
    router.reload(alpha, "alpha", &config(""), SOON)?;
    router.wait_log("SNMP is no longer answered at 10.77.0.1:1162", SOON)?;
    let said = there.try_tool("snmpget", &["-t", "0.3", "-r", "0"], &[ROUTER_ID])?;
    assert!(!said.status.success(), "{said:?}");
    Ok(())
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() -> Result<()> {
    let _calm = calm();
    let agent = "snmp_agent {\n  listen 0.0.0.0:1161\n  listen [::]:1161\n  community public source 10.9.0.0/24 fd00::/64\n}\n";
    let (lan, router) = alone(agent)?;
    lan["alpha"].run(&["ip", "address", "add", "10.9.0.77/24", "dev", "va0"])?;
    for (host, interface, address) in
        [("alpha", "va0", "fd00::1/64"), ("alpha", "va0", "fd00::77/64"), ("beta", "vb0", "fd00::2/64")]
    {
        lan[host].run(&["ip", "address", "add", address, "dev", interface, "nodad"])?;
    }
    router.wait_log("SNMP is answered at [::]:1161", SOON)?;
    let program = env!("CARGO_BIN_EXE_steadfast");
    for address in ["10.9.0.1", "10.9.0.77", "[fd00::1]", "[fd00::77]"] {
        // Its socket takes what comes from there alone.
        let said = lan["beta"].run(&[program, "snmp", "get", &format!("{address}:1161"), ROUTER_ID])?;
        assert_eq!(said, "KEEPALIVED-MIB::routerId.0 = STRING: lab\n", "{address}");
    }
    Ok(())
}
