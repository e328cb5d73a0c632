//! Seeking rows whose index is their position in a list, counted from 1.

/// The first position in `1..=count` after the index `after` (or at it, with `include`).
pub(super) fn seek(count: usize, after: &[u32], include: bool) -> Option<u32> {
    let first = match after {
        [] => 1,
        [at] if include => (*at).max(1),
        // A longer index comes after the position it begins with.
        [at, ..] => at.checked_add(1)?,
    };
    (first as usize <= count).then_some(first)
}

/// The first pair of positions after the index `after` (or at it, with `include`), where `count(outer)` is how
/// many rows the outer position has. A run of outer rows without inner ones is stepped over.
pub(super) fn seek_nested(
    outer_count: usize,
    count: impl Fn(u32) -> usize,
    after: &[u32],
    include: bool,
) -> Option<(u32, u32)> {
    let (mut outer, mut inner_after) = match after {
        [] | [0, ..] => (1, &[][..]),
        [outer, rest @ ..] => (*outer, rest),
    };
    let mut include = include;
    while outer as usize <= outer_count {
        if let Some(inner) = seek(count(outer), inner_after, include) {
            return Some((outer, inner));
        }
        outer = outer.checked_add(1)?;
        inner_after = &[];
        include = true;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the definition: the smallest index that comes after.
        #[test]
        fn seek_is_the_smallest_index_that_follows(
            counts in prop::collection::vec(0_usize..4, 0..4),
            after in prop::collection::vec(0_u32..6, 0..4),
            include: bool,
        ) {
            let follows = |index: &[u32]| if include { index >= &after[..] } else { index > &after[..] };
            let outers = || (1_u32..).take(counts.len());
            let expected = outers().find(|at| follows(&[*at]));
            prop_assert_eq!(seek(counts.len(), &after, include), expected);

            let inners = |outer: u32| (1_u32..).take(counts[outer as usize - 1]).map(move |inner| (outer, inner));
            let expected = outers().flat_map(inners).find(|(outer, inner)| follows(&[*outer, *inner]));
            let count = |outer: u32| counts[outer as usize - 1];
            prop_assert_eq!(seek_nested(counts.len(), count, &after, include), expected);
        }
    }
}
