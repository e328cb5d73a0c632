//! Scripts as child processes: tracked scripts, notify scripts and programs that check.
//!
//! Used on the manage lane and the check lane; nothing here is needed, or waited for, by VRRP. When to run a script, how
//! long to wait and whom to signal is decided elsewhere.

use std::{
    env,
    ffi::{CString, OsStr, OsString},
    fmt,
    os::unix::{
        ffi::OsStrExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal as NixSignal, killpg},
    unistd::{self, Gid, Pid, Uid, getgrouplist},
};

use super::{KernelError, schedule::Hurry, sys};

/// Variables that would change what a script does, or pass on what was meant for the daemon alone; beside
/// those of the dynamic linker (`LD_…`).
const NOT_INHERITED: [&str; 7] =
    ["IFS", "BASH_ENV", "ENV", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];
/// What a script of another user gets of the daemon's variables, beside the locale (`LC_…`).
const FOR_ANOTHER_USER: [&str; 3] = ["PATH", "LANG", "TZ"];
/// PATH where the daemon has none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The user a script runs as (`script_user`, `user`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    uid: u32,
    gid: u32,
    name: String,
    home: PathBuf,
    /// Supplementary ones.
    groups: Vec<Gid>,
}

impl Owner {
    /// A user id and primary group id; there are no supplementary groups. Looks up the name and home directory
    /// of the account, which may take as long as the name service does, so do it once; an id without account
    /// is called by its number, with `/` as its home.
    pub fn new(uid: u32, gid: u32) -> Self {
        let account = unistd::User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let (name, home) = account
            .map_or_else(|| (uid.to_string(), PathBuf::from("/")), |account| (account.name, account.dir));
        Self { uid, gid, name, home, groups: Vec::new() }
    }

    /// In all groups that the account is a member of, if they are wanted (`set_supplementary_groups`); an id without account
    /// is in none. Asks the name service, too.
    #[must_use]
    pub fn with_groups(mut self, are_wanted: bool) -> Self {
        if are_wanted {
            let groups =
                CString::new(&*self.name).ok().map(|name| getgrouplist(&name, Gid::from_raw(self.gid)));
            self.groups = groups.and_then(Result::ok).unwrap_or_default();
        }
        self
    }

    /// The user and group that the daemon runs as.
    pub fn own() -> Self {
        Self::new(unistd::geteuid().as_raw(), unistd::getegid().as_raw())
    }

    /// The name of the account, or its number.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is not the user that the daemon runs as.
    pub fn is_another_user(&self) -> bool {
        is_another_user(self.uid)
    }
}

