//! What is tracked, and by whom: `track_file` and `vrrp_track_process` blocks, the lines of `track_interface`,
//! `track_script`, `track_file` and `track_process`, and `interface_up_down_delays`.

mod delays;
mod file;
mod keep;
mod linkbeat;
mod process;

use std::collections::{HashMap, HashSet};

pub(super) use self::{delays::delays, file::file, keep::keep_tracked, linkbeat::linkbeat, process::process};
use super::{Context, script::Candidates};
use crate::{
    config::{
        Diagnostic, Severity, Span,
        settings::{BfdInstance, FromLine as _, Track, Weight},
        text::Word,
        tracking::{self, Session, Tracked, Tracker, Tracks},
        tree::Node,
    },
    units::Priority,
};

/// What a line may track: everything that was defined above it.
#[derive(Default)]
pub(super) struct Trackables {
    pub(super) interfaces: Interfaces,
    pub(super) scripts: Candidates,
    pub(super) files: Named<tracking::File>,
    pub(super) processes: Named<tracking::Process>,
    pub(super) sessions: Named<Session>,
    /// What some instance or group names, by keyword, whatever came of that.
    mentioned: HashSet<(&'static str, String)>,
}

/// The interfaces that somebody uses or tracks, in the order in which they are first named.
#[derive(Default)]
pub(super) struct Interfaces {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Interfaces {
    /// The position of an interface, which is added when nobody has named it before.
    fn position(&mut self, name: &str) -> usize {
        if let Some(position) = self.positions.get(name) {
            return *position;
        }
        self.positions.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.names.len() - 1
    }
}

/// Blocks of a kind by name.
pub(super) struct Named<T> {
    all: Vec<T>,
    positions: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { all: Vec::new(), positions: HashMap::new() }
    }
}

impl<T> Named<T> {
    /// Adds a block, unless there is one of that name already: trackers use the first.
    fn add(&mut self, kind: &str, (name, at): (&str, &Span), block: T, context: &mut Context<'_>) {
        if self.positions.contains_key(name) {
            context.add(
                Diagnostic::new(
                    "duplicate-name",
                    Severity::Notice,
                    format!("{kind} {name} is already defined above"),
                    at,
                )
                .info("trackers use the first one")
                .help("give one of the two another name"),
            );
            return;
        }
        self.positions.insert(name.to_owned(), self.all.len());
        self.all.push(block);
    }

    fn named(&self, name: &str) -> Option<(usize, &T)> {
        let position = *self.positions.get(name)?;
        Some((position, self.all.get(position)?))
    }
}

/// What a line names, with the weight and sign that hold when the line does not say.
struct Target {
    tracker: Tracker,
    weight: i16,
    reverse: bool,
}

impl Trackables {
    /// Remembers what a block tracks: where nothing comes of it the reason is reported, and "untracked" would be untrue.
    pub(super) fn mention(&mut self, block: &Node) {
        for list in block.nodes() {
            let keyword = list.keyword.name;
            if matches!(keyword, "track_script" | "track_file" | "track_process") {
                let names = list.lines().iter().map(|line| line.first().text.to_owned());
                self.mentioned.extend(names.map(|name| (keyword, name)));
            }
        }
    }

    /// A `bfd_instance` can be tracked below its block, unless it is for checkers only; each has a name of its own.
    pub(super) fn add_session(&mut self, session: Option<&BfdInstance>) {
        let Some(session) = session.filter(|session| session.vrrp || !session.checker) else { return };
        let name = session.heading.name().to_owned();
        let Named { all, positions } = &mut self.sessions;
        positions.insert(name.clone(), all.len());
        all.push(Session { name, weight: session.weight.adjustment(), reverse: session.weight.reverse });
    }

    /// The weight of a `track_file`, which the checks that follow it have unless they say otherwise.
    pub(super) fn file_weight(&self, name: &str) -> Option<Weight> {
        let (_, file) = self.files.named(name)?;
        Some(Weight { value: file.weight.into(), reverse: file.reverse })
    }

