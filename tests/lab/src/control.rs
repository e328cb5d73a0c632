//! Whether the machine ran anybody at all: what tells a late daemon from a busy machine.
//!
//! A bound on lateness is never loosened. But a machine that other programs keep busy stalls everybody now and then,
//! and a late packet says nothing about the daemon if a thread that only wakes up every other millisecond was late
//! in the same moment. Such threads, one bound to each processor, are the [`Control`]; what they saw, [`Stalls`],
//! is subtracted.

use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use crate::clock;

/// How often a control thread wakes up.
const TICK: Duration = Duration::from_millis(2);
/// A control thread that is late by less saw nothing worth keeping.
const NOTICEABLE: Duration = Duration::from_millis(3);
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
#[derive(Debug)]
pub struct Control {
    threads: Vec<(Sender<()>, JoinHandle<Vec<Stall>>)>,
}

impl Control {
    /// Watches from now on.
    ///
    /// # Panics
    /// When the system refuses threads or their affinity: a measurement without its control proves nothing.
    #[expect(clippy::unwrap_used, reason = "a measurement without its control proves nothing")]
    pub fn start() -> Self {
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

    /// Ends the watch.
    pub fn stop(self) -> Stalls {
        let end = |(stop, thread): (Sender<()>, JoinHandle<Vec<Stall>>)| {
            drop(stop);
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        Stalls(self.threads.into_iter().flat_map(end).collect())
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

/// The times in which the machine ran nobody.
#[derive(Debug, Default)]
pub struct Stalls(Vec<Stall>);

impl Stalls {
    /// For how long, between two points since the epoch, the processor that was worst off ran nobody.
    pub fn within(&self, from: Duration, to: Duration) -> Duration {
        let mut stalled: BTreeMap<usize, Duration> = BTreeMap::new();
        for stall in &self.0 {
            *stalled.entry(stall.processor).or_default() += stall.within(from, to);
        }
        stalled.into_values().max().unwrap_or_default()
    }

    /// Stalls as they would have been seen, each a processor with the beginning and the end: for tests of what is
    /// made of them.
    pub fn seen(stalls: &[(usize, Duration, Duration)]) -> Self {
        Self(stalls.iter().map(|&(processor, from, to)| Stall { processor, from, to }).collect())
    }
}
