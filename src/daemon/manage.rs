//! The manage lane: everything that reads the registry or starts programs, and the signals.
//!
//! Nothing on this lane can delay the engine. It outlives it by a moment, so that the last transitions
//! (STOP of every instance) still reach scripts and SNMP managers.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use agentx::{InvalidAddress, MasterAddress, Oid, Region, Subagent};
use futures_util::{
    StreamExt as _,
    future::{FusedFuture, FutureExt as _, join},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot, watch},
};
use tracing::{info, warn};

use super::{engine::Command, scripts};
use crate::{
    cli,
    kernel::{Deadline, clock},
    notify,
    registry::Registry,
    snmp::{self, notification::Pending},
};

/// How long a stop waits for notify scripts, as keepalived does, and for the AgentX master.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How the subagent is set up.
#[derive(Clone, Debug)]
pub(super) struct Snmp {
    /// Where the master listens.
    pub(super) master: MasterAddress,
    /// Whether notifications are sent (`enable_traps`).
    pub(super) traps: bool,
}

impl Snmp {
    /// From the configuration and the command line; `None` when neither asks for SNMP.
    ///
    /// # Errors
    /// When the socket's address makes no sense.
    pub(super) fn new(
        arguments: &cli::Arguments,
        global: &crate::config::Global,
    ) -> Result<Option<Self>, InvalidAddress> {
        if !arguments.snmp && !global.enable_snmp_vrrp {
            return Ok(None);
        }
        let socket = arguments.snmp_agent_socket.as_ref().or(global.snmp_socket.as_ref());
        let master = socket.map_or(Ok(MasterAddress::default()), |socket| socket.parse())?;
        Ok(Some(Self { master, traps: global.enable_traps }))
    }
}

/// The lane.
pub(super) struct Manage {
    pub(super) registry: Arc<Registry>,
    pub(super) snmp: Option<Snmp>,
    pub(super) engine: mpsc::Sender<Command>,
}

impl Manage {
    /// Runs until the engine has ended and its last transitions are delivered, or their time is up.
    pub(super) async fn run(self, engine_ended: oneshot::Receiver<()>) -> std::io::Result<()> {
        let Self { registry, snmp, engine } = self;
        let mut scripts = scripts::loops(&registry.topology().scripts, &engine);
        let (delivered, deliveries) = watch::channel(0);
        let (leave, left) = oneshot::channel::<()>();
        let mut subagent = pin!(subagent(snmp, &registry, delivered, left).fuse());
        let mut notify = notify::Runner::new(Arc::clone(&registry));
        {
            let mut signals = pin!(signals(engine));
            let mut running = pin!(notify.run());
            let mut engine_ended = pin!(engine_ended);
            loop {
                tokio::select! {
                    _ = &mut engine_ended => break,
                    Some(ended) = scripts.next() => warn!("a tracked script does not run any more: {ended:?}"),
                    ended = &mut signals => ended?,
                    () = &mut running => {}
                    () = &mut subagent, if !subagent.is_terminated() => {}
                }
            }
        }
        last_words(&mut notify, subagent, &registry, deliveries, leave).await
    }
}

/// Lets scripts and the AgentX master take the last transitions, then has the subagent take its leave.
async fn last_words(
    notify: &mut notify::Runner,
    mut subagent: Pin<&mut impl FusedFuture<Output = ()>>,
    registry: &Registry,
    mut deliveries: watch::Receiver<u64>,
    leave: oneshot::Sender<()>,
) -> std::io::Result<()> {
    let newest = registry.transitions.newest();
    let mut limit = Deadline::new()?;
    limit.set(Some(clock::now() + LAST_WORDS))?;
    {
        let told = async {
            // An error says that there is no subagent, or none that sends notifications.
            let _ = deliveries.wait_for(|delivered| *delivered >= newest).await;
            let _ = leave.send(());
        };
        let mut both = pin!(join(notify.finish(), told).fuse());
        while !(both.is_terminated() && subagent.is_terminated()) {
            tokio::select! {
                _ = &mut both, if !both.is_terminated() => {}
                () = &mut subagent, if !subagent.is_terminated() => {}
                _ = limit.expired() => break,
            }
        }
    }
    notify.kill().await;
    Ok(())
}

/// The AgentX subagent, until it is told to leave; nothing when SNMP is off.
async fn subagent(
    snmp: Option<Snmp>,
    registry: &Arc<Registry>,
    delivered: watch::Sender<u64>,
    leave: oneshot::Receiver<()>,
) {
    let Some(Snmp { master, traps }) = snmp else {
        return;
    };
    let keepalived = Oid::from(snmp::KEEPALIVED);
    let config = agentx::Config::new(cli::banner())
        .region(Region::new(keepalived.child(1)).describe("The MIB module for global"))
        .region(Region::new(keepalived.child(2)).describe("The MIB module for VRRP"));
    let rows = Arc::clone(registry);
    let mib = snmp::view().serve(move || rows.topology());
    let leave = async {
        let _ = leave.await;
    };
    info!("serving KEEPALIVED-MIB through the AgentX master at {master}");
    let built = Subagent::new(master, config, mib, || clock::now().0);
    match built {
        Ok(subagent) if traps => {
            subagent.with_notifications(Pending::new(Arc::clone(registry), delivered)).run_until(leave).await;
        }
        Ok(subagent) => {
            drop(delivered);
            subagent.run_until(leave).await;
        }
        Err(error) => warn!("KEEPALIVED-MIB is not served: {error}"),
    }
}

/// Turns signals into commands, for ever.
async fn signals(engine: mpsc::Sender<Command>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => info!("Stopping (SIGTERM)"),
            _ = interrupt.recv() => info!("Stopping (SIGINT)"),
            _ = hangup.recv() => {
                warn!("SIGHUP: reload is not supported yet, the configuration stays as it is");
                continue;
            }
        }
        // The engine is gone only when everything ends.
        let _ = engine.send(Command::Shutdown).await;
    }
}
