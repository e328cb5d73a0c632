//! What the registry shows of the session with the AgentX master: as the session says, whenever that changes.

use std::sync::Arc;

use agentx::{Link, Status};
use tokio::sync::watch;

use crate::{
    registry::{AgentState, AgentStatus, Registry},
    units::Time,
};

/// Shows readers how the session is doing, until it is over. What is counted goes on from the sessions before it.
pub(super) async fn show(registry: Arc<Registry>, master: String, mut status: watch::Receiver<Status>) {
    let before = registry.agent.status();
    loop {
        let now = *status.borrow_and_update();
        registry.agent.set_status(shown(&now, &master, before.as_deref()));
        if status.changed().await.is_err() {
            return;
        }
    }
}

fn shown(status: &Status, master: &str, before: Option<&AgentStatus>) -> AgentStatus {
    let state = match status.link {
        Link::Disconnected => AgentState::Disconnected,
        Link::Connecting => AgentState::Connecting,
        Link::Opening => AgentState::Opening,
        Link::Registering => AgentState::Registering,
        Link::Open if status.is_registered() => AgentState::Registered,
        Link::Open => AgentState::Degraded,
        Link::Unresponsive => AgentState::Unresponsive,
        Link::Closed => AgentState::Closed,
    };
    let before = |count: fn(&AgentStatus) -> u64| before.map_or(0, count);
    AgentStatus {
        master: master.to_owned(),
        state,
        since: Time(status.since),
        regions: status.regions,
        registered: status.registered,
        restored: before(|status| status.restored) + status.restored,
        sessions: before(|status| status.sessions) + status.sessions,
        error: status.lost_because.map(|because| because.to_string()),
        sent: before(|status| status.sent) + status.notifications.sent,
        repeated: before(|status| status.repeated) + status.notifications.repeated,
        acknowledged: before(|status| status.acknowledged) + status.notifications.accepted,
        given_up: before(|status| status.given_up) + status.notifications.given_up,
    }
}
