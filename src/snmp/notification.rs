//! What a notification carries.

use agentx::{Notification, Oid, Value, VarBind};

use crate::{
    registry::{Rejection, State, Subject, Topology, Transition},
    snmp::{KEEPALIVED, Parts, Snapshot, check, instance, rfc},
    units::Time,
};

/// KEEPALIVED-MIB::vrrpInstanceStateChange, below [`KEEPALIVED`].
const INSTANCE_STATE_CHANGE: [u32; 4] = [2, 10, 0, 2];
/// KEEPALIVED-MIB::vrrpSyncGroupStateChange, below [`KEEPALIVED`].
const GROUP_STATE_CHANGE: [u32; 4] = [2, 10, 0, 1];
/// KEEPALIVED-MIB::routerId.0, below [`KEEPALIVED`].
const ROUTER_ID: [u32; 3] = [1, 2, 0];
/// KEEPALIVED-MIB::vrrpInstanceEntry, below [`KEEPALIVED`].
const INSTANCE_ENTRY: [u32; 3] = [2, 3, 1];
/// KEEPALIVED-MIB::vrrpSyncGroupEntry, below [`KEEPALIVED`].
const GROUP_ENTRY: [u32; 3] = [2, 1, 1];

/// STEADFAST-MIB::steadfast, below [`KEEPALIVED`]: an arc that keepalived has nothing at.
pub(super) const STEADFAST: u32 = 1000;
/// STEADFAST-MIB::steadfastNotificationsLost, below [`KEEPALIVED`].
const NOTIFICATIONS_LOST: [u32; 3] = [STEADFAST, 0, 1];
/// STEADFAST-MIB::steadfastLostCount.0, below [`KEEPALIVED`].
const LOST_COUNT: [u32; 4] = [STEADFAST, 1, 1, 0];
/// STEADFAST-MIB::steadfastLostTotal.0, below [`KEEPALIVED`].
const LOST_TOTAL: [u32; 4] = [STEADFAST, 1, 2, 0];

/// Of a notification that is not on its way yet.
const NO_ID: u64 = 0;

/// The OID of steadfastNotificationsLost.
pub(super) fn lost() -> Oid {
    under(&NOTIFICATIONS_LOST)
}

/// steadfastNotificationsLost: so many in this place, and so many since the daemon started.
pub(super) fn of_loss(topology: &Topology, at: Time, (count, total): (u64, u64)) -> Notification {
    let varbinds = vec![
        VarBind::new(under(&LOST_COUNT), Value::Gauge32(count.try_into().unwrap_or(u32::MAX))),
        // It wraps, as a Counter32 does.
        VarBind::new(
            under(&LOST_TOTAL),
            Value::Counter32(u32::try_from(total & u64::from(u32::MAX)).unwrap_or(0)),
        ),
        VarBind::new(under(&ROUTER_ID), Value::text(&topology.global.router_id)),
    ];
    Notification { id: NO_ID, at: at.0, trap_oid: lost(), varbinds }
}

/// What a transition is told by: the notification of KEEPALIVED-MIB, then those of the RFC's MIBs, each where its MIB is
/// served.
pub(super) fn of_transition(snapshot: &Snapshot, parts: Parts, transition: &Transition) -> Vec<Notification> {
    let mut told = Vec::new();
    match &transition.subject {
        Subject::Service { .. } | Subject::Server { .. } => {
            let notification =
                |(trap_oid, varbinds)| Notification { id: NO_ID, at: transition.at.0, trap_oid, varbinds };
            told.extend(
                check::notification(snapshot, transition).filter(|_| parts.checker).map(notification),
            );
            return told;
        }
        _ if parts.vrrp => told.extend(state_change(snapshot, transition)),
        _ => {}
    }
    if let (Some(row), State::Master) = (snapshot.instance_of(transition), transition.change.to) {
        let v2 = parts.rfc_v2.then(|| rfc::new_master_v2(snapshot, row.index)).flatten();
        let v3 = parts.rfc_v3.then(|| rfc::new_master_v3(snapshot, row.index)).flatten();
        let notification =
            |(trap_oid, varbinds)| Notification { id: NO_ID, at: transition.at.0, trap_oid, varbinds };
        told.extend(v2.into_iter().chain(v3).map(notification));
    }
    told
}

/// What a packet that was refused is told by, if a MIB that is served has a notification for it.
pub(super) fn of_rejection(snapshot: &Snapshot, parts: Parts, rejection: &Rejection) -> Option<Notification> {
    let v2 = parts.rfc_v2.then(|| rfc::authentication_failure(snapshot, rejection)).flatten();
    let v3 = || parts.rfc_v3.then(|| rfc::protocol_error(snapshot, rejection)).flatten();
    let (trap_oid, varbinds) = v2.or_else(v3)?;
    Some(Notification { id: NO_ID, at: rejection.at.0, trap_oid, varbinds })
}

/// vrrpInstanceStateChange or vrrpSyncGroupStateChange with its objects in the order that trap receivers rely on. The
/// columns carry the row's index, so that an NMS can match them with the table (RFC 2578 §8.1); keepalived's do not.
fn state_change(topology: &Topology, transition: &Transition) -> Option<Notification> {
    let state = Value::Integer(transition.change.to.notified());
    let has_index = !topology.global.settings.snmp_compat;
    let cell = |entry: &[u32], number, index| {
        let column = under(entry).child(number);
        if has_index { column.child(index) } else { column }
    };
    let (trap, mut varbinds) = match &transition.subject {
        Subject::Instance { index, name } => {
            let column = |number| cell(&INSTANCE_ENTRY, number, *index);
            // It may be configured at another place by now, or not at all any more.
            let row = topology.instance_of(transition);
            let initial = row.map_or(State::Stop, |row| instance::initial_state(row)).shown();
            let varbinds = vec![
                VarBind::new(column(2), Value::text(name)),
                VarBind::new(column(4), state),
                VarBind::new(column(5), Value::Integer(initial)),
            ];
            (INSTANCE_STATE_CHANGE, varbinds)
        }
        Subject::Group { index, name } => {
            let column = |number| cell(&GROUP_ENTRY, number, *index);
            let varbinds = vec![VarBind::new(column(2), Value::text(name)), VarBind::new(column(3), state)];
            (GROUP_STATE_CHANGE, varbinds)
        }
        // Servers are told by other notifications.
        Subject::Configuration | Subject::Daemon | Subject::Service { .. } | Subject::Server { .. } => {
            return None;
        }
    };
    varbinds.push(VarBind::new(under(&ROUTER_ID), Value::text(&topology.global.router_id)));
    Some(Notification { id: NO_ID, at: transition.at.0, trap_oid: under(&trap), varbinds })
}

fn under(suffix: &[u32]) -> Oid {
    suffix.iter().fold(Oid::from(KEEPALIVED), |oid, sub| oid.child(*sub))
}
