//! What exists, from a configuration.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    config::{
        Config, Global, Instance,
        settings::{GarpGroup, GroupMember, ProcessSettings, ServerGroup, SnmpAgent, SnmpNotify, Ssl},
        tracking,
    },
    registry::{
        FileRow, GroupRow, InstanceRow, InterfaceRow, ProcessRow, Reason, ScriptRow, SessionRow, SinkRow,
        StaticRows, Subject, Transition, VirtualServerRow,
    },
    units::Family,
};

/// What exists, in the order of the configuration; a row's MIB index is its position plus one.
#[derive(Debug)]
pub struct Topology {
    /// The daemon's version banner, as KEEPALIVED-MIB::version.0 shows it.
    pub banner: String,
    /// `garp_group`, in file order.
    pub garp_groups: Vec<GarpGroup>,
    /// `global_defs`, with its defaults resolved.
    pub global: Global,
    /// One row for each kind of script, FIFO or mail that tells of transitions outside the process.
    pub sinks: Vec<Arc<SinkRow>>,
    /// The words of the top level.
    pub process: Box<ProcessSettings>,
    /// One row per `vrrp_instance`.
    pub instances: Vec<Arc<InstanceRow>>,
    /// One row per `vrrp_sync_group` that has members.
    pub groups: Vec<Arc<GroupRow>>,
    /// One row per interface that an instance uses or tracks.
    pub interfaces: Vec<Arc<InterfaceRow>>,
    /// `static_ipaddress`, `static_routes` and `static_rules`.
    pub statics: StaticRows,
    /// One row per `vrrp_script` that something tracks.
    pub scripts: Vec<Arc<ScriptRow>>,
    /// One row per `track_file` that something tracks.
    pub files: Vec<Arc<FileRow>>,
    /// One row per `vrrp_track_process` that something tracks.
    pub processes: Vec<Arc<ProcessRow>>,
    /// The BFD sessions, in the order of the configuration.
    pub sessions: Vec<Arc<SessionRow>>,
    /// `virtual_server_group`, each with its firewall marks before its addresses.
    pub server_groups: Vec<ServerGroup>,
    /// `SSL`: what checks show servers.
    pub ssl: Option<Box<Ssl>>,
    /// `snmp_agent`.
    pub snmp_agent: Option<Box<SnmpAgent>>,
    /// `snmp_notify`.
    pub snmp_notify: Option<Box<SnmpNotify>>,
    /// One row per `virtual_server`.
    pub virtual_servers: Vec<Arc<VirtualServerRow>>,
    /// Instances that reloads have removed, the latest first: what happened to them at last may not be told yet.
    pub departed: Vec<Arc<InstanceRow>>,
    /// Virtual servers that reloads have removed, or of which they have removed real servers, the latest first.
    pub departed_services: Vec<Arc<VirtualServerRow>>,
    /// Advertisements that were for none of the instances.
    pub(super) unknown_vrids: Arc<AtomicU64>,
    /// See [`Self::link_changes`].
    pub(super) link_changes: Arc<AtomicU64>,
}

impl Topology {
    /// The rows of a configuration, in their first state.
    pub fn new(config: Config, banner: String, sinks: Vec<Arc<SinkRow>>) -> Self {
        Self::with(config, banner, sinks, |index, instance, group| {
            Arc::new(InstanceRow::new(index, instance, group))
        })
    }

    /// The same, with the row that `row` has for an instance of that index and group.
    pub(super) fn with(
        config: Config,
        banner: String,
        sinks: Vec<Arc<SinkRow>>,
        row: impl Fn(u32, Instance, Option<String>) -> Arc<InstanceRow>,
    ) -> Self {
        let mut group_of: HashMap<usize, String> = HashMap::new();
        for group in &config.sync_groups {
            group_of.extend(group.members.iter().map(|member| (*member, group.name.clone())));
        }
        let mut instances: Vec<_> = config
            .instances
            .into_iter()
            .enumerate()
            .map(|(position, instance)| {
                let index = u32::try_from(position + 1).unwrap_or(u32::MAX);
                row(index, instance, group_of.remove(&position))
            })
            .collect();
        // Collected in place they would keep the memory of all that was moved out of it, a kilobyte for each.
        instances.shrink_to_fit();
        let statics = StaticRows::new(
            (config.static_addresses, &config.global.settings.default_interface),
            config.static_routes,
            config.static_rules,
            config.track_groups,
        );
        let mut server_groups = config.server_groups;
        for group in &mut server_groups {
            group.members.sort_by_key(|member| !matches!(member, GroupMember::Mark(..)));
        }
        let families = server_groups.iter().filter_map(|group| {
            Some((group.name.clone(), group.members.iter().find_map(GroupMember::family)?))
        });
        let families: HashMap<String, Family> = families.collect();
        let service = |(index, service)| Arc::new(VirtualServerRow::new(index, service, &families));
        let virtual_servers = (1..).zip(config.virtual_servers).map(service).collect();
        Self {
            interfaces: interface_rows(config.interfaces, &instances, &statics, &config.process),
            statics,
            instances,
            groups: (1..).zip(config.sync_groups).map(|(i, c)| Arc::new(GroupRow::new(i, c))).collect(),
            banner,
            sinks,
            global: config.global,
            process: config.process,
            garp_groups: config.garp_groups,
            scripts: (1..).zip(config.scripts).map(|(i, c)| Arc::new(ScriptRow::new(i, c))).collect(),
            files: (1..).zip(config.files).map(|(i, c)| Arc::new(FileRow::new(i, c))).collect(),
            processes: (1..).zip(config.processes).map(|(i, c)| Arc::new(ProcessRow::new(i, c))).collect(),
            sessions: (1..).zip(config.sessions).map(|(i, c)| Arc::new(SessionRow::new(i, c))).collect(),
            server_groups,
            ssl: config.ssl,
            snmp_agent: config.snmp_agent,
            snmp_notify: config.snmp_notify,
            virtual_servers,
            departed: Vec::new(),
            departed_services: Vec::new(),
            unknown_vrids: Arc::default(),
            link_changes: Arc::default(),
        }
    }

