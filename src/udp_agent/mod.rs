//! An SNMP agent of our own, for hosts without snmpd, and a sender of notifications: the protocol as machines without socket and clock.
//!
//! | file | what |
//! |---|---|
//! | `ber` | a cursor over a datagram: elements as asn1-rs reads them, each inside its own window |
//! | `message`, `v3`, `pdu` | messages of all three versions and their PDUs: borrowed until the values |
//! | `encode`, `size` | answers, made with rasn-snmp, and how large they will be |
//! | `usm` | SNMPv3: users, their keys and ciphers, and what comes too late |
//! | `brake` | how often who has proved nothing gets an answer |
//! | `access` | who may see and change what: communities, sources, subtrees |
//! | `objects` | what is there: the MIB of whoever uses this, and the agent's own objects |
//! | `own` | those: the groups system and snmp of SNMPv2-MIB, and what SNMPv3 counts |
//! | `notifier` | [`Notifier`]: notifications to one receiver, one after the other, and whether they have arrived |
//! | `operations` | Get, GetNext, GetBulk and Set on what somebody may see (RFC 3416 §4.2) |
//! | `agent` | [`Agent`]: a datagram in, at most one out, and the counts |
//!
//! What is served is any [`agentx::Mib`], so the rows that snmpd's subagent shows are shown here by the same views. The room
//! knows nothing of VRRP and imports no other.

mod access;
mod agent;
mod ber;
mod brake;
mod encode;
mod message;
mod notifier;
mod objects;
mod operations;
mod own;
mod pdu;
mod size;
mod usm;
mod v3;

pub use self::{
    access::{Access, Community, Grant, Prefix, Subtrees},
    agent::{Agent, Settings},
    notifier::{Counts, Notifier, Origin, Outcome, Protocol, Target, Trouble},
    own::{Identity, Module},
    usm::{Authentication, Credentials, Engine, Passwords, Privacy, User},
};

/// The largest datagram that UDP over IPv4 carries: what is sent is never larger, whatever the asker could take.
pub const MAX_MESSAGE: usize = 65_507;

#[cfg(test)]
mod tests;
