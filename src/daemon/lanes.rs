//! The lanes of the engine's process: which there are, in which order they begin, and what their ends come to.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
};

use super::{
    Refused,
    checks::{self, Checks},
    connections::Connections,
    control, dumps,
    engine::{Command, Engine, Neighbours, buffers},
    exit,
    host::Host,
    ipvs_namespace,
    manage::{LAST_WORDS, Manage, Signals, Telling},
    netlink::Netlink,
    orders::Desk,
    real_time::RealTime,
    recorder,
    reload::{self, Reloader},
    tether::Voice,
    trackers::{self, Followers},
};
use crate::{
    kernel::KernelError,
    registry::{InstanceRow, Orders, Registry, Topology},
    units::Time,
    vrrp::SyncRequest,
};

/// Commands that may wait for the engine; whoever finds the channel full waits, never the engine.
const COMMANDS: usize = 1024;

/// What the lanes are made of.
pub(super) struct Lanes<'a> {
    pub(super) registry: Arc<Registry>,
    pub(super) telling: Telling<'a>,
    pub(super) host: Host,
    pub(super) reloader: Reloader,
    /// The parent's.
    pub(super) pid_file: &'a Path,
    /// Whether a stop gives up mastership and addresses (not with `-V`).
    pub(super) release: bool,
    pub(super) recorder: Option<recorder::Source>,
    /// When the engine before this one was killed, if there was one.
    pub(super) died_at: Option<Time>,
    /// What the command line says of health checks.
    pub(super) checks: checks::Flags,
}

impl Lanes<'_> {
    /// Runs all of them until the engine has ended.
    pub(super) fn run(self) -> Result<(), Refused> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let topology = self.registry.topology();
        take_orders(&commands, &topology);
        let real_time = Arc::new(RealTime::new(&topology.global.settings));
        real_time.begin();
        trackers::first_answers(&topology.interfaces);
        let (voice, said) = Voice::new();
        let runtime = runtime().map_err(Refused::fatal)?;
        // Before a lane says that it runs: signals follow that.
        let signals = listen(&runtime).map_err(Refused::fatal)?;
        let (connections, ipvs) = start_connections(&self.registry).map_err(Refused::fatal)?.unzip();
        let neighbours = Neighbours {
            host: self.host,
            commands: receiver,
            real_time: Arc::clone(&real_time),
            recorder: self.recorder,
            ipvs,
            voice: voice.clone(),
            died_at: self.died_at,
        };
        let (vrrp, ended) =
            start_vrrp(Arc::clone(&self.registry), neighbours, self.release).map_err(Refused::fatal)?;
        let followers = Followers::start(&self.registry, &commands).map_err(Refused::fatal)?;
        let checks = Checks::start(&self.registry, self.checks).map_err(Refused::fatal)?;
        let (desk, orders) = reload::Desk::new();
        let control = {
            let _entered = runtime.enter();
            let place = (self.pid_file, self.telling.journal.path());
            control::server(place, &self.registry, &commands, desk.clone())
        };
        let manage = Manage {
            registry: self.registry,
            telling: self.telling,
            checks: (checks, self.checks),
            engine: commands,
            real_time,
            signals,
            parent: (voice, said),
            control,
            reloads: (self.reloader, desk, orders),
            followers,
        };
        // A mistake in an output must not end the process with the addresses still in place: with the lane its end
        // of the command channel is dropped, and the engine then releases them in order.
        let managed = catch_unwind(AssertUnwindSafe(|| runtime.block_on(manage.run(ended))));
        // What the name service is asked for may take as long as it likes: nobody waits for it.
        runtime.shutdown_background();
        let ran = vrrp.join();
        if let Some(connections) = connections {
            connections.finish(LAST_WORDS);
        }
        outcome(ran, managed)
    }
}

