//! `MISC_CHECK`: a program that says by its exit status how the server is.

use std::time::Duration;

use tokio::time::timeout;

use super::Outcome;
use crate::{
    config::{NotifyScript, settings::MiscCheck},
    kernel::process::{self, Child, ExitKind, Owner, Signal},
};

/// From the polite signal to the one that cannot be refused, and from that to giving it up.
const TERM_TO_KILL: Duration = Duration::from_secs(2);
/// The statuses that are weights, with `misc_dynamic`: 2 is nothing.
const WEIGHTS: std::ops::RangeInclusive<i32> = 2..=255;

/// A check by a program.
#[derive(Debug)]
pub struct Misc {
    script: Option<Box<NotifyScript>>,
    owner: Option<Owner>,
    limit: Duration,
    /// `misc_dynamic`.
    dynamic: bool,
    /// The weight that the server is configured with.
    weight: i64,
}

impl Misc {
    /// That of a check, of a server of this weight.
    pub(super) fn new(check: &MiscCheck, weight: u32) -> Self {
        let script = check.misc_path.as_ref().and_then(|line| line.script.clone());
        let owner = script.as_ref().and_then(|script| script.user.as_ref());
        Self {
            owner: owner.map(|user| Owner::new(user.uid, user.gid).with_groups(user.has_groups)),
            script,
            limit: check.misc_timeout.0,
            dynamic: check.misc_dynamic,
            weight: weight.into(),
        }
    }

    pub(super) async fn run(&self) -> Outcome {
        let Some(script) = &self.script else { return Outcome::Untold("there is no such program".into()) };
        let started = process::spawn(&script.argv, Some(&script.path), self.owner.as_ref(), &[]);
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Outcome::Untold(error.to_string()),
        };
        match timeout(self.limit, child.wait()).await {
            Ok(Ok(ended)) => self.judge(&ended),
            Ok(Err(error)) => Outcome::Untold(error.to_string()),
            Err(_) => {
                end(&mut child).await;
                Outcome::Failed(format!("timed out after {:?}", self.limit))
            }
        }
    }

    fn judge(&self, ended: &ExitKind) -> Outcome {
        match ended {
            ExitKind::Exited(0) => Outcome::Passed { adds: 0 },
            ExitKind::Exited(status) if self.dynamic && WEIGHTS.contains(status) => {
                Outcome::Passed { adds: i64::from(*status) - 2 - self.weight }
            }
            how => Outcome::Failed(how.to_string()),
        }
    }
}

/// Ends a program that takes too long, with all that it has started.
async fn end(child: &mut Child) {
    // One that cannot be signalled has ended, or is another user's and is left.
    for signal in [Signal::Terminate, Signal::Kill] {
        if child.signal_group(signal).is_err() || timeout(TERM_TO_KILL, child.wait()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misc(argv: &[&str], dynamic: bool) -> Misc {
        let script = NotifyScript {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            path: argv[0].into(),
            shown: String::new(),
            user: None,
        };
        let limit = Duration::from_millis(200);
        Misc { script: Some(Box::new(script)), owner: None, limit, dynamic, weight: 10 }
    }

    #[test]
    fn statuses_are_weights_where_that_is_asked_for() {
        let judge = |dynamic, status| misc(&["/bin/true"], dynamic).judge(&ExitKind::Exited(status));
        assert_eq!(judge(false, 0), Outcome::Passed { adds: 0 });
        assert!(matches!(judge(false, 4), Outcome::Failed(_)));
        assert!(matches!(judge(true, 1), Outcome::Failed(_)));
        let adds = [0, 2, 4, 12, 255].map(|status| judge(true, status));
        assert_eq!(adds, [0, -10, -8, 0, 243].map(|adds| Outcome::Passed { adds }));
        let killed = misc(&["/bin/true"], true).judge(&ExitKind::Signalled(9));
        assert!(matches!(killed, Outcome::Failed(_)));
    }

    #[tokio::test]
    async fn a_program_runs_to_its_end_or_to_its_time() {
        assert_eq!(misc(&["/bin/true"], false).run().await, Outcome::Passed { adds: 0 });
        assert!(matches!(misc(&["/bin/false"], false).run().await, Outcome::Failed(_)));
        let endless = misc(&["/bin/sleep", "600"], false).run().await;
        assert!(matches!(&endless, Outcome::Failed(why) if why.contains("timed out")), "{endless:?}");
        assert!(matches!(misc(&["/no/such/program"], false).run().await, Outcome::Untold(_)));
    }
}
