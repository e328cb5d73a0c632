//! The thread: its targets, each of which goes on by itself.

use std::{collections::HashMap, future::pending, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::{oneshot, watch};

use super::{Marks, post::Post, setup::Setup};
use crate::{
    daemon::udp_agent::Engines,
    kernel::rest,
    notify,
    registry::Registry,
    snmp::{Backlog, Expected},
    udp_agent::Origin,
    units::Time,
};

/// How long notifications wait for the journal to be read, which takes a few milliseconds unless the disk hangs.
const JOURNAL_READ: Duration = Duration::from_secs(2);

/// What everybody here goes by.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) registry: Arc<Registry>,
    /// When sysUpTime was 0.
    pub(super) began: Time,
    pub(super) engines: Engines,
    pub(super) marks: Marks,
}

/// The targets at work.
pub(super) struct Lane {
    shared: Shared,
    wanted: watch::Receiver<Setup>,
    posts: Vec<Post>,
    /// What an earlier run left, for targets that have not begun.
    backlogs: HashMap<u64, oneshot::Receiver<Backlog>>,
    /// Dropped when nobody waits for the journal any longer.
    patience: Vec<oneshot::Sender<()>>,
}

impl Lane {
    pub(super) fn new(
        shared: Shared,
        wanted: watch::Receiver<Setup>,
        backlogs: HashMap<u64, oneshot::Receiver<Backlog>>,
    ) -> Self {
        Self { shared, wanted, posts: Vec::new(), backlogs, patience: Vec::new() }
    }

    /// Runs until nobody can want anything any more.
    pub(super) async fn run(mut self) {
        while self.wanted.has_changed().is_ok() {
            let setup = self.wanted.borrow_and_update().clone();
            self.adopt(setup);
            let registry = &self.shared.registry;
            let is_empty = self.posts.is_empty();
            let all = join_all(self.posts.iter_mut().map(|post| notify::kept(post, registry)));
            let patience = &mut self.patience;
            tokio::select! {
                _ = self.wanted.changed() => {}
                _ = all, if !is_empty => {}
                () = wear_out(patience) => {}
            }
        }
    }

    /// From now on it is this that is wanted. Targets that stay go on where they are.
    fn adopt(&mut self, setup: Setup) {
        let Setup { targets, parts, engine } = setup;
        let engine = self.shared.engines.at(engine.as_deref());
        let origin = Origin { engine, began: self.shared.began.0 };
        let mut known: HashMap<u64, Post> = self.posts.drain(..).map(|post| (post.key(), post)).collect();
        for recipient in targets {
            let post = match known.remove(&recipient.key) {
                Some(mut post) => {
                    post.follow(recipient, &origin, parts);
                    post
                }
                None => {
                    let expected = self.backlogs.remove(&recipient.key).map(|backlog| {
                        let (worn, patience) = oneshot::channel();
                        self.patience.push(worn);
                        Expected { backlog, patience }
                    });
                    Post::new(&self.shared, recipient, origin.clone(), parts, expected)
                }
            };
            self.posts.push(post);
        }
        // Whoever comes later hears of what happens then.
        self.backlogs.clear();
    }
}

/// Ends the patience with the journal in time, and nothing else, ever.
async fn wear_out(patience: &mut Vec<oneshot::Sender<()>>) {
    if !patience.is_empty() {
        rest(JOURNAL_READ).await;
        patience.clear();
    }
    pending().await
}