    /// The row of the instance that a transition is about, also when its index is another one by now or a reload has
    /// removed it; `None` for a transition of something else.
    pub fn instance_of(&self, transition: &Transition) -> Option<&Arc<InstanceRow>> {
        let Subject::Instance { index, name } = &transition.subject else { return None };
        let is_it = |row: &&Arc<InstanceRow>| row.config.name == *name;
        let departed = || self.departed.iter().find(is_it);
        if transition.change.reason == Reason::Deleted {
            return departed().or_else(|| self.instances.iter().find(is_it));
        }
        let there =
            (*index as usize).checked_sub(1).and_then(|place| self.instances.get(place)).filter(is_it);
        there.or_else(|| self.instances.iter().find(is_it)).or_else(departed)
    }

    /// The row of the sync group that a transition is about, in the same way.
    pub fn group_of(&self, transition: &Transition) -> Option<&Arc<GroupRow>> {
        let Subject::Group { name, .. } = &transition.subject else { return None };
        self.groups.iter().find(|row| row.config.name == *name)
    }

    /// The row of the virtual server that a transition is about, also when its index is another one by now or a reload has
    /// removed it, and the place there of the real server, where it is about one.
    pub fn service_of(&self, transition: &Transition) -> Option<(&Arc<VirtualServerRow>, Option<usize>)> {
        let index = match &transition.subject {
            Subject::Service { index, .. } | Subject::Server { service: index, .. } => *index as usize,
            _ => return None,
        };
        let there = index.checked_sub(1).and_then(|place| self.virtual_servers.get(place));
        let all = there.into_iter().chain(&self.virtual_servers).chain(&self.departed_services);
        all.filter_map(|row| row.is_about(&transition.subject).map(|place| (row, place))).next()
    }

    /// How many advertisements were for none of the instances.
    pub fn unknown_vrids(&self) -> u64 {
        self.unknown_vrids.load(Ordering::Relaxed)
    }

    /// Counts an advertisement that is for none of the instances (the engine only).
    pub fn count_unknown_vrid(&self) {
        self.unknown_vrids.fetch_add(1, Ordering::Relaxed);
    }

    /// How often an interface got another number in the kernel: what is ordered by these numbers holds as long as this
    /// stays the same.
    pub fn link_changes(&self) -> u64 {
        self.link_changes.load(Ordering::Acquire)
    }

    /// An interface has another number now (the engine only).
    pub fn note_link_change(&self) {
        self.link_changes.fetch_add(1, Ordering::Release);
    }
}

/// The rows of the interfaces that the configuration names, and of the links of the routers' own, which are named when
/// they are planned. A link has the delays of the interface below it, and is asked as that is.
fn interface_rows(
    named: Vec<tracking::Interface>,
    instances: &[Arc<InstanceRow>],
    statics: &StaticRows,
    process: &ProcessSettings,
) -> Vec<Arc<InterfaceRow>> {
    let mut all = named;
    let mut known: HashSet<String> = all.iter().map(|interface| interface.name.clone()).collect();
    for instance in instances {
        let below = all.iter().find(|interface| interface.name == instance.config.interface).cloned();
        let devices = instance.addresses.iter().map(|address| address.device.as_str());
        let of_routes = instance.routes.iter().flat_map(|row| row.config.devices());
        let of_rules = instance.rules.iter().flat_map(|row| row.config.devices());
        for name in devices.chain([instance.config.transport()]).chain(of_routes).chain(of_rules) {
            if known.insert(name.to_owned()) {
                let usual = tracking::Interface::new(name.to_owned());
                let delays = below.clone().unwrap_or_else(|| usual.clone());
                all.push(tracking::Interface { name: usual.name, ..delays });
            }
        }
    }
    for (_, name) in statics.followed() {
        if known.insert(name.to_owned()) {
            let linkbeat = process.linkbeat(name);
            all.push(tracking::Interface { linkbeat, ..tracking::Interface::new(name.to_owned()) });
        }
    }
    (1..).zip(all).map(|(index, config)| Arc::new(InterfaceRow::new(index, config))).collect()
}
