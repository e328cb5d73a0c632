//! Two instances must not be the same virtual router to the network.

use super::Context;
use crate::config::{Diagnostic, Instance, Severity};

/// Reports instances that share interface and VRID and could hear one another. One VRID may serve two instances of an
/// interface when one is multicast and the other unicast, or when their unicast peers differ.
pub(super) fn check(instances: &mut [Instance], context: &mut Context<'_>) {
    for (index, second) in instances.iter().enumerate() {
        let Some(first) = instances[..index].iter().find(|first| clash(first, second)) else {
            continue;
        };
        let headline = format!(
            "{} and {} both use virtual_router_id {} on {}",
            first.name, second.name, second.vrid, second.interface
        );
        context.add(
            Diagnostic::new("duplicate-vrid", Severity::Refused, headline, &second.at)
                .info(format!("{} is defined at line {}; each would take the other's advertisements for its own router's", first.name, first.at.line))
                .help("give one of them another virtual_router_id, here and on its peers"),
        );
    }
}

fn clash(a: &Instance, b: &Instance) -> bool {
    a.interface == b.interface
        && a.vrid == b.vrid
        && a.peers.is_empty() == b.peers.is_empty()
        && (a.peers.is_empty() || a.peers.iter().any(|peer| b.peers.contains(peer)))
}
