//! How regularly the fast router advertises.

use std::time::Duration;

use lab::Result;

use crate::{FAST, support::sniffer::Sniffer};

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a place in a list"
)]
fn place(length: usize, part: f64) -> usize {
    ((length as f64 - 1.0) * part).round() as usize
}

/// Distances between the advertisements of the fast router, in ms, sorted.
pub(crate) struct Gaps(Vec<f64>);

impl Gaps {
    /// What was heard of it.
    pub(crate) fn of(sniffer: Sniffer) -> Result<Self> {
        let heard = sniffer.stop()?;
        let times: Vec<Duration> =
            heard.iter().filter(|heard| heard.router().1 == FAST).map(|heard| heard.at).collect();
        let mut gaps: Vec<f64> =
            times.windows(2).map(|pair| (pair[1].saturating_sub(pair[0])).as_secs_f64() * 1e3).collect();
        gaps.sort_by(f64::total_cmp);
        Ok(Self(gaps))
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The one that this part of them does not exceed.
    pub(crate) fn at(&self, part: f64) -> f64 {
        self.0.get(place(self.0.len(), part)).copied().unwrap_or(f64::NAN)
    }
}
