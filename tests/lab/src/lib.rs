//! Hosts in network namespaces, real peers, and helpers that wait on conditions.
//!
//! A story starts with a [`Lan`]: hosts joined by a bridge, each one a network namespace with the
//! interface names and addresses that the story's configuration files want. On a [`Host`] run real
//! programs: the daemon under test or the peer behind one handle ([`Router`], chosen by
//! [`Subject`]), FRR's vrrpd ([`Frr`]), net-snmp's agent and trap receiver ([`Snmpd`],
//! [`Snmptrapd`]) and its command line tools ([`SnmpClient`]), a system bus ([`Bus`]). A story then looks at what came out:
//! packets ([`Capture`], [`pcap`]), addresses over time ([`AddressMonitor`]), logs ([`Process`]),
//! and may put bytes of its own on the wire ([`Injector`], [`frame`]). Where the kernel lacks what a story
//! is about, a [`Guest`] tells it on another.
//!
//! Nothing here sleeps for luck: [`wait`] polls a condition until its deadline and says what it last
//! saw. Everything here is undone when the [`Lan`] is dropped, also on panic: processes first, then
//! namespaces, then files. The crate knows the daemon only by its command line and its log lines.

pub mod bus;
pub mod capture;
pub mod clock;
pub mod control;
pub mod daemon;
pub mod error;
pub mod fifo;
pub mod frame;
pub mod frr;
pub mod host;
pub mod inject;
pub mod keepalived;
pub mod lan;
pub mod load;
pub mod mail;
pub mod monitor;
pub mod note;
pub mod pcap;
pub mod privileges;
pub mod process;
pub mod snmp;
pub mod vm;
pub mod wait;

pub use bus::Bus;
pub use capture::Capture;
pub use control::{Control, Stalls};
pub use daemon::{Router, State, Subject};
pub use error::{Error, Result};
pub use fifo::FifoReader;
pub use frr::Frr;
pub use host::{Host, Output};
pub use inject::Injector;
pub use lan::Lan;
pub use load::Load;
pub use monitor::AddressMonitor;
pub use note::note;
pub use process::Process;
pub use snmp::{SnmpClient, Snmpd, Snmptrapd};
pub use vm::Guest;
