//! Whether two routers' sync groups agree.

use std::{cmp::Ordering, collections::HashSet};

use crate::config::{Config, Diagnostic, Instance, Report, Severity, SyncGroup};

/// Compares the groups; `partner` finds the first router's instance for one of the second's, into whose configuration
/// the findings point.
pub(super) fn check<'a>(
    first: &'a Config,
    second: &Config,
    partner: impl Fn(&Instance) -> Option<&'a Instance>,
    report: &mut Report,
) {
    let members = first.sync_groups.iter().flat_map(|group| &group.members);
    let grouped: HashSet<&str> = members.map(|member| &*first.instances[*member].name).collect();
    for group in &second.sync_groups {
        let members = group.members.iter().map(|member| &second.instances[*member]);
        let pairs: Vec<_> = members.filter_map(|theirs| Some((partner(theirs)?, theirs))).collect();
        split_preference(group, &pairs, report);
        for (ours, theirs) in pairs {
            if !grouped.contains(&*ours.name) {
                let headline = format!("{} is in a sync group, its peer in none", theirs.name);
                report.add(
                    Diagnostic::new("peer-group", Severity::Error, headline, &group.settings.at)
                        .info("one router moves it with the group, the other alone")
                        .help("put the same instances into a group on both routers"),
                );
            }
        }
    }
}

/// A group whose members are better on different routers: each router waits for the other, or both give way again and
/// again.
fn split_preference(group: &SyncGroup, pairs: &[(&Instance, &Instance)], report: &mut Report) {
    let preferring = |order| pairs.iter().find(|(ours, theirs)| theirs.priority.cmp(&ours.priority) == order);
    if let (Some((_, here)), Some((_, there))) = (preferring(Ordering::Greater), preferring(Ordering::Less)) {
        let headline = format!(
            "the members of {} prefer different routers: {} this one, {} its peer",
            group.name, here.name, there.name
        );
        report.add(
            Diagnostic::new("peer-group", Severity::Error, headline, &group.settings.at)
                .info("a group moves as a whole: which router becomes master is left to chance")
                .help("give all members of a group the higher priority on the same router"),
        );
    }
}
