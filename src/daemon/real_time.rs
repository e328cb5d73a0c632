//! How the vrrp lane gets the processor before others: `vrrp_rt_priority` and its relatives; and, where it is asked for, the
//! check lane: `checker_rt_priority`.
//!
//! keepalived has a process for VRRP, here it is two threads, the engine and the one that carries its netlink requests.
//! With real-time scheduling they come before everything that has none, so a limit says how long they may work without
//! a pause. Where keepalived is killed for going beyond it, they are scheduled as usual for a second.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, warn};

use crate::{
    config::settings::GlobalDefs,
    kernel::{
        Deadline, KernelError, clock,
        schedule::{self, Hurry, Thread},
    },
    units::Time,
};

/// How long threads that worked too long are scheduled as usual.
const REST: Duration = Duration::from_secs(1);

/// What the words of each lane begin with.
const VRRP: &str = "vrrp";
const CHECKER: &str = "checker";

/// The scheduling of a lane's threads.
#[derive(Debug)]
pub(super) struct RealTime {
    /// What its words begin with.
    lane: &'static str,
    /// `vrrp_priority`.
    nice: i8,
    /// `vrrp_cpu_affinity`.
    processors: Vec<u16>,
    /// `vrrp_no_swap`.
    lock_memory: bool,
    /// `vrrp_rlimit_rttime`, in microseconds.
    limit: u64,
    /// `max_auto_priority`.
    max: u8,
    /// `min_auto_priority_delay`.
    lateness: Duration,
    /// The priority now: `vrrp_rt_priority` at first, 0 without.
    priority: AtomicU8,
    threads: Mutex<Vec<Thread>>,
}

impl RealTime {
    /// What the configuration asks for.
    pub(super) fn new(settings: &GlobalDefs) -> Self {
        Self {
            lane: VRRP,
            nice: i8::try_from(*settings.vrrp_priority).unwrap_or(0),
            processors: settings.vrrp_cpu_affinity.as_ref().map_or(Vec::new(), |cpus| cpus.0.clone()),
            lock_memory: settings.vrrp_no_swap,
            limit: u64::try_from(*settings.vrrp_rlimit_rttime).unwrap_or(u64::MAX),
            max: u8::try_from(*settings.max_auto_priority).unwrap_or(0),
            lateness: Duration::from_micros(u64::from(*settings.min_auto_priority_delay)),
            priority: AtomicU8::new(settings.vrrp_rt_priority.unwrap_or(0)),
            threads: Mutex::new(Vec::new()),
        }
    }

    /// What the configuration asks for the check lane (`checker_priority` and its relatives). The limit of real-time work is
    /// the process's: where both lanes have one, the larger counts.
    pub(super) fn of_checks(settings: &GlobalDefs) -> Self {
        let own = u64::try_from(*settings.checker_rlimit_rttime).unwrap_or(u64::MAX);
        let vrrp = Self::new(settings);
        let limit = if vrrp.priority() > 0 || vrrp.max > 0 { own.max(vrrp.limit) } else { own };
        Self {
            lane: CHECKER,
            nice: i8::try_from(*settings.checker_priority).unwrap_or(0),
            processors: settings.checker_cpu_affinity.as_ref().map_or(Vec::new(), |cpus| cpus.0.clone()),
            lock_memory: settings.checker_no_swap,
            limit,
            max: 0,
            lateness: Duration::ZERO,
            priority: AtomicU8::new(settings.checker_rt_priority.unwrap_or(0)),
            threads: Mutex::new(Vec::new()),
        }
    }

    /// What concerns the process as a whole.
    pub(super) fn begin(&self) {
        if self.lock_memory {
            self.report("no_swap", schedule::lock_memory());
        }
        if self.priority() > 0 || self.max > 0 {
            self.report("rlimit_rttime", schedule::limit_real_time(self.limit));
        }
        // Programs are started for everybody; who must not wait for that is the vrrp lane.
        if self.lane == VRRP {
            Hurry::allow(self.priority());
        }
    }

    fn report(&self, word: &str, outcome: Result<(), KernelError>) {
        report(&format!("{}_{word}", self.lane), outcome);
    }

    /// Makes the calling thread one of the lane's.
    pub(super) fn enter(&self) {
        let thread = Thread::current();
        if !self.processors.is_empty() {
            self.report("cpu_affinity", thread.set_processors(&self.processors));
        }
        // It means nothing to a real-time thread; keepalived leaves it, too.
        if self.nice != 0 && self.priority() == 0 {
            self.report("priority", thread.set_nice(self.nice));
        }
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        take_short_turns(thread);
        if self.priority() > 0 {
            self.report("rt_priority", thread.set_real_time(self.priority()));
        }
    }

    /// The lane looks at a deadline now: the later that is, the sooner it comes next time.
    pub(super) fn note(&self, due: Option<Time>, now: Time) {
        if self.max == 0 || due.is_none_or(|due| now.since(due) < self.lateness) {
            return;
        }
        let priority = self.priority();
        if priority < self.max {
            self.priority.store(priority + 1, Ordering::Relaxed);
            Hurry::allow(priority + 1);
            self.schedule(priority + 1);
        }
    }

    /// Follows the limit of real-time work, as long as it is polled.
    pub(super) async fn watch(&self) {
        let Ok(mut exceeded) = signal(SignalKind::from_raw(schedule::EXCEEDED)) else { return };
        let Ok(mut rest) = Deadline::new() else { return };
        let mut told = false;
        while exceeded.recv().await.is_some() {
            if self.priority() == 0 && self.max == 0 {
                // It was another lane.
                continue;
            }
            self.schedule(0);
            if !std::mem::replace(&mut told, true) {
                warn!(
                    "the {} lane worked for more than {} µs without a pause: it is scheduled as usual for a second, \
                     now and whenever that happens ({}_rlimit_rttime)",
                    self.lane, self.limit, self.lane
                );
            }
            if rest.set(Some(clock::now() + REST)).is_ok() {
                let _ = rest.expired().await;
            }
            self.schedule(self.priority());
        }
    }

    fn priority(&self) -> u8 {
        self.priority.load(Ordering::Relaxed)
    }

    fn schedule(&self, priority: u8) {
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            report("max_auto_priority", thread.set_real_time(priority));
        }
    }
}

/// A lane works for some microseconds at a time, and others should not be in the middle of their turns when it is due.
/// Nobody has asked for it, so nobody is told where a sandbox forbids it.
fn take_short_turns(thread: Thread) {
    if let Err(error) = thread.take_short_turns() {
        debug!("{error}");
    }
}

/// Without what the word asks for everything works, only not as well.
fn report(word: &str, outcome: Result<(), KernelError>) {
    if let Err(error) = outcome {
        warn!("{word} has no effect: {error}");
    }
}
