//! What remains of what could be tracked: all that somebody tracks, with the positions that follow from it.

use std::collections::{HashMap, HashSet};

use super::{Interfaces, Trackables};
use crate::config::{
    Config, Diagnostic, Instance, Severity, Span,
    resolve::Context,
    settings::{BfdInstance, Check},
    tracking::{self, Session, Tracker},
};

/// Leaves out what nobody tracks or what cannot be used, and lets the trackers' positions follow.
pub(in crate::config::resolve) fn keep_tracked(
    mut trackables: Trackables,
    config: &mut Config,
    context: &mut Context<'_>,
) {
    name_used_interfaces(&mut trackables.interfaces, &config.instances);
    let mut keeper = Keeper {
        tracked: tracked(config, &trackables),
        mentioned: std::mem::take(&mut trackables.mentioned),
        moved: HashMap::new(),
        context,
    };
    let scripts = trackables.scripts.into_all().into_iter().enumerate();
    let usable = scripts.filter(|(_, candidate)| candidate.usable);
    let usable = usable.map(|(position, candidate)| (position, candidate.script));
    config.scripts = keeper.keep(usable, Tracker::Script, |script| Definition {
        id: "untracked-script",
        block: "vrrp_script",
        list: "track_script",
        name: &script.name,
        at: &script.at,
    });
    let files = trackables.files.all.into_iter().enumerate();
    config.files = keeper.keep(files, Tracker::File, |file| Definition {
        id: "untracked-file",
        block: "track_file",
        list: "track_file",
        name: &file.name,
        at: &file.at,
    });
    let processes = trackables.processes.all.into_iter().enumerate();
    config.processes = keeper.keep(processes, Tracker::Process, |process| Definition {
        id: "untracked-process",
        block: "vrrp_track_process",
        list: "track_process",
        name: &process.name,
        at: &process.at,
    });
    config.sessions = keeper.keep_sessions(trackables.sessions.all, &config.bfd_instances);
    let moved = keeper.moved;
    let of_instances = config.instances.iter_mut().map(|instance| &mut instance.tracks);
    let of_groups = config.sync_groups.iter_mut().map(|group| &mut group.tracks);
    for list in of_instances.chain(of_groups).flat_map(tracking::Tracks::lists_mut) {
        list.retain_mut(|line| match moved.get(&line.tracker) {
            Some(tracker) => {
                line.tracker = *tracker;
                true
            }
            // Interfaces stay where they are; a script that cannot run is gone.
            None => matches!(line.tracker, Tracker::Interface(_)),
        });
    }
    config.interfaces = trackables.interfaces.names.into_iter().map(tracking::Interface::new).collect();
}

/// What instances, groups and checks of real servers track.
fn tracked(config: &Config, trackables: &Trackables) -> HashSet<Tracker> {
    let lines = config.instances.iter().flat_map(|instance| instance.tracks.iter());
    let servers = config.virtual_servers.iter().flat_map(|service| &service.real_server);
    let files = servers.flat_map(|server| &server.checks).filter_map(|check| match check {
        Check::File(check) => trackables.files.named(check.track_file.as_deref()?),
        _ => None,
    });
    let mut tracked: HashSet<Tracker> = lines.map(|line| line.tracker).collect();
    tracked.extend(files.map(|(position, _)| Tracker::File(position)));
    tracked.extend(config.sync_groups.iter().flat_map(|group| group.tracks.iter()).map(|line| line.tracker));
    tracked
}

struct Keeper<'a, 'c> {
    tracked: HashSet<Tracker>,
    mentioned: HashSet<(&'static str, String)>,
    /// Where each tracker that is kept was, and where it is.
    moved: HashMap<Tracker, Tracker>,
    context: &'a mut Context<'c>,
}

impl Keeper<'_, '_> {
    /// Those of a kind that are tracked.
    fn keep<T>(
        &mut self,
        all: impl Iterator<Item = (usize, T)>,
        tracker: impl Fn(usize) -> Tracker,
        definition: impl Fn(&T) -> Definition<'_>,
    ) -> Vec<T> {
        let mut kept = Vec::new();
        for (position, one) in all {
            let from = tracker(position);
            if self.tracked.contains(&from) {
                self.moved.insert(from, tracker(kept.len()));
                kept.push(one);
                continue;
            }
            let Definition { id, block, list, name, at } = definition(&one);
            if !self.mentioned.contains(&(list, name.to_owned())) {
                let headline = format!("nothing tracks {block} {name}: it has no effect");
                self.context.add(
                    Diagnostic::new(id, Severity::Notice, headline, at)
                        .help(format!("name it in {list} of an instance, below its definition")),
                );
            }
        }
        kept
    }

    /// The BFD sessions that can be, tracked or not: they have other uses.
    fn keep_sessions(&mut self, all: Vec<Session>, usable: &[BfdInstance]) -> Vec<Session> {
        let usable: HashSet<&str> = usable.iter().map(|session| session.heading.name()).collect();
        let mut kept = Vec::new();
        for (position, session) in all.into_iter().enumerate() {
            if usable.contains(&*session.name) {
                self.moved.insert(Tracker::Session(position), Tracker::Session(kept.len()));
                kept.push(session);
            }
        }
        kept
    }
}

/// A block that may be tracked, as it is spoken of.
struct Definition<'a> {
    id: &'static str,
    block: &'static str,
    /// What tracks it.
    list: &'static str,
    name: &'a str,
    at: &'a Span,
}

/// An instance's own interface and those that its addresses are put on are watched as well.
fn name_used_interfaces(interfaces: &mut Interfaces, instances: &[Instance]) {
    for instance in instances {
        interfaces.position(&instance.interface);
        let addresses = instance.virtual_addresses.iter().chain(&instance.excluded_addresses);
        for device in addresses.filter_map(|address| address.device.as_deref()) {
            interfaces.position(device);
        }
    }
}
