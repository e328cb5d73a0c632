//! Interfaces of an instance: those it tracks, and what excludes its own.

use super::{Context, error, last};
use crate::config::{resolve::instance, text::Word, tree::Node};

/// Rules of a `vrrp_instance`.
pub(super) fn check(node: &Node, context: &mut Context<'_>) {
    let own = last(node, "interface").and_then(Node::argument);
    tracked(node, own, context);
    if let (Some(own), Some(vrf)) = (own, last(node, "vrf")) {
        let headline = "vrf and interface exclude one another: vrf is ignored";
        context.add(
            error("vrf-and-interface", headline, &vrf.span())
                .info(format!("interface {} says already where the instance works", own.text))
                .help("keep one of the two lines; vrf is for unicast instances without interface"),
        );
    }
}

/// Interfaces in `track_interface` must exist, and the instance's own is tracked anyway.
pub(super) fn tracked(block: &Node, own: Option<Word<'_>>, context: &mut Context<'_>) {
    let excused = last(block, "dont_track_primary").is_some();
    let lists = block.nodes().iter().filter(|node| node.keyword.name == "track_interface");
    for name in lists.flat_map(Node::lines).map(|line| line.first()) {
        let is_own = own.is_some_and(|own| own.text == name.text);
        let exists = context.may_name_interface(name.text);
        if is_own && !exists {
            // Said at the interface line.
        } else if is_own && !excused {
            let headline = format!("{} is the instance's own interface: this line is ignored", name.text);
            context.add(
                error("own-interface", headline, &name.span())
                    .info("its failure always sends the instance to FAULT, so a weight would never count")
                    .help("remove the line, or add dont_track_primary to track it with a weight"),
            );
        } else if !exists {
            instance::report_no_interface(name, context);
        }
    }
}
