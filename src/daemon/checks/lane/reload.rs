//! A reload in the lane: what goes on keeps what is known of it, the turns of its checks and its tries.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::mem;
use std::sync::Arc;

use tracing::warn;

use super::super::{
    checker::{Checker, Of},
    followed::{self, are_unread},
    served::Served,
};
use super::{
    Lane, Owners,
    begin::{FILES, UNREAD},
    clients, presence,
};
use crate::{
    config::plan::KeptServer,
    kernel::clock,
    registry::{Reason, Topology},
};

/// What a virtual server was before: its number, and its servers.
type Before = Option<(usize, Vec<Option<KeptServer>>)>;

impl Lane {
    /// Goes on with the newest topology, unless it is the one that is followed already. Of several reloads that have waited
    /// the last one counts. Before the files that its checks follow have been read it is not known whom it lets serve: they are
    /// waited for.
    pub(super) fn follow_newest(&mut self, followed: &mut Arc<Topology>) {
        let newest = self.registry.topology();
        if Arc::ptr_eq(followed, &newest) {
            self.patience = None;
            return;
        }
        if are_unread(&newest) {
            let now = clock::now();
            if now < *self.patience.get_or_insert(now + FILES) {
                return;
            }
            warn!("{UNREAD}");
        }
        self.patience = None;
        #[cfg(test)]
        assert!(!self.board.spoils_reloads(), "a mistake over a reload");
        self.follow_topology(&newest);
        *followed = newest;
    }

    /// This topology is in place from now on.
    fn follow_topology(&mut self, topology: &Arc<Topology>) {
        let mut keys = self.owners.keys();
        let before = self.follow_services(topology);
        self.owners = Owners::of(&self.services);
        self.follow_checks(topology, &before);
        self.presence = presence(&self.services, topology);
        self.note_presence(clock::now());
        self.allow_descriptors();
        self.allow_echo();
        self.followers = followed::all(&self.services, topology);
        self.follow_all();
        keys.extend(self.owners.keys());
        self.want(keys);
        self.board.follow(Arc::clone(topology));
        for service in &mut self.services {
            // One whose checks are gone is up for want of anything that fails.
            service.tell(&self.registry, &Reason::Recovered);
        }
    }

    /// Has the services be those of the topology: what ends is told of, then the others go on or begin.
    fn follow_services(&mut self, topology: &Topology) -> Vec<Before> {
        let rows = &topology.virtual_servers;
        let new: HashMap<usize, _> = rows.iter().map(|row| (row.identity(), row)).collect();
        let mut known = HashMap::new();
        for (number, mut served) in mem::take(&mut self.services).into_iter().enumerate() {
            match new.get(&served.row.identity()) {
                Some(row) => {
                    let kept = served.take_leave(&self.registry, row);
                    known.insert(row.identity(), (served, (number, kept)));
                }
                None => {
                    served.pool.handle_removal();
                    served.tell(&self.registry, &Reason::Deleted);
                }
            }
        }
        let tell_servers = *topology.global.settings.rs_init_notifies;
        let mut before = Vec::with_capacity(rows.len());
        for row in rows {
            let (served, origin) = match known.remove(&row.identity()) {
                Some((mut served, (number, kept))) => {
                    served.follow(topology, row, &kept);
                    (served, Some((number, kept)))
                }
                None => {
                    let mut served = Served::new(topology, row);
                    served.begin(tell_servers);
                    served.pool.handle_joining();
                    (served, None)
                }
            };
            self.services.push(served);
            before.push(origin);
        }
        before
    }

    /// Has the checks be those of the services.
    fn follow_checks(&mut self, topology: &Topology, before: &[Before]) {
        let mut old = self.turns.take_all();
        let (now, chances, clients) = (clock::now(), RandomState::new(), clients(topology));
        for of in Of::all(&self.services) {
            let service = &self.services[of.service];
            let server = of.server(&self.services);
            let known = before[of.service].as_ref();
            let kept = known.and_then(|(number, servers)| Some((*number, servers[of.place].as_ref()?)));
            let origin = kept.and_then(|(service, kept)| {
                let check = kept.checks[of.check]?;
                Some(Of { service, place: kept.before, check })
            });
            if let Some((number, checker)) = origin.and_then(|origin| old.remove(&origin)) {
                if let Some(checker) = checker.follow(of, (server, &clients), now) {
                    self.turns.insert(number, checker);
                }
                continue;
            }
            let up = service.pool.passes(of.place, of.check);
            if let Some(checker) = Checker::new(of, (server, &clients), now, chances.hash_one(of)) {
                service.show_wait((of.place, of.check), checker.kind);
                self.turns.add(checker.joining(up));
            }
        }
    }
}
