//! `track_group` blocks: instances that suffer with static addresses, routes and rules.

use std::collections::{HashMap, HashSet};

use super::Context;
use crate::config::{
    AddressLine, Config, Diagnostic, Network, Route, Rule, Severity, Span,
    settings::TrackGroup,
    tracking::{Tracked, Tracker},
};

/// Leaves out members that are no instances, and has the others track the static lines that name their groups.
pub(super) fn check(config: &mut Config, context: &mut Context<'_>) {
    drop_unknown(config, context);
    follow(config);
}

/// Instances may be defined below their group, and keepalived says nothing of one that is not there.
fn drop_unknown(config: &mut Config, context: &mut Context<'_>) {
    let Config { track_groups, instances, .. } = config;
    let known: HashSet<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    for group in track_groups {
        group.group.retain(|(name, at)| {
            let exists = known.contains(name.as_str());
            if !exists {
                context.add(
                    Diagnostic::new(
                        "unknown-instance",
                        Severity::Notice,
                        format!("there is no vrrp_instance {name} that can run: it is no member"),
                        at,
                    )
                    .help("correct the name, or define the instance"),
                );
            }
            exists
        });
    }
}

/// Gives every member of a group the static lines that name it.
fn follow(config: &mut Config) {
    let Config { track_groups, instances, static_addresses, static_routes, static_rules, .. } = config;
    let addresses = static_addresses.iter().map(Item::address);
    let items =
        addresses.chain(static_routes.iter().map(Item::route)).chain(static_rules.iter().map(Item::rule));
    let mut lines_of: HashMap<&str, Vec<Tracked>> = HashMap::new();
    for (position, item) in items.enumerate() {
        if let Some(group) = item.group {
            lines_of.entry(group).or_default().push(item.tracked(position));
        }
    }
    let mut members: HashMap<&str, Vec<Tracked>> = HashMap::new();
    for TrackGroup { heading, group, .. } in &*track_groups {
        let lines = lines_of.get(heading.name()).map(Vec::as_slice).unwrap_or_default();
        for (member, _) in group {
            members.entry(member).or_default().extend_from_slice(lines);
        }
    }
    for instance in instances {
        if let Some(mut lines) = members.remove(instance.name.as_str()) {
            // A line has one group, but a group may name an instance twice.
            let mut seen = HashSet::new();
            lines.retain(|line| seen.insert(line.tracker));
            instance.tracks.statics = lines;
        }
    }
}

/// A static line, as far as it is followed.
struct Item<'a> {
    group: Option<&'a str>,
    name: String,
    at: &'a Span,
}

impl<'a> Item<'a> {
    fn address(line: &'a AddressLine) -> Self {
        let AddressLine { address, prefix, track_group, at, .. } = line;
        Self { group: track_group.as_deref(), name: format!("address {address}/{prefix}"), at }
    }

    fn route(route: &'a Route) -> Self {
        let Network { address, prefix } = route.destination;
        Self { group: route.track_group.as_deref(), name: format!("route {address}/{prefix}"), at: &route.at }
    }

    fn rule(rule: &'a Rule) -> Self {
        Self { group: rule.track_group.as_deref(), name: format!("rule {}", rule.preference), at: &rule.at }
    }

    fn tracked(&self, position: usize) -> Tracked {
        Tracked {
            name: self.name.clone(),
            tracker: Tracker::Static(position),
            weight: 0,
            reverse: false,
            at: self.at.clone(),
        }
    }
}
