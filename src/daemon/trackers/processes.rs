//! Following tracked processes: one thread that hears of their coming and going, or else counts them every second.

use std::{io, sync::Arc, time::Duration};

use tracing::{error, info, warn};

use super::ToEngine;
use crate::{
    config::{Global, tracking::Tracker},
    kernel::{
        Deadline, KernelError, ProcessEvent, ProcessEvents, clock,
        process_events::ReceiveBuffer,
        procfs::{self, ProcessInfo},
    },
    registry::{Followed, ProcessRow, ProcessStatus},
    track::{Census, Image, ProcessVerdict},
    units::Time,
};

/// From one count to the next where the kernel does not report.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What is followed, and how.
struct Follower {
    rows: Vec<Arc<ProcessRow>>,
    census: Census,
    events: Option<ProcessEvents>,
    /// When to count all of them.
    count_at: Option<Time>,
}

/// `process_monitor_rcv_bufs` and `process_monitor_rcv_bufs_force`.
pub(super) fn receive_buffer(global: &Global) -> ReceiveBuffer {
    ReceiveBuffer {
        bytes: global.settings.process_monitor_rcv_bufs,
        force: *global.settings.process_monitor_rcv_bufs_force,
    }
}

/// Follows the processes of these rows for ever.
pub(super) fn run(rows: Vec<Arc<ProcessRow>>, engine: &ToEngine, buffer: ReceiveBuffer) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| {
        runtime.block_on(async {
            let events = report(ProcessEvents::open(buffer).await);
            let census = Census::new(rows.iter().map(|row| row.config.clone()).collect());
            Follower { rows, census, events, count_at: Some(clock::now()) }.follow(engine, buffer).await
        })
    });
    if let Err(error) = ended {
        error!("tracked processes are not followed any more: {error}");
    }
}

/// Says so when the kernel does not report, since it costs a look at every process every second.
fn report(opened: Result<ProcessEvents, KernelError>) -> Option<ProcessEvents> {
    match opened {
        Ok(events) => Some(events),
        Err(error) => {
            warn!("{error}: tracked processes are counted every second instead");
            None
        }
    }
}

impl Follower {
    async fn follow(mut self, engine: &ToEngine, buffer: ReceiveBuffer) -> io::Result<()> {
        let mut deadline = Deadline::new()?;
        loop {
            while let Some(verdict) = self.census.poll_action() {
                self.publish(verdict, engine).await;
            }
            deadline.set([self.census.poll_timeout(), self.count_at].into_iter().flatten().min())?;
            tokio::select! {
                expired = deadline.expired() => expired?,
                event = next(&mut self.events) => match event {
                    Ok(event) => self.take(event),
                    Err(error) => {
                        warn!("{error}: subscribing anew");
                        self.events = report(ProcessEvents::open(buffer).await);
                        self.count_at = Some(clock::now());
                    }
                },
            }
            let now = clock::now();
            self.census.handle_timeout(now);
            if self.count_at.is_some_and(|at| at <= now) {
                self.count(now)?;
            }
        }
    }

    fn take(&mut self, event: ProcessEvent) {
        let now = clock::now();
        match event {
            ProcessEvent::Forked { parent, child } => self.census.handle_fork(now, parent, child),
            ProcessEvent::Ended(pid) => self.census.handle_exit(now, pid),
            ProcessEvent::Changed(pid) => match procfs::process(pid, self.census.needs_command_lines()) {
                Some(process) => self.census.handle_image(now, pid, &image(process)),
                None => self.census.handle_exit(now, pid),
            },
            ProcessEvent::Overrun => self.count_at = Some(now),
        }
    }

    /// Looks at every process.
    fn count(&mut self, now: Time) -> io::Result<()> {
        let all = procfs::processes(self.census.needs_command_lines())?;
        self.census.handle_all(now, all.into_iter().map(|process| (process.pid, image(process))));
        self.count_at = self.events.is_none().then(|| now + POLL_INTERVAL);
        Ok(())
    }

    async fn publish(&self, verdict: ProcessVerdict, engine: &ToEngine) {
        let row = &self.rows[verdict.process];
        row.set_status(ProcessStatus {
            count: verdict.count,
            healthy: Some(verdict.healthy),
            followed: if self.events.is_some() { Followed::Reported } else { Followed::Polled },
            at: Some(clock::now()),
        });
        if verdict.changed {
            let turn = if verdict.healthy { "gained" } else { "lost" };
            info!("Quorum {turn} for tracked process {} ({})", row.config.name, verdict.detail);
            engine.send(Tracker::Process(verdict.process), verdict.observation()).await;
        }
    }
}

/// The next event; never where there are none.
async fn next(events: &mut Option<ProcessEvents>) -> Result<ProcessEvent, KernelError> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

fn image(process: ProcessInfo) -> Image {
    Image { name: process.name, command_line: process.command_line }
}
