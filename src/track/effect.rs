//! What an observation means to one line that tracks it.

use crate::config::tracking::Tracked;

/// From here on downwards what a file asks for is FAULT; what it may add ends one below.
const FAULT: i64 = -254;
/// The most that a tracker adds.
const MOST: i64 = 253;

/// What a tracker has found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What it is.
    pub finding: Finding,
    /// The same in words that go on a name: "is down", "failed (exited with status 1)".
    pub detail: String,
}

/// What there is to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All is well: up, succeeded, as many as there should be.
    Healthy,
    /// It is not.
    Failed,
    /// A file's number.
    Number(i64),
}

/// What a tracker does to one router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// What it adds to the priority, -253..=253.
    pub weight: i32,
    /// Why it holds the router in FAULT, in the observation's words.
    pub fault: Option<String>,
}

/// What an observation means to a line.
///
/// Without weight it decides about FAULT: a failure, or a number other than 0, is one; `reverse` turns that round.
/// A positive weight counts while all is well, a negative one while it is not, and `reverse` turns the sign of what is
/// added. A number is multiplied with the weight: a product of -254 or less is FAULT, more than 253 counts as 253.
pub fn effect(line: &Tracked, seen: &Observation) -> Effect {
    let faults = |is_fault: bool| is_fault.then(|| seen.detail.clone());
    let weight = i64::from(line.weight);
    let signed = if line.reverse { -weight } else { weight };
    let added = match seen.finding {
        Finding::Healthy if weight > 0 => signed,
        Finding::Failed if weight < 0 => signed,
        Finding::Healthy | Finding::Failed => 0,
        Finding::Number(number) => number.saturating_mul(signed).min(MOST),
    };
    if weight == 0 {
        let healthy = matches!(seen.finding, Finding::Healthy | Finding::Number(0));
        return Effect { weight: 0, fault: faults(healthy == line.reverse) };
    }
    if added <= FAULT {
        return Effect { weight: 0, fault: faults(true) };
    }
    // Within -253..=253 by now.
    Effect { weight: i32::try_from(added).unwrap_or_default(), fault: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Place, tracking::Tracker};

    fn line(weight: i16, reverse: bool) -> Tracked {
        Tracked { name: "it".into(), tracker: Tracker::File(0), weight, reverse, at: Place::default() }
    }

    fn of(weight: i16, reverse: bool, finding: Finding) -> (i32, bool) {
        let seen = Observation { finding, detail: "so".into() };
        let effect = effect(&line(weight, reverse), &seen);
        assert!(effect.fault.as_ref().is_none_or(|fault| fault == "so"));
        (effect.weight, effect.fault.is_some())
    }

    #[test]
    fn a_weight_counts_on_its_own_side_and_reverse_turns_its_sign() {
        let table = [
            // weight, reverse, healthy, failed
            (10, false, 10, 0),
            (-10, false, 0, -10),
            (10, true, -10, 0),
            (-10, true, 0, 10),
        ];
        for (weight, reverse, healthy, failed) in table {
            assert_eq!(of(weight, reverse, Finding::Healthy), (healthy, false), "{weight} {reverse}");
            assert_eq!(of(weight, reverse, Finding::Failed), (failed, false), "{weight} {reverse}");
        }
    }

    #[test]
    fn without_weight_it_decides_about_fault() {
        for (finding, healthy) in [
            (Finding::Healthy, true),
            (Finding::Failed, false),
            (Finding::Number(0), true),
            (Finding::Number(-7), false),
        ] {
            assert_eq!(of(0, false, finding), (0, !healthy), "{finding:?}");
            assert_eq!(of(0, true, finding), (0, healthy), "{finding:?}");
        }
    }

    #[test]
    fn a_number_is_multiplied_and_limited() {
        let table = [
            // weight, reverse, number, added, fault
            (2, false, 5, 10, false),
            (2, true, 5, -10, false),
            (-3, false, 4, -12, false),
            (1, false, -253, -253, false),
            (1, false, -254, 0, true),
            (-254, false, 1, 0, true),
            (254, false, 1, 253, false),
            (1, true, 300, 0, true),
            (1, true, -300, 253, false),
            (254, true, i64::MAX, 0, true),
            (254, false, i64::MAX, 253, false),
            (254, true, i64::MIN, 253, false),
        ];
        for (weight, reverse, number, added, fault) in table {
            assert_eq!(
                of(weight, reverse, Finding::Number(number)),
                (added, fault),
                "{weight} {reverse} {number}"
            );
        }
    }
}
