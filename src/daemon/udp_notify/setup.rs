//! What `snmp_notify` asks for, as the thread takes it.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::{agent::Flags, udp_agent};
use crate::{
    config::settings::{SnmpNotify, SnmpTarget, SnmpUser, SnmpVersion},
    journal::MOST_TARGETS,
    registry::{SinkConfig, SinkRow, Topology},
    snmp::Parts,
    udp_agent::{Protocol, Target},
};

/// How the targets are set up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Setup {
    pub(super) targets: Vec<Recipient>,
    /// Of which MIBs they get notifications.
    pub(super) parts: Parts,
    /// Where the engine is kept; nowhere where nobody speaks SNMPv3.
    pub(super) engine: Option<PathBuf>,
}

/// A target.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    /// What its position is known by.
    pub(super) key: u64,
    pub(super) address: SocketAddr,
    pub(super) target: Target,
    pub(super) row: Arc<SinkRow>,
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        (self.key, self.address, &self.target) == (other.key, other.address, &other.target)
            && Arc::ptr_eq(&self.row, &other.row)
    }
}

impl Setup {
    /// Without targets where there is no `snmp_notify`.
    pub(super) fn of(topology: &Topology, flags: &Flags) -> Self {
        let Some(notify) = topology.snmp_notify.as_deref() else { return Self::default() };
        let recipient = |target: &SnmpTarget| Recipient::new(target, notify, topology);
        let targets: Vec<_> = notify.target.iter().filter_map(recipient).collect();
        let speaks_v3 = targets.iter().any(|recipient| matches!(recipient.target.protocol, Protocol::V3(..)));
        let (asked, agent) = (flags.parts(&topology.global), topology.snmp_agent.as_deref());
        Self {
            targets,
            parts: if asked.any() { asked } else { Parts::KEEPALIVED },
            engine: speaks_v3.then(|| notify.engine_path(agent)).filter(|path| path.is_absolute()),
        }
    }
}

impl Recipient {
    /// `None` for one that cannot be told, which has been said when the file was read.
    fn new(target: &SnmpTarget, notify: &SnmpNotify, topology: &Topology) -> Option<Self> {
        let address = target.heading.0;
        let is_its = |row: &&Arc<SinkRow>| row.config == SinkConfig::Snmp(address);
        let row = Arc::clone(topology.sinks.iter().find(is_its)?);
        let community = || Some(Zeroizing::new(target.community.as_ref()?.reveal().to_owned()));
        let protocol = match *target.version {
            SnmpVersion::V1 => Protocol::V1(community()?),
            SnmpVersion::V2c => Protocol::V2c(community()?),
            SnmpVersion::V3 => {
                let of_agent = topology.snmp_agent.iter().flat_map(|agent| &agent.usm_user);
                let is_it = |user: &&SnmpUser| Some(&user.name) == target.user.as_ref();
                let user = notify.usm_user.iter().chain(of_agent).find(is_it)?;
                let context = target.context.as_deref().unwrap_or_default().to_owned();
                Protocol::V3(udp_agent::credentials(user), context)
            }
        };
        let (inform, timeout, retries) = (target.informs(), *target.timeout, *target.retries);
        let target = Target { protocol, inform, timeout, retries };
        Some(Self { key: key(address), address, target, row })
    }
}

/// What the positions of the targets are known by.
pub(super) fn keys(topology: &Topology) -> impl Iterator<Item = u64> {
    let targets = topology.snmp_notify.iter().flat_map(|notify| &notify.target);
    targets.map(|target| key(target.heading.0)).take(MOST_TARGETS)
}

/// Of an address and port: whatever else the file says of a target, what it has taken it has taken.
fn key(address: SocketAddr) -> u64 {
    let digest = Sha256::digest(address.to_string());
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}
