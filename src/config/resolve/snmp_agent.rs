//! `snmp_agent`: that nobody may do more than the file means.

use std::collections::HashSet;

use super::Context;
use crate::config::{
    Diagnostic, Place, Severity,
    settings::{Rights, SnmpAgent},
};

/// Drops who names a view that is not there, and says what is open to others.
pub(super) fn check(agent: &mut SnmpAgent, context: &mut Context<'_>) {
    let views: HashSet<String> = agent.view.iter().map(|view| view.heading.name().to_owned()).collect();
    agent.community.retain(|community| sees(&community.rights, &community.at, &views, context));
    let mut names = HashSet::new();
    agent.usm_user.retain(|user| {
        let is_first = names.insert(user.name.clone());
        if !is_first {
            // Its name is masked like the rest of the line.
            let headline = "there is a user of this name already: the line is ignored";
            let found = Diagnostic::new("duplicate-name", Severity::Error, headline, &user.at);
            context.add(found.help("give it another name"));
        }
        is_first && sees(&user.rights, &user.at, &views, context)
    });
    if agent.engine_file.is_written() && !agent.engine_file.starts_with('/') {
        let headline = "engine_file is no path from the root: SNMPv3 has another engine after every start";
        context.add(
            Diagnostic::new("invalid-value", Severity::Error, headline, &agent.at)
                .help("write a path that begins with /"),
        );
    }
    if agent.is_exposed() {
        exposed(agent, context);
    }
}

/// Whether the view of these rights is there.
fn sees(rights: &Rights, at: &Place, views: &HashSet<String>, context: &mut Context<'_>) -> bool {
    let Some(view) = rights.view.as_deref().filter(|view| !views.contains(*view)) else { return true };
    let headline = format!("there is no view {view} in this snmp_agent: the line is ignored");
    context.add(
        Diagnostic::new("unknown-view", Severity::Error, headline, at)
            .help(format!("add view {view} {{ included OID }}, or correct the name")),
    );
    false
}

/// What is worth a word where others can ask.
fn exposed(agent: &SnmpAgent, context: &mut Context<'_>) {
    for community in agent.community.iter().filter(|community| community.rights.is_everywhere()) {
        let headline = "this community can be used from everywhere";
        context.add(
            Diagnostic::new("open-community", Severity::Security, headline, &community.at)
                .info("it travels in clear text: whoever has heard it once can ask as well, and with rw change things")
                .help("add source PREFIX, or listen at loopback addresses alone"),
        );
    }
    for user in agent.usm_user.iter().filter(|user| user.auth.is_none() && user.rights.is_everywhere()) {
        let headline = "this user proves nothing and can be used from everywhere";
        context.add(
            Diagnostic::new("open-user", Severity::Security, headline, &user.at)
                .info("whoever knows the name can ask as well, and with rw change things")
                .help("add auth PROTOCOL PASSWORD, or source PREFIX"),
        );
    }
    if agent.community.is_empty() && agent.usm_user.is_empty() {
        let headline = "nobody may ask this snmp_agent from another host";
        context.add(
            Diagnostic::new("silent-agent", Severity::Warning, headline, &agent.at)
                .info("without a community or a user there is only `public`, from this host alone")
                .help("add usm_user NAME auth PROTOCOL PASSWORD, or community NAME source PREFIX"),
        );
    }
}
