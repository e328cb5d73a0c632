//! What is tracked, and what each line that tracks it makes of it.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::config::{Place, settings::LinkbeatKind};

/// One thing that is tracked: a row of the registry, however many instances track it.
///
/// The number is the position among those of its kind, in [`Config`](crate::config::Config) and in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tracker {
    /// An interface that somebody uses or names in `track_interface`.
    Interface(usize),
    /// A `vrrp_script`.
    Script(usize),
    /// A `track_file`.
    File(usize),
    /// A `vrrp_track_process`.
    Process(usize),
    /// A `bfd_instance`.
    Session(usize),
}

impl Tracker {
    /// What the thing is called in messages.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Interface(_) => "interface",
            Self::Script(_) => "script",
            Self::File(_) => "file",
            Self::Process(_) => "process",
            Self::Session(_) => "BFD session",
        }
    }

    /// The position among those of its kind.
    pub const fn position(self) -> usize {
        let (Self::Interface(position)
        | Self::Script(position)
        | Self::File(position)
        | Self::Process(position)
        | Self::Session(position)) = self;
        position
    }
}

/// One line of `track_interface`, `track_script`, `track_file` or `track_process`.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// The name of what is tracked.
    pub name: String,
    /// Which that is.
    pub tracker: Tracker,
    /// -254..=254; the line's weight, else the tracked thing's own. 0 decides about FAULT.
    pub weight: i16,
    /// The adjustment has the opposite sign; with weight 0, success is FAULT.
    pub reverse: bool,
    /// Where the line is.
    pub at: Place,
}

/// Two lines are equal when they track the same thing in the same way: what is tracked is known by its kind and name, and
/// its position is another one as soon as something else comes before it.
impl PartialEq for Tracked {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, tracker, weight, reverse, at: _ } = self;
        (name, tracker.kind(), weight, reverse)
            == (&other.name, other.tracker.kind(), &other.weight, &other.reverse)
    }
}

impl Eq for Tracked {}

/// Everything that an instance tracks by name, kind by kind, each in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// `track_interface`; never the instance's own, nor those that only addresses are put on.
    pub interfaces: Vec<Tracked>,
    /// `track_script`.
    pub scripts: Vec<Tracked>,
    /// `track_file`.
    pub files: Vec<Tracked>,
    /// `track_process`.
    pub processes: Vec<Tracked>,
    /// `track_bfd`.
    pub sessions: Vec<Tracked>,
}

impl Tracks {
    /// Every line.
    pub fn iter(&self) -> impl Iterator<Item = &Tracked> {
        self.lists().into_iter().flatten()
    }

    /// Every line, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.lists_mut().into_iter().flatten()
    }

    fn lists(&self) -> [&Vec<Tracked>; 5] {
        [&self.interfaces, &self.scripts, &self.files, &self.processes, &self.sessions]
    }

    /// The lines of each kind, to be changed.
    pub fn lists_mut(&mut self) -> [&mut Vec<Tracked>; 5] {
        [&mut self.interfaces, &mut self.scripts, &mut self.files, &mut self.processes, &mut self.sessions]
    }
}

/// An interface whose state matters to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// `interface_up_down_delays`: how long it must have been down to count as down.
    pub down_delay: Duration,
    /// `interface_up_down_delays`: how long it must have been up to count as up.
    pub up_delay: Duration,
    /// `linkbeat_interfaces`, `linkbeat_use_polling`: it is asked for its link, in this way, instead of believing what
    /// the kernel reports.
    pub linkbeat: Option<LinkbeatKind>,
}

impl Interface {
    /// One whose changes count at once, as the kernel reports them.
    pub fn new(name: String) -> Self {
        Self { name, down_delay: Duration::ZERO, up_delay: Duration::ZERO, linkbeat: None }
    }
}

/// A `track_file`: a file whose number moves priorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name it is tracked by.
    pub name: String,
    /// `file`.
    pub path: PathBuf,
    /// `weight`, -254..=254: what the number is multiplied with; 0 makes any other number than 0 a failure.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `init_file`: what is written to it at the start.
    pub init: Option<InitFile>,
    /// Where the block begins.
    pub at: Place,
}

/// `init_file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitFile {
    /// The number.
    pub value: i32,
    /// `overwrite`: also when the file is there.
    pub overwrite: bool,
}

/// A `vrrp_track_process`: processes that must run, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The name it is tracked by.
    pub name: String,
    /// `process`: the program and its parameters; never empty.
    pub command: Vec<String>,
    /// How a process is recognised.
    pub matching: Matching,
    /// `quorum`: how many there must be; 0 with `quorum_max 0`.
    pub quorum: u32,
    /// `quorum_max`: how many there may be.
    pub quorum_max: Option<u32>,
    /// `fork_delay`: how long there must have been enough to count as such.
    pub fork_delay: Duration,
    /// `terminate_delay`: how long there must have been too few, or too many, to count as such.
    pub terminate_delay: Duration,
    /// `weight`, -254..=254.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// Where the block begins.
    pub at: Place,
}

/// A `bfd_instance`, as far as it moves priorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The name it is tracked by.
    pub name: String,
    /// `weight`, -253..=253.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
}

/// What of a process is compared with `process`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The name in /proc/PID/comm, of which the kernel keeps 15 bytes.
    Name,
    /// The first word of the command line (`full_command` without parameters), whatever follows.
    Program,
    /// The whole command line (parameters given, or `param_match` without a word).
    Exact,
    /// The command line's first words (`param_match partial`).
    Partial,
    /// The command line's beginning, the last word of which may go on (`param_match initial`).
    Initial,
}

impl Matching {
    /// Whether the command line has to be looked at.
    pub const fn needs_command_line(self) -> bool {
        !matches!(self, Self::Name)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command.join(" "))
    }
}
