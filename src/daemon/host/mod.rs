//! The host lane: what virtual routers need of their host beside addresses: links of their own, settings of the
//! network, rules of the firewall.
//!
//! All of it waits for the kernel, which takes locks for it that any program may hold, and milliseconds for each link.
//! So it has a thread of its own. The vrrp lane orders a link to be made ready and hears what came of it; it never
//! waits, except at its start. When the vrrp lane is gone, in whatever way, the host lane leaves the host as it was.
//!
//! | file | what |
//! |---|---|
//! | `plan` | which links the configuration asks for, and what they are called; pure |
//! | `links` | making them, using what an earlier run left, removing them |
//! | `firewall` | the rules as they have to be, and whether the kernel has them so |
//! | `settings` | which settings of the network they need |
//! | `sysctls` | settings that are changed, and put back |
//! | `notes` | what of all that there is to undo, for the next run, too, when this one is killed |

mod firewall;
mod links;
mod notes;
mod plan;
mod settings;
mod sysctls;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
};
use tracing::{error, warn};

pub(super) use self::plan::PlannedLink;
use self::{firewall::Firewall, links::Links, notes::Notes};
use crate::{
    config::{Config, Global, Instance},
    kernel::{KernelError, Link, ReceiveBuffer, Refusal, Requests, Ruleset, Sysctl},
};

/// Wishes of managers that may wait: one is given at a time, and given up after half a second.
const WISHES: usize = 8;
/// Orders looked at together.
const ORDERS: usize = 1024;
/// The name of the nf_tables tables when the configuration does not say.
const DEFAULT_TABLE: &str = "keepalived";

/// What the vrrp lane has of the host lane.
#[derive(Debug)]
pub(super) struct Host {
    /// The links that there are to be; orders and reports name them by their place here.
    pub(super) links: Vec<PlannedLink>,
    /// What there is to do. One order for a link at a time and two for a router, and the wishes, so that there is
    /// always room.
    orders: mpsc::Sender<Order>,
    /// Room for wishes beside that.
    wishes: Arc<Semaphore>,
    /// What came of it, for each link.
    reports: mpsc::Receiver<Vec<Report>>,
}

/// What the vrrp lane wants done.
#[derive(Debug)]
enum Order {
    /// Links to make ready.
    Links(Vec<usize>),
    /// Addresses of a router that packets are not taken for; an answer when that is so, or cannot be.
    Refuse(usize, Vec<Refusal>, oneshot::Sender<()>),
    /// Packets for the addresses of a router are taken again.
    Accept(usize),
    /// What a manager wants, and whom to tell that it is done.
    Wish(Wish, Room, SyncSender<()>),
}

/// What a manager wants of the host while the daemon runs.
#[derive(Debug)]
pub(super) enum Wish {
    /// Packets for addresses of a router, which may be there already, are thrown away.
    Refuse(usize, Vec<Refusal>),
    /// Packets for the addresses of a router are taken again.
    Accept(usize),
    /// `promote_secondaries` of an interface is on, or as it was before it was ours.
    Promote(String, bool),
}

/// Room for one wish, until it is fulfilled.
pub(super) type Room = OwnedSemaphorePermit;

/// What came of the order to make a link ready.
#[derive(Debug)]
pub(super) struct Report {
    /// The link's place.
    pub(super) link: usize,
    /// Whether it is there, set up, and was brought up.
    pub(super) outcome: Result<(), KernelError>,
}

/// How long the process waits in the end for the host to be left as it was: the kernel needs milliseconds for each link,
/// and may have stopped answering at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The thread of the lane, which ends after the vrrp lane.
pub(super) struct Lane {
    thread: thread::JoinHandle<()>,
    /// Nothing comes through it; it closes with the thread.
    ended: std::sync::mpsc::Receiver<Infallible>,
}

