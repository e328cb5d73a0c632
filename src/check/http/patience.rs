//! How long a server may take for a page: each step, and all of them.

use std::time::Duration;

use crate::{check::tcp::Connect, kernel::clock, units::Time};

/// What there is of it. A timer for the whole try would be set and cancelled for every page, which takes more than to read the clock
/// before each step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For each step.
    pub(super) step: Duration,
    /// For all of them.
    pub(super) whole: Duration,
    since: Time,
}

impl Patience {
    /// That with a try that goes on from now.
    pub(super) fn new(connect: &Connect) -> Self {
        Self { step: connect.limit, whole: connect.longest(), since: clock::now() }
    }

    /// How long the next step may take; `None` when there is no time left.
    pub(super) fn next(self) -> Option<Duration> {
        let left = self.whole.saturating_sub(clock::now().since(self.since));
        (!left.is_zero()).then_some(left.min(self.step))
    }
}
