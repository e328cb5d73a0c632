//! What the kernel has of what is configured.

use serde::Serialize;

use super::instance::Address;
use crate::registry::{InstanceRow, LinkState, RoutingStatus, Topology};

/// Addresses, routes and rules of an instance, or those that belong to none.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Holdings {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Entry>,
}

/// An interface.
#[derive(Debug, Serialize)]
struct Link {
    interface: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    state: &'static str,
}

/// A route or rule.
#[derive(Debug, Serialize)]
struct Entry {
    entry: String,
    set: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl Entry {
    fn new(config: &impl ToString, status: &RoutingStatus) -> Self {
        Self { entry: config.to_string(), set: status.set, refusal: status.refusal.clone() }
    }
}

pub(super) fn of_instance(topology: &Topology, row: &InstanceRow) -> Holdings {
    let mut names: Vec<&str> = vec![row.config.own_interface(), row.config.transport()];
    names.extend(row.addresses.iter().map(|address| &*address.device));
    Holdings {
        name: row.config.name.clone(),
        interfaces: links(topology, |name| names.contains(&name)),
        addresses: row.addresses.iter().map(|row| Address::of(row)).collect(),
        routes: row.routes.iter().map(|row| Entry::new(&row.config, &row.status())).collect(),
        rules: row.rules.iter().map(|row| Entry::new(&row.config, &row.status())).collect(),
    }
}

/// The static ones.
pub(super) fn of_none(topology: &Topology) -> Holdings {
    let statics = &topology.statics;
    Holdings {
        name: "(static)".into(),
        interfaces: links(topology, |name| statics.addresses.iter().any(|row| row.device == name)),
        addresses: statics.addresses.iter().map(|row| Address::of(row)).collect(),
        routes: statics.routes.iter().map(|row| Entry::new(&row.config, &row.status())).collect(),
        rules: statics.rules.iter().map(|row| Entry::new(&row.config, &row.status())).collect(),
    }
}

fn links(topology: &Topology, is_used: impl Fn(&str) -> bool) -> Vec<Link> {
    let used = topology.interfaces.iter().filter(|row| is_used(&row.config.name));
    let link = |row: &std::sync::Arc<crate::registry::InterfaceRow>| Link {
        interface: row.config.name.clone(),
        index: row.link().map(|link| link.0),
        state: match row.status().state {
            LinkState::Missing => "missing",
            LinkState::Down => "down",
            LinkState::Up => "up",
        },
    };
    used.map(link).collect()
}