    /// What a line of that keyword names.
    fn target(&mut self, keyword: &str, name: &str) -> Option<Target> {
        let target = |tracker, weight, reverse| Target { tracker, weight, reverse };
        match keyword {
            "track_interface" => Some(target(Tracker::Interface(self.interfaces.position(name)), 0, false)),
            "track_script" => {
                let (position, candidate) = self.scripts.named(name)?;
                let script = &candidate.script;
                Some(target(Tracker::Script(position), script.weight, script.reverse))
            }
            "track_file" => {
                let (position, file) = self.files.named(name)?;
                Some(target(Tracker::File(position), file.weight, file.reverse))
            }
            "track_bfd" => {
                let (position, session) = self.sessions.named(name)?;
                Some(target(Tracker::Session(position), session.weight, session.reverse))
            }
            _ => {
                let (position, process) = self.processes.named(name)?;
                Some(target(Tracker::Process(position), process.weight, process.reverse))
            }
        }
    }
}

/// The list of an instance that lines of a keyword go to.
fn list<'a>(keyword: &str, tracks: &'a mut Tracks) -> &'a mut Vec<Tracked> {
    match keyword {
        "track_interface" => &mut tracks.interfaces,
        "track_script" => &mut tracks.scripts,
        "track_file" => &mut tracks.files,
        "track_bfd" => &mut tracks.sessions,
        _ => &mut tracks.processes,
    }
}

/// One `track_interface`, `track_script`, `track_file`, `track_process` or `track_bfd`: `NAME [weight N
/// [reverse|noreverse]]`, one per line. What a block tracks so far is in lists, and `seen` by number: the lists may be long.
pub(super) fn lines(
    node: &Node,
    trackables: &mut Trackables,
    (tracks, seen): (&mut Tracks, &mut HashSet<Tracker>),
    context: &mut Context<'_>,
) {
    let keyword = node.keyword.name;
    let tracks = list(keyword, tracks);
    for line in node.lines() {
        let name = line.first();
        let Some(target) = trackables.target(keyword, name.text) else {
            // What nobody defines is reported by the rules, but for scripts.
            if keyword == "track_script" && !trackables.scripts.is_broken(name.text) {
                report_unknown_script(name, context);
            }
            continue;
        };
        if !seen.insert(target.tracker) {
            report_twice(name, context);
            continue;
        }
        let Some(line) = Track::parse(line, context.report) else { continue };
        let weight = weight(&line, target.tracker, context).unwrap_or(target.weight);
        let reverse = line.reverse.unwrap_or(target.reverse);
        tracks.push(Tracked { name: line.name, tracker: target.tracker, weight, reverse, at: line.at });
    }
}

/// The weight that a line gives; interfaces and scripts have one less than files and processes on each side.
fn weight(line: &Track, tracker: Tracker, context: &mut Context<'_>) -> Option<i16> {
    let weight = line.weight.and_then(|weight| i16::try_from(weight).ok())?;
    let most = match tracker {
        Tracker::Interface(_) | Tracker::Script(_) | Tracker::Session(_) => 253,
        Tracker::File(_) | Tracker::Process(_) => 254,
    };
    let limited = weight.clamp(-most, most);
    if limited != weight {
        let headline = format!("the weight of {} cannot be {weight}: {limited} is used", line.name);
        context.add(
            Diagnostic::new("invalid-value", Severity::Error, headline, &line.at)
                .help("write weight with a whole number from -253 to 253"),
        );
    }
    Some(limited)
}

fn report_twice(name: Word<'_>, context: &mut Context<'_>) {
    let headline = format!("{} is already tracked: the line is ignored", name.text);
    context.add(
        Diagnostic::new("duplicate-setting", Severity::Error, headline, &name.span())
            .help("remove one of the two lines"),
    );
}

fn report_unknown_script(name: Word<'_>, context: &mut Context<'_>) {
    let (name, at) = (name.text, name.span());
    context.add(
        Diagnostic::new(
            "unknown-script",
            Severity::Error,
            format!("there is no vrrp_script {name} above this line: it is not tracked"),
            &at,
        )
        .info("a name must be defined before it is used")
        .help(format!("define vrrp_script {name} above this block, or correct the name")),
    );
}

/// The owner's priority never changes, so what only moves it does nothing.
pub(super) fn without_weights_for_owner(
    tracks: &mut Tracks,
    priority: Priority,
    instance: Word<'_>,
    context: &mut Context<'_>,
) {
    if priority != Priority::OWNER {
        return;
    }
    for tracked in
        tracks.lists_mut().into_iter().flat_map(|list| list.extract_if(.., |line| line.weight != 0))
    {
        let headline =
            format!("{} does not track {}: priority 255 never changes", instance.text, tracked.name);
        context.add(
            Diagnostic::new("weight-on-owner", Severity::Error, headline, &tracked.at)
                .help("give the instance a priority below 255, or the tracked weight 0"),
        );
    }
}
