//! A change of state, with why it happened: what an operator asks first at three in the morning.

use std::{
    fmt,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::tracking::Tracker,
    registry::{Intervention, Operator, Setting, State},
    units::{Family, Priority, Time},
};

/// One change of state, numbered by the [`Stream`](crate::registry::Stream) it went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Position in the stream, from 1 without gaps.
    pub seq: u64,
    /// When, on the monotonic clock.
    pub at: Time,
    /// When, by the calendar: a label for people, never used to decide.
    pub wall: SystemTime,
    /// Whose state changed.
    pub subject: Subject,
    /// What happened to it.
    pub change: Change,
}

/// Whose state changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A `vrrp_instance`.
    Instance {
        /// Its MIB index at that moment.
        index: u32,
        /// Its name.
        name: String,
    },
    /// A `vrrp_sync_group`.
    Group {
        /// Its MIB index at that moment.
        index: u32,
        /// Its name.
        name: String,
    },
    /// The configuration as a whole.
    Configuration,
    /// A `virtual_server`: its quorum.
    Service {
        /// Its MIB index at that moment.
        index: u32,
        /// What it is called: `[10.0.0.1]:tcp:80`.
        name: String,
    },
    /// A `real_server`.
    Server {
        /// The MIB index of its virtual server at that moment.
        service: u32,
        /// Its place among the real servers of that, from 0.
        place: u32,
        /// What it is called.
        name: String,
        /// What its virtual server is called.
        of: String,
    },
    /// The program itself.
    Daemon,
}

impl Subject {
    /// The name in the configuration.
    pub fn name(&self) -> &str {
        match self {
            Self::Instance { name, .. }
            | Self::Group { name, .. }
            | Self::Service { name, .. }
            | Self::Server { name, .. } => name,
            Self::Configuration => "configuration",
            Self::Daemon => "daemon",
        }
    }
}

/// From where to where, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub reason: Reason,
    /// Effective priority at that moment; 0 of whatever has none.
    pub priority: Priority,
}

impl Change {
    /// Whether the state is another one now. What happens to a router that stays what it is (its mastership is
    /// contested) is in the stream as well, for readers who want to know; those who follow states leave it out.
    pub fn is_move(&self) -> bool {
        self.from != self.to
    }
}

