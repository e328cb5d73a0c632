//! The one place of the lab that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time, for deadlines.
#[expect(clippy::disallowed_methods, reason = "the lab's one reader of the monotonic clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall-clock time since the epoch: comparable with the time stamps of [`crate::pcap::Packet`] and
/// [`crate::monitor::Change`].
#[expect(clippy::disallowed_methods, reason = "the lab's one reader of the wall clock")]
pub fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
