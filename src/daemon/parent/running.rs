//! An engine as a process.

use std::{env, ffi::OsString, io, path::PathBuf, process::ExitStatus};

use tokio::process::{Child, Command};
use tracing::warn;

use super::respawn::End;
use crate::{
    daemon::tether::{self, Hearing, Word},
    kernel::process::{ExitKind, restore_limits, signal_process},
    units::Time,
};

/// What an engine has nothing to do with: systemd speaks with the parent.
const NOT_FOR_ENGINES: [&str; 2] = ["NOTIFY_SOCKET", "WATCHDOG_PID"];
/// The number of SIGKILL.
const KILL: i32 = 9;

/// A running engine.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) pid: u32,
    /// `None` once it has closed its end.
    pub(super) hearing: Option<Hearing>,
    pub(super) since: Time,
    /// It has said that it runs, and hears signals.
    pub(super) is_ready: bool,
}

impl Running {
    /// Starts one, after another has died at that time.
    pub(super) fn start(died_at: Option<Time>, now: Time) -> io::Result<Self> {
        let (hearing, tether) = tether::pair()?;
        let mut command = program()?;
        // What it changes for itself the engine changes for itself, and its scripts have none of it.
        restore_limits(&mut command);
        let mut command = Command::from(command);
        command.args(["--part", "engine"]);
        if let Some(Time(died_at)) = died_at {
            command.args(["--died-at", &died_at.as_micros().to_string()]);
        }
        // Away from the terminal's interrupts, which are the parent's to pass on.
        command.stdin(tether).process_group(0);
        for name in NOT_FOR_ENGINES {
            command.env_remove(name);
        }
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("it has ended already"))?;
        Ok(Self { child, pid, hearing: Some(hearing), since: now, is_ready: false })
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: i32) {
        if let Err(error) = signal_process(self.pid, signal) {
            warn!("{error}");
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        self.signal(KILL);
    }
}

/// This program with its own arguments, to be run once more.
pub(super) fn program() -> io::Result<std::process::Command> {
    use std::os::unix::process::CommandExt as _;
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("steadfast"));
    // Replaced by another release, it is still to be had for whoever runs it.
    let file = env::current_exe().ok().filter(|file| file.exists());
    let file = file.unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let mut command = std::process::Command::new(file);
    command.arg0(name).args(arguments);
    Ok(command)
}

/// What it says next; never, once it has closed its end.
pub(super) async fn word(hearing: &mut Option<Hearing>) -> Option<Word> {
    match hearing {
        Some(hearing) => hearing.next().await,
        None => std::future::pending().await,
    }
}

/// How it ends.
pub(super) async fn ended(child: &mut Child) -> End {
    match child.wait().await.map(|status: ExitStatus| ExitKind::from(status)) {
        Ok(ExitKind::Exited(status)) => End::Exited(u8::try_from(status).unwrap_or(u8::MAX)),
        Ok(ExitKind::Signalled(signal)) => End::Killed(signal),
        Err(error) => {
            warn!("waiting for the engine: {error}");
            End::Exited(u8::MAX)
        }
    }
}
