//! What the bus is told, and what becomes of it when the bus does not take it.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::Shared;
use tokio::{sync::oneshot, time::timeout};
use tracing::{info, warn};

use super::{Errands, objects::status, path, station::Station};
use crate::{
    kernel::rest,
    notify::kept::{Keeper, Part},
    registry::{Cursor, DbusConfig, Reason, Registry, SinkRow, Subject, Transition},
};

/// How long connecting may take; a bus that hangs accepts connections and says nothing.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// From a failure to the next attempt; each wait after that is twice as long.
const SOONEST: Duration = Duration::from_secs(1);
/// The longest wait.
const LATEST: Duration = Duration::from_mins(1);
/// How long a message may wait for the bus to read before that is a problem to show. It goes on waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells the bus.
pub(super) struct Teller {
    keeper: Keeper,
    registry: Arc<Registry>,
    row: Arc<SinkRow>,
    config: DbusConfig,
    errands: Arc<dyn Errands>,
    cursor: Cursor,
    /// The time has come to finish. Looked at between messages only.
    finished: Shared<oneshot::Receiver<u64>>,
    station: Option<Station>,
    has_begun: bool,
    wait: Duration,
}

impl Teller {
    /// Begins with the first transition of the stream after `since`, and runs until `finished`.
    pub(super) fn new(
        (registry, row): (Arc<Registry>, Arc<SinkRow>),
        config: DbusConfig,
        errands: Arc<dyn Errands>,
        (since, finished): (u64, Shared<oneshot::Receiver<u64>>),
    ) -> Self {
        let mut cursor = Cursor::default();
        cursor.advance_past(since);
        Self {
            keeper: Keeper::default(),
            registry,
            row,
            config,
            errands,
            cursor,
            finished,
            station: None,
            has_begun: false,
            wait: SOONEST,
        }
    }

    async fn go_on(&mut self) {
        let finished = self.finished.clone();
        loop {
            let Some(station) = &self.station else {
                tokio::select! {
                    () = self.connect() => {}
                    _ = finished.clone() => return,
                }
                continue;
            };
            tokio::select! {
                biased;
                _ = finished.clone() => return,
                () = station.closed() => self.lose("the bus is gone"),
                () = self.cursor.ready(&self.registry.transitions, 0) => self.tell_next().await,
            }
        }
    }

    /// Tells what is in the stream up to that transition, and of the end; whoever calls it sets the limit.
    pub(super) async fn finish(&mut self, until: u64) {
        while self.station.is_some() && self.cursor.position() <= until {
            self.tell_next().await;
        }
        let Some(station) = self.station.take() else { return };
        if let Err(error) = station.tell_all("VrrpStopped").await {
            warn!("{}: {error}", self.row.name);
        }
        station.close().await;
    }

    /// Connects, or waits until that may be tried again. Cancelling it leaves no connection behind.
    async fn connect(&mut self) {
        let error = match timeout(CONNECTS_WITHIN, self.open()).await {
            Ok(Ok((station, problem))) => return self.begin(station, problem),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the bus does not answer".to_owned(),
        };
        let seconds = self.wait.as_secs();
        if self.row.set_problem(Some(error.clone())) {
            warn!("{}: {error}; it is tried again in {seconds} s, then later each time", self.row.name);
        }
        rest(self.wait).await;
        self.wait = (self.wait * 2).min(LATEST);
    }

    async fn open(&mut self) -> zbus::Result<(Station, Option<String>)> {
        let station = Station::open(&self.registry, &self.errands, &self.config.no_interface).await?;
        // Before it has its name, as keepalived has it.
        if !self.has_begun {
            station.tell_all("VrrpStarted").await?;
            self.has_begun = true;
        }
        let problem = station.take_name(&self.config.service).await?;
        Ok((station, problem))
    }

    fn begin(&mut self, station: Station, problem: Option<String>) {
        self.wait = SOONEST;
        match &problem {
            Some(problem) => warn!("{}: {problem}; signals are sent without it", self.row.name),
            None => info!("{}: connected", self.row.name),
        }
        self.row.set_problem(problem);
        self.station = Some(station);
    }

    fn lose(&mut self, why: &str) {
        self.station = None;
        if self.row.set_problem(Some(why.to_owned())) {
            warn!("{}: {why}; connecting anew", self.row.name);
        }
    }

    /// Tells of the next transition. It stays the next one when the bus is gone.
    async fn tell_next(&mut self) {
        self.row.add_lost(self.cursor.catch_up(&self.registry.transitions));
        let Some(transition) = self.cursor.peek(&self.registry.transitions) else { return };
        match self.tell_patiently(&transition).await {
            Ok(told) => {
                self.cursor.advance_past(transition.seq);
                self.row.set_position(transition.seq);
                if told {
                    self.row.add_delivered();
                }
            }
            Err(error) => self.lose(&error.to_string()),
        }
    }

    /// Shows it when the bus takes its time, and waits on: a message that is left off in the middle ends the connection.
    async fn tell_patiently(&mut self, transition: &Transition) -> zbus::Result<bool> {
        let row = Arc::clone(&self.row);
        let mut telling = pin!(self.tell(transition));
        if let Ok(told) = timeout(PATIENCE, &mut telling).await {
            return told;
        }
        let before = row.problem().map(|problem| (*problem).clone());
        row.set_problem(Some("the bus does not read".to_owned()));
        warn!("{}: the bus does not read", row.name);
        let told = telling.await;
        row.set_problem(before);
        info!("{}: the bus reads again", row.name);
        told
    }

    /// Whether there was something to tell.
    async fn tell(&mut self, transition: &Transition) -> zbus::Result<bool> {
        let Some(station) = &mut self.station else { return Ok(false) };
        station.follow((&self.registry, &self.errands), &self.config.no_interface).await?;
        match &transition.subject {
            Subject::Instance { .. } if transition.change.is_move() => {
                let topology = self.registry.topology();
                let Some(row) = topology.instance_of(transition) else { return Ok(false) };
                let path = path::of(&row.config, &self.config.no_interface);
                station.tell_status(&path, status(transition.change.to)).await?;
                Ok(true)
            }
            Subject::Configuration if matches!(transition.change.reason, Reason::Reloaded { .. }) => {
                station.tell_all("VrrpReloaded").await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

impl Part for Teller {
    fn name(&self) -> String {
        self.row.name.clone()
    }

    async fn run(&mut self) {
        self.go_on().await;
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    fn position(&self) -> u64 {
        self.cursor.position()
    }

    fn pass_over(&mut self) {
        self.row.add_lost(1);
        self.cursor.advance_past(self.cursor.position());
    }
}
