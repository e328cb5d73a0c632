//! The engine: the vrrp lane's loop, which only carries.
//!
//! It feeds packets, kernel events, what trackers find and the clock to the machines and carries out what they
//! ask for, in order. Everything that can take time is a future in [`Work`]; nothing here waits for a reader,
//! a script, a disk or another program. `turn` is the loop, and `hear` what it does with packets.

mod adverts;
mod announcements;
mod blueprint;
mod brake;
pub(super) mod buffers;
mod carry;
mod clocks;
mod departing;
mod groups;
mod hear;
mod holder;
mod holdings;
mod interfaces;
mod interventions;
mod kernel_view;
mod lateness;
mod leftovers;
mod links;
mod listen;
mod news;
mod observe;
mod opener;
mod outbox;
mod paces;
mod policy;
mod receivers;
mod refusals;
mod rejections;
mod reload;
mod router;
mod routing;
mod setting;
mod sockets;
mod source;
mod start;
mod statics;
mod stop;
mod strangers;
mod sync_daemon;
#[cfg(test)]
mod testing;
mod timers;
mod trackers;
mod turn;
mod unheld;
mod work;

use std::{collections::HashMap, mem, net::IpAddr, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tracing::error;

pub(super) use self::reload::{Remains, Succession};
use self::{
    adverts::Adverts,
    announcements::Announcements,
    blueprint::Blueprint,
    brake::Brake,
    departing::Departing,
    groups::{Group, Place},
    holder::Holder,
    interfaces::Interfaces,
    links::Links,
    news::News,
    observe::Listing,
    opener::{Opener, Openings},
    outbox::Outbox,
    receivers::Receivers,
    rejections::Sieve,
    router::Router,
    routing::Routing,
    sockets::Sockets,
    start::Start,
    statics::Statics,
    strangers::Strangers,
    sync_daemon::Synchroniser,
    timers::Timers,
    trackers::Trackers,
    work::{Done, Work},
};
use crate::{
    config::tracking::Tracker,
    daemon::{host::Host, netlink::Netlink, real_time::RealTime, recorder, tether::Voice},
    kernel::{Deadline, Events, Inbox, KernelError, ReceiveBuffer, Requests, Watch, clock},
    registry::{Instruction, Lineage, Registry, Setting, Topology},
    track::Observation,
    units::Time,
    vrrp::{LONGEST_ADVERT, SyncRequest},
};

/// How much of an IP packet is read: a byte more than the longest advertisement, so that what was cut is never taken for
/// one.
const PACKET: usize = LONGEST_ADVERT + 1;
/// From a refusal of the kernel to the next attempt.
const REPAIR_INTERVAL: Duration = Duration::from_secs(1);

/// What the other lanes tell the engine.
#[derive(Debug)]
pub(super) enum Command {
    /// A script, file or process that is tracked is another than before.
    Observed {
        /// Which.
        tracker: Tracker,
        /// What it is called: after a reload its place may be another one.
        name: String,
        /// How it is now.
        observation: Observation,
    },
    /// An interface that is asked for its link gave another answer than before; its row has it.
    Asked {
        /// Its name.
        interface: String,
    },
    /// A manager wants a virtual router to have another setting.
    Set {
        /// Which, also when a reload has moved it since.
        router: Lineage,
        /// Which, with its value.
        setting: Setting,
        /// Whom to tell that it is done; dropped when it cannot be.
        done: std::sync::mpsc::SyncSender<()>,
    },
    /// An operator wants something.
    Intervene(Box<Instruction>),
    /// Announce the addresses of a MASTER once more.
    Announce {
        /// The router's name.
        router: String,
    },
    /// Answer, as a sign of life.
    Alive(mpsc::Sender<()>),
    /// Go on with another configuration.
    Reload(Box<Succession>),
    /// Leave.
    Shutdown,
}

/// What is beside the engine in the process.
pub(super) struct Neighbours {
    /// The lane that makes links and rules.
    pub(super) host: Host,
    /// What the other lanes tell the engine.
    pub(super) commands: mpsc::Receiver<Command>,
    /// How the lane gets the processor.
    pub(super) real_time: Arc<RealTime>,
    /// Where inputs are recorded, if they are.
    pub(super) recorder: Option<recorder::Source>,
    /// Who carries out what is asked of IPVS; `None` as long as nobody does.
    pub(super) ipvs: Option<mpsc::Sender<SyncRequest>>,
    /// What the parent process is told.
    pub(super) voice: Voice,
    /// When the engine before this one was killed, if there was one.
    pub(super) died_at: Option<Time>,
}

/// The vrrp lane.
pub(super) struct Engine {
    registry: Arc<Registry>,
    routers: Vec<Router>,
    groups: Vec<Group>,
    /// Each router's place in a group.
    places: Vec<Option<Place>>,
    /// The deadlines of those that are MASTER: advertisements, which nothing may hold up.
    adverts: Adverts,
    /// The deadlines of all others: they count only after every packet that has arrived.
    timers: Timers,
    /// When to look again at routers whose sockets or addresses the kernel refused.
    repairs: Timers,
    interfaces: Interfaces,
    /// What the thread that opens sockets has to say.
    openings: Openings,
    /// Links of the routers' own.
    links: Links,
    trackers: Trackers,
    /// Routers that sign by the wall clock.
    signers: Vec<usize>,
    /// Who depends on which interface.
    users: HashMap<String, Vec<Holder>>,
    receivers: Receivers,
    /// Addresses by holder and slot.
    holders: HashMap<IpAddr, Vec<(Holder, usize)>>,
    /// Routes and rules of all routers, and static ones.
    routing: Routing,
    /// What is there whoever is MASTER.
    statics: Statics,
    /// What a reload has removed.
    departing: Departing,
    /// A reload goes on, and groups have no say until all routers have their new settings.
    is_forming_groups: bool,
    /// A reload that waits for a quiet moment.
    succession: Option<Box<Succession>>,
    /// Until when a reload waits for links that it has brought to be up.
    settle_by: Option<Time>,
    /// Where inputs are recorded, if they are.
    recorder: Option<recorder::Source>,
    /// The serial number of the next router.
    serial: usize,
    /// Routers by the source that is configured for them.
    senders: HashMap<IpAddr, Vec<usize>>,
    requests: Requests,
    /// The thread that carries them.
    netlink: Netlink,
    events: Events,
    /// What they are about, of routes and rules.
    watch: Watch,
    /// `vrrp_netlink_monitor_rcv_bufs`.
    event_buffer: ReceiveBuffer,
    work: Work,
    /// Events wait while a listing is on its way, and so do answers, which count on the events before them.
    listing: Option<Listing>,
    deferred: Vec<Done>,
    list_at: Option<Time>,
    deadline: Deadline,
    commands: mpsc::Receiver<Command>,
    inbox: Inbox,
    lateness: lateness::Watch,
    /// When the sockets were last looked at.
    drained_at: Time,
    outbox: Outbox,
    /// Routers whose holdings are to be moved together with those of others, while these are being looked at.
    gathered: Option<Vec<usize>>,
    news: News,
    brake: Brake,
    sieve: Sieve,
    /// With `log_unknown_vrids`: the virtual routers of others that were heard.
    strangers: Option<Strangers>,
    announcements: Announcements,
    start: Start,
    synchroniser: Synchroniser,
    real_time: Arc<RealTime>,
    voice: Voice,
    /// When the engine before this one was killed.
    died_at: Option<Time>,
    /// When the next thing that an operator wanted is over.
    relent_at: Option<Time>,
    /// Whether a stop gives up mastership and addresses (not with `-V`).
    release: bool,
    /// When a stop is over, should the kernel have done nothing of what is asked until then.
    stop_by: Option<Time>,
    /// Why the engine had to stop by itself.
    failure: Option<KernelError>,
}

impl Engine {
    /// An engine for the registry's instances, not started.
    pub(super) fn new(
        registry: Arc<Registry>,
        (netlink, requests): (Netlink, Requests),
        neighbours: Neighbours,
        release: bool,
    ) -> Result<Self, KernelError> {
        let Neighbours { host, commands, real_time, recorder, ipvs, voice, died_at } = neighbours;
        let topology = registry.topology();
        let mut plan = Blueprint::new(&topology);
        let routers = routers(&mut plan, &topology, recorder.as_ref());
        let number = routers.len();
        let (opener, openings) = Opener::start()?;
        let (watch, event_buffer) = (plan.routing.watch(), buffers::of_events(&topology.global.settings));
        let events = Events::open(watch.clone(), event_buffer)?;
        let deadline =
            Deadline::new().map_err(|error| KernelError::from_io("opening the engine's timer", &error))?;
        Ok(Self {
            // What follows from the topology.
            routers,
            serial: number,
            adverts: Adverts::new(number),
            timers: Timers::new(number),
            repairs: Timers::new(number),
            groups: plan.groups,
            places: plan.places,
            interfaces: Interfaces::new(plan.virtual_addresses, Sockets::new(opener), plan.buffers),
            trackers: plan.trackers,
            signers: plan.signers,
            users: plan.users,
            receivers: plan.receivers,
            holders: plan.holders,
            senders: plan.senders,
            routing: plan.routing,
            statics: plan.statics,
            announcements: Announcements::new(plan.paces),
            lateness: lateness::Watch::new(&topology),
            strangers: topology.global.settings.log_unknown_vrids.then(Strangers::default),
            synchroniser: Synchroniser::new(&topology, ipvs),
            news: News::new(&registry),
            registry,
            // What reaches the kernel, and the others in the process.
            links: Links::new(host),
            openings,
            requests,
            netlink,
            events,
            watch,
            event_buffer,
            deadline,
            inbox: Inbox::new(PACKET),
            commands,
            recorder,
            real_time,
            voice,
            died_at,
            release,
            // Nothing has happened yet.
            start: Start::new(clock::now()),
            departing: Departing::default(),
            is_forming_groups: false,
            succession: None,
            settle_by: None,
            work: Work::default(),
            listing: None,
            deferred: Vec::new(),
            list_at: None,
            drained_at: Time::default(),
            outbox: Outbox::default(),
            gathered: None,
            brake: Brake::default(),
            sieve: Sieve::default(),
            relent_at: None,
            stop_by: None,
            failure: None,
        })
    }

    /// The thread that carries requests has panicked: those on their way have failed and are made again soon.
    fn renew_netlink(&mut self) {
        let now = clock::now();
        match self.netlink.begin_anew(now) {
            Ok(requests) => {
                error!("the thread that carries netlink requests has ended, another takes its place");
                self.requests = requests;
                self.list();
            }
            Err(error) => self.fail(error, now),
        }
    }

    fn handle_command(&mut self, command: Option<Command>) {
        let now = clock::now();
        match command {
            Some(Command::Observed { tracker, name, observation }) => {
                self.take_observation(tracker, &name, &observation, now);
            }
            Some(Command::Asked { interface }) => self.interface_asked(&interface, now),
            Some(Command::Reload(succession)) => self.succeed(succession),
            Some(Command::Set { router, setting, done }) => self.set(&router, setting, now, done),
            Some(Command::Intervene(instruction)) => self.intervene(*instruction, now),
            Some(Command::Announce { router }) => self.announce_once(&router),
            // Whoever has given up waiting does not matter.
            Some(Command::Alive(done)) => drop(done.try_send(())),
            Some(Command::Shutdown) | None => self.shut_down(now),
        }
    }
}

/// The machines of a topology, with what its plan has for each of them.
fn routers(plan: &mut Blueprint, topology: &Topology, recorder: Option<&recorder::Source>) -> Vec<Router> {
    let made = mem::take(&mut plan.memberships).into_iter().zip(mem::take(&mut plan.tracks));
    let made = made.zip(&topology.instances).enumerate();
    made.map(|(serial, (made, row))| Router::new(serial, row, made, recorder)).collect()
}
