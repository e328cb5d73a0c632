//! The sockets that advertisements come and go through: one per interface and family, and one more that hears
//! authentication headers where they are expected.

use std::{future::poll_fn, io, net::IpAddr, task::Poll};

use tracing::warn;

use crate::{
    kernel::{VrrpSocket, error::describe, raw::Hears},
    units::{Family, IfIndex},
};

/// The open sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets(Vec<Listening>);

#[derive(Debug)]
struct Listening {
    socket: VrrpSocket,
    /// The groups that it has joined.
    groups: Vec<IpAddr>,
}

impl Listening {
    fn key(&self) -> (IfIndex, Family) {
        (self.socket.index(), self.socket.family())
    }

    fn hears(&self, key: (IfIndex, Family), hears: Hears) -> bool {
        self.key() == key && self.socket.hears() == hears
    }
}

impl Sockets {
    /// Opens the socket of an interface of that name, and joins `group` on it; once is enough for either.
    pub(super) fn listen(
        &mut self,
        name: &str,
        key: (IfIndex, Family),
        hears: Hears,
        group: Option<IpAddr>,
    ) -> io::Result<()> {
        let place = match self.0.iter().position(|listening| listening.hears(key, hears)) {
            Some(place) => place,
            None => {
                let socket = match hears {
                    Hears::Vrrp => VrrpSocket::open(name, key.0, key.1)?,
                    Hears::Authenticated => VrrpSocket::open_authenticated(name, key.0)?,
                };
                self.0.push(Listening { socket, groups: Vec::new() });
                self.0.len() - 1
            }
        };
        let listening = &mut self.0[place];
        if let Some(group) = group.filter(|group| !listening.groups.contains(group)) {
            listening.socket.join(group)?;
            listening.groups.push(group);
        }
        Ok(())
    }

    /// Joins all groups of a family anew on an interface that may have forgotten them.
    pub(super) fn join_again(&self, key: (IfIndex, Family)) {
        for listening in self.0.iter().filter(|listening| listening.key() == key) {
            for group in &listening.groups {
                if let Err(error) = listening.socket.join_again(*group) {
                    warn!("cannot join {group} on interface {}: {}", key.0, describe(&error));
                }
            }
        }
    }

    /// Closes the sockets of an interface that is gone.
    pub(super) fn close(&mut self, index: IfIndex) {
        self.0.retain(|listening| listening.socket.index() != index);
    }

    /// The socket that packets of a family leave an interface by, if it is open.
    pub(super) fn get(&self, key: (IfIndex, Family)) -> Option<&VrrpSocket> {
        let open = self.0.iter().find(|listening| listening.hears(key, Hears::Vrrp));
        open.map(|listening| &listening.socket)
    }

    /// The socket at a place in the list, for whoever drains them all.
    pub(super) fn at(&self, place: usize) -> Option<&VrrpSocket> {
        self.0.get(place).map(|listening| &listening.socket)
    }

    /// Waits until a packet is there to be read from any socket. Cancelling it loses nothing.
    pub(super) async fn readable(&self) {
        poll_fn(|context| {
            let ready = self.0.iter().any(|listening| listening.socket.poll_readable(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
