//! What comes after a topology, as far as it follows from the two configurations alone.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::oneshot;

use super::super::{
    blueprint::{Blueprint, memberships, tracks as tracks_of, with_groups},
    groups,
    router::{self, Router},
};
use crate::{
    config::{
        plan::{Origin, Plan},
        tracking::{Tracked, Tracker},
    },
    daemon::host::Wanted,
    registry::{InstanceRow, Operator, Topology},
    vrrp::Reload,
};

/// What comes after a topology.
#[derive(Debug)]
pub(in crate::daemon) struct Succession {
    pub(super) topology: Arc<Topology>,
    pub(super) plan: Plan,
    pub(super) blueprint: Blueprint,
    pub(super) fates: Vec<Fate>,
    /// Where what is tracked is now.
    pub(super) moves: HashMap<Tracker, Tracker>,
    /// What is wanted of the host, until the host lane has heard of it.
    pub(super) wanted: Option<Wanted>,
    /// Who asked for it over the control socket, if anybody did.
    pub(super) by: Option<Operator>,
    pub(super) done: oneshot::Sender<Remains>,
}

/// What becomes of a router.
#[derive(Debug)]
pub(super) enum Fate {
    /// It begins.
    New,
    /// Nothing is new for it.
    Untouched(usize),
    /// It goes on with other settings; `items` says whether it holds other addresses, routes or rules.
    Changed { before: usize, reload: Box<Reload>, items: bool },
}

/// What is left of a topology, for whoever has the time to give its memory back.
#[derive(Debug)]
pub(in crate::daemon) struct Remains {
    pub(super) _routers: Vec<Router>,
    pub(super) _blueprint: Box<dyn std::any::Any + Send>,
}

impl Succession {
    /// What `plan` says comes after `old`, with what is wanted of the host. The receiver hears when it is in place.
    pub(in crate::daemon) fn new(
        old: &Topology,
        topology: Arc<Topology>,
        plan: Plan,
        wanted: Wanted,
    ) -> (Self, oneshot::Receiver<Remains>) {
        let blueprint = Blueprint::new(&topology);
        let moves = blueprint.trackers.moves(old);
        let places = groups::places(old);
        let memberships = memberships(old, &places);
        let tracked: Vec<_> = with_groups(old, &places).collect();
        let fate = |(number, origin): (usize, &Origin)| {
            let Some(place) = origin.before() else { return Fate::New };
            let (row, group) = tracked[place];
            let (new_row, tracks) = (&topology.instances[number], &blueprint.tracks[number]);
            let items = !hold_the_same(row, new_row);
            let is_in_place = |line: &Tracked| moves.get(&line.tracker) == Some(&line.tracker);
            let same_tracks = tracks.iter().eq(tracks_of(row, group)) && tracks.iter().all(is_in_place);
            let membership = blueprint.memberships[number];
            let same_settings = matches!(origin, Origin::Same(_)) && membership == memberships[place];
            if same_settings && same_tracks && !items {
                return Fate::Untouched(place);
            }
            let was = router::settings(&row.config, memberships[place]);
            let is = router::settings(&new_row.config, membership);
            let known = tracks.iter().map(|line| line.tracker);
            let known: Vec<Tracker> = known.collect();
            let trackers = moves.iter().filter(|(_, now)| known.contains(now));
            let reload = Reload {
                same_priority: was.priority == is.priority,
                same_preempt: was.preempt == is.preempt,
                same_auth: was.auth == is.auth,
                settings: is,
                trackers: trackers.map(|(was, now)| (*was, *now)).collect(),
                reinstall: !have_the_same_addresses(row, new_row),
            };
            Fate::Changed { before: place, reload: Box::new(reload), items }
        };
        let fates = plan.instances.origins.iter().enumerate().map(fate).collect();
        let (done, heard) = oneshot::channel();
        (Self { topology, plan, blueprint, fates, moves, wanted: Some(wanted), by: None, done }, heard)
    }

    /// The same, asked for by somebody.
    pub(in crate::daemon) fn asked_for_by(self, by: Option<Operator>) -> Self {
        Self { by, ..self }
    }
}

fn have_the_same_addresses(old: &InstanceRow, new: &InstanceRow) -> bool {
    let same = |(old, new): (&Arc<_>, &Arc<_>)| Arc::ptr_eq(old, new);
    old.addresses.len() == new.addresses.len() && old.addresses.iter().zip(&new.addresses).all(same)
}

fn hold_the_same(old: &InstanceRow, new: &InstanceRow) -> bool {
    let routes = old.config.virtual_routes == new.config.virtual_routes;
    routes && old.config.virtual_rules == new.config.virtual_rules && have_the_same_addresses(old, new)
}
