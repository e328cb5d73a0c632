//! `bfd_instance` blocks.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::Context;
use crate::config::{Config, Diagnostic, Severity, Span};

/// Leaves out sessions without a neighbour, and those that are the same as an earlier one to the network. Returns their
/// names.
pub(super) fn check(config: &mut Config, context: &mut Context<'_>) -> HashSet<String> {
    let mut dropped = HashSet::new();
    let mut pairs: HashMap<(IpAddr, Option<IpAddr>), Span> = HashMap::new();
    config.bfd_instances.retain(|session| {
        let name = session.heading.name();
        let Some(neighbor) = session.neighbor_ip else {
            context.add(
                error(format!("bfd_instance {name} has no neighbor_ip: it is ignored"), &session.at)
                    .help("add neighbor_ip ADDRESS"),
            );
            dropped.insert(name.to_owned());
            return false;
        };
        if let Some(first) = pairs.get(&(neighbor, session.source_ip)) {
            let place = first.beside(&session.at);
            context.add(
                error(
                    format!("bfd_instance {name} has the neighbour and source of the one at {place}"),
                    &session.at,
                )
                .info("the second block is ignored")
                .help("remove it, or give it another source_ip"),
            );
            dropped.insert(name.to_owned());
            return false;
        }
        pairs.insert((neighbor, session.source_ip), session.at.clone());
        true
    });
    dropped
}

fn error(headline: String, at: &Span) -> Diagnostic {
    Diagnostic::new("unusable-session", Severity::Error, headline, at)
}
