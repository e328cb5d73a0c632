//! Who of two routers is the better one: RFC 9568 §6.4 as arithmetic. How long a backup waits is in `units`.

use std::{cmp::Ordering, net::IpAddr};

use crate::units::Priority;

/// What a MASTER makes of another router's advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rival {
    /// It releases a mastership that it had.
    Released,
    /// It should give way: lower priority, or the same and a lower address.
    Worse,
    /// It has a higher priority.
    HigherPriority,
    /// It has the same priority and a higher address.
    HigherAddress,
}

/// Compares another router with ours, as a MASTER does (RFC 9568 §6.4.3 (6.4.3-10 to 6.4.3-13)): by priority, then by
/// the source address as an unsigned number. Nobody else has our address: whoever asks has ruled that out.
pub(super) fn rival(ours: (Priority, IpAddr), theirs: (Priority, IpAddr)) -> Rival {
    if theirs.0 == Priority::RELEASE {
        return Rival::Released;
    }
    match (theirs.0.cmp(&ours.0), theirs.1.cmp(&ours.1)) {
        (Ordering::Greater, _) => Rival::HigherPriority,
        (Ordering::Equal, Ordering::Greater) => Rival::HigherAddress,
        (Ordering::Equal | Ordering::Less, _) => Rival::Worse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_compare_as_unsigned_numbers() {
        let low = IpAddr::from([127, 255, 255, 255]);
        let high = IpAddr::from([128, 0, 0, 0]);
        let p = Priority(100);
        assert_eq!(rival((p, low), (p, high)), Rival::HigherAddress);
        assert_eq!(rival((p, high), (p, low)), Rival::Worse);
        assert_eq!(rival((p, high), (Priority(101), low)), Rival::HigherPriority);
        assert_eq!(rival((p, low), (Priority(99), high)), Rival::Worse);
        assert_eq!(rival((p, low), (Priority(0), high)), Rival::Released);
    }
}
