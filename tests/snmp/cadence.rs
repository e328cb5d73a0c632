//! Whether advertisements leave on time, told apart from whether the machine ran anybody at all.
//!
//! The bound is never loosened. But a machine that other programs keep busy stalls everybody now and then, and a
//! late advertisement says nothing about the daemon if a thread that only wakes up every other millisecond was late
//! in the same moment. Such threads, one bound to each processor, are the [`Control`]; what they saw is subtracted.

use std::{
    collections::BTreeMap,
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

/// A time in which the thread of a processor did not run although it was due; since the epoch.
#[derive(Debug, Clone, Copy)]
struct Stall {
    processor: usize,
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
                stalls(processor, &stopped)
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
fn stalls(processor: usize, stopped: &Receiver<()>) -> Vec<Stall> {
    let mut stalls = Vec::new();
    loop {
        let from = clock::wall();
        if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            return stalls;
        }
        let to = clock::wall();
        if to.saturating_sub(from) > TICK + NOTICEABLE {
            stalls.push(Stall { processor, from, to });
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
        Ok(late(&times, self.interval, &stalls))
    }
}

/// The gaps that are longer than `interval` by more than the tolerance. From when an advertisement was due, the time
/// in which the machine ran nobody on the processor that was worst off does not count.
fn late(times: &[Duration], interval: Duration, stalls: &[Stall]) -> Vec<String> {
    let gaps = times.windows(2).map(|pair| (pair[0] + interval, pair[1]));
    gaps.filter_map(|(due, came)| {
        let mut stalled: BTreeMap<usize, Duration> = BTreeMap::new();
        stalls.iter().for_each(|stall| {
            *stalled.entry(stall.processor).or_default() += stall.within(due, came);
        });
        let stalled = stalled.into_values().max().unwrap_or_default();
        let late = came.saturating_sub(due);
        (late > TOLERANCE + stalled).then(|| {
            format!("{late:?} late, due at {due:?}; in that time the machine stalled for {stalled:?}")
        })
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
fn a_gap_is_late_unless_the_machine_stalled_when_it_was_due() {
    let ms = Duration::from_millis;
    let interval = ms(100);
    let stall = |processor, from, to| Stall { processor, from: ms(from), to: ms(to) };
    assert_eq!(late(&[ms(1000), ms(1119), ms(1200)], interval, &[]).len(), 0);
    // 50 ms late.
    let times = [ms(1000), ms(1100), ms(1250), ms(1350)];
    assert_eq!(late(&times, interval, &[]).len(), 1);
    assert_eq!(late(&times, interval, &[stall(0, 1210, 1250)]).len(), 0);
    assert_eq!(late(&times, interval, &[stall(0, 1200, 1215), stall(0, 1220, 1240)]).len(), 0);
    // Two processors at once are no longer stall, and what came before it was due delayed nothing.
    assert_eq!(late(&times, interval, &[stall(0, 1200, 1220), stall(1, 1220, 1240)]).len(), 1);
    assert_eq!(late(&times, interval, &[stall(0, 1150, 1220)]).len(), 1);
    assert_eq!(late(&times, interval, &[stall(0, 1300, 1340)]).len(), 1);
}
