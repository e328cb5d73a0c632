//! The rows of what is told of transitions outside the process: how far each is, and what it missed.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

use crate::config::{NotifyScript, User};

/// Somebody who is told of transitions.
#[derive(Debug)]
pub struct SinkRow {
    /// What it is called: a keyword, and where that leads.
    pub name: String,
    /// What the configuration says.
    pub config: SinkConfig,
    position: AtomicU64,
    delivered: AtomicU64,
    sent: AtomicU64,
    repeated: AtomicU64,
    lost: AtomicU64,
    problem: ArcSwapOption<String>,
}

/// What kind of sink it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkConfig {
    /// Notify scripts of instances and groups.
    Scripts,
    /// `notify_fifo`, `vrrp_notify_fifo` or `lvs_notify_fifo`.
    Fifo(FifoConfig),
    /// `notification_email`.
    Mail(MailConfig),
    /// `enable_dbus`.
    Dbus(DbusConfig),
    /// A target of `snmp_notify`, by where it is.
    Snmp(SocketAddr),
}

impl SinkConfig {
    /// That of mail, if it is one.
    pub fn mail(&self) -> Option<&MailConfig> {
        match self {
            Self::Mail(config) => Some(config),
            Self::Scripts | Self::Fifo(_) | Self::Dbus(_) | Self::Snmp(_) => None,
        }
    }
}

/// Signals on the system bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbusConfig {
    /// `dbus_service_name`.
    pub service: String,
    /// `dbus_no_interface_name`: in the path of an instance without interface.
    pub no_interface: String,
}

/// Mails by way of a mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// `smtp_server`: its address or name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// `smtp_helo_name`.
    pub helo: String,
    /// `smtp_connect_timeout`: how long connecting may take, and each mail after that.
    pub timeout: Duration,
    /// `notification_email_from`.
    pub from: String,
    /// `notification_email`, as written.
    pub to: Vec<String>,
    /// Whether FAULT is mailed (`no_email_faults` clears it).
    pub faults: bool,
    /// The name of this host, where addresses without one are.
    pub host_name: String,
}

/// A FIFO that a line is written into for every transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoConfig {
    /// What it is told of.
    pub scope: FifoScope,
    /// Where it is.
    pub path: PathBuf,
    /// Mode of one that has to be made (inode(7)).
    pub mode: u32,
    /// Whose one is that has to be made; `None` for the daemon's own identity.
    pub owner: Option<User>,
    /// Its reader, started with the path as last argument.
    pub script: Option<NotifyScript>,
}

/// What a FIFO is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FifoScope {
    /// Everything (`notify_fifo`).
    All,
    /// Virtual routers (`vrrp_notify_fifo`).
    Vrrp,
    /// Virtual servers and their real servers (`lvs_notify_fifo`).
    Checks,
}

impl SinkRow {
    /// A row that nothing was delivered of yet.
    pub fn new(name: impl Into<String>, config: SinkConfig) -> Self {
        Self {
            name: name.into(),
            config,
            position: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            problem: ArcSwapOption::empty(),
        }
    }

    /// Number of the newest transition that it is done with, 0 before the first.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// How much has been delivered: lines, programs started, mails, signals, notifications.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// How often something was sent that may not arrive; 0 where that is not counted.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How often that was something that had been sent before.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// How many transitions it was not told of and never will be.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What keeps it from being told, if anything does.
    pub fn problem(&self) -> Option<Arc<String>> {
        self.problem.load_full()
    }

    /// It is done with everything up to and including this transition.
    pub fn set_position(&self, seq: u64) {
        self.position.store(seq, Ordering::Relaxed);
    }

    /// Something was delivered.
    pub fn add_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// So much was sent, and of that so much once more.
    pub fn add_sent(&self, sent: u64, repeated: u64) {
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.repeated.fetch_add(repeated, Ordering::Relaxed);
    }

    /// So many transitions were missed.
    pub fn add_lost(&self, transitions: u64) {
        self.lost.fetch_add(transitions, Ordering::Relaxed);
    }

    /// Replaces what keeps it from being told. Returns whether that is another thing than before.
    pub fn set_problem(&self, problem: Option<String>) -> bool {
        let before = self.problem.swap(problem.clone().map(Arc::new));
        before.as_deref() != problem.as_ref()
    }
}
