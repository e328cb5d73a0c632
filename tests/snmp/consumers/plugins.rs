//! Plugins of monitoring systems, which answer with a line and an exit status.

use lab::{Result, snmp::COMMUNITY, wait};

use super::{Known, STATES, Watched, assert_same};
use crate::scene::{SOON, calm, mib_dirs};

#[test]
fn centreon_sees_master_backup_and_fault_and_who_has_moved() -> Result<()> {
    let _calm = calm();
    let watched = Watched::start()?;
    let look = || {
        let first = watched.run("centreon")?;
        let second = watched.run("centreon")?;
        watched.host().link_down("va0")?;
        let client = watched.snmpd.client();
        wait::until_eq("the first instance in FAULT", SOON, &"INTEGER: 3".to_owned(), || {
            client.get(&format!("{}.1", STATES[0])).unwrap_or_default()
        })?;
        let third = watched.run("centreon")?;
        watched.host().link_up("va0")?;
        let state = "rm -f centreon_cache* keepalived_*";
        watched.host().sh(&format!("cd {} && {state}", watched.host().dir().display()))?;
        Ok([first, second, third])
    };
    let (theirs, ours) = watched.behind_both(look)?;
    for ((theirs, their_status), (ours, our_status)) in theirs.iter().zip(&ours) {
        assert_same(theirs, ours, &[]);
        assert_eq!(our_status, their_status, "{ours}");
    }
    let [_, (second, ok), (third, critical)] = &ours;
    assert_eq!((ok, critical), (&Some(0), &Some(2)), "{second}\n{third}");
    for state in ["master", "backup", "fault"] {
        let line = format!("state : {state} [last state : {state}, wanted state : '{state}']");
        assert!(second.contains(&line), "{second}");
    }
    assert!(third.contains("state : fault [last state : master, wanted state : 'fault']"), "{third}");
    Ok(())
}

#[test]
fn nagios_reads_the_state_and_the_priority_from_the_mib_of_rfc_2787() -> Result<()> {
    let _calm = calm();
    let watched = Watched::start()?;
    let ((theirs, their_status), (ours, our_status)) = watched.behind_both(|| watched.run("nagios"))?;
    assert_same(&theirs, &ours, &[]);
    assert_eq!((our_status, their_status), (Some(0), Some(0)), "{ours}");
    assert!(ours.contains("1 vrid master :OK"), "{ours}");
    Ok(())
}

/// The tables that nagios_check_keepalived reads, and its way to read them; the plugin itself is in no package.
const TABLES: [&str; 5] = [
    "vrrpInstanceTable",
    "vrrpAddressTable",
    "vrrpSyncGroupTable",
    "vrrpSyncGroupMemberTable",
    "vrrpScriptTable",
];

const KNOWN: &[Known] = &[
    ("vrrpAddressAdvertising.", "| M1 | "),
    ("vrrpInstanceAccept.1 = ", "| M12 | "),
    ("vrrpInstanceTrackPrimaryIf.", "| M19 | "),
    ("vrrpInstanceV3ChecksumAsV2.", "| objects added after 2.2.7 "),
    ("vrrpScriptIntervalUsec.", "| objects added after 2.2.7 "),
    ("vrrpScriptPath.", "| objects added after 2.2.7 "),
    ("vrrpScriptTimeoutUsec.", "| objects added after 2.2.7 "),
    ("vrrpScriptResult.", "| `vrrpScriptResult` of a script whose first run failed "),
];

#[test]
fn a_plugin_with_names_from_the_module_sees_the_same_words() -> Result<()> {
    let _calm = calm();
    let watched = Watched::start()?;
    let [mibs, base] = mib_dirs().map(|directory| directory.display().to_string());
    let script = format!("{}/tests/snmp/consumers/tables.pl", env!("CARGO_MANIFEST_DIR"));
    let variables = [
        ("MIBDIRS", format!("{mibs}:{base}")),
        ("MIBS", "SNMPv2-MIB:KEEPALIVED-MIB".to_owned()),
        // Debian's snmp.conf would unload all modules.
        ("SNMPCONFPATH", watched.host().dir().display().to_string()),
    ];
    let environment = variables.map(|(name, value)| (name.to_owned(), value)).into();
    let command = [&["perl", &script, COMMUNITY][..], &TABLES].concat();
    let (theirs, ours) = watched.behind_both(|| watched.host().run_with(&command, &environment))?;
    assert_same(&theirs, &ours, KNOWN);
    for cell in
        ["vrrpInstanceState.1 = master", "vrrpInstanceState.3 = backup", "vrrpInstanceState.4 = fault"]
    {
        assert!(ours.lines().any(|line| line == cell), "no {cell} in\n{ours}");
    }
    Ok(())
}
