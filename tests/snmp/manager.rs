//! `steadfast snmp …` beside net-snmp's tools: the same agents asked, the same notifications heard.

use lab::{Host, Lan, Output, Process, Result, Router, Snmpd, State, lan::Join};

use crate::{
    own_agent::{masters, without_counts},
    scene::{KEEPALIVED, ROUTER_ID, SOON, calm, instance, mib_dirs, steadfast},
};

const MODULES: &str = "SNMPv2-MIB:SNMP-FRAMEWORK-MIB:SNMP-MPD-MIB:SNMP-TARGET-MIB:SNMP-USER-BASED-SM-MIB:\
                       KEEPALIVED-MIB:STEADFAST-MIB:VRRP-MIB:VRRPV3-MIB";
const SIGN: &str = "sign here please";
const HIDE: &str = "hide this please";

const HERE: &str = "127.0.0.1:1161";
const THERE: &str = "127.0.0.1";
const STATION: &str = "127.0.0.1:1162";

const V3: [&str; 11] = ["-v3", "-u", "nms", "-l", "authPriv", "-a", "SHA-256", "-A", SIGN, "-x", "AES"];

fn agent() -> String {
    format!(
        "snmp_agent {{\n  listen 127.0.0.1:1161\n  community public source 127.0.0.0/8\n  \
         usm_user nms auth SHA-256 \"{SIGN}\" priv AES \"{HIDE}\"\n  engine_file none\n}}\n"
    )
}

/// The program's own manager.
fn own(host: &Host, arguments: &[&str]) -> Result<Output> {
    host.exec(&[&[env!("CARGO_BIN_EXE_steadfast"), "snmp"], arguments].concat())
}

