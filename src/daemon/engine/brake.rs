//! A bound on the log lines that received packets bring about, over all routers: each of them bounds its own, but there
//! may be hundreds, and whoever can send a packet to one can send to all.

use std::time::Duration;

use crate::units::{Allowance, Time};

/// Lines in a row: every router of a large configuration may have something to say of a change.
const BURST: u32 = 512;
/// From one line to the next after that.
const PACE: Duration = Duration::from_millis(100);

/// The bound.
#[derive(Debug)]
pub(super) struct Brake {
    allowance: Allowance,
    left_out: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Self { allowance: Allowance::new(BURST, PACE), left_out: 0 }
    }
}

impl Brake {
    /// Whether to write a line now; if so, how many were left out since the last one.
    pub(super) fn admit(&mut self, now: Time) -> Option<u64> {
        if self.allowance.take(now) {
            return Some(std::mem::take(&mut self.left_out));
        }
        self.left_out += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_a_burst_and_then_ten_lines_a_second_with_a_count() {
        let mut brake = Brake::default();
        let start = Time::from_secs(1000);
        let flood =
            |brake: &mut Brake, at: Time| (0..1000).filter_map(|_| brake.admit(at)).collect::<Vec<_>>();
        assert_eq!(flood(&mut brake, start), [0; 512]);
        assert!(flood(&mut brake, start + Duration::from_millis(50)).is_empty());
        // 488 of the first thousand, all of the second.
        assert_eq!(flood(&mut brake, start + Duration::from_millis(150)), [1488]);
        let lines: usize = (1..=100)
            .map(|round| flood(&mut brake, start + Duration::from_millis(150 + 100 * round)).len())
            .sum();
        assert_eq!(lines, 100, "in ten seconds");
        assert_eq!(flood(&mut brake, start + Duration::from_secs(3600)).len(), 512);
    }
}
