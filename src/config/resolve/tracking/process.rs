//! `vrrp_track_process` blocks.

use super::Trackables;
use crate::config::{
    Diagnostic, Severity,
    resolve::Context,
    settings::{self, Section, TrackProcess},
    tracking::{Matching, Process},
    tree::Node,
};

/// One block; without a process it is nothing.
pub(in crate::config::resolve) fn process(
    node: &Node,
    trackables: &mut Trackables,
    context: &mut Context<'_>,
) {
    let written = settings::TrackProcess::read(node, context.report);
    let (name, at) = (written.heading.name(), &written.at);
    let command: Vec<String> =
        written.process.iter().flat_map(|words| words.iter()).map(str::to_owned).collect();
    if command.is_empty() {
        // Which the rules report.
        trackables.processes.broken.insert(name.to_owned());
        return;
    }
    let (quorum, quorum_max) = quorum(&written, context);
    let weight = written.weight.and_then(|weight| i16::try_from(weight.value).ok());
    let process = Process {
        name: name.to_owned(),
        matching: matching(&written, command.len() > 1),
        command,
        quorum,
        quorum_max,
        fork_delay: written.fork_delay.or(written.delay).unwrap_or_default(),
        terminate_delay: written.terminate_delay.or(written.delay).unwrap_or_default(),
        weight: weight.unwrap_or_default(),
        reverse: written.weight.is_some_and(|weight| weight.reverse),
        at: at.clone(),
    };
    trackables.processes.add("vrrp_track_process", (name, at), process, context);
}

/// Parameters or `param_match` ask for the command line, as `full_command` does.
fn matching(written: &TrackProcess, parameters: bool) -> Matching {
    match (&written.param_match, parameters, written.full_command) {
        (Some(words), ..) => match words.word(0) {
            Some("initial") => Matching::Initial,
            Some(_) => Matching::Partial,
            None => Matching::Exact,
        },
        (None, true, _) => Matching::Exact,
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