impl Lane {
    /// Waits until it has left the host as it was. Returns why it has not.
    pub(super) fn finish(self) -> Result<(), &'static str> {
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(PATIENCE) {
            return Err("the kernel does not answer");
        }
        self.thread.join().map_err(|_| "the host lane panicked")
    }
}

impl Host {
    /// Starts the lane, if there is anything for it to do. In the file `notes` it says what it does;
    /// `release` says whether it puts everything back in the end (not with `-V`).
    pub(super) fn start(
        links: Vec<PlannedLink>,
        config: &Config,
        notes: &Path,
        release: bool,
    ) -> io::Result<(Self, Option<Lane>)> {
        let refusing = config.instances.iter().any(Instance::refuses_packets);
        let (orders, ordered) = mpsc::channel(links.len() + 2 * config.instances.len() + WISHES + 1);
        let (report, reports) = mpsc::channel(links.len().max(1));
        let firewall = Firewall::new(ruleset(&config.global), refusing);
        let local_igmp = !config.global.settings.disable_local_igmp;
        let wishes = Arc::new(Semaphore::new(WISHES));
        let host = Self { links: links.clone(), orders, wishes, reports };
        let may_wish = config.global.settings.snmp_set;
        let lasting = settings::of_host(config);
        if links.is_empty() && lasting.is_empty() && !refusing && !may_wish && !notes.exists() {
            return Ok((host, None));
        }
        let lines = config.instances.iter().flat_map(|instance| {
            instance.virtual_addresses.iter().chain(&instance.excluded_addresses).map(|line| line.address)
        });
        let (planned, virtual_addresses, notes) = (links, lines.collect(), notes.to_owned());
        let (ending, ended) = std::sync::mpsc::channel();
        let work = move || {
            let _ending: std::sync::mpsc::Sender<Infallible> = ending;
            let notes = Notes::open(&notes);
            let links = Links::new(planned, virtual_addresses, notes, firewall, local_igmp);
            if let Err(error) = run(links, &lasting, ordered, report, release) {
                error!("the host lane has ended: {error}");
            }
        };
        let thread = thread::Builder::new().name("host".to_owned()).spawn(work)?;
        Ok((host, Some(Lane { thread, ended })))
    }

    /// Orders links to be made ready; false when there is nobody to do it any more.
    pub(super) fn order(&self, links: Vec<usize>) -> bool {
        self.orders.try_send(Order::Links(links)).is_ok()
    }

    /// Has packets for addresses of a router thrown away, and returns when that is so: before the addresses are on the
    /// host. What becomes of them is not awaited when there is nobody to do it.
    pub(super) fn refuse(&self, router: usize, addresses: Vec<Refusal>) -> impl Future<Output = ()> + use<> {
        let (done, refused) = oneshot::channel();
        let ordered = self.orders.try_send(Order::Refuse(router, addresses, done)).is_ok();
        async move {
            if ordered {
                // The lane that has ended has said so.
                let _ = refused.await;
            }
        }
    }

    /// Has packets for the addresses of a router taken again, when they are no longer on the host.
    pub(super) fn accept(&self, router: usize) {
        // Without the lane the rules are gone.
        let _ = self.orders.try_send(Order::Accept(router));
    }

    /// Room for a wish; `None` while there are many to fulfil, and when there is nobody to do it.
    pub(super) fn room(&self) -> Option<Room> {
        let room = Arc::clone(&self.wishes).try_acquire_owned().ok();
        room.filter(|_| !self.orders.is_closed())
    }

    /// Has a manager's wish fulfilled. `done` hears of it, or is dropped when it cannot be.
    pub(super) fn wish(&self, wish: Wish, room: Room, done: SyncSender<()>) {
        // With the lane that has ended `done` goes.
        let _ = self.orders.try_send(Order::Wish(wish, room, done));
    }

    /// The next reports; `None` when there will be none. Cancelling it loses nothing.
    pub(super) async fn reports(&mut self) -> Option<Vec<Report>> {
        self.reports.recv().await
    }
}

