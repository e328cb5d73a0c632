//! A check of the lane: when it is due, what it does, and what is said of it.

use std::{sync::Arc, time::Duration};

use tracing::{info, warn};

use super::served::Served;
use crate::{
    check::{Clients, Course, Kind, Outcome, Probe, Verdict},
    config::settings::{Check, RealServer},
    units::Time,
};

/// A try that begins so much later than it was due does not put off the next one: checks that had to wait for each other once do
/// not go on as a crowd. More than that is too much to do, and is not to be caught up with.
const MADE_UP: Duration = Duration::from_millis(100);

/// A check.
pub(super) struct Checker {
    /// What it is a check of.
    pub(super) of: Of,
    pub(super) kind: Kind,
    pub(super) course: Course,
    pub(super) probe: Arc<Probe>,
    /// How much later than it was due the try that runs has begun, as far as that is made up for.
    late: Duration,
    /// `log_all_failures`.
    wordy: bool,
    /// What was last said of a try that had no result.
    trouble: Option<String>,
}

/// The virtual server of a check, the real server there, and which check of that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Of {
    pub(super) service: usize,
    pub(super) place: usize,
    pub(super) check: usize,
}

impl Of {
    /// Every check of these virtual servers.
    pub(super) fn all(services: &[Served]) -> Vec<Self> {
        let mut all = Vec::new();
        for (service, served) in services.iter().enumerate() {
            for (place, server) in served.row.config.real_server.iter().enumerate() {
                all.extend((0..server.checks.len()).map(|check| Self { service, place, check }));
            }
        }
        all
    }

    /// The real server that it is of.
    pub(super) fn server(self, services: &[Served]) -> &RealServer {
        &services[self.service].row.config.real_server[self.place]
    }
}

impl Checker {
    /// That of the configuration, which begins soon; `None` for one that follows something instead. `chance` spreads the
    /// beginnings of many.
    pub(super) fn new(
        of: Of,
        (server, clients): (&RealServer, &Clients),
        now: Time,
        chance: u64,
    ) -> Option<Self> {
        let config = server.checks.get(of.check)?;
        Some(Self {
            of,
            kind: Kind::of(config),
            course: Course::of(config, now, chance)?,
            probe: Arc::new(Probe::of(config, *server.weight, clients)?),
            late: Duration::ZERO,
            wordy: is_wordy(config),
            trouble: None,
        })
    }

    /// The same of a server that is known to be up or down, or comes while others have long been checked.
    pub(super) fn joining(self, up: bool) -> Self {
        Self { course: self.course.joining(up), ..self }
    }

    /// Goes on with what another configuration says of it, which asks the same.
    pub(super) fn follow(
        self,
        of: Of,
        (server, clients): (&RealServer, &Clients),
        now: Time,
    ) -> Option<Self> {
        let config = server.checks.get(of.check)?;
        let mut course = self.course;
        course.handle_reload(now, config);
        let probe = Arc::new(Probe::of(config, *server.weight, clients)?.succeed(&self.probe));
        Some(Self { of, course, probe, wordy: is_wordy(config), ..self })
    }

    /// A try begins, so much later than it was due; what it asks, by number.
    pub(super) fn begin(&mut self, now: Time, late: Duration) -> usize {
        self.late = late.min(MADE_UP);
        self.course.handle_begin(now - self.late)
    }

    /// The try has ended.
    pub(super) fn end(&mut self, now: Time, outcome: &Outcome) -> Verdict {
        self.course.handle_outcome(now - self.late, outcome)
    }

    /// What is said of a try.
    pub(super) fn log(&mut self, service: &Served, outcome: &Outcome, verdict: Verdict) {
        let (kind, names) = (self.kind.word(), service.pool.names());
        let server = names.servers.get(self.of.place).map_or("", String::as_str);
        match (outcome, verdict) {
            (Outcome::Untold(why), _) => {
                if self.trouble.as_ref() != Some(why) {
                    warn!("{kind} of service {server} cannot be carried out: {why}");
                    self.trouble = Some(why.clone());
                }
                return;
            }
            (Outcome::Passed { .. }, Verdict::Up) => info!("{kind} on service {server} success."),
            (Outcome::Failed(why), Verdict::Down(0)) => info!("{kind} on service {server} failed: {why}"),
            (Outcome::Failed(why), Verdict::Down(tries)) => {
                info!("{kind} on service {server} failed after {tries} retries: {why}");
            }
            (Outcome::Failed(why), _) if self.wordy => {
                info!("{kind} on service {server}: a try failed: {why}");
            }
            _ => {}
        }
        self.trouble = None;
    }
}

fn is_wordy(config: &Check) -> bool {
    config.schedule().is_some_and(|schedule| *schedule.log_all_failures)
}
