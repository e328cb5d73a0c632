//! A router started as a service manager would, without the detailed log that a story reads.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use lab::{Error, Host, Process, Result, Subject};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running router. SIGKILL for it and its children on drop.
pub(crate) struct Daemon {
    process: Process,
}

impl Daemon {
    /// Starts `subject` on `host` in the foreground, VRRP only. `-G` keeps keepalived away from syslog, which
    /// would be the console where there is no syslogd, line by line inside its VRRP loop.
    pub(crate) fn start(subject: &Subject, host: &Host, name: &str, config: &str) -> Result<Self> {
        Self::start_with(subject, host, name, config, &["-P"], HashMap::new())
    }

    /// The same with the parts that these flags ask for, `-P` VRRP, `-C` health checks, neither both, and with these
    /// variables in its environment.
    pub(crate) fn start_with(
        subject: &Subject,
        host: &Host,
        name: &str,
        config: &str,
        parts: &[&str],
        mut env: HashMap<String, String>,
    ) -> Result<Self> {
        let config = host.write(&format!("{name}.conf"), config)?;
        let dir = host.dir().join(format!("{name}.run"));
        // keepalived takes the pid file of one that was killed for a running daemon's and refuses to start.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).map_err(|error| Error::Unexpected(format!("{}: {error}", dir.display())))?;
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let (config, pid) = (config.to_string_lossy(), path("pid"));
        let (vrrp_pid, check_pid) = (path("vrrp.pid"), path("check.pid"));
        let common = ["-n", "-l", "-f", &config, "-p", &pid];
        let (program, own): (String, &[&str]) = match subject {
            Subject::Steadfast(binary) => (binary.to_string_lossy().into_owned(), &[]),
            Subject::Keepalived => ("keepalived".to_owned(), &["-G", "-r", &vrrp_pid, "-c", &check_pid]),
        };
        let argv: Vec<&str> =
            [program.as_str()].iter().chain(&common).chain(parts).chain(own).copied().collect();
        env.insert("TMPDIR".to_owned(), dir.to_string_lossy().into_owned());
        let process = host.spawn_with(name, &argv, &env)?;
        Ok(Self { process })
    }

    /// Its log.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until `count` instances have entered `state` since `mark`.
    pub(crate) fn wait_entries(
        &self,
        mark: usize,
        state: &str,
        count: usize,
        deadline: Duration,
    ) -> Result<()> {
        let text = format!(") Entering {state} STATE");
        lab::wait::until(&format!("{count} entries of {state}"), deadline, || {
            // A log of thousands of lines is not read every 3 ms.
            super::rest(Duration::from_millis(if count > 10 { 100 } else { 1 }))
                .map_err(|e| e.to_string())?;
            let seen = self.process.log_since(mark).matches(&text).count();
            if seen >= count {
                Ok(())
            } else {
                Err(format!("{seen}; the log ends with\n{}", self.process.log_tail()))
            }
        })
    }

    /// The process that was started, then keepalived's VRRP child.
    pub(crate) fn pids(&self) -> Vec<i32> {
        [self.process.pid()].into_iter().chain(self.process.children()).collect()
    }

    /// CPU time used so far by all its threads and processes.
    pub(crate) fn cpu(&self) -> Duration {
        self.pids().into_iter().map(cpu).sum()
    }

    /// Resident memory of all its processes in KiB: as each reports it, and with shared pages divided up.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let sum = |file: &str, key: &str| self.pids().iter().map(|pid| memory(*pid, file, key)).sum();
        (sum("status", "VmRSS:"), sum("smaps_rollup", "Pss:"))
    }

    /// The most memory that was ever resident in its processes, summed up, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        self.pids().iter().map(|pid| memory(*pid, "status", "VmHWM:")).sum()
    }

    /// The machine dies: nothing is sent or cleaned up. The parent is stopped first, so that it does not
    /// end or restart a child in between.
    pub(crate) fn kill9(&self) {
        let _ = self.process.signal(Signal::SIGSTOP);
        for child in self.process.children() {
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        self.process.kill();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.process.status().is_none() {
            self.kill9();
        }
    }
}

/// CPU time of all threads of a process, in nanoseconds of the scheduler.
pub(crate) fn cpu(pid: i32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let nanos = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn memory(pid: i32, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
