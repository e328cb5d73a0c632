//! The check lane: health checks, the pools that follow them, and IPVS that follows the pools.
//!
//! | part | what it does |
//! |---|---|
//! | `checking`, `driving` | what has the lane, and the thread beside it, begin anew after a mistake of the program |
//! | `lane` | a thread with a runtime of its own: has checks run when they are due, and tells pools what they found |
//! | `lane::turns` | whose turn it is; pure |
//! | `lane::owners` | who wants something of which service |
//! | `checker` | a check there: when it is due, what it does, and what is said of it |
//! | `followed` | checks that ask nobody: they follow a tracked file or a BFD session |
//! | `removed` | what is told of a reload that the lane cannot follow |
//! | `served` | a virtual server there: its pool, its row, and what is told of it |
//! | `presence` | whether virtual addresses are here, for `ha_suspend` |
//! | `board` | what the kernel should hold, for the thread beside: the newest word for each service, so nothing piles up |
//! | `reconciler` | that thread: makes the kernel's table what the board says, looks at it again and again, and counts |
//! | `traffic` | what the kernel counts, for the rows |
//! | `desk` | takes orders of managers for weights |
//!
//! Nothing here can delay the vrrp lane; the kernel cannot delay checks, since it is another thread that asks it.

mod board;
mod checker;
mod checking;
mod desk;
mod driving;
mod followed;
mod lane;
mod presence;
mod reconciler;
mod removed;
mod served;
#[cfg(test)]
mod testing;
mod traffic;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use self::{board::Board, checking::Checking, driving::Driving};
use super::{orders::Desk, real_time::RealTime, runtime};
use crate::{
    cli::Arguments,
    notify,
    registry::{RealServerRow, Registry, Topology, Weights},
};

/// Orders that may wait for the lane.
const COMMANDS: usize = 64;

/// What the lane is told from outside.
#[derive(Debug)]
enum Command {
    /// A manager gives a real server another weight.
    Weigh {
        server: Arc<RealServerRow>,
        weight: i64,
        /// Hears when the row shows it.
        done: std::sync::mpsc::SyncSender<()>,
    },
    /// A reload has put another topology in place.
    Reload,
    /// The end.
    Stop,
    /// A mistake.
    #[cfg(test)]
    Panic,
}

/// What the command line says of health checks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    /// There may be some (`-C`, `-P`).
    runs: bool,
    /// `-I`
    keeps_table: bool,
}

impl Flags {
    pub(super) const fn new(arguments: &Arguments) -> Self {
        Self { runs: arguments.runs_checks(), keeps_table: arguments.dont_release_ipvs }
    }
}

/// The lane, as the rest of the daemon knows it.
#[derive(Debug)]
pub(super) struct Checks {
    commands: mpsc::Sender<Command>,
    /// Says nothing, and is disconnected when both threads have ended.
    ended: oneshot::Receiver<()>,
}

impl Checks {
    /// Starts both threads, where there are virtual servers that may be checked.
    pub(super) fn start(registry: &Arc<Registry>, flags: Flags) -> io::Result<Option<Self>> {
        let topology = registry.topology();
        if topology.virtual_servers.is_empty() || !flags.runs {
            return Ok(None);
        }
        let (commands, receiver) = mpsc::channel(COMMANDS);
        take_weights(&commands, &topology);
        let board = Arc::new(Board::new(flags.keeps_table));
        let settings = &topology.global.settings;
        let real_time = Arc::new(RealTime::of_checks(settings));
        real_time.begin();
        let driving = Driving::new(registry, Arc::clone(&board));
        let hurry = Arc::clone(&real_time);
        let driving = thread::Builder::new().name("ipvs".to_owned()).spawn(move || {
            hurry.enter();
            driving.live();
        })?;
        let (alive, ended) = oneshot::channel::<()>();
        let rows = Arc::clone(registry);
        // What keepalived calls the process of its checks is here a thread.
        let name = settings.checker_process_name.as_deref().unwrap_or("check");
        thread::Builder::new().name(name.replace('\0', "")).spawn(move || {
            // Dropped when both have ended, also by a panic.
            let _alive = alive;
            real_time.enter();
            live(rows, receiver, board, (driving, &real_time));
        })?;
        Ok(Some(Self { commands, ended }))
    }

    /// Has it go on as the registry has it by now; after its end nobody hears it.
    pub(super) async fn follow(&self, topology: &Topology) {
        take_weights(&self.commands, topology);
        let _ = self.commands.send(Command::Reload).await;
    }

    /// Has it stop, and waits for its end; whoever calls it sets the limit.
    pub(super) async fn stop(self) {
        // It is gone only when it has ended.
        let _ = self.commands.send(Command::Stop).await;
        let _ = self.ended.await;
    }
}

/// From now on orders for real servers are taken.
fn take_weights(commands: &mpsc::Sender<Command>, topology: &Topology) {
    let desk: Arc<dyn Weights> = Arc::new(Desk::new(commands));
    topology.virtual_servers.iter().for_each(|row| row.take_weights(Arc::clone(&desk)));
}

/// Follows the limit of real-time work; it has no end.
async fn limit(real_time: &RealTime) {
    real_time.watch().await;
    std::future::pending().await
}

/// The lane from its first to its last moment; what IPVS has to do at the end is waited for.
fn live(
    registry: Arc<Registry>,
    commands: mpsc::Receiver<Command>,
    board: Arc<Board>,
    (driving, real_time): (JoinHandle<()>, &RealTime),
) {
    let mut checking = Checking::new(Arc::clone(&registry), Arc::clone(&board), commands);
    match runtime() {
        Ok(runtime) => runtime.block_on(async {
            tokio::select! {
                () = notify::kept(&mut checking, &registry) => {}
                () = limit(real_time) => {}
            }
        }),
        Err(error) => error!("no health checks: {error}"),
    }
    board.stop();
    if driving.join().is_err() {
        warn!("the thread that drives IPVS has panicked: its table is left as it was");
    }
}
