//! Two instances must not be the same virtual router to the network.

use std::{collections::HashMap, net::IpAddr};

use super::Context;
use crate::{
    config::{Diagnostic, Instance, Severity},
    units::Vrid,
};

/// Reports instances that share interface and VRID and could hear one another. One VRID may serve two instances of an
/// interface when one is multicast and the other unicast, or when their unicast peers differ.
pub(super) fn check(instances: &[Instance], context: &mut Context<'_>) {
    // The first instance that uses an interface, a VRID and a peer or multicast group, which has a family.
    let mut users: HashMap<(&str, Vrid, IpAddr), &Instance> = HashMap::new();
    for second in instances {
        let group = second.peers.is_empty().then_some(second.multicast_group);
        let peers = second.peers.iter().map(|peer| peer.address).chain(group);
        let keys: Vec<_> = peers.map(|peer| (second.interface.as_str(), second.vrid, peer)).collect();
        let first = keys.iter().find_map(|key| users.get(key).copied());
        for key in keys {
            users.entry(key).or_insert(second);
        }
        let Some(first) = first else { continue };
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
