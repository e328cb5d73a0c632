//! `vrrp_track_process` blocks.

use super::Trackables;
use crate::config::{
    Diagnostic, Severity,
    resolve::Context,
    settings::{Section as _, TrackProcess},
    tracking::{Matching, Process},
    tree::Node,
};

/// One block; without a process it is nothing.
pub(in crate::config::resolve) fn process(
    node: &Node,
    trackables: &mut Trackables,
    context: &mut Context<'_>,
) {
    let Some(written) = TrackProcess::read(node, context.report) else { return };
    let (name, at) = (written.heading.name(), &written.at);
    let command: Vec<String> =
        written.process.iter().flat_map(|words| words.iter()).map(str::to_owned).collect();
    if command.is_empty() {
        // Which the rules report.
        return;
    }
    let (quorum, quorum_max) = quorum(&written, context);
    let process = Process {
        name: name.to_owned(),
        matching: matching(&written, command.len() > 1),
        command,
        quorum,
        quorum_max,
        fork_delay: written.fork_delay.or(written.delay).unwrap_or_default(),
        terminate_delay: written.terminate_delay.or(written.delay).unwrap_or_default(),
        weight: written.weight.adjustment(),
        reverse: written.weight.reverse,
        at: at.clone(),
    };
    trackables.processes.add("vrrp_track_process", (name, at), process, context);
}

/// Parameters or `param_match` ask for the command line, as `full_command` does.
fn matching(written: &TrackProcess, parameters: bool) -> Matching {
    match (written.param_match, parameters, written.full_command) {
        (Some("initial"), ..) => Matching::Initial,
        (Some("partial"), ..) => Matching::Partial,
        (Some(_), ..) | (None, true, _) => Matching::Exact,
        (None, false, true) => Matching::Program,
        (None, false, false) => Matching::Name,
    }
}

/// `quorum_max 0` asks for no process at all; else it cannot be less than the quorum.
fn quorum(written: &TrackProcess, context: &mut Context<'_>) -> (u32, Option<u32>) {
    let most = written.quorum_max.map(u32::from);
    let least = match (written.quorum, most) {
        (None, Some(0)) => 0,
        (quorum, _) => quorum.map_or(1, u32::from),
    };
    if most.is_none_or(|most| most >= least) {
        return (least, most);
    }
    context.add(
        Diagnostic::new(
            "invalid-value",
            Severity::Error,
            "quorum_max is less than quorum: it is ignored",
            &written.at,
        )
        .help("write quorum_max 0 alone, or a number that is not below the quorum"),
    );
    (least, None)
}
