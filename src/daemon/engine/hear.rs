//! Packets: whose they are, and what comes of them.

use tracing::{debug, info};

use super::{Engine, turn::PORTION};
use crate::{
    kernel::{VrrpSocket, clock},
    registry::Counter,
    units::IfIndex,
    vrrp::Addressee,
};

/// Packets taken from one socket before the timers of those that are not MASTER are looked at: more than its receive
/// buffer holds, so that everything that had arrived counts, and few enough to bound what a flood can delay.
const DRAIN: usize = 4096;

impl Engine {
    /// Takes what has arrived.
    pub(super) fn drain_sockets(&mut self) {
        if !self.has_started() {
            return;
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        for place in 0..self.interfaces.sockets.places() {
            let Some(index) = self.interfaces.sockets.at(place).map(VrrpSocket::index) else { continue };
            for taken in 1..=DRAIN {
                let socket = self.interfaces.sockets.at(place);
                let Some(Ok(packet)) = socket.map(|socket| socket.try_recv(&mut inbox)) else { break };
                self.handle_packet(index, packet);
                if taken % PORTION == 0 {
                    self.advertise();
                }
            }
        }
        self.inbox = inbox;
    }

    fn handle_packet(&mut self, index: IfIndex, packet: &[u8]) {
        let Some(addressee) = Addressee::of(packet) else { return };
        let Some(interface) = self.interfaces.at(index) else { return };
        let now = clock::now();
        let Some(number) = self.receivers.find(&interface.link.name, &addressee) else {
            self.registry.topology().count_unknown_vrid();
            if let Some(strangers) = &mut self.strangers
                && let Some(text) = strangers.note(now, &interface.link.name, &addressee)
            {
                info!("{text}");
            }
            return;
        };
        if interface.is_broadcast(addressee.destination) {
            // Whoever can send it reaches all hosts of the subnet; an advertisement is for its peer.
            self.routers[number].row.counters.add(Counter::AddressListError);
            if self.brake.admit(now).is_some() {
                debug!("packet from {} to a broadcast address rejected", addressee.source);
            }
            return;
        }
        let router = &mut self.routers[number];
        let believed = router.row.counters.value(Counter::AdvertReceived);
        router.machine.handle_packet(now, packet);
        if router.row.counters.value(Counter::AdvertReceived) != believed {
            router.row.note_heard(now);
        }
        self.tell_of_rejection(number, now);
        self.carry_out(number, now);
    }
}
