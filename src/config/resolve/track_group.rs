//! `track_group` blocks: instances that suffer with static addresses, routes and rules.

use std::collections::HashSet;

use super::Context;
use crate::config::{Config, Diagnostic, Severity};

/// Leaves out members that are no instances. They may be defined below their group, and keepalived says nothing of one
/// that is not there.
pub(super) fn check(config: &mut Config, context: &mut Context<'_>) {
    let Config { track_groups, instances, .. } = config;
    let known: HashSet<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    for group in track_groups {
        group.group.retain(|(name, at)| {
            let exists = known.contains(name.as_str());
            if !exists {
                context.add(
                    Diagnostic::new(
                        "unknown-instance",
                        Severity::Notice,
                        format!("there is no vrrp_instance {name} that can run: it is no member"),
                        at,
                    )
                    .help("correct the name, or define the instance"),
                );
            }
            exists
        });
    }
}
