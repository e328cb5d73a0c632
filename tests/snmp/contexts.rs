//! Several daemons on one host, all behind its one snmpd: each in an SNMP context of its own.

use lab::{Lan, Result, Router, Snmpd, Snmptrapd, State, wait};

use crate::{
    scene::{
        INSTANCE_ENTRY, KEEPALIVED, ROUTER_ID, SOON, STATE_CHANGE, calm, globals, instance, steadfast, told,
    },
    transitions::HERE,
};

const CONTEXTS: [&str; 2] = ["blue", "green"];

/// A community for each context, of its name.
fn views(snmpd: lab::snmp::SnmpdBuilder) -> lab::snmp::SnmpdBuilder {
    CONTEXTS.iter().fold(snmpd.line("view all included .1"), |snmpd, context| {
        snmpd
            .line(&format!("com2sec -Cn {context} sec-{context} default {context}"))
            .line(&format!("group group-{context} v2c sec-{context}"))
            .line(&format!("access group-{context} {context} v2c noauth exact all none none"))
    })
}

#[test]
fn two_daemons_behind_one_snmpd_each_serve_their_context() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start(alpha)?;
    let mut snmpd = views(Snmpd::builder(alpha)).trap_sink(HERE).start()?;
    let start = |(vrid, context): (u8, &str)| {
        let words = format!("global_defs {{\n  snmp_context {context}\n");
        let globals = globals(&snmpd).replace("router_id lab", &format!("router_id {context}"));
        let config = globals.replace("global_defs {\n", &words) + &instance(context, "va0", vrid, 100, "0.1");
        let router = Router::start(&steadfast(), alpha, context, &config)?;
        router.wait_entering(context, State::Master, SOON)?;
        Ok(router)
    };
    let routers = (51..).zip(CONTEXTS).map(start).collect::<Result<Vec<_>>>()?;

    let served = |snmpd: &Snmpd| {
        CONTEXTS.iter().try_for_each(|context| {
            let client = snmpd.client().community(context);
            wait::until(&format!("the context {context}"), SOON, || {
                let router = client.get(ROUTER_ID).map_err(|error| error.to_string())?;
                let name = client.get(&format!("{INSTANCE_ENTRY}.2.1")).map_err(|error| error.to_string())?;
                let expected = format!("STRING: \"{context}\"");
                if [&router, &name] == [&expected; 2] { Ok(()) } else { Err(format!("{router}, {name}")) }
            })?;
            let whole = client.walk(KEEPALIVED)?;
            assert!(whole.iter().any(|(oid, _)| oid.starts_with(&format!("{KEEPALIVED}.2.6."))), "{whole:?}");
            assert_eq!(client.bulkwalk(KEEPALIVED, 20)?, whole);
            Ok(())
        })
    };
    served(&snmpd)?;
    assert!(snmpd.client().walk(KEEPALIVED)?.is_empty(), "nothing is in the default context");
    snmpd.restart()?;
    served(&snmpd)?;
    routers.iter().try_for_each(|router| router.stop().map(drop))?;

    // BACKUP, MASTER and the stop of each, and who it was.
    let traps = trapd.wait_traps(STATE_CHANGE, 6, SOON)?;
    for context in CONTEXTS {
        let of_one: Vec<_> =
            traps.iter().filter(|trap| trap.value(ROUTER_ID) == Some(context)).cloned().collect();
        assert_eq!(told(&of_one), [1, 2, 5].map(|state| (context.to_owned(), state)));
    }
    Ok(())
}
