//! Everything that can happen to snmpd and to the way there, in an order made of a seed, for minutes, while a link flaps and a
//! manager walks: the advertisements do not notice, and every transition is told, once and in its order.
//!
//! Two minutes by default; `CHAOS_MINUTES=10` goes on for longer, `CHAOS_SEED` repeats another order.

#![expect(clippy::print_stdout, reason = "the order of events, for whoever wants to repeat it")]

use std::{
    env, fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use lab::{Control, Lan, Result, Router, Snmpd, Snmptrapd, State, clock, lan::Join, wait};
use steadfast::journal::Ring;

use crate::{
    cadence::Cadence,
    link::{Link, Manner, path_of},
    passages::{explain, told},
    random::Random,
    scene::{
        self, Entered, KEEPALIVED, ROUTER_ID, SOON, STATE_CHANGE, alone, calm, globals, instance, logged,
        resident, steadfast,
    },
    transitions::HERE,
};

/// advert_int of every router here.
const INTERVAL: Duration = Duration::from_millis(100);
/// How soon after the return of a healthy master the MIB has to be there again.
const BACK_WITHIN: Duration = Duration::from_secs(1);
/// What the daemon may hold more at the end than after the first round: a stream of transitions in memory.
const GROWTH_KIB: u64 = 4096;
/// Transitions that have to happen meanwhile.
const TRANSITIONS: usize = 300;

/// What happens to snmpd, or to the way there.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// kill -9, and a new one after a while.
    Killed,
    /// Stopped in good order, and a new one at once.
    Restarted,
    /// SIGSTOP.
    Stopped,
    /// Its socket is removed, and another one made.
    SocketRemoved,
    /// Something else sits there, or the way is bad.
    Link(Manner),
}

const TROUBLES: [Trouble; 9] = [
    Trouble::Killed,
    Trouble::Restarted,
    Trouble::Stopped,
    Trouble::SocketRemoved,
    Trouble::Link(Manner::Slow),
    Trouble::Link(Manner::Silent),
    Trouble::Link(Manner::Garbage),
    Trouble::Link(Manner::HalfPdu),
    Trouble::Link(Manner::Deaf),
];

impl Trouble {
    /// From how many to how many milliseconds it lasts.
    fn lasts(self) -> (u64, u64) {
        match self {
            Self::Killed | Self::SocketRemoved => (100, 2000),
            Self::Restarted => (0, 1),
            Self::Stopped => (1000, 15_000),
            Self::Link(Manner::Slow) => (3000, 8000),
            Self::Link(Manner::Silent) => (1000, 6000),
            Self::Link(_) => (500, 2500),
        }
    }
}

