//! Trackers: what is tracked must be defined above, and follow something. Scripts are looked at where they are resolved.

use std::collections::HashSet;

use super::{Context, error, last};
use crate::config::tree::Node;

/// A kind of block that instances and groups track.
struct Kind {
    /// The words that define one.
    defined: &'static [&'static str],
    /// The list that tracks it, in instances and in groups.
    list: &'static str,
    id: &'static str,
    /// What its block cannot do without, if that is looked at here.
    needs: Option<(&'static str, &'static str)>,
}

const KINDS: &[Kind] = &[
    Kind {
        defined: &["track_file", "vrrp_track_file"],
        list: "track_file",
        id: "unknown-track-file",
        needs: Some(("file", "file PATH")),
    },
    Kind {
        defined: &["vrrp_track_process"],
        list: "track_process",
        id: "unknown-track-process",
        needs: Some(("process", "process NAME")),
    },
    Kind { defined: &["bfd_instance"], list: "track_bfd", id: "unknown-bfd-instance", needs: None },
];

/// The names defined so far, by kind.
#[derive(Default)]
pub(super) struct Names<'a>([HashSet<&'a str>; KINDS.len()]);

impl<'a> Names<'a> {
    /// Remembers what a block defines. One that is not complete counts too: what is wrong is said at it, not at its users.
    pub(super) fn define(&mut self, node: &'a Node, context: &mut Context<'_>) {
        let word = node.keyword.name;
        let Some(at) = KINDS.iter().position(|kind| kind.defined.contains(&word)) else { return };
        let Some(name) = node.argument() else { return };
        self.0[at].insert(name.text);
        if let Some((needed, write)) = KINDS[at].needs
            && !last(node, needed).is_some_and(|line| line.valid)
        {
            let headline = format!("{word} {} has no {needed}: it is ignored", name.text);
            context.add(
                error("incomplete-block", headline, &node.span())
                    .info("who tracks it behaves as if it did not")
                    .help(format!("add {write}")),
            );
        }
    }

    /// Reports what an instance or a group tracks and nobody above defines.
    pub(super) fn check(&self, block: &Node, context: &mut Context<'_>) {
        for (kind, names) in KINDS.iter().zip(&self.0) {
            let lists = block.nodes().iter().filter(|node| node.keyword.name == kind.list);
            for name in lists.flat_map(Node::lines).map(|line| line.first()) {
                if names.contains(name.text) {
                    continue;
                }
                let (defined, name_of) = (kind.defined[0], block.keyword.name);
                let headline =
                    format!("there is no {defined} {} above this line: it is not tracked", name.text);
                context.add(
                    error(kind.id, headline, &name.span())
                        .info("a name must be defined before it is used")
                        .help(format!(
                            "define {defined} {} above this {name_of}, or correct the name",
                            name.text
                        )),
                );
            }
        }
    }
}
