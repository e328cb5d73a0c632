//! Everything at a glance.

use serde::Serialize;

use super::Moment;
use crate::registry::{InstanceRow, IpvsFaults};

/// A line for each thing that has a state.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Status {
    daemon: Daemon,
    instances: Vec<Instance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trackers: Vec<super::tracker::Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<Service>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output>,
}

#[derive(Debug, Serialize)]
struct Daemon {
    version: String,
    router_id: String,
    pid: u32,
    time: String,
    /// Since when no instance is to be MASTER, and who wants that.
    #[serde(skip_serializing_if = "Option::is_none")]
    maintenance: Option<String>,
    /// How many there were since the start.
    transitions: u64,
    /// How late the vrrp lane was with half of what was due, in milliseconds at the most.
    median_lag_ms: f64,
    worst_lag_ms: f64,
    /// The same since the last reload.
    worst_lag_since_reload_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    snmp: Option<&'static str>,
    /// What befell the table of IPVS, if anything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipvs: Option<Ipvs>,
    /// Mistakes of the program itself.
    #[serde(skip_serializing_if = "is_zero")]
    panics: u64,
}

#[derive(Debug, Serialize)]
struct Ipvs {
    /// Services that other programs changed.
    restored: u64,
    /// Changes that the kernel refused.
    refused: u64,
    /// How often the table could not be read.
    unread: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Instance {
    name: String,
    state: &'static str,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<u8>,
    interface: String,
    vrid: u8,
    /// What operators want.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wanted: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The one heard last.
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<String>,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    state: &'static str,
    members: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back_by: Option<String>,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Service {
    name: String,
    installed: bool,
    has_quorum: bool,
    servers_up: u32,
    servers: usize,
}

/// Whoever is told of transitions.
#[derive(Debug, Serialize)]
struct Output {
    name: String,
    delivered: u64,
    #[serde(skip_serializing_if = "is_zero")]
    sent: u64,
    #[serde(skip_serializing_if = "is_zero")]
    repeated: u64,
    lost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(in crate::control) fn status(moment: &Moment<'_>) -> Status {
    let (registry, topology) = (moment.registry, &moment.topology);
    let lag = registry.lag.seen();
    let millis = |late: std::time::Duration| (late.as_secs_f64() * 1e6).round() / 1e3;
    Status {
        daemon: Daemon {
            version: topology.banner.clone(),
            router_id: topology.global.router_id.clone(),
            pid: std::process::id(),
            time: moment.utc.to_string(),
            maintenance: registry
                .maintenance
                .load()
                .as_ref()
                .map(|standing| format!("since {} by {}", moment.label(standing.since), standing.by)),
            transitions: registry.transitions.newest(),
            median_lag_ms: millis(lag.median),
            worst_lag_ms: millis(lag.worst),
            worst_lag_since_reload_ms: millis(lag.worst_lately),
            snmp: registry.agent.status().map(|agent| agent.state.word()),
            ipvs: ipvs(&registry.ipvs_faults),
            panics: registry.panics.count(),
        },
        instances: topology.instances.iter().map(|row| instance(moment, row)).collect(),
        groups: topology.groups.iter().map(|row| group(moment, row)).collect(),
        trackers: super::tracker::all(moment),
        servers: topology.virtual_servers.iter().map(|row| service(row)).collect(),
        outputs: topology.sinks.iter().map(|row| output(row)).collect(),
    }
}

fn ipvs(faults: &IpvsFaults) -> Option<Ipvs> {
    let [restored, refused, unread] = [faults.restored(), faults.refused(), faults.unread()];
    let problem = faults.problem().map(|problem| problem.to_string());
    (restored + refused + unread > 0).then_some(Ipvs { restored, refused, unread, problem })
}

fn instance(moment: &Moment<'_>, row: &InstanceRow) -> Instance {
    let (config, status) = (&row.config, row.status());
    let priority = status.effective_priority.unwrap_or(config.priority).0;
    let base = row.base_priority().0;
    Instance {
        name: config.name.clone(),
        state: status.state.word(),
        priority,
        base: (base != priority).then_some(base),
        interface: config.own_interface().to_owned(),
        vrid: config.vrid.value(),
        wanted: status.interventions.iter().map(|standing| standing.what.to_string()).collect(),
        group: row.group.clone(),
        master: status.master.map(|peer| peer.address.to_string()),
        since: moment.label(status.since),
        reason: status.reason.as_ref().map(ToString::to_string),
    }
}

fn group(moment: &Moment<'_>, row: &crate::registry::GroupRow) -> Group {
    let status = row.status();
    Group {
        name: row.config.name.clone(),
        state: status.state.word(),
        members: row.config.members.len(),
        held_back_by: status.held_back_by.clone(),
        since: moment.label(status.since),
        reason: status.reason.as_ref().map(ToString::to_string),
    }
}

fn service(row: &crate::registry::VirtualServerRow) -> Service {
    let status = row.status();
    Service {
        name: row.config.heading.to_string(),
        installed: status.installed,
        has_quorum: status.has_quorum,
        servers_up: status.servers_up,
        servers: row.servers.len(),
    }
}

fn output(row: &crate::registry::SinkRow) -> Output {
    Output {
        name: row.name.clone(),
        delivered: row.delivered(),
        sent: row.sent(),
        repeated: row.repeated(),
        lost: row.lost(),
        problem: row.problem().map(|problem| problem.to_string()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
