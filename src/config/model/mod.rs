//! The typed configuration: what the text means once every default is filled in and every value is checked.
//!
//! Nothing here remembers how it was written, except [`Place`]s, so that a later message can point at the line.
//! Whoever holds a [`Config`] need not ask again whether a priority is legal or a script index exists.

mod address;
mod group;
mod identity;
mod link;
mod route;
mod rule;
mod signatures;
pub mod tracking;

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::{
    address::{AddressLine, Preferred, Scope, UnicastPeer},
    group::SyncGroup,
    identity::Identity,
    link::{IpvlanMode, VirtualLink, VirtualLinkKind},
    route::{
        Encap, Hop, Insertion, IpTunnel, MAIN_TABLE, Metric, MetricTime, Network, NextHop, PROTOCOL, Realms,
        Route, RouteKind, RouteMetrics, RouterPreference,
    },
    rule::{Mark, Range, Rule, RuleAction},
    signatures::{AntiReplay, SignatureMode, Signatures, SigningKey},
};

use crate::{
    config::{
        Place,
        settings::{
            BfdInstance, GarpGroup, GlobalDefs, InstanceSettings, ProcessSettings, Section as _, ServerGroup,
            SnmpAgent, SnmpNotify, Ssl, TrackGroup, VirtualServer,
        },
    },
    units::{Family, Priority, Version, Vrid},
};

/// Everything the configuration file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `global_defs`.
    pub global: Global,
    /// Every interface that an instance uses or tracks.
    pub interfaces: Vec<tracking::Interface>,
    /// `vrrp_script` blocks that somebody tracks, in file order.
    pub scripts: Vec<Script>,
    /// `track_file` blocks that somebody tracks, in file order.
    pub files: Vec<tracking::File>,
    /// `vrrp_track_process` blocks that somebody tracks, in file order.
    pub processes: Vec<tracking::Process>,
    /// What `bfd_instance` blocks say of priorities, in file order.
    pub sessions: Vec<tracking::Session>,
    /// `vrrp_instance` blocks, in file order.
    pub instances: Vec<Instance>,
    /// The single words of the top level, such as namespaces.
    pub process: Box<ProcessSettings>,
    /// `static_ipaddress`: there for the whole run.
    pub static_addresses: Vec<AddressLine>,
    /// `static_routes`: there for the whole run.
    pub static_routes: Vec<Route>,
    /// `static_rules`: there for the whole run.
    pub static_rules: Vec<Rule>,
    /// `SSL`.
    pub ssl: Option<Box<Ssl>>,
    /// `snmp_agent`.
    pub snmp_agent: Option<Box<SnmpAgent>>,
    /// `snmp_notify`.
    pub snmp_notify: Option<Box<SnmpNotify>>,
    /// `track_group` blocks, in file order.
    pub track_groups: Vec<TrackGroup>,
    /// `bfd_instance` blocks, in file order.
    pub bfd_instances: Vec<BfdInstance>,
    /// `garp_group` blocks, in file order.
    pub garp_groups: Vec<GarpGroup>,
    /// `vrrp_sync_group` blocks that have members, in file order.
    pub sync_groups: Vec<SyncGroup>,
    /// `virtual_server_group` blocks, in file order.
    pub server_groups: Vec<ServerGroup>,
    /// `virtual_server` blocks, in file order.
    pub virtual_servers: Vec<VirtualServer>,
}

impl Config {
    /// What an empty file asks for, on a host without a name.
    pub(super) fn empty() -> Self {
        Self {
            global: Global::empty(),
            interfaces: Vec::new(),
            scripts: Vec::new(),
            files: Vec::new(),
            processes: Vec::new(),
            sessions: Vec::new(),
            instances: Vec::new(),
            process: Box::new(ProcessSettings::unwritten()),
            static_addresses: Vec::new(),
            static_routes: Vec::new(),
            static_rules: Vec::new(),
            ssl: None,
            snmp_agent: None,
            snmp_notify: None,
            track_groups: Vec::new(),
            bfd_instances: Vec::new(),
            garp_groups: Vec::new(),
            sync_groups: Vec::new(),
            server_groups: Vec::new(),
            virtual_servers: Vec::new(),
        }
    }
}

impl Global {
    /// What holds when no line says otherwise.
    pub(crate) fn empty() -> Self {
        Self {
            router_id: String::new(),
            enable_traps: false,
            enable_snmp_vrrp: false,
            snmp_socket: None,
            vrrp_version: Version::V2,
            script_user: None,
            script_security: false,
            host_name: String::new(),
            settings: Box::new(GlobalDefs::unwritten()),
        }
    }
}

