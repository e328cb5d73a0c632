//! Lines that stand where they do not belong, because of a block that does not exist or a brace of no word.

use crate::config::keywords::Block;

/// What becomes of the lines that an unknown block or a stray brace puts where they do not belong: one finding stands for all.
pub(super) struct Astray {
    /// Where the report has it.
    pub(super) found: usize,
    /// The block around it, which its `}` ends.
    ends: &'static Block,
    /// How many blocks the unknown one is in.
    depth: usize,
    /// Its lines that are not read, and those behind it.
    inside: usize,
    behind: usize,
    /// Lines that the block around it takes for its own.
    pub(super) taken: usize,
    /// The last line that is not read.
    last: usize,
}

impl Astray {
    pub(super) fn new(found: usize, ends: &'static Block, depth: usize, last: usize) -> Self {
        Self { found, ends, depth, inside: 0, behind: 0, taken: 0, last }
    }

    /// Counts a line that is not read, within so many blocks.
    pub(super) fn count_unread(&mut self, depth: usize, line: usize) {
        let inside = depth > self.depth && self.behind == 0;
        *if inside { &mut self.inside } else { &mut self.behind } += 1;
        self.last = self.last.max(line);
    }

    /// What it cost, now that it is known.
    pub(super) fn costs(&self) -> Vec<String> {
        let Self { inside, behind, taken, last, .. } = *self;
        let ends = self.ends.name;
        let mut costs = Vec::new();
        if inside > 0 {
            costs.push(format!("{} of this block {} not read", lines(inside), are(inside)));
        }
        if taken > 0 {
            costs.push(format!("{} of it {} taken as {ends}'s own", lines(taken), are(taken)));
        }
        if behind > 0 {
            let (behind, verb) = (lines(behind), are(behind));
            costs.push(format!(
                "its }} ends {ends}, so {behind} behind it, up to line {last}, {verb} not read either"
            ));
        }
        costs
    }
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
