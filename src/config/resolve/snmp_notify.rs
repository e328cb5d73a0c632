//! `snmp_notify`: that every target can be told what the file means.

use std::{collections::HashSet, net::SocketAddr};

use super::Context;
use crate::config::{
    Diagnostic, Place, Severity,
    settings::{Rights, SnmpAgent, SnmpNotify, SnmpTarget, SnmpVersion},
};

/// The most targets: each has a position of its own in the journal.
const MOST: usize = 16;

/// Drops what cannot be used.
pub(super) fn check(notify: &mut SnmpNotify, agent: Option<&SnmpAgent>, context: &mut Context<'_>) {
    let mut names = HashSet::new();
    notify.usm_user.retain(|user| {
        let is_first = names.insert(user.name.clone());
        if !is_first {
            // Its name is masked like the rest of the line.
            let headline = "there is a user of this name already: the line is ignored";
            say("duplicate-name", headline, "give it another name", &user.at, context);
        } else if user.rights != Rights::default() {
            let headline = "a user of snmp_notify asks for nothing: source, view and rw are ignored";
            say("invalid-value", headline, "remove them", &user.at, context);
        }
        is_first
    });
    names.extend(agent.iter().flat_map(|agent| &agent.usm_user).map(|user| user.name.clone()));
    let mut known = HashSet::new();
    notify.target.retain(|target| is_usable(target, &names, &mut known, context));
    if notify.engine_file.as_ref().is_some_and(|path| !path.starts_with('/')) {
        let headline = "engine_file is no path from the root: SNMPv3 has another engine after every start";
        say("invalid-value", headline, "write a path that begins with /", &notify.at, context);
    }
}

/// Whether somebody can be told there, and says what cannot be meant.
fn is_usable(
    target: &SnmpTarget,
    users: &HashSet<Box<str>>,
    known: &mut HashSet<SocketAddr>,
    context: &mut Context<'_>,
) -> bool {
    let mut say = |id, headline: &str, help| say(id, headline, help, &target.at, context);
    let is_v3 = *target.version == SnmpVersion::V3;
    let has_user = target.user.as_ref().is_some_and(|user| users.contains(user));
    if !known.insert(target.heading.0) {
        say(
            "duplicate-name",
            "there is a target of this address and port already: this one is ignored",
            "keep one of the two",
        );
        return false;
    }
    if known.len() > MOST {
        say(
            "too-many-targets",
            "there are 16 targets already: this one is ignored",
            "have one of them pass notifications on",
        );
        return false;
    }
    if is_v3 && !has_user {
        say(
            "no-user",
            "this target of SNMPv3 has no user that is known: it is ignored",
            "write user NAME in it, and usm_user NAME auth PROTOCOL PASSWORD in snmp_notify",
        );
        return false;
    }
    if !is_v3 && target.community.is_none() {
        say(
            "no-community",
            "this target has no community: it is ignored",
            "write community NAME in it, or version 3 and user NAME",
        );
        return false;
    }
    if *target.version == SnmpVersion::V1 && target.inform == Some(true) {
        say(
            "contradiction",
            "SNMPv1 has no informs: traps are sent, which nobody acknowledges",
            "write version 2c or 3",
        );
    }
    true
}

fn say(id: &'static str, headline: &str, help: &'static str, at: &Place, context: &mut Context<'_>) {
    context.add(Diagnostic::new(id, Severity::Error, headline.to_owned(), at).help(help));
}