/// Why a virtual router changed its state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The daemon started.
    Started,
    /// The daemon started, and its routers keep quiet for a while (`vrrp_startup_delay`, `vrrp_delay_after_boot`).
    StartDelayed {
        /// For how long, from the start on.
        delay: Duration,
    },
    /// This router owns the addresses and takes them at once.
    AddressOwner,
    /// The process before this one ended as MASTER without giving it up, and nobody has noticed.
    Resumed,
    /// No advertisement for the master down interval, and none was heard before.
    NoMaster,
    /// The master that was heard before has fallen silent for the master down interval.
    MasterDown {
        /// The master's address.
        master: IpAddr,
    },
    /// The master released its mastership with priority 0.
    MasterReleased {
        /// The master's address.
        master: IpAddr,
    },
    /// The master has a lower priority than this router, which preempts it.
    Preempted {
        /// The master's address.
        master: IpAddr,
        /// The priority it advertises.
        priority: Priority,
    },
    /// A router with a higher priority is master.
    HigherPriority {
        /// That router's address.
        master: IpAddr,
        /// The priority it advertises.
        priority: Priority,
    },
    /// A router with the same priority and a higher address is master.
    HigherAddress {
        /// That router's address.
        master: IpAddr,
    },
    /// The interface is down.
    InterfaceDown {
        /// Its name.
        interface: String,
    },
    /// The interface does not exist.
    InterfaceMissing {
        /// Its name.
        interface: String,
    },
    /// The interface has no address to send from.
    NoAddress {
        /// Its name.
        interface: String,
        /// The family that an address is missing of.
        family: Family,
    },
    /// The address to send from is tentative: duplicate address detection goes on (RFC 4862 §5.4).
    AwaitingAddress {
        /// The interface's name.
        interface: String,
        /// The address.
        address: IpAddr,
    },
    /// Another host on the link has the address to send from.
    DuplicateAddress {
        /// The interface's name.
        interface: String,
        /// The address.
        address: IpAddr,
    },
    /// The configured source address is not there (`track_src_ip`).
    SourceMissing {
        /// The address.
        address: IpAddr,
    },
    /// Something tracked holds the router in FAULT.
    Tracked {
        /// What.
        tracker: Tracker,
        /// Its name.
        name: String,
        /// What was found, in words: "is down", "failed (exited with status 1)", "holds 5".
        detail: String,
    },
    /// The socket for advertisements could not be opened.
    SocketFailed {
        /// The interface's name.
        interface: String,
        /// The error, with the way out.
        detail: String,
    },
    /// The socket for advertisements is being opened, which may take a while when other programs configure the network.
    AwaitingSocket {
        /// The interface's name.
        interface: String,
    },
    /// The link of the router's own (`use_vmac`, `use_ipvlan`) could not be made.
    LinkFailed {
        /// Its name.
        link: String,
        /// The error, with the way out.
        detail: String,
    },
    /// Everything that held the router in FAULT, or the server down, is gone.
    Recovered,
    /// `unicast_fault_no_peer`: a unicast router without a peer.
    NoPeers,
    /// The process was stalled for so long that another router has taken over (`timer_expired_backup`).
    Stalled {
        /// How late the advertisement was that was due.
        late: Duration,
    },
    /// Another member of the sync group moved, and the rest follow; or the group itself, after that member.
    Member {
        /// Who moved.
        member: String,
        /// Why it did.
        reason: Box<Reason>,
    },
    /// No move: another program removed something that the router holds while MASTER; it is put back.
    Removed {
        /// What: an address, route or rule.
        what: String,
        /// It is removed again and again, so it is put back once a second only.
        again: bool,
    },
    /// No move: a manager has changed a setting (SNMP SET).
    Set {
        /// What held before.
        from: Setting,
        /// What holds now.
        to: Setting,
    },
    /// No move: what is tracked has changed the effective priority.
    Priority {
        /// The one before.
        from: Priority,
        /// The one after.
        to: Priority,
    },
    /// No move: another router advertises as master, with a claim not better than ours.
    Contested {
        /// That router's address.
        rival: IpAddr,
        /// The priority it advertises.
        priority: Priority,
    },
    /// No move: nobody else advertises as master any more.
    Uncontested {
        /// The router that did last.
        rival: IpAddr,
        /// How many advertisements were heard.
        heard: u64,
        /// How it ended.
        end: ContestEnd,
    },
    /// A check of a real server has found something.
    Checked {
        /// The keyword of the check.
        check: String,
        /// What is wrong; empty when nothing is.
        detail: String,
    },
    /// The servers of a virtual server that are alive carry another weight.
    Quorum {
        /// What the quorum needs.
        needed: i64,
        /// What there is.
        weight: i64,
    },
    /// An operator wants something; often no move.
    Intervened {
        /// What.
        what: Intervention,
        /// Who.
        by: Operator,
        /// For how long; `None` until somebody ends it.
        lasting: Option<Duration>,
    },
    /// No move: what an operator had wanted is over.
    Relented {
        /// What.
        what: Intervention,
        /// Who has ended it; `None` when its time has come.
        by: Option<Operator>,
    },
    /// The daemon is stopping.
    Shutdown,
    /// A reload has removed it.
    Deleted,
    /// No move: the configuration was read anew, and this is what runs now.
    Reloaded {
        /// Instances and groups that are new.
        added: usize,
        /// Those that have other settings.
        changed: usize,
        /// Those that are gone.
        removed: usize,
        /// Who asked for it over the control socket, if anybody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Operator>,
    },
    /// No move: the configuration was to be read anew, and what ran before goes on.
    ReloadRefused {
        /// Why, in words.
        why: String,
        /// Who asked for it over the control socket, if anybody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Operator>,
    },
    /// No move: a part of the program panicked, and begins anew.
    Restarted {
        /// Which.
        part: String,
        /// What it said, and where.
        why: String,
    },
}

/// How a contest of mastership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContestEnd {
    /// The other router gave way with priority 0.
    Released,
    /// The other router was silent for its master down interval.
    Silent,
    /// This router is no longer MASTER.
    Left,
}

impl fmt::Display for ContestEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Released => "it gave way",
            Self::Silent => "it fell silent",
            Self::Left => "this router is no longer master",
        })
    }
}

/// Who asked for something, as the end of a sentence; nothing of a signal.
struct Asker<'a>(Option<&'a Operator>);

