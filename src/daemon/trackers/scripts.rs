//! Running tracked scripts: one future per script that carries between its machine and the process.

use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
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
    owner: Option<Owner>,
    tracker: ScriptTracker,
    child: Option<Child>,
    engine: ToEngine,
}

impl ScriptLoop {
    /// The loop of a row; its verdicts go to the engine.
    fn new(row: Arc<ScriptRow>, engine: ToEngine) -> Self {
        let tracker = ScriptTracker::new(&row.config);
        let owner = row.config.user.as_ref().map(|user| Owner::new(user.uid, user.gid));
        Self { row, owner, tracker, child: None, engine }
    }

    /// Runs for ever; cancelled, it leaves a running script to be ended with its lane.
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

/// All loops of a topology, for the manage lane to drive; each ends only with an error.
pub(in crate::daemon) fn loops(
    rows: &[Arc<ScriptRow>],
    engine: &mpsc::Sender<Command>,
) -> FuturesUnordered<impl Future<Output = std::io::Result<()>> + use<>> {
    rows.iter().map(|row| ScriptLoop::new(Arc::clone(row), ToEngine::of(engine)).run()).collect()
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::error::TryRecvError;

    use super::*;
    use crate::track::testing::script;

    #[test]
    fn scripts_that_run_do_not_keep_the_engine() {
        let (engine, mut commands) = mpsc::channel(1);
        let running = loops(&[Arc::new(ScriptRow::new(1, script()))], &engine);
        drop(engine);
        let left = commands.try_recv();
        assert!(matches!(left, Err(TryRecvError::Disconnected)), "somebody commands the engine: {left:?}");
        assert_eq!(running.len(), 1);
    }
}
