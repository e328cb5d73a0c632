//! Whether advertisements leave on time, told apart from whether the machine ran anybody at all.
//!
//! The bound is never loosened. But a machine that other programs keep busy stalls everybody now and then, and a
//! late advertisement says nothing about the daemon if a thread that only wakes up every other millisecond was late
//! in the same moment. Such threads, one bound to each processor, are the [`Control`]; what they saw is subtracted.

use std::{
    panic::resume_unwind,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use lab::{Capture, Host, Lan, Result, Router, State, clock, pcap, wait};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::signal::Signal,
    unistd::Pid,
};

use crate::scene::{SOON, calm, instance, steadfast};

/// How often a control thread wakes up.
const TICK: Duration = Duration::from_millis(2);
/// A control thread that is late by less saw nothing worth keeping.
const NOTICEABLE: Duration = Duration::from_millis(3);
/// How much later than the interval an advertisement may leave.
const TOLERANCE: Duration = Duration::from_millis(20);

/// A time in which a thread that was due did not run; since the epoch.
#[derive(Debug, Clone, Copy)]
struct Stall {
    from: Duration,
    to: Duration,
}

impl Stall {
    /// How much of it lies between `from` and `to`.
    fn within(&self, from: Duration, to: Duration) -> Duration {
        self.to.min(to).saturating_sub(self.from.max(from))
    }
}

/// Threads that do nothing but notice that they were not run.
struct Control {
    threads: Vec<(Sender<()>, JoinHandle<Vec<Stall>>)>,
}

impl Control {
    #[expect(clippy::unwrap_used, reason = "a measurement without its control proves nothing")]
    fn start() -> Self {
        let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let processors = (0..CpuSet::count()).filter(|number| allowed.is_set(*number).unwrap_or(false));
        let start = |processor| {
            let (stop, stopped) = mpsc::channel();
            let thread = thread::spawn(move || {
                let mut only = CpuSet::new();
                only.set(processor).unwrap();
                sched_setaffinity(Pid::from_raw(0), &only).unwrap();
                stalls(&stopped)
            });
            (stop, thread)
        };
        Self { threads: processors.map(start).collect() }
    }

    fn stop(self) -> Vec<Stall> {
        let end = |(stop, thread): (Sender<()>, JoinHandle<Vec<Stall>>)| {
            drop(stop);
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        self.threads.into_iter().flat_map(end).collect()
    }
}

/// Wakes up again and again, until the other end of `stopped` is gone.
fn stalls(stopped: &Receiver<()>) -> Vec<Stall> {
    let mut stalls = Vec::new();
    loop {
        let due = clock::wall() + TICK;
        if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            return stalls;
        }
        let ran = clock::wall();
        if ran.saturating_sub(due) > NOTICEABLE {
            stalls.push(Stall { from: due, to: ran });
        }
    }
}

/// Watches the advertisements of one virtual router where they arrive, by the kernel's time stamps.
pub(crate) struct Cadence {
    capture: Capture,
    control: Control,
    vrid: u8,
    interval: Duration,
    started: Duration,
}

impl Cadence {
    /// From now on, on an interface of the receiving host.
    pub(crate) fn start(host: &Host, interface: &str, vrid: u8, interval: Duration) -> Result<Self> {
        let capture = Capture::start(host, interface, "ip proto 112")?;
        let started = clock::wall();
        Ok(Self { capture, control: Control::start(), vrid, interval, started })
    }

    /// Fails when at any moment since the start the last advertisement was older than interval and tolerance allow.
    pub(crate) fn assert_kept(self) -> Result<()> {
        let vrid = self.vrid;
        let late = self.late()?;
        assert!(late.is_empty(), "late advertisements of VRID {vrid}:\n{}", late.join("\n"));
        Ok(())
    }

    /// Ends the watch; the times for which the last advertisement was too old.
    fn late(self) -> Result<Vec<String>> {
        let ended = clock::wall();
        let packets = self.capture.stop()?;
        let stalls = self.control.stop();
        let adverts = pcap::vrrp(&packets).filter(|advert| advert.vrid() == self.vrid && advert.time < ended);
        // Silence at either end counts too.
        let mut times = vec![self.started];
        times.extend(adverts.map(|advert| advert.time));
        times.push(ended);
        Ok(late(&times, self.interval + TOLERANCE, &stalls))
    }
}

/// The gaps longer than `bound`, the machine's own longest stall in each taken off.
fn late(times: &[Duration], bound: Duration, stalls: &[Stall]) -> Vec<String> {
    let gaps = times.windows(2).map(|pair| (pair[0], pair[1]));
    gaps.filter_map(|(from, to)| {
        let gap = to.saturating_sub(from);
        let stalled = stalls.iter().map(|stall| stall.within(from, to)).max().unwrap_or_default();
        (gap > bound + stalled).then(|| format!("{gap:?} until {to:?}; the machine stalled for {stalled:?}"))
    })
    .collect()
}

#[test]
fn a_router_that_is_stopped_for_a_moment_is_late() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let config = "global_defs {\n  vrrp_version 3\n}\n".to_owned() + &instance("VI", "va0", 51, 200, "0.1");
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    router.wait_entering("VI", State::Master, SOON)?;
    let cadence = Cadence::start(&lan["beta"], "vb0", 51, Duration::from_millis(100))?;
    router.process().signal(Signal::SIGSTOP)?;
    wait::throughout("a stop", Duration::from_millis(250), || Ok(()))?;
    router.process().signal(Signal::SIGCONT)?;
    let late = cadence.late()?;
    assert!(!late.is_empty(), "nobody noticed");
    Ok(())
}

#[test]
fn a_gap_is_late_unless_the_machine_stalled_in_it() {
    let ms = Duration::from_millis;
    let times = [ms(1000), ms(1100), ms(1250), ms(1350)];
    assert_eq!(late(&times, ms(120), &[]).len(), 1);
    assert_eq!(late(&times, ms(150), &[]).len(), 0);
    let elsewhere = Stall { from: ms(1300), to: ms(1340) };
    assert_eq!(late(&times, ms(120), &[elsewhere]).len(), 1);
    let too_short = Stall { from: ms(1080), to: ms(1120) };
    assert_eq!(late(&times, ms(120), &[too_short]).len(), 1);
    let there = Stall { from: ms(1200), to: ms(1240) };
    assert_eq!(late(&times, ms(120), &[there]).len(), 0);
}
