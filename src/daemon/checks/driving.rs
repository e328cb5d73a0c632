//! What drives IPVS as something that can go on after a mistake of the program: another reconciler looks at the kernel's table,
//! and has the check lane say once more what it should be. Until then the table stays as it is.

use std::{mem, sync::Arc};

use tracing::{error, warn};

use super::{board::Board, reconciler::Reconciler};
use crate::{
    daemon::{ipvs_namespace, runtime},
    kernel::namespace,
    notify::{self, Keeper, Part},
    registry::Registry,
};

/// The thread.
pub(super) struct Driving {
    registry: Arc<Registry>,
    board: Arc<Board>,
    reconciler: Reconciler,
    keeper: Keeper,
    /// It has begun once.
    is_anew: bool,
    /// The table is as it has to be after the end.
    has_ended: bool,
}

impl Driving {
    /// For the virtual servers of a registry.
    pub(super) fn new(registry: &Arc<Registry>, board: Arc<Board>) -> Self {
        let reconciler = Reconciler::new(registry, Arc::clone(&board));
        let registry = Arc::clone(registry);
        Self { registry, board, reconciler, keeper: Keeper::default(), is_anew: false, has_ended: false }
    }

    /// The thread from its first to its last moment; it has to be this one's alone.
    pub(super) fn live(mut self) {
        let registry = Arc::clone(&self.registry);
        let elsewhere = ipvs_namespace::of(&registry.topology().process);
        if let Some(Err(error)) = elsewhere.as_deref().map(namespace::enter) {
            return error!("no service reaches IPVS: {error}");
        }
        match runtime() {
            Ok(runtime) => runtime.block_on(notify::kept(&mut self, &registry)),
            Err(error) => warn!("a mistake of the program would be the end of what drives IPVS: {error}"),
        }
        if !self.has_ended {
            // The end has come while it rested.
            self.drive();
        }
    }

    /// Runs until the board says that it is the end.
    fn drive(&mut self) {
        if mem::replace(&mut self.is_anew, true) {
            self.reconciler = self.reconciler.successor(&self.registry);
            self.board.ask();
        }
        self.reconciler.run();
        self.has_ended = true;
    }
}

impl Part for Driving {
    fn name(&self) -> String {
        "driving IPVS".to_owned()
    }

    /// Without a pause: nothing else is on the thread.
    async fn run(&mut self) {
        self.drive();
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    async fn called_off(&mut self) {
        self.board.over.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{
        daemon::checks::testing::until,
        kernel::ipvs::ServiceKey,
        registry::{Cursor, Reason, testing::topology},
        units::Family,
    };

    #[tokio::test]
    async fn after_a_mistake_another_one_asks_what_the_table_should_be_and_ends_when_it_is_told_to() {
        let registry = Arc::new(Registry::new(topology()));
        let board = Arc::new(Board::default());
        let driving = Driving::new(&registry, Arc::clone(&board));
        let thread = thread::spawn(|| driving.live());
        board.spoil();
        until(|| registry.panics.restarts() == 1).await;
        until(|| board.take_question()).await;
        let told = Cursor::default().peek(&registry.transitions).unwrap().change.reason.clone();
        assert!(matches!(&told, Reason::Restarted { part, .. } if part == "driving IPVS"), "{told}");
        // A word of which nothing comes, since the table has no such service.
        let key = ServiceKey::Mark { family: Family::V4, mark: 7 };
        board.want([(key, None)]);
        board.spoil();
        until(|| registry.panics.restarts() == 2).await;
        // Also while it rests: the waits become longer.
        board.stop();
        until(|| thread.is_finished()).await;
        thread.join().unwrap();
    }
}
