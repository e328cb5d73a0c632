//! Plugins of monitoring systems, which answer with a line and an exit status.

use lab::{Result, wait};

use super::{STATES, Watched, assert_same};
use crate::scene::{SOON, calm};

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
