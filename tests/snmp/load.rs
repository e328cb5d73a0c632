//! A manager that walks without a pause: the advertisements do not notice.

use std::{fmt::Write as _, time::Duration};

use lab::{Lan, Result, Router, Snmpd, State, wait};

use crate::{
    cadence::Cadence,
    scene::{KEEPALIVED, SOON, alone, globals, instance, steadfast},
};

/// Walks that have to be over before the story ends.
const WALKS: usize = 12;

#[test]
fn advertisements_leave_on_time_while_the_mib_is_walked() -> Result<()> {
    let _alone = alone();
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let snmpd = Snmpd::builder(alpha).start()?;
    let mut config = globals(&snmpd) + &instance("VI", "va0", 51, 200, "0.1");
    for vrid in 101..=200 {
        write!(config, "{}", instance(&format!("ROW{vrid}"), "va0", vrid, 100, "1")).unwrap();
    }
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    router.wait_entering("ROW200", State::Master, SOON)?;
    router.wait_log("region 1.3.6.1.4.1.9586.100.5.2 is registered", SOON)?;

    let cadence = Cadence::start(beta, "vb0", 51, Duration::from_millis(100))?;
    let walk =
        format!("while :; do snmpbulkwalk -v2c -c public -Cr50 -On 127.0.0.1 {KEEPALIVED} | tail -n 1; done");
    let walks = alpha.spawn("walks", &["sh", "-c", &walk])?;
    // However long they take beside busy neighbours: what counts is what the advertisements do meanwhile.
    wait::until_true("the walks", 6 * SOON, || walks.log().lines().count() >= WALKS)?;
    // Every walk came to the end: the last object of all, which is one of the session with snmpd.
    let log = walks.log();
    walks.kill();
    assert!(log.lines().take(WALKS).all(|line| line.contains(".1000.1.4.5.0 = ")), "{log}");
    cadence.assert_kept()
}
