//! `vrrp_sync_group` blocks: who is in which group, and what its members track.

use std::collections::{HashMap, HashSet};

use super::{
    Context, inherit,
    instance::notify,
    tracking::{self, Trackables},
};
use crate::{
    config::{
        Config, Diagnostic, Global, Instance, Notify, Severity, Span, SyncGroup,
        settings::{Section as _, SyncGroup as Settings},
        tracking::{Tracked, Tracker, Tracks},
        tree::Node,
    },
    units::Priority,
};

/// Where names were defined, by kind of block.
type Names = HashMap<(&'static str, String), Span>;

/// A block as far as it can be understood where it stands: members may be defined below their group.
#[derive(Debug)]
pub(super) struct Draft {
    settings: Settings,
    tracks: Tracks,
    notify: Notify,
    /// Its first script that will run as root, if the group is used at all.
    root_script: Option<Span>,
}

/// Reads a block.
pub(super) fn read(
    node: &Node,
    global: &Global,
    trackables: &mut Trackables,
    context: &mut Context<'_>,
) -> Option<Draft> {
    let mut settings = Settings::read(node, context.report)?;
    inherit::group(&mut settings, &global.settings);
    let mut draft =
        Draft { settings, tracks: Tracks::default(), notify: Notify::default(), root_script: None };
    let before = context.root_script.take();
    let mut tracked = HashSet::new();
    for line in node.nodes() {
        let script = match line.keyword.name {
            "notify_master" => &mut draft.notify.master,
            "notify_backup" => &mut draft.notify.backup,
            "notify_fault" => &mut draft.notify.fault,
            "notify_stop" => &mut draft.notify.stop,
            "notify" => &mut draft.notify.all,
            "track_interface" | "track_script" | "track_file" | "track_process" | "track_bfd" => {
                tracking::lines(line, trackables, (&mut draft.tracks, &mut tracked), context);
                continue;
            }
            _ => continue,
        };
        notify(line, script, global, context);
    }
    draft.root_script = std::mem::replace(&mut context.root_script, before);
    Some(draft)
}

/// Makes groups of the blocks, now that every instance is known.
pub(super) fn finish(drafts: Vec<Draft>, config: &mut Config, names: &Names, context: &mut Context<'_>) {
    let mut taken = HashMap::new();
    let named = config.instances.iter().enumerate();
    let positions: HashMap<String, usize> =
        named.map(|(position, instance)| (instance.name.clone(), position)).collect();
    for Draft { mut settings, tracks, notify, root_script } in drafts {
        settings.group.retain(|(name, at)| is_free_instance(name, at, names, &mut taken, context));
        if !size_suffices(&settings, context) {
            continue;
        }
        if context.root_script.is_none() {
            context.root_script = root_script;
        }
        // An instance that cannot run is no member, and has been reported.
        let members = settings.group.iter().filter_map(|(name, _)| positions.get(name).copied()).collect();
        let group = SyncGroup {
            name: settings.heading.name().to_owned(),
            members,
            tracks,
            tracking_weight: settings.sync_group_tracking_weight || settings.global_tracking,
            notify,
            settings: Box::new(settings),
        };
        if !group.members.is_empty() {
            config.sync_groups.push(group);
        }
    }
    for group in &mut config.sync_groups {
        track_together(group, &mut config.instances, context);
        inherit::members(group, &mut config.instances);
    }
}

/// The members of a group have one course of priorities or none.
fn track_together(group: &mut SyncGroup, instances: &mut [Instance], context: &mut Context<'_>) {
    let owner = |member: &&usize| instances[**member].priority == Priority::OWNER;
    if let Some(owner) = group.members.iter().find(owner).map(|owner| instances[*owner].name.clone()) {
        for tracked in group.tracks.iter_mut().filter(|tracked| tracked.weight != 0) {
            tracked.weight = 0;
            report_owner(group.name.as_str(), tracked, &owner, context);
        }
    }
    let of_group: HashSet<Tracker> = group.tracks.iter().map(|line| line.tracker).collect();
    for member in &group.members {
        let instance = &mut instances[*member];
        if !group.tracking_weight {
            drop_weights(instance, &group.name, context);
        }
        let doubled = |own: &mut Tracked| of_group.contains(&own.tracker);
        for doubled in instance.tracks.lists_mut().into_iter().flat_map(|list| list.extract_if(.., doubled)) {
            let (name, group) = (&doubled.name, &group.name);
            let headline =
                format!("{} and its group {group} track {name}: the group's line counts", instance.name);
            context.add(
                Diagnostic::new("tracked-twice", Severity::Notice, headline, &doubled.at)
                    .help("remove one of the two lines"),
            );
        }
    }
}

/// Weights of single members are dropped, and what has one with them; but a file whose number counts as it is counts as
/// a failure instead.
fn drop_weights(instance: &mut Instance, group: &str, context: &mut Context<'_>) {
    for file in instance.tracks.files.iter_mut().filter(|file| file.weight == 1) {
        file.weight = 0;
        let headline = format!(
            "the weight of {} in {} is taken for 0: it is a member of {group}",
            file.name, instance.name
        );
        report_weight(headline, &file.at, context);
    }
    let lists = instance.tracks.lists_mut();
    for tracked in lists.into_iter().flat_map(|list| list.extract_if(.., |line| line.weight != 0)) {
        let headline = format!(
            "{} does not track {}, which has a weight: it is a member of {group}",
            instance.name, tracked.name
        );
        report_weight(headline, &tracked.at, context);
    }
}

fn report_weight(headline: String, at: &Span, context: &mut Context<'_>) {
    context.add(
        Diagnostic::new("weight-in-group", Severity::Error, headline, at)
            .info("members of a sync group change state together, so the priority of one alone must not move")
            .help("track it in the group, or write sync_group_tracking_weight there"),
    );
}

fn report_owner(group: &str, tracked: &Tracked, owner: &str, context: &mut Context<'_>) {
    let name = &tracked.name;
    let headline =
        format!("the weight of {name} in {group} is taken for 0: the priority of {owner} never changes");
    context.add(
        Diagnostic::new("weight-on-owner", Severity::Error, headline, &tracked.at)
            .info("with weight 0 a failure sends the group to FAULT")
            .help("give all members a priority below 255, or what is tracked weight 0"),
    );
}

/// Whether a member exists and is in no other group.
fn is_free_instance(
    name: &str,
    at: &Span,
    names: &Names,
    taken: &mut HashMap<String, Span>,
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
    if let Some(first) = taken.get(name) {
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
    taken.insert(name.to_owned(), at.clone());
    true
}

/// A group without members is dropped; one of a single member does nothing for it.
fn size_suffices(group: &Settings, context: &mut Context<'_>) -> bool {
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
