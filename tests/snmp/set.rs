//! SET through real snmpd: what a manager changes, the router does, and it is undone when the request fails elsewhere.

use std::sync::Arc;

use agentx::{Access, Change, CommitFailed, Config, Oid, Region, Scalar, Syntax, UndoFailed, Value, View};
use lab::{Lan, Result, Router, SnmpClient, Snmpd, State, Subject, wait};

use crate::{
    neighbour::Neighbour,
    scene::{INSTANCE_ENTRY, ROUTER_ID, SOON, calm, globals, instance, steadfast},
};

/// NET-SNMP-MIB::netSnmpPlaypen, where another agent has an object that can be tested and never committed.
const PLAYPEN: [u32; 10] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1];
const UNWILLING: &str = ".1.3.6.1.4.1.8072.9999.9999.1.0";

/// A column of the first instance.
pub(crate) fn of_first(column: u8) -> String {
    format!("{INSTANCE_ENTRY}.{column}.1")
}

/// alpha with priority 100 and no preemption, beta with 150, and alpha's snmpd.
pub(crate) struct Scene {
    pub(crate) alpha: Router,
    pub(crate) beta: Router,
    pub(crate) manager: SnmpClient,
    pub(crate) snmpd: Snmpd,
    pub(crate) lan: Lan,
}

impl Scene {
    pub(crate) fn start(subject: &Subject, words: &str) -> Result<Self> {
        let lan = Lan::pair()?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let usual = globals(&snmpd);
        let with = usual.replace("global_defs {\n", &format!("global_defs {{\n{words}"));
        let without_snmp = "global_defs {\n  vrrp_version 3\n}\n".to_owned();
        let nopreempt =
            instance("VI", "va0", 51, 100, "0.1").replace("  priority", "  nopreempt\n  priority");
        let beta = Router::start(
            &steadfast(),
            &lan["beta"],
            "beta",
            &(without_snmp + &instance("VI", "vb0", 51, 150, "0.1")),
        )?;
        beta.wait_entering("VI", State::Master, SOON)?;
        let alpha = Router::start(subject, &lan["alpha"], "alpha", &(with + &nopreempt))?;
        alpha.wait_entering("VI", State::Backup, SOON)?;
        let manager = snmpd.client().community("private");
        wait::until("the MIB", SOON, || manager.get(ROUTER_ID).map_err(|error| error.to_string()))?;
        Ok(Self { alpha, beta, manager, snmpd, lan })
    }

    pub(crate) fn value(&self, column: u8) -> Result<String> {
        self.manager.get(&of_first(column)).map(|value| value.trim_start_matches("INTEGER: ").to_owned())
    }

    pub(crate) fn set(&self, objects: &[[&str; 3]]) -> Result<String> {
        set(&self.manager, objects)
    }
}

/// The error that a SET of these objects (OID, type, value) is answered with; empty when it was done.
pub(crate) fn set(manager: &SnmpClient, objects: &[[&str; 3]]) -> Result<String> {
    let output = manager.try_tool("snmpset", &[], &objects.concat())?;
    let reason = output.stderr.lines().find_map(|line| line.strip_prefix("Reason: ")).unwrap_or_default();
    assert_eq!(output.status.success(), reason.is_empty(), "{output:?}");
    Ok(reason.split(' ').next().unwrap_or_default().to_owned())
}

