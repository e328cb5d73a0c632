//! The AgentX subagent, from the start of the daemon to its end, as the configuration of the moment has it.
//!
//! It has a thread of its own: the master of a walk asks for thousands of variables in a second, and has nobody else looked
//! after for each; and a notification waits for no script that the manage lane starts. A reload that asks for another set-up ends one session and opens the next; one that does
//! not leaves the session alone. What the master has not acknowledged by then goes on to the next session. While nobody is
//! told of transitions they count as told: whoever switches notifications on hears of what happens from then on.
//!
//! | file | what |
//! |---|---|
//! | `setup` | what the configuration and the command line ask for |
//! | `status` | what the registry shows of the session |

mod setup;
mod status;

use std::{
    convert::Infallible,
    future::pending,
    io,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use agentx::{Mib, Subagent};
use futures_util::{
    StreamExt as _,
    future::{join, join3},
    stream::FuturesUnordered,
};
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

pub(super) use self::setup::{Flags, Setup};
use crate::{
    cli,
    kernel::{Deadline, clock},
    notify,
    registry::{Cursor, Registry},
    snmp::{self, Backlog, Expected, Pending, Snapshots, Told},
    units::Time,
};

/// How long notifications wait for the journal to be read, which takes a few milliseconds unless the disk hangs.
const JOURNAL_READ: Duration = Duration::from_secs(2);

/// The subagent, until nobody can ask for anything of it any more: then it takes its leave.
pub(super) struct Agent {
    keeper: notify::Keeper,
    wanted: watch::Receiver<Option<Setup>>,
    registry: Arc<Registry>,
    /// When the daemon began to count.
    began: Time,
    told: watch::Sender<Told>,
    /// What an earlier run left, as long as nobody has begun with it.
    backlog: Option<oneshot::Receiver<Backlog>>,
    /// The notifications, between two sessions that send them.
    pending: Option<Pending>,
}

impl Agent {
    /// Serves `registry` as it is `wanted`; how far the master has taken transitions is written to `told`.
    pub(super) fn new(
        wanted: watch::Receiver<Option<Setup>>,
        registry: &Arc<Registry>,
        told: watch::Sender<Told>,
        backlog: Option<oneshot::Receiver<Backlog>>,
    ) -> Self {
        let (keeper, registry) = (notify::Keeper::default(), Arc::clone(registry));
        Self { keeper, wanted, registry, began: clock::now(), told, backlog, pending: None }
    }

    /// Serves on its thread from now on. What is returned is ready at the end.
    pub(super) fn start(self) -> io::Result<impl Future<Output = ()>> {
        let runtime = super::runtime()?;
        let (ended, end) = oneshot::channel::<Infallible>();
        thread::Builder::new().name("agentx".to_owned()).spawn(move || {
            // Dropped with the thread, however that ends.
            let _ended = ended;
            runtime.block_on(self.serve());
        })?;
        Ok(async { drop(end.await) })
    }

    /// Runs to the end.
    async fn serve(mut self) {
        let registry = Arc::clone(&self.registry);
        notify::kept(&mut self, &registry).await;
    }

    /// Does what one set-up asks for, until another one is wanted.
    async fn follow(&mut self, setup: Option<Setup>) {
        let subagent = setup.as_ref().and_then(|setup| self.subagent(setup));
        let until = || when_woken(changed(self.wanted.clone()));
        let (Some(setup), Some((subagent, shown))) = (setup, subagent) else {
            (self.pending, self.backlog) = (None, None);
            return pass_over(&self.registry, &self.told, until()).await;
        };
        if !setup.traps {
            (self.pending, self.backlog) = (None, None);
            let passed = pass_over(&self.registry, &self.told, until());
            join3(when_woken(shown), subagent.run_until(until()), when_woken(passed)).await;
            return;
        }
        let (patience, ended) = oneshot::channel();
        let mut pending = self.pending.take().unwrap_or_else(|| {
            let expected = self.backlog.take().map(|backlog| Expected { backlog, patience: ended });
            Pending::new((Arc::clone(&self.registry), clock::now), setup.parts, expected, self.told.clone())
        });
        pending.take_up(setup.parts);
        let served = subagent.with_notifications(pending).run_until(until());
        tokio::select! {
            ((), pending) = join(when_woken(shown), served) => self.pending = Some(pending),
            never = when_woken(wait(patience)) => match never {},
        }
    }

    /// The subagent of a set-up, and what shows how it is doing; `None` when no master may be asked for that.
    fn subagent(
        &self,
        setup: &Setup,
    ) -> Option<(Subagent<impl Mib + use<>>, impl Future<Output = ()> + use<>)> {
        let Setup { master, parts, context, .. } = setup;
        let config = agentx::Config::new(cli::banner()).context(context.clone());
        let config = parts.regions().into_iter().fold(config, agentx::Config::region);
        let status = Arc::<OnceLock<_>>::default();
        let snapshots = Snapshots::new(Arc::clone(&self.registry), clock::now, Arc::clone(&status));
        let snapshots = snapshots.since(self.began);
        let mib = snmp::view().serve(move || snapshots.now());
        info!("serving KEEPALIVED-MIB through the AgentX master at {master}");
        let subagent = Subagent::new(master.clone(), config, mib, || clock::now().0)
            .inspect_err(|error| warn!("KEEPALIVED-MIB is not served: {error}"))
            .ok()?;
        // It is empty until here.
        let _ = status.set(subagent.status());
        let shown = status::show(Arc::clone(&self.registry), master.to_string(), subagent.status());
        Some((subagent, shown))
    }
}

impl notify::Part for Agent {
    fn name(&self) -> String {
        "serving KEEPALIVED-MIB".to_owned()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    async fn run(&mut self) {
        while self.wanted.has_changed().is_ok() {
            let setup = self.wanted.borrow_and_update().clone();
            self.follow(setup).await;
        }
    }
}

/// The same, polled only when it is woken itself. Whoever answers requests is woken for each, by thousands, and what waits beside it
/// would be polled each time.
async fn when_woken<T>(future: impl Future<Output = T>) -> T {
    [future].into_iter().collect::<FuturesUnordered<_>>().select_next_some().await
}

/// Waits until something else is wanted, or nobody is left to want anything.
async fn changed(mut wanted: watch::Receiver<Option<Setup>>) {
    let _ = wanted.changed().await;
}

/// Lets every transition count as told, until then.
async fn pass_over(registry: &Registry, told: &watch::Sender<Told>, until: impl Future<Output = ()>) {
    let mut cursor = Cursor::default();
    let all = async {
        loop {
            let now = registry.transitions.newest();
            told.send_if_modified(|told| std::mem::replace(&mut told.now, now) != now);
            cursor.advance_past(now);
            cursor.ready(&registry.transitions, 0).await;
        }
    };
    tokio::select! {
        () = until => {}
        never = all => never,
    }
}

/// Ends the patience with the journal in time, and nothing else, ever: no disk may hold up the notifications of this run.
async fn wait(patience: oneshot::Sender<()>) -> Infallible {
    if let Ok(mut limit) = Deadline::new()
        && limit.set(Some(clock::now() + JOURNAL_READ)).is_ok()
    {
        let _ = limit.expired().await;
    }
    drop(patience);
    pending().await
}
