//! `FILE_CHECK`: the number in a tracked file, as the weight of a server or as a word on whether it may serve.

use super::Outcome;
use crate::config::settings::Weight;

/// A product of this or less takes the server out, as keepalived has it; one above it leaves the weight at 0 at the least.
const FAULT: i64 = i32::MIN as i64;

/// What a number says of a server; `None` for one that keepalived does not take, which leaves things as they are.
///
/// Without weight any number but 0 takes the server out, and `reverse` turns that round. Else number times weight is what
/// it adds.
pub fn of_number(number: i64, weight: Weight) -> Option<Outcome> {
    let number = i64::from(i32::try_from(number).ok()?);
    if weight.value == 0 {
        let well = (number == 0) != weight.reverse;
        let failed = || Outcome::Failed(format!("the file holds {number}"));
        return Some(if well { Outcome::Passed { adds: 0 } } else { failed() });
    }
    let factor = i64::from(weight.value);
    let adds = number * if weight.reverse { -factor } else { factor };
    Some(match adds {
        ..=FAULT => Outcome::Failed(format!("the file holds {number}, which comes to {adds}")),
        _ => Outcome::Passed { adds },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64, value: i32, reverse: bool) -> Option<i64> {
        match of_number(number, Weight { value, reverse }).unwrap() {
            Outcome::Passed { adds } => Some(adds),
            Outcome::Failed(_) => None,
            Outcome::Untold(why) => panic!("{why}"),
        }
    }

    #[test]
    fn without_weight_it_decides() {
        assert_eq!([0, 1, -5].map(|number| of(number, 0, false)), [Some(0), None, None]);
        assert_eq!([0, 1, -5].map(|number| of(number, 0, true)), [None, Some(0), Some(0)]);
    }

    #[test]
    fn with_one_it_is_multiplied_and_only_the_lowest_products_take_a_server_out() {
        assert_eq!((of(5, 2, false), of(5, 2, true), of(-300, 1, false)), (Some(10), Some(-10), Some(-300)));
        assert_eq!(of(2_147_483_647, 2_147_483_647, false), Some(2_147_483_647 * 2_147_483_647));
        assert_eq!(
            (of(-1_073_741_824, 2, false), of(-1_073_741_823, 2, false)),
            (None, Some(-2_147_483_646))
        );
    }

    #[test]
    fn a_number_that_is_no_int_says_nothing() {
        assert_eq!(of_number(3_000_000_000, Weight { value: 1, reverse: false }), None);
    }
}
