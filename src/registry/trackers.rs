//! The rows of what is tracked, beside scripts: interfaces, files, processes, BFD sessions.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use arc_swap::ArcSwap;

use crate::{
    config::{settings::LinkbeatKind, tracking},
    units::{IfIndex, Time},
};

/// An interface that an instance uses or tracks.
#[derive(Debug)]
pub struct InterfaceRow {
    /// Position among the interfaces, from 1.
    pub index: u32,
    /// What the configuration says.
    pub config: tracking::Interface,
    status: Arc<ArcSwap<InterfaceStatus>>,
    beat: Arc<ArcSwap<Option<bool>>>,
    /// How it is asked for its link, if it is.
    linkbeat: Arc<ArcSwap<Option<LinkbeatKind>>>,
    /// Its number in the kernel; 0 while there is none.
    link: Arc<AtomicU32>,
}

/// What is true of an interface right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatus {
    /// How it counts, after its delays.
    pub state: LinkState,
    /// Since when it does; nothing before it was looked at.
    pub since: Option<Time>,
    /// How often it has changed since the start.
    pub changes: u32,
}

impl InterfaceRow {
    /// The row of `config` at `index` (from 1), before the first look.
    pub fn new(index: u32, config: tracking::Interface) -> Self {
        let linkbeat = Arc::new(ArcSwap::from_pointee(config.linkbeat));
        let (status, beat, link) = Default::default();
        Self { index, config, status, beat, linkbeat, link }
    }

    /// The row of the same interface with another index or other settings. What an order has made of how it is asked stays
    /// unless the configuration says something new.
    pub(super) fn succeed(&self, index: u32, config: tracking::Interface) -> Self {
        let mut row = Self::new(index, config);
        let Self { status, beat, link, linkbeat, .. } = self;
        if row.config.linkbeat == self.config.linkbeat {
            row.linkbeat = Arc::clone(linkbeat);
        }
        (row.status, row.beat, row.link) = (Arc::clone(status), Arc::clone(beat), Arc::clone(link));
        row
    }

    /// What is true now.
    pub fn status(&self) -> Arc<InterfaceStatus> {
        self.status.load_full()
    }

    /// Replaces what is true now (the engine only).
    pub fn set_status(&self, status: InterfaceStatus) {
        self.status.store(Arc::new(status));
    }

    /// Its number in the kernel, while it exists.
    pub fn link(&self) -> Option<IfIndex> {
        Some(self.link.load(Ordering::Relaxed)).filter(|link| *link != 0).map(IfIndex)
    }

    /// Replaces its number, and returns whether it is another one (the engine only, see
    /// [`Topology::note_link_change`](super::Topology::note_link_change)).
    pub fn set_link(&self, link: Option<IfIndex>) -> bool {
        let link = link.map_or(0, |link| link.0);
        self.link.swap(link, Ordering::Relaxed) != link
    }

    /// How it is asked for its link; `None` where what the kernel reports is believed. As it is configured, unless an
    /// order has changed that.
    pub fn linkbeat(&self) -> Option<LinkbeatKind> {
        **self.linkbeat.load()
    }

    /// Has it asked in another way from now on, or no longer (the engine only).
    pub fn set_linkbeat(&self, kind: Option<LinkbeatKind>) {
        self.linkbeat.store(Arc::new(kind));
    }

    /// Whether it said that it has a link when it was last asked; nothing when it is not asked or does not answer.
    pub fn beat(&self) -> Option<bool> {
        **self.beat.load()
    }

    /// Replaces its last answer, and returns the one before (whoever asks).
    pub fn set_beat(&self, beat: Option<bool>) -> Option<bool> {
        *self.beat.swap(Arc::new(beat))
    }
}

/// How an interface is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// There is none of that name.
    #[default]
    Missing,
    /// It is not up, or not running (IFF_UP, IFF_RUNNING).
    Down,
    /// It is up and running.
    Up,
}

impl LinkState {
    /// What is said of the interface.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "does not exist",
            Self::Down => "is down",
            Self::Up => "is up",
        }
    }
}

/// A `track_file`.
#[derive(Debug)]
pub struct FileRow {
    /// Position among the files in use, from 1.
    pub index: u32,
    /// What the configuration says.
    pub config: tracking::File,
    status: Arc<ArcSwap<FileStatus>>,
}

/// What is true of a file right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStatus {
    /// The number that counts.
    pub number: i64,
    /// What is wrong with the file, if anything.
    pub problem: Option<String>,
    /// When it was last looked at; nothing before it was.
    pub at: Option<Time>,
}

/// A `vrrp_track_process`.
#[derive(Debug)]
pub struct ProcessRow {
    /// Position among those in use, from 1.
    pub index: u32,
    /// What the configuration says.
    pub config: tracking::Process,
    status: Arc<ArcSwap<ProcessStatus>>,
}

/// What is true of tracked processes right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessStatus {
    /// How many there are.
    pub count: u32,
    /// Whether that counts as right, after the delays; nothing before they were counted.
    pub healthy: Option<bool>,
    /// How their coming and going is learnt.
    pub followed: Followed,
    /// Why they cannot be counted, if they cannot.
    pub problem: Option<String>,
    /// When they were last counted.
    pub at: Option<Time>,
}

/// A `bfd_instance` that may be tracked.
#[derive(Debug)]
pub struct SessionRow {
    /// Position among them, from 1.
    pub index: u32,
    /// What the configuration says.
    pub config: tracking::Session,
    status: Arc<ArcSwap<SessionStatus>>,
}

/// What is true of a BFD session right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionStatus {
    /// What it last came to; nothing while nobody runs it.
    pub state: Option<SessionState>,
    /// Whether it counts as up.
    pub is_up: bool,
    /// Since when it is in that state.
    pub since: Option<Time>,
}

/// How a BFD session is, as far as those that track it are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// The neighbour is not heard, or does not hear us.
    Down,
    /// Both hear each other.
    Up,
    /// Somebody has switched it off, here or there.
    AdminDown,
}

/// How the coming and going of processes is learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Followed {
    /// The kernel reports each.
    #[default]
    Reported,
    /// /proc is read at intervals, for the kernel does not report to this process.
    Polled,
}

macro_rules! row {
    ($row:ident, $config:ty, $status:ident) => {
        impl $row {
            /// The row of `config` at `index` (from 1), before the first look.
            pub fn new(index: u32, config: $config) -> Self {
                Self { index, config, status: Arc::default() }
            }

            /// The row of the same thing with another index or other settings.
            pub(super) fn succeed(&self, index: u32, config: $config) -> Self {
                Self { index, config, status: Arc::clone(&self.status) }
            }

            /// What is true now.
            pub fn status(&self) -> Arc<$status> {
                self.status.load_full()
            }

            /// Replaces what is true now (whoever looks).
            pub fn set_status(&self, status: $status) {
                self.status.store(Arc::new(status));
            }
        }
    };
}
row!(FileRow, tracking::File, FileStatus);
row!(ProcessRow, tracking::Process, ProcessStatus);
row!(SessionRow, tracking::Session, SessionStatus);
