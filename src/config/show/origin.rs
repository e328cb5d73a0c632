//! Where the value of a word comes from when a block does not have it: a block around it, `global_defs`, the tables.

use crate::config::{
    Span,
    keywords::{Block, Keyword},
    tree::Node,
};

/// A block and the lines it has.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) block: &'static Block,
    pub(super) nodes: &'a [Node],
}

/// The lines of every `global_defs` block, and the blocks around a line, outermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) global: &'a [&'a Node],
    pub(super) around: &'a [Frame<'a>],
}

/// A value that is not written where it holds.
pub(super) struct Origin {
    /// What a file would have behind the word.
    pub(super) value: String,
    /// Where it is written; `None` for a default.
    pub(super) at: Option<Span>,
}

/// Whether a line is of a word, or of another spelling of it.
pub(super) fn is_of(node: &Node, word: &str) -> bool {
    node.keyword.name == word || node.keyword.same_as == word
}

/// The value of a word that the innermost block does not have; `None` when there is none.
pub(super) fn of(keyword: &Keyword, scope: Scope<'_>) -> Option<Origin> {
    let own = scope.around.last()?;
    let written = |from: &str, word: &str| match from {
        "" => last(own.nodes.iter(), word),
        "global_defs" => last(scope.global.iter().copied(), word),
        _ => {
            let frame = scope.around.iter().rfind(|frame| frame.block.name == from)?;
            last(frame.nodes.iter(), word)
        }
    };
    if let Some(origin) = keyword.inherits.iter().find_map(|(from, word)| written(from, word)) {
        return Some(origin);
    }
    let default = own.block.default(keyword);
    match own.block.keyword(default) {
        // The default is the value of another word.
        Some(other) => written("", other.name).or_else(|| of(other, scope)),
        None => (!default.is_empty()).then(|| Origin { value: default.to_owned(), at: None }),
    }
}

/// The value of the last line of a word.
fn last<'a>(mut nodes: impl DoubleEndedIterator<Item = &'a Node>, word: &str) -> Option<Origin> {
    nodes.rfind(|node| node.valid && is_of(node, word)).and_then(line_value)
}

fn line_value(node: &Node) -> Option<Origin> {
    let mut words = node.line.words(1).map(|word| word.text).collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        let flag = if node.keyword.bare.is_empty() { "on" } else { node.keyword.bare };
        flag.clone_into(&mut words);
    }
    Some(Origin { value: words, at: Some(node.span()) })
}
