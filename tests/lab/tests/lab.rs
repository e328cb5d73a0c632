//! The lab itself, with real peers on both sides: if one of these fails, no other story can be trusted.

use std::path::Path;
use std::time::Duration;

use lab::frame::{Ipv4, VRRP_GROUP, advert_v3};
use lab::frr::Vrrp;
use lab::lan::Join;
use lab::snmp::SnmpClient;
use lab::{
    AddressMonitor, Capture, Frr, Injector, Lan, Result, Router, Snmpd, Snmptrapd, State, Subject, clock,
    keepalived, pcap, wait,
};

const SOON: Duration = Duration::from_secs(10);
const VIP: &str = "10.9.0.100";
const TRAP_OID: &str = ".1.3.6.1.4.1.9586.100.5.0.1";

/// Version 3 at 0.1 s, so that an election takes a third of a second.
fn config(interface: &str, priority: u8) -> String {
    format!(
        "global_defs {{\n  router_id lab\n  vrrp_version 3\n  vrrp_garp_master_delay 1\n}}\n\
         vrrp_instance VI {{\n  state BACKUP\n  interface {interface}\n  virtual_router_id 51\n  \
         priority {priority}\n  advert_int 0.1\n  virtual_ipaddress {{\n    {VIP}/24\n  }}\n}}\n"
    )
}

fn two_routers(lan: &Lan) -> Result<(Router, Router)> {
    let alpha = keepalived::start(&lan["alpha"], "alpha", &config("va0", 150), &[])?;
    let beta = keepalived::start(&lan["beta"], "beta", &config("vb0", 100), &[])?;
    alpha.wait_entering("VI", State::Master, SOON)?;
    beta.wait_entering("VI", State::Backup, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    Ok((alpha, beta))
}

#[test]
fn two_keepalived_elect_and_the_capture_sees_it() -> Result<()> {
    let lan = Lan::pair()?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let (alpha, _beta) = two_routers(&lan)?;
    let seen = capture.wait_vrrp("three adverts of alpha", SOON, |seen| {
        seen.iter().filter(|advert| advert.priority() == 150).count() >= 3
    })?;
    let advert = seen.last().unwrap();
    assert_eq!((advert.version(), advert.vrid(), advert.ttl), (3, 51, 255));
    assert_eq!(advert.dst.to_string(), "224.0.0.18");
    assert!(clock::wall().abs_diff(advert.time) < Duration::from_secs(5));
    let stats = alpha.stats()?;
    assert_eq!(stats.count("VI", "Became master"), 1, "{stats:?}");
    assert!(stats.count("VI", "Advertisements/Sent") >= 3, "{stats:?}");
    assert_eq!(stats.group("VI", "Packet Errors"), 0, "{stats:?}");
    Ok(())
}

#[test]
fn the_backup_takes_over_after_kill_9() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = two_routers(&lan)?;
    let monitor = AddressMonitor::start(&lan["beta"])?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    let killed = clock::wall();
    alpha.kill9();
    beta.wait_entering("VI", State::Master, SOON)?;
    let moved = monitor.wait_change(VIP, true, killed, SOON)?;
    assert!(moved.time > killed, "{moved:?}");
    // A machine that died keeps its address: nobody removed it.
    assert_eq!(lan.holders(VIP), ["alpha", "beta"]);
    let packets = capture.stop()?;
    assert!(pcap::vrrp(&packets).all(|advert| advert.priority() != 0));
    Ok(())
}

#[test]
fn an_orderly_stop_sends_priority_0() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = two_routers(&lan)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    alpha.stop()?;
    capture.wait_vrrp("priority 0", SOON, |seen| seen.iter().any(|advert| advert.priority() == 0))?;
    beta.wait_log("(VI) Backup received priority 0 advertisement", SOON)?;
    lan.wait_holder(VIP, "beta", SOON)
}

#[test]
fn a_link_down_behind_the_bridge_is_a_fault_of_one_router_only() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = two_routers(&lan)?;
    lan["alpha"].link_down("va0")?;
    alpha.wait_entering("VI", State::Fault, SOON)?;
    beta.wait_entering("VI", State::Master, SOON)?;
    assert_eq!(beta.entries("VI", State::Fault), 0);
    let mark = alpha.mark();
    lan["alpha"].link_up("va0")?;
    alpha.wait_entering_since(mark, "VI", State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)
}

#[test]
fn an_injected_advert_reaches_the_router() -> Result<()> {
    let lan = Lan::pair()?;
    let router = keepalived::start(&lan["alpha"], "alpha", &config("va0", 100), &[])?;
    router.wait_entering("VI", State::Master, SOON)?;
    let injector = Injector::open(&lan["beta"], "vb0")?;
    let mac = lan["beta"].mac("vb0")?;
    let src = [10, 9, 0, 2];
    let advert = advert_v3((src, VRRP_GROUP), 51, 200, 10, &[[10, 9, 0, 100]]);
    let mut packet = Ipv4::vrrp(src, &advert);
    packet.ttl = 7;
    injector.send(&packet.ethernet(mac))?;
    wait::until_eq("one TTL error", SOON, &1, || {
        router.stats().map(|stats| stats.count("VI", "Packet Errors/TTL")).unwrap_or_default()
    })?;
    assert_eq!(router.entries("VI", State::Backup), 1);
    packet.ttl = 255;
    injector.send(&packet.ethernet(mac))?;
    let beaten = router.wait_log("Master received advert from 10.9.0.2 with higher priority 200", SOON)?;
    assert!(beaten.contains("(VI)"), "{beaten}");
    Ok(())
}

