//! The agent of our own, asked in SNMPv3: every protocol that net-snmp's tools have, and everything that can be wrong.

use lab::{Lan, Result, Router, SnmpClient, State};

use crate::scene::{INSTANCE_ENTRY, KEEPALIVED, ROUTER_ID, SOON, calm, instance, steadfast};

const HERE: &str = "127.0.0.1:1161";
const SIGN: &str = "sign here please";
const HIDE: &str = "hide this please";
const AUTHS: [&str; 6] = ["MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"];
const PRIVS: [&str; 4] = ["DES", "AES", "AES-192", "AES-256"];
/// snmpEngineID.0, snmpEngineBoots.0, snmpUnknownPDUHandlers.0 and usmStats.
const ENGINE_ID: &str = ".1.3.6.1.6.3.10.2.1.1.0";
const ENGINE_BOOTS: &str = ".1.3.6.1.6.3.10.2.1.2.0";
const UNKNOWN_HANDLERS: &str = ".1.3.6.1.6.3.11.2.1.3.0";
const USM_STATS: &str = ".1.3.6.1.6.3.15.1.1";
/// An engine that is not here.
const OTHER_ENGINE: &str = "0x80000000010203040506";

/// A user for each protocol and each pair of them, one who may write, and one who proves nothing.
fn config(lan: &Lan) -> String {
    let mut users = String::new();
    for auth in AUTHS {
        users += &format!("  usm_user {auth} auth {auth} \"{SIGN}\" source 127.0.0.0/8\n");
        for privacy in PRIVS {
            users +=
                &format!("  usm_user {auth}+{privacy} auth {auth} \"{SIGN}\" priv {privacy} \"{HIDE}\"\n");
        }
    }
    let engine = lan["alpha"].dir().join("engine").display().to_string();
    let router = instance("VI_1", "va0", 51, 100, "0.1");
    format!(
        "global_defs {{\n  router_id lab\n  vrrp_version 3\n  snmp_set\n}}\n{router}\
         snmp_agent {{\n  listen 127.0.0.1:1161\n  engine_file {engine}\n  context blue\n{users}\
         usm_user writer auth SHA \"{SIGN}\" priv AES \"{HIDE}\" rw\n  usm_user open\n  usm_user far auth SHA \"{SIGN}\" source 10.255.0.1\n}}\n"
    )
}

fn scene() -> Result<(Lan, Router)> {
    let lan = Lan::pair()?;
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config(&lan))?;
    router.wait_entering("VI_1", State::Master, SOON)?;
    router.wait_log("SNMP is answered at 127.0.0.1:1161", SOON)?;
    Ok((lan, router))
}

/// The options of a user who signs.
fn signer<'a>(user: &'a str, auth: &'a str) -> Vec<&'a str> {
    vec!["-v3", "-u", user, "-l", "authNoPriv", "-a", auth, "-A", SIGN]
}

/// The options of a user who encrypts.
fn private<'a>(user: &'a str, auth: &'a str, privacy: &'a str) -> Vec<&'a str> {
    vec!["-v3", "-u", user, "-l", "authPriv", "-a", auth, "-A", SIGN, "-x", privacy, "-X", HIDE]
}

/// What `tool` says of an object on its standard output.
fn get(client: &SnmpClient, options: &[&str], oid: &str) -> Result<String> {
    Ok(client.tool("snmpget", &[options, &["-Oqv"]].concat(), &[oid])?.trim().to_owned())
}

/// What a failing tool complains of.
fn complaint(client: &SnmpClient, options: &[&str]) -> Result<String> {
    let said = client.try_tool("snmpget", &[options, &["-t", "1", "-r", "0"]].concat(), &[ROUTER_ID])?;
    assert!(!said.status.success(), "{said:?}");
    Ok(said.stderr)
}

#[test]
fn every_pair_of_protocols_that_the_tools_have() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = scene()?;
    let client = SnmpClient::new(&lan["alpha"], HERE);
    for auth in AUTHS {
        assert_eq!(get(&client, &signer(auth, auth), ROUTER_ID)?, "\"lab\"", "{auth}");
        for privacy in PRIVS {
            let user = format!("{auth}+{privacy}");
            let options = private(&user, auth, privacy);
            assert_eq!(get(&client, &options, ROUTER_ID)?, "\"lab\"", "{user}");
        }
    }
    let options = private("SHA-512+AES-256", "SHA-512", "AES-256");
    let walked = client.tool("snmpwalk", &options, &[KEEPALIVED])?;
    assert!(walked.lines().count() > 40, "{walked}");
    for repetitions in ["-Cr1", "-Cr7", "-Cr1000"] {
        let bulk = client.tool("snmpbulkwalk", &[&options[..], &[repetitions]].concat(), &[KEEPALIVED])?;
        assert_eq!(bulk.lines().count(), walked.lines().count(), "{repetitions}");
    }
    let open = ["-v3", "-u", "open", "-l", "noAuthNoPriv"];
    assert_eq!(get(&client, &open, ROUTER_ID)?, "\"lab\"");
    let context = [&signer("SHA", "SHA")[..], &["-n", "blue"]].concat();
    assert_eq!(get(&client, &context, ROUTER_ID)?, "\"lab\"");
    Ok(())
}

