//! The topology after a reload: whatever goes on keeps its row, or has one with the same status and counters.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{AddressRow, InstanceRow, InterfaceRow, RouteRow, RuleRow, SinkRow, StaticRows, Topology};
use crate::config::{
    AddressLine, Config,
    plan::{Matching, Origin, Outline, Plan, Rest},
};

/// Removed instances of which the rows are kept for outputs that are behind.
const DEPARTED: usize = 1024;

impl Topology {
    /// What plans look at.
    pub fn outline(&self) -> Outline<'_> {
        Outline {
            instances: self.instances.iter().map(|row| &row.config).collect(),
            groups: self.groups.iter().map(|row| &row.config).collect(),
            scripts: self.scripts.iter().map(|row| &row.config).collect(),
            files: self.files.iter().map(|row| &row.config).collect(),
            processes: self.processes.iter().map(|row| &row.config).collect(),
            sessions: self.sessions.iter().map(|row| &row.config).collect(),
            static_addresses: self.statics.addresses.iter().map(|row| &row.config).collect(),
            static_routes: self.statics.routes.iter().map(|row| &row.config).collect(),
            static_rules: self.statics.rules.iter().map(|row| &row.config).collect(),
            server_groups: &self.server_groups,
            services: self.virtual_servers.iter().map(|row| &row.config).collect(),
            rest: Rest {
                global: &self.global,
                process: &self.process,
                garp_groups: &self.garp_groups,
                snmp_agent: self.snmp_agent.as_deref(),
                snmp_notify: self.snmp_notify.as_deref(),
                track_groups: &self.statics.groups,
            },
        }
    }

    /// The rows of another configuration, to which `plan` leads from this one.
    pub fn succeed(&self, config: Config, plan: &Plan, sinks: Vec<Arc<SinkRow>>) -> Self {
        let instance = |index: u32, instance, group| {
            let origin = (index as usize).checked_sub(1).and_then(|place| plan.instances.origins.get(place));
            let before = origin.and_then(|origin| self.instances.get(origin.before()?));
            match before {
                None => Arc::new(InstanceRow::new(index, instance, group)),
                Some(before) => {
                    let is_same = matches!(origin, Some(Origin::Same(_)));
                    if is_same && index == before.index && group == before.group {
                        return Arc::clone(before);
                    }
                    Arc::new(before.succeed(index, instance, group))
                }
            }
        };
        let mut next = Self::with(config, self.banner.clone(), sinks, instance);
        // A group names its members by position, so its row is kept only where these are the same.
        carry(&mut next.groups, &self.groups, &plan.groups, |before, row| {
            (before.index != row.index || before.config != row.config)
                .then(|| before.succeed(row.index, row.config.clone()))
        });
        carry(&mut next.scripts, &self.scripts, &plan.scripts, |before, row| {
            (before.index != row.index || before.config != row.config)
                .then(|| before.succeed(row.index, row.config.clone()))
        });
        carry(&mut next.files, &self.files, &plan.files, |before, row| {
            (before.index != row.index || before.config != row.config)
                .then(|| before.succeed(row.index, row.config.clone()))
        });
        carry(&mut next.processes, &self.processes, &plan.processes, |before, row| {
            (before.index != row.index || before.config != row.config)
                .then(|| before.succeed(row.index, row.config.clone()))
        });
        carry(&mut next.sessions, &self.sessions, &plan.sessions, |before, row| {
            (before.index != row.index || before.config != row.config)
                .then(|| before.succeed(row.index, row.config.clone()))
        });
        self.carry_interfaces(&mut next.interfaces);
        self.carry_statics(&mut next.statics, plan);
        for sink in &mut next.sinks {
            if let Some(known) = self.sinks.iter().find(|known| known.config == sink.config) {
                *sink = Arc::clone(known);
            }
        }
        self.carry_services(&mut next, plan);
        let gone = plan.instances.gone.iter().map(|gone| &self.instances[*gone]);
        next.departed = gone.chain(&self.departed).take(DEPARTED).cloned().collect();
        next.unknown_vrids = Arc::clone(&self.unknown_vrids);
        next.link_changes = Arc::clone(&self.link_changes);
        next
    }

    fn carry_interfaces(&self, rows: &mut [Arc<InterfaceRow>]) {
        let known: HashMap<&str, &Arc<InterfaceRow>> =
            self.interfaces.iter().map(|row| (row.config.name.as_str(), row)).collect();
        for row in rows {
            let Some(before) = known.get(row.config.name.as_str()) else { continue };
            *row = if before.index == row.index && before.config == row.config {
                Arc::clone(before)
            } else {
                Arc::new(before.succeed(row.index, row.config.clone()))
            };
        }
    }

    /// A service of which nothing differs keeps its row; the others that go on have rows about the same things.
    fn carry_services(&self, next: &mut Self, plan: &Plan) {
        let mut departed = Vec::new();
        for (row, origin) in next.virtual_servers.iter_mut().zip(&plan.services.origins) {
            let Some(before) = origin.before().and_then(|before| self.virtual_servers.get(before)) else {
                continue;
            };
            let is_same = matches!(origin, Origin::Same(_));
            if is_same && row.index == before.index && row.family == before.family {
                *row = Arc::clone(before);
                continue;
            }
            *row = Arc::new(before.succeed(row));
            let stays: HashSet<_> = row.servers.iter().map(Arc::as_ptr).collect();
            if !before.servers.iter().all(|server| stays.contains(&Arc::as_ptr(server))) {
                departed.push(before);
            }
        }
        let gone = plan.services.gone.iter().map(|gone| &self.virtual_servers[*gone]);
        let departed = gone.chain(departed).chain(&self.departed_services);
        next.departed_services = departed.take(DEPARTED).cloned().collect();
    }

    fn carry_statics(&self, rows: &mut StaticRows, plan: &Plan) {
        let Plan { static_addresses, static_routes, static_rules, .. } = plan;
        let Self { statics: StaticRows { addresses, routes, rules, .. }, .. } = self;
        // An address without a device of its own has another one with another `default_interface`.
        carry(&mut rows.addresses, addresses, static_addresses, |before: &AddressRow, row| {
            let line: AddressLine = row.config.clone();
            (before.device != row.device).then(|| AddressRow::on(&row.device, line, false))
        });
        carry(&mut rows.routes, routes, static_routes, |_: &RouteRow, _| None);
        carry(&mut rows.rules, rules, static_rules, |_: &RuleRow, _| None);
    }
}

/// Puts the rows of before in the places of those that go on, or what `succeed` makes of them where they cannot stay.
fn carry<Row>(
    rows: &mut [Arc<Row>],
    before: &[Arc<Row>],
    matching: &Matching,
    succeed: impl Fn(&Row, &Row) -> Option<Row>,
) {
    for (row, origin) in rows.iter_mut().zip(&matching.origins) {
        if let Some(known) = origin.before().and_then(|known| before.get(known)) {
            *row = succeed(known, row).map_or_else(|| Arc::clone(known), Arc::new);
        }
    }
}
