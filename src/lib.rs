//! Steadfast keeps a virtual IP address alive on one of several routers and tells everyone the truth about it:
//! it reads `keepalived.conf` unchanged, speaks VRRP, and everything it knows lives in one registry in memory
//! that is exported as KEEPALIVED-MIB, with an SNMP notification on every transition.
//!
//! A tour, in the order in which data flows:
//!
//! * [`cli`] reads the command line, which is keepalived's; [`completion`] teaches it to shells, [`man`] to readers.
//! * [`config`] turns the text of the configuration into a typed [`config::Config`], or into diagnostics that
//!   point at the place and name the way out.
//! * [`daemon`] has a parent start the engine process and watch over it, and starts the lanes in that: the engine, which drives the machines, and the manage lane, which holds
//!   everything that only reads.
//! * [`vrrp`] decides: a virtual router as a machine without sockets or clock.
//! * [`track`] decides what moves a priority: what interfaces, scripts, files and processes mean to who tracks them.
//! * [`check`] says when real servers are checked, asks them, and judges the answers.
//! * [`pool`] decides what IPVS should hold: a virtual server as a machine that checks tell of its real servers.
//! * [`kernel`] carries: sockets, netlink, ARP, timers, processes. Everything that touches Linux is there.
//! * [`registry`] is what the daemon knows: rows that are read without a lock, and one numbered stream of
//!   transitions.
//! * [`journal`] is the format in which transitions are kept on disk until those who want them have them.
//! * [`snmp`] shows the registry as KEEPALIVED-MIB and sends notifications; [`notify`] runs notify scripts.
//! * [`udp_agent`] answers SNMP itself, where there is no snmpd, and sends notifications itself, acknowledged or not;
//!   [`snmp_wire`] is what it has in common with who asks.
//! * [`usm_protocols`] are the names of SNMPv3's ways to sign and encrypt, for all who read or use them.
//! * [`manager`] is `steadfast snmp …`: it asks any agent and listens to notifications, with the names of [`mib`].
//! * [`dump`] writes the registry as keepalived's dump files have it.
//! * [`record`] keeps what the machines hear and want, and repeats it; [`replay`] is the command for that.
//! * [`control`] answers questions over a socket; [`ctl`] is `steadfast ctl …`, which asks them.
//! * [`inspect`] is `steadfast config …`, which looks at configurations and talks to no daemon.
//! * [`genhash`] is a program of its own: the digest of a page, for `digest` of `HTTP_GET`.
//! * [`units`] are the quantities that all of them share; `checksum` is the Internet's, for whoever makes, sends or changes
//!   packets; `tls` is for whoever looks at a page and trusts nothing, and `regex` for who looks for something in one.
//!
//! Data flows one way, from packets and kernel events to the registry and out of it. No output can delay the
//! engine, and no transition is lost on its way to one.
//!
//! # Who knows whom
//!
//! What each room imports of the others, its tests included. A test compares the table with the code; a new line in it is
//! a decision.
//!
//! | room | imports |
//! |---|---|
//! | `checksum`, `mib`, `regex`, `tls`, `units`, `usm_protocols` | |
//! | `snmp_wire` | `usm_protocols` |
//! | `udp_agent` | `snmp_wire`, `units`, `usm_protocols` |
//! | `config` | `regex`, `units`, `usm_protocols` |
//! | `registry` | `config`, `units` |
//! | `journal` | `registry`, `units` |
//! | `vrrp` | `checksum`, `config`, `registry`, `units` |
//! | `track` | `config`, `registry`, `units` |
//! | `kernel` | `checksum`, `config`, `units` |
//! | `check` | `config`, `kernel`, `regex`, `tls`, `units` |
//! | `pool` | `config`, `kernel`, `units` |
//! | `notify` | `config`, `kernel`, `registry`, `units` |
//! | `snmp` | `config`, `registry`, `units` |
//! | `record` | `checksum`, `config`, `registry`, `units`, `vrrp` |
//! | `dump` | `config`, `registry`, `units` |
//! | `control` | `config`, `journal`, `kernel`, `registry`, `units` |
//! | `daemon` | `check`, `cli`, `config`, `control`, `dump`, `journal`, `kernel`, `notify`, `pool`, `record`, `registry`, `snmp`, `snmp_wire`, `track`, `udp_agent`, `units`, `vrrp` |
//! | `cli` | `config`, `control`, `usm_protocols` |
//! | `ctl` | `cli`, `config`, `control` |
//! | `completion`, `inspect` | `cli`, `config` |
//! | `man` | `cli`, `config`, `genhash` |
//! | `manager` | `cli`, `kernel`, `mib`, `snmp_wire`, `udp_agent`, `usm_protocols` |
//! | `replay` | `record` |
//! | `genhash` | `kernel`, `tls`, `units` |

pub mod check;
mod checksum;
pub mod cli;
pub mod completion;
pub mod config;
pub mod control;
pub mod ctl;
pub mod daemon;
pub mod dump;
pub mod genhash;
pub mod inspect;
pub mod journal;
pub mod kernel;
pub mod man;
pub mod manager;
pub mod mib;
pub mod notify;
pub mod pool;
pub mod record;
mod regex;
pub mod registry;
pub mod replay;
pub mod snmp;
pub mod snmp_wire;
mod tls;
pub mod track;
pub mod udp_agent;
pub mod units;
pub mod usm_protocols;
pub mod vrrp;
