//! What has to be asked for: the keywords and flags that turn SNMP on, and what snmpd is then told.

use lab::{Lan, Result, Router, Snmpd, Snmptrapd, State, wait};

use crate::{
    scene::{KEEPALIVED, ROUTER_ID, SOON, STATE_CHANGE, calm, instance, steadfast},
    transitions::HERE,
};

/// NET-SNMP-AGENT-MIB::nsmRegistrationPoint and its columns: what is registered at snmpd, by whom.
const REGISTRATIONS: &str = ".1.3.6.1.4.1.8072.1.2.1.1.4";
/// SNMPv2-MIB::sysORID and ::sysORDescr.
const CAPABILITIES: &str = ".1.3.6.1.2.1.1.9.1.2";
const DESCRIPTIONS: &str = ".1.3.6.1.2.1.1.9.1.3";
/// A notification of nobody's, to see that none is left on the way.
const LAST: &str = ".1.3.6.1.4.1.8072.9999.9999.0.1";

/// A router with `globals` in its `global_defs`, MASTER.
fn router(lan: &Lan, globals: &str, flags: &[&str]) -> Result<Router> {
    let config = format!("global_defs {{\n  router_id lab\n  vrrp_version 3\n{globals}\n}}\n")
        + &instance("VI", "va0", 51, 100, "0.1");
    let router = Router::start_with(&steadfast(), &lan["alpha"], "alpha", &config, flags)?;
    router.wait_entering("VI", State::Master, SOON)?;
    Ok(router)
}

fn wait_served(snmpd: &Snmpd) -> Result<()> {
    let client = snmpd.client();
    let value = wait::until("routerId", SOON, || client.get(ROUTER_ID).map_err(|e| e.to_string()))?;
    assert_eq!(value, "STRING: \"lab\"");
    Ok(())
}

#[test]
fn the_flag_x_serves_the_mib_without_the_keyword() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let _router = router(&lan, &format!("  snmp_socket {}", snmpd.agentx()), &["-x"])?;
    wait_served(&snmpd)
}

#[test]
fn the_flag_a_comes_before_the_keyword() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let nowhere = lan["alpha"].dir().join("nobody.sock");
    let globals = format!("  enable_snmp_vrrp\n  snmp_socket unix:{}", nowhere.display());
    let _router = router(&lan, &globals, &["-A", snmpd.agentx()])?;
    wait_served(&snmpd)
}

#[test]
fn neither_keyword_nor_flag_serves_nothing() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let trapd = Snmptrapd::start(&lan["alpha"])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).trap_sink(HERE).start()?;
    let socket = format!("  enable_traps\n  snmp_socket {}", snmpd.agentx());
    let router = router(&lan, &socket, &["-A", snmpd.agentx()])?;
    assert_eq!(snmpd.client().walk(KEEPALIVED)?, []);
    assert!(!registrations(&snmpd)?.iter().any(|oid| oid.contains("9586")));
    router.stop()?;
    assert_no_traps(&lan, &trapd)
}

#[test]
fn without_enable_traps_the_mib_is_served_and_nothing_is_told() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let trapd = Snmptrapd::start(&lan["alpha"])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).trap_sink(HERE).start()?;
    let router = router(&lan, &format!("  enable_snmp_vrrp\n  snmp_socket {}", snmpd.agentx()), &[])?;
    wait_served(&snmpd)?;
    lan["alpha"].link_down("va0")?;
    router.wait_entering("VI", State::Fault, SOON)?;
    router.stop()?;
    assert_no_traps(&lan, &trapd)
}

/// Another notification arrives, and no state change did before it.
fn assert_no_traps(lan: &Lan, trapd: &Snmptrapd) -> Result<()> {
    lan["alpha"].run(&["snmptrap", "-v2c", "-c", "public", HERE, "", LAST])?;
    trapd.wait_traps(LAST, 1, SOON)?;
    assert_eq!(trapd.traps_of(STATE_CHANGE), []);
    Ok(())
}

/// The regions that subagents have registered.
fn registrations(snmpd: &Snmpd) -> Result<Vec<String>> {
    let rows = snmpd.client().walk(REGISTRATIONS)?;
    Ok(rows.into_iter().filter(|(_, who)| who.contains("AgentX subagent")).map(|(oid, _)| oid).collect())
}

#[test]
fn three_regions_are_registered_and_described() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let router = router(&lan, &format!("  enable_snmp_vrrp\n  snmp_socket {}", snmpd.agentx()), &[])?;
    wait_served(&snmpd)?;
    let regions = ["1", "2", "1000"].map(|arc| format!("{KEEPALIVED}.{arc}"));
    wait::until_eq("one row for each region in sysORTable", SOON, &described(&regions), || {
        capabilities(&snmpd).unwrap_or_default()
    })?;
    // Index: context (of zero length), the region with its length, the priority.
    let expected = regions.map(|region| format!("{REGISTRATIONS}.0.10{region}.127"));
    assert_eq!(registrations(&snmpd)?, expected);
    // They go with the router.
    router.stop()?;
    wait::until_eq("an empty sysORTable", SOON, &Vec::new(), || capabilities(&snmpd).unwrap_or_default())?;
    assert_eq!(registrations(&snmpd)?, Vec::<String>::new());
    Ok(())
}

fn described(regions: &[String; 3]) -> Vec<(String, String)> {
    let words =
        ["global", "VRRP", "Steadfast itself"].map(|part| format!("STRING: \"The MIB module for {part}\""));
    regions.iter().map(|region| format!("OID: {region}")).zip(words).collect()
}

/// The rows of sysORTable below keepalived's arc: OID and description.
fn capabilities(snmpd: &Snmpd) -> Result<Vec<(String, String)>> {
    let client = snmpd.client();
    let ids = client.walk(CAPABILITIES)?;
    let ours = ids.into_iter().filter(|(_, id)| id.contains(KEEPALIVED));
    ours.map(|(oid, id)| {
        let description = client.get(&oid.replace(CAPABILITIES, DESCRIPTIONS))?;
        Ok((id, description))
    })
    .collect()
}
