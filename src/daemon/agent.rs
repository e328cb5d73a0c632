//! What the registry shows of the session with the AgentX master: as the session says, whenever that changes.

use agentx::{Link, MasterAddress, Status};
use tokio::sync::watch;

use crate::{
    registry::{AgentState, AgentStatus, Registry},
    units::Time,
};

/// Shows readers how the session is doing, until it is over.
pub(super) async fn show(registry: &Registry, master: &MasterAddress, mut status: watch::Receiver<Status>) {
    loop {
        let now = *status.borrow_and_update();
        registry.agent.set_status(shown(&now, master));
        if status.changed().await.is_err() {
            return;
        }
    }
}

fn shown(status: &Status, master: &MasterAddress) -> AgentStatus {
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
    AgentStatus {
        master: master.to_string(),
        state,
        since: Time(status.since),
        regions: status.regions,
        registered: status.registered,
        restored: status.restored,
        sessions: status.sessions,
        error: status.lost_because.map(|because| because.to_string()),
        sent: status.notifications.sent,
        repeated: status.notifications.repeated,
        acknowledged: status.notifications.accepted,
        given_up: status.notifications.given_up,
    }
}
