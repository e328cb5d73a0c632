//! A configuration as far as plans look at it, whoever holds its parts.

use crate::config::{
    AddressLine, Config, Global, Instance, Route, Rule, Script, SyncGroup,
    settings::{GarpGroup, ProcessSettings, ServerGroup, SnmpAgent, SnmpNotify, TrackGroup, VirtualServer},
    tracking,
};

/// The parts of a configuration.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// `vrrp_instance`.
    pub instances: Vec<&'a Instance>,
    /// `vrrp_sync_group`.
    pub groups: Vec<&'a SyncGroup>,
    /// `vrrp_script`.
    pub scripts: Vec<&'a Script>,
    /// `track_file`.
    pub files: Vec<&'a tracking::File>,
    /// `vrrp_track_process`.
    pub processes: Vec<&'a tracking::Process>,
    /// What `bfd_instance` says of priorities.
    pub sessions: Vec<&'a tracking::Session>,
    /// `static_ipaddress`.
    pub static_addresses: Vec<&'a AddressLine>,
    /// `static_routes`.
    pub static_routes: Vec<&'a Route>,
    /// `static_rules`.
    pub static_rules: Vec<&'a Rule>,
    /// `virtual_server_group`, in any order of their members.
    pub server_groups: &'a [ServerGroup],
    /// `virtual_server`.
    pub services: Vec<&'a VirtualServer>,
    /// Everything else.
    pub rest: Rest<'a>,
}

/// What a plan only says of that it differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest<'a> {
    /// `global_defs`.
    pub global: &'a Global,
    /// The words of the top level.
    pub process: &'a ProcessSettings,
    /// `garp_group`.
    pub garp_groups: &'a [GarpGroup],
    /// `track_group`.
    pub track_groups: &'a [TrackGroup],
    /// `snmp_agent`.
    pub snmp_agent: Option<&'a SnmpAgent>,
    /// `snmp_notify`.
    pub snmp_notify: Option<&'a SnmpNotify>,
}

impl<'a> From<&'a Config> for Outline<'a> {
    fn from(config: &'a Config) -> Self {
        Self {
            instances: config.instances.iter().collect(),
            groups: config.sync_groups.iter().collect(),
            scripts: config.scripts.iter().collect(),
            files: config.files.iter().collect(),
            processes: config.processes.iter().collect(),
            sessions: config.sessions.iter().collect(),
            static_addresses: config.static_addresses.iter().collect(),
            static_routes: config.static_routes.iter().collect(),
            static_rules: config.static_rules.iter().collect(),
            server_groups: &config.server_groups,
            services: config.virtual_servers.iter().collect(),
            rest: Rest {
                global: &config.global,
                process: &config.process,
                garp_groups: &config.garp_groups,
                track_groups: &config.track_groups,
                snmp_agent: config.snmp_agent.as_deref(),
                snmp_notify: config.snmp_notify.as_deref(),
            },
        }
    }
}
