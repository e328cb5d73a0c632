//! A recording, replayed: its inputs handed to new machines, and what these want done compared with what was recorded.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    iter,
    sync::Arc,
};

use thiserror::Error;

use super::{
    line::{Event, Header, Line, Proof, VERSION, is_compared, told},
    wipe::Wiper,
};
use crate::{
    registry::Counters,
    vrrp::{Auth, Input, Instance, Settings},
};

/// Why a file is not replayed.
#[derive(Debug, Error)]
pub enum Invalid {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is not what it has to be.
    #[error("line {line}: {error}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// It is empty.
    #[error("no recording: it is empty")]
    Empty,
    /// Another version of the format.
    #[error("recorded in version {0} of the format, this program reads version {VERSION}")]
    Version(u32),
}

/// A place where a machine did something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line of the file, from 1.
    pub line: usize,
    /// The router's name.
    pub name: String,
    /// What was recorded; `None` for nothing.
    pub recorded: Option<String>,
    /// What the machine wants done now.
    pub found: Option<String>,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Routers replayed.
    pub routers: usize,
    /// Inputs handed in.
    pub inputs: usize,
    /// Actions compared.
    pub actions: usize,
    /// The first difference of each router.
    pub differences: Vec<Difference>,
    /// What could not be replayed, in words.
    pub notes: Vec<String>,
}

/// A router of the recording.
struct Player {
    instance: Instance,
    name: String,
    auth: Auth,
    wiper: Wiper,
    count: u64,
    /// It is compared no further: lines are missing, or it has differed already.
    is_over: bool,
}

/// Replays a recording.
///
/// # Errors
/// [`Invalid`], when the file is no recording. A last line that is cut off, as by a crash, is left out.
pub fn replay(recording: impl BufRead) -> Result<Replayed, Invalid> {
    let mut lines = recording.lines().enumerate().map(|(position, line)| (position + 1, line)).peekable();
    let (_, header) = lines.next().ok_or(Invalid::Empty)?;
    let header: Header = serde_json::from_str(&header?).map_err(|error| Invalid::Line { line: 1, error })?;
    if header.steadfast_recording != VERSION {
        return Err(Invalid::Version(header.steadfast_recording));
    }
    let (mut players, mut replayed) = (BTreeMap::new(), Replayed::default());
    let mut last = 1;
    while let Some((number, text)) = lines.next() {
        let line: Line = match serde_json::from_str(&text?) {
            Ok(line) => line,
            Err(error) if error.is_eof() && lines.peek().is_none() => break,
            Err(error) => return Err(Invalid::Line { line: number, error }),
        };
        last = number;
        play(number, line, &mut players, &mut replayed);
    }
    replayed.routers = players.len();
    for player in players.values_mut().filter(|player| !player.is_over) {
        let found = player.next();
        player.compare(last, None, found, &mut replayed);
    }
    Ok(replayed)
}

fn play(number: usize, line: Line, players: &mut BTreeMap<usize, Player>, replayed: &mut Replayed) {
    match line.event {
        Event::Router { settings, auth } => {
            players.insert(line.router, Player::new(*settings, &auth));
        }
        Event::Ended { name, why } => {
            if let Some(player) = players.get_mut(&line.router) {
                player.is_over = true;
            }
            replayed.notes.push(format!("({name}) not recorded any more: {why}"));
        }
        Event::Lost(count) => replayed.notes.push(format!("{count} lines are missing at the end")),
        Event::Input { at, mut input } => {
            let Some(player) = players.get_mut(&line.router) else { return };
            if player.is_next(line.n, replayed) {
                replayed.inputs += 1;
                // Keys are on no recording, and where they become others it ends.
                if let Input::Reload(reload) = &mut input {
                    reload.settings.auth = player.auth.clone();
                }
                player.instance.handle(at, input);
            }
        }
        Event::Action(recorded) => {
            let Some(player) = players.get_mut(&line.router) else { return };
            if player.is_next(line.n, replayed) {
                replayed.actions += 1;
                let found = player.next();
                player.compare(number, Some(recorded), found, replayed);
            }
        }
    }
}

impl Player {
    fn new(mut settings: Settings, auth: &Proof) -> Self {
        settings.auth = auth.in_public();
        let (name, wiper, auth) = (settings.name.clone(), Wiper::new(&settings.auth), settings.auth.clone());
        let instance = Instance::new(settings, Arc::new(Counters::default()));
        Self { instance, name, wiper, auth, count: 1, is_over: false }
    }

    /// What its machine wants done next, as far as that is recorded.
    fn next(&mut self) -> Option<String> {
        let action = iter::from_fn(|| self.instance.poll_action()).find(is_compared)?;
        Some(told(&action, &self.wiper))
    }

    /// Whether the line of that number is the next one, with none missing before it.
    fn is_next(&mut self, n: u64, replayed: &mut Replayed) -> bool {
        if self.is_over {
            return false;
        }
        self.count += 1;
        if self.count != n {
            self.is_over = true;
            let missing = n.saturating_sub(self.count);
            replayed.notes.push(format!("({}) {missing} lines were lost, not compared further", self.name));
        }
        !self.is_over
    }

    fn compare(
        &mut self,
        line: usize,
        recorded: Option<String>,
        found: Option<String>,
        replayed: &mut Replayed,
    ) {
        if recorded != found {
            self.is_over = true;
            replayed.differences.push(Difference { line, name: self.name.clone(), recorded, found });
        }
    }
}
