//! Who writes the lines of a FIFO, one by one, as there is room for them.

use std::{collections::VecDeque, io, sync::Arc};

use tracing::{info, warn};

use super::{
    contests::Contests,
    line::{instance, line, lower_priority, states},
};
use crate::{
    kernel::{self, Deadline, clock, fifo::Made},
    registry::{Cursor, FifoScope, Reason, Registry, SinkConfig, SinkRow, Topology, Transition},
};

/// What is said of a FIFO that nobody reads.
const FULL: &str = "it is full, and nobody reads it; transitions wait";

/// The next transition.
struct Next {
    seq: u64,
    /// The lines that are still to be written for it.
    lines: VecDeque<String>,
}

/// Writes into one FIFO.
pub(super) struct Writer {
    registry: Arc<Registry>,
    row: Arc<SinkRow>,
    cursor: Cursor,
    next: Option<Next>,
    contests: Contests,
    /// When contests have to be looked at again.
    look: Deadline,
    pipe: kernel::Fifo,
}

impl Writer {
    /// Of a FIFO; begins with the first transition of the stream after `since`.
    pub(super) fn new(
        registry: &Arc<Registry>,
        row: &Arc<SinkRow>,
        pipe: kernel::Fifo,
        since: u64,
    ) -> io::Result<Self> {
        let mut cursor = Cursor::default();
        cursor.advance_past(since);
        Ok(Self {
            registry: Arc::clone(registry),
            row: Arc::clone(row),
            cursor,
            next: None,
            contests: Contests::default(),
            look: Deadline::new()?,
            pipe,
        })
    }

    /// Leaves out the transition that it is at.
    pub(super) fn pass_over(&mut self) {
        let seq = self.cursor.position();
        self.row.add_lost(1);
        self.cursor.advance_past(seq);
        self.next = None;
    }

    /// Runs for ever. Cancelling it loses nothing.
    pub(super) async fn run(&mut self) {
        loop {
            let set = self.look.set(self.contests.poll_timeout());
            tokio::select! {
                () = self.cursor.ready(&self.registry.transitions, 0) => self.write_next().await,
                _ = self.look.expired(), if set.is_ok() => self.repeat(),
            }
        }
    }

    /// Goes on for another row of the same FIFO, which has this mode and owner from now on; not for one that was there
    /// before it was opened.
    pub(super) fn follow(&mut self, row: &Arc<SinkRow>, mode: u32, owner: Option<(u32, u32)>) -> bool {
        let follows = self.pipe.give_anew(mode, owner).unwrap_or_else(|error| {
            warn!("{}: {error}", row.name);
            false
        });
        if follows {
            self.row = Arc::clone(row);
        }
        follows
    }

    /// The last transition that was written.
    pub(super) fn position(&self) -> u64 {
        self.cursor.position().saturating_sub(1)
    }

    /// Writes what is still in the stream, up to that transition.
    pub(super) async fn finish(&mut self, until: u64) {
        while self.cursor.position() <= until {
            self.write_next().await;
        }
    }

    /// Closes the FIFO; see [`kernel::Fifo::close`].
    pub(super) fn close(self) -> Option<Made> {
        self.pipe.close()
    }

    /// Writes the line of the next transition, as soon as there is room for it.
    async fn write_next(&mut self) {
        let lost = self.cursor.catch_up(&self.registry.transitions);
        if lost > 0 {
            self.row.add_lost(lost);
            self.next = None;
        }
        if self.next.is_none() {
            self.next = self.compose();
        }
        let Some(Next { seq, lines }) = &mut self.next else { return };
        let seq = *seq;
        match lines.front().map(|line| self.pipe.try_write(line)) {
            None => {}
            Some(Ok(true)) => {
                lines.pop_front();
                self.row.add_delivered();
                if self.row.problem().is_some() && self.row.set_problem(None) {
                    info!("{}: it is read again, {} transitions were lost", self.row.name, self.row.lost());
                }
            }
            Some(Ok(false)) => {
                if self.row.set_problem(Some(FULL.to_owned())) {
                    warn!("{}: {FULL}", self.row.name);
                }
                // An error shows at the next attempt.
                let _ = self.pipe.writable().await;
                return;
            }
            Some(Err(error)) => {
                lines.clear();
                self.row.add_lost(1);
                if self.row.set_problem(Some(error.to_string())) {
                    warn!("{}: {error}", self.row.name);
                }
            }
        }
        if self.next.as_ref().is_some_and(|next| next.lines.is_empty()) {
            self.cursor.advance_past(seq);
            self.row.set_position(seq);
            self.next = None;
        }
    }

    /// What the FIFO is told of.
    fn scope(&self) -> FifoScope {
        match &self.row.config {
            SinkConfig::Fifo(config) => config.scope,
            SinkConfig::Scripts | SinkConfig::Mail(_) | SinkConfig::Dbus(_) | SinkConfig::Snmp(_) => {
                FifoScope::All
            }
        }
    }

    /// The next transition and its line.
    fn compose(&mut self) -> Option<Next> {
        let transition = self.cursor.peek(&self.registry.transitions)?;
        let topology = self.registry.topology();
        let contested = self.contests.handle_transition(clock::now(), &transition);
        let contested = contested && self.scope() != FifoScope::Checks;
        let lines = match topology.instance_of(&transition).filter(|_| contested) {
            Some(row) => VecDeque::from([lower_priority(row)]),
            None if self.scope() != FifoScope::Checks && repeats_states(&topology, &transition) => {
                states(&topology, &transition).into()
            }
            None => line(&topology, self.scope(), &transition).into_iter().collect(),
        };
        Some(Next { seq: transition.seq, lines })
    }

    /// Tells of contests that go on. What does not fit is not told: more will follow.
    fn repeat(&mut self) {
        let topology = self.registry.topology();
        let heard = |name: &str| instance(&topology, name)?.status().contest.map(|contest| contest.heard);
        for name in self.contests.handle_timeout(clock::now(), heard) {
            let line = instance(&topology, &name).map(lower_priority);
            let line = line.filter(|_| self.scope() != FifoScope::Checks);
            if line.is_some_and(|line| self.pipe.try_write(&line).unwrap_or(false)) {
                self.row.add_delivered();
            }
        }
    }
}

/// Whether a transition is a reload after which states are told again.
fn repeats_states(topology: &Topology, transition: &Transition) -> bool {
    let is_reload = matches!(transition.change.reason, Reason::Reloaded { .. });
    is_reload && topology.global.settings.fifo_write_vrrp_states_on_reload
}
