//! An SNMP agent of our own, for hosts without snmpd, and a sender of notifications: the protocol as machines without socket and clock.
//!
//! | file | what |
//! |---|---|
//! | `brake` | how often who has proved nothing gets an answer |
//! | `access` | who may see and change what: communities, sources, subtrees |
//! | `objects` | what is there: the MIB of whoever uses this, and the agent's own objects |
//! | `own` | those: the groups system and snmp of SNMPv2-MIB, and what SNMPv3 counts |
//! | `notifier` | [`Notifier`]: notifications to one receiver, one after the other, and whether they have arrived |
//! | `operations` | Get, GetNext, GetBulk and Set on what somebody may see (RFC 3416 §4.2) |
//! | `agent` | [`Agent`]: a datagram in, at most one out, and the counts |
//!
//! What is served is any [`agentx::Mib`], so the rows that snmpd's subagent shows are shown here by the same views. The room
//! knows nothing of VRRP; messages are those of `snmp_wire`.

mod access;
mod agent;
mod brake;
mod notifier;
mod objects;
mod operations;
mod own;

pub use self::{
    access::{Access, Community, Grant, Prefix, Subtrees},
    agent::{Agent, Settings},
    notifier::{Counts, Notifier, Origin, Outcome, Protocol, Target, Trouble},
    own::{Identity, Module},
};

#[cfg(test)]
mod tests;
