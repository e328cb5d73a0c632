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
//! | `settings` | which settings of the network they need |
//! | `sysctls` | settings that are changed, and put back, even by the next run when this one is killed |

mod links;
mod plan;
mod settings;
mod sysctls;

use std::{io, path::Path, thread};

use tokio::{sync::mpsc, task::JoinSet};
use tracing::{error, warn};

pub(super) use self::plan::PlannedLink;
use self::{links::Links, sysctls::Sysctls};
use crate::{
    config::{Config, Global},
    kernel::{KernelError, Requests, Ruleset},
};

/// The name of the nf_tables tables when the configuration does not say.
const DEFAULT_TABLE: &str = "keepalived";

/// What the vrrp lane has of the host lane.
#[derive(Debug)]
pub(super) struct Host {
    /// The links that there are to be; orders and reports name them by their place here.
    pub(super) links: Vec<PlannedLink>,
    /// Links to make ready. One order for a link at a time, so that there is always room.
    orders: mpsc::Sender<Vec<usize>>,
    /// What came of it, for each link.
    reports: mpsc::Receiver<Vec<Report>>,
}

/// What came of the order to make a link ready.
#[derive(Debug)]
pub(super) struct Report {
    /// The link's place.
    pub(super) link: usize,
    /// Whether it is there, set up, and was brought up.
    pub(super) outcome: Result<(), KernelError>,
}

/// The thread of the lane, which ends after the vrrp lane.
pub(super) type Lane = thread::JoinHandle<()>;

impl Host {
    /// Starts the lane, if there is anything for it to do. `journal` is where it notes the settings that it changes;
    /// `release` says whether it puts everything back in the end (not with `-V`).
    pub(super) fn start(
        links: Vec<PlannedLink>,
        config: &Config,
        journal: &Path,
        release: bool,
    ) -> io::Result<(Self, Option<Lane>)> {
        let room = links.len().max(1);
        let (orders, ordered) = mpsc::channel(room);
        let (report, reports) = mpsc::channel(room);
        let rules = ruleset(&config.global);
        let local_igmp = !config.global.settings.disable_local_igmp;
        let host = Self { links: links.clone(), orders, reports };
        if links.is_empty() && local_igmp && !journal.exists() {
            return Ok((host, None));
        }
        let lines = config.instances.iter().flat_map(|instance| {
            instance.virtual_addresses.iter().chain(&instance.excluded_addresses).map(|line| line.address)
        });
        let (planned, virtual_addresses, journal) = (links, lines.collect(), journal.to_owned());
        let work = move || {
            let sysctls = Sysctls::open(&journal);
            let links = Links::new(planned, virtual_addresses, sysctls, rules, local_igmp);
            if let Err(error) = run(links, ordered, report, release) {
                error!("the host lane has ended: {error}");
            }
        };
        let lane = thread::Builder::new().name("host".to_owned()).spawn(work)?;
        Ok((host, Some(lane)))
    }

    /// Orders links to be made ready; false when there is nobody to do it any more.
    pub(super) fn order(&self, links: Vec<usize>) -> bool {
        self.orders.try_send(links).is_ok()
    }

    /// The next reports; `None` when there will be none. Cancelling it loses nothing.
    pub(super) async fn reports(&mut self) -> Option<Vec<Report>> {
        self.reports.recv().await
    }
}

/// Plans the links that the configuration asks for, around the interfaces that exist: see [`plan::plan`].
pub(super) fn plan_links(config: &mut Config) -> Result<Vec<PlannedLink>, KernelError> {
    let wanted = config.instances.iter().any(|instance| {
        let mut lines = instance.virtual_addresses.iter().chain(&instance.excluded_addresses);
        instance.link.is_some() || instance.settings.use_vmac_addr || lines.any(|line| line.use_vmac)
    });
    if !wanted {
        return Ok(Vec::new());
    }
    let runtime = super::runtime().map_err(|error| KernelError::from_io("listing the interfaces", &error))?;
    let existing = runtime.block_on(async {
        let (requests, connection) = Requests::open()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        requests.links().await
    })?;
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
    }
}

/// Carries orders out until there is nobody left to give any.
fn run(
    mut links: Links,
    mut orders: mpsc::Receiver<Vec<usize>>,
    report: mpsc::Sender<Vec<Report>>,
    release: bool,
) -> Result<(), KernelError> {
    let runtime = super::runtime().map_err(|error| KernelError::from_io("starting the host lane", &error))?;
    links.begin();
    runtime.block_on(async {
        let (requests, connection) = Requests::open()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        while let Some(order) = orders.recv().await {
            let reports = links.prepare(&requests, &order).await;
            // Without the vrrp lane nobody wants to know.
            let _ = report.send(reports).await;
        }
        if release {
            for error in links.release(&requests).await {
                warn!("{error}");
            }
        }
        Ok(())
    })
}