/// Whether a user id is not that of the user that the daemon runs as.
pub fn is_another_user(uid: u32) -> bool {
    uid != unistd::geteuid().as_raw()
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

impl fmt::Display for ExitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::Signalled(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
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
/// its standard streams and no other descriptors, none of the daemon's capabilities, and SIGTERM when the
/// thread that started it ends.
///
/// A script of the daemon's own user has the daemon's environment less IFS, LD_*, BASH_ENV, ENV, NOTIFY_SOCKET
/// and LISTEN_*; one of another user only PATH, LANG, LC_* and TZ of it, and HOME, USER, LOGNAME and SHELL.
///
/// `path` is the file to run where it is not found by `argv[0]` (as is, or along PATH). Fails as execve(2)
/// does: ENOENT, EACCES, ENOEXEC; EINVAL for an empty `argv`. Needs a tokio runtime with I/O enabled.
pub fn spawn<S: AsRef<OsStr>>(
    argv: &[S],
    path: Option<&Path>,
    owner: Option<&Owner>,
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
    let another_user = owner.filter(|owner| owner.is_another_user());
    command.env_clear().envs(environment(env::vars_os(), another_user));
    sys::part_from_parent(
        &mut command,
        owner.map(|owner| sys::Identity { uid: owner.uid, gid: owner.gid, groups: owner.groups.clone() }),
    );
    let privilege = owner.map(|_| "CAP_SETUID and CAP_SETGID");
    let hurry = Hurry::begin();
    let spawned = tokio::process::Command::from(command).spawn();
    drop(hurry);
    let child = spawned
        .map_err(|error| KernelError::from_io(format!("starting {name}"), &error).needing(privilege))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    Ok(Child { child, group, told_to_end: false, name })
}

/// Has the program that this command starts go by the limits of resources (getrlimit(2)) that this process was started with,
/// whatever it has changed for itself since.
pub fn restore_limits(command: &mut Command) {
    sys::restore_limits(command);
}

/// Sends a signal, also a real-time one, to a child process that has not been waited for.
///
/// # Errors
/// ESRCH for a process that does not exist, EINVAL for a signal that does not.
pub fn signal_process(process: u32, signal: i32) -> Result<(), KernelError> {
    sys::send_signal(process, signal).map_err(|error| {
        KernelError::from_io(format!("sending signal {signal} to process {process}"), &error)
    })
}

/// The variables of a script, from those that the daemon has.
fn environment(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    another_user: Option<&Owner>,
) -> Vec<(OsString, OsString)> {
    let begins = |name: &OsStr, prefix: &str| name.as_bytes().starts_with(prefix.as_bytes());
    let Some(owner) = another_user else {
        let kept = |name: &OsStr| !begins(name, "LD_") && NOT_INHERITED.iter().all(|not| name != *not);
        return inherited.filter(|(name, _)| kept(name)).collect();
    };
    let kept = |name: &OsStr| begins(name, "LC_") || FOR_ANOTHER_USER.iter().any(|kept| name == *kept);
    let mut variables: Vec<_> = inherited.filter(|(name, _)| kept(name)).collect();
    if variables.iter().all(|(name, _)| name != "PATH") {
        variables.push(("PATH".into(), DEFAULT_PATH.into()));
    }
    variables.extend([
        ("HOME".into(), owner.home.clone().into()),
        ("USER".into(), owner.name.clone().into()),
        ("LOGNAME".into(), owner.name.clone().into()),
        ("SHELL".into(), "/bin/sh".into()),
    ]);
    variables
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
            Some(Err(errno)) => Err(KernelError::new(format!("sending {signal} to {}", self.name), errno)
                .needing(Some("CAP_KILL"))),
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
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{
        sys::unprivileged::{self, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SETGID, CAP_SETUID},
        *,
    };

    /// What a daemon that is not root is given.
    const GIVEN: &[u32] = &[CAP_SETGID, CAP_SETUID, CAP_NET_ADMIN, CAP_NET_RAW];
    const DAEMON: u32 = 12_000;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// The lines of /proc/self/status of a script that such a daemon starts which begin with one of `words`,
    /// without them.
    fn status_under_unprivileged_daemon(owner: Option<Owner>, words: &'static [&str]) -> Vec<String> {
        let output = tempfile::tempdir().unwrap();
        fs::set_permissions(output.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let file = output.path().join("status");
        let path = file.to_str().unwrap().to_owned();
        let ended = unprivileged::with(DAEMON, GIVEN, move || {
            runtime().block_on(async {
                let argv = ["sh", "-c", r#"cat /proc/self/status > "$0""#, &path];
                spawn(&argv, None, owner.as_ref(), &[]).unwrap().wait().await
            })
        });
        assert_eq!(ended, Ok(ExitKind::Exited(0)));
        let status = fs::read_to_string(&file).unwrap();
        let value = |word: &&str| {
            let line = status.lines().find_map(|line| line.strip_prefix(word));
            line.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        words.iter().filter_map(value).collect()
    }

    const SETS: &[&str] = &["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"];
    const NOTHING: [&str; 4] = ["0000000000000000"; 4];

    #[test]
    fn a_script_of_another_user_has_nothing_of_an_unprivileged_daemon() {
        let owner = || Some(Owner::new(12_345, 23_456));
        assert_eq!(status_under_unprivileged_daemon(owner(), SETS), NOTHING);
        let identity = status_under_unprivileged_daemon(owner(), &["Uid:", "Gid:", "Groups:", "NoNewPrivs:"]);
        assert_eq!(identity, ["12345 12345 12345 12345", "23456 23456 23456 23456", "", "0"]);
    }

    #[test]
    fn a_script_of_the_daemons_own_user_has_none_of_its_capabilities() {
        assert_eq!(status_under_unprivileged_daemon(None, SETS), NOTHING);
        let owner = Some(Owner::new(DAEMON, DAEMON));
        assert_eq!(status_under_unprivileged_daemon(owner.clone(), SETS), NOTHING);
        assert_eq!(status_under_unprivileged_daemon(owner, &["Groups:"]), ["4711"]);
    }

    #[test]
    fn what_an_unprivileged_daemon_may_not_do_names_the_privilege() {
        let owner = Owner::new(12_345, 23_456);
        let another = owner.clone();
        let started = unprivileged::with(DAEMON, &[], move || {
            let _context = runtime().enter();
            spawn(&["true"], None, Some(&another), &[]).unwrap_err()
        });
        let (killed, child) = unprivileged::with(DAEMON, &[CAP_SETGID, CAP_SETUID], move || {
            let runtime = runtime();
            let _context = runtime.enter();
            let mut child = spawn(&["sleep", "600"], None, Some(&owner), &[]).unwrap();
            (child.signal_group(Signal::Kill).unwrap_err(), child.group.unwrap())
        });
        killpg(child, NixSignal::SIGKILL).unwrap();
        assert_eq!(killed.to_string(), "sending SIGKILL to sleep: Operation not permitted (needs CAP_KILL)");
        assert_eq!(
            started.to_string(),
            "starting true: Operation not permitted (needs CAP_SETUID and CAP_SETGID)"
        );
    }

    #[tokio::test]
    async fn a_descriptor_that_the_daemon_was_started_with_does_not_reach_a_script() {
        // A duplicate is not closed on exec.
        let inherited = unistd::dup(std::io::stderr()).unwrap();
        let mut child = spawn(&["sleep", "600"], None, None, &[]).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&inherited);
        let there = Path::new(&format!("/proc/{}/fd/{number}", child.id().unwrap())).exists();
        child.signal_group(Signal::Kill).unwrap();
        child.wait().await.unwrap();
        assert!(!there, "the script has descriptor {number}");
    }

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn the_daemons_own_user_keeps_what_is_harmless() {
        let daemon = variables(&[
            ("PATH", "/bin"),
            ("IFS", "x"),
            ("LD_PRELOAD", "x"),
            ("LD_AUDIT", "x"),
            ("BASH_ENV", "x"),
            ("ENV", "x"),
            ("NOTIFY_SOCKET", "x"),
            ("LISTEN_FDS", "1"),
            ("LISTEN_PID", "1"),
            ("SECRET", "kept"),
        ]);
        let kept = variables(&[("PATH", "/bin"), ("SECRET", "kept")]);
        assert_eq!(environment(daemon.into_iter(), None), kept);
    }

    #[test]
    fn another_user_is_told_nothing_but_who_it_is_and_how_to_speak() {
        let owner =
            Owner { uid: 7, gid: 7, name: "lp".into(), home: "/var/spool/lpd".into(), groups: Vec::new() };
        let daemon = [("SECRET", "x"), ("LC_ALL", "C"), ("LANG", "de"), ("TZ", "UTC"), ("HOME", "/root")];
        let mut expected = vec![("LC_ALL", "C"), ("LANG", "de"), ("TZ", "UTC"), ("PATH", DEFAULT_PATH)];
        let account = [("HOME", "/var/spool/lpd"), ("USER", "lp"), ("LOGNAME", "lp"), ("SHELL", "/bin/sh")];
        expected.extend(account);
        assert_eq!(environment(variables(&daemon).into_iter(), Some(&owner)), variables(&expected));
        let path = variables(&[("PATH", "/opt/bin")]);
        assert_eq!(environment(path.into_iter(), Some(&owner))[0], ("PATH".into(), "/opt/bin".into()));
    }

    #[tokio::test]
    async fn a_script_of_another_user_sees_only_its_own_environment() {
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some(), "run this test with cargo");
        let script = r#"test -z "${CARGO_MANIFEST_DIR+set}" && test "$HOME $USER" = "/ 12345""#;
        let owner = Owner::new(12_345, 23_456);
        let mut child = spawn(&["sh", "-c", script], None, Some(&owner), &[]).expect("this test needs root");
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
    }

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
        let owner = Owner::new(12_345, 23_456);
        let script = "test `id -u` = 12345 && test `id -g` = 23456 && test `id -G` = 23456";
        let mut child = spawn(&["sh", "-c", script], None, Some(&owner), &[]).expect("this test needs root");
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
    }

    #[tokio::test]
    async fn an_owner_is_in_the_groups_of_its_account_where_that_is_asked_for() {
        let owner =
            Owner { groups: vec![Gid::from_raw(7), Gid::from_raw(4711)], ..Owner::new(12_345, 23_456) };
        let script = "test `id -u` = 12345 && test \"`id -G`\" = '23456 7 4711'";
        let mut child = spawn(&["sh", "-c", script], None, Some(&owner), &[]).expect("this test needs root");
        assert_eq!(child.wait().await, Ok(ExitKind::Exited(0)));
    }

    #[test]
    fn the_groups_of_an_account_are_those_that_id_knows() {
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
        for name in accounts.lines().filter_map(|line| line.split(':').next()) {
            let Ok(Some(account)) = unistd::User::from_name(name) else { continue };
            let owner =
                Owner { name: name.to_owned(), ..Owner::new(account.uid.as_raw(), account.gid.as_raw()) };
            let shown = Command::new("id").args(["-G", name]).output().unwrap().stdout;
            let mut shown: Vec<u32> =
                String::from_utf8(shown).unwrap().split_whitespace().map(|id| id.parse().unwrap()).collect();
            let mut groups: Vec<u32> = owner.with_groups(true).groups.into_iter().map(Gid::as_raw).collect();
            shown.sort_unstable();
            groups.sort_unstable();
            assert_eq!(groups, shown, "{name}");
        }
        assert!(Owner::new(12_345, 23_456).with_groups(false).groups.is_empty());
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