impl fmt::Display for Asker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |by| write!(f, ", asked for by {by}"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("start"),
            Self::StartDelayed { delay } => write!(f, "start, quiet for {} s", delay.as_secs_f64()),
            Self::AddressOwner => f.write_str("owner of the addresses"),
            Self::Resumed => f.write_str("goes on where the process before ended"),
            Self::NoMaster => f.write_str("no master heard"),
            Self::MasterDown { master } => write!(f, "master {master} fell silent"),
            Self::MasterReleased { master } => write!(f, "master {master} released with priority 0"),
            Self::Preempted { master, priority } => {
                write!(f, "master {master} has lower priority {priority}")
            }
            Self::HigherPriority { master, priority } => {
                write!(f, "router {master} has higher priority {priority}")
            }
            Self::HigherAddress { master } => {
                write!(f, "router {master} has the same priority and a higher address")
            }
            Self::InterfaceDown { interface } => write!(f, "interface {interface} is down"),
            Self::InterfaceMissing { interface } => write!(f, "interface {interface} does not exist"),
            Self::NoAddress { interface, family: Family::V4 } => {
                write!(f, "no IPv4 address for interface {interface}")
            }
            Self::NoAddress { interface, family: Family::V6 } => {
                write!(f, "no IPv6 link-local address for interface {interface}")
            }
            Self::AwaitingAddress { interface, address } => {
                write!(f, "waiting for address {address} of interface {interface}: it is tentative")
            }
            Self::DuplicateAddress { interface, address } => {
                write!(f, "address {address} of interface {interface} is a duplicate: another host has it")
            }
            Self::SourceMissing { address } => write!(f, "source address {address} is not on this host"),
            Self::Tracked { tracker, name, detail } => write!(f, "{} {name} {detail}", tracker.kind()),
            Self::SocketFailed { interface, detail } => write!(f, "no VRRP socket on {interface}: {detail}"),
            Self::AwaitingSocket { interface } => write!(f, "waiting for the VRRP socket on {interface}"),
            Self::LinkFailed { link, detail } => write!(f, "{link} cannot be used: {detail}"),
            Self::NoPeers => f.write_str("no unicast_peer, and unicast_fault_no_peer"),
            Self::Stalled { late } => {
                write!(f, "stalled for {:.3} s, another router has taken over", late.as_secs_f64())
            }
            Self::Recovered => f.write_str("all faults gone"),
            Self::Member { member, reason } => write!(f, "{member}: {reason}"),
            Self::Removed { what, again: false } => {
                write!(f, "{what} was removed by another program, restoring it")
            }
            Self::Removed { what, again: true } => {
                write!(f, "{what} is removed again and again by another program, restoring it once a second")
            }
            Self::Set { from, to } => write!(f, "SNMP SET: {to} instead of {from}"),
            Self::Priority { from, to } => write!(f, "Changing effective priority from {from} to {to}"),
            Self::Contested { rival, priority } => {
                write!(f, "router {rival} advertises as master too, with priority {priority}")
            }
            Self::Uncontested { rival, heard, end } => {
                write!(f, "contest with router {rival} is over after {heard} advertisements: {end}")
            }
            Self::Checked { check, detail } if detail.is_empty() => write!(f, "{check} succeeds"),
            Self::Checked { check, detail } => write!(f, "{check} fails: {detail}"),
            Self::Quorum { needed, weight } => {
                write!(f, "servers of weight {weight} are alive, the quorum needs {needed}")
            }
            Self::Intervened { what, by, lasting: None } => write!(f, "{what}, asked for by {by}"),
            Self::Intervened { what, by, lasting: Some(lasting) } => {
                write!(f, "{what} for {} s, asked for by {by}", lasting.as_secs_f64())
            }
            Self::Relented { what, by: None } => write!(f, "the time of {what} is over"),
            Self::Relented { what, by: Some(by) } => write!(f, "{what} ended by {by}"),
            Self::Shutdown => f.write_str("daemon stops"),
            Self::Deleted => f.write_str("a reload has removed it"),
            Self::Reloaded { added, changed, removed, by } => {
                let by = Asker(by.as_ref());
                write!(f, "reloaded: {added} added, {changed} changed, {removed} removed{by}")
            }
            Self::ReloadRefused { why, by } => {
                write!(f, "not reloaded, what ran before goes on: {why}{}", Asker(by.as_ref()))
            }
            Self::Restarted { part, why } => {
                write!(f, "{part} begins anew after a mistake of the program: {why}")
            }
        }
    }
}
