//! What is tracked, as a manager sees it come and go.

use lab::{Lan, Result, Router, Snmpd, State, wait};

use crate::scene::{SOON, calm, globals, instance, steadfast, with_names};

/// How long the program sleeps, by which its command line is told from all others.
const SLEEP: &str = "86399.0625";

#[test]
fn numbers_of_files_and_processes_are_shown_as_they_are_found() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let snmpd = Snmpd::builder(alpha).start()?;
    let file = alpha.write("number", "5\n")?;
    let trackers = format!(
        "track_file number {{\n  file {}\n}}\n\
         vrrp_track_process sleepers {{\n  process /bin/sleep {SLEEP}\n  weight 3\n}}\n",
        file.display()
    );
    let tracking = "1\n  track_file {\n    number weight 2\n  }\n  track_process {\n    sleepers\n  }";
    let config = globals(&snmpd) + &trackers + &instance("VI", "va0", 51, 100, tracking);
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    router.wait_entering("VI", State::Master, SOON)?;
    let client = with_names(snmpd.client());
    let shows = |table: &str, expected: &[(&str, &str)]| {
        wait::until(&format!("{table} to show {expected:?}"), SOON, || {
            let rows =
                client.table(&format!("KEEPALIVED-MIB::{table}")).map_err(|error| error.to_string())?;
            let [row] = &rows[..] else { return Err(format!("{rows:?}")) };
            let fits = expected.iter().all(|(column, value)| row.get(*column).is_some_and(|is| is == value));
            if fits { Ok(()) } else { Err(format!("{row:?}")) }
        })
    };
    let priority =
        |priority: &str| shows("vrrpInstanceTable", &[("vrrpInstanceEffectivePriority", priority)]);
    shows("vrrpFileTable", &[("vrrpFileName", "number"), ("vrrpFileResult", "5"), ("vrrpFileWeight", "1")])?;
    shows("vrrpTrackedFileTable", &[("vrrpTrackedFileName", "number"), ("vrrpTrackedFileWeight", "2")])?;
    shows("vrrpProcessTable", &[("vrrpProcessCurProc", "0"), ("vrrpProcessResult", "false")])?;
    priority("110")?;
    alpha.write("number", "-7")?;
    shows("vrrpFileTable", &[("vrrpFileResult", "-7")])?;
    let sleeper = alpha.spawn("sleeper", &["/bin/sleep", SLEEP])?;
    let running = [
        ("vrrpProcessPath", "/bin/sleep"),
        ("vrrpProcessParams", SLEEP),
        ("vrrpProcessParamMatch", "exact"),
        ("vrrpProcessQuorumMax", "-1"),
        ("vrrpProcessCurProc", "1"),
        ("vrrpProcessResult", "true"),
    ];
    shows("vrrpProcessTable", &running)?;
    priority("89")?;
    sleeper.kill();
    shows("vrrpProcessTable", &[("vrrpProcessCurProc", "0"), ("vrrpProcessResult", "false")])?;
    priority("86")
}

#[test]
fn an_instance_whose_interface_is_asked_for_its_link_says_so() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let asking = instance("ASKS", "va0", 51, 100, "1\n  linkbeat_use_polling");
    let config = globals(&snmpd) + &asking + &instance("HEARS", "va0", 52, 100, "1");
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    router.wait_entering("HEARS", State::Master, SOON)?;
    let client = with_names(snmpd.client());
    wait::until("both columns", SOON, || {
        let rows = client.table("KEEPALIVED-MIB::vrrpInstanceTable").map_err(|error| error.to_string())?;
        let asks: Vec<_> = rows.iter().map(|row| row.get("vrrpInstanceUseLinkbeat")).collect();
        let expected = [Some(&"true".to_owned()), Some(&"false".to_owned())];
        if asks == expected { Ok(()) } else { Err(format!("{asks:?}")) }
    })
}
