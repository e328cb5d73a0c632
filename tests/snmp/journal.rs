//! The daemon killed between a transition and its delivery: the next run delivers what this one could not.

use std::{fs, path::PathBuf, time::Duration};

use lab::{Lan, Result, Router, Snmpd, Snmptrapd, State, snmp::Trap, wait};
use steadfast::journal::Ring;

use crate::{
    scene::{
        Entered, LOST_COUNT, NOTIFICATIONS_LOST, SOON, STATE_CHANGE, calm, globals, instance, logged,
        steadfast, told,
    },
    transitions::HERE,
};

/// A router whose link goes down and up, its snmpd, and the place where its notifications arrive.
struct Scene {
    router: Router,
    config: String,
    /// What the runs before this one logged.
    earlier: Vec<Entered>,
    trapd: Snmptrapd,
    snmpd: Snmpd,
    lan: Lan,
}

impl Scene {
    /// As MASTER, and everything told so far; with `words` more in `global_defs`.
    fn start(words: &str) -> Result<Self> {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let trapd = Snmptrapd::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
        let globals = globals(&snmpd).replace("global_defs {\n", &format!("global_defs {{\n{words}"));
        let config = globals + &instance("VI", "va0", 51, 100, "0.01");
        let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
        router.wait_entering("VI", State::Master, SOON)?;
        let scene = Self { router, config, earlier: Vec::new(), trapd, snmpd, lan };
        scene.all_told()?;
        Ok(scene)
    }

    /// What happened in all runs, in its order.
    fn happened(&self) -> Vec<Entered> {
        [&self.earlier[..], &logged(&self.router)].concat()
    }

    /// Everything has arrived, once and in order.
    fn all_told(&self) -> Result<()> {
        let happened = self.happened();
        let traps = self.trapd.wait_traps(STATE_CHANGE, happened.len(), SOON)?;
        assert_eq!(told(&traps), happened);
        Ok(())
    }

    /// FAULT, BACKUP, MASTER, so many times.
    fn flap(&self, times: usize) -> Result<()> {
        let alpha = &self.lan["alpha"];
        for _ in 0..times {
            let mark = self.router.mark();
            alpha.link_down("va0")?;
            self.router.wait_entering_since(mark, "VI", State::Fault, SOON)?;
            alpha.link_up("va0")?;
            self.router.wait_entering_since(mark, "VI", State::Master, SOON)?;
        }
        Ok(())
    }

    fn journal(&self) -> PathBuf {
        self.router.dir().join("pid.transitions")
    }

    /// Waits until the journal has everything that the log has, and what was acknowledged as such.
    fn all_written(&self, acknowledged: usize) -> Result<()> {
        let happened = self.happened().len() as u64;
        wait::until("the journal to have everything", SOON, || {
            let image = fs::read(self.journal()).map_err(|error| error.to_string())?;
            let found = Ring::recover(&image).map_err(|error| error.to_string())?;
            let last = found.records.last().map(|record| record.number);
            let complete = last >= Some(happened) && found.position >= Some(acknowledged as u64);
            if complete {
                Ok(())
            } else {
                Err(format!("{last:?} of {happened}, {:?} acknowledged", found.position))
            }
        })
    }

    /// SIGKILL once everything is on the disk, and a new run, until it is MASTER again.
    fn kill_and_start(&mut self, acknowledged: usize) -> Result<()> {
        self.all_written(acknowledged)?;
        self.router.kill9();
        self.earlier = self.happened();
        self.router = Router::start(&steadfast(), &self.lan["alpha"], "alpha", &self.config)?;
        self.router.wait_entering("VI", State::Master, SOON).map(drop)
    }
}

#[test]
fn what_a_killed_daemon_could_not_deliver_the_next_one_does_once_and_in_order() -> Result<()> {
    let _calm = calm();
    let mut scene = Scene::start("")?;
    let told = scene.happened().len();
    scene.snmpd.kill();
    scene.flap(3)?;
    scene.kill_and_start(told)?;
    scene.flap(2)?;
    scene.kill_and_start(told)?;
    scene.flap(1)?;
    scene.snmpd.restart()?;
    scene.all_told()?;
    // With everything acknowledged nothing is left for a third run.
    scene.flap(1)?;
    scene.all_told()?;
    scene.kill_and_start(scene.happened().len())?;
    scene.all_told()?;
    scene.router.stop()?;
    scene.all_told()
}

#[test]
fn a_notification_whose_acknowledgement_was_on_its_way_is_the_only_one_that_arrives_twice() -> Result<()> {
    let _calm = calm();
    let mut scene = Scene::start("")?;
    // In a crowd more than one are on their way at once; this is the end of the one at the start.
    wait::throughout("a lull", Duration::from_millis(50), || Ok(()))?;
    // What is written to a hung snmpd it reads when it goes on, whoever lives by then.
    scene.snmpd.pause()?;
    scene.flap(2)?;
    let before = scene.trapd.traps_of(STATE_CHANGE).len();
    scene.kill_and_start(before)?;
    scene.router.wait_log("acknowledgement was on its way arrives twice", SOON)?;
    scene.snmpd.resume()?;
    scene.flap(1)?;
    let mut expected = scene.happened();
    expected.insert(before, expected[before].clone());
    let traps = scene.trapd.wait_traps(STATE_CHANGE, expected.len(), SOON)?;
    assert_eq!(told(&traps), expected);
    let [replayed, last] = [&traps[before + 1], &traps[traps.len() - 1]];
    assert!(
        replayed.sysuptime > 0 && replayed.sysuptime < last.sysuptime,
        "the time of the event: {traps:#?}"
    );
    Ok(())
}

#[test]
fn a_journal_too_small_for_a_long_outage_keeps_the_newest_and_one_notification_counts_the_others()
-> Result<()> {
    let _calm = calm();
    let mut scene = Scene::start("  transition_journal_size 64\n")?;
    let before = scene.trapd.traps_of(STATE_CHANGE).len();
    scene.snmpd.kill();
    // Three transitions each, in a journal of 125.
    scene.flap(50)?;
    scene.kill_and_start(before)?;
    scene.snmpd.restart()?;
    let happened = scene.happened();
    let (traps, count) = wait::until("all that was not lost", SOON, || {
        // snmpd tells of its own stops and starts.
        let ours = |trap: &Trap| [NOTIFICATIONS_LOST, STATE_CHANGE].contains(&&*trap.trap_oid);
        let traps: Vec<_> = scene.trapd.traps().into_iter().filter(ours).collect();
        let summary = traps.iter().find(|trap| trap.trap_oid == NOTIFICATIONS_LOST);
        let count = summary.and_then(|trap| trap.value(LOST_COUNT)?.parse::<usize>().ok());
        match count {
            Some(count) if traps.len() + count > happened.len() => Ok((traps, count)),
            count => Err(format!("{} of {}, {count:?} lost", traps.len(), happened.len())),
        }
    })?;
    assert!(count > 0, "{traps:#?}");
    let changes = scene.trapd.traps_of(STATE_CHANGE);
    let kept = [&happened[..before], &happened[before + count..]].concat();
    assert_eq!(told(&changes), kept, "{count} were lost");
    let place = traps.iter().position(|trap| trap.trap_oid == NOTIFICATIONS_LOST);
    assert_eq!((place, traps.len()), (Some(before), changes.len() + 1), "one, in the place of what was lost");
    Ok(())
}
