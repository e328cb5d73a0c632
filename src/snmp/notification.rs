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
/// KEEPALIVED-MIB::routerId.0, below [`KEEPALIVED`].
const ROUTER_ID: [u32; 3] = [1, 2, 0];
/// KEEPALIVED-MIB::vrrpInstanceEntry, below [`KEEPALIVED`].
const INSTANCE_ENTRY: [u32; 3] = [2, 3, 1];

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
        let transition = self.cursor.peek(&self.registry.transitions)?;
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

/// vrrpInstanceStateChange with its objects in the order that trap receivers rely on. The columns carry the
/// row's index, so that an NMS can match them with the table (RFC 2578 §8.1).
fn notification(topology: &Topology, transition: &Transition) -> Notification {
    let Subject::Instance { index, name } = &transition.subject;
    let column = |number| under(&INSTANCE_ENTRY).child(number).child(*index);
    let initial = topology.instances.get(*index as usize - 1).map(|row| instance::initial_state(row).shown());
    Notification {
        id: transition.seq,
        at: transition.at.0,
        trap_oid: under(&INSTANCE_STATE_CHANGE),
        varbinds: vec![
            VarBind::new(column(2), Value::text(name)),
            VarBind::new(column(4), Value::Integer(transition.change.to.notified())),
            VarBind::new(column(5), Value::Integer(initial.unwrap_or_default())),
            VarBind::new(under(&ROUTER_ID), Value::text(&topology.global.router_id)),
        ],
    }
}

fn under(suffix: &[u32]) -> Oid {
    suffix.iter().fold(Oid::from(KEEPALIVED), |oid, sub| oid.child(*sub))
}
