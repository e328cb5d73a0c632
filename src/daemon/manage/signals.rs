//! The signals that are commands.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};
use tracing::{info, warn};

use crate::{daemon::engine::Command, notify};

/// The signals that are commands, heard from its making on.
pub(in crate::daemon) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    alarm: Signal,
}

impl Signals {
    /// Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub(in crate::daemon) fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            alarm: signal(SignalKind::alarm())?,
        })
    }
}

/// Turns signals into commands; SIGHUP asks for a reload.
pub(super) struct Listener {
    pub(super) keeper: notify::Keeper,
    pub(super) signals: Signals,
    pub(super) engine: mpsc::Sender<Command>,
    pub(super) reload: mpsc::Sender<()>,
}

impl notify::Part for Listener {
    fn name(&self) -> String {
        "listening to signals".to_owned()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    /// For ever.
    async fn run(&mut self) {
        let Signals { hangup, terminate, interrupt, alarm } = &mut self.signals;
        loop {
            tokio::select! {
                _ = terminate.recv() => info!("Stopping (SIGTERM)"),
                _ = interrupt.recv() => info!("Stopping (SIGINT)"),
                _ = hangup.recv() => {
                    // One that waits already reads what is there then.
                    let _ = self.reload.try_send(());
                    continue;
                }
                _ = alarm.recv() => {
                    warn!("SIGALRM has no effect");
                    continue;
                }
            }
            // The engine is gone only when everything ends.
            let _ = self.engine.send(Command::Shutdown).await;
        }
    }
}
