//! What an earlier run left behind: addresses, routes and rules of routers that were MASTER when it was killed.
//!
//! A router that is MASTER from its start goes on with them. Of any other they are removed before it starts, rules first
//! and addresses last: another router may hold them by now.

use std::sync::Arc;

use tracing::{info, warn};

use super::{
    Engine,
    holder::Holder,
    holdings::{Observed as _, Site},
    kernel_view::KernelView,
    work,
};
use crate::{
    config::InitialState,
    kernel::AddressInfo,
    units::{Family, Priority},
    vrrp::Source,
};

impl Engine {
    /// Removes or adopts what is left of every router.
    pub(super) async fn clear_leftovers(&mut self) {
        for number in 0..self.routers.len() {
            let config = &self.routers[number].row.config;
            let is_owner = config.priority == Priority::OWNER;
            if is_owner && config.initial_state == InitialState::Master && self.places[number].is_none() {
                self.adopt_leftovers(number);
            } else {
                self.remove_routing(number).await;
                self.remove_addresses(number).await;
            }
        }
    }

    /// Takes what is left for ours.
    fn adopt_leftovers(&mut self, number: usize) {
        for (slot, leftover) in self.leftover_addresses(number) {
            let router = &mut self.routers[number];
            info!("({}) goes on with {}, left by an earlier run", router.row.config.name, leftover.address);
            router.holdings.adopt(slot, Site::Interface(leftover.index));
        }
        let Self { routers, routing, interfaces, .. } = self;
        let router = &mut routers[number];
        let first = router.row.addresses.len();
        let observed = KernelView::new(Holder::Router(number), &router.row.addresses, routing, interfaces);
        for (place, entry) in
            routing.of(Holder::Router(number)).iter().enumerate().filter(|(_, entry)| entry.is_held())
        {
            if let Some(site) = observed.site(first + place) {
                info!("({}) goes on with {}, left by an earlier run", router.row.config.name, entry.words());
                router.holdings.adopt(first + place, site);
            }
        }
    }

    async fn remove_routing(&mut self, number: usize) {
        let row = Arc::clone(&self.routers[number].row);
        let holder = Holder::Router(number);
        let (first, count) = (row.addresses.len(), self.routing.of(holder).len());
        for place in (row.routes.len()..count).chain(0..row.routes.len()) {
            let observed = KernelView::new(holder, &row.addresses, &self.routing, &self.interfaces);
            let entry = &self.routing.of(holder)[place];
            let object = observed.site(first + place).and_then(|site| observed.object(first + place, site));
            let Some(object) = object.filter(|_| entry.is_held()) else { continue };
            match object.remove(&self.requests).await {
                Ok(()) => {
                    info!("({}) removed {}, left by an earlier run", row.config.name, entry.words());
                    let entry = self.routing.at(holder, place);
                    entry.asked();
                    entry.answered(false);
                }
                Err(error) => warn!("({}) {error}", row.config.name),
            }
        }
    }

    async fn remove_addresses(&mut self, number: usize) {
        for (slot, leftover) in self.leftover_addresses(number) {
            let row = &self.routers[number].row;
            let address = work::kernel_address(&row.addresses[slot], leftover.index);
            match self.requests.remove_address(&address).await {
                Ok(()) => {
                    info!("({}) removed {address}, left by an earlier run", row.config.name);
                    self.interfaces.address_removed(&leftover);
                }
                Err(error) => warn!("({}) {error}", row.config.name),
            }
        }
    }

    /// The addresses that are there, with their slots.
    fn leftover_addresses(&self, number: usize) -> Vec<(usize, AddressInfo)> {
        let row = &self.routers[number].row;
        let owner = row.config.priority == Priority::OWNER;
        let leftover = |(slot, address): (usize, &Arc<crate::registry::AddressRow>)| {
            let device = self.interfaces.named(&address.device)?;
            let family = Family::of(address.config.address);
            let sole = address.device == row.config.interface
                && self.interfaces.usual_source(device.link.index, family) == Source::Missing;
            let is_leftover = |known: &&AddressInfo| work::is_leftover(known, &address.config, owner, sole);
            let known = device.addresses().iter().find(is_leftover)?;
            Some((slot, known.clone()))
        };
        row.addresses.iter().enumerate().filter_map(leftover).collect()
    }
}
