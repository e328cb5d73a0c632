//! How routers come to their sockets, which another thread opens: a router that has none yet waits, silently.

use std::time::Duration;

use tracing::warn;

use super::{Engine, REPAIR_INTERVAL, observe::listed, opener::Opening, sockets::Access};
use crate::{
    kernel::clock,
    registry::Reason,
    units::{IfIndex, Time},
    vrrp::Auth,
};

/// How long a start waits for the sockets: whoever starts without one begins when it is there.
const OPENING_LIMIT: Duration = Duration::from_secs(1);

impl Engine {
    /// Has the sockets of all routers opened before any of them starts.
    pub(super) async fn open_sockets(&mut self) {
        let by = clock::now() + OPENING_LIMIT;
        for number in 0..self.routers.len() {
            let transport = self.routers[number].row.config.transport();
            if let Some(index) = self.interfaces.named(transport).map(|interface| interface.link.index) {
                self.listen(number, index, clock::now());
            }
        }
        while self.interfaces.sockets.is_waiting() && clock::now() < by {
            if let Err(error) = self.deadline.set(Some(by)) {
                warn!("cannot set the engine's timer: {error}");
                return;
            }
            tokio::select! {
                Some(opening) = self.openings.recv() => self.handle_opening(opening),
                event = self.events.next(), if self.listing.is_none() => self.handle_event(event),
                listed = listed(&mut self.listing) => self.handle_listed(listed),
                _ = self.deadline.expired() => {}
            }
        }
    }

    /// Takes in what came of an order to open a socket.
    pub(super) fn handle_opening(&mut self, opening: Opening) {
        let now = clock::now();
        let Some(index) = self.interfaces.sockets.take(opening, now) else { return };
        if let Some(name) = self.interfaces.at(index).map(|interface| interface.link.name.clone()) {
            self.refresh_users(&name, now);
        }
    }

    /// Has the sockets of a router's interface opened. What is refused is tried again soon.
    pub(super) fn listen(&mut self, number: usize, index: IfIndex, now: Time) -> Access {
        let config = &self.routers[number].row.config;
        let group = config.peers.is_empty().then_some(config.multicast_group);
        let is_authenticated = matches!(config.auth, Auth::Header(_));
        let access = self.interfaces.listen((index, config.family), is_authenticated, group, now);
        if matches!(access, Access::Refused(_)) {
            self.repairs.set(number, Some(now + REPAIR_INTERVAL));
        }
        access
    }

    /// What a router without a socket suffers from: a refusal, or that it has to wait.
    pub(super) fn socket_faults(&self, number: usize, access: Access) -> (Option<Reason>, Option<Reason>) {
        let interface = || self.routers[number].row.config.transport().to_owned();
        match access {
            Access::Open => (None, None),
            Access::Awaited => (None, Some(Reason::AwaitingSocket { interface: interface() })),
            Access::Refused(detail) => (Some(Reason::SocketFailed { interface: interface(), detail }), None),
        }
    }
}
