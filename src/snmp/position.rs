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

/// The index and the row that [`seek`] finds among `rows`.
pub(super) fn row<Row: Clone>(rows: &[Row], after: &[u32], include: bool) -> Option<(Vec<u32>, Row)> {
    let index = seek(rows.len(), after, include)?;
    Some((vec![index], rows.get(index as usize - 1)?.clone()))
}

/// The first pair of positions after the index `after` (or at it, with `include`), where `count(outer)` is how
/// many rows the outer position has. A run of outer rows without inner ones is stepped over.
pub(super) fn seek_nested(
    outer_count: usize,
    count: impl Fn(u32) -> usize,
    after: &[u32],
    include: bool,
) -> Option<(u32, u32)> {
    let inner = |outer, after: &[u32], include| seek(count(outer), after, include);
    seek_outer(1, outer_count, inner, after, include)
}

/// The same where the outer positions begin with 0, below which is what belongs to no outer row.
pub(super) fn seek_below_any(
    outer_count: usize,
    count: impl Fn(u32) -> usize,
    after: &[u32],
    include: bool,
) -> Option<(u32, u32)> {
    let inner = |outer, after: &[u32], include| seek(count(outer), after, include);
    seek_outer(0, outer_count, inner, after, include)
}

/// The same with another list below each inner position: `count(outer, middle)` long.
pub(super) fn seek_deep(
    outer_count: usize,
    middle_count: impl Fn(u32) -> usize,
    count: impl Fn(u32, u32) -> usize,
    after: &[u32],
    include: bool,
) -> Option<(u32, u32, u32)> {
    let inner = |outer, after: &[u32], include| {
        seek_nested(middle_count(outer), |middle| count(outer, middle), after, include)
    };
    let (outer, (middle, inner)) = seek_outer(0, outer_count, inner, after, include)?;
    Some((outer, middle, inner))
}

/// The first of the outer positions `first..=last` that `inner` finds something below.
fn seek_outer<T>(
    first: u32,
    last: usize,
    inner: impl Fn(u32, &[u32], bool) -> Option<T>,
    after: &[u32],
    mut include: bool,
) -> Option<(u32, T)> {
    let (mut outer, mut inner_after) = match after {
        [outer, rest @ ..] if *outer >= first => (*outer, rest),
        _ => (first, &[][..]),
    };
    while outer as usize <= last {
        if let Some(found) = inner(outer, inner_after, include) {
            return Some((outer, found));
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

            // The first outer position is 0 now.
            let pairs = || (0_u32..).zip(&counts).flat_map(|(outer, count)| (1..).take(*count).map(move |inner| (outer, inner)));
            let expected = pairs().find(|(outer, inner)| follows(&[*outer, *inner]));
            let count = |outer: u32| counts.get(outer as usize).copied().unwrap_or(0);
            prop_assert_eq!(seek_below_any(counts.len(), count, &after, include), expected);

            let deep = pairs().flat_map(|(outer, middle)| (1..=middle).map(move |inner| (outer, middle, inner)));
            let expected = deep.into_iter().find(|(outer, middle, inner)| follows(&[*outer, *middle, *inner]));
            let found = seek_deep(counts.len(), count, |_, middle| middle as usize, &after, include);
            prop_assert_eq!(found, expected);
        }
    }
}
