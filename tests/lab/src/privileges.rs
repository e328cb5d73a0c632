//! Making a lab possible for an ordinary user: an own user namespace, in which the user is root.
//!
//! Namespaces, veth pairs and raw sockets need CAP_NET_ADMIN and CAP_NET_RAW. A user namespace gives
//! both over the network namespaces created in it, and over nothing else of the machine.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::Uid;

use crate::error::{Error, Result};

/// Set in the second run of the program, so that it is never started a third time.
const INSIDE: &str = "LAB_IN_USER_NAMESPACE";

/// `ip netns` keeps names below /run/netns, which belongs to the real root: a private /run hides it.
const PREPARE: &str = "mount -t tmpfs none /run && mkdir /run/netns && exec \"$0\" \"$@\"";

/// Returns at once for root. For anybody else it replaces the program by itself, run as root of a new
/// user namespace with its own network and mounts; the second run returns from here as root.
///
/// Call it first thing in `main`, before any thread exists. Needs util-linux and a kernel that lets
/// users create user namespaces; the error says how to allow it.
pub fn enter() -> Result<()> {
    if Uid::effective().is_root() {
        return Ok(());
    }
    if env::var_os(INSIDE).is_some() {
        return Err(Error::Unexpected("still not root inside the user namespace: run as root".into()));
    }
    probe()?;
    let program = env::current_exe().map_err(|e| Error::io("find the running program", e))?;
    let failed = unshare()
        .args(["sh", "-c", PREPARE])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(Error::io("run unshare", failed))
}

/// Whether this run is the one inside the user namespace.
pub fn entered() -> bool {
    env::var_os(INSIDE).is_some()
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount", "--"]);
    command
}

fn probe() -> Result<()> {
    let tried = unshare().arg("true").output();
    let tried = tried.map_err(|_| Error::Missing { program: "unshare".into(), package: "util-linux" })?;
    if tried.status.success() {
        return Ok(());
    }
    Err(Error::Unexpected(format!(
        "this kernel does not let you create a user namespace ({}): run as root, or allow it with `sysctl \
         kernel.unprivileged_userns_clone=1` (Debian) or `sysctl kernel.apparmor_restrict_unprivileged_userns=0` \
         (Ubuntu)",
        String::from_utf8_lossy(&tried.stderr).trim()
    )))
}
