//! A router: the daemon under test, or the peer, behind one handle and from one configuration text.
//!
//! Both take the same flags and write the same lines on a transition, so a story is told once and
//! `SUBJECT=keepalived` tells it about the peer.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::keepalived;
use crate::process::{Process, children, kill_pid};
use crate::vm::limit;

/// Which program plays the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The daemon under test: the path of its binary.
    Steadfast(PathBuf),
    /// Debian's keepalived.
    Keepalived,
}

impl Subject {
    /// The daemon at `binary`, unless the environment says `SUBJECT=keepalived`.
    pub fn from_env(binary: impl Into<PathBuf>) -> Self {
        match std::env::var("SUBJECT").as_deref() {
            Ok("keepalived") => Self::Keepalived,
            _ => Self::Steadfast(binary.into()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steadfast(_) => "steadfast",
            Self::Keepalived => "keepalived",
        })
    }
}

/// The states of a virtual router as they appear in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waiting for the master to fall silent.
    Backup,
    /// Holding the addresses.
    Master,
    /// Something it needs is missing.
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        })
    }
}

/// A running router. SIGKILL for it and its children on drop.
#[derive(Debug)]
pub struct Router {
    process: Process,
    subject: Subject,
    dir: PathBuf,
}

impl Router {
    /// Starts `subject` on `host` with the configuration text, in the foreground, detailed log on
    /// standard error, VRRP only. `name` keeps its files apart from those of other routers on the host.
    pub fn start(subject: &Subject, host: &Host, name: &str, config: &str) -> Result<Self> {
        Self::start_with(subject, host, name, config, &[])
    }

    /// As [`Router::start`], with more flags (`-x`, `-i id` …), given to either program.
    pub fn start_with(
        subject: &Subject,
        host: &Host,
        name: &str,
        config: &str,
        flags: &[&str],
    ) -> Result<Self> {
        let config = host.write(&format!("{name}.conf"), config)?;
        Self::start_file(subject, host, name, &config, flags)
    }

    /// As [`Router::start_with`], with a configuration file where it lies.
    pub fn start_file(
        subject: &Subject,
        host: &Host,
        name: &str,
        config: &Path,
        flags: &[&str],
    ) -> Result<Self> {
        Self::start_parts(subject, host, name, config, &[&["-P"], flags].concat())
    }

    /// As [`Router::start_file`], with whatever parts the flags ask for: `-P` VRRP, `-C` health checks, neither both.
    pub fn start_parts(
        subject: &Subject,
        host: &Host,
        name: &str,
        config: &Path,
        flags: &[&str],
    ) -> Result<Self> {
        let dir = host.dir().join(format!("{name}.run"));
        std::fs::create_dir_all(&dir).map_err(|e| Error::io(format!("create {}", dir.display()), e))?;
        let config = config.to_string_lossy();
        let pid_file = dir.join("pid");
        let pid_file = pid_file.to_string_lossy();
        let common = ["-n", "-l", "-D", "-f", &config, "-p", &pid_file];
        let process = match subject {
            Subject::Steadfast(binary) => {
                let binary = binary.to_string_lossy();
                let argv: Vec<&str> = [binary.as_ref()].iter().chain(&common).chain(flags).copied().collect();
                let env = HashMap::from([("TMPDIR".to_owned(), dir.to_string_lossy().into_owned())]);
                host.spawn_with(name, &argv, &env)?
            }
            Subject::Keepalived => keepalived::spawn(host, name, &dir, &common, flags)?,
        };
        Ok(Self { process, subject: subject.clone(), dir })
    }

    /// Which program this is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The process that was started, for its log, pid and marks.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where its pid files and statistics are; its TMPDIR.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The process id of the part that speaks VRRP: a child of the process that was started.
    pub fn vrrp_pid(&self, deadline: Duration) -> Result<i32> {
        keepalived::vrrp_pid(&self.process, &self.dir, deadline)
    }

    /// Sends a signal to the part that speaks VRRP.
    pub fn signal_vrrp(&self, signal: Signal) -> Result<()> {
        let pid = self.vrrp_pid(limit(Duration::from_secs(10)))?;
        kill(Pid::from_raw(pid), signal)
            .map_err(|e| Error::io(format!("send {signal} to the VRRP process"), e))
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A position in the log, for [`Router::wait_entering_since`].
    pub fn mark(&self) -> usize {
        self.process.mark()
    }

    /// Waits for `text` in the log; returns its line.
    pub fn wait_log(&self, text: &str, deadline: Duration) -> Result<String> {
        self.process.wait_log(text, deadline)
    }

    /// Waits for `(instance) Entering STATE STATE` anywhere in the log; returns its line.
    pub fn wait_entering(&self, instance: &str, state: State, deadline: Duration) -> Result<String> {
        self.wait_entering_since(0, instance, state, deadline)
    }

    /// As [`Router::wait_entering`], for lines after `mark` only.
    pub fn wait_entering_since(
        &self,
        mark: usize,
        instance: &str,
        state: State,
        deadline: Duration,
    ) -> Result<String> {
        self.process.wait_log_since(mark, &format!("({instance}) Entering {state} STATE"), deadline)
    }

    /// How often the instance has entered the state so far.
    pub fn entries(&self, instance: &str, state: State) -> usize {
        self.log().matches(&format!("({instance}) Entering {state} STATE")).count()
    }

    /// An orderly stop: SIGTERM, which makes a master send priority 0, and the end within 10 s, or longer in a guest.
    pub fn stop(&self) -> Result<ExitStatus> {
        self.process.terminate(limit(Duration::from_secs(10)))
    }

    /// Gives it this configuration text in the place of the one it was started with, and asks for a reload.
    pub fn ask_to_reload(&self, host: &Host, name: &str, config: &str) -> Result<()> {
        // In one step: it may be reading the file for an earlier reload just now.
        let new = host.write(&format!("{name}.conf.new"), config)?;
        let file = host.dir().join(format!("{name}.conf"));
        std::fs::rename(&new, &file).map_err(|e| Error::io(format!("replace {}", file.display()), e))?;
        self.process.signal(Signal::SIGHUP)
    }

    /// As [`Router::ask_to_reload`]; returns when it says that it is done.
    pub fn reload(&self, host: &Host, name: &str, config: &str, deadline: Duration) -> Result<()> {
        let mark = self.mark();
        self.ask_to_reload(host, name, config)?;
        let done = match self.subject {
            Subject::Steadfast(_) => "Configuration reloaded",
            Subject::Keepalived => "Reload complete",
        };
        self.process.wait_log_since(mark, done, deadline).map(drop)
    }

    /// The machine dies: SIGKILL for the process and its children, nothing is sent or cleaned up.
    pub fn kill9(&self) {
        // The children first: the end of the parent would make them stop in good order.
        let family = descendants(self.process.pid());
        family.into_iter().for_each(kill_pid);
        self.process.kill();
    }

    /// The counters of keepalived's statistics file; see [`keepalived::Stats`].
    pub fn stats(&self) -> Result<keepalived::Stats> {
        keepalived::stats(self)
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if self.process.status().is_none() {
            self.kill9();
        }
    }
}

/// The parent is stopped first, so that it does not start a killed child again before it dies too.
fn descendants(pid: i32) -> Vec<i32> {
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    let mut family = children(pid);
    let mut next = 0;
    while let Some(pid) = family.get(next).copied() {
        family.extend(children(pid));
        next += 1;
    }
    family
}
