//! Words of an instance that make sense together only: those of unicast, and the one that needs `nopreempt`.

use super::Context;
use crate::config::{Diagnostic, Severity, settings::InstanceSettings, text::Word, tree::Node};

/// Words that say that an instance speaks unicast, whatever else they say.
const MARKERS: [&str; 4] = ["unicast_src_ip", "unicast_peer", "check_unicast_src", "old_unicast_checksum"];

/// What is known of the instance otherwise.
pub(super) struct Rest<'a> {
    pub(super) name: Word<'a>,
    pub(super) interface: Option<&'a str>,
    pub(super) has_peers: bool,
    pub(super) strict: bool,
    pub(super) preempt: bool,
}

/// Checks the words, and sets those aside that have no effect.
pub(super) fn check(
    node: &Node,
    settings: &mut InstanceSettings,
    rest: &Rest<'_>,
    context: &mut Context<'_>,
) {
    if rest.has_peers {
        unicast_in_strict_mode(node, rest, context);
    } else {
        without_peers(node, settings, rest, context);
    }
    let needs_nopreempt = |line: &&Node| {
        matches!(line.keyword.name, "timer_expired_backup" | "thread_timer_expired") && line.valid
    };
    if let Some(line) = node.nodes().iter().find(needs_nopreempt).filter(|_| rest.preempt) {
        settings.timer_expired_backup = None;
        let headline = format!("{} has no effect without nopreempt", line.keyword.name);
        context.add(
            Diagnostic::new("no-nopreempt", Severity::Error, headline, &line.span())
                .help("add nopreempt with state BACKUP and a priority below 255, or remove this line"),
        );
    }
}

fn without_peers(node: &Node, settings: &mut InstanceSettings, rest: &Rest<'_>, context: &mut Context<'_>) {
    if settings.unicast_ttl.take().is_some()
        && let Some(line) = node.nodes().iter().find(|line| line.keyword.name == "unicast_ttl")
    {
        let headline = format!("unicast_ttl has no effect in {}: there is no unicast peer", rest.name.text);
        context.add(
            Diagnostic::new("no-peers", Severity::Error, headline, &line.span())
                .help("list the other routers in unicast_peer, or remove this line"),
        );
    }
    if settings.unicast_fault_no_peer {
        return;
    }
    let marker = node.nodes().iter().rev().find(|line| MARKERS.contains(&line.keyword.name));
    if let Some(line) = marker {
        let headline = format!("{} names no unicast peer: it uses multicast", rest.name.text);
        context.add(
            Diagnostic::new("no-peers", Severity::Error, headline, &line.span()).help(
                "list the other routers in unicast_peer, or use mcast_src_ip to choose a source address",
            ),
        );
    }
}

/// The RFC has no unicast; it is for links without multicast.
fn unicast_in_strict_mode(node: &Node, rest: &Rest<'_>, context: &mut Context<'_>) {
    let has_multicast = |interface| context.env.has_multicast(interface) == Some(true);
    if !rest.strict || !rest.interface.is_some_and(has_multicast) {
        return;
    }
    if let Some(line) = node.nodes().iter().find(|line| line.keyword.name == "unicast_peer") {
        let headline =
            format!("{} cannot run: strict mode has no unicast where there is multicast", rest.name.text);
        context.add(
            Diagnostic::new("strict-mode", Severity::Refused, headline, &line.span())
                .help("remove unicast_peer, or strict mode"),
        );
    }
}
