//! Following tracked processes: one thread that hears of their coming and going, or else counts them every second.

use std::{convert::Infallible, io, os::unix::net::UnixStream, sync::Arc, time::Duration};

use tracing::{info, warn};

use super::ToEngine;
use crate::{
    config::{Global, tracking::Tracker},
    kernel::{
        Deadline, KernelError, ProcessEvent, ProcessEvents, ReceiveBuffer, clock,
        procfs::{self, ProcessInfo},
    },
    registry::{Followed, ProcessRow, ProcessStatus},
    track::{Census, Finding, Image, Observation, ProcessVerdict},
    units::{Allowance, Time},
};

/// From one count to the next where the kernel does not report.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Lines in a row about quorums: whoever starts and ends processes has them gained and lost as often as they like.
const LINES: u32 = 20;
/// From one to the next after that.
const PACE: Duration = Duration::from_secs(10);

/// What is followed, and how.
struct Follower<S, F> {
    rows: Vec<Arc<ProcessRow>>,
    census: Census,
    /// Subscribes.
    open: F,
    events: Option<S>,
    /// When to subscribe anew.
    subscribe_at: Option<Time>,
    /// When to count all of them.
    count_at: Option<Time>,
    /// What was wrong with the subscription at last, so that it is said once.
    problem: Option<String>,
    /// What may still be said of quorums, and what was not.
    lines: Allowance,
    left_out: u64,
}

/// What reports processes.
trait Subscription {
    /// The next event; an error is the end.
    async fn next(&mut self) -> Result<ProcessEvent, KernelError>;
}

impl Subscription for ProcessEvents {
    async fn next(&mut self) -> Result<ProcessEvent, KernelError> {
        ProcessEvents::next(self).await
    }
}

/// `process_monitor_rcv_bufs` and `process_monitor_rcv_bufs_force`.
pub(super) fn receive_buffer(global: &Global) -> ReceiveBuffer {
    ReceiveBuffer {
        bytes: global.settings.process_monitor_rcv_bufs,
        force: *global.settings.process_monitor_rcv_bufs_force,
    }
}

/// Follows the processes of these rows until the other end of `end` is closed.
///
/// # Errors
/// What has gone wrong that it cannot do without.
pub(super) fn follow(
    rows: &[Arc<ProcessRow>],
    engine: &ToEngine,
    buffer: ReceiveBuffer,
    end: UnixStream,
) -> io::Result<()> {
    end.set_nonblocking(true)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let end = tokio::net::UnixStream::from_std(end)?;
        let open = async || ProcessEvents::open(buffer).await;
        tokio::select! {
            Err(error) = Follower::new(rows.to_vec(), open).follow(engine) => Err(error),
            // Nothing is ever sent.
            ended = end.readable() => ended,
        }
    })
}

/// Nobody follows these processes for the moment: they count as if there were not as many as there should be.
pub(super) fn lose(rows: &[Arc<ProcessRow>], engine: &ToEngine, why: &str) {
    if engine.is_over() {
        return;
    }
    for (position, row) in rows.iter().enumerate() {
        let followed = row.status().followed;
        let (problem, at) = (Some(why.to_owned()), Some(clock::now()));
        row.set_status(ProcessStatus { count: 0, healthy: Some(false), followed, problem, at });
        let detail = format!("cannot be counted ({why})");
        engine.tell(
            (Tracker::Process(position), &row.config.name),
            Observation { finding: Finding::Failed, detail },
        );
    }
}

impl<S: Subscription, F: AsyncFnMut() -> Result<S, KernelError>> Follower<S, F> {
    fn new(rows: Vec<Arc<ProcessRow>>, open: F) -> Self {
        let census = Census::new(rows.iter().map(|row| row.config.clone()).collect());
        Self {
            rows,
            census,
            open,
            events: None,
            subscribe_at: None,
            count_at: None,
            problem: None,
            lines: Allowance::new(LINES, PACE),
            left_out: 0,
        }
    }

    async fn follow(mut self, engine: &ToEngine) -> io::Result<Infallible> {
        let mut deadline = Deadline::new()?;
        self.subscribe().await;
        loop {
            while let Some(verdict) = self.census.poll_action() {
                self.publish(verdict, engine).await;
            }
            let due = [self.census.poll_timeout(), self.subscribe_at, self.count_at];
            deadline.set(due.into_iter().flatten().min())?;
            tokio::select! {
                expired = deadline.expired() => expired?,
                event = next(&mut self.events) => match event {
                    Ok(event) => {
                        self.problem = None;
                        self.take(event);
                    }
                    Err(error) => self.end_subscription(&error),
                },
            }
            let now = clock::now();
            self.census.handle_timeout(now);
            if self.subscribe_at.is_some_and(|at| at <= now) {
                self.subscribe().await;
            }
            if self.count_at.is_some_and(|at| at <= now) {
                self.count(now)?;
            }
        }
    }

    /// Subscribes, then counts. Where the kernel does not report, it is said, since it costs a look at every process
    /// every second.
    async fn subscribe(&mut self) {
        self.subscribe_at = None;
        match (self.open)().await {
            Ok(events) => self.events = Some(events),
            Err(error) => self.say(format!("{error}: tracked processes are counted every second instead")),
        }
        self.count_at = Some(clock::now());
    }

