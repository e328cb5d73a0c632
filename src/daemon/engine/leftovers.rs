//! What an earlier run left behind: addresses, routes and rules of routers that were MASTER when it was killed.
//!
//! A router that is MASTER from its start goes on with them, and so does one whose engine was killed so lately that nobody
//! can have noticed, and left all of them. Of any other they are removed before it starts, rules first
//! and addresses last: another router may hold them by now. Either way they are ours, as if we had put them there.

use std::sync::Arc;

use tracing::info;

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
    registry::AddressRow,
    units::{Family, Priority, Time},
    vrrp::Source,
};

impl Engine {
    /// Adopts what is left of every router, and has it removed unless the router begins as MASTER.
    pub(super) fn clear_leftovers(&mut self, now: Time) {
        for number in 0..self.routers.len() {
            if self.goes_on(number, now) {
                self.adopt_leftovers(number, "goes on with");
                continue;
            }
            let config = &self.routers[number].row.config;
            let is_owner = config.priority == Priority::OWNER;
            if is_owner && config.initial_state == InitialState::Master && self.places[number].is_none() {
                self.adopt_leftovers(number, "goes on with");
            } else {
                self.adopt_leftovers(number, "removes");
                self.reconcile(Holder::Router(number), now);
            }
        }
    }

    /// Whether a router may go on as MASTER where the engine before this one was killed.
    fn goes_on(&mut self, number: usize, now: Time) -> bool {
        let Some(died_at) = self.died_at else { return false };
        let (left, all) = (self.leftover_addresses(number).len(), self.routers[number].row.addresses.len());
        let machine = &mut self.routers[number].machine;
        all > 0 && left == all && machine.handle_interruption(now, now.since(died_at))
    }

    /// Takes what is left of a router for ours, to be `treated` so.
    pub(super) fn adopt_leftovers(&mut self, number: usize, treated: &str) {
        for (slot, leftover) in self.leftover_addresses(number) {
            let router = &mut self.routers[number];
            info!("({}) {treated} {}, left by an earlier run", router.row.config.name, leftover.address);
            router.holdings.adopt(slot, Site::Interface(leftover.index));
        }
        let Self { routers, routing, interfaces, .. } = self;
        let (router, holder) = (&mut routers[number], Holder::Router(number));
        let first = router.row.addresses.len();
        let view = KernelView::new(holder, &router.row.addresses, routing, interfaces);
        for (place, entry) in routing.of(holder).iter().enumerate().filter(|(_, entry)| entry.is_held()) {
            if let Some(site) = view.site(first + place) {
                info!("({}) {treated} {}, left by an earlier run", router.row.config.name, entry.words());
                router.holdings.adopt(first + place, site);
            }
        }
    }

    /// The addresses of a router that are there, with their slots.
    fn leftover_addresses(&self, number: usize) -> Vec<(usize, AddressInfo)> {
        let row = &self.routers[number].row;
        let owner = row.config.priority == Priority::OWNER;
        let leftover = |(slot, address): (usize, &Arc<AddressRow>)| {
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
