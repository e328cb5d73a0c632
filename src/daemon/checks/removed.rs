//! What a reload has removed that the lane cannot follow, told by the rows alone: machines in an unknown state are not asked.

use std::{collections::HashMap, sync::Arc};

use tracing::error;

use crate::{
    config::{plan, settings::Names},
    kernel::clock,
    registry::{Change, Reason, Registry, State, Subject, Topology, VirtualServerRow},
    units::Priority,
};

/// Tells of the servers and services that were up before and are no more. Whoever was told of one already, by a lane that got
/// as far as that, hears of it again: nobody is left to believe that it still serves.
pub(super) fn tell(registry: &Registry, before: &Topology, now: &Topology) {
    let next: HashMap<usize, _> = now.virtual_servers.iter().map(|row| (row.identity(), row)).collect();
    for row in &before.virtual_servers {
        let next = next.get(&row.identity()).copied();
        if next.is_none_or(|next| !Arc::ptr_eq(row, next)) {
            tell_of_service(registry, row, next.map(AsRef::as_ref));
        }
    }
}

/// Tells of one service, or of those of its servers that it has no more.
fn tell_of_service(registry: &Registry, row: &VirtualServerRow, next: Option<&VirtualServerRow>) {
    let names = Names::new(&row.config);
    let kept = next.map_or_else(Vec::new, |next| plan::kept_servers(&row.config, &next.config));
    let stays = |place: usize| kept.iter().flatten().any(|kept| kept.before == place);
    let of = &names.service;
    for (place, (server, name)) in row.servers.iter().zip(&names.servers).enumerate() {
        let Ok(number) = u32::try_from(place) else { return };
        if server.status().alive && !stays(place) {
            error!("{name} of VS {of} was removed by a reload that its checks do not get over");
            let (name, of) = (name.clone(), of.clone());
            publish(registry, Subject::Server { service: row.index, place: number, name, of });
        }
    }
    if next.is_none() && row.status().has_quorum {
        error!("VS {of} was removed by a reload that its checks do not get over");
        publish(registry, Subject::Service { index: row.index, name: of.clone() });
    }
}

fn publish(registry: &Registry, subject: Subject) {
    let change = Change { from: State::Up, to: State::Down, reason: Reason::Deleted, priority: Priority(0) };
    registry.transitions.publish(clock::now(), clock::wall(), subject, change);
}
