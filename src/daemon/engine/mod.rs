//! The engine: the vrrp lane's loop, which only carries.
//!
//! It feeds packets, kernel events, script results and the clock to the machines and carries out what they
//! ask for, in order. Everything that can take time is a future in [`Work`]; nothing here waits for a reader,
//! a script, a disk or another program. Before any timer is looked at the sockets are drained, so that after
//! a stall an advertisement that has arrived counts before the silence it ends.

mod carry;
mod interfaces;
mod observe;
mod router;
mod timers;
mod work;

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;
use tracing::warn;

use self::{
    interfaces::Interfaces,
    router::Router,
    timers::Timers,
    work::{Done, Work},
};
use crate::{
    kernel::{Deadline, Event, Events, KernelError, Requests, clock},
    registry::{Reason, Registry},
    track,
    units::{IfIndex, Time},
    vrrp::{self, Fault},
};

/// Packets taken from one socket before the timers are looked at again.
const DRAIN: usize = 64;
/// The largest IPv4 packet that is read whole; no advertisement is longer than an interface's MTU.
const PACKET: usize = 9216;
/// How long a stop may take for the kernel to remove the addresses.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What the other lanes tell the engine.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// A tracked script has a result.
    ScriptJudged {
        /// Its position in the topology.
        script: usize,
        /// Whether it counts as healthy.
        healthy: bool,
        /// How the run ended, in words.
        detail: String,
    },
    /// Leave: release mastership and the addresses, unless told to keep them.
    Shutdown {
        /// Whether to release (not with `-V`).
        release: bool,
    },
}

/// The vrrp lane.
pub(super) struct Engine {
    registry: Arc<Registry>,
    routers: Vec<Router>,
    timers: Timers,
    interfaces: Interfaces,
    /// Routers by the interfaces that they depend on.
    users: HashMap<String, Vec<usize>>,
    /// Per interface, routers by VRID and whether they use multicast.
    receivers: HashMap<String, HashMap<(u8, bool), usize>>,
    /// Virtual addresses by router and slot.
    holders: HashMap<Ipv4Addr, Vec<(usize, usize)>>,
    requests: Requests,
    events: Events,
    work: Work,
    deadline: Deadline,
    commands: mpsc::Receiver<Command>,
    packet: Vec<u8>,
    /// When a stop has to be over.
    stop_by: Option<Time>,
}

/// Why the loop woke up.
enum Wake {
    Time,
    Packet,
    Event(Result<Event, KernelError>),
    Done(Done),
    Command(Option<Command>),
}

