//! Running tracked scripts: one future per script that carries between its machine and the process.

use std::{collections::HashMap, sync::Arc};

use futures_util::{
    StreamExt as _,
    future::{FutureExt as _, LocalBoxFuture},
    stream::FuturesUnordered,
};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::ToEngine;
use crate::{
    config::tracking::Tracker,
    daemon::engine::Command,
    kernel::{
        Deadline, clock,
        process::{self, Child, ExitKind, Owner, Signal},
    },
    registry::{ScriptRow, ScriptStatus},
    track::{RunEnd, ScriptAction, ScriptTracker, Verdict},
};

/// A tracked script that runs.
struct ScriptLoop {
    row: Arc<ScriptRow>,
    /// Its row after a reload; closed when it is not to run any more.
    next: watch::Receiver<Arc<ScriptRow>>,
    owner: Option<Owner>,
    tracker: ScriptTracker,
    child: Option<Child>,
    engine: ToEngine,
}

impl ScriptLoop {
    /// The loop of a row; its verdicts go to the engine.
    fn new(next: watch::Receiver<Arc<ScriptRow>>, engine: ToEngine) -> Self {
        let row = Arc::clone(&next.borrow());
        let (tracker, owner) = (ScriptTracker::new(&row.config), owner(&row));
        Self { row, next, owner, tracker, child: None, engine }
    }

    /// Goes on with the row that a reload has for it.
    fn follow(&mut self) {
        let row = Arc::clone(&self.next.borrow_and_update());
        if row.config != self.row.config {
            self.owner = owner(&row);
            self.tracker.handle_settings(clock::now(), &row.config);
        }
        self.row = row;
    }

    /// Runs until a reload removes the script; cancelled, it leaves a running script to be ended with its lane.
    async fn run(mut self) -> std::io::Result<()> {
        let mut deadline = Deadline::new()?;
        self.tracker.handle_start(clock::now());
        loop {
            while let Some(action) = self.tracker.poll_action() {
                self.carry_out(action).await;
            }
            deadline.set(self.tracker.poll_timeout())?;
            tokio::select! {
                expired = deadline.expired() => {
                    expired?;
                    self.tracker.handle_timeout(clock::now());
                }
                next = self.next.changed() => match next {
                    Ok(()) => self.follow(),
                    Err(_) => {
                        self.signal(Signal::Kill);
                        return Ok(());
                    }
                },
                end = ended(&mut self.child) => {
                    self.child = None;
                    self.tracker.handle_end(end);
                }
            }
        }
    }

    async fn carry_out(&mut self, action: ScriptAction) {
        match action {
            ScriptAction::Run => self.start(),
            ScriptAction::Terminate => self.signal(Signal::Terminate),
            ScriptAction::Kill => self.signal(Signal::Kill),
            ScriptAction::Skipped => {
                warn!(
                    "Script {}: the previous run has not ended, no other is started until it has",
                    self.row.config.name
                );
            }
            ScriptAction::Judge(verdict) => self.judge(verdict).await,
        }
    }

    fn start(&mut self) {
        let script = &self.row.config;
        let path = Some(script.command.path.as_path());
        match process::spawn(&script.command.argv, path, self.owner.as_ref(), &[]) {
            Ok(child) => self.child = Some(child),
            Err(error) => self.tracker.handle_end(RunEnd::NotStarted(error.to_string())),
        }
    }

    fn signal(&mut self, signal: Signal) {
        if let Some(Err(error)) = self.child.as_mut().map(|child| child.signal_group(signal)) {
            warn!("Script {}: {error}", self.row.config.name);
        }
    }

    /// Shows the verdict to readers and tells the engine when something changed.
    async fn judge(&mut self, verdict: Verdict) {
        let name = &self.row.config.name;
        let observation = verdict.observation();
        self.row.set_status(ScriptStatus {
            result: verdict.result,
            last: observation.detail.clone(),
            at: Some(clock::now()),
        });
        if !verdict.changed {
            return;
        }
        info!("Script `{name}` {}", observation.detail);
        let tracker = Tracker::Script(self.row.index as usize - 1);
        self.engine.send((tracker, name), observation).await;
    }
}

/// How the running script ends; never while none runs.
async fn ended(child: &mut Option<Child>) -> RunEnd {
    let Some(child) = child else {
        return std::future::pending().await;
    };
    match child.wait().await {
        Ok(ExitKind::Exited(status)) => RunEnd::Exited(status),
        Ok(ExitKind::Signalled(signal)) => RunEnd::Signalled(signal),
        Err(error) => RunEnd::NotStarted(error.to_string()),
    }
}

fn owner(row: &ScriptRow) -> Option<Owner> {
    row.config.user.as_ref().map(|user| Owner::new(user.uid, user.gid).with_groups(user.has_groups))
}

/// The scripts that run, for the manage lane to drive.
pub(in crate::daemon) struct Scripts {
    engine: ToEngine,
    loops: FuturesUnordered<LocalBoxFuture<'static, std::io::Result<()>>>,
    rows: HashMap<String, watch::Sender<Arc<ScriptRow>>>,
}

impl Scripts {
    /// Those of these rows.
    pub(in crate::daemon) fn new(rows: &[Arc<ScriptRow>], engine: &mpsc::Sender<Command>) -> Self {
        let (loops, rows_by_name) = Default::default();
        let mut scripts = Self { engine: ToEngine::of(engine), loops, rows: rows_by_name };
        scripts.follow(rows);
        scripts
    }

    /// Runs these, after a reload: those that are the same go on, with other settings where they have such.
    pub(in crate::daemon) fn follow(&mut self, rows: &[Arc<ScriptRow>]) {
        let mut before = std::mem::take(&mut self.rows);
        for row in rows {
            let name = row.config.name.clone();
            let sender = match before.remove(&name) {
                Some(known) => {
                    known.send_replace(Arc::clone(row));
                    known
                }
                None => {
                    let (sender, receiver) = watch::channel(Arc::clone(row));
                    self.loops.push(ScriptLoop::new(receiver, self.engine.clone()).run().boxed_local());
                    sender
                }
            };
            self.rows.insert(name, sender);
        }
    }

    /// Drives them. Returns when one ends by mistake, with what happened; never while there is none.
    pub(in crate::daemon) async fn run(&mut self) -> std::io::Error {
        loop {
            match self.loops.next().await {
                Some(Err(error)) => return error,
                // A reload has removed it.
                Some(Ok(())) => {}
                None => return std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::error::TryRecvError;

    use super::*;
    use crate::track::testing::script;

    #[test]
    fn scripts_that_run_do_not_keep_the_engine() {
        let (engine, mut commands) = mpsc::channel(1);
        let running = Scripts::new(&[Arc::new(ScriptRow::new(1, script()))], &engine);
        drop(engine);
        let left = commands.try_recv();
        assert!(matches!(left, Err(TryRecvError::Disconnected)), "somebody commands the engine: {left:?}");
        assert_eq!(running.loops.len(), 1);
    }
}
