//! Limits of resources that the daemon changes for itself (getrlimit(2)), and what they were before: whoever it starts has
//! those.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// Those that are changed.
const CHANGED: [Resource; 3] = [Resource::RLIMIT_NOFILE, Resource::RLIMIT_CORE, Resource::RLIMIT_RTTIME];

static BEFORE: OnceLock<Limits> = OnceLock::new();

/// Limits of resources.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits([Limit; CHANGED.len()]);

/// A soft limit, and the hard one, which it cannot exceed.
type Limit = (rlim_t, rlim_t);

impl Limits {
    fn now() -> nix::Result<Self> {
        let mut limits = [(0, 0); CHANGED.len()];
        for (limit, resource) in limits.iter_mut().zip(CHANGED) {
            *limit = getrlimit(resource)?;
        }
        Ok(Self(limits))
    }

    /// Has the calling process go by them. Async-signal-safe.
    pub(super) fn restore(&self) -> nix::Result<()> {
        CHANGED
            .into_iter()
            .zip(self.0)
            .try_for_each(|(resource, (soft, hard))| setrlimit(resource, soft, hard))
    }
}

/// Gives this process another limit: `to` makes it of the one that there is. Which soft one it has then.
pub(super) fn change(resource: Resource, to: impl FnOnce(Limit) -> Limit) -> nix::Result<rlim_t> {
    if BEFORE.get().is_none() {
        // Whoever is first knows what was before.
        let _ = BEFORE.set(Limits::now()?);
    }
    let (soft, hard) = to(getrlimit(resource)?);
    setrlimit(resource, soft, hard)?;
    Ok(soft)
}

/// What they were before the first change; `None` as long as there was none.
pub(super) fn before() -> Option<Limits> {
    BEFORE.get().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::process::{ExitKind, spawn};

    #[tokio::test]
    async fn a_script_has_the_limits_that_this_process_was_started_with() {
        change(Resource::RLIMIT_NOFILE, |(_, hard)| (hard, hard)).unwrap();
        change(Resource::RLIMIT_CORE, |(_, hard)| (hard, hard)).unwrap();
        let [(soft, hard), (core, _), _] = before().unwrap().0;
        let core =
            if core == nix::libc::RLIM_INFINITY { "unlimited".to_owned() } else { (core / 512).to_string() };
        let script = format!("test \"$(ulimit -Sn) $(ulimit -Hn) $(ulimit -Sc)\" = '{soft} {hard} {core}'");
        let mut child = spawn(&["sh", "-c", &script], None, None, &[]).unwrap();
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)), "{script}");
    }
}
