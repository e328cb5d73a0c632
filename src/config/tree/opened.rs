//! The blocks around a line and where they were opened: how a `}` that is missing shows.

use crate::config::{
    Span,
    keywords::{self, Block},
    text::Text,
};

/// A block whose `}` has not come.
pub(super) struct Opened {
    /// What it holds.
    block: &'static Block,
    /// The line of its keyword.
    line: Text,
}

impl Opened {
    pub(super) fn new(block: &'static Block, line: &Text) -> Self {
        Self { block, line: line.clone() }
    }

    /// Its name and where it was opened, as a message about another place has it.
    pub(super) fn beside(&self, other: &Span) -> String {
        format!("{}, opened at {},", self.block.name, self.line.span().beside(other))
    }
}

/// Where a word that the innermost of the open blocks does not have is at home around it, and the blocks that would have
/// to be closed before it, outermost first. `None` when it is at home in none of those around it.
pub(super) fn unclosed_before<'a>(word: &str, open: &'a [Opened]) -> Option<(&'static str, &'a [Opened])> {
    let blocks = std::iter::once(keywords::ROOT).chain(open.iter().map(|opened| opened.block));
    let around: Vec<&'static Block> = blocks.take(open.len()).collect();
    let home = around.iter().rposition(|block| block.keyword(word).is_some())?;
    Some((around[home].name, &open[home..]))
}