#[test]
fn a_manager_that_raises_the_priority_and_sets_preemption_makes_a_router_master() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start(&steadfast(), "  snmp_set\n")?;
    let [priority, preempt] = [7, 13].map(of_first);
    assert_eq!([scene.value(7)?, scene.value(13)?], ["100", "2"]);
    let mark = scene.alpha.mark();
    assert_eq!(scene.set(&[[&priority, "i", "200"], [&preempt, "i", "1"]])?, "");
    assert_eq!([scene.value(7)?, scene.value(8)?, scene.value(13)?], ["200", "200", "1"], "at once");
    scene.alpha.wait_entering_since(mark, "VI", State::Master, SOON)?;
    scene.beta.wait_entering("VI", State::Backup, SOON)?;
    let log = scene.alpha.process().log_since(mark);
    for line in
        ["(VI) SNMP SET: priority 200 instead of priority 100", "(VI) SNMP SET: preempt instead of nopreempt"]
    {
        assert!(log.contains(line), "{log}");
    }
    // And back.
    let mark = scene.alpha.mark();
    assert_eq!(scene.set(&[[&priority, "i", "20"]])?, "");
    scene.alpha.wait_entering_since(mark, "VI", State::Backup, SOON).map(drop)
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start(&steadfast(), "  snmp_set\n")?;
    let [priority, preempt, name, other] =
        [of_first(7), of_first(13), of_first(2), format!("{INSTANCE_ENTRY}.7.2")];
    for number in ["0", "255", "256", "300", "-1", "2147483647"] {
        assert_eq!(scene.set(&[[&priority, "i", number]])?, "wrongValue", "{number}");
    }
    assert_eq!(scene.set(&[[&priority, "u", "7"]])?, "wrongType");
    for number in ["0", "3", "257"] {
        assert_eq!(scene.set(&[[&preempt, "i", number]])?, "wrongValue", "{number}");
    }
    assert_eq!(scene.set(&[[&name, "s", "VJ"]])?, "notWritable");
    assert_eq!(scene.set(&[[&other, "i", "7"]])?, "noCreation");
    // One bad object, and none is set.
    assert_eq!(scene.set(&[[&priority, "i", "7"], [&preempt, "i", "9"]])?, "wrongValue");
    assert_eq!([scene.value(7)?, scene.value(13)?], ["100", "2"]);
    assert!(!scene.alpha.log().contains("SNMP SET"), "{}", scene.alpha.log());
    Ok(())
}

#[test]
fn without_snmp_set_nothing_can_be_set() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start(&steadfast(), "")?;
    assert_eq!(scene.set(&[[&of_first(7), "i", "200"]])?, "notWritable");
    assert_eq!(scene.set(&[[&of_first(13), "i", "1"]])?, "notWritable");
    assert_eq!([scene.value(7)?, scene.value(13)?], ["100", "2"]);
    Ok(())
}

struct Unwilling;

impl Change for Unwilling {
    fn commit(&mut self) -> std::result::Result<(), CommitFailed> {
        Err(CommitFailed)
    }

    fn undo(&mut self) -> std::result::Result<(), UndoFailed> {
        Ok(())
    }
}

static SCALAR: Scalar<()> = Scalar {
    oid: &PLAYPEN,
    name: "unwilling",
    syntax: Syntax::Integer32,
    access: Access::ReadWrite,
    read: |()| Some(Value::Integer(1)),
    write: Some(|(), (), _| Ok(Box::new(Unwilling))),
};

/// Another agent behind the same snmpd, whose object nobody can set.
fn unwilling_agent(master: &str) -> Neighbour {
    let config = Config::new("unwilling").region(Region::new(Oid::from(PLAYPEN)));
    Neighbour::start(master, config, View::new().scalar(&SCALAR).serve(|| Arc::new(())))
}

#[test]
fn what_was_committed_is_undone_when_another_agent_fails() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start(&steadfast(), "  snmp_set\n")?;
    let _agent = unwilling_agent(scene.snmpd.agentx());
    wait::until("the other agent", SOON, || scene.manager.get(UNWILLING).map_err(|error| error.to_string()))?;
    let priority = of_first(7);
    for objects in
        [[[&*priority, "i", "90"], [UNWILLING, "i", "2"]], [[UNWILLING, "i", "2"], [&*priority, "i", "90"]]]
    {
        let refusal = scene.set(&objects)?;
        assert!(["commitFailed", "undoFailed"].contains(&&*refusal), "{refusal}");
        assert_eq!([scene.value(7)?, scene.value(8)?], ["100", "100"]);
    }
    let log = scene.alpha.log();
    let [done, undone] = ["priority 90 instead of priority 100", "priority 100 instead of priority 90"]
        .map(|line| log.matches(line).count());
    assert!(done > 0 && done == undone, "{done} done, {undone} undone\n{log}");
    Ok(())
}
