//! What one line of a block makes of another, as far as the tree alone shows it: names that nobody defines, ports that do
//! not match, settings that take one another's place.
//!
//! These rules only report; what a block comes to is decided by the rest of `resolve`.

mod checker;
mod garp;
mod global;
mod interface;
mod service;
mod tracker;

use super::Context;
use crate::config::{Diagnostic, Prose, Severity, Span, tree::Node};

/// Applies every rule to a whole configuration, from top to bottom.
pub(super) fn check(nodes: &[Node], context: &mut Context<'_>) {
    let mut names = tracker::Names::default();
    let mut paced = garp::Paced::default();
    let groups = service::Groups::of(nodes);
    for node in nodes {
        match node.keyword.name {
            "global_defs" => global::check(node, context),
            "vrrp_instance" => {
                interface::check(node, context);
                names.check(node, context);
            }
            "vrrp_sync_group" => {
                interface::tracked(node, None, context);
                names.check(node, context);
            }
            "garp_group" => paced.check(node, context),
            "virtual_server" => service::check(node, &groups, context),
            _ => names.define(node, context),
        }
    }
}

/// The last line of a word in a block, which is the one that counts.
fn last<'a>(block: &'a Node, word: &str) -> Option<&'a Node> {
    block.nodes().iter().rfind(|node| node.keyword.name == word)
}

fn error(id: &'static str, headline: impl Into<Prose>, at: &Span) -> Diagnostic {
    Diagnostic::new(id, Severity::Error, headline, at)
}
