//! SNMP notifications of our own (`snmp_notify`): a thread with a runtime of its own, so that no receiver and no reload holds up
//! anybody else.
//!
//! Each target has its own position in the stream of transitions, which the journal writes down beside that of the AgentX
//! master: what one receiver has not taken waits for it alone, over any outage and over a restart of the daemon.
//!
//! | file | what |
//! |---|---|
//! | `setup` | what the configuration asks for |
//! | `lane` | the thread, and what reloads make of its targets |
//! | `post` | one target: its socket, its position, and the machine that says what to send |

mod lane;
mod post;
mod setup;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    thread,
};

use tokio::sync::{oneshot, watch};
use tracing::error;

use self::{
    lane::{Lane, Shared},
    setup::Setup,
};
use super::{agent::Flags, runtime, udp_agent::Engines};
use crate::{
    registry::{Registry, Topology},
    snmp::{Backlog, Told},
    units::Time,
};

/// How far each target has taken transitions, by its key.
pub(super) type Marks = watch::Sender<BTreeMap<u64, Told>>;

/// The targets of a configuration, none of which has taken anything in this run.
pub(super) fn marks(topology: &Topology) -> BTreeMap<u64, Told> {
    setup::keys(topology).map(|key| (key, Told::default())).collect()
}

/// The targets, as the manage lane knows them. With it the thread ends.
pub(super) struct UdpNotify {
    shared: Shared,
    flags: Flags,
    /// What an earlier run left, until the thread has it.
    backlogs: HashMap<u64, oneshot::Receiver<Backlog>>,
    /// What the thread hears, once there is one.
    wanted: Option<watch::Sender<Setup>>,
}

impl UdpNotify {
    /// Starts the thread if the configuration asks for it. How far targets are is written to `marks`, which are as
    /// [`marks`] has them; sysUpTime was 0 when the daemon `began`.
    pub(super) fn start(
        registry: &Arc<Registry>,
        (began, engines): (Time, Engines),
        flags: Flags,
        marks: Marks,
        backlogs: HashMap<u64, oneshot::Receiver<Backlog>>,
    ) -> Self {
        let registry = Arc::clone(registry);
        let topology = registry.topology();
        let shared = Shared { registry, began, engines, marks };
        let mut notify = Self { shared, flags, backlogs, wanted: None };
        notify.want(&topology);
        notify
    }

    /// Has it go on as another topology has it; a target that is new is told of what happens after `since`.
    pub(super) fn follow(&mut self, topology: &Topology, since: u64) {
        let known = self.shared.marks.borrow().clone();
        let of = |key| (key, known.get(&key).map_or(Told { earlier: 0, now: since }, |told| *told));
        let marks: BTreeMap<u64, Told> = setup::keys(topology).map(of).collect();
        self.shared.marks.send_if_modified(|known| {
            let differs = !known.keys().eq(marks.keys());
            // What the thread has moved on meanwhile is not taken back.
            known.retain(|key, _| marks.contains_key(key));
            for (key, told) in &marks {
                known.entry(*key).or_insert(*told);
            }
            differs
        });
        self.want(topology);
    }

    fn want(&mut self, topology: &Topology) {
        let setup = Setup::of(topology, &self.flags);
        if let Some(wanted) = &self.wanted {
            wanted.send_if_modified(|known| std::mem::replace(known, setup.clone()) != setup);
        } else if !setup.targets.is_empty() {
            let started = self.spawn(setup);
            self.wanted = started.inspect_err(|why| error!("nobody is told in SNMP: {why}")).ok();
        }
    }

    fn spawn(&mut self, setup: Setup) -> io::Result<watch::Sender<Setup>> {
        let (sender, wanted) = watch::channel(setup);
        let runtime = runtime()?;
        let (shared, backlogs) = (self.shared.clone(), std::mem::take(&mut self.backlogs));
        thread::Builder::new().name("snmp-notify".to_owned()).spawn(move || {
            runtime.block_on(Lane::new(shared, wanted, backlogs).run());
        })?;
        Ok(sender)
    }

    /// Waits until every target has taken everything up to this transition; whoever calls it sets the limit.
    pub(super) async fn finish(&mut self, newest: u64) {
        if self.wanted.is_some() {
            let mut heard = self.shared.marks.subscribe();
            // An error cannot be: the sender is here.
            let _ = heard.wait_for(|marks| marks.values().all(|told| told.now >= newest)).await;
        }
    }
}