    /// Until there is another subscription, in a second, they are counted.
    fn end_subscription(&mut self, error: &KernelError) {
        self.say(format!("{error}: subscribing anew"));
        let now = clock::now();
        self.events = None;
        self.subscribe_at = Some(now + POLL_INTERVAL);
        self.count_at = Some(now);
    }

    fn say(&mut self, problem: String) {
        if self.problem.as_ref() != Some(&problem) {
            warn!("{problem}");
            self.problem = Some(problem);
        }
    }

    fn take(&mut self, event: ProcessEvent) {
        let now = clock::now();
        match event {
            ProcessEvent::Forked { parent, child } => self.census.handle_fork(now, parent, child),
            ProcessEvent::Ended(pid) => self.census.handle_exit(now, pid),
            ProcessEvent::Changed(pid) => match procfs::process(pid, self.census.command_line_bytes()) {
                Some(process) => self.census.handle_image(now, pid, &image(process)),
                None => self.census.handle_exit(now, pid),
            },
            ProcessEvent::Overrun => self.count_at = Some(now),
        }
    }

    /// Looks at every process.
    fn count(&mut self, now: Time) -> io::Result<()> {
        let mut outcome = Ok(());
        let all = procfs::processes(self.census.command_line_bytes())?
            .map_while(|process| process.map_err(|error| outcome = Err(error)).ok());
        self.census.handle_all(now, all.map(|process| (process.pid, image(process))));
        self.count_at = self.events.is_none().then(|| now + POLL_INTERVAL);
        outcome
    }

    async fn publish(&mut self, verdict: ProcessVerdict, engine: &ToEngine) {
        if engine.is_over() {
            return;
        }
        let row = Arc::clone(&self.rows[verdict.process]);
        row.set_status(ProcessStatus {
            count: verdict.count,
            healthy: Some(verdict.healthy),
            followed: if self.events.is_some() { Followed::Reported } else { Followed::Polled },
            problem: None,
            at: Some(clock::now()),
        });
        if verdict.changed {
            self.say_quorum(&row, &verdict);
            let tracker = Tracker::Process(verdict.process);
            engine.send((tracker, &row.config.name), verdict.observation()).await;
        }
    }
}

impl<S, F> Follower<S, F> {
    fn say_quorum(&mut self, row: &ProcessRow, verdict: &ProcessVerdict) {
        if !self.lines.take(clock::now()) {
            self.left_out += 1;
            return;
        }
        let turn = if verdict.healthy { "gained" } else { "lost" };
        info!("Quorum {turn} for tracked process {} ({})", row.config.name, verdict.detail);
        if self.left_out > 0 {
            info!(
                "{} lines about tracked processes were left out before",
                std::mem::take(&mut self.left_out)
            );
        }
    }
}

/// The next event; never where there are none.
async fn next(events: &mut Option<impl Subscription>) -> Result<ProcessEvent, KernelError> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

fn image(process: ProcessInfo) -> Image {
    Image { name: process.name, command_line: process.command_line }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::{config::tracking::Matching, daemon::engine::Command, track::testing::process};

    /// Ends at once.
    struct Broken;

    impl Subscription for Broken {
        async fn next(&mut self) -> Result<ProcessEvent, KernelError> {
            Err(KernelError::other("following processes", "it ends at once"))
        }
    }

    fn row() -> Arc<ProcessRow> {
        Arc::new(ProcessRow::new(1, process(&["no such process"], Matching::Name)))
    }

    #[tokio::test]
    async fn a_subscription_that_keeps_failing_is_made_anew_every_second() {
        const SUBSCRIPTIONS: u32 = 3;
        let (sender, mut commands) = mpsc::channel(16);
        let (engine, row, begun) = (ToEngine::of(&sender), row(), clock::now());
        let (made, mut enough) = mpsc::channel(SUBSCRIPTIONS as usize);
        let open = async || {
            let _ = made.try_send(());
            Ok(Broken)
        };
        let following = Follower::new(vec![Arc::clone(&row)], open).follow(&engine);
        let subscribed = async {
            for _ in 0..SUBSCRIPTIONS {
                enough.recv().await;
            }
        };
        let limited = tokio::time::timeout(POLL_INTERVAL * 30, subscribed);
        tokio::select! {
            ended = following => panic!("{ended:?}"),
            in_time = limited => in_time.unwrap(),
        }
        let least = begun + POLL_INTERVAL * (SUBSCRIPTIONS - 1);
        assert!(clock::now() >= least, "{SUBSCRIPTIONS} subscriptions without a pause");
        // Meanwhile they are counted.
        assert!(matches!(commands.try_recv(), Ok(Command::Observed { .. })));
        assert_eq!((row.status().count, row.status().healthy), (0, Some(false)));
    }

    #[test]
    fn processes_that_nobody_follows_count_as_missing_with_the_reason() {
        let (sender, mut commands) = mpsc::channel(1);
        let row = row();
        lose(&[Arc::clone(&row)], &ToEngine::of(&sender), "why");
        let status = row.status();
        assert_eq!((status.healthy, status.problem.as_deref()), (Some(false), Some("why")));
        let Ok(Command::Observed { tracker, observation, .. }) = commands.try_recv() else {
            panic!("the engine hears nothing");
        };
        assert_eq!((tracker, observation.finding), (Tracker::Process(0), Finding::Failed));
        assert_eq!(observation.detail, "cannot be counted (why)");
    }
}