#[test]
fn frr_gives_way_to_a_higher_priority() -> Result<()> {
    let lan = Lan::pair()?;
    let frr = Frr::start(
        &lan["beta"],
        &Vrrp {
            interface: "vb0".into(),
            vrid: 51,
            version: 3,
            priority: 100,
            interval: 100,
            addresses: vec![format!("{VIP}/24")],
        },
    )?;
    frr.wait_status("Master", SOON)?;
    let router = keepalived::start(&lan["alpha"], "alpha", &config("va0", 150), &[])?;
    router.wait_entering("VI", State::Master, SOON)?;
    frr.wait_status("Backup", SOON)?;
    router.stop()?;
    frr.wait_status("Master", SOON)
}

#[test]
fn snmpd_answers_and_serves_a_subagent() -> Result<()> {
    let lan = Lan::pair()?;
    let mut snmpd = Snmpd::builder(&lan["alpha"]).line("sysName alpha").trap_sink("10.9.0.2:162").start()?;
    let nms = Snmptrapd::start(&lan["beta"])?;
    assert_eq!(snmpd.client().get(".1.3.6.1.2.1.1.5.0")?, "STRING: \"alpha\"");
    let remote = SnmpClient::new(&lan["beta"], "10.9.0.1");
    assert_eq!(remote.get_next(".1.3.6.1.2.1.1.5")?.0, ".1.3.6.1.2.1.1.5.0");

    let text = config("va0", 150).replace(
        "global_defs {",
        &format!("global_defs {{\n  enable_snmp_vrrp\n  enable_traps\n  snmp_socket {}", snmpd.agentx()),
    );
    let router = keepalived::start(&lan["alpha"], "alpha", &text, &[])?;
    router.wait_entering("VI", State::Master, SOON)?;
    let instance = ".1.3.6.1.4.1.9586.100.5.2.3.1";
    let walked = remote.walk(instance)?;
    assert!(walked.contains(&(format!("{instance}.2.1"), "STRING: \"VI\"".into())), "{walked:#?}");
    assert_eq!(remote.bulkwalk(instance, 20)?.len(), walked.len());
    let state_change = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
    let traps = nms.wait_traps(state_change, 2, SOON)?;
    assert_eq!(traps.last().and_then(|trap| trap.value(&format!("{instance}.2"))), Some("VI"), "{traps:#?}");

    snmpd.pause()?;
    assert!(remote.get(".1.3.6.1.2.1.1.5.0").is_err());
    snmpd.resume()?;
    assert!(remote.get(".1.3.6.1.2.1.1.5.0").is_ok());
    snmpd.restart()?;
    assert_eq!(snmpd.client().get(".1.3.6.1.2.1.1.5.0")?, "STRING: \"alpha\"");
    snmpd.kill();
    assert!(snmpd.process().is_none());
    Ok(())
}

#[test]
fn a_trap_is_received_with_its_varbinds() -> Result<()> {
    let lan = Lan::pair()?;
    let nms = Snmptrapd::start(&lan["beta"])?;
    let tool = SnmpClient::new(&lan["alpha"], "10.9.0.2");
    tool.tool("snmptrap", &[], &["4242", TRAP_OID, ".1.3.6.1.2.1.1.5.0", "s", "a name"])?;
    let traps = nms.wait_traps(TRAP_OID, 1, SOON)?;
    assert_eq!(traps[0].sysuptime, 4242);
    assert_eq!(traps[0].varbinds, [(".1.3.6.1.2.1.1.5.0".into(), "STRING: \"a name\"".into())]);
    assert_eq!(nms.traps().len(), 1);
    Ok(())
}

#[test]
fn three_hosts_on_two_segments_reach_one_another() -> Result<()> {
    let mut lan = Lan::builder()
        .host("one", "ens192", "10.1.0.1/24")
        .host("two", "enp0s8", "10.1.0.2/24")
        .host("three", "eth0", "10.1.0.3/24")
        .build()?;
    lan.add_segment(Join::BackToBack, &[("one", "eth1", "10.2.0.1/30"), ("two", "eth1", "")])?;
    assert_eq!(lan["one"].addresses("ens192")?, ["10.1.0.1/24"]);
    assert!(lan["two"].addresses("eth1")?.is_empty());
    let listener = lan["three"].inside(|| std::net::TcpListener::bind("10.1.0.3:80"))?;
    assert!(listener.is_ok());
    let met = lan["one"]
        .inside(|| std::net::TcpStream::connect_timeout(&([10, 1, 0, 3], 80).into(), SOON).is_ok())?;
    assert!(met);
    Ok(())
}

#[test]
fn dropping_the_lab_leaves_nothing() -> Result<()> {
    let lan = Lan::pair()?;
    let dir = lan.dir().to_owned();
    let namespace = Path::new("/run/netns").join(lan["alpha"].namespace());
    let sleeper = lan["alpha"].spawn("sleeper", &["sleep", "600"])?;
    // A process in the background that the lab was never told about.
    let stray = lan["alpha"].sh("sleep 600 >/dev/null 2>&1 & echo $!")?;
    assert!(namespace.exists() && dir.exists() && sleeper.status().is_none());
    drop(lan);
    assert!(!namespace.exists() && sleeper.status().is_some());
    let gone = || !Path::new("/proc").join(stray.trim()).join("exe").exists();
    wait::until_true("the end of the stray process", SOON, gone)?;
    drop(sleeper);
    assert!(!dir.exists(), "{}", dir.display());
    Ok(())
}

#[test]
fn an_absent_program_is_named_with_its_package() -> Result<()> {
    let lan = Lan::pair()?;
    let absent = Subject::Steadfast("/nonexistent/steadfast".into());
    let error = Router::start(&absent, &lan["alpha"], "absent", "").unwrap_err();
    assert!(error.to_string().contains("/nonexistent/steadfast"), "{error}");
    Ok(())
}
