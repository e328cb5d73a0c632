//! Routes and rules, virtual and static: what the configuration says of each, and whether the kernel has it.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{
    config::{AddressLine, Route, Rule, settings::TrackGroup},
    registry::AddressRow,
    units::IfIndex,
};

/// What is there for the whole run, whoever is MASTER: in the MIB's tables below instance 0.
#[derive(Debug, Default)]
pub struct StaticRows {
    /// `static_ipaddress`.
    pub addresses: Vec<Arc<AddressRow>>,
    /// `static_routes`.
    pub routes: Vec<Arc<RouteRow>>,
    /// `static_rules`.
    pub rules: Vec<Arc<RuleRow>>,
    /// `track_group` blocks: whose instances suffer with which of them.
    pub groups: Vec<TrackGroup>,
}

impl StaticRows {
    /// The rows of these lines; an address that names no interface is put on `default_interface`.
    pub fn new(
        (addresses, default_interface): (Vec<AddressLine>, &str),
        routes: Vec<Route>,
        rules: Vec<Rule>,
        groups: Vec<TrackGroup>,
    ) -> Self {
        let address = |line| Arc::new(AddressRow::on(default_interface, line, false));
        Self {
            addresses: addresses.into_iter().map(address).collect(),
            routes: routes.into_iter().map(RouteRow::new).map(Arc::new).collect(),
            rules: rules.into_iter().map(RuleRow::new).map(Arc::new).collect(),
            groups,
        }
    }

    /// The track group and interface of every item that has both.
    pub fn followed(&self) -> impl Iterator<Item = (&str, &str)> {
        let addresses = self.addresses.iter().map(|row| (&row.config.track_group, Some(&row.device)));
        let routes = self.routes.iter().map(|row| (&row.config.track_group, row.config.hop.device.as_ref()));
        let rules = self.rules.iter().map(|row| (&row.config.track_group, row.config.input.as_ref()));
        let all = addresses.chain(routes).chain(rules);
        all.filter_map(|(group, device)| Some((group.as_deref()?, device?.as_str())))
    }
}

/// A line of `virtual_routes` or `static_routes`.
#[derive(Debug)]
pub struct RouteRow {
    /// What the configuration says.
    pub config: Route,
    status: ArcSwap<RoutingStatus>,
}

/// A line of `virtual_rules` or `static_rules`.
#[derive(Debug)]
pub struct RuleRow {
    /// What the configuration says.
    pub config: Rule,
    status: ArcSwap<RoutingStatus>,
}

/// What is true of a route or rule right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingStatus {
    /// Whether the kernel has it.
    pub set: bool,
    /// Why the kernel refused it when it was asked last, in its words; it is asked again every second.
    pub refusal: Option<String>,
    /// The index of a route's interface, when it names one that exists.
    pub device: Option<IfIndex>,
    /// The same of its next hops.
    pub hops: Vec<Option<IfIndex>>,
}

impl RouteRow {
    /// The row of a line, not installed.
    pub fn new(config: Route) -> Self {
        Self { config, status: ArcSwap::default() }
    }

    /// What is true now.
    pub fn status(&self) -> Arc<RoutingStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: RoutingStatus) {
        self.status.store(status.into());
    }
}

impl RuleRow {
    /// The row of a line, not installed.
    pub fn new(config: Rule) -> Self {
        Self { config, status: ArcSwap::default() }
    }

    /// What is true now.
    pub fn status(&self) -> Arc<RoutingStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: RoutingStatus) {
        self.status.store(status.into());
    }
}
