//! The AgentX subagent: how it is set up, and that it begins anew after a mistake of the program.

use std::{
    future::pending,
    sync::{Arc, OnceLock},
    time::Duration,
};

use agentx::{MasterAddress, Subagent};
use futures_util::future::{BoxFuture, Shared, join};
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use crate::{
    cli, config,
    daemon::agent,
    kernel::{Deadline, clock},
    notify,
    registry::Registry,
    snmp::{self, Backlog, Expected, Parts, Pending, Snapshots, Told},
};

/// How long notifications wait for the journal to be read, which takes a few milliseconds unless the disk hangs.
const JOURNAL_READ: Duration = Duration::from_secs(2);

/// How the subagent is set up.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Snmp {
    /// Where the master listens.
    pub(in crate::daemon) master: MasterAddress,
    /// What is served there.
    pub(in crate::daemon) parts: Parts,
    /// The SNMP context that it is served in (`snmp_context`); empty for the default one.
    pub(in crate::daemon) context: String,
    /// Whether notifications are sent (`enable_traps`).
    pub(in crate::daemon) traps: bool,
}

impl Snmp {
    /// From the configuration and the command line; `None` when neither asks for SNMP. An address that makes no
    /// sense is logged, and VRRP runs without SNMP: no output may stop it.
    pub(in crate::daemon) fn new(arguments: &cli::Arguments, global: &config::Global) -> Option<Self> {
        let parts = if arguments.snmp { Parts::ALL } else { Parts::of(global) };
        if !parts.any() {
            return None;
        }
        let socket = arguments.snmp_agent_socket.as_ref().or(global.snmp_socket.as_ref());
        match socket.map_or(Ok(MasterAddress::default()), |socket| socket.parse()) {
            Ok(master) => {
                let context = global.settings.snmp_context.as_deref().unwrap_or_default().to_owned();
                Some(Self { master, parts, context, traps: global.enable_traps })
            }
            Err(error) => {
                error!("snmp_socket {error}; KEEPALIVED-MIB is not served until it is corrected");
                None
            }
        }
    }
}

/// The AgentX subagent, until it is told to leave.
pub(super) struct Agent {
    pub(super) keeper: notify::Keeper,
    pub(super) snmp: Snmp,
    pub(super) registry: Arc<Registry>,
    /// `None` once it is known that nobody is told.
    pub(super) told: Option<watch::Sender<Told>>,
    /// What an earlier run left, as long as nobody has begun with it.
    pub(super) backlog: Option<oneshot::Receiver<Backlog>>,
    pub(super) leave: Shared<BoxFuture<'static, ()>>,
}

impl Agent {
    pub(super) async fn serve(mut self) {
        let registry = Arc::clone(&self.registry);
        notify::kept(&mut self, &registry).await;
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
        let Snmp { master, parts, context, traps } = self.snmp.clone();
        let config = agentx::Config::new(cli::banner()).context(context);
        let config = parts.regions().into_iter().fold(config, agentx::Config::region);
        let status = Arc::<OnceLock<_>>::default();
        let snapshots = Snapshots::new(Arc::clone(&self.registry), clock::now, Arc::clone(&status));
        let mib = snmp::view().serve(move || snapshots.now());
        info!("serving KEEPALIVED-MIB through the AgentX master at {master}");
        let subagent = match Subagent::new(master.clone(), config, mib, || clock::now().0) {
            Ok(subagent) => subagent,
            Err(error) => {
                self.told = None;
                return warn!("KEEPALIVED-MIB is not served: {error}");
            }
        };
        // It is empty until here.
        let _ = status.set(subagent.status());
        let shown = agent::show(&self.registry, &master, subagent.status());
        self.told.take_if(|_| !traps);
        let leave = self.leave.clone();
        if let Some(told) = self.told.clone() {
            let (patience, ended) = oneshot::channel();
            let expected = self.backlog.take().map(|backlog| Expected { backlog, patience: ended });
            let pending = Pending::new((Arc::clone(&self.registry), clock::now), parts, expected, told);
            let served = subagent.with_notifications(pending).run_until(leave);
            tokio::select! {
                _ = join(shown, served) => {}
                () = wait(patience) => {}
            }
        } else {
            join(shown, subagent.run_until(leave)).await;
        }
    }
}

/// Ends the patience with the journal in time, and nothing else, ever: no disk may hold up the notifications of this run.
async fn wait(patience: oneshot::Sender<()>) {
    if let Ok(mut limit) = Deadline::new()
        && limit.set(Some(clock::now() + JOURNAL_READ)).is_ok()
    {
        let _ = limit.expired().await;
    }
    drop(patience);
    pending().await
}
