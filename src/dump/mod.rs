//! The registry in the layout of keepalived's dump files, which tools read that were written for it: `keepalived.data`
//! (SIGUSR1), `keepalived.stats` (SIGUSR2) and `keepalived.json`.
//!
//! What a tool looks for is where it looks: the headings of sections, the names before the equals signs, the depth of
//! indentation, the names in JSON. What only describes keepalived's own insides (descriptors, its sockets) is left out, and
//! no password is written. Text in, text out: who asks, and where the files are, is the daemon's business.
//!
//! It may use `config`, `registry` and `units`.

mod data;
mod json;
mod shown;
mod stats;

use std::time::{Duration, SystemTime};

use crate::{registry::Topology, units::Time};

pub use self::{
    json::{Form, json},
    stats::Baseline,
};

/// What is in a dump: the rows, and what their times mean.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The rows.
    pub topology: &'a Topology,
    /// Now, on the clock of the rows.
    pub now: Time,
    /// Now, by the calendar.
    pub wall: SystemTime,
    /// What the counters are counted from.
    pub baseline: &'a Baseline,
}

impl Moment<'_> {
    /// `keepalived.data`.
    pub fn data(&self) -> String {
        data::data(self)
    }

    /// `keepalived.stats`.
    pub fn stats(&self) -> String {
        stats::stats(self)
    }

    /// A time of a row as the time since the epoch.
    fn since_epoch(&self, at: Time) -> Duration {
        let ago = self.now.since(at);
        let wall = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        wall.saturating_sub(ago)
    }
}
