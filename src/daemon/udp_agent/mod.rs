//! The SNMP agent of our own (`snmp_agent`): a thread with a runtime of its own, so that no flood of datagrams holds anybody up
//! but who asks.
//!
//! | file | what |
//! |---|---|
//! | `engine` | the file of the SNMPv3 engine |
//! | `setup` | what the configuration asks for |
//! | `lane` | the thread: sockets, the machine that answers, and what reloads make of them |

mod engine;
mod lane;
mod setup;

use std::{io, sync::Arc, thread};

use tokio::sync::watch;
use tracing::error;

pub(super) use self::{engine::Engines, setup::credentials};
use self::{lane::Lane, setup::Setup};
use super::runtime;
use crate::{
    kernel::clock,
    notify,
    registry::{Registry, Topology},
    snmp::{self, Snapshots},
    units::Time,
};

/// The agent, as the manage lane knows it. With it the thread ends.
#[derive(Debug)]
pub(super) struct UdpAgent {
    registry: Arc<Registry>,
    /// When sysUpTime was 0.
    began: Time,
    engines: Engines,
    /// What the thread hears, once there is one.
    wanted: Option<watch::Sender<Option<Setup>>>,
}

impl UdpAgent {
    /// Starts the thread if the configuration asks for it; sysUpTime was 0 when the daemon `began`.
    pub(super) fn start(registry: &Arc<Registry>, (began, engines): (Time, Engines)) -> Self {
        let mut agent = Self { registry: Arc::clone(registry), began, engines, wanted: None };
        agent.follow(&registry.topology());
        agent
    }

    /// Has it go on as another topology has it.
    pub(super) fn follow(&mut self, topology: &Topology) {
        let setup = Setup::of(topology);
        if let Some(wanted) = &self.wanted {
            wanted.send_if_modified(|known| std::mem::replace(known, setup.clone()) != setup);
        } else if setup.is_some() {
            let started = self.spawn(setup);
            self.wanted = started.inspect_err(|why| error!("SNMP is not answered: {why}")).ok();
        }
    }

    fn spawn(&self, setup: Option<Setup>) -> io::Result<watch::Sender<Option<Setup>>> {
        let (sender, wanted) = watch::channel(setup);
        let (registry, began, engines) = (Arc::clone(&self.registry), self.began, self.engines.clone());
        let runtime = runtime()?;
        thread::Builder::new().name("snmp".to_owned()).spawn(move || {
            let snapshots = Snapshots::own(Arc::clone(&registry), clock::now, began);
            let mib = snmp::view().serve(move || snapshots.now());
            let mut lane = Lane::new(mib, (began, engines), wanted);
            runtime.block_on(notify::kept(&mut lane, &registry));
        })?;
        Ok(sender)
    }
}
