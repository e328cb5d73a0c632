//! What moves a priority: for now tracked scripts.
//!
//! The room holds machines only: a [`ScriptTracker`] says when to run its script, when to end it and what its
//! exits mean; whoever drives it starts processes and reads the clock. It may import [`crate::config`]'s
//! model, [`crate::registry`]'s row types and [`crate::units`].

mod script;

pub use self::script::{RunEnd, ScriptAction, ScriptTracker, Verdict};

use crate::config::TrackedScript;

/// What a tracked script with a weight adds to an instance's priority.
///
/// A positive weight counts while the script is healthy, a negative one while it is not; `reverse` turns the
/// sign of what is added (keyword `weight` of `track_script`). 0 for an unweighted script: that one decides
/// about FAULT, see [`faults`].
pub fn contribution(tracked: &TrackedScript, healthy: bool) -> i32 {
    let weight = i32::from(tracked.weight);
    let counts = if weight > 0 { healthy } else { !healthy };
    match (counts, tracked.reverse) {
        (false, _) => 0,
        (true, false) => weight,
        (true, true) => -weight,
    }
}

/// Whether a tracked script holds its instance in FAULT: one without weight that failed, or with `reverse`
/// one that succeeded.
pub fn faults(tracked: &TrackedScript, healthy: bool) -> bool {
    tracked.weight == 0 && healthy == tracked.reverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;

    fn tracked(weight: i16, reverse: bool) -> TrackedScript {
        TrackedScript { name: "chk".into(), script: 0, weight, reverse, at: Span::default() }
    }

    #[test]
    fn a_weight_counts_on_its_own_side_and_reverse_turns_its_sign() {
        let table = [
            // weight, reverse, healthy, failed
            (10, false, 10, 0),
            (-10, false, 0, -10),
            (10, true, -10, 0),
            (-10, true, 0, 10),
            (0, false, 0, 0),
        ];
        for (weight, reverse, healthy, failed) in table {
            let tracked = tracked(weight, reverse);
            assert_eq!(contribution(&tracked, true), healthy, "{weight} {reverse} healthy");
            assert_eq!(contribution(&tracked, false), failed, "{weight} {reverse} failed");
        }
    }

    #[test]
    fn only_an_unweighted_script_faults() {
        assert!(faults(&tracked(0, false), false));
        assert!(!faults(&tracked(0, false), true));
        assert!(faults(&tracked(0, true), true));
        assert!(!faults(&tracked(5, false), false));
    }
}
