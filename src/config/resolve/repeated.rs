//! A setting that a block has twice: which line counts, and where the other one is.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::Context;
use crate::config::{
    Diagnostic, Severity, Span,
    keywords::{Keyword, Value},
    tree::Node,
};

/// Words that change how what is below them is read, and words that add to what is there.
const REPEATABLE: [&str; 9] = [
    "include_check",
    "random_seed",
    "script_user",
    "key",
    "listen",
    "community",
    "usm_user",
    "included",
    "excluded",
];

/// What has been said of the lines of a block.
#[derive(Default)]
struct Told {
    /// Lines that come too late, with their finding.
    ignored: HashMap<Span, usize>,
    /// Lines, by file, that set nothing because something is wrong with them.
    unusable: HashSet<(Arc<str>, usize)>,
}

/// Checks a block that has just been read, and the blocks in it; `findings` is how many there were before.
///
/// Where the first line counts this has been reported at the later one, which then names the first. Everywhere else the
/// last counts.
pub(super) fn check(block: &Node, findings: usize, context: &mut Context<'_>) {
    let mut told = Told::default();
    for (at, found) in context.report.diagnostics.iter().enumerate().skip(findings) {
        let Some(place) = &found.span else { continue };
        if found.id == "duplicate-setting" {
            told.ignored.insert(place.clone(), at);
        } else if found.severity >= Severity::Error {
            told.unusable.insert((Arc::clone(&place.file), place.line));
        }
    }
    lines(block, &told, context);
}

fn lines(block: &Node, told: &Told, context: &mut Context<'_>) {
    // Small blocks are looked through; none has so many settings that it matters.
    let mut seen: Vec<(&'static str, &Node)> = Vec::new();
    for node in block.nodes() {
        lines(node, told, context);
        let span = node.span();
        let line = (Arc::clone(&span.file), span.line);
        if !is_setting(node.keyword) || !node.valid || told.unusable.contains(&line) {
            continue;
        }
        let name = one_spelling(node.keyword);
        let Some(before) = seen.iter_mut().find(|(word, _)| *word == name) else {
            seen.push((name, node));
            continue;
        };
        let place = before.1.span().beside(&span);
        if let Some(found) = told.ignored.get(&span).and_then(|at| context.report.diagnostics.get_mut(*at)) {
            found.info = Some(format!("it is set at {place}, and that counts").into());
        } else if words(node).ne(words(before.1)) {
            let name = node.keyword.name;
            let headline = if name == "state" {
                format!("state is set again: MASTER counts, here or at {place}")
            } else {
                format!("{name} is set again: this line counts, not {place}")
            };
            context.add(
                Diagnostic::new("repeated-setting", Severity::Notice, headline, &span)
                    .help("keep one of the two lines"),
            );
            before.1 = node;
        }
    }
}

/// Whether the word holds one value, so that a second line of it takes the place of the first.
fn is_setting(keyword: &Keyword) -> bool {
    !matches!(keyword.value, Value::Flag | Value::Body(_) | Value::Lines(_))
        && !REPEATABLE.contains(&keyword.name)
}

fn one_spelling(keyword: &'static Keyword) -> &'static str {
    if keyword.same_as.is_empty() { keyword.name } else { keyword.same_as }
}

fn words(node: &Node) -> impl Iterator<Item = &str> {
    node.line.words(1).map(|word| word.text)
}
