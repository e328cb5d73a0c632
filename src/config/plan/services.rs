//! Which virtual servers go on, and what of them.

use std::collections::{HashMap, VecDeque};

use super::{Matching, Outline};
use crate::config::settings::{
    Check, Destination, Endpoint, GroupMember, Protocol, RealServer, VirtualServer,
};

/// Those that serve the same go on; of several, the first is the first.
pub(super) fn services(old: &Outline<'_>, new: &Outline<'_>) -> Matching {
    let mut known: HashMap<_, VecDeque<usize>> = HashMap::new();
    for (position, service) in old.services.iter().enumerate() {
        known.entry(key(service)).or_default().push_back(position);
    }
    let groups = [Groups::of(old), Groups::of(new)];
    let mut found = Vec::with_capacity(new.services.len());
    for service in &new.services {
        found.push(known.get_mut(&key(service)).and_then(VecDeque::pop_front));
    }
    Matching::from_pairs(old.services.len(), found, |before, now| {
        let (before, now) = (old.services[before], new.services[now]);
        before == now && groups[0].members(before) == groups[1].members(now)
    })
}

/// What a virtual server serves. A mark and a group have no protocol of their own.
fn key(service: &VirtualServer) -> (&Destination, Option<Protocol>) {
    let has_protocol = matches!(service.heading, Destination::Address(_));
    (&service.heading, has_protocol.then_some(*service.protocol))
}

/// The members of the groups of a configuration by their names, marks first: their order does not matter to anybody.
struct Groups<'a>(HashMap<&'a str, Vec<&'a GroupMember>>);

impl<'a> Groups<'a> {
    fn of(outline: &Outline<'a>) -> Self {
        let mut all = HashMap::new();
        for group in outline.server_groups {
            let members = all.entry(&*group.name).or_insert_with(|| group.members.iter().collect::<Vec<_>>());
            members.sort_by_key(|member| !matches!(member, GroupMember::Mark(..)));
        }
        Self(all)
    }

    /// Those of the group that a virtual server names.
    fn members(&self, service: &VirtualServer) -> &[&'a GroupMember] {
        let Destination::Group(name) = &service.heading else { return &[] };
        self.0.get(&**name).map_or(&[], Vec::as_slice)
    }
}

/// A real server that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptServer {
    /// Its place in the old configuration.
    pub before: usize,
    /// For each of its checks the place of that of the old ones which asks the same.
    pub checks: Vec<Option<usize>>,
    /// The places of old checks that are no more.
    pub ended: Vec<usize>,
}

/// For each real server of a virtual server, what it was before: one with the same address and port is the same.
pub fn kept_servers(old: &VirtualServer, new: &VirtualServer) -> Vec<Option<KeptServer>> {
    let known: HashMap<Endpoint, usize> =
        old.real_server.iter().map(|server| server.heading).zip(0..).collect();
    let kept = |server: &RealServer| {
        let before = *known.get(&server.heading)?;
        Some(kept_server(before, &old.real_server[before].checks, &server.checks))
    };
    new.real_server.iter().map(kept).collect()
}

fn kept_server(before: usize, old: &[Check], new: &[Check]) -> KeptServer {
    let mut ended: Vec<usize> = (0..old.len()).collect();
    let mut find = |check: &Check| {
        let place = ended.iter().position(|before| old[*before].asks_the_same(check))?;
        Some(ended.remove(place))
    };
    let checks = new.iter().map(&mut find).collect();
    KeptServer { before, checks, ended }
}
