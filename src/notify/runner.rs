//! Starting notify scripts and collecting their ends.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use tracing::{debug, warn};

use super::command::{Command, commands};
use crate::{
    kernel::process::{self, ExitKind, Owner, Signal},
    registry::{Cursor, Registry, Subject},
};

/// Scripts that may run at once. The stream holds the rest: a script that hangs costs a place, not memory.
const AT_ONCE: usize = 256;

/// Reads the stream and starts what it calls for.
pub struct Runner {
    registry: Arc<Registry>,
    cursor: Cursor,
    running: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Runner {
    /// A runner that begins with the first transition of the stream.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            cursor: Cursor::default(),
            running: FuturesUnordered::new(),
            stop: tokio::sync::watch::Sender::new(false),
        }
    }

    /// Runs for ever. Cancelling it loses nothing; [`Self::finish`] goes on with what runs.
    pub async fn run(&mut self) {
        let mut warned = false;
        loop {
            let room = self.running.len() < AT_ONCE;
            if !room && !warned {
                warn!("{AT_ONCE} notify scripts run at once: no more are started until one ends");
            }
            warned = !room;
            tokio::select! {
                () = self.cursor.ready(&self.registry.transitions, 0), if room => self.take(),
                Some(()) = self.running.next() => {}
            }
        }
    }

    /// Starts what is still in the stream and waits for everything that runs; whoever calls it sets the limit.
    pub async fn finish(&mut self) {
        while self.cursor.position() <= self.registry.transitions.newest() {
            self.take();
        }
        while self.running.next().await.is_some() {}
    }

    /// Kills what still runs.
    pub async fn kill(&mut self) {
        self.stop.send_replace(true);
        while self.running.next().await.is_some() {}
    }

    /// Takes one transition from the stream.
    fn take(&mut self) {
        let lost = self.cursor.catch_up(&self.registry.transitions);
        if lost > 0 {
            warn!("notify scripts missed {lost} transitions: too many scripts do not end");
        }
        let Some(transition) = self.cursor.peek(&self.registry.transitions) else {
            return;
        };
        self.cursor.advance_past(transition.seq);
        let topology = self.registry.topology();
        let Subject::Instance { index, .. } = &transition.subject;
        let Some(row) = topology.instances.get(*index as usize - 1) else {
            return;
        };
        for command in commands(&row.config.notify, &transition) {
            self.start(&command);
        }
    }

    fn start(&mut self, command: &Command<'_>) {
        let Command { script, extra } = command;
        let shown = script.shown.clone();
        let owner = script.user.as_ref().map(|user| Owner { uid: user.uid, gid: user.gid });
        let mut child = match process::spawn(&script.argv, Some(&script.path), owner, extra) {
            Ok(child) => child,
            Err(error) => return warn!("notify script {shown}: {error}"),
        };
        let mut stop = self.stop.subscribe();
        self.running.push(Box::pin(async move {
            let ended = tokio::select! {
                ended = child.wait() => ended,
                _ = stop.wait_for(|stop| *stop) => {
                    warn!("notify script {shown} still runs: killed");
                    if let Err(error) = child.signal_group(Signal::Kill) {
                        warn!("{error}");
                    }
                    child.wait().await
                }
            };
            match ended {
                Ok(ExitKind::Exited(0)) => debug!("notify script {shown} ended"),
                Ok(ExitKind::Exited(status)) => warn!("notify script {shown} exited with status {status}"),
                Ok(ExitKind::Signalled(signal)) => {
                    warn!("notify script {shown} was killed by signal {signal}")
                }
                Err(error) => warn!("{error}"),
            }
        }));
    }
}
