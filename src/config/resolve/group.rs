//! Blocks that name others: sync groups and what they group.

use std::collections::HashMap;

use super::Context;
use crate::config::{Config, Diagnostic, Instance, Severity, Span, settings::SyncGroup};

/// Where names were defined, by kind of block.
type Names = HashMap<(&'static str, String), Span>;

/// Checks who is in which group, now that every instance is known: members may be defined below their group.
pub(super) fn check(config: &mut Config, names: &Names, context: &mut Context<'_>) {
    let mut groups: HashMap<String, Span> = HashMap::new();
    // Members that keep no weights, and their groups.
    let mut weighted: HashMap<String, String> = HashMap::new();
    config.sync_groups.retain_mut(|group| {
        group.group.retain(|(name, at)| is_free_instance(name, at, names, &mut groups, context));
        if !group.sync_group_tracking_weight && !group.global_tracking {
            weighted
                .extend(group.group.iter().map(|(name, _)| (name.clone(), group.heading.name().to_owned())));
        }
        size_suffices(group, context)
    });
    for instance in &config.instances {
        if let Some(group) = weighted.get(&instance.name) {
            report_weights(instance, group, context);
        }
    }
}

/// The members of a group have one priority course or none: weights of single members are dropped.
fn report_weights(instance: &Instance, group: &str, context: &mut Context<'_>) {
    let Some(first) = instance.track_scripts.iter().find(|tracked| tracked.weight != 0) else { return };
    context.add(
        Diagnostic::new(
            "weight-in-group",
            Severity::Error,
            format!(
                "the weight of {} in {} is dropped: it is a member of {group}",
                first.name, instance.name
            ),
            &instance.at,
        )
        .info("members of a sync group change state together, so the priority of one alone must not move")
        .help("track the script in the group, or write sync_group_tracking_weight in it"),
    );
}

/// Whether a member exists and is in no other group.
fn is_free_instance(
    name: &str,
    at: &Span,
    names: &Names,
    groups: &mut HashMap<String, Span>,
    context: &mut Context<'_>,
) -> bool {
    if !names.contains_key(&("vrrp_instance", name.to_owned())) {
        context.add(
            Diagnostic::new(
                "unknown-instance",
                Severity::Error,
                format!("there is no vrrp_instance {name}: it is no member"),
                at,
            )
            .help("correct the name, or define the instance"),
        );
        return false;
    }
    if let Some(first) = groups.get(name) {
        context.add(
            Diagnostic::new(
                "duplicate-member",
                Severity::Error,
                format!("{name} is already a member at {}", first.beside(at)),
                at,
            )
            .info("an instance belongs to one sync group, once")
            .help("remove one of the two lines"),
        );
        return false;
    }
    groups.insert(name.to_owned(), at.clone());
    true
}

/// A group without members is dropped; one of a single member does nothing for it.
fn size_suffices(group: &SyncGroup, context: &mut Context<'_>) -> bool {
    let headline = match group.group.len() {
        0 => format!("vrrp_sync_group {} has no members: it is ignored", group.heading.name()),
        1 => format!("vrrp_sync_group {} has only one member", group.heading.name()),
        _ => return true,
    };
    context.add(
        Diagnostic::new("small-group", Severity::Error, headline, &group.at)
            .info("a sync group makes two or more instances change state together")
            .help("name the instances in group { }, or remove the block"),
    );
    !group.group.is_empty()
}
