//! snmpd absent, killed, stopped in good order, and hung: VRRP does not notice, and nothing is lost.
//!
//! One virtual router, VI, is watched on the wire by its standby. Another, FLAP, on a second segment, is what happens:
//! its link goes down and up while snmpd is away.

use std::time::Duration;

use lab::{Lan, Result, Router, Snmpd, Snmptrapd, State, clock, lan::Join, snmp::Trap, wait};

use crate::{
    cadence::Cadence,
    scene::{ROUTER_ID, SOON, STATE_CHANGE, SYS_UP_TIME, calm, globals, instance, logged, steadfast, told},
    transitions::HERE,
};

/// advert_int of every router here.
const INTERVAL: Duration = Duration::from_millis(100);
/// How soon after the return of snmpd the MIB has to be there again.
const BACK_WITHIN: Duration = Duration::from_secs(1);
/// How long snmpd hangs.
const HANG: Duration = Duration::from_secs(15);
/// A trap's sysUpTime is right to this: it comes in steps of 10 ms, and is learnt from answers that take a moment.
const UPTIME_TOLERANCE: Duration = Duration::from_millis(50);

/// A transition of FLAP that the test caused: it happened between the two moments.
#[derive(Debug)]
struct Caused {
    from: Duration,
    to: Duration,
}

/// A watched master with its standby, its snmpd, and a place where its notifications arrive.
struct Watched {
    cadence: Cadence,
    caused: Vec<Caused>,
    router: Router,
    standby: Router,
    snmpd: Snmpd,
    trapd: Snmptrapd,
    lan: Lan,
}