#[test]
fn who_is_wrong_hears_why_and_is_counted() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = scene()?;
    let client = SnmpClient::new(&lan["alpha"], HERE);
    let other_password = ["-v3", "-u", "SHA", "-l", "authNoPriv", "-a", "SHA", "-A", "another password"];
    let other_key = [
        "-v3",
        "-u",
        "SHA+AES",
        "-l",
        "authPriv",
        "-a",
        "SHA",
        "-A",
        SIGN,
        "-x",
        "AES",
        "-X",
        "another password",
    ];
    let context = [&signer("SHA", "SHA")[..], &["-n", "green"]].concat();
    for (options, expected) in [
        (signer("nobody", "SHA"), "Unknown user name"),
        (signer("far", "SHA"), "Unknown user name"),
        (other_password.to_vec(), "Authentication failure"),
        (signer("MD5", "SHA"), "Authentication failure"),
        (private("SHA", "SHA", "AES"), "Unsupported security level"),
        (other_key.to_vec(), "Decryption error"),
        (signer("SHA+AES", "SHA"), "authorizationError"),
        (context, "Bad context"),
        // What the tools call a Report of snmpUnknownPDUHandlers.
        ([&signer("SHA", "SHA")[..], &["-E", OTHER_ENGINE]].concat(), "Bad version specified"),
    ] {
        let complaint = complaint(&client, &options)?;
        assert!(complaint.contains(expected), "{options:?}: {complaint}");
    }
    // A tool that believes in a later start, a much later time or another engine does not believe what it hears instead.
    for belief in [["-Z", "77,5"], ["-Z", "1,100000"], ["-e", OTHER_ENGINE]] {
        let mistaken = [&signer("SHA", "SHA")[..], &belief].concat();
        assert!(complaint(&client, &mistaken)?.contains("Timeout"), "{belief:?}");
    }
    // Within 150 seconds everybody is of now.
    let early = [&signer("SHA", "SHA")[..], &["-Z", "1,100"]].concat();
    assert_eq!(get(&client, &early, ROUTER_ID)?, "\"lab\"");
    assert_eq!(get(&client, &signer("SHA", "SHA"), UNKNOWN_HANDLERS)?, "1");
    let counted = |number: u8| -> Result<u32> {
        let shown = get(&client, &signer("SHA", "SHA"), &format!("{USM_STATS}.{number}.0"))?;
        Ok(shown.parse().unwrap_or_default())
    };
    assert_eq!((counted(1)?, counted(3)?, counted(5)?, counted(6)?), (1, 2, 2, 1));
    assert!(counted(2)? >= 2 && counted(4)? >= 10, "{} {}", counted(2)?, counted(4)?);
    Ok(())
}

#[test]
fn the_engine_is_the_same_after_a_restart_at_another_time() -> Result<()> {
    let _calm = calm();
    let (lan, router) = scene()?;
    let client = SnmpClient::new(&lan["alpha"], HERE);
    let user = signer("SHA-256", "SHA-256");
    let id = get(&client, &user, ENGINE_ID)?;
    assert_eq!(get(&client, &user, ENGINE_BOOTS)?, "1");
    router.stop()?;
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config(&lan))?;
    router.wait_log("SNMP is answered at 127.0.0.1:1161", SOON)?;
    assert_eq!(get(&client, &user, ENGINE_ID)?, id);
    assert_eq!(get(&client, &user, ENGINE_BOOTS)?, "2");
    Ok(())
}

#[test]
fn only_who_may_write_does() -> Result<()> {
    let _calm = calm();
    let (lan, _router) = scene()?;
    let client = SnmpClient::new(&lan["alpha"], HERE);
    let priority = format!("{INSTANCE_ENTRY}.7.1");
    let set = |options: &[&str], value: &str| client.try_tool("snmpset", options, &[&priority, "i", value]);
    let said = set(&signer("SHA", "SHA"), "150")?;
    assert!(said.stderr.contains("noAccess"), "{said:?}");
    let writer = private("writer", "SHA", "AES");
    let said = set(&writer, "150")?;
    assert!(said.status.success(), "{said:?}");
    assert_eq!(get(&client, &writer, &priority)?, "150");
    let said = set(&writer, "255")?;
    assert!(said.stderr.contains("wrongValue"), "{said:?}");
    assert_eq!(get(&client, &writer, &priority)?, "150");
    Ok(())
}
