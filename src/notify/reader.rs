//! The script that reads a FIFO: started with its path, started again when it ends, and ended with the daemon.

use std::{collections::VecDeque, future::pending, time::Duration};

use tracing::{info, warn};

use crate::{
    config::NotifyScript,
    kernel::{
        Deadline, clock,
        process::{self, Child, Owner, Signal},
    },
    units::Time,
};

/// From the end of a script to its next start, when it has run for long.
const SOONEST: Duration = Duration::from_secs(1);
/// The longest time from one start to the next, and how long a script has to run to be started again soon.
const LATEST: Duration = Duration::from_mins(1);
/// How long a script may take to come to the end of its FIFO before it is told to end.
const READS_ON: Duration = Duration::from_millis(500);
/// How long it may take to end when it has been told to.
const ENDS: Duration = Duration::from_millis(250);

/// When a script that ends is started again: later and later, if it does not run for long.
#[derive(Clone, Copy, Debug)]
struct Pace(Duration);

impl Pace {
    /// The next start of a script that ran so long and ended now.
    fn next(&mut self, ran: Duration, now: Time) -> Time {
        let wait = if ran >= LATEST { SOONEST } else { self.0 };
        self.0 = (wait * 2).min(LATEST);
        now + wait
    }
}

/// A script and what is known of its runs.
pub(super) struct Reader {
    script: NotifyScript,
    owner: Option<Owner>,
    path: String,
    child: Option<Child>,
    started: Time,
    pace: Pace,
    due: Deadline,
}

impl Reader {
    /// The reader of the FIFO at `path`, to be started at once.
    pub(super) fn new(script: NotifyScript, path: String) -> std::io::Result<Self> {
        let mut due = Deadline::new()?;
        let now = clock::now();
        due.set(Some(now))?;
        let owner =
            script.user.as_ref().map(|user| Owner::new(user.uid, user.gid).with_groups(user.has_groups));
        Ok(Self { script, owner, path, child: None, started: now, pace: Pace(SOONEST), due })
    }

    /// Keeps it running, for ever. Cancelling it loses nothing.
    pub(super) async fn run(&mut self) {
        loop {
            if let Some(child) = &mut self.child {
                let ended = child.wait().await;
                self.child = None;
                let how = ended.map_or_else(|error| format!("is lost: {error}"), |ended| ended.to_string());
                self.wait_for_next_start(&how);
            } else if self.due.expired().await.is_ok() {
                self.start();
            } else {
                // Without a timer there is nothing to start it by.
                pending::<()>().await;
            }
        }
    }

    fn start(&mut self) {
        let Self { script, owner, path, .. } = self;
        self.started = clock::now();
        match process::spawn(&script.argv, Some(&script.path), owner.as_ref(), std::slice::from_ref(path)) {
            Ok(child) => {
                info!("FIFO script {} reads {path}", script.shown);
                self.child = Some(child);
            }
            Err(error) => self.wait_for_next_start(&format!("does not run: {error}")),
        }
    }

    fn wait_for_next_start(&mut self, why: &str) {
        let now = clock::now();
        let next = self.pace.next(now.since(self.started), now);
        let wait = next.since(now).as_secs();
        let script = &self.script.shown;
        match self.due.set(Some(next)) {
            Ok(()) => warn!("FIFO script {script} {why}; it is started again in {wait} s"),
            Err(error) => warn!("FIFO script {script} {why}; it is not started again: {error}"),
        }
    }

    /// Waits for it to end, as a reader does that has come to the end of its FIFO, then tells it to.
    pub(super) async fn finish(&mut self) {
        let Self { script, child, due, .. } = self;
        let Some(child) = child else { return };
        let mut steps = VecDeque::from([(READS_ON, Signal::Terminate), (ENDS, Signal::Kill)]);
        while let Some((patience, signal)) = steps.pop_front() {
            if due.set(Some(clock::now() + patience)).is_ok() {
                tokio::select! {
                    _ = child.wait() => break,
                    _ = due.expired() => {}
                }
            }
            if let Err(error) = child.signal_group(signal) {
                warn!("FIFO script {}: {error}", script.shown);
            }
        }
        let _ended = child.wait().await;
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        if let Some(child) = &mut self.child
            && let Err(error) = child.signal_group(Signal::Kill)
        {
            warn!("FIFO script {}: {error}", self.script.shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_does_not_last_is_started_more_and_more_seldom() {
        let mut pace = Pace(SOONEST);
        let now = Time::from_secs(1000);
        let mut waits = |ran| pace.next(Duration::from_secs(ran), now).since(now).as_secs();
        let seen: Vec<_> = [0, 0, 59, 1, 1, 1, 1, 1, 60, 0].map(&mut waits).into();
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60, 1, 2]);
    }
}
