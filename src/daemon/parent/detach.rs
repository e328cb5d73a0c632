//! Leaving the terminal: without `-n` the program starts itself once more as the parent, waits until that has settled, and
//! ends with what came of it.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Read as _, Write as _, stdin},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::Stdio,
};

use nix::unistd;

use super::running::program;
use crate::daemon::{Refused, exit};

/// Starts the parent away from the terminal. Returns when it holds its pid file.
///
/// # Errors
/// With the exit status of a parent that ended before.
pub(in crate::daemon) fn detach() -> Result<(), Refused> {
    let (mut ours, theirs) = UnixStream::pair().map_err(Refused::fatal)?;
    let from = env::current_dir().map_err(Refused::fatal)?;
    let mut command = program().map_err(Refused::fatal)?;
    command.args(["--part", "parent", "--from"]).arg(from);
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
    let mut parent = command.spawn().map_err(Refused::fatal)?;
    // The command keeps the parent's end open.
    drop(command);
    if matches!(ours.read(&mut [0]), Ok(1)) {
        return Ok(());
    }
    let ended = parent.wait().map_err(Refused::fatal)?;
    let status = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::INTERNAL);
    // It has said why.
    Err(Refused { status, message: String::new() })
}

/// Makes this process one of its own session, in no folder that somebody may want to remove. Before threads are started.
///
/// # Errors
/// Whatever the system says.
pub(in crate::daemon) fn leave_terminal() -> io::Result<()> {
    unistd::setsid()?;
    env::set_current_dir("/")
}

/// Tells whoever waits that the parent runs, and lets go of the terminal.
///
/// # Errors
/// Whatever the system says.
pub(in crate::daemon) fn settle() -> io::Result<()> {
    let mut waiting = UnixStream::from(stdin().as_fd().try_clone_to_owned()?);
    // Whoever started it may be gone.
    let _ = waiting.write_all(b"!");
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    unistd::dup2_stdin(&nothing)?;
    Ok(unistd::dup2_stderr(&nothing)?)
}
