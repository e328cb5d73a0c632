//! Static addresses, routes and rules: there for the whole run, whoever is MASTER. They are held as a router holds its own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tracing::warn;

use super::{Engine, holder::Holder, holdings::Holdings, routing::RoutingEntry};
use crate::{
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
    pub(super) rows: Vec<Arc<AddressRow>>,
    restored: Option<Time>,
    /// When to look again at what the kernel refused or somebody took away.
    pub(super) repair_at: Option<Time>,
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
            repair_at: None,
            suffered: suffered(topology),
        }
    }

    /// After a reload: goes on as those before, with other items.
    pub(super) fn follow(&mut self, before: &Self, routing: [usize; 2]) {
        let [routes, rules] = routing;
        self.holdings = before.holdings.refill([self.rows.len(), routes, rules]);
        (self.restored, self.repair_at) = (before.restored, before.repair_at);
    }

    /// The routers that suffer with interfaces of static items, and with which.
    pub(super) fn suffering(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.suffered.iter().map(|(router, devices)| (*router, devices.as_slice()))
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

impl Engine {
    /// Has what is static installed: routers may need the addresses.
    pub(super) fn install_statics(&mut self, now: Time) {
        let first = self.statics.rows.len();
        for (place, entry) in self.routing.of(Holder::Static).iter().enumerate() {
            if let Some(site) = entry.site(&self.interfaces).filter(|_| entry.is_held()) {
                self.statics.holdings.adopt(first + place, site);
            }
        }
        self.statics.holdings.want(true);
        self.reconcile(Holder::Static, now);
    }

    /// Looks again at what is static when the time has come.
    pub(super) fn repair_statics(&mut self, now: Time) {
        if self.statics.repair_at.is_some_and(|at| at <= now) {
            self.statics.repair_at = None;
            self.reconcile(Holder::Static, now);
        }
    }

    /// Removes what is static; the routers are gone.
    pub(super) fn remove_statics(&mut self, now: Time) {
        self.statics.holdings.want(false);
        self.reconcile(Holder::Static, now);
    }

    /// Shows readers what is there.
    pub(super) fn look_at_statics(&mut self, now: Time) {
        for slot in 0..self.statics.rows.len() {
            self.look_at_static_address(slot, now);
        }
        self.look_at_routing(Holder::Static, now);
    }

    /// Shows readers where a static address is, and puts it back when somebody else took it away.
    pub(super) fn look_at_static_address(&mut self, slot: usize, now: Time) {
        let status = self.address_status(Holder::Static, slot);
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
        warn!("static {words} was removed by another program, restoring it");
        match self.statics.restored.map(|last| last + PACE).filter(|next| now < *next) {
            Some(next) => self.statics.repair_at = Some(next),
            None => {
                self.statics.restored = Some(now);
                self.reconcile(Holder::Static, now);
            }
        }
    }

    /// The interfaces that something of a router needs beside its own: of addresses, routes and rules, and of static ones
    /// that it suffers with.
    pub(super) fn needed_interfaces(&self, number: usize) -> impl Iterator<Item = &str> {
        let addresses = self.routers[number].row.addresses.iter().filter(|row| !row.config.no_track);
        let routing = self.routing.of(Holder::Router(number)).iter().filter(|entry| !entry.is_untracked());
        let statics = self.statics.suffered_by(number).iter().map(String::as_str);
        addresses.map(|row| row.device.as_str()).chain(routing.flat_map(RoutingEntry::devices)).chain(statics)
    }
}