impl Watched {
    /// Both routers settled, with `snmpd` running or not.
    fn start(agentx: Option<&str>, present: bool) -> Result<Self> {
        let mut lan = Lan::pair()?;
        lan.add_segment(Join::Bridge, &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")])?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let trapd = Snmptrapd::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink(HERE);
        let snmpd = match agentx {
            Some(address) => snmpd.agentx(address),
            None => snmpd,
        };
        let snmpd = if present { snmpd.start()? } else { snmpd.prepare()? };
        let config = globals(&snmpd)
            + &instance("VI", "va0", 51, 200, "0.1")
            + &instance("FLAP", "va1", 52, 100, "0.1");
        let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
        let standby =
            "global_defs {\n  vrrp_version 3\n}\n".to_owned() + &instance("VI", "vb0", 51, 100, "0.1");
        router.wait_entering("VI", State::Master, SOON)?;
        router.wait_entering("FLAP", State::Master, SOON)?;
        let standby = Router::start(&steadfast(), beta, "beta", &standby)?;
        standby.wait_entering("VI", State::Backup, SOON)?;
        let cadence = Cadence::start(beta, "vb0", 51, INTERVAL)?;
        Ok(Self { cadence, caused: Vec::new(), router, standby, snmpd, trapd, lan })
    }

    /// FAULT, BACKUP, MASTER.
    fn flap(&mut self) -> Result<()> {
        let alpha = &self.lan["alpha"];
        let mark = self.router.mark();
        let mut from = clock::wall();
        alpha.link_down("va1")?;
        for state in [State::Fault, State::Backup, State::Master] {
            // MASTER comes by itself: that this test has seen BACKUP is no condition of it.
            if state == State::Backup {
                from = clock::wall();
                alpha.link_up("va1")?;
            }
            self.router.wait_entering_since(mark, "FLAP", state, SOON)?;
            self.caused.push(Caused { from, to: clock::wall() });
        }
        Ok(())
    }

    /// The MIB is there within a second from now.
    fn assert_back(&self) -> Result<()> {
        let client = self.snmpd.client();
        wait::until("the registration", BACK_WITHIN, || client.get(ROUTER_ID).map_err(|e| e.to_string()))?;
        Ok(())
    }

    /// All notifications so far have arrived.
    fn all_told(&self) -> Result<()> {
        let logged = logged(&self.router);
        let traps = self.trapd.wait_traps(STATE_CHANGE, logged.len(), SOON)?;
        assert_eq!(told(&traps), logged);
        Ok(())
    }

    /// When sysUpTime was 0, since the epoch: between these two, as it was read between the two ends of a command.
    fn uptime_origin(&self) -> Result<(Duration, Duration)> {
        let asked = clock::wall();
        let value = self.snmpd.client().get(SYS_UP_TIME)?;
        let answered = clock::wall();
        let ticks = value.split(['(', ')']).nth(1).and_then(|ticks| ticks.parse().ok());
        let ticks: u64 = ticks.unwrap_or_else(|| panic!("sysUpTime is {value}"));
        let uptime = Duration::from_millis(10 * ticks);
        Ok((asked.saturating_sub(uptime), answered.saturating_sub(uptime)))
    }

    /// Ends it: every transition was told exactly once and in order, and nobody on the wire noticed anything.
    fn finish(self) -> Result<Vec<Trap>> {
        self.cadence.assert_kept()?;
        assert_eq!(self.standby.entries("VI", State::Master), 0, "the standby took over");
        // The notifications of the stop come last: what was told twice is before them.
        self.router.stop()?;
        let logged = logged(&self.router);
        let traps = self.trapd.wait_traps(STATE_CHANGE, logged.len(), SOON)?;
        assert_eq!(told(&traps), logged);
        Ok(traps)
    }
}

/// Hung: it takes connections and bytes, and answers nothing.
fn hang(agentx: Option<&str>) -> Result<()> {
    let _calm = calm();
    let mut watched = Watched::start(agentx, true)?;
    watched.assert_back()?;
    // FAULT is among them where the link was not up yet.
    let started = logged(&watched.router).iter().filter(|(name, _)| name == "FLAP").count();
    watched.flap()?;
    watched.all_told()?;
    let origin = watched.uptime_origin()?;
    let before = watched.trapd.traps_of(STATE_CHANGE).len();

    watched.snmpd.pause()?;
    let paused = clock::wall();
    while clock::wall().saturating_sub(paused) < HANG {
        watched.flap()?;
    }
    assert_eq!(watched.trapd.traps_of(STATE_CHANGE).len(), before, "snmpd is hung and yet it sent traps");
    watched.snmpd.resume()?;
    watched.assert_back()?;
    watched.all_told()?;
    watched.flap()?;

    let caused = std::mem::take(&mut watched.caused);
    assert!(caused.len() >= 30, "only {} transitions", caused.len());
    let traps = watched.finish()?;
    assert!(traps.is_sorted_by_key(|trap| trap.sysuptime), "sysUpTime ran backwards: {traps:#?}");
    let flap = traps.iter().zip(told(&traps)).filter(|(_, (name, _))| name == "FLAP");
    for (caused, (trap, _)) in caused.iter().zip(flap.skip(started)) {
        let uptime = Duration::from_millis(10 * trap.sysuptime);
        let (earliest, latest) = (origin.0 + uptime, origin.1 + uptime);
        let plausible = latest + UPTIME_TOLERANCE >= caused.from && earliest <= caused.to + UPTIME_TOLERANCE;
        assert!(plausible, "a notification carries {earliest:?} to {latest:?}, its event was at {caused:?}");
    }
    Ok(())
}

#[test]
fn a_hung_snmpd_delays_nothing_and_loses_nothing_on_a_unix_socket() -> Result<()> {
    hang(None)
}

#[test]
fn a_hung_snmpd_delays_nothing_and_loses_nothing_on_tcp() -> Result<()> {
    hang(Some("tcp:127.0.0.1:705"))
}

/// Absent at the start, then killed and started again, then stopped in good order and started again.
fn come_and_go(agentx: Option<&str>) -> Result<()> {
    let _calm = calm();
    let mut watched = Watched::start(agentx, false)?;
    watched.flap()?;
    watched.snmpd.restart()?;
    watched.assert_back()?;
    watched.all_told()?;

    let endings: [fn(&mut Snmpd) -> Result<()>; 2] = [
        |snmpd| {
            snmpd.kill();
            Ok(())
        },
        Snmpd::stop,
    ];
    for end in endings {
        end(&mut watched.snmpd)?;
        watched.flap()?;
        watched.flap()?;
        watched.snmpd.restart()?;
        watched.assert_back()?;
        watched.flap()?;
        watched.all_told()?;
    }
    watched.finish().map(drop)
}

#[test]
fn an_snmpd_that_comes_and_goes_is_served_within_a_second_on_a_unix_socket() -> Result<()> {
    come_and_go(None)
}

#[test]
fn an_snmpd_that_comes_and_goes_is_served_within_a_second_on_tcp() -> Result<()> {
    come_and_go(Some("tcp:127.0.0.1:705"))
}
