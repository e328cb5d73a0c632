//! `garp_group`: each interface is paced by one group, and a group paces something.

use std::collections::HashMap;

use super::{Context, error, last};
use crate::config::{Span, text::Word, tree::Node};

/// Where the interfaces so far are.
#[derive(Default)]
pub(super) struct Paced<'a>(HashMap<&'a str, Span>);

impl<'a> Paced<'a> {
    pub(super) fn check(&mut self, group: &'a Node, context: &mut Context<'_>) {
        if last(group, "garp_interval").or(last(group, "gna_interval")).is_none() {
            let headline = "this garp_group has no interval: it is ignored";
            context.add(
                error("incomplete-block", headline, &group.span())
                    .help("add garp_interval SECONDS, gna_interval SECONDS or both"),
            );
        }
        for node in group.nodes() {
            match node.keyword.name {
                "interface" => self.pace(node.argument(), context),
                "interfaces" => {
                    for word in node.lines().iter().flat_map(|line| line.words(0)) {
                        self.pace(Some(word), context);
                    }
                }
                _ => {}
            }
        }
    }

    fn pace(&mut self, interface: Option<Word<'a>>, context: &mut Context<'_>) {
        let Some(word) = interface else { return };
        if let Some(first) = self.0.get(word.text) {
            let place = first.beside(&word.span());
            let headline = format!("{} is already in the garp_group at {place}: it stays there", word.text);
            context.add(error("duplicate-member", headline, &word.span()).help("remove one of the two"));
            return;
        }
        self.0.insert(word.text, word.span());
    }
}
