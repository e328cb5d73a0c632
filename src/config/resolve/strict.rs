//! `vrrp_strict` and `strict_mode`: what an instance may not ask for when the RFC is followed to the letter.

use super::Context;
use crate::{
    config::{Diagnostic, Global, Prose, Severity, settings::InstanceSettings, text::Word, tree::Node},
    units::{Priority, Version},
};

/// Down timers of the RFC, in advertisement intervals (RFC 9568 §6.1, `Active_Down_Interval`).
const DOWN_TIMER_ADVERTS: i64 = 3;

/// Whether the instance is strict: its own word counts, else the global one.
pub(super) fn is_strict(settings: &InstanceSettings, global: &Global) -> bool {
    settings.strict_mode.written().unwrap_or(*global.settings.vrrp_strict)
}

/// What `accept` and `no_accept` come to; an owner takes packets whatever they say (RFC 9568 §6.4.3 (6.4.3-6)).
/// Only in strict mode the default is the RFC's (§6.1 (6.1-2)).
pub(super) fn accepts(written: Option<bool>, strict: bool, version: Version, priority: Priority) -> bool {
    let is_owner = priority == Priority::OWNER;
    match written {
        // Version 2 has no accept mode (RFC 3768 §6.4.3).
        Some(true) if strict && version == Version::V2 && !is_owner => false,
        Some(accept) => accept,
        None => !strict || is_owner,
    }
}

/// Says that a setting is not used in strict mode, and which line would be strict.
pub(super) fn set_aside(
    word: &str,
    name: Word<'_>,
    at: &crate::config::Span,
    help: impl Into<Prose>,
) -> Diagnostic {
    let headline = format!("{word} is ignored in {}: strict mode does not allow it", name.text);
    Diagnostic::new("strict-mode", Severity::Error, headline, at)
        .info("vrrp_strict or strict_mode asks for the protocol of the RFC and nothing else")
        .help(help)
}

/// Reports settings of the block that strict mode sets aside and that need no further thought.
pub(super) fn check(
    node: &Node,
    version: Version,
    priority: Priority,
    name: Word<'_>,
    context: &mut Context<'_>,
) {
    let off = |line: &Node| line.argument().is_some_and(|word| matches!(word.text, "off" | "false" | "no"));
    for line in node.nodes() {
        let against = match line.keyword.name {
            "accept" => version == Version::V2 && priority != Priority::OWNER,
            "down_timer_adverts" => line.integer().is_some_and(|number| number != DOWN_TIMER_ADVERTS),
            "garp_lower_prio_delay" | "garp_lower_prio_repeat" => {
                line.integer().is_some_and(|number| number > 0)
            }
            "lower_prio_no_advert" => off(line),
            "higher_prio_send_advert" => !off(line),
            _ => false,
        };
        if against {
            let help = format!("remove {}, or strict mode", line.keyword.name);
            context.add(set_aside(line.keyword.name, name, &line.span(), Prose::own(help)));
        }
    }
}
