//! Whether advertisements leave on time, told apart from whether the machine ran anybody at all.
//!
//! The bound is never loosened. But a machine that other programs keep busy stalls everybody now and then, and a
//! late advertisement says nothing about the daemon if a thread that only wakes up every other millisecond was late
//! in the same moment. Such threads, one bound to each processor, are the [`Control`]; what they saw is subtracted.

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use lab::{Capture, Host, Result, clock, pcap};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

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
    fn start() -> Self {
        let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let processors = (0..CpuSet::count()).filter(|number| allowed.is_set(*number).unwrap_or(false));
        let threads = processors
            .map(|processor| {
                let (stop, stopped) = mpsc::channel();
                let thread = thread::spawn(move || {
                    let mut only = CpuSet::new();
                    only.set(processor).unwrap();
                    sched_setaffinity(Pid::from_raw(0), &only).unwrap();
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
                });
                (stop, thread)
            })
            .collect();
        Self { threads }
    }

    fn stop(self) -> Vec<Stall> {
        let end = |(stop, thread): (Sender<()>, JoinHandle<Vec<Stall>>)| {
            drop(stop);
            thread.join().unwrap()
        };
        self.threads.into_iter().flat_map(end).collect()
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
        let ended = clock::wall();
        let packets = self.capture.stop()?;
        let stalls = self.control.stop();
        let adverts = pcap::vrrp(&packets).filter(|advert| advert.vrid() == self.vrid && advert.time < ended);
        // Silence at either end counts too.
        let mut times = vec![self.started];
        times.extend(adverts.map(|advert| advert.time));
        times.push(ended);
        let late = late(&times, self.interval + TOLERANCE, &stalls);
        assert!(late.is_empty(), "late advertisements of VRID {}:\n{}", self.vrid, late.join("\n"));
        Ok(())
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
