//! Scripts as child processes: tracked scripts and notify scripts.
//!
//! Used on the manage lane only; nothing here is needed, or waited for, by VRRP. When to run a script, how
//! long to wait and whom to signal is decided elsewhere.

use std::{
    ffi::OsStr,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal as NixSignal, killpg},
    unistd::Pid,
};

use super::{KernelError, sys};

/// Variables that would let the daemon's environment change what a script does.
const NOT_INHERITED: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// The user a script runs as (`script_user`, `user`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Primary group id; there are no supplementary groups.
    pub gid: u32,
}

/// What a process group is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End in order (SIGTERM).
    Terminate,
    /// End now (SIGKILL).
    Kill,
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// By itself, with this exit status, 0..=255.
    Exited(i32),
    /// By this signal number.
    Signalled(i32),
}

impl From<ExitStatus> for ExitKind {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            // wait(2) reports nothing else: stopped children are not asked for.
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

/// A running script, leader of its own process group. Dropping it leaves it running.
#[derive(Debug)]
pub struct Child {
    child: tokio::process::Child,
    /// The process group; `None` once the leader is reaped, as its number may then be used again.
    group: Option<Pid>,
    /// Somebody wants the group gone.
    told_to_end: bool,
    name: String,
}

/// Starts a script without a shell: `argv`, then `extra` (the arguments of `notify`), with /dev/null for
/// its standard streams, the daemon's environment less IFS, LD_PRELOAD and LD_LIBRARY_PATH, and SIGTERM
/// when the thread that started it ends.
///
/// `path` is the file to run where it is not found by `argv[0]` (as is, or along PATH). Fails as execve(2)
/// does: ENOENT, EACCES, ENOEXEC; EINVAL for an empty `argv`. Needs a tokio runtime with I/O enabled.
pub fn spawn<S: AsRef<OsStr>>(
    argv: &[S],
    path: Option<&Path>,
    owner: Option<Owner>,
    extra: &[S],
) -> Result<Child, KernelError> {
    let Some((first, arguments)) = argv.split_first() else {
        return Err(KernelError::new("starting a script without a name", Errno::EINVAL));
    };
    let name = first.as_ref().to_string_lossy().into_owned();
    let mut command = Command::new(path.map_or(first.as_ref(), Path::as_os_str));
    command.arg0(first).args(arguments).args(extra);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0);
    for variable in NOT_INHERITED {
        command.env_remove(variable);
    }
    if let Some(owner) = owner {
        // Given a uid, a privileged parent also clears the supplementary groups.
        command.gid(owner.gid).uid(owner.uid);
    }
    sys::die_with_parent(&mut command);
    let child = tokio::process::Command::from(command)
        .spawn()
        .map_err(|error| KernelError::from_io(format!("starting {name}"), &error))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    Ok(Child { child, group, told_to_end: false, name })
}

impl Child {
    /// Its process id; `None` once it has been waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Signals the script and everything it started in its group; nothing happens once it has been waited
    /// for.
    pub fn signal_group(&mut self, signal: Signal) -> Result<(), KernelError> {
        self.told_to_end = true;
        let signal = match signal {
            Signal::Terminate => NixSignal::SIGTERM,
            Signal::Kill => NixSignal::SIGKILL,
        };
        match self.group.map(|group| killpg(group, signal)) {
            None | Some(Ok(()) | Err(Errno::ESRCH)) => Ok(()),
            Some(Err(errno)) => Err(KernelError::new(format!("sending {signal} to {}", self.name), errno)),
        }
    }

