//! What a reload has to do: which things of a running configuration go on untouched, which go on with other settings, which
//! end and which begin. A pure function of two configurations; the daemon carries its plan out, and `config diff` shows it.

mod fixed;
mod matching;
mod outline;
mod services;

use std::{collections::HashMap, fmt};

pub use self::{
    fixed::{FIXED, keep_fixed},
    matching::{Matching, Origin},
    outline::{Outline, Rest},
    services::{KeptServer, kept_servers},
};
use super::{Config, Instance, SyncGroup};

/// What becomes of everything that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// `vrrp_instance`, told apart by what the network knows of them: a name may change.
    pub instances: Matching,
    /// `vrrp_sync_group`, by their names.
    pub groups: Matching,
    /// `vrrp_script`, by their names.
    pub scripts: Matching,
    /// `track_file`, by their names.
    pub files: Matching,
    /// `vrrp_track_process`, by their names.
    pub processes: Matching,
    /// What `bfd_instance` says of priorities, by its name.
    pub sessions: Matching,
    /// Static addresses, by what they are: one that differs in anything is another one.
    pub static_addresses: Matching,
    /// Static routes, by what they are.
    pub static_routes: Matching,
    /// Static rules, by what they are.
    pub static_rules: Matching,
    /// `virtual_server`, by what it serves.
    pub services: Matching,
    /// Whether anything else differs that reloads care for: global words, `garp_group`, `track_group`.
    pub rest: bool,
}

impl Plan {
    /// What leads from one configuration to another.
    pub fn new(old: &Outline<'_>, new: &Outline<'_>) -> Self {
        let instances = instances(&old.instances, &new.instances);
        let same_group = |before: &&SyncGroup, now: &&SyncGroup| {
            let goes_on = |(was, is): (&usize, &usize)| instances.origins[*is].before() == Some(*was);
            let members = before.members.len() == now.members.len()
                && before.members.iter().zip(&now.members).all(goes_on);
            members && alone(before) == alone(now)
        };
        let groups = Matching::new(&old.groups, &new.groups, |group| group.name.as_str(), same_group);
        Self {
            groups,
            instances,
            scripts: Matching::new(&old.scripts, &new.scripts, |one| one.name.as_str(), |a, b| a == b),
            files: Matching::new(&old.files, &new.files, |one| one.name.as_str(), |a, b| a == b),
            processes: Matching::new(&old.processes, &new.processes, |one| one.name.as_str(), |a, b| a == b),
            sessions: Matching::new(&old.sessions, &new.sessions, |one| one.name.as_str(), |a, b| a == b),
            static_addresses: Matching::of_values(&old.static_addresses, &new.static_addresses),
            static_routes: Matching::of_values(&old.static_routes, &new.static_routes),
            static_rules: Matching::of_values(&old.static_rules, &new.static_rules),
            services: services::services(old, new),
            rest: old.rest != new.rest,
        }
    }

    /// How many instances, groups and virtual servers are new, how many have other settings, and how many end.
    pub fn counts(&self) -> [usize; 3] {
        let all = [self.instances.counts(), self.groups.counts(), self.services.counts()];
        [0, 1, 2].map(|kind| all.iter().map(|counts| counts[kind]).sum())
    }

    /// Whether everything stays as it is.
    pub fn is_empty(&self) -> bool {
        let Self {
            instances,
            groups,
            scripts,
            files,
            processes,
            sessions,
            static_addresses,
            static_routes,
            static_rules,
            services,
            rest,
        } = self;
        let all = [
            instances,
            groups,
            scripts,
            files,
            processes,
            sessions,
            static_addresses,
            static_routes,
            static_rules,
            services,
        ];
        !rest && all.into_iter().all(Matching::is_same)
    }
}

/// What becomes of instances, groups and virtual servers, which are what a reload is told by.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [added, changed, removed] = self.counts();
        write!(f, "{added} added, {changed} changed, {removed} removed")
    }
}

impl From<(&Config, &Config)> for Plan {
    fn from((old, new): (&Config, &Config)) -> Self {
        Self::new(&old.into(), &new.into())
    }
}

/// Routers that are the same to the network go on. Of several that the network cannot tell apart by this, as unicast ones
/// with other peers, the one of the same name does, else the first.
fn instances<'a>(old: &[&'a Instance], new: &[&'a Instance]) -> Matching {
    // Most are where they were: of those nothing has to be looked up.
    let is_in_place = |(before, now): &(&&Instance, &&Instance)| {
        before.name == now.name && before.identity() == now.identity()
    };
    let mut in_place: Vec<bool> = old.iter().zip(new).map(|pair| is_in_place(&pair)).collect();
    in_place.resize(old.len().max(new.len()), false);
    let mut known: HashMap<_, Vec<usize>> = HashMap::new();
    for (position, instance) in old.iter().enumerate().rev().filter(|(position, _)| !in_place[*position]) {
        known.entry(instance.identity()).or_default().push(position);
    }
    let find = |(position, instance): (usize, &'a Instance)| {
        if in_place[position] {
            return Some(position);
        }
        let left = known.get_mut(&instance.identity())?;
        let place = left.iter().position(|before| old[*before].name == instance.name)?;
        Some(left.remove(place))
    };
    let mut found: Vec<Option<usize>> = new.iter().copied().enumerate().map(find).collect();
    for (instance, before) in new.iter().zip(&mut found).filter(|(_, before)| before.is_none()) {
        *before = known.get_mut(&instance.identity()).and_then(Vec::pop);
    }
    Matching::from_pairs(old.len(), found, |before, now| old[before] == new[now])
}

/// A group without its members, which have other positions in another configuration.
fn alone(group: &SyncGroup) -> SyncGroup {
    SyncGroup { members: Vec::new(), ..group.clone() }
}

#[cfg(test)]
mod tests;
