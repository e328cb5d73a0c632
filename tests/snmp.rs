//! KEEPALIVED-MIB as a manager sees it: every story runs real net-snmp beside real routers in network namespaces.
//!
//! What is served ([`walk`], [`reading`], [`contexts`], [`differential`], [`rfc`], [`tracked`], [`switches`]), what is told
//! ([`transitions`], [`crowd`], [`rejected`]), what others make of both ([`consumers`]), what may be changed ([`set`],
//! [`set_switches`], [`set_weight`]), what reloads make of it ([`reload`]), and what happens to all of it, and to the advertisements, while snmpd is away or busy
//! ([`outage`], [`load`], [`agent`]), all of that at once ([`chaos`], judged by [`passages`]), or the daemon itself is killed ([`journal`]). Where there is
//! no snmpd the daemon answers itself ([`own_agent`], [`own_agent_v3`]), and tells itself ([`own_notify`]). A [`flood`] changes neither. [`manager`] asks and listens as net-snmp's tools do.

#[path = "snmp/agent.rs"]
mod agent;
#[path = "snmp/cadence.rs"]
mod cadence;
#[path = "snmp/chaos.rs"]
mod chaos;
#[path = "snmp/consumers.rs"]
mod consumers;
#[path = "snmp/contexts.rs"]
mod contexts;
#[path = "snmp/crowd.rs"]
mod crowd;
#[path = "snmp/differential.rs"]
mod differential;
#[path = "snmp/flood.rs"]
mod flood;
#[path = "snmp/journal.rs"]
mod journal;
#[path = "snmp/link.rs"]
mod link;
#[path = "snmp/load.rs"]
mod load;
#[path = "snmp/manager.rs"]
mod manager;
#[path = "snmp/neighbour.rs"]
mod neighbour;
#[path = "snmp/outage.rs"]
mod outage;
#[path = "snmp/own_agent.rs"]
mod own_agent;
#[path = "snmp/own_agent_v3.rs"]
mod own_agent_v3;
#[path = "snmp/own_notify.rs"]
mod own_notify;
#[path = "snmp/passages.rs"]
mod passages;
#[path = "sim/random.rs"]
#[allow(dead_code, reason = "the simulation uses more of it")]
#[expect(clippy::expect_used, reason = "with the invariant beside it")]
mod random;
#[path = "snmp/reading.rs"]
mod reading;
#[path = "snmp/rejected.rs"]
mod rejected;
#[path = "snmp/reload.rs"]
mod reload;
#[path = "snmp/rfc.rs"]
mod rfc;
#[path = "snmp/scene.rs"]
mod scene;
#[path = "snmp/set.rs"]
mod set;
#[path = "snmp/set_switches.rs"]
mod set_switches;
#[path = "snmp/set_weight.rs"]
mod set_weight;
#[path = "snmp/switches.rs"]
mod switches;
#[path = "snmp/tracked.rs"]
mod tracked;
#[path = "snmp/transitions.rs"]
mod transitions;
#[path = "snmp/walk.rs"]
mod walk;
