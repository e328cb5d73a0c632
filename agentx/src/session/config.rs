//! What a session is told to do: who it is, what it registers, how long it waits.

use std::time::Duration;

use crate::oid::Oid;
use crate::wire::ByteOrder;

/// The priority of a registration unless there is a reason for another (RFC 2741 §6.2.3); smaller is served.
pub const DEFAULT_PRIORITY: u8 = 127;

/// A subagent's identity and regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who the subagent is, for the master's log; may be null.
    pub id: Oid,
    /// The same in words, up to 255 bytes.
    pub description: String,
    /// The SNMP context that all of it is in (RFC 2741 §6.1.1); empty for the default one. Several subagents with the same
    /// regions can so be behind one master.
    pub context: String,
    /// What to register: few and large ones, because the master asks each separately (RFC 2741 §7.1.4).
    pub regions: Vec<Region>,
    /// Deadlines.
    pub timing: Timing,
    /// In which order our PDUs are written, which the master then keeps to (RFC 2741 §7.1.1).
    pub order: ByteOrder,
    /// Where the jitter of reconnects starts; different in every process, so that they do not come at once.
    pub seed: u64,
}

impl Config {
    /// A subagent called `description` without regions.
    #[must_use]
    pub fn new(description: impl Into<String>) -> Self {
        Self {
            id: Oid::null(),
            description: description.into(),
            context: String::new(),
            regions: Vec::new(),
            timing: Timing::default(),
            order: ByteOrder::Network,
            seed: u64::from(std::process::id()),
        }
    }

    /// Puts all of it into an SNMP context.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = context.into();
        self
    }

    /// Adds a region.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.regions.push(region);
        self
    }
}

/// A part of the MIB that the subagent serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its root. The null OID is refused: net-snmp would hand the whole MIB over.
    pub subtree: Oid,
    /// 1 to 255; the smaller one is served.
    pub priority: u8,
    /// What sysORTable says of it while the session lasts (AddAgentCaps, RFC 2741 §7.1.6), if anything.
    pub capability: Option<String>,
}

impl Region {
    /// The region below `subtree`, with the default priority.
    #[must_use]
    pub fn new(subtree: Oid) -> Self {
        Self { subtree, priority: DEFAULT_PRIORITY, capability: None }
    }

    /// Announces the region in sysORTable as `text`.
    #[must_use]
    pub fn describe(mut self, text: impl Into<String>) -> Self {
        self.capability = Some(text.into());
        self
    }
}

/// How long a session waits for what. The defaults are what `agentx`'s own tests hold against snmpd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For a connection.
    pub connect_within: Duration,
    /// For an answer, before the session counts as unresponsive.
    pub answer_within: Duration,
    /// For the answer of an unresponsive master before the connection is given up. Long on purpose: a stopped
    /// snmpd will process what it was sent when it continues, so whoever reconnects sends it twice.
    pub patience: Duration,
    /// For any sign of life, before a Ping asks for one.
    pub ping_after: Duration,
    /// Before the second attempt to connect, as the first follows the loss of a session at once; and before a refused region
    /// is registered again. Each doubles from one time to the next.
    pub retry_first: Duration,
    /// Before any attempt to connect. A fifth of the second within which the registration is back after the return of the
    /// master: a busy machine needs the rest.
    pub retry_at_most: Duration,
    /// Before any repetition of a refused registration.
    pub register_again_after: Duration,
    /// Without a request for anything in a region, before it is asked for once more to see whether it is still ours.
    /// net-snmp logs a line each time.
    pub check_after: Duration,
    /// For the answer to our Close.
    pub close_within: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_millis(600),
            answer_within: Duration::from_millis(1500),
            patience: Duration::from_secs(600),
            ping_after: Duration::from_secs(5),
            retry_first: Duration::from_millis(50),
            retry_at_most: Duration::from_millis(200),
            register_again_after: Duration::from_millis(500),
            check_after: Duration::from_secs(600),
            close_within: Duration::from_millis(300),
        }
    }
}
