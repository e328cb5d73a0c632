//! How the lane begins: with the daemon, or anew after a mistake of the program has ended the one before.

use std::{sync::Arc, time::Duration};

use tracing::warn;

use super::super::{checker::Of, followed::are_unread, served::Served};
use super::{Lane, found_by};
use crate::{
    kernel::clock,
    registry::{Reason, Topology},
};

/// Pools begin, and follow a reload, when the files that their checks follow have been read, or after so long: one on a file system
/// that does not answer counts as 0 until it is.
pub(super) const FILES: Duration = Duration::from_secs(1);
/// What is said then.
pub(super) const UNREAD: &str = "a tracked file cannot be read at once: it counts as 0 until it is";

impl Lane {
    /// Waits until the files that are followed have been read.
    async fn await_files(&self, topology: &Topology) {
        let read = async {
            while are_unread(topology) {
                self.registry.followed.notified().await;
            }
        };
        if tokio::time::timeout(FILES, read).await.is_err() {
            warn!("{UNREAD}");
        }
    }

    /// Begins every pool, in the order of the configuration, or goes on where another lane was.
    pub(super) async fn begin(&mut self, topology: &Arc<Topology>) {
        if self.is_anew {
            self.resume(topology);
        } else {
            self.await_files(topology).await;
            self.start(topology);
        }
        self.note_presence(clock::now());
    }

    /// Begins with what is known of the servers. Nothing has been told of them.
    fn start(&mut self, topology: &Topology) {
        for follower in &mut self.followers {
            let service = &mut self.services[follower.of.service];
            let of = (follower.of.place, follower.of.check);
            let Some(outcome) = follower.poll() else {
                service.show_wait(of, follower.kind);
                continue;
            };
            service.show_check(of, follower.kind, &outcome, None);
            found_by(&outcome).into_iter().for_each(|found| service.pool.handle_check(of.0, of.1, found));
        }
        for checker in self.turns.all() {
            let Of { service, place, check } = checker.of;
            self.services[service].show_wait((place, check), checker.kind);
        }
        let tell_servers = *topology.global.settings.rs_init_notifies;
        self.services.iter_mut().for_each(|service| service.begin(tell_servers));
        self.want(self.owners.keys());
        for service in &mut self.services {
            service.tell(&self.registry, &Reason::Started);
        }
    }

    /// Goes on with what the rows tell: who knows that is not told again. What the lane before was in the middle of is done
    /// from the beginning.
    fn resume(&mut self, topology: &Arc<Topology>) {
        self.services.iter_mut().for_each(Served::resume);
        self.want_all();
        self.board.follow(Arc::clone(topology));
        self.follow_all();
        for service in &mut self.services {
            service.tell(&self.registry, &Reason::Recovered);
        }
    }
}
