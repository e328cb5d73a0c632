//! A notification for every transition, in order, as real snmptrapd receives it.

use lab::{Host, Lan, Result, Router, Snmpd, Snmptrapd, State, Subject, lan::Join, snmp::Trap, wait};

use crate::scene::{
    GROUP_ENTRY, GROUP_STATE_CHANGE, INSTANCE_ENTRY, SOON, STATE_CHANGE, calm, globals, instance, logged,
    steadfast, told,
};

/// Where snmptrapd listens, on the router's own host.
pub(crate) const HERE: &str = "127.0.0.1:162";

#[test]
fn none_of_a_hundred_forced_transitions_is_missing() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start(alpha)?;
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    let names = ["ONE", "TWO", "THREE"];
    let routers = (1..).zip(names).map(|(vrid, name)| instance(name, "va0", vrid, 100 + vrid, "0.01"));
    let config = globals(&snmpd) + &routers.collect::<String>();
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;

    let all_entered = |mark: usize, state: State| {
        names.iter().try_for_each(|name| router.wait_entering_since(mark, name, state, SOON).map(drop))
    };
    all_entered(0, State::Master)?;
    // FAULT, BACKUP and MASTER of three routers: nine transitions each time.
    for _ in 0..12 {
        let mark = router.mark();
        alpha.link_down("va0")?;
        all_entered(mark, State::Fault)?;
        alpha.link_up("va0")?;
        all_entered(mark, State::Master)?;
    }
    router.stop()?;

    let logged = logged(&router);
    assert!(logged.len() >= 12 * 9 + 9, "{logged:?}");
    let traps = trapd.wait_traps(STATE_CHANGE, logged.len(), SOON)?;
    assert_eq!(told(&traps), logged);
    assert!(traps.is_sorted_by_key(|trap| trap.sysuptime), "sysUpTime ran backwards: {traps:#?}");
    Ok(())
}

/// A notification without what is meant to differ: the columns' indexes, and when it happened.
fn comparable(trap: &Trap) -> Vec<(String, String)> {
    let bare = |oid: &String| {
        let column = oid.strip_prefix(INSTANCE_ENTRY).and_then(|rest| rest.split('.').nth(1));
        column.map_or(oid.clone(), |column| format!("{INSTANCE_ENTRY}.{column}"))
    };
    trap.varbinds.iter().map(|(oid, value)| (bare(oid), value.clone())).collect()
}

/// What `subject` tells of a start, a lost and returned link, and a stop.
fn life_of(subject: &Subject) -> Result<Vec<Trap>> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start(alpha)?;
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    let master = instance("VI", "va0", 51, 150, "0.2").replace("BACKUP", "MASTER");
    let config =
        globals(&snmpd) + &master + &instance("OWNER", "va0", 52, 255, "0.2").replace("BACKUP", "MASTER");
    let router = Router::start(subject, alpha, "alpha", &config)?;
    // keepalived's log and its notifications are not in step, so the notifications tell when to go on.
    let last_of_vi = |count: usize, state: u8| {
        wait::until("the notifications so far", SOON, || {
            let traps = trapd.traps_of(STATE_CHANGE);
            let vi: Vec<_> = told(&traps).into_iter().filter(|(name, _)| name == "VI").collect();
            if vi.len() >= count && vi.last().is_some_and(|(_, last)| *last == state) {
                Ok(())
            } else {
                Err(format!("{vi:?}"))
            }
        })
    };
    last_of_vi(2, 2)?;
    alpha.link_down("va0")?;
    last_of_vi(3, 3)?;
    alpha.link_up("va0")?;
    last_of_vi(5, 2)?;
    router.stop()?;
    last_of_vi(6, 5)?;
    trapd.wait_traps(STATE_CHANGE, 10, SOON)
}

