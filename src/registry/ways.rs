//! Routes and rules, virtual and static: what the configuration says of each, and whether the kernel has it.

use arc_swap::ArcSwap;

use crate::{
    config::{Route, Rule},
    units::IfIndex,
};

/// A line of `virtual_routes` or `static_routes`.
#[derive(Debug)]
pub struct RouteRow {
    /// What the configuration says.
    pub config: Route,
    status: ArcSwap<WayStatus>,
}

/// A line of `virtual_rules` or `static_rules`.
#[derive(Debug)]
pub struct RuleRow {
    /// What the configuration says.
    pub config: Rule,
    status: ArcSwap<WayStatus>,
}

/// What is true of a route or rule right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WayStatus {
    /// Whether the kernel has it.
    pub set: bool,
    /// The index of a route's interface, when it names one that exists.
    pub device: Option<IfIndex>,
}

impl RouteRow {
    /// The row of a line, not installed.
    pub fn new(config: Route) -> Self {
        Self { config, status: ArcSwap::default() }
    }

    /// What is true now.
    pub fn status(&self) -> WayStatus {
        **self.status.load()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: WayStatus) {
        self.status.store(status.into());
    }
}

impl RuleRow {
    /// The row of a line, not installed.
    pub fn new(config: Rule) -> Self {
        Self { config, status: ArcSwap::default() }
    }

    /// What is true now.
    pub fn status(&self) -> WayStatus {
        **self.status.load()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: WayStatus) {
        self.status.store(status.into());
    }
}
