//! KEEPALIVED-MIB::realServerStateChange and virtualServerQuorumStateChange.

use agentx::{Oid, Value, VarBind};

use super::{server, service};
use crate::{
    config::settings::Destination,
    registry::{State, Transition, VirtualServerRow},
    snmp::{KEEPALIVED, Snapshot, address_octets, address_type, integer, one_or_two, text, unsigned},
    units::Family,
};

/// realServerStateChange and virtualServerQuorumStateChange, below [`KEEPALIVED`].
const SERVER_STATE_CHANGE: [u32; 4] = [3, 5, 0, 1];
const QUORUM_STATE_CHANGE: [u32; 4] = [3, 5, 0, 2];
/// routerId.0.
const ROUTER_ID: [u32; 3] = [1, 2, 0];

/// The notification for a transition of a virtual server or a real server, its objects in the order that trap receivers rely
/// on. As in those of VRRP, columns carry the row's index unless `snmp_compat` asks for keepalived's way.
pub(in crate::snmp) fn notification(
    snapshot: &Snapshot,
    transition: &Transition,
) -> Option<(Oid, Vec<VarBind>)> {
    // One of an earlier run may not be configured any more.
    let (row, place) = snapshot.service_of(transition)?;
    let index = row.index;
    let has_index = !snapshot.global.settings.snmp_compat;
    let service_cell = |column| {
        let oid = under(&service::TABLE.entry[9..]).child(column);
        if has_index { oid.child(index) } else { oid }
    };
    let up = transition.change.to == State::Up;
    let mut varbinds = Vec::new();
    if let Some(place) = place {
        let server = row.config.real_server.get(place)?;
        // The sorry server is counted first.
        let number = u32::try_from(place).ok()? + 1 + u32::from(row.sorry.is_some());
        let cell = |column| {
            let oid = under(&server::TABLE.entry[9..]).child(column);
            if has_index { oid.child(index).child(number) } else { oid }
        };
        let address = server.heading.address;
        push(&mut varbinds, cell(3), address_type(address));
        push(&mut varbinds, cell(4), address_octets(address));
        push(&mut varbinds, cell(5), unsigned(server.heading.port));
        push(&mut varbinds, cell(6), one_or_two(up));
    }
    of_service(&mut varbinds, row, service_cell);
    if place.is_none() {
        push(&mut varbinds, service_cell(23), one_or_two(up));
        push(&mut varbinds, service_cell(22), unsigned(*row.config.quorum));
    }
    push(&mut varbinds, service_cell(21), unsigned(row.status().servers_up));
    push(&mut varbinds, service_cell(20), unsigned(row.servers.len()));
    varbinds.push(VarBind::new(under(&ROUTER_ID), Value::text(&snapshot.global.router_id)));
    let trap = if place.is_some() { SERVER_STATE_CHANGE } else { QUORUM_STATE_CHANGE };
    Some((under(&trap), varbinds))
}

/// Which virtual server it is.
fn of_service(varbinds: &mut Vec<VarBind>, row: &VirtualServerRow, cell: impl Fn(u32) -> Oid) {
    match &row.config.heading {
        Destination::Mark(mark) => {
            push(varbinds, cell(2), integer(1));
            push(varbinds, cell(4), unsigned(*mark));
        }
        Destination::Address(endpoint) => {
            push(varbinds, cell(2), integer(2));
            push(varbinds, cell(5), integer(if row.family == Family::V4 { 1 } else { 2 }));
            push(varbinds, cell(6), address_octets(endpoint.address));
            push(varbinds, cell(7), unsigned(endpoint.port));
        }
        Destination::Group(name) => {
            push(varbinds, cell(2), integer(3));
            push(varbinds, cell(3), text(name));
        }
    }
    push(varbinds, cell(8), service::protocol(row));
}

fn push(varbinds: &mut Vec<VarBind>, oid: Oid, value: Option<Value>) {
    varbinds.extend(value.map(|value| VarBind::new(oid, value)));
}

fn under(suffix: &[u32]) -> Oid {
    suffix.iter().fold(Oid::from(KEEPALIVED), |oid, sub| oid.child(*sub))
}
