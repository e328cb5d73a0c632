//! `MISC_CHECK`: a program that says by its exit status how the server is.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
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
    /// What an earlier try has started and could not end.
    left: Arc<Mutex<Option<Child>>>,
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
            left: Arc::default(),
        }
    }

    /// Goes on where another one was: nothing is started beside what that could not end.
    pub(super) fn succeed(&mut self, before: &Self) {
        self.left = Arc::clone(&before.left);
    }

    pub(super) async fn run(&self) -> Outcome {
        let Some(script) = &self.script else { return Outcome::Untold("there is no such program".into()) };
        if self.is_still_there() {
            return Outcome::Failed("the program of an earlier try is still there".into());
        }
        let started = process::spawn(&script.argv, Some(&script.path), self.owner.as_ref(), &[]);
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Outcome::Untold(error.to_string()),
        };
        match timeout(self.limit, child.wait()).await {
            Ok(Ok(ended)) => self.judge(&ended),
            Ok(Err(error)) => Outcome::Untold(error.to_string()),
            Err(_) => {
                let ended = end(&mut child).await;
                let after = format!("timed out after {:?}", self.limit);
                let Err(why) = ended else { return Outcome::Failed(after) };
                *self.left() = Some(child);
                Outcome::Failed(format!("{after}, and {why}"))
            }
        }
    }

    fn left(&self) -> MutexGuard<'_, Option<Child>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is, of what was to be ended before.
    fn is_still_there(&self) -> bool {
        let mut left = self.left();
        // Reaped when it has ended.
        left.take_if(|child| child.wait().now_or_never().is_some());
        left.is_some()
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

/// Ends a program that takes too long, with all that it has started; says why it has not ended.
async fn end(child: &mut Child) -> Result<(), String> {
    for signal in [Signal::Terminate, Signal::Kill] {
        child.signal_group(signal).map_err(|error| error.to_string())?;
        if timeout(TERM_TO_KILL, child.wait()).await.is_ok() {
            return Ok(());
        }
    }
    Err("it does not end".into())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::kernel::{
        clock, rest,
        unprivileged::{self, CAP_SETGID, CAP_SETUID},
    };

    fn misc(argv: &[&str], dynamic: bool) -> Misc {
        let script = NotifyScript {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            path: argv[0].into(),
            shown: String::new(),
            user: None,
        };
        let limit = Duration::from_millis(200);
        Misc { script: Some(Box::new(script)), owner: None, limit, dynamic, weight: 10, left: Arc::default() }
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

    #[test]
    fn nothing_is_started_beside_what_cannot_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let begun = folder.path().join("begun");
        let end = folder.path().join("end");
        let script =
            r#"echo >> "$0/begun"; for i in `seq 600`; do test -e "$0/end" && exit; sleep 0.1; done"#;
        let folder = folder.path().to_str().unwrap().to_owned();
        unprivileged::with(12_000, &[CAP_SETGID, CAP_SETUID], move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let owner = Some(Owner::new(12_345, 23_456));
            let misc = || Misc { owner: owner.clone(), ..misc(&["/bin/sh", "-c", script, &folder], false) };
            // The runtime has to have a moment to hear of an end.
            let tried = async |misc: &Misc| {
                rest(Duration::from_millis(10)).await;
                misc.run().await
            };
            let failed = |misc: &Misc| match runtime.block_on(tried(misc)) {
                Outcome::Failed(why) => Some(why),
                Outcome::Passed { .. } => None,
                Outcome::Untold(why) => panic!("{why}"),
            };
            let first = misc();
            let why = failed(&first).unwrap();
            assert!(why.contains("timed out after 200ms") && why.contains("needs CAP_KILL"), "{why}");
            let mut next = misc();
            next.succeed(&first);
            for misc in [&first, &next] {
                assert_eq!(failed(misc).unwrap(), "the program of an earlier try is still there");
            }
            assert_eq!(fs::read_to_string(&begun).unwrap(), "\n", "it was started once");
            fs::write(end, "").unwrap();
            let deadline = clock::now() + Duration::from_secs(20);
            while failed(&next).is_some() {
                assert!(clock::now() < deadline);
            }
            assert_eq!(fs::read_to_string(&begun).unwrap(), "\n\n");
        });
    }
}
