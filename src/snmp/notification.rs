//! Transitions as SNMP notifications: a cursor in the stream that moves when the master has taken one.

use std::sync::Arc;

use agentx::{Delivery, Notification, Notifications, Oid, Value, VarBind};
use tokio::sync::watch;
use tracing::warn;

use crate::{
    registry::{Cursor, Registry, Subject, Topology, Transition},
    snmp::{KEEPALIVED, instance},
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

/// The transitions that the AgentX master has not taken yet.
#[derive(Debug)]
pub struct Pending {
    registry: Arc<Registry>,
    cursor: Cursor,
    /// Number of the newest transition that was shown.
    shown: u64,
    delivered: watch::Sender<u64>,
}

impl Pending {
    /// Everything since the start; the number of the newest one that was taken is written to `delivered`.
    pub fn new(registry: Arc<Registry>, delivered: watch::Sender<u64>) -> Self {
        Self { registry, cursor: Cursor::default(), shown: 0, delivered }
    }
}

impl Notifications for Pending {
    fn oldest(&mut self) -> Option<Notification> {
        let lost = self.cursor.catch_up(&self.registry.transitions);
        if lost > 0 {
            warn!("{lost} SNMP notifications were lost: the AgentX master was away for too many transitions");
        }
        let transition = loop {
            let next = self.cursor.peek(&self.registry.transitions)?;
            if next.change.is_move() {
                break next;
            }
            // Nothing that there is a notification for: it is delivered by being passed over.
            self.cursor.advance_past(next.seq);
            self.delivered.send_replace(next.seq);
        };
        self.shown = transition.seq;
        Some(notification(&self.registry.topology(), &transition))
    }

    // What the master did not accept has been logged where it was sent.
    fn acknowledge(&mut self, id: u64, _: Delivery) {
        self.cursor.advance_past(id);
        self.delivered.send_replace(id);
    }

    async fn changed(&mut self) {
        // What was shown already is no change.
        let ahead = (self.shown + 1).saturating_sub(self.cursor.position());
        self.cursor.ready(&self.registry.transitions, ahead).await;
    }
}

/// vrrpInstanceStateChange or vrrpSyncGroupStateChange with its objects in the order that trap receivers rely on. The
/// columns carry the row's index, so that an NMS can match them with the table (RFC 2578 §8.1).
fn notification(topology: &Topology, transition: &Transition) -> Notification {
    let state = Value::Integer(transition.change.to.notified());
    let (trap, mut varbinds) = match &transition.subject {
        Subject::Instance { index, name } => {
            let column = |number| under(&INSTANCE_ENTRY).child(number).child(*index);
            let row = topology.instances.get(*index as usize - 1);
            let initial = row.map(|row| instance::initial_state(row).shown());
            let varbinds = vec![
                VarBind::new(column(2), Value::text(name)),
                VarBind::new(column(4), state),
                VarBind::new(column(5), Value::Integer(initial.unwrap_or_default())),
            ];
            (INSTANCE_STATE_CHANGE, varbinds)
        }
        Subject::Group { index, name } => {
            let column = |number| under(&GROUP_ENTRY).child(number).child(*index);
            let varbinds = vec![VarBind::new(column(2), Value::text(name)), VarBind::new(column(3), state)];
            (GROUP_STATE_CHANGE, varbinds)
        }
    };
    varbinds.push(VarBind::new(under(&ROUTER_ID), Value::text(&topology.global.router_id)));
    Notification { id: transition.seq, at: transition.at.0, trap_oid: under(&trap), varbinds }
}

fn under(suffix: &[u32]) -> Oid {
    suffix.iter().fold(Oid::from(KEEPALIVED), |oid, sub| oid.child(*sub))
}
