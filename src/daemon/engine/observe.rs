//! What the kernel reports, brought to the machines: links, addresses, and their absence.

use std::{collections::HashSet, net::Ipv4Addr, sync::Arc};

use tracing::warn;

use super::Engine;
use crate::{
    kernel::{AddressInfo, Event, Events, KernelError, clock, error},
    registry::{AddressStatus, Reason, State},
    units::{IfIndex, Priority, Time},
    vrrp::{Fault, MULTICAST_GROUP},
};

impl Engine {
    pub(super) async fn handle_event(
        &mut self,
        event: Result<Event, KernelError>,
    ) -> Result<(), KernelError> {
        let now = clock::now();
        match event {
            Ok(Event::Link(link)) => {
                let name = link.name.clone();
                if let Some(before) = self.interfaces.link(link) {
                    self.refresh_users(&before, now);
                }
                self.refresh_users(&name, now);
            }
            Ok(Event::LinkGone { index, name }) => {
                self.interfaces.link_gone(index);
                self.refresh_users(&name, now);
            }
            Ok(Event::AddressAdded(address)) => {
                let index = address.index;
                if self.interfaces.address_added(address) {
                    self.refresh_users_of(index, now);
                }
            }
            Ok(Event::AddressRemoved(address)) => {
                if self.interfaces.address_removed(&address) {
                    self.refresh_users_of(address.index, now);
                }
                self.address_removed(&address, now);
            }
            Ok(Event::Overrun) => {
                warn!("too many changes of links and addresses at once: listing them anew");
                self.list().await?;
            }
            Err(error) => {
                warn!("{error}: subscribing anew");
                self.events = Events::open()?;
                self.list().await?;
            }
        }
        Ok(())
    }

    /// Takes the kernel's word for everything: at the start, and whenever events were lost.
    pub(super) async fn list(&mut self) -> Result<(), KernelError> {
        let links = self.requests.links().await?;
        let addresses = self.requests.addresses().await?;
        let now = clock::now();
        let there: HashSet<IfIndex> = links.iter().map(|link| link.index).collect();
        let gone: Vec<IfIndex> = self
            .interfaces
            .all()
            .map(|known| known.link.index)
            .filter(|index| !there.contains(index))
            .collect();
        for index in gone {
            self.interfaces.link_gone(index);
        }
        let vanished: Vec<_> = self
            .interfaces
            .all()
            .flat_map(|known| known.addresses())
            .filter(|known| !addresses.contains(known))
            .cloned()
            .collect();
        for link in links {
            self.interfaces.link(link);
        }
        for address in addresses {
            self.interfaces.address_added(address);
        }
        for address in vanished {
            self.interfaces.address_removed(&address);
            self.address_removed(&address, now);
        }
        if self.routers.iter().any(|router| router.machine.status().state != State::Init) {
            for number in 0..self.routers.len() {
                self.refresh(number, now);
                self.carry_out(number, now);
            }
        }
        Ok(())
    }

    fn refresh_users_of(&mut self, index: IfIndex, now: Time) {
        if let Some(name) = self.interfaces.at(index).map(|interface| interface.link.name.clone()) {
            self.refresh_users(&name, now);
        }
    }

    fn refresh_users(&mut self, name: &str, now: Time) {
        for number in self.users.get(name).cloned().unwrap_or_default() {
            self.refresh(number, now);
            self.carry_out(number, now);
        }
    }

    /// Tells a router's machine how its interface is.
    pub(super) fn refresh(&mut self, number: usize, now: Time) {
        let row = Arc::clone(&self.routers[number].row);
        let name = &row.config.interface;
        for (slot, address) in row.addresses.iter().enumerate() {
            let device = self.interfaces.named(&address.device).map(|device| device.link.index);
            if address.status().device != device {
                self.routers[number].held[slot].present &= device.is_some();
                address.set_status(AddressStatus { device, set: self.routers[number].held[slot].present });
            }
        }
        let index = self.interfaces.named(name).map(|interface| interface.link.index);
        let (socket, source) = match index {
            Some(index) => {
                let opened = self.interfaces.listen(index, MULTICAST_GROUP);
                let socket = opened.err().map(|error| Reason::SocketFailed {
                    interface: name.clone(),
                    detail: error::describe(&error),
                });
                (socket, self.source(number, index))
            }
            None => (None, None),
        };
        let interface = self.interface_fault(number);
        let machine = &mut self.routers[number].machine;
        // What is missing is said before what has come back, or the router would leave FAULT in between.
        if index.is_some() {
            machine.handle_fault(now, Fault::Socket, socket);
            machine.handle_source(now, source);
        }
        machine.handle_fault(now, Fault::Interface, interface);
    }

    /// What is wrong with the interface of a router, or else with one that its addresses are put on.
    fn interface_fault(&self, number: usize) -> Option<Reason> {
        let row = &self.routers[number].row;
        let devices = row.addresses.iter().map(|address| &address.device);
        std::iter::once(&row.config.interface).chain(devices).find_map(|name| {
            match self.interfaces.named(name) {
                None => Some(Reason::InterfaceMissing { interface: name.clone() }),
                Some(interface) if !interface.link.up => {
                    Some(Reason::InterfaceDown { interface: name.clone() })
                }
                Some(_) => None,
            }
        })
    }

    /// The address that advertisements leave from when the configuration names none. An owner of the
    /// addresses may have no other than those.
    fn source(&self, number: usize, index: IfIndex) -> Option<Ipv4Addr> {
        let row = &self.routers[number].row;
        let own = || {
            let interface = self.interfaces.at(index)?;
            let virtual_addresses = &row.config.virtual_addresses;
            let owned = |address: &Ipv4Addr| virtual_addresses.iter().any(|vip| vip.address == *address);
            interface.addresses().iter().map(|known| known.address).find(owned)
        };
        let owner = row.config.priority == Priority::OWNER;
        self.interfaces.primary_address(index).or_else(|| owner.then(own).flatten())
    }

    /// An address has left the kernel: by our own hand, or by somebody else's.
    fn address_removed(&mut self, gone: &AddressInfo, now: Time) {
        for (number, slot) in self.holders.get(&gone.address).cloned().unwrap_or_default() {
            let router = &mut self.routers[number];
            let row = &router.row.addresses[slot];
            if row.status().device != Some(gone.index) || row.config.prefix != gone.prefix {
                continue;
            }
            let held = &mut router.held[slot];
            if held.own_removals > 0 {
                held.own_removals -= 1;
            } else if held.present {
                router.lost(slot);
                router.machine.handle_address_removed(now, gone.address);
                self.carry_out(number, now);
            }
        }
    }
}
