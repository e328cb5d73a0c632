//! An AgentX (RFC 2741) subagent in pure Rust: it gives a running snmpd a part of the MIB that your program
//! knows, and never lets that snmpd, whatever state it is in, hold your program up.
//!
//! A subagent is built from three things: a MIB, declared as data; a master's address; a clock.
//!
//! ```no_run
#![doc = include_str!("../examples/uptime.rs")]
//! ```
//!
//! # The tour, in the order in which data flows
//!
//! - [`address`]: where the master listens, in net-snmp's own forms (`unix:/path`, `tcp:host:port`, …).
//! - [`driver`]: [`Subagent`] carries a session on tokio. One future, no task and no thread of its own; it reads
//!   whenever the master writes, so that the two never wait for each other.
//! - [`wire`]: the codec of all eighteen PDUs in both byte orders.
//! - [`session`]: [`Session`], the machine that decides everything: connect, open, register, announce, ping,
//!   notify, lose the master, begin again. No I/O and no clock, so its stories are tests in virtual time.
//! - `responder`: Get, GetNext, GetBulk and the phases of SET, with one snapshot for each SNMP request.
//! - [`mib`]: the [`Mib`] trait, what the responder asks.
//! - [`view`]: [`View`], which implements it from scalars and tables declared as data: OID, name, syntax, access,
//!   getter. A test can hold the declaration against the MIB file.
//! - [`notification`]: where notifications come from. The subagent pulls them, and acknowledges a [`Notification`] to its
//!   source when the master has answered for it.
//! - [`oid`] and [`value`]: the words all of this is written in.
//!
//! # A table, a SET, a notification
//!
//! All three in one program: rooms with a temperature, a limit that a manager may set, and a notification when it is passed.
//!
//! - A [`Table`] names its entry, its INDEX and its columns, and seeks a row: the first one at or after an index. Columns
//!   whose rows all have a value say so ([`Column::fixed`]), which makes walks of them cheaper.
//! - A [`Column`] or [`Scalar`] with a `write` function can be set. It checks the value and returns a [`Change`], which is
//!   committed, perhaps undone because another agent fails, and dropped at the end of the transaction: the four phases of
//!   RFC 2741, each at most once however often the master repeats itself.
//! - A notification is queued with the time of its event, which becomes its sysUpTime, and is kept until the master has
//!   answered for it.
//!
//! ```no_run
#![doc = include_str!("../examples/rooms.rs")]
//! ```
//!
//! A program whose objects follow from their names implements [`Mib`] itself: `examples/constants.rs` does, and is what
//! benchmarks take for the floor of a walk.
//!
//! # What an outage of the master costs
//!
//! Measured against net-snmp 5.9.3 (Debian 12) on two shared cores, by `tests/snmpd.rs` except where it says
//! otherwise:
//!
//! | what happens to snmpd | registered again after its return | notifications of that time |
//! |---|---|---|
//! | absent at the start | 0.26 to 0.28 s | all, in order, once |
//! | killed and started again, three times | 0.07 to 0.28 s | all, in order, once |
//! | stopped (SIGSTOP) for 5.5 s, unix | at once: the session is kept | 37 queued, all there 7 ms after SIGCONT |
//! | stopped for 5.5 s, TCP | at once; first answer after 42 ms (snmpd leaves Nagle's algorithm on) | all there after 48 ms |
//! | stopped for 170 s (by hand), unix and TCP | at once: the session is kept | all, in order, once |
//! | stopped in the middle of a walk | at once: the session is kept | all, in order, once |
//! | up, but another subagent holds the regions and leaves | within 1 s | all; they need no region |
//! | stopped before the subagent starts | 2 to 84 ms | all, in order, once |
//! | stopped, with the queue of its socket full | 0.18 to 0.30 s | none were sent |
//!
//! Three findings shaped this. A stopped snmpd processes on its return whatever was written to it, so a subagent
//! that closes and sends again duplicates; hence [`session`] waits on the same connection. snmpd on its return keeps
//! the sessions it had, even in the middle of a request. And a connection to a unix socket whose queue is full fails
//! at once with `EAGAIN`, after which no event tells that there is room; hence the attempts at least every
//! [`Timing::retry_at_most`].
//!
//! Up to [`session::WINDOW`] notifications are unanswered at a time, so that a crowd of them does not cost a round trip each,
//! of which each waits for two processes to be run. A GetNext of a 10,000-row table takes 14 µs of this side's processor
//! time (release build).
//!
//! One case stays open by nature: a notification whose answer was on its way when snmpd was killed is sent again,
//! so it can arrive twice. snmpd takes one after the other and answers each at once, and what it answered is read even when it is
//! gone by then, so that this is one at the most. Where something else cuts a connection, or this side is killed, it is
//! what was unanswered: a window at the most.
//!
//! # What it is held against
//!
//! `docs/rfc2741.md` binds every clause of the RFC that concerns a subagent to a test, or says why not, and names what
//! net-snmp's master does otherwise. The codec has property tests and the codec and the session a fuzz target each, whose
//! corpus is replayed by plain `cargo test`: no input makes them panic, wait for ever or allocate more than a few named limits
//! allow ([`wire::MAX_PAYLOAD`], [`wire::MAX_ITEMS`], [`session::MAX_OUTPUT`]).
//!
//! # What it is not
//!
//! No master agent, no SNMP itself, no MIB compiler. Index allocation is encoded and decoded and not used.

pub mod address;
pub mod driver;
pub mod mib;
pub mod notification;
pub mod oid;
mod responder;
pub mod session;
pub mod value;
pub mod view;
pub mod wire;

pub use address::{InvalidAddress, MasterAddress};
pub use driver::Subagent;
pub use mib::{Change, CommitFailed, Mib, SetError, UndoFailed};
pub use notification::{Delivery, Notification, Notifications};
pub use oid::Oid;
pub use session::{Config, Link, Region, Session, Status, Tally, Timing};
pub use value::{Value, VarBind};
pub use view::{Access, Column, Index, Object, Scalar, Syntax, Table, View, seek_sorted, seek_sorted_by};
