//! The rows: what the configuration says of an object, and what is true of it right now.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    config::{self, tracking::Tracker},
    registry::{
        Counters, Mastered, Ordered, Orders, Reason, RouteRow, RuleRow, Setting, Standing, State, Switch,
        history::History,
    },
    units::{IfIndex, Priority, Time},
};

/// A `vrrp_instance`.
#[derive(Debug)]
pub struct InstanceRow {
    /// Position in the configuration, from 1: vrrpInstanceIndex.
    pub index: u32,
    /// What the configuration says, defaults resolved.
    pub config: config::Instance,
    /// The name of its sync group.
    pub group: Option<String>,
    /// Its virtual addresses, then the excluded ones: the rows of vrrpAddressTable.
    pub addresses: Vec<Arc<AddressRow>>,
    /// Its `virtual_routes`: the rows of vrrpRouteTable.
    pub routes: Vec<Arc<RouteRow>>,
    /// Its `virtual_rules`: the rows of vrrpRuleTable.
    pub rules: Vec<Arc<RuleRow>>,
    /// Packets and transitions.
    pub counters: Arc<Counters>,
    status: Arc<ArcSwap<InstanceStatus>>,
    orders: OnceLock<Arc<dyn Orders>>,
    history: Arc<History>,
}

/// Which virtual router a row is about: all rows that reloads make of it have the same.
#[derive(Clone, Debug, Default)]
pub struct Lineage(Arc<Counters>);

impl PartialEq for Lineage {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What is true of an instance right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceStatus {
    /// The state.
    pub state: State,
    /// The state the instance works towards: FAULT while something holds it there.
    pub wanted: State,
    /// Priority before tracking: `priority`, unless an order has changed it.
    pub base_priority: Option<Priority>,
    /// What orders have switched.
    pub ordered: Ordered,
    /// Priority after tracking.
    pub effective_priority: Option<Priority>,
    /// Whether every virtual address is in the kernel.
    pub addresses_set: bool,
    /// Since when this state lasts.
    pub since: Time,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// The source address of its advertisements.
    pub source: Option<IpAddr>,
    /// The master last heard.
    pub master: Option<Peer>,
    /// The interval of the master that a BACKUP goes by, where it is another one than it is configured for: whoever
    /// forges one of 40.95 s has the silence of the master noticed two minutes late.
    pub adopted_interval: Option<Duration>,
    /// Another router that advertises as master while this one is.
    pub contest: Option<Contest>,
    /// With `auth_hmac`: how the advertisement believed last was signed.
    pub signature: Option<SignatureStatus>,
    /// Everything that keeps it from taking part, what it waits for included.
    pub faults: Vec<Reason>,
    /// What trackers add to its priority, where that is not 0.
    pub contributions: Vec<(Tracker, i32)>,
    /// Until when it lets a master of lower priority be (`preempt_delay`).
    pub tolerates_until: Option<Time>,
    /// What operators want of it.
    pub interventions: Vec<Standing>,
}

/// How an advertisement that was believed was signed: which key its sender uses by now, if any, and how right its clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureStatus {
    /// Who sent it.
    pub sender: IpAddr,
    /// The number of the key; `None` when it was not signed.
    pub key: Option<u8>,
    /// By how many seconds the sender's clock is behind ours; negative when it is ahead.
    pub age: i32,
}

/// A mastership that another router claims too, with a lower priority or with ours and a lower address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contest {
    /// Who was heard last, and its priority.
    pub rival: Peer,
    /// Since when.
    pub since: Time,
    /// How many advertisements were heard since then.
    pub heard: u64,
}

/// Another router of the same virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Source of its advertisements.
    pub address: IpAddr,
    /// The priority it advertises.
    pub priority: Priority,
}

impl InstanceRow {
    /// The row of `config` at `index` (from 1), in state INIT.
    pub fn new(index: u32, config: config::Instance, group: Option<String>) -> Self {
        Self::after(None, index, config, group)
    }