impl Engine {
    /// An engine for the registry's instances, not started.
    pub(super) fn new(
        registry: Arc<Registry>,
        requests: Requests,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Self, KernelError> {
        let routers = router::routers(&registry.topology());
        let addresses = routers.iter().flat_map(|router| &router.row.addresses);
        let virtual_addresses = addresses.map(|row| row.config.address).collect::<HashSet<_>>();
        let mut engine = Self {
            timers: Timers::new(routers.len()),
            interfaces: Interfaces::new(virtual_addresses),
            users: HashMap::new(),
            receivers: HashMap::new(),
            holders: HashMap::new(),
            requests,
            events: Events::open()?,
            work: Work::default(),
            deadline: Deadline::new()
                .map_err(|error| KernelError::from_io("opening the engine's timer", &error))?,
            commands,
            packet: vec![0; PACKET],
            stop_by: None,
            registry,
            routers,
        };
        engine.index_routers();
        Ok(engine)
    }

    fn index_routers(&mut self) {
        for (number, router) in self.routers.iter().enumerate() {
            let config = &router.row.config;
            let devices = router.row.addresses.iter().map(|address| address.device.clone());
            let names: HashSet<String> = devices.chain([config.interface.clone()]).collect();
            for name in names {
                self.users.entry(name).or_default().push(number);
            }
            let receivers = self.receivers.entry(config.interface.clone()).or_default();
            receivers.insert((config.vrid.value(), config.peers.is_empty()), number);
            for (slot, address) in router.row.addresses.iter().enumerate() {
                self.holders.entry(address.config.address).or_default().push((number, slot));
            }
        }
    }

    /// Runs until a shutdown is complete.
    pub(super) async fn run(mut self) -> Result<(), KernelError> {
        self.list().await?;
        self.remove_leftovers().await;
        self.start();
        while !self.stopped() {
            self.arm();
            match self.wake().await {
                Wake::Time | Wake::Packet => {}
                Wake::Event(event) => self.handle_event(event).await?,
                Wake::Done(done) => self.handle_done(done),
                Wake::Command(command) => self.handle_command(command),
            }
            self.drain_sockets();
            self.run_timers();
        }
        Ok(())
    }

    fn start(&mut self) {
        for number in 0..self.routers.len() {
            let now = clock::now();
            let scripts: Vec<usize> = self.routers[number].tracks_unweighted().collect();
            for script in scripts {
                let pending = Reason::Started;
                self.routers[number].machine.handle_fault(now, Fault::Pending(script), Some(pending));
            }
            self.refresh(number, now);
            self.routers[number].machine.handle_start(now);
            self.carry_out(number, now);
        }
    }

    fn stopped(&self) -> bool {
        let Some(stop_by) = self.stop_by else { return false };
        clock::now() >= stop_by || self.work.is_idle()
    }

    /// Sets the timer to the earliest deadline of all machines.
    fn arm(&mut self) {
        let next = [self.timers.next(), self.stop_by].into_iter().flatten().min();
        if let Err(error) = self.deadline.set(next) {
            warn!("cannot set the engine's timer: {error}");
        }
    }

    async fn wake(&mut self) -> Wake {
        tokio::select! {
            biased;
            () = self.interfaces.readable() => Wake::Packet,
            _ = self.deadline.expired() => Wake::Time,
            event = self.events.next() => Wake::Event(event),
            done = self.work.next() => Wake::Done(done),
            command = self.commands.recv() => Wake::Command(command),
        }
    }

    fn run_timers(&mut self) {
        // Every router gets its turn at most once a round: one that is always due cannot starve the loop.
        for _ in 0..self.routers.len() {
            let now = clock::now();
            let Some(number) = self.timers.due(now) else {
                return;
            };
            self.routers[number].machine.handle_timeout(now);
            self.carry_out(number, now);
        }
    }

    fn drain_sockets(&mut self) {
        let mut packet = std::mem::take(&mut self.packet);
        let mut place = 0;
        while let Some(socket) = self.interfaces.socket_at(place) {
            let index = socket.index();
            for _ in 0..DRAIN {
                let Some(Ok(length)) =
                    self.interfaces.socket_at(place).map(|socket| socket.try_recv(&mut packet))
                else {
                    break;
                };
                self.handle_packet(index, &packet[..length]);
            }
            place += 1;
        }
        self.packet = packet;
    }

    fn handle_packet(&mut self, index: IfIndex, packet: &[u8]) {
        let Some((vrid, multicast)) = vrrp::addressee(packet) else {
            return;
        };
        let Some(interface) = self.interfaces.at(index) else {
            return;
        };
        let Some(receivers) = self.receivers.get(&interface.link.name) else { return };
        let Some(&number) = receivers.get(&(vrid, multicast)) else { return };
        let now = clock::now();
        self.routers[number].machine.handle_packet(now, packet);
        self.carry_out(number, now);
    }

    fn handle_command(&mut self, command: Option<Command>) {
        let now = clock::now();
        match command {
            Some(Command::ScriptJudged { script, healthy, detail }) => {
                self.handle_script(script, healthy, &detail, now);
            }
            // Without anyone left to command it, the engine has no reason to go on.
            Some(Command::Shutdown { .. }) | None if self.stop_by.is_some() => {}
            Some(Command::Shutdown { release }) => self.shut_down(release, now),
            None => self.shut_down(true, now),
        }
    }

    fn handle_script(&mut self, script: usize, healthy: bool, detail: &str, now: Time) {
        for number in 0..self.routers.len() {
            let row = Arc::clone(&self.routers[number].row);
            for (line, tracked) in row.config.track_scripts.iter().enumerate() {
                if tracked.script != script {
                    continue;
                }
                let machine = &mut self.routers[number].machine;
                let reason = track::faults(tracked, healthy).then(|| Reason::ScriptFailed {
                    script: tracked.name.clone(),
                    detail: detail.to_owned(),
                });
                // The fault comes before the end of waiting, or the router would leave FAULT in between.
                machine.handle_fault(now, Fault::Script(line), reason);
                machine.handle_fault(now, Fault::Pending(script), None);
                machine.handle_weight(now, line, track::contribution(tracked, healthy));
                self.carry_out(number, now);
            }
        }
    }

    fn shut_down(&mut self, release: bool, now: Time) {
        for number in 0..self.routers.len() {
            self.routers[number].machine.handle_shutdown(now, release);
            self.carry_out(number, now);
        }
        self.stop_by = Some(now + STOP_LIMIT);
    }
}
