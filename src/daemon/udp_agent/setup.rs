//! What `snmp_agent` asks for, as the agent takes it.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use agentx::Oid;

use crate::{
    config::settings::{self, SnmpAgent, SnmpUser, SnmpView},
    registry::Topology,
    snmp::{self, Parts},
    snmp_wire::{Credentials, Engine, Passwords},
    udp_agent::{Access, Community, Grant, Identity, Module, Prefix, Settings, Subtrees},
};

/// The community of hosts that have none, and for themselves alone.
const OF_THIS_HOST: &str = "public";

/// How the agent is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Setup {
    pub(super) listen: Vec<SocketAddr>,
    communities: Vec<Community>,
    /// Their keys are made when it is known of which engine.
    users: Vec<(SnmpUser, Grant)>,
    context: Vec<u8>,
    identity: Arc<Identity>,
    /// Where the engine is kept; nowhere where nobody speaks SNMPv3.
    pub(super) engine: Option<PathBuf>,
}

impl Setup {
    /// `None` without `snmp_agent`.
    pub(super) fn of(topology: &Topology) -> Option<Self> {
        let agent = topology.snmp_agent.as_deref()?;
        let communities = agent
            .community
            .iter()
            .map(|community| Community::new(community.name.reveal(), grant(&community.rights, &agent.view)));
        let mut communities: Vec<_> = communities.collect();
        if communities.is_empty() && agent.usm_user.is_empty() {
            communities.push(Community::new(OF_THIS_HOST, of_this_host()));
        }
        let users =
            agent.usm_user.iter().map(|user| (user.clone(), grant(&user.rights, &agent.view))).collect();
        let engine = PathBuf::from(&**agent.engine_file);
        Some(Self {
            listen: agent.addresses(),
            communities,
            users,
            context: agent.context.as_deref().unwrap_or_default().as_bytes().to_vec(),
            identity: Arc::new(identity(agent, topology)),
            engine: (!agent.usm_user.is_empty() && engine.is_absolute()).then_some(engine),
        })
    }

    /// What the agent takes; some milliseconds of work for each password.
    pub(super) fn settings(&self, engine: &Arc<Engine>) -> Settings {
        let mut keys = Passwords::default();
        let with_keys =
            |(user, grant): &(SnmpUser, Grant)| (credentials(user).user(engine, &mut keys), grant.clone());
        Settings {
            identity: Arc::clone(&self.identity),
            communities: self.communities.clone(),
            users: self.users.iter().map(with_keys).collect(),
            engine: Arc::clone(engine),
            context: self.context.clone(),
        }
    }
}

/// A user as the file has it.
pub(in crate::daemon) fn credentials(user: &SnmpUser) -> Credentials {
    let auth = user.auth.as_ref().map(|(auth, password)| (*auth, password.reveal()));
    let privacy = user.privacy.as_ref().map(|(privacy, password)| (*privacy, password.reveal()));
    Credentials::new(&user.name, auth, privacy)
}

fn grant(rights: &settings::Rights, views: &[SnmpView]) -> Grant {
    let sources = rights.sources.iter().map(|(address, length)| Prefix::new(*address, *length));
    let view = rights.view.as_deref();
    let subtrees = match view {
        None => Subtrees::all(),
        Some(name) => {
            views.iter().rfind(|view| view.heading.name() == name).map_or_else(|| Subtrees::new([]), subtrees)
        }
    };
    Grant { sources: sources.collect(), access: Access { subtrees: Arc::new(subtrees), write: rights.write } }
}

fn subtrees(view: &SnmpView) -> Subtrees {
    let all = |subtrees: &[settings::Subtree], seen| -> Vec<(Oid, bool)> {
        subtrees.iter().map(|subtree| (subtree.0.clone(), seen)).collect()
    };
    Subtrees::new(all(&view.included, true).into_iter().chain(all(&view.excluded, false)))
}

/// Everything may be seen, and nothing changed, from loopback addresses.
fn of_this_host() -> Grant {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let sources =
        vec![Prefix::new(Ipv4Addr::LOCALHOST.into(), 8), Prefix::new(Ipv6Addr::LOCALHOST.into(), 128)];
    Grant { sources, access: Access { subtrees: Arc::new(Subtrees::all()), write: false } }
}

/// What managers find it by: detection looks for Linux in sysDescr.
fn identity(agent: &SnmpAgent, topology: &Topology) -> Identity {
    let host = &topology.global.host_name;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let regions = Parts::ALL.regions().into_iter();
    let modules = regions
        .map(|region| Module { id: region.subtree, description: region.capability.unwrap_or_default() });
    let standard = [
        (&[1, 3, 6, 1, 6, 3, 1][..], "The MIB module for SNMPv2 entities"),
        (&[1, 3, 6, 1, 6, 3, 10, 3, 1, 1], "The SNMP Management Architecture MIB."),
        (&[1, 3, 6, 1, 6, 3, 11, 3, 1, 1], "The MIB for Message Processing and Dispatching."),
        (
            &[1, 3, 6, 1, 6, 3, 15, 2, 1, 1],
            "The management information definitions for the SNMP User-based Security Model.",
        ),
    ];
    let standard = standard.into_iter().filter_map(|(id, description)| {
        Some(Module { id: Oid::try_from(id).ok()?, description: description.to_owned() })
    });
    Identity {
        description: format!("Linux {host} {}; {}", kernel.trim_end(), topology.banner),
        object: snmp::STEADFAST.to_vec(),
        contact: text(&agent.sys_contact),
        name: agent.sys_name.as_deref().unwrap_or(host).to_owned(),
        location: text(&agent.sys_location),
        modules: standard.chain(modules).collect(),
    }
}
