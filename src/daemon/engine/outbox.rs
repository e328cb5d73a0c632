//! Packets that wait to leave together: what is due at the same time goes out in one system call.

use std::{collections::BTreeSet, io, net::IpAddr, ops::Range};

use super::interfaces::Interfaces;
use crate::{
    kernel::raw,
    units::{Family, IfIndex},
    vrrp::Outgoing,
};

/// The packets, in the order in which they are to leave.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    letters: Vec<Letter>,
    /// The packets, one behind the other: thousands that wait at once, each in memory of its own, take longer to get and give
    /// back than to fill.
    bytes: Vec<u8>,
    /// Routers of which a refusal was told, and nothing was sent since.
    told: BTreeSet<usize>,
}

#[derive(Debug)]
struct Letter {
    router: usize,
    index: IfIndex,
    destination: IpAddr,
    /// Where its packet is in the bytes.
    packet: Range<usize>,
}

impl Letter {
    /// Which socket it leaves by.
    fn socket(&self) -> (IfIndex, Family) {
        (self.index, Family::of(self.destination))
    }
}

/// A packet that the kernel refused.
pub(super) struct Refusal {
    /// Whose packet it was.
    pub(super) router: usize,
    /// Where it was to go.
    pub(super) destination: IpAddr,
    /// Why it did not.
    pub(super) error: io::Error,
}

impl Outbox {
    /// Adds a packet of a router, to leave by an interface.
    pub(super) fn push(&mut self, router: usize, index: IfIndex, packet: &Outgoing) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&packet.packet);
        let packet_at = start..self.bytes.len();
        self.letters.push(Letter { router, index, destination: packet.destination, packet: packet_at });
    }

    /// Forgets of whom a refusal was told: they have other numbers after a reload.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// Sends everything, each run of packets of one interface and family together, and tells of refusals. A router whose
    /// refusal was accepted by `tell` has no other told before it has sent something.
    pub(super) fn flush(&mut self, interfaces: &Interfaces, mut tell: impl FnMut(Refusal) -> bool) {
        let Self { letters, bytes, told } = self;
        for run in letters.chunk_by(|one, next| one.socket() == next.socket()) {
            let Some(socket) = run.first().and_then(|letter| interfaces.sockets.get(letter.socket())) else {
                continue;
            };
            let packets: Vec<_> = run
                .iter()
                .map(|Letter { packet, destination, .. }| raw::Outgoing {
                    packet: &bytes[packet.clone()],
                    destination: *destination,
                })
                .collect();
            let mut refused = Vec::new();
            socket.send_many(&packets, |place, error| refused.push((place, error)));
            if !told.is_empty() {
                let is_refused = |place: usize| refused.iter().any(|(refused, _)| *refused == place);
                for (_, letter) in run.iter().enumerate().filter(|(place, _)| !is_refused(*place)) {
                    told.remove(&letter.router);
                }
            }
            for (place, error) in refused {
                let Letter { router, destination, .. } = run[place];
                if !told.contains(&router) && tell(Refusal { router, destination, error }) {
                    told.insert(router);
                }
            }
        }
        letters.clear();
        bytes.clear();
    }
}
