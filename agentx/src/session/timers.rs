//! The session's deadlines, one of each kind.

use std::time::Duration;

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The next attempt to connect.
    Retry,
    /// The end of the present one.
    Connect,
    /// The oldest request becomes overdue: the session is unresponsive.
    Overdue,
    /// A request that later ones overtook counts as lost.
    Lost,
    /// The end of all patience with an unanswered request.
    Patience,
    /// Nothing was heard for a while: time for a Ping.
    Idle,
    /// Refused regions are registered again.
    Register,
    /// A region is in doubt: time to ask whether the master still holds it.
    Check,
    /// The end of waiting for the answer to our Close.
    Close,
}

impl Timer {
    const ALL: [Self; 9] = [
        Self::Retry,
        Self::Connect,
        Self::Overdue,
        Self::Lost,
        Self::Patience,
        Self::Idle,
        Self::Register,
        Self::Check,
        Self::Close,
    ];
}

/// A table of deadlines.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Duration>; Timer::ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: impl Into<Option<Duration>>) {
        self.0[timer as usize] = at.into();
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops and returns one timer whose deadline is not after `now`.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<Timer> {
        let expired =
            Timer::ALL.into_iter().find(|&timer| self.0[timer as usize].is_some_and(|at| at <= now))?;
        self.stop(expired);
        Some(expired)
    }
}
