//! SNMP switched on, off and over to another master by reloads: virtual routers do not notice, and managers hear of what
//! happens while they are to be told, once and in its order.

use std::time::Duration;

use lab::{Host, Lan, Result, Router, Snmpd, Snmptrapd, State, lan::Join, wait};

use crate::{
    cadence::Cadence,
    scene::{
        Entered, INSTANCE_ENTRY, KEEPALIVED, ROUTER_ID, SOON, STATE_CHANGE, calm, instance, logged,
        steadfast, told,
    },
    set::set,
    transitions::HERE,
};

const INTERVAL: Duration = Duration::from_millis(100);
/// vrrpInstanceBasePriority of the first instance.
const PRIORITY: &str = "7.1";

/// VI as a MASTER that nothing disturbs, and FLAP on a segment of its own.
struct Scene {
    lan: Lan,
    router: Router,
    cadence: Cadence,
}

impl Scene {
    fn start(words: &str) -> Result<Self> {
        let mut lan = Lan::pair()?;
        lan.add_segment(Join::Bridge, &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")])?;
        let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config(words))?;
        router.wait_entering("VI", State::Master, SOON)?;
        router.wait_entering("FLAP", State::Master, SOON)?;
        let cadence = Cadence::start(&lan["beta"], "vb0", 51, INTERVAL)?;
        Ok(Self { lan, router, cadence })
    }

    fn alpha(&self) -> &Host {
        &self.lan["alpha"]
    }

    fn reload(&self, words: &str) -> Result<()> {
        self.router.reload(self.alpha(), "alpha", &config(words), SOON)
    }

    /// FAULT, BACKUP, MASTER.
    fn flap(&self) -> Result<()> {
        let mark = self.router.mark();
        self.alpha().link_down("va1")?;
        self.router.wait_entering_since(mark, "FLAP", State::Fault, SOON)?;
        self.alpha().link_up("va1")?;
        self.router.wait_entering_since(mark, "FLAP", State::Master, SOON).map(drop)
    }

    /// VI went through all of it as if nothing had been.
    fn assert_undisturbed(self) -> Result<()> {
        let Self { router, cadence, .. } = self;
        cadence.assert_kept()?;
        assert_eq!(router.entries("VI", State::Master), 1, "{}", router.log());
        assert_eq!(router.entries("VI", State::Fault), 0, "{}", router.log());
        Ok(())
    }
}

fn config(words: &str) -> String {
    format!("global_defs {{\n  router_id lab\n  vrrp_version 3\n  vrrp_rt_priority 50\n{words}\n}}\n")
        + &instance("VI", "va0", 51, 100, "0.1")
        + &instance("FLAP", "va1", 52, 100, "0.1")
}

fn on(snmpd: &Snmpd) -> String {
    format!("  enable_snmp_vrrp\n  snmp_socket {}\n", snmpd.agentx())
}

fn wait_served(snmpd: &Snmpd) -> Result<()> {
    let client = snmpd.client();
    wait::until("routerId", SOON, || client.get(ROUTER_ID).map_err(|error| error.to_string())).map(drop)
}

fn wait_gone(snmpd: &Snmpd) -> Result<()> {
    wait::until_eq("no MIB", SOON, &Vec::new(), || {
        snmpd.client().walk(KEEPALIVED).unwrap_or_else(|error| vec![(error.to_string(), String::new())])
    })
}

/// What one flap is, as it is told.
fn flaps(count: usize) -> Vec<Entered> {
    let one = [3, 1, 2].map(|state| ("FLAP".to_owned(), state));
    (0..count).flat_map(|_| one.clone()).collect()
}

#[test]
fn snmp_is_switched_on_and_off_by_reloads_that_the_routers_do_not_notice() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("")?;
    let trapd = Snmptrapd::start(scene.alpha())?;
    let snmpd = Snmpd::builder(scene.alpha()).trap_sink(HERE).start()?;
    assert_eq!(snmpd.client().walk(KEEPALIVED)?, []);
    // Served, and nobody is told.
    scene.reload(&on(&snmpd))?;
    wait_served(&snmpd)?;
    scene.flap()?;
    // From now on they are; what was before stays where it was.
    let traps = on(&snmpd) + "  enable_traps\n";
    scene.reload(&traps)?;
    wait_served(&snmpd)?;
    scene.flap()?;
    assert_eq!(told(&trapd.wait_traps(STATE_CHANGE, 3, SOON)?), flaps(1));
    // A reload that asks for the same touches nothing.
    let mark = scene.router.mark();
    scene.reload(&(traps.clone() + "  smtp_connect_timeout 7\n"))?;
    assert!(!scene.router.process().log_since(mark).contains("serving KEEPALIVED-MIB"));
    // Off, and on again.
    scene.reload("")?;
    wait_gone(&snmpd)?;
    scene.flap()?;
    scene.reload(&traps)?;
    wait_served(&snmpd)?;
    scene.flap()?;
    assert_eq!(told(&trapd.wait_traps(STATE_CHANGE, 6, SOON)?), flaps(2));
    scene.assert_undisturbed()
}

#[test]
fn what_one_master_did_not_take_the_next_one_gets_in_its_order() -> Result<()> {
    let _calm = calm();
    let nobody = "  enable_snmp_vrrp\n  enable_traps\n  snmp_socket unix:/nonexistent/agentx\n";
    let scene = Scene::start(nobody)?;
    let [alpha, beta] = ["alpha", "beta"].map(|host| &scene.lan[host]);
    let (trapd, other_trapd) = (Snmptrapd::start(alpha)?, Snmptrapd::start(beta)?);
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    let other = Snmpd::builder(beta).trap_sink(HERE).start()?;
    scene.flap()?;
    // The socket is corrected: everything since the start was waiting.
    let traps = |snmpd: &Snmpd| on(snmpd) + "  enable_traps\n";
    scene.reload(&traps(&snmpd))?;
    wait_served(&snmpd)?;
    let happened = logged(&scene.router);
    assert_eq!(told(&trapd.wait_traps(STATE_CHANGE, happened.len(), SOON)?), happened);
    // The next one is told of what comes next, in another context.
    scene.reload(&(traps(&other) + "  snmp_context other\n"))?;
    wait_gone(&snmpd)?;
    scene.flap()?;
    assert_eq!(told(&other_trapd.wait_traps(STATE_CHANGE, 3, SOON)?), flaps(1));
    assert_eq!(trapd.traps_of(STATE_CHANGE).len(), happened.len());
    scene.assert_undisturbed()
}

#[test]
fn a_reload_says_whether_managers_may_set() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("")?;
    let snmpd = Snmpd::builder(scene.alpha()).start()?;
    let manager = snmpd.client().community("private");
    let object = format!("{INSTANCE_ENTRY}.{PRIORITY}");
    let order = |value: &str| set(&manager, &[[&object, "i", value]]);
    scene.reload(&on(&snmpd))?;
    wait_served(&snmpd)?;
    assert_eq!(order("120")?, "notWritable");
    let mark = scene.router.mark();
    scene.reload(&(on(&snmpd) + "  snmp_set\n"))?;
    assert_eq!(order("121")?, "");
    assert_eq!(manager.get(&object)?, "INTEGER: 121");
    scene.reload(&on(&snmpd))?;
    assert_eq!(order("122")?, "notWritable");
    // The session was not touched.
    assert!(!scene.router.process().log_since(mark).contains("serving KEEPALIVED-MIB"));
    scene.assert_undisturbed()
}
