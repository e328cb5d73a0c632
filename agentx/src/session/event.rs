//! What a session tells: what to do with the connection, what happened, what it refuses to start with.

use std::time::Duration;

use crate::notification::Delivery;
use crate::oid::Oid;
use crate::wire::{CloseReason, ErrorCode, InvalidPdu};

/// What the driver is asked to do with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Connect to the master and report [`super::Session::handle_connected`] or [`super::Session::handle_connect_failed`].
    Connect,
    /// Give the connection, or the attempt at one, up. `farewell` is written before if that needs no waiting.
    Disconnect {
        /// A whole PDU or nothing.
        farewell: Vec<u8>,
    },
}

/// What happened that a log or the source of notifications should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The master opened a session.
    Opened,
    /// A session or the hope for one is over.
    Lost {
        /// Why.
        because: LostBecause,
        /// How long the session was open.
        lasted: Duration,
    },
    /// An answer is overdue.
    Unresponsive,
    /// The master answers again.
    Responsive,
    /// The master serves this region from us.
    Registered(Oid),
    /// The master had lost this region, or given it up for somebody else, and serves it from us again.
    Restored(Oid),
    /// The master refuses this region; it will be asked again.
    Refused(Oid, ErrorCode),
    /// A notification is done with.
    Notified(u64, Delivery),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LostBecause {
    /// The connection ended.
    #[error("the connection ended")]
    Disconnected,
    /// Nobody takes connections there.
    #[error("no connection")]
    NotConnected,
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimeout,
    /// The master did not open a session.
    #[error("the master refused to open a session: {0}")]
    NotOpened(ErrorCode),
    /// The master does not know the session any more.
    #[error("the master has forgotten the session")]
    NotOpen,
    /// The master sent a Close.
    #[error("the master closed the session, reason {}", u8::from(*.0))]
    Closed(CloseReason),
    /// The master sent what is no AgentX.
    #[error("the master sent no AgentX: {0}")]
    Garbage(InvalidPdu),
    /// The master answered later requests and not this one.
    #[error("the master left a request unanswered")]
    Unanswered,
    /// The master was silent for longer than [`super::Timing::patience`].
    #[error("the master was silent for too long")]
    Silent,
    /// The master does not read what we write.
    #[error("the master does not read its answers")]
    OutputFull,
}

/// What no master may be asked to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// net-snmp takes the null OID for the root of everything.
    #[error("the null OID is no region: name the subtree that this subagent serves")]
    NullRegion,
    /// RFC 2741 §6.2.3.
    #[error("region {0} has priority 0: priorities go from 1 to 255")]
    PriorityZero(Oid),
}
