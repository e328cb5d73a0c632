//! Static addresses, routes and rules: there for the whole run, whoever is MASTER.
//!
//! They are held as a router holds its own, and count as those of a router behind the last one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tracing::warn;

use super::{Engine, holdings::Holdings, observe::listed, router::Router, routing::RoutingEntry};
use crate::{
    kernel::clock,
    registry::{AddressRow, StaticRows, Topology},
    units::Time,
};

/// What is removed sooner than this after the last restoration waits: another program may remove it again and again.
const PACE: Duration = Duration::from_secs(1);

/// The static items.
#[derive(Debug)]
pub(super) struct Statics {
    /// What is wanted of them and what the kernel holds.
    pub(super) holdings: Holdings,
    rows: Vec<Arc<AddressRow>>,
    restored: Option<Time>,
    /// Interfaces that routers suffer with, by the routers' numbers: of static items with a `track_group`.
    suffered: HashMap<usize, Vec<String>>,
}

impl Statics {
    /// Those of a topology, none wanted.
    pub(super) fn new(topology: &Topology) -> Self {
        let StaticRows { addresses, routes, rules, .. } = &topology.statics;
        Self {
            holdings: Holdings::new([addresses.len(), routes.len(), rules.len()]),
            rows: addresses.clone(),
            restored: None,
            suffered: suffered(topology),
        }
    }

    /// The interfaces of static items that a router suffers with.
    pub(super) fn suffered_by(&self, number: usize) -> &[String] {
        self.suffered.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// For each member of a track group the interfaces of its items.
fn suffered(topology: &Topology) -> HashMap<usize, Vec<String>> {
    let mut suffered: HashMap<usize, Vec<String>> = HashMap::new();
    for (group, device) in topology.statics.followed() {
        let group = topology.statics.groups.iter().find(|known| known.heading.name() == group);
        for (member, _) in group.into_iter().flat_map(|group| &group.group) {
            let number = topology.instances.iter().position(|row| row.config.name == *member);
            if let Some(number) = number {
                suffered.entry(number).or_default().push(device.to_owned());
            }
        }
    }
    suffered
}

/// What the router of a number holds, or what is static behind the last of them: the requests, and the addresses.
pub(super) fn holder<'a>(
    routers: &'a mut [Router],
    statics: &'a mut Statics,
    number: usize,
) -> (&'a mut Holdings, &'a [Arc<AddressRow>]) {
    match routers.get_mut(number) {
        Some(router) => (&mut router.holdings, &router.row.addresses),
        None => (&mut statics.holdings, &statics.rows),
    }
}

impl Engine {
    /// Notes which interfaces and addresses matter.
    pub(super) fn index_statics(&mut self) {
        let number = self.static_number();
        let of_routing = self.routing.of(number).iter().flat_map(RoutingEntry::devices).map(str::to_owned);
        let of_addresses = self.statics.rows.iter().map(|row| row.device.clone());
        let names: HashSet<String> = of_routing.chain(of_addresses).collect();
        for name in names {
            self.users.entry(name).or_default().push(number);
        }
        for (router, devices) in &self.statics.suffered {
            for name in devices {
                let users = self.users.entry(name.clone()).or_default();
                if !users.contains(router) {
                    users.push(*router);
                }
            }
        }
        for (slot, row) in self.statics.rows.iter().enumerate() {
            self.holders.entry(row.config.address).or_default().push((number, slot));
        }
    }

    /// What the router of a number holds, or what is static behind the last of them.
    pub(super) fn holder(&mut self, number: usize) -> (&mut Holdings, &[Arc<AddressRow>]) {
        holder(&mut self.routers, &mut self.statics, number)
    }

    /// The number that the static items have.
    pub(super) fn static_number(&self) -> usize {
        self.routers.len()
    }

    /// The name in front of a log line.
    pub(super) fn holder_name(&self, number: usize) -> &str {
        self.routers.get(number).map_or("static", |router| &router.row.config.name)
    }

    /// Installs what is static before any router starts: it may need the addresses.
    pub(super) async fn install_statics(&mut self) {
        let number = self.static_number();
        let first = self.statics.rows.len();
        for place in 0..self.routing.of(number).len() {
            let entry = self.routing.at(number, place);
            if let Some(device) = entry.device(&self.interfaces).filter(|_| entry.is_held()) {
                self.statics.holdings.adopt(first + place, device);
            }
        }
        self.statics.holdings.want(true);
        self.reconcile(number, clock::now());
        while !self.work.is_idle() || self.listing.is_some() {
            tokio::select! {
                done = self.work.next(), if self.listing.is_none() => self.handle_done(done),
                event = self.events.next(), if self.listing.is_none() => self.handle_event(event),
                listed = listed(&mut self.listing) => self.handle_listed(listed),
            }
        }
        self.take_pending_events();
        self.look_at_statics(clock::now());
    }

    /// Removes what is static; the routers are gone.
    pub(super) fn remove_statics(&mut self, now: Time) {
        self.statics.holdings.want(false);
        self.reconcile(self.static_number(), now);
    }

    /// Shows readers what is there.
    pub(super) fn look_at_statics(&mut self, now: Time) {
        for slot in 0..self.statics.rows.len() {
            self.look_at_static_address(slot, now);
        }
        self.look_at_routing(self.static_number(), now);
    }

    /// Shows readers where a static address is, and puts it back when somebody else took it away.
    pub(super) fn look_at_static_address(&mut self, slot: usize, now: Time) {
        let number = self.static_number();
        let status = self.address_status(number, slot);
        let row = &self.statics.rows[slot];
        let before = row.status();
        row.set_status(status);
        if !before.set || status.set || !self.statics.holdings.is_foreign_loss(slot) {
            return;
        }
        if row.config.no_track {
            self.statics.holdings.leave(slot);
        } else {
            let words = format!("address {}", row.config.address);
            self.restore_static(&words, now);
        }
    }

    /// Puts back what another program removed, once a second at most.
    pub(super) fn restore_static(&mut self, words: &str, now: Time) {
        let number = self.static_number();
        warn!("static {words} was removed by another program, restoring it");
        match self.statics.restored.map(|last| last + PACE).filter(|next| now < *next) {
            Some(next) => self.repairs.set(number, Some(next)),
            None => {
                self.statics.restored = Some(now);
                self.reconcile(number, now);
            }
        }
    }

    /// The interfaces that something of a router needs beside its own: of addresses, routes and rules, and of static ones
    /// that it suffers with.
    pub(super) fn needed_interfaces(&self, number: usize) -> impl Iterator<Item = &str> {
        let addresses = self.routers[number].row.addresses.iter().filter(|row| !row.config.no_track);
        let routing = self.routing.of(number).iter().filter(|entry| !entry.is_untracked());
        let statics = self.statics.suffered_by(number).iter().map(String::as_str);
        addresses.map(|row| row.device.as_str()).chain(routing.flat_map(RoutingEntry::devices)).chain(statics)
    }
}
