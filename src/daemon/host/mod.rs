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
//! | `lane` | the thread: orders carried out, one after the other |
//! | `links` | making them, using what an earlier run left, removing them |
//! | `firewall` | the rules as they have to be, and whether the kernel has them so |
//! | `settings` | which settings of the network they need |
//! | `sysctls` | settings that are changed, and put back |
//! | `notes` | what of all that there is to undo, for the next run, too, when this one is killed |

mod firewall;
mod lane;
mod links;
mod notes;
mod plan;
mod settings;
mod sysctls;

use std::{
    collections::{BTreeSet, HashSet},
    io,
    net::IpAddr,
    path::Path,
    sync::{Arc, mpsc::SyncSender},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
};

use self::{firewall::Firewall, lane::Work, links::Links, notes::Notes};
pub(super) use self::{lane::Lane, plan::PlannedLink};
use crate::{
    config::{Config, Global, Instance},
    kernel::{KernelError, Link, ReceiveBuffer, Refusal, Requests, Ruleset, Sysctl},
};

/// Wishes of managers that may wait: one is given at a time, and given up after half a second.
const WISHES: usize = 8;
/// The name of the nf_tables tables when the configuration does not say.
const DEFAULT_TABLE: &str = "keepalived";

/// What the vrrp lane has of the host lane.
#[derive(Debug)]
pub(super) struct Host {
    /// The links that there are to be; orders and reports name them by their place here.
    pub(super) links: Vec<PlannedLink>,
    /// What there is to do: one order for a link at a time and two for a router, reloads and the wishes, so that there is
    /// never much.
    orders: mpsc::UnboundedSender<Order>,
    /// Room for wishes beside that.
    wishes: Arc<Semaphore>,
    /// What came of it, for each link.
    reports: mpsc::Receiver<Vec<Report>>,
}

/// What a configuration wants of the host.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The links that there are to be.
    pub(super) links: Vec<PlannedLink>,
    /// What virtual routers put on interfaces.
    pub(super) addresses: HashSet<IpAddr>,
    /// Settings of the network.
    pub(super) lasting: Vec<(Sysctl, i64)>,
}

impl Wanted {
    /// By this configuration, which these links were planned for.
    pub(super) fn new(config: &Config, links: Vec<PlannedLink>) -> Self {
        let lines = config.instances.iter().flat_map(|instance| {
            instance.virtual_addresses.iter().chain(&instance.excluded_addresses).map(|line| line.address)
        });
        Self { links, addresses: lines.collect(), lasting: settings::of_host(config) }
    }
}

/// What the vrrp lane wants done.
#[derive(Debug)]
enum Order {
    /// After a reload: links at their places that are new or have to be others, and the rest of what is wanted.
    Follow(Vec<(usize, PlannedLink)>, HashSet<IpAddr>, Vec<(Sysctl, i64)>),
    /// Links that nobody needs any more.
    Remove(Vec<usize>),
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

impl Host {
    /// Starts the lane. In the file `notes` it says what it does; `release` says whether it puts everything back in the end
    /// (not with `-V`).
    pub(super) fn start(
        wanted: Wanted,
        config: &Config,
        notes: &Path,
        release: bool,
    ) -> io::Result<(Self, Lane)> {
        let refusing = config.instances.iter().any(Instance::refuses_packets);
        let (host, ordered, report) = Self::with(&wanted.links);
        let firewall = Firewall::new(ruleset(&config.global), refusing);
        let local_igmp = !config.global.settings.disable_local_igmp;
        let notes = notes.to_owned();
        let work = move |registry| {
            let links = Links::new(wanted, Notes::open(&notes), firewall, local_igmp);
            Work::new(links, (ordered, report), release, registry)
        };
        Ok((host, Lane::start(work)?))
    }

    /// One whose lane has ended.
    #[cfg(test)]
    pub(super) fn without_lane() -> Self {
        Self::with(&[]).0
    }

    fn with(links: &[PlannedLink]) -> (Self, mpsc::UnboundedReceiver<Order>, mpsc::Sender<Vec<Report>>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::channel(links.len().max(1));
        let wishes = Arc::new(Semaphore::new(WISHES));
        (Self { links: links.to_vec(), orders, wishes, reports }, ordered, report)
    }

    /// After a reload: these links are new at their places, or others than before, and this is wanted beside them.
    pub(super) fn follow(
        &mut self,
        links: Vec<(usize, PlannedLink)>,
        addresses: HashSet<IpAddr>,
        lasting: Vec<(Sysctl, i64)>,
    ) {
        for (place, link) in &links {
            match self.links.get_mut(*place) {
                Some(known) => known.clone_from(link),
                None => self.links.push(link.clone()),
            }
        }
        // Without the lane they cannot be made, which is said when they are ordered.
        let _ = self.orders.send(Order::Follow(links, addresses, lasting));
    }

    /// Has links removed that nobody needs any more.
    pub(super) fn remove(&self, links: Vec<usize>) {
        // Without the lane they are gone.
        let _ = self.orders.send(Order::Remove(links));
    }

    /// Orders links to be made ready; false when there is nobody to do it any more.
    pub(super) fn order(&self, links: Vec<usize>) -> bool {
        self.orders.send(Order::Links(links)).is_ok()
    }

    /// Has packets for addresses of a router thrown away, and returns when that is so: before the addresses are on the
    /// host. What becomes of them is not awaited when there is nobody to do it.
    pub(super) fn refuse(&self, router: usize, addresses: Vec<Refusal>) -> impl Future<Output = ()> + use<> {
        let (done, refused) = oneshot::channel();
        let ordered = self.orders.send(Order::Refuse(router, addresses, done)).is_ok();
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
        let _ = self.orders.send(Order::Accept(router));
    }

    /// Room for a wish; `None` while there are many to fulfil, and when there is nobody to do it.
    pub(super) fn room(&self) -> Option<Room> {
        let room = Arc::clone(&self.wishes).try_acquire_owned().ok();
        room.filter(|_| !self.orders.is_closed())
    }

    /// Has a manager's wish fulfilled. `done` hears of it, or is dropped when it cannot be.
    pub(super) fn wish(&self, wish: Wish, room: Room, done: SyncSender<()>) {
        // With the lane that has ended `done` goes.
        let _ = self.orders.send(Order::Wish(wish, room, done));
    }

    /// The next reports; `None` when there will be none. Cancelling it loses nothing.
    pub(super) async fn reports(&mut self) -> Option<Vec<Report>> {
        self.reports.recv().await
    }
}

/// Plans the links that the configuration asks for, around the interfaces that exist: see [`plan::plan`]. Those that an
/// earlier run made, by its `notes`, do not count: they are used where they fit, and else removed.
/// They keep the names of those that are `known` already.
pub(super) fn plan_links(
    config: &mut Config,
    notes: &Path,
    known: &[PlannedLink],
) -> Result<Vec<PlannedLink>, KernelError> {
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
    Ok(plan::plan(config, &existing, known))
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