/// A number from the environment.
fn from_env(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

struct Scene {
    router: Arc<Router>,
    standby: Router,
    snmpd: Snmpd,
    link: Link,
    trapd: Snmptrapd,
    random: Random,
    config: String,
    /// What the runs of the daemon before this one logged.
    earlier: Vec<Entered>,
    lan: Arc<Lan>,
}

impl Scene {
    /// A watched master with its standby, and FLAP on a segment of its own.
    fn start(seed: u64) -> Result<Self> {
        let mut lan = Lan::pair()?;
        lan.add_segment(Join::Bridge, &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")])?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let trapd = Snmptrapd::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
        let link = Link::start(alpha.dir().join("link.sock"), path_of(snmpd.agentx()).to_owned());
        let globals = globals(&snmpd)
            .replace(snmpd.agentx(), &format!("unix:{}", alpha.dir().join("link.sock").display()));
        let config =
            globals + &instance("VI", "va0", 51, 200, "0.1") + &instance("FLAP", "va1", 52, 100, "0.1");
        let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
        router.wait_entering("VI", State::Master, SOON)?;
        router.wait_entering("FLAP", State::Master, SOON)?;
        let standby =
            "global_defs {\n  vrrp_version 3\n}\n".to_owned() + &instance("VI", "vb0", 51, 100, "0.1");
        let standby = Router::start(&steadfast(), beta, "beta", &standby)?;
        standby.wait_entering("VI", State::Backup, SOON)?;
        let (router, lan, random) = (Arc::new(router), Arc::new(lan), Random::new(seed));
        Ok(Self { router, standby, snmpd, link, trapd, random, config, earlier: Vec::new(), lan })
    }

    /// One trouble, until it is over.
    fn suffer(&mut self, trouble: Trouble) -> Result<()> {
        let (from, to) = trouble.lasts();
        let span = Duration::from_millis(from + self.random.below(to - from));
        println!("{trouble:?} for {span:?}");
        match trouble {
            Trouble::Killed => {
                self.snmpd.kill();
                pass(span)?;
                self.snmpd.restart()
            }
            Trouble::Restarted => self.snmpd.restart(),
            Trouble::Stopped => {
                self.snmpd.pause()?;
                pass(span)?;
                self.snmpd.resume()
            }
            Trouble::SocketRemoved => {
                self.link.remove();
                pass(span)?;
                self.link.restore();
                Ok(())
            }
            Trouble::Link(manner) => {
                self.link.set(manner)?;
                pass(span)?;
                self.link.set(Manner::Plain)
            }
        }
    }

    /// The MIB is there within a second of now, but for what the machine ran nobody.
    fn assert_back(&self) -> Result<()> {
        let (control, client) = (Control::start(), self.snmpd.client());
        let healthy = clock::wall();
        wait::until("the registration", SOON, || client.get(ROUTER_ID).map_err(|error| error.to_string()))?;
        let back = clock::wall();
        let stalled = control.stop().within(healthy, back);
        let took = back.saturating_sub(healthy);
        assert!(
            took < BACK_WITHIN + stalled,
            "back after {took:?}, of which the machine stalled {stalled:?}"
        );
        Ok(())
    }

    /// Open file descriptors and resident memory in KiB of the daemon and its children.
    fn holds(&self) -> (usize, u64) {
        let process = self.router.process();
        let pids = || [process.pid()].into_iter().chain(process.children());
        let open = |pid: i32| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().count();
        (pids().map(open).sum(), pids().map(resident).sum())
    }

    /// What happened in all runs, in its order.
    fn happened(&self) -> Vec<Entered> {
        [&self.earlier[..], &logged(&self.router)].concat()
    }

    /// SIGKILL once the journal has everything, and a new run until it is MASTER again.
    fn kill_and_start(&mut self) -> Result<()> {
        let (happened, journal) = (self.happened().len() as u64, self.router.dir().join("pid.transitions"));
        wait::until("the journal to have everything", SOON, || {
            let image = fs::read(&journal).map_err(|error| error.to_string())?;
            let found = Ring::recover(&image).map_err(|error| error.to_string())?;
            let last = found.records.last().map(|record| record.number);
            if last >= Some(happened) { Ok(()) } else { Err(format!("{last:?} of {happened}")) }
        })?;
        self.router.kill9();
        self.earlier = self.happened();
        let router = Router::start(&steadfast(), &self.lan["alpha"], "alpha", &self.config)?;
        self.router = Arc::new(router);
        self.router.wait_entering("VI", State::Master, SOON)?;
        self.router.wait_entering("FLAP", State::Master, SOON).map(drop)
    }

    /// Everything that happened has arrived: the daemon has sent it in its order, nothing again that it had an answer for, and
    /// what came twice had none. Returns how many came twice.
    ///
    /// The link flaps on, so this holds only between two of its flaps; what is wrong once stays wrong.
    fn all_told(&self) -> Result<usize> {
        wait::until("everything that happened to be told, and nothing else", SOON, || {
            let happened = self.happened();
            let passages = self.link.passages();
            let count = told(&passages, &happened)?;
            if count < happened.len() {
                return Err(format!("{count} of {} told", happened.len()));
            }
            let arrived = scene::told(&self.trapd.traps_of(STATE_CHANGE));
            match arrived.len().checked_sub(happened.len()) {
                Some(twice) if explain(&passages, &arrived) => Ok(twice),
                _ => Err(format!("{arrived:?} arrived of {passages:?}")),
            }
        })
    }
}

fn pass(span: Duration) -> Result<()> {
    wait::throughout("the time", span, || Ok(()))
}

/// FAULT, BACKUP, MASTER.
fn flap(lan: &Lan, router: &Router) -> Result<()> {
    let (alpha, mark) = (&lan["alpha"], router.mark());
    alpha.link_down("va1")?;
    router.wait_entering_since(mark, "FLAP", State::Fault, SOON)?;
    alpha.link_up("va1")?;
    router.wait_entering_since(mark, "FLAP", State::Master, SOON).map(drop)
}

/// The same again and again until the end.
fn keep_flapping(lan: &Lan, router: &Router, ended: &AtomicBool) -> Result<()> {
    while !ended.load(Ordering::Relaxed) {
        flap(lan, router)?;
        pass(Duration::from_millis(300))?;
    }
    Ok(())
}

/// Says that it is over, also when a test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn chaos_around_snmpd_loses_delays_and_repeats_nothing() -> Result<()> {
    let _alone = alone();
    let (minutes, seed) = (from_env("CHAOS_MINUTES", 2), from_env("CHAOS_SEED", 1));
    println!("CHAOS_MINUTES={minutes} CHAOS_SEED={seed}");
    let mut scene = Scene::start(seed)?;
    scene.assert_back()?;
    let walk = format!(
        "while sleep 0.3; do snmpbulkwalk -v2c -c public -Cr20 -t 1 -r 0 -On 127.0.0.1 {KEEPALIVED} | tail -n 1; done"
    );
    let walks = scene.lan["alpha"].spawn("walks", &["sh", "-c", &walk])?;
    let cadence = Cadence::start(&scene.lan["beta"], "vb0", 51, INTERVAL)?;
    let (lan, router) = (Arc::clone(&scene.lan), Arc::clone(&scene.router));
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let flaps = scope.spawn(|| keep_flapping(&lan, &router, &ended));
        let end = Ends(&ended);
        rounds(&mut scene, Duration::from_secs(60 * minutes))?;
        drop(end);
        flaps.join().unwrap()
    })?;
    let twice = scene.all_told()?;
    walks.kill();
    cadence.assert_kept()?;
    assert_eq!(scene.standby.entries("VI", State::Master), 0, "the standby took over");
    println!("{} transitions, {twice} told twice", logged(&scene.router).len());
    Ok(())
}