    /// Waits for the script to end; cancelling it loses nothing. What the script left behind in its group
    /// keeps running, unless the group was signalled: then it is killed here.
    pub async fn wait(&mut self) -> Result<ExitKind, KernelError> {
        let status = self
            .child
            .wait()
            .await
            .map_err(|error| KernelError::from_io(format!("waiting for {}", self.name), &error))?;
        // Directly after the leader is reaped, before its number can come up for another group.
        if let Some(group) = self.group.take()
            && self.told_to_end
        {
            let _already_empty = killpg(group, NixSignal::SIGKILL);
        }
        Ok(ExitKind::from(status))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shell(script: &str, extra: &[&str]) -> Child {
        spawn(&["sh", "-c", script, "script"], None, None, extra).unwrap()
    }

    #[tokio::test]
    async fn the_exit_status_is_reported_as_it_was() {
        assert_eq!(shell("exit 3", &[]).wait().await, Ok(ExitKind::Exited(3)));
        assert_eq!(shell("kill -9 $$", &[]).wait().await, Ok(ExitKind::Signalled(9)));
    }

    #[tokio::test]
    async fn arguments_follow_one_another_and_nothing_is_interpreted() {
        let output = tempfile::NamedTempFile::new().unwrap();
        let path = output.path().to_str().unwrap();
        let argv = ["sh", "-c", r#"printf '%s|' "$@" > "$0""#, path];
        let mut child = spawn(&argv, None, None, &["INSTANCE", "VI $1 `x`", "MASTER", "100"]).unwrap();
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
        assert_eq!(fs::read_to_string(path).unwrap(), "INSTANCE|VI $1 `x`|MASTER|100|");
    }

    #[tokio::test]
    async fn a_script_leads_its_own_group_and_has_no_streams() {
        let mut child = spawn(&["sleep", "600"], None, None, &[]).unwrap();
        let id = child.id().unwrap();
        let streams: Vec<_> =
            (0..3).map(|fd| fs::read_link(format!("/proc/{id}/fd/{fd}")).unwrap()).collect();
        assert_eq!(streams, [Path::new("/dev/null"); 3]);
        let group = nix::unistd::getpgid(Some(Pid::from_raw(id.try_into().unwrap()))).unwrap();
        assert_eq!(group.as_raw().unsigned_abs(), id);
        child.signal_group(Signal::Kill).unwrap();
        assert_eq!(child.wait().await, Ok(ExitKind::Signalled(9)));
        assert_eq!(child.id(), None);
    }

    #[tokio::test]
    async fn the_environment_is_inherited_but_for_what_changes_behaviour() {
        // Cargo sets LD_LIBRARY_PATH for its tests.
        assert!(std::env::var_os("LD_LIBRARY_PATH").is_some(), "run this test with cargo");
        let script = r#"test -n "$PATH" && test -z "${LD_LIBRARY_PATH+set}""#;
        assert_eq!(shell(script, &[]).wait().await, Ok(ExitKind::Exited(0)));
    }

    #[tokio::test]
    async fn an_owner_brings_no_groups_of_roots_along() {
        let owner = Owner { uid: 12_345, gid: 23_456 };
        let script = "test `id -u` = 12345 && test `id -g` = 23456 && test `id -G` = 23456";
        let mut child = spawn(&["sh", "-c", script], None, Some(owner), &[]).expect("this test needs root");
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
    }

    #[tokio::test]
    async fn a_path_decides_the_file_and_argv_its_name() {
        let path = Path::new("/bin/sh");
        let script = r#"test "`tr '\0' '\n' < /proc/$$/cmdline | head -1`" = check"#;
        let mut child = spawn(&["check", "-c", script], Some(path), None, &[]).unwrap();
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_named() {
        let error = spawn(&["/no/such/check"], None, None, &[]).unwrap_err();
        assert_eq!(error.to_string(), "starting /no/such/check: No such file or directory");
        let error = spawn(&["/etc/passwd"], None, None, &[]).unwrap_err();
        assert_eq!(error.errno(), Some(nix::libc::EACCES));
        let nothing: [&str; 0] = [];
        assert_eq!(spawn(&nothing, None, None, &[]).unwrap_err().errno(), Some(nix::libc::EINVAL));
    }

    #[tokio::test]
    async fn a_signal_after_the_end_reaches_nobody() {
        let mut child = shell("exit 0", &[]);
        child.wait().await.unwrap();
        assert_eq!(child.signal_group(Signal::Kill), Ok(()));
    }
}