/// A tool of net-snmp, with the modules of this repository alone.
fn theirs(host: &Host, tool: &str, arguments: &[&str]) -> Result<Output> {
    let [mibs, base] = mib_dirs();
    let dirs = format!("{}:{}", mibs.display(), base.display());
    let state = host.dir().join("tools").display().to_string();
    let environment =
        ["env", &format!("SNMPCONFPATH={state}"), &format!("SNMP_PERSISTENT_DIR={state}")].map(str::to_owned);
    let environment: Vec<&str> = environment.iter().map(String::as_str).collect();
    host.exec(&[&environment[..], &[tool, "-M", &dirs, "-m", MODULES], arguments].concat())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Both say the same of `objects`, each line of it, and neither complains.
fn both_walk(host: &Host, options: &[&str], agent: &str, object: &str, repetitions: &str) -> Result<usize> {
    let theirs = theirs(host, "snmpwalk", &[options, &[agent, object]].concat())?;
    let own = own(host, &[&["walk"], options, &["--max-repetitions", repetitions, agent, object]].concat())?;
    assert!(own.status.success() && own.stderr.is_empty(), "{own:?}");
    let (theirs, own) = (lines(&theirs.stdout), lines(&own.stdout));
    assert_eq!(without_counts(&own), without_counts(&theirs), "{options:?} {agent} {object}");
    Ok(own.len())
}

#[test]
fn a_walk_is_line_by_line_the_one_of_snmpwalk() -> Result<()> {
    let _calm = calm();
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let _router = masters(&lan, &snmpd, &agent())?;
    let host = &lan["alpha"];
    let v3 = [&V3[..], &["-X", HIDE]].concat();
    for options in [&["-v2c", "-c", "public"][..], &["-v1", "-c", "public"], &v3] {
        assert!(both_walk(host, options, HERE, KEEPALIVED, "25")? > 200);
        for object in ["vrrpMIB", "vrrpv3MIB", "mib-2", "snmpModules"] {
            assert!(both_walk(host, options, HERE, object, "7")? > 5, "{object}");
        }
    }
    let community = ["-v2c", "-c", "public"];
    for repetitions in ["0", "1", "1000"] {
        assert!(both_walk(host, &community, THERE, "KEEPALIVED-MIB::keepalived", repetitions)? > 200);
    }
    for single in ["KEEPALIVED-MIB::routerId.0", "vrrpInstanceState.1", "vrrpInstanceState.77", "routerId.1"]
    {
        assert_eq!(both_walk(host, &community, HERE, single, "25")?, 1, "{single}");
    }
    let own = own(host, &["get", HERE, "vrrpInstanceState.1", "KEEPALIVED-MIB::routerId.0", "sysUpTime.1"])?;
    let theirs = theirs(
        host,
        "snmpget",
        &["-v2c", "-cpublic", HERE, "vrrpInstanceState.1", "KEEPALIVED-MIB::routerId.0", "sysUpTime.1"],
    )?;
    assert_eq!((own.stdout.clone(), own.status.code()), (theirs.stdout, Some(0)));
    assert!(own.stdout.starts_with("KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: master(2)\n"), "{own:?}");
    Ok(())
}

/// alpha with one router and an agent.
fn alone() -> Result<(Lan, Router)> {
    let lan = Lan::pair()?;
    let router = instance("VI_1", "va0", 51, 100, "0.1");
    let config = format!("global_defs {{\n  router_id lab\n  vrrp_version 3\n}}\n{router}{}", agent());
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    router.wait_log("SNMP is answered at 127.0.0.1:1161", SOON)?;
    Ok((lan, router))
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = alone()?;
    let host = &lan["alpha"];
    let numeric = own(host, &["get", "--numeric", HERE, ROUTER_ID])?;
    assert_eq!(numeric.stdout, format!("{ROUTER_ID} = STRING: lab\n"));
    let quick = ["-t", "0.3", "-r", "0"];
    let user = |user: &'static str, auth: &'static str, sign: &'static str, hide: &'static str| {
        vec!["-v3", "-u", user, "-a", auth, "-A", sign, "-X", hide]
    };
    for (options, agent, object, expected) in [
        (vec!["-c", "private"], HERE, ROUTER_ID, "check the community (-c)"),
        (vec![], "127.0.0.1:1163", ROUTER_ID, "nobody answers SNMP at 127.0.0.1:1163"),
        (vec![], "no.such.host.invalid", ROUTER_ID, "is not known"),
        (vec![], HERE, "vrrpinstancestate.1", "did you mean vrrpInstanceState?"),
        (vec!["-v1"], HERE, "routerId.5", "the agent refuses KEEPALIVED-MIB::routerId.5: noSuchName (2)"),
        (vec!["-v3"], HERE, ROUTER_ID, "write -u NAME"),
        (vec!["-v3", "-u", "nms", "-l", "authPriv"], HERE, ROUTER_ID, "write -A PASSWORD"),
        (vec!["-v3", "-u", "nms", "-A", "short"], HERE, ROUTER_ID, "8 characters or more"),
        (user("nms", "SHA-256", "another password", HIDE), HERE, ROUTER_ID, "check -a and -A"),
        (user("nms", "MD5", SIGN, HIDE), HERE, ROUTER_ID, "check -a and -A"),
        (user("nms", "SHA-256", SIGN, "another password"), HERE, ROUTER_ID, "check -x and -X"),
        (user("nobody", "SHA-256", SIGN, HIDE), HERE, ROUTER_ID, "no user of this name"),
        (vec!["-v3", "-u", "nms"], HERE, ROUTER_ID, "authorizationError (16)"),
    ] {
        let said = own(host, &[&["get"], &options[..], &quick, &[agent, object]].concat())?;
        assert_eq!((said.status.code(), said.stdout.as_str()), (Some(1), ""), "{options:?}: {said:?}");
        assert!(said.stderr.contains(expected), "{options:?}: {said:?}");
    }
    let wrong = own(host, &["get", "-v4", HERE, ROUTER_ID])?;
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let secret = ["SNMP_AUTH_PASSWORD=", SIGN].concat();
    let other = ["SNMP_PRIV_PASSWORD=", HIDE].concat();
    let by_environment = ["env", &secret, &other, env!("CARGO_BIN_EXE_steadfast"), "snmp", "get", "-v3"];
    let asked = ["-u", "nms", "-a", "sha-256", HERE, ROUTER_ID];
    assert_eq!(
        host.run(&[&by_environment[..], &asked].concat())?.trim(),
        "KEEPALIVED-MIB::routerId.0 = STRING: lab"
    );
    Ok(())
}

/// The listener, which ends after so many.
fn listener(host: &Host, count: &str) -> Result<Process> {
    let program = env!("CARGO_BIN_EXE_steadfast");
    let user = ["-u", "nms", "-a", "SHA-256", "-A", SIGN, "-X", HIDE];
    let argv = [&[program, "snmp", "listen", "--count", count], &user[..], &[STATION]].concat();
    let listener = host.spawn("listener", &argv)?;
    listener.wait_log("listening at", SOON)?;
    Ok(listener)
}

#[test]
fn what_net_snmp_sends_is_heard_and_informs_are_acknowledged() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listener = listener(host, "5")?;
    let v3 = [&V3[..], &["-X", HIDE]].concat();
    let change = "KEEPALIVED-MIB::vrrpInstanceStateChange";
    let objects = ["vrrpInstanceName.1", "s", "VI_1", "vrrpInstanceState.1", "i", "2"];
    let said = |tool: &str, options: &[&str], head: &[&str]| {
        theirs(host, tool, &[options, &[STATION], head, &objects].concat())
    };
    let first = ["KEEPALIVED-MIB::vrrpTrap", "192.0.2.7", "6", "2", "77"];
    let community = ["-v2c", "-cpublic"];
    let patience = ["-t", "2", "-r", "3"];
    for (tool, options, head) in [
        ("snmptrap", vec!["-v1", "-cpublic"], &first[..]),
        ("snmptrap", community.to_vec(), &["100", change]),
        ("snmpinform", [&community[..], &patience].concat(), &["200", change]),
        ("snmptrap", [&v3[..], &["-e", "0x8000000001020304"]].concat(), &["300", change]),
        ("snmpinform", [&v3[..], &patience].concat(), &["400", change]),
    ] {
        let sent = said(tool, &options, head)?;
        assert!(sent.status.success(), "{tool} {options:?}: {sent:?}");
    }
    let wrong = ["-v3", "-u", "nms", "-l", "authNoPriv", "-a", "SHA-256", "-A", "another password"];
    listener.wait_log("v3 inform", SOON)?;
    let log = listener.log();
    for (version, up) in [
        ("v1 trap of 192.0.2.7", "0:00:00.77"),
        ("v2c trap", "0:00:01.00"),
        ("v2c inform", "0:00:02.00"),
        ("v3 trap", "0:00:03.00"),
        ("v3 inform", "0:00:04.00"),
    ] {
        let head = format!(" 127.0.0.1 {version} {change} up {up}\n");
        let body = "    KEEPALIVED-MIB::vrrpInstanceName.1 = STRING: VI_1\n    \
                    KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: master(2)\n";
        assert!(log.contains(&(head.clone() + body)), "{head}: {log}");
    }
    // It has ended after five, and only another one hears who is wrong.
    let listener = self::listener(host, "1")?;
    let refused = said("snmpinform", &[&wrong[..], &["-t", "1", "-r", "0"]].concat(), &["500", change])?;
    assert!(!refused.status.success() && refused.stderr.contains("Authentication failure"), "{refused:?}");
    assert!(!listener.log().contains("inform"), "{}", listener.log());
    Ok(())
}

#[test]
fn the_notifications_of_a_router_are_heard_by_their_names() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listener = listener(host, "100")?;
    let snmpd = Snmpd::builder(host).trap_sink(STATION).start()?;
    let config = crate::scene::globals(&snmpd) + &instance("VI_1", "va0", 51, 100, "0.1");
    let router = Router::start(&steadfast(), host, "alpha", &config)?;
    router.wait_entering("VI_1", State::Master, SOON)?;
    listener.wait_log("KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: master(2)", SOON)?;
    let log = listener.log();
    assert!(log.contains("v2c trap KEEPALIVED-MIB::vrrpInstanceStateChange up "), "{log}");
    assert!(log.contains("    KEEPALIVED-MIB::vrrpInstanceName.1 = STRING: VI_1\n"), "{log}");
    assert!(log.contains("    KEEPALIVED-MIB::routerId.0 = STRING: lab\n"), "{log}");
    let busy = own(host, &["listen", STATION])?;
    assert_eq!(busy.status.code(), Some(1));
    assert!(busy.stderr.contains("name another port"), "{busy:?}");
    Ok(())
}
