//! What the machines ask for, carried out: packets, addresses, gratuitous ARP, transitions, log lines.

use std::sync::Arc;

use tracing::{debug, info, warn};

use super::{
    Engine,
    work::{self, Done},
};
use crate::{
    kernel::{AddressInfo, clock},
    registry::{Change, State, Subject},
    units::{Priority, Time},
    vrrp::{self, Action, Level},
};

/// What only readers wait for.
enum News {
    Transition(Change),
    Log(vrrp::Log),
}

impl Engine {
    pub(super) fn handle_done(&mut self, done: Done) {
        let now = clock::now();
        let number = done.router;
        let router = &mut self.routers[number];
        router.working = false;
        let installing = done.installing;
        let mut complete = true;
        for (slot, outcome) in done.outcomes {
            match outcome {
                Ok(added) if installing => router.added(slot, added),
                Ok(_) => router.removed(slot),
                Err(error) => {
                    complete = false;
                    warn!("({}) {error}", router.row.config.name);
                    if installing {
                        router.added(slot, None);
                    }
                }
            }
        }
        if router.wants_addresses != installing {
            self.move_addresses(number);
        } else if installing {
            router.machine.handle_addresses_installed(now, complete);
        }
        self.carry_out(number, now);
    }

    /// Brings the kernel's addresses of a router to what is wanted, one batch of requests at a time.
    fn move_addresses(&mut self, number: usize) {
        let router = &mut self.routers[number];
        if router.working {
            return;
        }
        router.working = true;
        let batch = if router.wants_addresses {
            work::install(&self.requests, number, router)
        } else {
            work::withdraw(&self.requests, number, router)
        };
        self.work.add(batch);
    }

    /// Does what a machine asks for and shows the result to readers. What the network waits for goes first, in
    /// the machine's order; to tell the log and the other lanes wakes their threads, which can wait.
    pub(super) fn carry_out(&mut self, number: usize, now: Time) {
        let mut news = Vec::new();
        while let Some(action) = self.routers[number].machine.poll_action() {
            match action {
                Action::Send(packets) => self.send(number, &packets),
                Action::InstallAddresses => self.want_addresses(number, true),
                Action::WithdrawAddresses => self.want_addresses(number, false),
                Action::Announce { repeat } => self.announce(number, repeat),
                Action::AnnounceSource => self.announce_source(number),
                Action::Transition(change) => news.push(News::Transition(change)),
                Action::Log(log) => news.push(News::Log(log)),
            }
        }
        self.routers[number].publish();
        self.timers.set(number, self.routers[number].machine.poll_timeout());
        for item in news {
            match item {
                News::Transition(change) => self.publish_transition(number, now, change),
                News::Log(log) => write_log(&log),
            }
        }
    }

    fn want_addresses(&mut self, number: usize, wanted: bool) {
        self.routers[number].wants_addresses = wanted;
        self.move_addresses(number);
    }

    fn publish_transition(&mut self, number: usize, now: Time, change: Change) {
        let router = &mut self.routers[number];
        // Readers that are woken by the transition see the row that goes with it.
        router.publish();
        let name = &router.row.config.name;
        match change.to {
            State::Stop => info!("({name}) Stopped ({})", change.reason),
            state => info!("({name}) Entering {state} STATE ({})", change.reason),
        }
        let subject = Subject::Instance { index: router.row.index, name: name.clone() };
        self.registry.transitions.publish(now, clock::wall(), subject, change);
    }

    fn send(&mut self, number: usize, packets: &[vrrp::Outgoing]) {
        let router = &mut self.routers[number];
        let name = &router.row.config.interface;
        let Some(interface) = self.interfaces.named(name) else {
            return;
        };
        let Some(socket) = self.interfaces.socket(interface.link.index) else {
            return;
        };
        let mut failed = false;
        for packet in packets {
            let Err(error) = socket.send(&packet.packet, packet.destination) else {
                continue;
            };
            failed = true;
            // A link that is down refuses everything; that the link is down has been said.
            if !router.send_failed && interface.link.up {
                warn!("({}) cannot send to {}: {error}", router.row.config.name, packet.destination);
            }
        }
        router.send_failed = failed;
    }

    /// Gratuitous ARP for every address: all of them once, then again.
    fn announce(&self, number: usize, repeat: u32) {
        let router = &self.routers[number];
        for _ in 0..repeat {
            for (held, address) in router.held.iter().zip(&router.row.addresses) {
                let Some(device) = self.interfaces.named(&address.device).filter(|_| held.present) else {
                    continue;
                };
                if let Err(error) = device.announce(address.config.address) {
                    debug!("({}) gratuitous ARP on {}: {error}", router.row.config.name, address.device);
                }
            }
        }
    }

    fn announce_source(&self, number: usize) {
        let router = &self.routers[number];
        let status = router.machine.status();
        let interface = self.interfaces.named(&router.row.config.interface);
        if let (Some(source), Some(interface)) = (status.source, interface)
            && let Err(error) = interface.announce(source)
        {
            debug!("({}) gratuitous ARP for {source}: {error}", router.row.config.name);
        }
    }

    /// Removes addresses that an earlier run left behind: another router may hold them by now.
    pub(super) async fn remove_leftovers(&mut self) {
        for number in 0..self.routers.len() {
            let row = Arc::clone(&self.routers[number].row);
            for address in &row.addresses {
                let Some(device) = self.interfaces.named(&address.device) else {
                    continue;
                };
                let owner = row.config.priority == Priority::OWNER;
                let sole = address.device == row.config.interface
                    && self.interfaces.primary_address(device.link.index).is_none();
                let is_leftover =
                    |known: &&AddressInfo| work::is_leftover(known, &address.config, owner, sole);
                let leftover = device.addresses().iter().find(is_leftover);
                let Some(leftover) = leftover.cloned() else {
                    continue;
                };
                let wanted = work::kernel_address(address, leftover.index);
                match self.requests.remove_address(&wanted).await {
                    Ok(()) => {
                        info!("({}) removed {wanted}, left by an earlier run", row.config.name);
                        self.interfaces.address_removed(&leftover);
                    }
                    Err(error) => warn!("({}) {error}", row.config.name),
                }
            }
        }
    }
}

fn write_log(log: &vrrp::Log) {
    match (log.level, log.detail) {
        (_, true) => debug!("{}", log.text),
        (Level::Info, false) => info!("{}", log.text),
        (Level::Warning, false) => warn!("{}", log.text),
    }
}
