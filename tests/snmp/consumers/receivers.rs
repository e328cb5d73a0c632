//! Receivers of notifications: snmptrapd with names in its log, and snmptt with formats made from the module.

use std::{collections::HashMap, fs, path::PathBuf};

use lab::{Host, Lan, Process, Result, Router, Snmpd, Subject, lan::Join, wait};

use super::{documented, read};
use crate::{
    scene::{SOON, calm, globals, instance, steadfast},
    transitions::up,
};

/// What a group of two routers tells of its start and its stop.
const NOTIFICATIONS: usize = 9;

/// Both receivers on one host.
struct Receivers {
    snmptrapd: Process,
    handler: Process,
    log: PathBuf,
}

impl Receivers {
    fn start(host: &Host) -> Result<Self> {
        let directory = host.dir().display().to_string();
        host.write("trapd.conf", &documented("trapd.conf"))?;
        let command = documented("snmptrapd");
        let snmptrapd = spawn(host, "names", &command)?;
        // As the page says for Debian, but in a directory of its own.
        let formats = format!("{directory}/snmptt.conf.steadfast");
        let convert = documented("snmptt").replace("/etc/snmp/snmptt.conf.steadfast", &formats);
        host.sh(&convert)?;
        let settings = read("/etc/snmp/snmptt.ini");
        let settings = settings
            .replace("/etc/snmptt/snmptt.conf\n", &format!("{formats}\n"))
            .replace("/var/log/snmptt/", &format!("{directory}/"))
            .replace("\nsyslog_enable = 1", "\nsyslog_enable = 0")
            .replace("\nsyslog_system_enable = 1", "\nsyslog_system_enable = 0");
        host.write("snmptt.ini", &settings)?;
        let handler = documented("handler.conf").replace("/etc/snmp", &directory);
        host.write("handler.conf", &handler)?;
        let command = command.replace("trapd.conf", "handler.conf").replace("162", "1162");
        let handler = spawn(host, "handler", &command.replace("-Lo", "-Lo -On"))?;
        Ok(Self { snmptrapd, handler, log: host.dir().join("snmptt.log") })
    }

    /// What snmptrapd has written of KEEPALIVED-MIB, from the notification's name on.
    fn names(&self) -> Vec<String> {
        let told = lines(&self.snmptrapd.log(), "snmpTrapOID.0 = OID: ");
        told.into_iter().filter(|line| line.starts_with("KEEPALIVED-MIB::")).collect()
    }

    /// What both have written in the end; snmptt starts a program for each.
    fn said(&self) -> Result<(Vec<String>, Vec<String>)> {
        let formatted = || lines(&fs::read_to_string(&self.log).unwrap_or_default(), " - ");
        wait::until("both receivers", SOON, || {
            let (names, formatted) = (self.names(), formatted());
            if names.len() == NOTIFICATIONS && formatted.len() == NOTIFICATIONS {
                Ok((names, formatted))
            } else {
                Err(format!("{names:#?}\n{formatted:#?}\n{}", self.handler.log_tail()))
            }
        })
    }
}

fn spawn(host: &Host, name: &str, command: &str) -> Result<Process> {
    let directory = host.dir().display().to_string();
    let environment = ["SNMPCONFPATH", "SNMP_PERSISTENT_DIR"].map(|key| (key.to_owned(), directory.clone()));
    let command = format!("cd {directory} && {command}");
    let process = host.spawn_with(name, &["sh", "-c", &command], &HashMap::from(environment))?;
    process.wait_log("NET-SNMP version", SOON)?;
    Ok(process)
}

/// What follows `start` in each line that has it.
fn lines(text: &str, start: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_once(start)).map(|(_, rest)| rest.trim().to_owned()).collect()
}

/// What both receivers write of a group that starts and stops.
fn life_of_a_group(subject: &Subject, words: &str) -> Result<(Vec<String>, Vec<String>)> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
    let alpha = &lan["alpha"];
    up(alpha, ["va0", "vd0"])?;
    let receivers = Receivers::start(alpha)?;
    let snmpd = Snmpd::builder(alpha).trap_sink("127.0.0.1:162").trap_sink("127.0.0.1:1162").start()?;
    let config = globals(&snmpd).replace("enable_traps", &format!("enable_traps\n{words}"))
        + "vrrp_sync_group G {\n  group {\n    ONE\n    TWO\n  }\n}\n"
        + &instance("ONE", "va0", 51, 150, "0.2")
        + &instance("TWO", "vd0", 52, 100, "0.2");
    let router = Router::start(subject, alpha, "alpha", &config)?;
    wait::until("the start", SOON, || {
        let told = receivers.names();
        if told.len() == NOTIFICATIONS - 3 { Ok(()) } else { Err(format!("{told:#?}")) }
    })?;
    router.stop()?;
    receivers.said()
}

#[test]
fn snmptrapd_and_snmptt_write_the_same() -> Result<()> {
    let _calm = calm();
    let (theirs, ours, compat) = (
        life_of_a_group(&Subject::Keepalived, "")?,
        life_of_a_group(&steadfast(), "")?,
        life_of_a_group(&steadfast(), "snmp_compat")?,
    );
    assert_eq!(compat, theirs);
    assert_eq!(ours.1, theirs.1, "snmptt shows values without the names of their objects");
    // The row's index is all that keepalived lacks.
    let bare = |line: &String| line.replace(".1 =", " =").replace(".2 =", " =");
    assert_eq!(ours.0.iter().map(bare).collect::<Vec<_>>(), theirs.0);
    assert!(ours.0[0].starts_with("KEEPALIVED-MIB::vrrpSyncGroupStateChange"), "{:#?}", ours.0);
    assert!(
        ours.0.iter().all(|line| line.contains("KEEPALIVED-MIB::routerId.0 = STRING: lab")),
        "{:#?}",
        ours.0
    );
    let documented = documented("snmptt.log");
    assert!(ours.1.iter().any(|line| *line == documented.trim()), "{:#?}", ours.1);
    Ok(())
}