/// All troubles in an order of chance, again and again.
fn rounds(scene: &mut Scene, span: Duration) -> Result<()> {
    let began = clock::now();
    let mut held = None;
    while began.elapsed() < span || logged(&scene.router).len() < TRANSITIONS {
        let mut left = TROUBLES.to_vec();
        while !left.is_empty() {
            let trouble = left.swap_remove(scene.random.index(left.len()));
            scene.suffer(trouble)?;
            scene.assert_back()?;
            let calm = scene.random.duration(Duration::from_millis(800));
            pass(calm)?;
        }
        scene.all_told()?;
        let (open, resident) = scene.holds();
        println!("{open} file descriptors, {resident} KiB");
        let (open_at_first, resident_at_first) = *held.get_or_insert((open, resident));
        assert!(open <= open_at_first, "{open} file descriptors after {open_at_first}");
        assert!(resident <= resident_at_first + GROWTH_KIB, "{resident} KiB after {resident_at_first}");
    }
    Ok(())
}

#[test]
fn whenever_the_daemon_is_killed_the_next_one_tells_what_it_could_not() -> Result<()> {
    let _calm = calm();
    let (minutes, seed) = (from_env("CHAOS_MINUTES", 2), from_env("CHAOS_SEED", 1));
    println!("CHAOS_MINUTES={minutes} CHAOS_SEED={seed}");
    let mut scene = Scene::start(seed)?;
    scene.assert_back()?;
    scene.all_told()?;
    for round in 1..=3 * minutes {
        // Nobody takes a notification, in one way or another.
        let way = scene.random.below(3);
        match way {
            0 => scene.snmpd.kill(),
            1 => scene.link.remove(),
            _ => scene.link.set(Manner::Silent)?,
        }
        for _ in 0..=scene.random.below(2) {
            for _ in 0..=scene.random.below(4) {
                flap(&scene.lan, &scene.router)?;
            }
            scene.kill_and_start()?;
        }
        match way {
            0 => scene.snmpd.restart()?,
            1 => scene.link.restore(),
            _ => scene.link.set(Manner::Plain)?,
        }
        scene.assert_back()?;
        let twice = scene.all_told()?;
        println!("round {round}: {} transitions, {twice} told twice", scene.happened().len());
    }
    Ok(())
}