/// Has instances take orders of managers, where that is allowed (`snmp_set`).
fn take_orders(commands: &mpsc::Sender<Command>, topology: &Topology) {
    if topology.global.settings.snmp_set {
        let desk: Arc<dyn Orders> = Arc::new(Desk::new(commands));
        topology.instances.iter().for_each(|row| row.take_orders(Arc::clone(&desk)));
    }
}

/// Signals are heard from now on.
fn listen(runtime: &runtime::Runtime) -> io::Result<(Signals, dumps::Asked)> {
    let _entered = runtime.enter();
    Ok((Signals::new()?, dumps::Asked::new()?))
}

/// The thread of the vrrp lane.
type Vrrp = JoinHandle<Result<(), KernelError>>;

/// Starts the vrrp lane. The receiver hears of its end.
fn start_vrrp(
    registry: Arc<Registry>,
    neighbours: Neighbours,
    release: bool,
) -> io::Result<(Vrrp, oneshot::Receiver<()>)> {
    let (ended, engine_ended) = oneshot::channel();
    let lane = move || {
        // Dropped when the lane ends, also by a panic, which then ends the manage lane too.
        let _ended: oneshot::Sender<()> = ended;
        vrrp_lane(registry, neighbours, release)
    };
    Ok((thread::Builder::new().name("vrrp".to_owned()).spawn(lane)?, engine_ended))
}

/// What the ends of both lanes come to for the process.
fn outcome(
    ran: thread::Result<Result<(), KernelError>>,
    managed: thread::Result<io::Result<()>>,
) -> Result<(), Refused> {
    match (ran, managed) {
        (Err(_), _) => Err(Refused { status: exit::INTERNAL, message: "the vrrp lane panicked".to_owned() }),
        (Ok(Err(error)), _) => Err(Refused::fatal(error)),
        (Ok(Ok(())), Err(_)) => {
            Err(Refused { status: exit::INTERNAL, message: "the manage lane panicked".to_owned() })
        }
        (Ok(Ok(())), Ok(Err(error))) => Err(Refused::fatal(error)),
        (Ok(Ok(())), Ok(Ok(()))) => Ok(()),
    }
}

/// The thread for `lvs_sync_daemon`, and where to ask it, where there is something to ask for.
fn start_connections(
    registry: &Arc<Registry>,
) -> io::Result<Option<(Connections, mpsc::Sender<SyncRequest>)>> {
    let topology = registry.topology();
    let by_instance = |row: &Arc<InstanceRow>| row.config.settings.lvs_sync_daemon_interface.is_some();
    let wanted =
        topology.global.settings.lvs_sync_daemon.is_some() || topology.instances.iter().any(by_instance);
    wanted
        .then(|| Connections::start(ipvs_namespace::of(&topology.process), Arc::clone(registry)))
        .transpose()
}

fn vrrp_lane(registry: Arc<Registry>, neighbours: Neighbours, release: bool) -> Result<(), KernelError> {
    let buffer = buffers::of_requests(&registry.topology().global.settings);
    let netlink = Netlink::start(Arc::clone(&neighbours.real_time), buffer)?;
    neighbours.real_time.enter();
    let runtime = runtime().map_err(|error| KernelError::from_io("starting the vrrp lane", &error))?;
    runtime.block_on(async { Engine::new(registry, netlink, neighbours, release)?.run().await })
}

/// A lane's own runtime: one thread, which is the caller.
pub(super) fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_lane_ends_the_process_with_the_status_on_which_the_parent_starts_another() {
        let panicked = || thread::spawn(|| panic!("a mistake of a lane")).join().map(|()| Ok(()));
        let status = |outcome: Result<(), Refused>| outcome.err().map(|refused| refused.status);
        assert_eq!(status(outcome(panicked(), Ok(Ok(())))), Some(exit::INTERNAL));
        let managed = panicked().map(|_: Result<(), KernelError>| Ok(()));
        assert_eq!(status(outcome(Ok(Ok(())), managed)), Some(exit::INTERNAL));
        assert_eq!(status(outcome(Ok(Ok(())), Ok(Ok(())))), None);
    }
}