/// `global_defs`: what is true for the whole daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// `router_id`; the host name when the file does not say.
    pub router_id: String,
    /// `enable_traps`: send SNMP notifications.
    pub enable_traps: bool,
    /// `enable_snmp_vrrp` (and its older spelling `enable_snmp_keepalived`): serve the VRRP part of the MIB.
    pub enable_snmp_vrrp: bool,
    /// `snmp_socket`: where the AgentX master listens; `None` means its default.
    pub snmp_socket: Option<String>,
    /// `vrrp_version`: the version of instances that do not name one.
    pub vrrp_version: Version,
    /// The identity of scripts that do not name one: `script_user`, else the account `keepalived_script` where
    /// it exists, else `None` for the daemon's own.
    pub script_user: Option<User>,
    /// `enable_script_security`.
    pub script_security: bool,
    /// The name of this host.
    pub host_name: String,
    /// Every word of `global_defs`, as written.
    pub settings: Box<GlobalDefs>,
}

/// An account that a script runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Account name as written.
    pub name: String,
    /// Numeric user id.
    pub uid: u32,
    /// Numeric group id: the named group, else the account's primary group.
    pub gid: u32,
    /// `set_supplementary_groups`: it is in the other groups of the account, too.
    pub has_groups: bool,
}

/// A `vrrp_script`: a program whose exit status says whether a service is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name instances track it by.
    pub name: String,
    /// What is run.
    pub command: ScriptCommand,
    /// `interval`: time from the start of one run to the start of the next, 1 ms or more.
    pub interval: Duration,
    /// `timeout`: how long a run may take; `None` means as long as `interval`.
    pub timeout: Option<Duration>,
    /// `rise`: successes in a row until the script counts as healthy, 1 or more.
    pub rise: u32,
    /// `fall`: failures in a row until the script counts as failed, 1 or more.
    pub fall: u32,
    /// `weight`, -253..=253: what the script adds to a priority; 0 sends the instance to FAULT instead.
    pub weight: i16,
    /// `weight N reverse`: the adjustment has the opposite sign.
    pub reverse: bool,
    /// `init_fail`: failed until it has succeeded `rise` times.
    pub init_fail: bool,
    /// Who runs it; `None` for the daemon's own identity.
    pub user: Option<User>,
    /// Where the block begins.
    pub at: Place,
}

/// A program and its arguments, found on this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCommand {
    /// The words of the command; the first is the program as written.
    pub argv: Vec<String>,
    /// The program's file, searched in PATH, symbolic links resolved.
    pub path: PathBuf,
    /// The command line as the MIB shows it (vrrpScriptCommand): every word in single quotes, the program by its
    /// resolved path.
    pub shown: String,
}

/// A program that is told of a change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyScript {
    /// The words of the command; the first is the program as written.
    pub argv: Vec<String>,
    /// The program's file, searched in PATH, symbolic links resolved.
    pub path: PathBuf,
    /// The command line as the MIB shows it: every word in single quotes, the program by its resolved path.
    pub shown: String,
    /// Who runs it; `None` for the daemon's own identity.
    pub user: Option<User>,
}

/// A `vrrp_instance`: one virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The block's name.
    pub name: String,
    /// Where the block begins.
    pub at: Place,
    /// `state`: what the router would like to be.
    pub initial_state: InitialState,
    /// `interface`: where advertisements are sent and received.
    pub interface: String,
    /// `use_vmac` or `use_ipvlan`: the link of its own.
    pub link: Option<VirtualLink>,
    /// `virtual_router_id`.
    pub vrid: Vrid,
    /// `priority`, 1..=255.
    pub priority: Priority,
    /// `version`, else the global one.
    pub version: Version,
    /// `advert_int`, already rounded to what the version can express: whole seconds in version 2, centiseconds up
    /// to 40.95 s in version 3.
    pub advert_interval: Duration,
    /// Take over from a master of lower priority (`nopreempt` clears it).
    pub preempt: bool,
    /// `preempt_delay`: how long to tolerate a master of lower priority.
    pub preempt_delay: Duration,
    /// `authentication`.
    pub auth: Auth,
    /// The family of advertisements: that of the first address in the block, IPv4 when there is none.
    pub family: Family,
    /// `virtual_ipaddress`: advertised, and owned while master; all of the instance's family.
    pub virtual_addresses: Vec<AddressLine>,
    /// `virtual_ipaddress_excluded`: owned while master, not advertised; of any family.
    pub excluded_addresses: Vec<AddressLine>,
    /// `unicast_src_ip` or `mcast_src_ip`, of the instance's family; `None` means the interface's primary address.
    pub source: Option<IpAddr>,
    /// `unicast_peer`, of the instance's family; empty means multicast.
    pub peers: Vec<UnicastPeer>,
    /// Where advertisements go without `unicast_peer`: `mcast_dst_ip`, else the family's `vrrp_mcast_group4` or
    /// `vrrp_mcast_group6`, else 224.0.0.18 or ff02::12.
    pub multicast_group: IpAddr,
    /// `virtual_routes`: there while master.
    pub virtual_routes: Vec<Route>,
    /// `virtual_rules`: there while master.
    pub virtual_rules: Vec<Rule>,
    /// What it tracks by name.
    pub tracks: tracking::Tracks,
    /// The state of its own interface decides about FAULT (`dont_track_primary` clears it).
    pub track_primary: bool,
    /// `track_src_ip`: without the configured source address on this host it is in FAULT.
    pub track_source: bool,
    /// Gratuitous ARP timing.
    pub garp: Garp,
    /// Take packets to the virtual addresses while master; `no_accept` and strict mode do not.
    pub accept: bool,
    /// Programs told of changes.
    pub notify: Notify,
    /// The words of the block that stand for themselves.
    pub settings: Box<InstanceSettings>,
}

