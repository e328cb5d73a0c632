//! Finding a row in a sorted slice.

use std::cmp::Ordering;

/// The position of the first row of `rows` whose index comes after `after` (or equals it, with `include`).
///
/// `rows` is sorted by the index sub-identifiers that `index` tells of a row, without duplicates. An index of a
/// fixed number of sub-identifiers can be returned as an array, so that nothing is allocated.
pub fn seek_sorted<T, I: AsRef<[u32]>>(
    rows: &[T],
    after: &[u32],
    include: bool,
    index: impl Fn(&T) -> I,
) -> Option<usize> {
    seek_sorted_by(rows, include, |row| index(row).as_ref().cmp(after))
}

/// As [`seek_sorted`], for rows that own an index of any length: `compare` tells how a row's index compares with
/// the one to come after.
pub fn seek_sorted_by<T>(rows: &[T], include: bool, compare: impl Fn(&T) -> Ordering) -> Option<usize> {
    let comes_before = |row: &T| match compare(row) {
        Ordering::Less => true,
        Ordering::Equal => !include,
        Ordering::Greater => false,
    };
    let at = rows.partition_point(comes_before);
    (at < rows.len()).then_some(at)
}
