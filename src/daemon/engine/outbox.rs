//! Packets that wait to leave together: what is due at the same time goes out in one system call.

use crate::{
    kernel::raw,
    units::{Family, IfIndex},
    vrrp::Outgoing,
};

use super::interfaces::Interfaces;

/// The packets, in the order in which they are to leave.
#[derive(Debug, Default)]
pub(super) struct Outbox(Vec<Letter>);

#[derive(Debug)]
struct Letter {
    router: usize,
    index: IfIndex,
    packet: Outgoing,
}

impl Letter {
    /// Which socket it leaves by.
    fn socket(&self) -> (IfIndex, Family) {
        (self.index, Family::of(self.packet.destination))
    }
}

/// A packet that the kernel refused, or else took.
pub(super) struct Sent<'a> {
    /// Whose packet it was.
    pub(super) router: usize,
    /// Where it was to go.
    pub(super) packet: &'a Outgoing,
    /// Why it did not.
    pub(super) refusal: Option<std::io::Error>,
}

impl Outbox {
    /// Adds a packet of a router, to leave by an interface.
    pub(super) fn push(&mut self, router: usize, index: IfIndex, packet: Outgoing) {
        self.0.push(Letter { router, index, packet });
    }

    /// Sends everything, each run of packets of one interface and family together, and tells what became of each.
    pub(super) fn flush(&mut self, interfaces: &Interfaces, mut tell: impl FnMut(Sent<'_>)) {
        for run in self.0.chunk_by(|one, next| one.socket() == next.socket()) {
            let Some(socket) = run.first().and_then(|letter| interfaces.sockets.get(letter.socket())) else {
                continue;
            };
            let packets: Vec<_> = run
                .iter()
                .map(|Letter { packet, .. }| raw::Outgoing {
                    packet: &packet.packet,
                    destination: packet.destination,
                })
                .collect();
            let mut refusals: Vec<Option<std::io::Error>> = run.iter().map(|_| None).collect();
            socket.send_many(&packets, |position, error| refusals[position] = Some(error));
            for (letter, refusal) in run.iter().zip(refusals) {
                tell(Sent { router: letter.router, packet: &letter.packet, refusal });
            }
        }
        self.0.clear();
    }
}
