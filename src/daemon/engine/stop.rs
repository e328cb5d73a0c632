//! The end: all routers say farewell, then their addresses go, for as long as the kernel makes headway.

use std::time::Duration;

use super::{Engine, holder::Holder};
use crate::{
    daemon::tether::Word,
    kernel::{KernelError, clock},
    units::Time,
};

/// How long a stop waits for the kernel to remove any address at all. Thousands of them take their time on a busy
/// machine, and one that stays is on two hosts soon; but a kernel that does nothing must not keep the process.
const PATIENCE: Duration = Duration::from_secs(5);

impl Engine {
    /// Has every router leave. Others take over as soon as they hear priority 0, so all of them hear it before the first
    /// address goes.
    pub(super) fn shut_down(&mut self, now: Time) {
        self.take_pending_events();
        self.abandon_start();
        self.succession = None;
        self.stop_by = Some(now + PATIENCE);
        for number in 0..self.routers.len() {
            self.routers[number].machine.handle_shutdown(now, self.release);
            self.carry_out(number, now);
        }
        self.flush();
        self.synchroniser.stop();
        for number in 0..self.routers.len() {
            self.reconcile(Holder::Router(number), now);
        }
        // Also with `-V`, as in keepalived.
        self.remove_statics(now);
        self.reconcile(Holder::Departing, now);
    }

    /// The engine cannot go on: it leaves in order, and [`Self::run`] returns the error.
    pub(super) fn fail(&mut self, error: KernelError, now: Time) {
        self.failure = Some(error);
        if self.stop_by.is_none() {
            self.shut_down(now);
        }
    }

    /// Whether a stop is over: nothing is left to do, or nothing has come of it for too long.
    pub(super) fn stopped(&mut self) -> bool {
        let Some(mut stop_by) = self.stop_by else { return false };
        let now = clock::now();
        if self.work.take_headway() {
            stop_by = now + PATIENCE;
            self.stop_by = Some(stop_by);
            self.voice.say(Word::Stopping);
        }
        let repaired = self.repairs.next().is_none()
            && self.statics.repair_at.is_none()
            && self.departing.repair_at.is_none();
        let idle = self.work.is_idle() && self.deferred.is_empty() && repaired;
        idle || now >= stop_by
    }
}
