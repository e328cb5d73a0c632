//! Where the columns of tables have no cells, so that nobody looks there twice.

use std::collections::HashMap;

/// For each column the stretch without cells that was found last, in one snapshot.
///
/// A manager that reads a table row by row asks for the next cell of an empty column once per row, and each time the
/// answer lies behind all rows that are left.
#[derive(Debug, Default)]
pub(super) struct Gaps(HashMap<usize, Gap>);

/// No row that comes after an index (or at it) has the cell, up to the one at `to`, or the end.
#[derive(Debug)]
struct Gap {
    after: Vec<u32>,
    include: bool,
    to: Option<Vec<u32>>,
}

impl Gaps {
    /// Where the next cell after `index` (or at it, with `include`) is, when that is known: `Some(None)` for nowhere.
    pub(super) fn next<C>(&self, column: &'static C, index: &[u32], include: bool) -> Option<Option<&[u32]>> {
        let gap = self.0.get(&place(column))?;
        let begins = index > &gap.after[..] || index == &gap.after[..] && (gap.include || !include);
        let ends = gap.to.as_ref().is_some_and(|to| index >= &to[..]);
        (begins && !ends).then_some(gap.to.as_deref())
    }

    /// Notes that the next cell after `after` (or at it, with `include`) is at `to`, or nowhere.
    pub(super) fn note<C>(&mut self, column: &'static C, after: &[u32], include: bool, to: Option<&[u32]>) {
        let gap = Gap { after: after.to_vec(), include, to: to.map(<[u32]>::to_vec) };
        self.0.insert(place(column), gap);
    }
}

/// What tells a column from all others: where its declaration lies.
fn place<C>(column: &'static C) -> usize {
    std::ptr::from_ref(column).addr()
}