/// Plans the links that the configuration asks for, around the interfaces that exist: see [`plan::plan`]. Those that an
/// earlier run made, by its `notes`, do not count: they are used where they fit, and else removed.
pub(super) fn plan_links(config: &mut Config, notes: &Path) -> Result<Vec<PlannedLink>, KernelError> {
    let wanted = config.instances.iter().any(|instance| {
        let mut lines = instance.virtual_addresses.iter().chain(&instance.excluded_addresses);
        instance.link.is_some() || instance.settings.use_vmac_addr || lines.any(|line| line.use_vmac)
    });
    if !wanted {
        return Ok(Vec::new());
    }
    let runtime = super::runtime().map_err(|error| KernelError::from_io("listing the interfaces", &error))?;
    let existing = runtime.block_on(async {
        let (requests, connection) = Requests::open(ReceiveBuffer::default())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        requests.links().await
    })?;
    let notes = Notes::open(notes);
    let is_ours = |link: &Link| notes.links.iter().any(|made| made.is(link));
    let existing: Vec<Link> = existing.into_iter().filter(|link| !is_ours(link)).collect();
    Ok(plan::plan(config, &existing))
}

/// The rules' frame, without links.
fn ruleset(global: &Global) -> Ruleset {
    let settings = &global.settings;
    Ruleset {
        table: settings.nftables.as_deref().unwrap_or(DEFAULT_TABLE).to_owned(),
        priority: *settings.nftables_priority,
        counters: settings.nftables_counters,
        ipv4: Vec::new(),
        ipv6: Vec::new(),
        refused: BTreeSet::new(),
        refusing: Default::default(),
    }
}

/// Carries out the orders to refuse that are ahead of all others, in one step: a thousand routers may become MASTER at
/// the same time.
fn refuse_all(firewall: &mut Firewall, waiting: &mut Vec<Order>) {
    let ahead = waiting.iter().take_while(|order| matches!(order, Order::Refuse(..))).count();
    let mut refusals = Vec::new();
    let mut answers = Vec::new();
    for order in waiting.drain(..ahead) {
        if let Order::Refuse(router, addresses, done) = order {
            refusals.extend(addresses.into_iter().map(|address| (router, address)));
            answers.push(done);
        }
    }
    if ahead > 0 {
        firewall.refuse(refusals);
    }
    for done in answers {
        // A router that has given up meanwhile does not wait.
        let _ = done.send(());
    }
}

/// Carries orders out until there is nobody left to give any.
fn run(
    mut links: Links,
    lasting: &[(Sysctl, i64)],
    mut orders: mpsc::Receiver<Order>,
    report: mpsc::Sender<Vec<Report>>,
    release: bool,
) -> Result<(), KernelError> {
    let runtime = super::runtime().map_err(|error| KernelError::from_io("starting the host lane", &error))?;
    links.begin(lasting);
    runtime.block_on(async {
        let (requests, connection) = Requests::open(ReceiveBuffer::default())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        links.clear_left(&requests).await;
        let mut waiting = Vec::new();
        while orders.recv_many(&mut waiting, ORDERS).await > 0 {
            refuse_all(&mut links.firewall, &mut waiting);
            for order in waiting.drain(..) {
                match order {
                    Order::Links(order) => {
                        let reports = links.prepare(&requests, &order).await;
                        // Without the vrrp lane nobody wants to know.
                        let _ = report.send(reports).await;
                    }
                    Order::Refuse(router, addresses, done) => {
                        links.firewall.refuse(addresses.into_iter().map(|address| (router, address)));
                        let _ = done.send(());
                    }
                    Order::Accept(router) => links.firewall.accept(router),
                    Order::Wish(wish, _room, done) => match links.fulfil(wish) {
                        // Whoever has given up waiting does not matter any more.
                        Ok(()) => drop(done.try_send(())),
                        Err(error) => warn!("{error}"),
                    },
                }
            }
        }
        if release {
            for error in links.release(&requests).await {
                warn!("{error}");
            }
        }
        Ok(())
    })
}
