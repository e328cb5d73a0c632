//! What is told of packets that are rejected (vrrpTrapAuthFailure, vrrpv3ProtoError): of few of them, whoever sends how many.

use std::{fs, time::Duration};

use lab::{
    Injector, Lan, Result, Router, Snmpd, Snmptrapd, State,
    frame::{Ipv4, VRRP_GROUP, advert_v2, advert_v3},
    lan::Join,
    snmp::Trap,
    wait,
};

use crate::{
    cadence::Cadence,
    scene::{ROUTER_ID, SOON, calm, instance, steadfast},
    transitions::HERE,
};

/// vrrpTrapAuthFailure and its objects.
const AUTH_FAILURE: &str = ".1.3.6.1.2.1.68.0.2";
const PACKET_SRC: &str = ".1.3.6.1.2.1.68.1.5.0";
const ERROR_TYPE: &str = ".1.3.6.1.2.1.68.1.6.0";
/// vrrpStatsAuthFailures.
const AUTH_FAILURES: &str = ".1.3.6.1.2.1.68.2.4.1.4";
/// vrrpv3ProtoError and vrrpv3StatisticsProtoErrReason.
const PROTO_ERROR: &str = ".1.3.6.1.2.1.207.0.2";
const REASON: &str = ".1.3.6.1.2.1.207.1.2.5.1.6";
/// vrrpv3StatisticsIpTtlErrors.
const TTL_ERRORS: &str = ".1.3.6.1.2.1.207.1.2.5.1.5";

const VRID_V3: u8 = 51;
const VRID_V2: u8 = 52;
/// Nobody forges its packets.
const VRID_OTHER: u8 = 53;
/// Who forges.
const FORGER: [u8; 4] = [10, 9, 0, 3];

struct Scene {
    router: Router,
    injector: Injector,
    mac: [u8; 6],
    trapd: Snmptrapd,
    snmpd: Snmpd,
    lan: Lan,
}

impl Scene {
    /// alpha with a master of each version, that of version 2 with a password, beside a forger.
    fn start(words: &str) -> Result<Self> {
        let mut lan =
            Lan::builder().host("alpha", "va0", "10.9.0.1/24").host("gamma", "vg0", "10.9.0.3/24").build()?;
        lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("gamma", "vd1", "10.8.0.2/24")])?;
        let trapd = Snmptrapd::start(&lan["alpha"])?;
        let snmpd = Snmpd::builder(&lan["alpha"]).trap_sink(HERE).start()?;
        let globals = format!(
            "global_defs {{\n  router_id lab\n  enable_snmp_vrrp\n  enable_snmp_rfc\n  enable_traps\n{words}\n  \
             snmp_socket {}\n  vrrp_rt_priority 50\n}}\n",
            snmpd.agentx()
        );
        let version = |block: String, version: u8, more: &str| {
            block.replace("  priority", &format!("  version {version}\n{more}  priority"))
        };
        let password = "  authentication {\n    auth_type PASS\n    auth_pass s3cret99\n  }\n";
        let blocks = version(instance("V3", "va0", VRID_V3, 100, "1"), 3, "")
            + &version(instance("V2", "va0", VRID_V2, 100, "1"), 2, password)
            + &version(instance("OTHER", "va0", VRID_OTHER, 100, "1"), 3, "");
        let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &(globals + &blocks))?;
        for name in ["V3", "V2", "OTHER"] {
            router.wait_entering(name, State::Master, SOON)?;
        }
        let client = snmpd.client();
        wait::until("the MIB", SOON, || client.get(ROUTER_ID).map_err(|error| error.to_string()))?;
        // Told of in order, so that nothing of the start comes later.
        trapd.wait_traps(crate::scene::STATE_CHANGE, 6, SOON)?;
        let injector = Injector::open(&lan["gamma"], "vg0")?;
        let mac = lan["gamma"].mac("vg0")?;
        Ok(Self { router, injector, mac, trapd, snmpd, lan })
    }

    fn send(&self, packet: &Ipv4) -> Result<()> {
        self.injector.send(&packet.ethernet(self.mac))
    }

    /// A wrong TTL for the one of version 3.
    fn far(&self) -> Ipv4 {
        let message = advert_v3((FORGER, VRRP_GROUP), VRID_V3, 200, 100, &[[10, 99, 0, VRID_V3]]);
        Ipv4 { ttl: 64, ..Ipv4::vrrp(FORGER, &message) }
    }

    /// A wrong password for the one of version 2.
    fn wrong_password(&self) -> Ipv4 {
        let message = advert_v2(VRID_V2, 200, 1, Some(*b"wrong\0\0\0"), &[[10, 99, 0, VRID_V2]]);
        Ipv4::vrrp(FORGER, &message)
    }

    /// ifIndex of va0.
    fn link(&self) -> Result<String> {
        let index = self.lan["alpha"].run(&["cat", "/sys/class/net/va0/ifindex"])?;
        Ok(index.trim().to_owned())
    }
}

