//! A process on a host: its pid, its log, and its end.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Error, Result};
use crate::wait;

/// Lines of a log shown in messages.
const TAIL: usize = 12;

/// A running program whose output goes to a log file. Killed with SIGKILL and reaped on drop.
#[derive(Debug)]
pub struct Process {
    running: Arc<Running>,
}

impl Process {
    /// Starts `command` with both outputs in `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: PathBuf) -> Result<Self> {
        let file = fs::File::create(&log).map_err(|e| Error::io(format!("create {}", log.display()), e))?;
        let errors = file.try_clone().map_err(|e| Error::io("duplicate a log file", e))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|e| Error::io(format!("start {name}"), e))?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        let running = Running { name: name.into(), pid, log, child: Mutex::new(child) };
        Ok(Self { running: Arc::new(running) })
    }

    /// What the lab keeps so that it can end the process even when a story forgot it.
    pub(crate) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running)
    }

    /// The name given at start; also the stem of its log file.
    pub fn name(&self) -> &str {
        &self.running.name
    }

    /// The process id. It stays reserved until the process is dropped or its end was seen.
    pub fn pid(&self) -> i32 {
        self.running.pid.as_raw()
    }

    /// The direct children's process ids, in the order in which they were started.
    pub fn children(&self) -> Vec<i32> {
        children(self.pid())
    }

    /// Sends a signal; an error when the process has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let mut child = self.running.child();
        if let Ok(Some(status)) = child.try_wait() {
            return Err(self.ended(&format!("send {signal} to"), status));
        }
        kill(self.running.pid, signal).map_err(|e| Error::io(format!("send {signal} to {}", self.name()), e))
    }

    /// SIGTERM, then waits for the end.
    pub fn terminate(&self, deadline: Duration) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.wait(deadline)
    }

    /// Waits until the process has ended.
    pub fn wait(&self, deadline: Duration) -> Result<ExitStatus> {
        wait::until(&format!("the end of {}", self.name()), deadline, || {
            self.status().ok_or_else(|| format!("still running; its log ends with\n{}", self.log_tail()))
        })
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&self) {
        self.running.kill();
    }

    /// How the process ended; `None` while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        self.running.child().try_wait().ok().flatten()
    }

    /// Where the log is.
    pub fn log_path(&self) -> &Path {
        &self.running.log
    }

    /// Everything written so far to standard output and standard error.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// A position in the log: what is written from now on comes after it.
    pub fn mark(&self) -> usize {
        self.log().len()
    }

    /// What was written after `mark`.
    pub fn log_since(&self, mark: usize) -> String {
        let log = self.log();
        log.get(mark..).unwrap_or_default().to_owned()
    }

    /// The last lines of the log, for messages.
    pub fn log_tail(&self) -> String {
        self.running.tail()
    }

    /// Waits for `text` anywhere in the log and returns the first line that has it.
    pub fn wait_log(&self, text: &str, deadline: Duration) -> Result<String> {
        self.wait_log_since(0, text, deadline)
    }

    /// As [`Process::wait_log`], for lines after `mark` only. Fails at once when the process has ended
    /// without writing it.
    pub fn wait_log_since(&self, mark: usize, text: &str, deadline: Duration) -> Result<String> {
        let what = format!("`{text}` in the log of {}", self.name());
        wait::until(&what, deadline, || {
            let ended = self.status();
            let log = self.log_since(mark);
            match (log.lines().find(|line| line.contains(text)), ended) {
                (Some(line), _) => Ok(Ok(line.to_owned())),
                (None, Some(status)) => Ok(Err(self.ended(&format!("wait for `{text}` from"), status))),
                (None, None) => Err(format!("a log that ends with\n{}", self.log_tail())),
            }
        })?
    }

    fn ended(&self, doing: &str, status: ExitStatus) -> Error {
        let name = self.name();
        let tail = self.log_tail();
        let how = match status.signal() {
            Some(signal) => format!("killed by signal {signal}"),
            None => status.to_string(),
        };
        Error::Unexpected(format!("cannot {doing} {name}: it has ended ({how}); its log ends with\n{tail}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.running.kill();
    }
}

/// The part of a process that the lab shares with its handle.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    pid: Pid,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Running {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SIGKILL and reap; nothing to do when it was reaped before.
    pub(crate) fn kill(&self) {
        let mut child = self.child();
        // Both fail only for a process that is gone already.
        let _ = child.kill();
        let _ = child.wait();
    }

    fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// The end of the log under a heading, for a failing test.
    pub(crate) fn report(&self) -> String {
        format!("--- {} (pid {}) ---\n{}", self.name, self.pid, self.tail())
    }
}

/// SIGKILL by number, for descendants of a process of ours; one that is gone already is fine.
pub(crate) fn kill_pid(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

/// The children of any process, as the kernel lists them.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}
