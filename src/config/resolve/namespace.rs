//! `net_namespace`: where the interfaces are that the rest of the file names.

use super::Context;
use crate::config::{Diagnostic, Severity, tree::Node};

/// Goes there before anything is looked up. The first line counts.
pub(super) fn enter(nodes: &[Node], context: &mut Context<'_>) {
    let line = nodes.iter().find(|node| node.keyword.name == "net_namespace");
    let Some((line, name)) = line.and_then(|line| Some((line, line.argument()?))) else { return };
    if let Err(error) = context.env.enter_namespace(name.text) {
        let headline = format!("the network namespace {} cannot be entered: {error}", name.text);
        context.add(
            Diagnostic::new("no-namespace", Severity::Refused, headline, &line.span())
                .help("`ip netns` lists the namespaces; entering one needs CAP_SYS_ADMIN"),
        );
    }
}
