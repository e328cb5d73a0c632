//! `startup_script` and `shutdown_script`: run once, before the engine and after it, within their time.

use std::time::Duration;

use tracing::{info, warn};

use crate::{
    config::NotifyScript,
    kernel::{
        Deadline, KernelError, clock,
        process::{self, Child, ExitKind, Owner, Signal},
    },
};

/// From the polite end of a script that takes too long to the other one.
const GRACE: Duration = Duration::from_secs(2);

/// A script and how long it may take.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The keyword.
    pub(super) name: &'static str,
    pub(super) command: NotifyScript,
    pub(super) limit: Duration,
}

impl Script {
    /// Runs it. What comes of it is only told: as with keepalived, nothing depends on it.
    pub(super) async fn run(&self) {
        let Self { name, limit, .. } = self;
        match self.outcome().await {
            Ok(Some(ExitKind::Exited(0))) => info!("{name} is done"),
            Ok(Some(end)) => warn!("{name} {end}"),
            Ok(None) => warn!("{name} took longer than {} s and was ended", limit.as_secs()),
            Err(error) => warn!("{name}: {error}"),
        }
    }

    /// How it ended; `None` when it had to be ended.
    async fn outcome(&self) -> Result<Option<ExitKind>, KernelError> {
        let NotifyScript { argv, path, user, .. } = &self.command;
        let owner = user.as_ref().map(|user| Owner::new(user.uid, user.gid).with_groups(user.has_groups));
        let mut child = process::spawn(argv, Some(path), owner.as_ref(), &[])?;
        if let Some(end) = end_within(&mut child, self.limit).await? {
            return Ok(Some(end));
        }
        child.signal_group(Signal::Terminate)?;
        if end_within(&mut child, GRACE).await?.is_none() {
            child.signal_group(Signal::Kill)?;
            child.wait().await?;
        }
        Ok(None)
    }
}

async fn end_within(child: &mut Child, limit: Duration) -> Result<Option<ExitKind>, KernelError> {
    let timer = |error| KernelError::from_io("opening a timer", &error);
    let mut deadline = Deadline::new().map_err(timer)?;
    deadline.set(Some(clock::now() + limit)).map_err(timer)?;
    tokio::select! {
        end = child.wait() => end.map(Some),
        _ = deadline.expired() => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str, limit: Duration) -> Script {
        let argv = ["sh", "-c", text].map(str::to_owned).to_vec();
        let command = NotifyScript { argv, path: "/bin/sh".into(), shown: String::new(), user: None };
        Script { name: "startup_script", command, limit }
    }

    #[tokio::test]
    async fn a_script_is_waited_for() {
        let outcome = script("exit 3", Duration::from_secs(60)).outcome().await;
        assert_eq!(outcome, Ok(Some(ExitKind::Exited(3))));
    }

    #[tokio::test]
    async fn one_that_takes_too_long_is_ended() {
        assert_eq!(script("sleep 600", Duration::from_millis(50)).outcome().await, Ok(None));
    }
}
