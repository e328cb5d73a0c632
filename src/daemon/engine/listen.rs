//! How routers come to their sockets, which another thread opens: a router that has none yet waits, silently.

use super::{Engine, REPAIR_INTERVAL, opener::Opening, sockets::Access};
use crate::{
    kernel::clock,
    registry::Reason,
    units::{IfIndex, Time},
    vrrp::Auth,
};

impl Engine {
    /// Has the sockets of all routers opened before any of them starts.
    pub(super) fn open_sockets(&mut self, now: Time) {
        for number in 0..self.routers.len() {
            let transport = self.routers[number].row.config.transport();
            if let Some(index) = self.interfaces.named(transport).map(|interface| interface.link.index) {
                self.listen(number, index, now);
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
