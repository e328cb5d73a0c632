//! What the engine looks things up in, and everything else that follows from a topology alone. It is made without the
//! engine, so that a reload of thousands of routers costs the lane nothing but to put it in place.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use super::{
    buffers::Buffers,
    clocks,
    groups::{self, Group, Place},
    holder::Holder,
    paces::Paces,
    receivers::Receivers,
    routing::{Routing, RoutingEntry},
    statics::Statics,
    trackers::Trackers,
};
use crate::{
    config::tracking::Tracked,
    registry::{GroupRow, InstanceRow, Topology},
    vrrp::Membership,
};

/// What follows from a topology.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) groups: Vec<Group>,
    /// Each router's place in a group.
    pub(super) places: Vec<Option<Place>>,
    /// What each router tracks: its own lines, then those of its sync group.
    pub(super) tracks: Vec<Arc<[Tracked]>>,
    /// What the machine of each router has to know of its group.
    pub(super) memberships: Vec<Membership>,
    pub(super) virtual_addresses: HashSet<IpAddr>,
    pub(super) buffers: Buffers,
    pub(super) routing: Routing,
    pub(super) statics: Statics,
    pub(super) trackers: Trackers,
    pub(super) signers: Vec<usize>,
    pub(super) users: HashMap<String, Vec<Holder>>,
    pub(super) receivers: Receivers,
    pub(super) holders: HashMap<IpAddr, Vec<(Holder, usize)>>,
    pub(super) senders: HashMap<IpAddr, Vec<usize>>,
    pub(super) paces: Paces,
}

impl Blueprint {
    /// That of a topology.
    pub(super) fn new(topology: &Topology) -> Self {
        let places = groups::places(topology);
        let tracks: Vec<Arc<[_]>> = with_groups(topology, &places)
            .map(|(row, group)| tracks(row, group).cloned().collect())
            .collect();
        let addresses = topology.instances.iter().flat_map(|row| &row.addresses);
        let mut buffers = Buffers::default();
        topology.instances.iter().for_each(|row| buffers.add(&row.config, &topology.global.settings));
        let mut blueprint = Self {
            virtual_addresses: addresses.map(|row| row.config.address).collect(),
            buffers,
            routing: Routing::new(topology),
            statics: Statics::new(topology),
            trackers: Trackers::new(topology, &tracks),
            signers: clocks::signers(topology),
            memberships: memberships(topology, &places),
            users: HashMap::new(),
            receivers: Receivers::default(),
            holders: HashMap::new(),
            senders: HashMap::new(),
            paces: Paces::of(topology),
            groups: groups::groups(topology),
            places,
            tracks,
        };
        for (number, row) in topology.instances.iter().enumerate() {
            blueprint.index_router(number, row);
        }
        blueprint.index_statics();
        blueprint
    }

    fn index_router(&mut self, number: usize, row: &InstanceRow) {
        let config = &row.config;
        let of_addresses = row.addresses.iter().map(|address| address.device.as_str());
        let of_routing = self.routing.of(Holder::Router(number)).iter().flat_map(RoutingEntry::devices);
        let own = [config.interface.as_str(), config.transport()];
        let mut names: Vec<&str> = of_addresses.chain(of_routing).chain(own).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            match self.users.get_mut(name) {
                Some(users) => users.push(Holder::Router(number)),
                None => drop(self.users.insert(name.to_owned(), vec![Holder::Router(number)])),
            }
        }
        self.receivers.add(number, config);
        if let Some(source) = config.source {
            self.senders.entry(source).or_default().push(number);
        }
        for (slot, address) in row.addresses.iter().enumerate() {
            self.holders.entry(address.config.address).or_default().push((Holder::Router(number), slot));
        }
    }

    /// Notes which interfaces and addresses static items need.
    fn index_statics(&mut self) {
        let of_routing = self.routing.of(Holder::Static).iter().flat_map(RoutingEntry::devices);
        let of_addresses = self.statics.rows.iter().map(|row| row.device.as_str());
        let names: HashSet<&str> = of_routing.chain(of_addresses).collect();
        for name in names {
            self.users.entry(name.to_owned()).or_default().push(Holder::Static);
        }
        for (router, devices) in self.statics.suffering() {
            for name in devices {
                let users = self.users.entry(name.clone()).or_default();
                if !users.contains(&Holder::Router(router)) {
                    users.push(Holder::Router(router));
                }
            }
        }
        for (slot, row) in self.statics.rows.iter().enumerate() {
            self.holders.entry(row.config.address).or_default().push((Holder::Static, slot));
        }
    }
}

/// Every router's row with its group's, if it is in one.
pub(super) fn with_groups<'a>(
    topology: &'a Topology,
    places: &'a [Option<Place>],
) -> impl Iterator<Item = (&'a InstanceRow, Option<&'a GroupRow>)> {
    let groups = places.iter().map(|place| place.map(|place| place.row(topology)));
    topology.instances.iter().map(AsRef::as_ref).zip(groups)
}

/// What each machine has to know of its group.
pub(super) fn memberships(topology: &Topology, places: &[Option<Place>]) -> Vec<Membership> {
    with_groups(topology, places).map(|(_, group)| groups::membership(group, topology)).collect()
}

/// What a router tracks: its own lines, then those of its group.
pub(super) fn tracks<'a>(
    row: &'a InstanceRow,
    group: Option<&'a GroupRow>,
) -> impl Iterator<Item = &'a Tracked> {
    row.config.tracks.iter().chain(group.into_iter().flat_map(|group| group.config.tracks.iter()))
}