#[test]
fn notifications_are_keepalived_s_but_for_the_index_of_the_columns() -> Result<()> {
    let _calm = calm();
    let of = |traps: &[Trap], name: &str| -> Vec<_> {
        let named = traps.iter().filter(|trap| trap.value(&format!("{INSTANCE_ENTRY}.2")) == Some(name));
        named.map(comparable).collect()
    };
    let theirs = life_of(&Subject::Keepalived)?;
    let ours = life_of(&steadfast())?;
    for name in ["VI", "OWNER"] {
        assert_eq!(of(&ours, name), of(&theirs, name));
    }
    // The index is the row's in vrrpInstanceTable; the scalar keeps its 0.
    let oids: Vec<&str> = ours[0].varbinds.iter().map(|(oid, _)| oid.as_str()).collect();
    let row = if told(&ours)[0].0 == "VI" { 1 } else { 2 };
    let columns = [2, 4, 5].map(|column| format!("{INSTANCE_ENTRY}.{column}.{row}"));
    assert_eq!(oids, [&columns[0], &columns[1], &columns[2], crate::scene::ROUTER_ID]);
    Ok(())
}

/// Who moved where, members and groups alike, in the order in which it was told.
fn moves(trapd: &Snmptrapd) -> Vec<String> {
    let moves = trapd.traps().into_iter().filter_map(|trap| {
        let (entry, state) = match trap.trap_oid.as_str() {
            STATE_CHANGE => (INSTANCE_ENTRY, 4),
            GROUP_STATE_CHANGE => (GROUP_ENTRY, 3),
            _ => return None,
        };
        let value = |column: u8| trap.value(&format!("{entry}.{column}")).unwrap_or("?").to_owned();
        Some(format!("{} {}", value(2), value(state)))
    });
    moves.collect()
}

/// Waits for the links of a host, so that its routers start together.
pub(crate) fn up(host: &Host, links: [&str; 2]) -> Result<()> {
    wait::until_true("the links to be up", SOON, || {
        let up = |link: &&str| {
            host.run(&["ip", "-br", "link", "show", link]).is_ok_and(|text| text.contains(" UP "))
        };
        links.iter().all(up)
    })
}

/// What `subject` tells of a group that starts, loses one link, gets it back, and stops.
fn life_of_a_group(subject: &Subject) -> Result<Vec<String>> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let alpha = &lan["alpha"];
    up(alpha, ["va0", "vd0"])?;
    let trapd = Snmptrapd::start(alpha)?;
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    // The second member is always ready last.
    let config = globals(&snmpd)
        + "vrrp_sync_group G {\n  group {\n    ONE\n    TWO\n  }\n}\n"
        + &instance("ONE", "va0", 51, 150, "0.2")
        + &instance("TWO", "vd0", 52, 100, "0.2");
    let router = Router::start(subject, alpha, "alpha", &config)?;
    let told = |count: usize| {
        wait::until(&format!("{count} notifications"), SOON, || {
            let seen = moves(&trapd);
            if seen.len() >= count { Ok(seen) } else { Err(format!("{seen:?}")) }
        })
    };
    told(6)?;
    alpha.link_down("vd0")?;
    told(9)?;
    alpha.link_up("vd0")?;
    told(15)?;
    router.stop()?;
    told(18)
}

#[test]
fn a_group_is_told_of_in_keepalived_s_order() -> Result<()> {
    let _calm = calm();
    let ours = life_of_a_group(&steadfast())?;
    let expected = [
        ["G 1", "ONE 1", "TWO 1"],
        ["TWO 2", "ONE 2", "G 2"],
        ["TWO 3", "ONE 3", "G 3"],
        ["TWO 1", "ONE 1", "G 1"],
        ["TWO 2", "ONE 2", "G 2"],
        ["ONE 5", "TWO 5", "G 5"],
    ];
    assert_eq!(ours, expected.concat());
    assert_eq!(life_of_a_group(&Subject::Keepalived)?, ours);
    Ok(())
}