    /// The same, with the rows of addresses, routes and rules that are as in another one.
    fn after(before: Option<&Self>, index: u32, config: config::Instance, group: Option<String>) -> Self {
        let advertised = config.virtual_addresses.iter().map(|address| (address, true));
        let excluded = config.excluded_addresses.iter().map(|address| (address, false));
        let address = |(line, advertised): (&config::AddressLine, bool)| {
            let is_it = |row: &AddressRow| row.advertised == advertised && row.is_of(&config.interface, line);
            known(before.map(|before| &before.addresses), is_it)
                .unwrap_or_else(|| Arc::new(AddressRow::on(&config.interface, line.clone(), advertised)))
        };
        let route = |route: &config::Route| {
            known(before.map(|before| &before.routes), |row| row.config == *route)
                .unwrap_or_else(|| Arc::new(RouteRow::new(route.clone())))
        };
        let rule = |rule: &config::Rule| {
            known(before.map(|before| &before.rules), |row| row.config == *rule)
                .unwrap_or_else(|| Arc::new(RuleRow::new(rule.clone())))
        };
        let addresses = advertised.chain(excluded).map(address).collect();
        let routes = config.virtual_routes.iter().map(route).collect();
        let rules = config.virtual_rules.iter().map(rule).collect();
        let (counters, status, orders, history) = Default::default();
        Self { index, config, group, addresses, routes, rules, counters, status, orders, history }
    }

    /// The row of the same virtual router with another index, configuration or group. What is true of it, and what was
    /// counted, is the same to readers of either; of its addresses, routes and rules the rows of those that are as before.
    pub(super) fn succeed(&self, index: u32, config: config::Instance, group: Option<String>) -> Self {
        let mut row = Self::after(Some(self), index, config, group);
        row.counters = Arc::clone(&self.counters);
        row.status = Arc::clone(&self.status);
        row.history = Arc::clone(&self.history);
        row
    }

    /// Priority before tracking, as it is now.
    pub fn base_priority(&self) -> Priority {
        self.status().base_priority.unwrap_or(self.config.priority)
    }

    /// Whether it takes over from a master of lower priority, as it is now.
    pub fn preempt(&self) -> bool {
        self.is_on(Switch::Preempt)
    }

    /// Whether a word of the configuration holds: as it is written, unless an order has changed it.
    pub fn is_on(&self, switch: Switch) -> bool {
        let config = &self.config;
        let written = match switch {
            Switch::Preempt => config.preempt,
            Switch::Accept => config.accept,
            Switch::PromoteSecondaries => config.settings.promote_secondaries,
            Switch::Linkbeat => config.settings.linkbeat_use_polling,
            Switch::NotifyDeleted => config.settings.notify_deleted.is_some(),
        };
        self.status().ordered.get(switch).unwrap_or(written)
    }

    /// Whether packets to its addresses are thrown away, as it is now: an owner's never are.
    pub fn refuses_packets(&self) -> bool {
        !self.is_on(Switch::Accept) && self.config.priority != Priority::OWNER
    }

    /// What holds now of what `setting` is another value of.
    pub fn setting_like(&self, setting: Setting) -> Setting {
        match setting {
            Setting::BasePriority(_) => Setting::BasePriority(self.base_priority()),
            Setting::Switch(switch, _) => Setting::Switch(switch, self.is_on(switch)),
        }
    }

    /// Which virtual router this is, whatever reloads make of its index and its name.
    pub fn lineage(&self) -> Lineage {
        Lineage(Arc::clone(&self.counters))
    }

    /// From now on orders for this instance are taken.
    pub fn take_orders(&self, orders: Arc<dyn Orders>) {
        // Whoever takes them already goes on doing so.
        let _ = self.orders.set(orders);
    }

    /// Who takes orders for this instance; `None` when nobody may give any.
    pub fn orders(&self) -> Option<&dyn Orders> {
        self.orders.get().map(|orders| &**orders)
    }

