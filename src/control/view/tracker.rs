//! What is tracked.

use serde::Serialize;

use super::{Moment, seconds};
use crate::{
    config::tracking::Tracker,
    registry::{InstanceRow, LinkState, ScriptResult, ScriptRow, SessionState},
    units::Time,
};

/// Something that is tracked.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Line {
    pub(super) kind: &'static str,
    pub(super) name: String,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// A line of an instance, or of its sync group, that tracks something.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Tracking {
    #[serde(skip)]
    pub(in crate::control) tracker: Tracker,
    kind: &'static str,
    pub(in crate::control) name: String,
    pub(in crate::control) weight: i16,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reverse: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Tracking {
    /// What it is and how it is.
    pub(in crate::control) fn words(&self) -> String {
        let Self { kind, name, state, detail, .. } = self;
        let detail = if detail.is_empty() { String::new() } else { format!(", {detail}") };
        format!("{kind} {name} ({state}{detail})")
    }
}

/// A `vrrp_script`.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Script {
    name: String,
    state: &'static str,
    last_run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    command: String,
    interval_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<f64>,
    rise: u32,
    fall: u32,
    weight: i16,
    tracked_by: Vec<String>,
}

/// Everything that is tracked, but interfaces that only addresses are on.
pub(super) fn all(moment: &Moment<'_>) -> Vec<Line> {
    let topology = &moment.topology;
    let kinds = [
        (0..topology.interfaces.len()).map(Tracker::Interface).collect::<Vec<_>>(),
        (0..topology.scripts.len()).map(Tracker::Script).collect(),
        (0..topology.files.len()).map(Tracker::File).collect(),
        (0..topology.processes.len()).map(Tracker::Process).collect(),
        (0..topology.sessions.len()).map(Tracker::Session).collect(),
    ];
    kinds.into_iter().flatten().filter_map(|tracker| line(moment, tracker)).collect()
}

/// What an instance tracks, its own lines and those of its sync group.
pub(in crate::control) fn of_instance(moment: &Moment<'_>, row: &InstanceRow) -> Vec<Tracking> {
    let mut groups = moment.topology.groups.iter();
    let group = groups.find(|group| row.group.as_ref() == Some(&group.config.name));
    let of_group = group.into_iter().flat_map(|group| group.config.tracks.iter());
    let lines = row.config.tracks.iter().chain(of_group);
    let tracking = lines.filter_map(|tracked| {
        let Line { kind, name, state, detail, .. } = line(moment, tracked.tracker)?;
        let (tracker, weight, reverse) = (tracked.tracker, tracked.weight, tracked.reverse);
        Some(Tracking { tracker, kind, name, weight, reverse, state, detail })
    });
    tracking.collect()
}

fn line(moment: &Moment<'_>, tracker: Tracker) -> Option<Line> {
    let topology = &moment.topology;
    let position = tracker.position();
    let (name, state, detail, at) = match tracker {
        Tracker::Interface(_) => {
            let row = topology.interfaces.get(position)?;
            let status = row.status();
            let state = match status.state {
                LinkState::Missing => "missing",
                LinkState::Down => "down",
                LinkState::Up => "up",
            };
            (row.config.name.clone(), state, String::new(), status.since)
        }
        Tracker::Script(_) => {
            let row = topology.scripts.get(position)?;
            let status = row.status();
            (row.config.name.clone(), result(status.result), status.last.clone(), status.at)
        }
        Tracker::File(_) => {
            let row = topology.files.get(position)?;
            let status = row.status();
            let state = if status.at.is_none() { "unknown" } else { "read" };
            let detail = status.problem.clone().unwrap_or_else(|| format!("holds {}", status.number));
            (row.config.name.clone(), state, detail, status.at)
        }
        Tracker::Process(_) => {
            let row = topology.processes.get(position)?;
            let status = row.status();
            let detail = status.problem.clone().unwrap_or_else(|| format!("{} running", status.count));
            (row.config.name.clone(), healthy(status.healthy), detail, status.at)
        }
        Tracker::Session(_) => {
            let row = topology.sessions.get(position)?;
            let status = row.status();
            let state = match status.state {
                None => "unknown",
                Some(SessionState::Down) => "down",
                Some(SessionState::Up) => "up",
                Some(SessionState::AdminDown) => "switched off",
            };
            (row.config.name.clone(), state, String::new(), status.since)
        }
    };
    Some(Line { kind: tracker.kind(), name, state, detail, at: label(moment, at) })
}

pub(super) fn script(moment: &Moment<'_>, row: &ScriptRow) -> Script {
    let (config, status) = (&row.config, row.status());
    let topology = &moment.topology;
    let instances = topology.instances.iter().map(|row| (&row.config.name, &row.config.tracks));
    let groups = topology.groups.iter().map(|row| (&row.config.name, &row.config.tracks));
    let tracks = instances.chain(groups);
    let by = tracks.filter(|(_, tracks)| tracks.scripts.iter().any(|line| line.name == config.name));
    Script {
        name: config.name.clone(),
        state: result(status.result),
        last_run: status.last.clone(),
        at: label(moment, status.at),
        command: config.command.shown.clone(),
        interval_seconds: seconds(config.interval),
        timeout_seconds: config.timeout.map(seconds),
        rise: config.rise,
        fall: config.fall,
        weight: config.weight,
        tracked_by: by.map(|(name, _)| name.clone()).collect(),
    }
}

fn label(moment: &Moment<'_>, at: Option<Time>) -> Option<String> {
    at.map(|at| moment.label(at))
}

const fn healthy(healthy: Option<bool>) -> &'static str {
    match healthy {
        None => "unknown",
        Some(true) => "good",
        Some(false) => "bad",
    }
}

const fn result(result: ScriptResult) -> &'static str {
    match result {
        ScriptResult::Init => "unknown",
        ScriptResult::Good => "good",
        ScriptResult::Bad | ScriptResult::InitFailed => "bad",
    }
}
