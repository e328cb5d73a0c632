//! What is answered: the rows of the registry as JSON. The names are for programs, and are what people see too, with blanks for
//! underscores; times are as RFC 3339 has them, spans in seconds.

mod instance;
mod kernel;
mod server;
mod status;
pub(super) mod tracker;

use std::time::Duration;

use serde::Serialize;

pub(super) use self::status::{Status, status};
use super::Kind;
use crate::{
    kernel::clock,
    registry::{AgentStatus, GroupRow, InstanceRow, Registry, Topology},
    units::{Time, Utc},
};

/// The rows, and what their times mean.
pub(super) struct Moment<'a> {
    pub(super) registry: &'a Registry,
    pub(super) topology: std::sync::Arc<Topology>,
    pub(super) now: Time,
    pub(super) utc: Utc,
}

impl<'a> Moment<'a> {
    /// As they are now.
    pub(super) fn now(registry: &'a Registry) -> Self {
        Self { registry, topology: registry.topology(), now: clock::now(), utc: clock::utc() }
    }

    /// A time of a row by the calendar.
    pub(super) fn label(&self, at: Time) -> String {
        Utc((self.utc.0 + at.since(self.now)).saturating_sub(self.now.since(at))).to_string()
    }

    /// How long ago that was, in seconds.
    pub(super) fn ago(&self, at: Time) -> f64 {
        seconds(self.now.since(at))
    }
}

/// To the millisecond.
pub(super) fn seconds(span: Duration) -> f64 {
    // Exact up to 285,000 years.
    (span.as_secs_f64() * 1e3).round() / 1e3
}

/// What was to be shown: a list, also of one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Shown {
    Instances(Vec<instance::Instance>),
    Groups(Vec<Group>),
    Trackers(Vec<tracker::Line>),
    Scripts(Vec<tracker::Script>),
    Servers(Vec<server::Service>),
    Snmp(Vec<Agent>),
    Kernel(Vec<kernel::Holdings>),
}

/// Shows those of a kind that have this name, or all.
///
/// # Errors
/// In words for who asked, when there is none of that name.
pub(super) fn show(moment: &Moment<'_>, kind: Kind, name: Option<&str>) -> Result<Shown, String> {
    let topology = &moment.topology;
    let named = |candidate: &str| name.is_none_or(|name| name == candidate);
    let all = |names: Vec<String>| match name {
        Some(name) if !names.iter().any(|known| known == name) => Err(unknown(kind, name, &names)),
        _ => Ok(()),
    };
    let instances = || topology.instances.iter().filter(|row| named(&row.config.name));
    let names_of_instances = || topology.instances.iter().map(|row| row.config.name.clone()).collect();
    Ok(match kind {
        Kind::Instance => {
            all(names_of_instances())?;
            Shown::Instances(instances().map(|row| instance::view(moment, row)).collect())
        }
        Kind::Kernel => {
            all(names_of_instances())?;
            let of_none = name.is_none().then(|| kernel::of_none(topology));
            let of_instances = instances().map(|row| kernel::of_instance(topology, row));
            Shown::Kernel(of_instances.chain(of_none).collect())
        }
        Kind::Group => {
            all(topology.groups.iter().map(|row| row.config.name.clone()).collect())?;
            let rows = topology.groups.iter().filter(|row| named(&row.config.name));
            Shown::Groups(rows.map(|row| group(moment, row)).collect())
        }
        Kind::Script => {
            all(topology.scripts.iter().map(|row| row.config.name.clone()).collect())?;
            let rows = topology.scripts.iter().filter(|row| named(&row.config.name));
            Shown::Scripts(rows.map(|row| tracker::script(moment, row)).collect())
        }
        Kind::Track => {
            let lines = tracker::all(moment);
            all(lines.iter().map(|line| line.name.clone()).collect())?;
            Shown::Trackers(lines.into_iter().filter(|line| named(&line.name)).collect())
        }
        Kind::Server => {
            all(topology.virtual_servers.iter().map(|row| row.config.heading.to_string()).collect())?;
            let rows = topology.virtual_servers.iter();
            let rows = rows.filter(|row| named(&row.config.heading.to_string()));
            Shown::Servers(rows.map(|row| server::view(row)).collect())
        }
        Kind::Snmp => {
            let agent = moment
                .registry
                .agent
                .status()
                .ok_or("SNMP is off: nothing in the configuration asks for it")?;
            Shown::Snmp(vec![Agent::of(moment, &agent)])
        }
    })
}

/// The instance of that name.
///
/// # Errors
/// In words for who asked, when there is none.
pub(super) fn instance<'a>(moment: &'a Moment<'_>, name: &str) -> Result<&'a InstanceRow, String> {
    let mut rows = moment.topology.instances.iter();
    rows.find(|row| row.config.name == name).map(|row| &**row).ok_or_else(|| {
        let names: Vec<_> = moment.topology.instances.iter().map(|row| row.config.name.clone()).collect();
        unknown(Kind::Instance, name, &names)
    })
}

/// The one that is not there, with those that are.
fn unknown(kind: Kind, name: &str, known: &[String]) -> String {
    const MOST: usize = 10;
    let word = kind.word();
    if known.is_empty() {
        return format!("there is no {word} {name}, nor any other");
    }
    let listed = known.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    let more = if known.len() > MOST { ", …" } else { "" };
    format!("there is no {word} {name}; there are: {listed}{more}")
}

/// A sync group.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    name: String,
    state: &'static str,
    since: String,
    for_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The member that keeps the others from becoming MASTER.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back_by: Option<String>,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
struct Member {
    name: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn group(moment: &Moment<'_>, row: &GroupRow) -> Group {
    let status = row.status();
    let members = row.config.members.iter().filter_map(|member| moment.topology.instances.get(*member));
    let member = |row: &std::sync::Arc<InstanceRow>| {
        let status = row.status();
        let reason = status.reason.as_ref().map(ToString::to_string);
        Member { name: row.config.name.clone(), state: status.state.word(), reason }
    };
    Group {
        name: row.config.name.clone(),
        state: status.state.word(),
        since: moment.label(status.since),
        for_seconds: moment.ago(status.since),
        reason: status.reason.as_ref().map(ToString::to_string),
        held_back_by: status.held_back_by.clone(),
        members: members.map(member).collect(),
    }
}

/// The session with the SNMP master agent.
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    master: String,
    state: &'static str,
    since: String,
    regions: usize,
    registered: usize,
    restored: u64,
    sessions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    notifications_sent: u64,
    notifications_repeated: u64,
    notifications_acknowledged: u64,
    notifications_given_up: u64,
}

impl Agent {
    fn of(moment: &Moment<'_>, status: &AgentStatus) -> Self {
        Self {
            master: status.master.clone(),
            state: status.state.word(),
            since: moment.label(status.since),
            regions: status.regions,
            registered: status.registered,
            restored: status.restored,
            sessions: status.sessions,
            last_error: status.error.clone(),
            notifications_sent: status.sent,
            notifications_repeated: status.repeated,
            notifications_acknowledged: status.acknowledged,
            notifications_given_up: status.given_up,
        }
    }
}
