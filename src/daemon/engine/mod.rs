//! The engine: the vrrp lane's loop, which only carries.
//!
//! It feeds packets, kernel events, script results and the clock to the machines and carries out what they
//! ask for, in order. Everything that can take time is a future in [`Work`]; nothing here waits for a reader,
//! a script, a disk or another program. Before any timer is looked at the sockets are drained, so that after
//! a stall an advertisement that has arrived counts before the silence it ends.

mod interfaces;
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
use tracing::{debug, info, warn};

use self::{
    interfaces::Interfaces,
    router::Router,
    timers::Timers,
    work::{Done, Work},
};
use crate::{
    kernel::{Deadline, Event, Events, KernelError, Requests, clock},
    registry::{Reason, Registry, State, Subject},
    track,
    units::{IfIndex, Time},
    vrrp::{self, Action, Fault, Level, MULTICAST_GROUP},
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
    /// Routers by interface, VRID and whether they use multicast.
    receivers: HashMap<(String, u8, bool), usize>,
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
    /// An engine for the registry's instances, not started. The second value drives its netlink requests.
    pub(super) fn new(
        registry: Arc<Registry>,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), KernelError> {
        let (requests, connection) = Requests::open()?;
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
            deadline: Deadline::new().map_err(|error| KernelError::from_io("opening the engine's timer", &error))?,
            commands,
            packet: vec![0; PACKET],
            stop_by: None,
            registry,
            routers,
        };
        engine.index_routers();
        Ok((engine, connection))
    }

    fn index_routers(&mut self) {
        for (number, router) in self.routers.iter().enumerate() {
            let config = &router.row.config;
            let devices = router.row.addresses.iter().map(|address| address.device.clone());
            let names: HashSet<String> = devices.chain([config.interface.clone()]).collect();
            for name in names {
                self.users.entry(name).or_default().push(number);
            }
            let key = (config.interface.clone(), config.vrid.value(), config.peers.is_empty());
            self.receivers.insert(key, number);
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
            let Some(number) = self.timers.due(now) else { return };
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
                let Some(Ok(length)) = self.interfaces.socket_at(place).map(|socket| socket.try_recv(&mut packet))
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
        let Some((vrid, multicast)) = vrrp::addressee(packet) else { return };
        let Some(interface) = self.interfaces.at(index) else { return };
        let key = (interface.link.name.clone(), vrid, multicast);
        let Some(&number) = self.receivers.get(&key) else { return };
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
                let reason = track::faults(tracked, healthy)
                    .then(|| Reason::ScriptFailed { script: tracked.name.clone(), detail: detail.to_owned() });
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

    async fn handle_event(&mut self, event: Result<Event, KernelError>) -> Result<(), KernelError> {
        let now = clock::now();
        match event {
            Ok(Event::Link(link)) => {
                let name = link.name.clone();
                if let Some(before) = self.interfaces.link(link) {
                    self.refresh_users(&before, now);
                }
                self.refresh_users(&name, now);
            }
            Ok(Event::LinkGone { index, name }) => {
                self.interfaces.link_gone(index);
                self.refresh_users(&name, now);
            }
            Ok(Event::AddressAdded(address)) => {
                let index = address.index;
                if self.interfaces.address_added(address) {
                    self.refresh_users_of(index, now);
                }
            }
            Ok(Event::AddressRemoved(address)) => {
                if self.interfaces.address_removed(&address) {
                    self.refresh_users_of(address.index, now);
                }
                self.address_removed(address.index, address.address, now);
            }
            Ok(Event::Overrun) => {
                warn!("too many changes of links and addresses at once: listing them anew");
                self.list().await?;
            }
            Err(error) => {
                warn!("{error}: subscribing anew");
                self.events = Events::open()?;
                self.list().await?;
            }
        }
        Ok(())
    }

    /// Takes the kernel's word for everything: at the start, and whenever events were lost.
    async fn list(&mut self) -> Result<(), KernelError> {
        let links = self.requests.links().await?;
        let addresses = self.requests.addresses().await?;
        let now = clock::now();
        let there: HashSet<IfIndex> = links.iter().map(|link| link.index).collect();
        let gone: Vec<IfIndex> =
            self.interfaces.all().map(|known| known.link.index).filter(|index| !there.contains(index)).collect();
        for index in gone {
            self.interfaces.link_gone(index);
        }
        let vanished: Vec<_> = self
            .interfaces
            .all()
            .flat_map(|known| known.addresses())
            .filter(|known| !addresses.contains(known))
            .cloned()
            .collect();
        for link in links {
            self.interfaces.link(link);
        }
        for address in addresses {
            self.interfaces.address_added(address);
        }
        for address in vanished {
            self.interfaces.address_removed(&address);
            self.address_removed(address.index, address.address, now);
        }
        if self.routers.iter().any(|router| router.machine.status().state != State::Init) {
            for number in 0..self.routers.len() {
                self.refresh(number, now);
                self.carry_out(number, now);
            }
        }
        Ok(())
    }

    fn refresh_users_of(&mut self, index: IfIndex, now: Time) {
        if let Some(name) = self.interfaces.at(index).map(|interface| interface.link.name.clone()) {
            self.refresh_users(&name, now);
        }
    }

    fn refresh_users(&mut self, name: &str, now: Time) {
        for number in self.users.get(name).cloned().unwrap_or_default() {
            self.refresh(number, now);
            self.carry_out(number, now);
        }
    }

    /// Tells a router's machine how its interface is.
    fn refresh(&mut self, number: usize, now: Time) {
        let row = Arc::clone(&self.routers[number].row);
        let name = &row.config.interface;
        for (slot, address) in row.addresses.iter().enumerate() {
            let device = self.interfaces.named(&address.device).map(|device| device.link.index);
            if address.status().device != device {
                self.routers[number].held[slot].present &= device.is_some();
                address.set_status(crate::registry::AddressStatus {
                    device,
                    set: self.routers[number].held[slot].present,
                });
            }
        }
        let index = self.interfaces.named(name).map(|interface| interface.link.index);
        let (socket, source) = match index {
            Some(index) => {
                let opened = self.interfaces.listen(index, MULTICAST_GROUP);
                let socket = opened.err().map(|error| Reason::SocketFailed {
                    interface: name.clone(),
                    detail: crate::kernel::error::describe(&error),
                });
                (socket, self.source(number, index))
            }
            None => (None, None),
        };
        let interface = self.interface_fault(number);
        let machine = &mut self.routers[number].machine;
        // What is missing is said before what has come back, or the router would leave FAULT in between.
        if index.is_some() {
            machine.handle_fault(now, Fault::Socket, socket);
            machine.handle_source(now, source);
        }
        machine.handle_fault(now, Fault::Interface, interface);
    }

    /// What is wrong with the interface of a router, or else with one that its addresses are put on.
    fn interface_fault(&self, number: usize) -> Option<Reason> {
        let row = &self.routers[number].row;
        let devices = row.addresses.iter().map(|address| &address.device);
        std::iter::once(&row.config.interface).chain(devices).find_map(|name| {
            match self.interfaces.named(name) {
                None => Some(Reason::InterfaceMissing { interface: name.clone() }),
                Some(interface) if !interface.link.up => {
                    Some(Reason::InterfaceDown { interface: name.clone() })
                }
                Some(_) => None,
            }
        })
    }

    /// The address that advertisements leave from when the configuration names none. An owner of the
    /// addresses may have no other than those.
    fn source(&self, number: usize, index: IfIndex) -> Option<Ipv4Addr> {
        let row = &self.routers[number].row;
        let own = || {
            let interface = self.interfaces.at(index)?;
            let virtual_addresses = &row.config.virtual_addresses;
            let owned = |address: &Ipv4Addr| virtual_addresses.iter().any(|vip| vip.address == *address);
            interface.addresses().iter().map(|known| known.address).find(owned)
        };
        let owner = row.config.priority == crate::units::Priority::OWNER;
        self.interfaces.primary_address(index).or_else(|| owner.then(own).flatten())
    }

    /// An address has left the kernel: by our own hand, or by somebody else's.
    fn address_removed(&mut self, index: IfIndex, address: Ipv4Addr, now: Time) {
        for (number, slot) in self.holders.get(&address).cloned().unwrap_or_default() {
            let router = &mut self.routers[number];
            if router.row.addresses[slot].status().device != Some(index) {
                continue;
            }
            let held = &mut router.held[slot];
            if held.own_removals > 0 {
                held.own_removals -= 1;
            } else if held.present {
                router.lost(slot);
                router.machine.handle_address_removed(now, address);
                self.carry_out(number, now);
            }
        }
    }

    fn handle_done(&mut self, done: Done) {
        let now = clock::now();
        let number = done.router;
        let router = &mut self.routers[number];
        router.working = false;
        let installing = done.installing;
        let mut complete = true;
        for (slot, outcome) in done.outcomes {
            match outcome {
                Ok(added) if installing => router.added(slot, added),
                Ok(_) => router.removed(slot),
                Err(error) => {
                    complete = false;
                    warn!("({}) {error}", router.row.config.name);
                    if installing {
                        router.added(slot, None);
                    }
                }
            }
        }
        if router.wants_addresses != installing {
            self.move_addresses(number);
        } else if installing {
            router.machine.handle_addresses_installed(now, complete);
        }
        self.carry_out(number, now);
    }

    /// Brings the kernel's addresses of a router to what is wanted, one batch of requests at a time.
    fn move_addresses(&mut self, number: usize) {
        let router = &mut self.routers[number];
        if router.working {
            return;
        }
        router.working = true;
        let batch = if router.wants_addresses {
            work::install(&self.requests, number, router)
        } else {
            work::withdraw(&self.requests, number, router)
        };
        self.work.add(batch);
    }

    /// Does what a machine asks for, in its order, and shows the result to readers.
    fn carry_out(&mut self, number: usize, now: Time) {
        while let Some(action) = self.routers[number].machine.poll_action() {
            match action {
                Action::Send(packets) => self.send(number, &packets),
                Action::InstallAddresses => self.want_addresses(number, true),
                Action::WithdrawAddresses => self.want_addresses(number, false),
                Action::Announce { repeat } => self.announce(number, repeat),
                Action::AnnounceSource => self.announce_source(number),
                Action::Transition(change) => self.publish_transition(number, now, change),
                Action::Log(log) => write_log(&log),
            }
        }
        self.routers[number].publish();
        self.timers.set(number, self.routers[number].machine.poll_timeout());
    }

    fn want_addresses(&mut self, number: usize, wanted: bool) {
        self.routers[number].wants_addresses = wanted;
        self.move_addresses(number);
    }

    fn publish_transition(&mut self, number: usize, now: Time, change: crate::registry::Change) {
        let router = &mut self.routers[number];
        // Readers that are woken by the transition see the row that goes with it.
        router.publish();
        let name = &router.row.config.name;
        match change.to {
            State::Stop => info!("({name}) Stopped ({})", change.reason),
            state => info!("({name}) Entering {state} STATE ({})", change.reason),
        }
        let subject = Subject::Instance { index: router.row.index, name: name.clone() };
        self.registry.transitions.publish(now, clock::wall(), subject, change);
    }

    fn send(&mut self, number: usize, packets: &[vrrp::Outgoing]) {
        let router = &mut self.routers[number];
        let name = &router.row.config.interface;
        let Some(interface) = self.interfaces.named(name) else { return };
        let Some(socket) = self.interfaces.socket(interface.link.index) else { return };
        let mut failed = false;
        for packet in packets {
            let Err(error) = socket.send(&packet.packet, packet.destination) else { continue };
            failed = true;
            // A link that is down refuses everything; that the link is down has been said.
            if !router.send_failed && interface.link.up {
                warn!("({}) cannot send to {}: {error}", router.row.config.name, packet.destination);
            }
        }
        router.send_failed = failed;
    }

    /// Gratuitous ARP for every address: all of them once, then again.
    fn announce(&self, number: usize, repeat: u32) {
        let router = &self.routers[number];
        for _ in 0..repeat {
            for (held, address) in router.held.iter().zip(&router.row.addresses) {
                let Some(device) = self.interfaces.named(&address.device).filter(|_| held.present) else {
                    continue;
                };
                if let Err(error) = device.announce(address.config.address) {
                    debug!("({}) gratuitous ARP on {}: {error}", router.row.config.name, address.device);
                }
            }
        }
    }

    fn announce_source(&self, number: usize) {
        let router = &self.routers[number];
        let status = router.machine.status();
        let interface = self.interfaces.named(&router.row.config.interface);
        if let (Some(source), Some(interface)) = (status.source, interface)
            && let Err(error) = interface.announce(source)
        {
            debug!("({}) gratuitous ARP for {source}: {error}", router.row.config.name);
        }
    }

    /// Removes addresses that an earlier run left behind: another router may hold them by now.
    async fn remove_leftovers(&mut self) {
        for number in 0..self.routers.len() {
            let row = Arc::clone(&self.routers[number].row);
            for address in &row.addresses {
                let Some(device) = self.interfaces.named(&address.device) else { continue };
                let leftover = device.addresses().iter().find(|known| work::is_leftover(known, &address.config));
                let Some(leftover) = leftover.cloned() else { continue };
                let wanted = work::kernel_address(address, leftover.index);
                match self.requests.remove_address(&wanted).await {
                    Ok(()) => {
                        info!("({}) removed {wanted}, left by an earlier run", row.config.name);
                        self.interfaces.address_removed(&leftover);
                    }
                    Err(error) => warn!("({}) {error}", row.config.name),
                }
            }
        }
    }
}

fn write_log(log: &vrrp::Log) {
    match (log.level, log.detail) {
        (_, true) => debug!("{}", log.text),
        (Level::Info, false) => info!("{}", log.text),
        (Level::Warning, false) => warn!("{}", log.text),
    }
}