    /// What is true now.
    pub fn status(&self) -> Arc<InstanceStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: InstanceStatus) {
        self.history.note(&self.status.load(), &status);
        self.status.store(Arc::new(status));
    }

    /// An advertisement was believed (the engine only).
    pub fn note_heard(&self, now: Time) {
        self.history.note_heard(now);
    }

    /// When one was believed last.
    pub fn heard_at(&self) -> Option<Time> {
        self.history.heard_at()
    }

    /// When something is due (the engine only).
    pub fn note_due(&self, at: Option<Time>) {
        self.history.note_due(at);
    }

    /// When something is due: a BACKUP takes over then if it hears nothing else.
    pub fn due_at(&self) -> Option<Time> {
        self.history.due_at()
    }

    /// Why it became MASTER the last time.
    pub fn mastered(&self) -> Mastered {
        self.history.mastered()
    }

    /// Since when it takes part in elections; `None` in FAULT.
    pub fn takes_part_since(&self) -> Option<Time> {
        self.history.takes_part_since()
    }
}

/// The one of these rows that it is.
fn known<Row>(rows: Option<&Vec<Arc<Row>>>, is_it: impl Fn(&Row) -> bool) -> Option<Arc<Row>> {
    rows.and_then(|rows| rows.iter().find(|row| is_it(row))).map(Arc::clone)
}

/// A virtual address of an instance, or a static one.
#[derive(Debug)]
pub struct AddressRow {
    /// What the configuration says.
    pub config: config::AddressLine,
    /// The device it is put on: its own `dev`, or the instance's interface, or `default_interface` of a static one.
    pub device: String,
    /// Whether advertisements carry it (excluded addresses are not carried).
    pub advertised: bool,
    status: ArcSwap<AddressStatus>,
}

/// What is true of an address right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressStatus {
    /// Whether the kernel holds it on its device.
    pub set: bool,
    /// The device's index, when the device exists.
    pub device: Option<IfIndex>,
    /// The errno with which the kernel refused it when it was asked last, while it is wanted and not there.
    pub refusal: Option<i32>,
}

impl AddressRow {
    /// The row of a line, on `interface` unless it names another one.
    pub(crate) fn on(interface: &str, config: config::AddressLine, advertised: bool) -> Self {
        let device = config.device.clone().unwrap_or_else(|| interface.to_owned());
        Self { config, device, advertised, status: ArcSwap::default() }
    }

    /// Whether it is the row of that line on that interface.
    fn is_of(&self, interface: &str, line: &config::AddressLine) -> bool {
        self.config == *line && self.device == line.device.as_deref().unwrap_or(interface)
    }

    /// What is true now.
    pub fn status(&self) -> AddressStatus {
        **self.status.load()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: AddressStatus) {
        self.status.store(Arc::new(status));
    }
}

/// A `vrrp_script`.
#[derive(Debug)]
pub struct ScriptRow {
    /// Position among the scripts in use, from 1: vrrpScriptIndex.
    pub index: u32,
    /// What the configuration says.
    pub config: config::Script,
    status: Arc<ArcSwap<ScriptStatus>>,
}

/// What is true of a script right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptStatus {
    /// Judged by its `rise` and `fall`.
    pub result: ScriptResult,
    /// How the last run ended, in words; empty before the first.
    pub last: String,
    /// When the last run ended.
    pub at: Option<Time>,
}

/// vrrpScriptResult.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScriptResult {
    /// No result yet.
    #[default]
    Init,
    /// Failed `fall` times in a row.
    Bad,
    /// Succeeded `rise` times in a row.
    Good,
    /// The first run failed.
    InitFailed,
}

impl ScriptResult {
    /// The number in the MIB.
    pub const fn number(self) -> i32 {
        match self {
            Self::Init => 1,
            Self::Bad => 2,
            Self::Good => 3,
            Self::InitFailed => 5,
        }
    }
}

impl ScriptRow {
    /// The row of `config` at `index` (from 1), before its first run.
    pub fn new(index: u32, config: config::Script) -> Self {
        Self { index, config, status: Arc::default() }
    }

    /// The row of the same script with another index or other settings.
    pub(super) fn succeed(&self, index: u32, config: config::Script) -> Self {
        Self { index, config, status: Arc::clone(&self.status) }
    }

    /// What is true now.
    pub fn status(&self) -> Arc<ScriptStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (whoever runs the script).
    pub fn set_status(&self, status: ScriptStatus) {
        self.status.store(Arc::new(status));
    }
}
