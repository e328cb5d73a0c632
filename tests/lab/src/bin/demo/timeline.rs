//! What happened, in the order in which it happened, as lines that a person can follow.
//!
//! Three kinds of sources are read as they grow: the routers' logs, the kernels' address changes, and
//! the traps of the management station. Log lines and traps bear the time at which they were read, at
//! most a few milliseconds late; address changes bear the time at which the kernel told of them.

use std::fmt;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use lab::monitor::Change;
use lab::{AddressMonitor, Router, clock};

use crate::station::Listener;

/// Something that happened on a host.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Since the epoch.
    pub(crate) time: Duration,
    /// The host's name.
    pub(crate) host: &'static str,
    /// What it was.
    pub(crate) what: What,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A line of the router's log: a transition with its reason, a script's result.
    Log(String),
    /// The virtual address was added (`true`) or deleted.
    Address(bool, String),
    /// The station received a notification; (router, state).
    Trap(String, String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(line) => f.write_str(line),
            Self::Address(true, address) => write!(f, "+ {address}"),
            Self::Address(false, address) => write!(f, "- {address}"),
            Self::Trap(router, state) => {
                write!(f, "trap from {router}: vrrpInstanceStateChange VI_1 {state}")
            }
        }
    }
}

impl What {
    /// Whether this is the log line of a transition, to `state` where one is given.
    pub(crate) fn is_transition(&self, state: Option<&str>) -> bool {
        let text = format!("Entering {}", state.unwrap_or_default());
        matches!(self, Self::Log(line) if line.contains(&text))
    }
}

/// What is worth a line of the timeline, and where in the log's line it begins.
const TELLING: [&str; 6] = [
    "(VI_1) Entering",
    "(VI_1) sent 0 priority",
    "(VI_1) received priority 0",
    "(VI_1) Backup received priority 0",
    "VRRP_Script(",
    "Script `service`",
];

/// The growing timeline. It prints what is new each time it is looked at.
pub(crate) struct Timeline {
    start: Duration,
    colour: bool,
    events: Vec<Event>,
    sources: Vec<Source>,
}

struct Source {
    host: &'static str,
    feed: Feed,
    seen: usize,
}

enum Feed {
    Log(Box<dyn Fn() -> String>),
    Addresses(AddressMonitor),
    Traps(Listener),
}

impl Timeline {
    /// Starts the clock.
    pub(crate) fn new() -> Self {
        Self { start: clock::wall(), colour: stdout().is_terminal(), events: Vec::new(), sources: Vec::new() }
    }

    /// Follows a router's log.
    pub(crate) fn follow_router(&mut self, host: &'static str, router: &Router) {
        let path = router.process().log_path().to_owned();
        let read = move || {
            let bytes = std::fs::read(&path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        self.follow(host, Feed::Log(Box::new(read)));
    }

    /// Follows the addresses of a host.
    pub(crate) fn follow_addresses(&mut self, host: &'static str, monitor: AddressMonitor) {
        self.follow(host, Feed::Addresses(monitor));
    }

    /// Follows the traps that the station receives.
    pub(crate) fn follow_traps(&mut self, host: &'static str, station: Listener) {
        self.follow(host, Feed::Traps(station));
    }

    fn follow(&mut self, host: &'static str, feed: Feed) {
        self.sources.push(Source { host, feed, seen: 0 });
    }

    /// How many events so far are of a kind.
    pub(crate) fn count(&self, kind: impl Fn(&What) -> bool) -> usize {
        self.events.iter().filter(|event| kind(&event.what)).count()
    }

    /// A heading for what comes next.
    pub(crate) fn chapter(&mut self, title: &str) {
        self.look();
        println!("\n{}", self.paint("1", title));
    }

    /// Something the demo itself did, or found; returns its time.
    pub(crate) fn note(&mut self, text: &str) -> Duration {
        self.look();
        let now = clock::wall();
        self.print(now, "", &self.paint("36", text));
        now
    }

    /// Reads all sources and prints what is new, sorted by time.
    pub(crate) fn look(&mut self) -> &[Event] {
        let now = clock::wall();
        let mut new: Vec<Event> = self.sources.iter_mut().flat_map(|source| source.read(now)).collect();
        // What was read in one look has one time: a trap then follows the transition it tells of.
        new.sort_by_key(|event| (event.time, matches!(event.what, What::Trap(..))));
        for event in &new {
            self.print(event.time, event.host, &self.paint(colour(&event.what), &event.what.to_string()));
        }
        self.events.extend(new);
        &self.events
    }

    fn print(&self, time: Duration, host: &str, text: &str) {
        let since = time.saturating_sub(self.start);
        println!("{:>4}.{:03}  {host:<6} {text}", since.as_secs(), since.subsec_millis());
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn colour(what: &What) -> &'static str {
    match what {
        What::Log(_) if what.is_transition(Some("MASTER")) => "1;32",
        What::Log(_) if what.is_transition(Some("FAULT")) => "1;31",
        What::Log(_) if what.is_transition(None) => "1",
        What::Log(_) => "0",
        What::Address(..) => "33",
        What::Trap(..) => "35",
    }
}

impl Source {
    /// What is new, with `now` for what has no time of its own.
    fn read(&mut self, now: Duration) -> Vec<Event> {
        let host = self.host;
        match &self.feed {
            Feed::Log(read) => {
                let log = read();
                // A line that is still being written waits for the next look.
                let complete = log.rfind('\n').map_or(0, |end| end + 1);
                let new = log.get(self.seen..complete).unwrap_or_default();
                let events =
                    new.lines().filter_map(telling).map(|what| Event { time: now, host, what }).collect();
                self.seen = self.seen.max(complete);
                events
            }
            Feed::Addresses(monitor) => {
                let changes = monitor.changes();
                let new = changes.get(self.seen..).unwrap_or_default();
                let events = new.iter().map(|change| address_event(host, change)).collect();
                self.seen = changes.len();
                events
            }
            Feed::Traps(station) => {
                let changes = station.changes();
                let new = changes.get(self.seen..).unwrap_or_default().iter().cloned();
                let event = |(router, state)| Event { time: now, host, what: What::Trap(router, state) };
                let events = new.map(event).collect();
                self.seen = changes.len();
                events
            }
        }
    }
}

/// The part of a log line from the telling words on.
fn telling(line: &str) -> Option<What> {
    let at = TELLING.iter().find_map(|text| line.find(text))?;
    line.get(at..).map(|text| What::Log(text.trim_end().to_owned()))
}

fn address_event(host: &'static str, change: &Change) -> Event {
    let address = format!("{} on {}", change.address, change.interface);
    Event { time: change.time, host, what: What::Address(change.added, address) }
}