fn values(trap: &Trap) -> Vec<(&str, &str)> {
    trap.varbinds.iter().map(|(oid, value)| (oid.as_str(), value.as_str())).collect()
}

#[test]
fn a_rejected_packet_is_told_of_with_the_counter_that_moved() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("")?;
    let link = scene.link()?;
    scene.send(&scene.far())?;
    let told = scene.trapd.wait_traps(PROTO_ERROR, 1, SOON)?;
    let (reason, errors) = (format!("{REASON}.{link}.51.1"), format!("{TTL_ERRORS}.{link}.51.1"));
    assert_eq!(values(&told[0]), [(&*reason, "INTEGER: 1"), (&errors, "Counter64: 1")]);
    scene.send(&scene.wrong_password())?;
    let told = scene.trapd.wait_traps(AUTH_FAILURE, 1, SOON)?;
    let failures = format!("{AUTH_FAILURES}.{link}.52");
    assert_eq!(
        values(&told[0]),
        [(PACKET_SRC, "IpAddress: 10.9.0.3"), (ERROR_TYPE, "INTEGER: 3"), (&failures, "Counter32: 1")]
    );
    Ok(())
}

#[test]
fn with_snmp_compat_they_are_told_of_as_keepalived_does() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("  snmp_compat")?;
    let link = scene.link()?;
    scene.send(&scene.far())?;
    let told = scene.trapd.wait_traps(PROTO_ERROR, 1, SOON)?;
    assert_eq!(values(&told[0]), [(&*format!("{REASON}.{link}.51.1"), "INTEGER: 1")]);
    scene.send(&scene.wrong_password())?;
    let told = scene.trapd.wait_traps(AUTH_FAILURE, 1, SOON)?;
    let index = |scalar: &str| format!("{}.{link}.52", scalar.trim_end_matches(".0"));
    assert_eq!(
        values(&told[0]),
        [(&*index(PACKET_SRC), "IpAddress: 10.9.0.3"), (&index(ERROR_TYPE), "INTEGER: 3")]
    );
    Ok(())
}

#[test]
fn a_flood_is_told_of_once_and_holds_up_neither_advertisements_nor_transitions_nor_fills_the_journal()
-> Result<()> {
    let _calm = calm();
    let scene = Scene::start("")?;
    let (far, wrong) = (scene.far(), scene.wrong_password());
    let link = scene.link()?;
    let counted = format!("{TTL_ERRORS}.{link}.51.1");
    let client = scene.snmpd.client();
    let cadence = Cadence::start(&scene.lan["gamma"], "vg0", VRID_OTHER, Duration::from_secs(1))?;
    let mut sent = 0;
    for _ in 0..100 {
        for _ in 0..50 {
            scene.send(&far)?;
            scene.send(&wrong)?;
        }
        sent += 50;
        // Batches, so that none is lost on the way.
        let all = format!("Counter64: {sent}");
        wait::until_eq("all to be counted", SOON, &all, || client.get(&counted).unwrap_or_default())?;
    }
    cadence.assert_kept()?;
    // A transition after that, and it is the next that is told.
    let mark = scene.router.mark();
    scene.lan["alpha"].link_down("va0")?;
    scene.router.wait_entering_since(mark, "V3", State::Fault, SOON)?;
    scene.trapd.wait_traps(crate::scene::STATE_CHANGE, 9, Duration::from_secs(5))?;
    for oid in [PROTO_ERROR, AUTH_FAILURE] {
        assert_eq!(scene.trapd.traps_of(oid).len(), 1, "{oid}");
    }
    let journal = fs::read(scene.router.dir().join("pid.transitions")).expect("there is one");
    let has = |text: &str| journal.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has("V3") && !has("10.9.0.3"), "the forger is in the journal");
    let log = scene.router.log();
    assert!(log.matches("rejected").count() <= 4, "{log}");
    assert_eq!(log.matches("Entering MASTER").count(), 3, "{log}");
    Ok(())
}