impl Instance {
    /// Whether packets to its virtual addresses are thrown away: an owner's never are.
    pub fn refuses_packets(&self) -> bool {
        !self.accept && self.priority != Priority::OWNER
    }

    /// The interface that is the virtual router's: the link of its own, else `interface`.
    pub fn own_interface(&self) -> &str {
        self.link.as_ref().and_then(|link| link.name.as_deref()).unwrap_or(&self.interface)
    }

    /// The interface whose address advertisements come from: the one below, as the virtual router's own link has none
    /// that says who sends; an ipvlan's address is its own.
    pub fn source_interface(&self) -> &str {
        let kind = self.link.as_ref().map(|link| link.kind);
        if let Some(VirtualLinkKind::Ipvlan(..)) = kind { self.transport() } else { &self.interface }
    }

    /// The interface that advertisements go through: the link of its own, unless they are to use the interface below.
    pub fn transport(&self) -> &str {
        let own = self.link.as_ref().filter(|link| !link.transmit_on_parent);
        own.and_then(|link| link.name.as_deref()).unwrap_or(&self.interface)
    }
}

/// The `state` keyword.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InitialState {
    /// `state MASTER`.
    Master,
    /// `state BACKUP`.
    #[default]
    Backup,
}

/// Authentication of advertisements. Its memory is wiped when it is given back.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub enum Auth {
    /// No authentication.
    #[default]
    None,
    /// `auth_type PASS`, version 2 only: eight bytes, zero padded (RFC 2338 §5.3.6).
    Pass([u8; 8]),
    /// `auth_type AH`, version 2 only: the same eight bytes, as the key of an authentication header (RFC 2338
    /// §5.3.6.3). IPv4 only.
    Header([u8; 8]),
    /// `auth_hmac`. The keys wipe themselves.
    Signed(#[zeroize(skip)] Box<Signatures>),
}

/// Never prints the password.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Pass(_) => "Pass(********)",
            Self::Header(_) => "Header(********)",
            Self::Signed(_) => "Signed(********)",
        })
    }
}

/// When and how often gratuitous ARP is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garp {
    /// `garp_master_delay`: from the first burst to the second; zero means no second burst.
    pub delay: Duration,
    /// `garp_master_repeat`: messages per address in a burst, 1 or more.
    pub repeat: u32,
    /// `garp_master_refresh`: period of the refresh while master; `None` means no refresh.
    pub refresh: Option<Duration>,
    /// `garp_master_refresh_repeat`: messages per address in a refresh, 1 or more.
    pub refresh_repeat: u32,
    /// `garp_lower_prio_delay`: from the burst after an advertisement of lower priority to the second one; zero means no
    /// second burst.
    pub lower_prio_delay: Duration,
    /// `garp_lower_prio_repeat`: messages per address after an advertisement of lower priority; 0 means none.
    pub lower_prio_repeat: u32,
}

/// Programs told of an instance's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<NotifyScript>,
    /// `notify_backup`.
    pub backup: Option<NotifyScript>,
    /// `notify_fault`.
    pub fault: Option<NotifyScript>,
    /// `notify_stop`.
    pub stop: Option<NotifyScript>,
    /// `notify`: every change, with INSTANCE, name, state and priority appended.
    pub all: Option<NotifyScript>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", Auth::Pass(*b"s3cret\0\0")), "Pass(********)");
        assert_eq!(format!("{:?}", Auth::Header(*b"s3cret\0\0")), "Header(********)");
    }
}
