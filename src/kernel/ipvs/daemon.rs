//! Daemons of the kernel that tell the other director of connections (IPVS_DAEMON_ATTR_*).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::attribute;
use crate::kernel::attributes::{Attributes, Values};

const STATE: u16 = 1;
const INTERFACE: u16 = 2;
const SYNC_ID: u16 = 3;
const LONGEST: u16 = 4;
const GROUP: u16 = 5;
const GROUP6: u16 = 6;
const PORT: u16 = 7;
const TTL: u16 = 8;

/// What a daemon does. One of each may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It tells.
    Master,
    /// It listens.
    Backup,
}

impl Role {
    fn number(self) -> u32 {
        match self {
            Self::Master => 1,
            Self::Backup => 2,
        }
    }

    /// What stops the daemon of a role: the kernel looks at nothing else.
    pub(super) fn write(self, attributes: &mut Attributes) {
        attributes.u32(STATE, self.number());
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

/// `lvs_sync_daemon`. What is `None` the kernel chooses: 1,472 bytes with an MTU of 1,500, 224.0.0.81, port 8848, TTL 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncDaemon {
    /// What it does.
    pub role: Role,
    /// Where it sends and listens.
    pub interface: String,
    /// Only daemons of the same number listen to each other.
    pub sync_id: u8,
    /// Bytes in a datagram (Linux 4.3, as all below).
    pub longest: Option<u16>,
    /// To this group.
    pub group: Option<IpAddr>,
    /// To this port.
    pub port: Option<u16>,
    /// TTL or hop limit.
    pub ttl: Option<u8>,
}

impl SyncDaemon {
    /// All that a new daemon needs.
    pub(super) fn write(&self, attributes: &mut Attributes) {
        self.role.write(attributes);
        attributes.text(INTERFACE, &self.interface).u32(SYNC_ID, self.sync_id.into());
        if let Some(longest) = self.longest {
            attributes.u16(LONGEST, longest);
        }
        match self.group {
            Some(IpAddr::V4(group)) => drop(attributes.bytes(GROUP, &group.octets())),
            Some(IpAddr::V6(group)) => drop(attributes.bytes(GROUP6, &group.octets())),
            None => {}
        }
        if let Some(port) = self.port {
            attributes.u16(PORT, port);
        }
        if let Some(ttl) = self.ttl {
            attributes.bytes(TTL, &[ttl]);
        }
    }
}

/// The daemon in an answer of the kernel.
pub fn read(answer: &[u8]) -> Option<SyncDaemon> {
    let values = Values::of(answer).inside(attribute::DAEMON)?;
    let role = values.u32(STATE)?;
    let group4 = values.array(GROUP).map(|octets: [u8; 4]| Ipv4Addr::from(octets).into());
    let group6 = values.array(GROUP6).map(|octets: [u8; 16]| Ipv6Addr::from(octets).into());
    Some(SyncDaemon {
        role: [Role::Master, Role::Backup].into_iter().find(|known| known.number() == role)?,
        interface: values.text(INTERFACE)?,
        sync_id: u8::try_from(values.u32(SYNC_ID)?).ok()?,
        longest: values.u16(LONGEST),
        group: group4.or(group6),
        port: values.u16(PORT),
        ttl: values.array(TTL).map(|[ttl]| ttl),
    })
}
