//! The sockets that advertisements come and go through: one per interface and family, and one more that hears
//! authentication headers where they are expected.

use std::{future::poll_fn, net::IpAddr, sync::Arc, task::Poll};

use super::{
    REPAIR_INTERVAL,
    opener::{Opener, Opening, Order, Wanted},
};
use crate::{
    kernel::{ReceiveBuffer, VrrpSocket, raw::Hears},
    units::{Family, IfIndex, Time},
};

/// The sockets that are open or are to be.
#[derive(Debug)]
pub(super) struct Sockets {
    opener: Opener,
    known: Vec<Listening>,
    /// Sockets ordered until now.
    serial: u64,
}

/// How far a socket, and what is to be heard through it, is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It can be used.
    Open,
    /// It is being opened.
    Awaited,
    /// The kernel refused, in its words. It is asked again.
    Refused(String),
}

#[derive(Debug)]
struct Listening {
    serial: u64,
    name: String,
    key: (IfIndex, Family),
    hears: Hears,
    buffer: ReceiveBuffer,
    socket: Option<Arc<VrrpSocket>>,
    /// The groups that it is to join.
    wanted: Vec<IpAddr>,
    /// The groups that it has joined.
    joined: Vec<IpAddr>,
    /// An order is on its way.
    is_ordered: bool,
    /// What came of the last order, if it was refused, and until when it is not repeated.
    refused: Option<(String, Time)>,
}

impl Access {
    /// How far both are there.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(why), _) | (_, Self::Refused(why)) => Self::Refused(why),
            (Self::Awaited, _) | (_, Self::Awaited) => Self::Awaited,
            (Self::Open, Self::Open) => Self::Open,
        }
    }
}

impl Sockets {
    /// None yet.
    pub(super) fn new(opener: Opener) -> Self {
        Self { opener, known: Vec::new(), serial: 0 }
    }

    /// Has the socket of an interface of that name opened, with that receive buffer, and `group` joined on it; once is
    /// enough for either. What came of it is brought to [`take`](Self::take).
    pub(super) fn listen(
        &mut self,
        (name, now): (&str, Time),
        key: (IfIndex, Family),
        hears: Hears,
        group: Option<IpAddr>,
        buffer: impl FnOnce(&str) -> ReceiveBuffer,
    ) -> Access {
        let place = match self.known.iter().position(|known| known.is(key, hears)) {
            Some(place) => place,
            None => {
                self.serial += 1;
                self.known.push(Listening::new((self.serial, name), key, hears, buffer(name)));
                self.known.len() - 1
            }
        };
        let listening = &mut self.known[place];
        if listening.name != name {
            name.clone_into(&mut listening.name);
        }
        if let Some(group) = group.filter(|group| !listening.wanted.contains(group)) {
            listening.wanted.push(group);
        }
        if listening.socket.is_some() && group.is_none_or(|group| listening.joined.contains(&group)) {
            return Access::Open;
        }
        if listening.may_order(now) {
            listening.order(&self.opener, now);
        }
        listening.refused.as_ref().map_or(Access::Awaited, |(why, _)| Access::Refused(why.clone()))
    }

    /// Takes in what came of an order, and returns the interface.
    pub(super) fn take(&mut self, opening: Opening, now: Time) -> Option<IfIndex> {
        let Opening { serial, socket, joined, failure } = opening;
        let Some(listening) = self.known.iter_mut().find(|known| known.serial == serial) else {
            // The interface went away meanwhile.
            self.dispose(socket);
            return None;
        };
        listening.is_ordered = false;
        listening.socket = socket.or(listening.socket.take());
        listening.joined.extend(joined);
        listening.refused = failure.map(|why| (why, now + REPAIR_INTERVAL));
        // Others have asked for groups since.
        if listening.may_order(now) && listening.missing().next().is_some() {
            listening.order(&self.opener, now);
        }
        Some(listening.key.0)
    }

    /// Whether an order is on its way.
    pub(super) fn is_waiting(&self) -> bool {
        self.known.iter().any(|listening| listening.is_ordered)
    }

    /// Joins all groups of a family anew on an interface that may have forgotten them.
    pub(super) fn join_again(&self, key: (IfIndex, Family)) {
        for listening in self.known.iter().filter(|listening| listening.key == key) {
            if let Some(socket) = listening.socket.clone().filter(|_| !listening.joined.is_empty()) {
                self.opener.order(Order::JoinAgain(socket, listening.joined.clone()));
            }
        }
    }

    /// Closes the sockets of an interface that is gone.
    pub(super) fn close(&mut self, index: IfIndex) {
        for gone in self.known.extract_if(.., |listening| listening.key.0 == index) {
            dispose(&self.opener, gone.socket);
        }
    }

    fn dispose(&self, socket: Option<Arc<VrrpSocket>>) {
        dispose(&self.opener, socket);
    }

    /// The socket that packets of a family leave an interface by, if it is open.
    pub(super) fn get(&self, key: (IfIndex, Family)) -> Option<&VrrpSocket> {
        self.known.iter().find(|listening| listening.is(key, Hears::Vrrp))?.socket.as_deref()
    }

    /// How many places there are for [`at`](Self::at).
    pub(super) fn places(&self) -> usize {
        self.known.len()
    }

    /// The socket at a place in the list if it is open, for whoever drains them all.
    pub(super) fn at(&self, place: usize) -> Option<&VrrpSocket> {
        self.known.get(place)?.socket.as_deref()
    }

    /// Waits until a packet is there to be read from any socket. Cancelling it loses nothing.
    pub(super) async fn readable(&self) {
        poll_fn(|context| {
            let mut open = self.known.iter().filter_map(|listening| listening.socket.as_ref());
            if open.any(|socket| socket.poll_readable(context).is_ready()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// Has a socket closed by the thread that may wait for it.
fn dispose(opener: &Opener, socket: Option<Arc<VrrpSocket>>) {
    if let Some(socket) = socket {
        opener.order(Order::Close(socket));
    }
}

impl Listening {
    fn new((serial, name): (u64, &str), key: (IfIndex, Family), hears: Hears, buffer: ReceiveBuffer) -> Self {
        Self {
            serial,
            name: name.to_owned(),
            key,
            hears,
            buffer,
            socket: None,
            wanted: Vec::new(),
            joined: Vec::new(),
            is_ordered: false,
            refused: None,
        }
    }

    fn is(&self, key: (IfIndex, Family), hears: Hears) -> bool {
        self.key == key && self.hears == hears
    }

    fn missing(&self) -> impl Iterator<Item = IpAddr> {
        self.wanted.iter().copied().filter(|group| !self.joined.contains(group))
    }

    fn may_order(&self, now: Time) -> bool {
        !self.is_ordered && self.refused.as_ref().is_none_or(|(_, until)| *until <= now)
    }

    fn order(&mut self, opener: &Opener, now: Time) {
        let wanted = Wanted {
            serial: self.serial,
            name: self.name.clone(),
            index: self.key.0,
            family: self.key.1,
            hears: self.hears,
            buffer: self.buffer,
            socket: self.socket.clone(),
            groups: self.missing().collect(),
        };
        self.is_ordered = opener.order(Order::Open(wanted));
        if !self.is_ordered {
            let why = "the thread that opens it has ended".to_owned();
            self.refused = Some((why, now + REPAIR_INTERVAL));
        }
    }
}
