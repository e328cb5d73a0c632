//! What is particular to Debian's keepalived as a peer: its pid files, its child, its statistics.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::daemon::{Router, Subject};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// The file that SIGUSR2 makes the VRRP child write below its TMPDIR.
const STATS_FILE: &str = "keepalived.stats";

/// Starts a keepalived on `host`; short for [`Router::start_with`] with [`Subject::Keepalived`].
pub fn start(host: &Host, name: &str, config: &str, flags: &[&str]) -> Result<Router> {
    Router::start_with(&Subject::Keepalived, host, name, config, flags)
}

/// Pid files and TMPDIR of its own, or a second copy on the machine refuses to start. `-G`: where
/// there is no /dev/log, syslog would go to the console, line by line, inside its VRRP loop.
pub(crate) fn spawn(host: &Host, name: &str, dir: &Path, common: &[&str], flags: &[&str]) -> Result<Process> {
    let [vrrp_pid, bfd_pid] = ["vrrp.pid", "bfd.pid"].map(|name| dir.join(name));
    let (vrrp_pid, bfd_pid) = (vrrp_pid.to_string_lossy(), bfd_pid.to_string_lossy());
    // Another keepalived that finds a pid file in its usual place does not start.
    let own = ["-G", "-r", &vrrp_pid, "-b", &bfd_pid];
    let argv: Vec<&str> = ["keepalived"].iter().chain(common).chain(&own).chain(flags).copied().collect();
    let env = HashMap::from([("TMPDIR".to_owned(), dir.to_string_lossy().into_owned())]);
    host.spawn_with(name, &argv, &env)
}

/// Waits for the pid file of the VRRP child, which either program writes there.
pub(crate) fn vrrp_pid(process: &Process, dir: &Path, deadline: Duration) -> Result<i32> {
    let path = dir.join("vrrp.pid");
    wait::until("the pid file of the VRRP child", deadline, || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        text.trim().parse().map_err(|_| format!("`{text}`; the log ends with\n{}", process.log_tail()))
    })
}

/// Packet counters, per instance, named as in the statistics file with the group first:
/// `Advertisements/Received`, `Packet Errors/TTL`, `Priority Zero/Sent`, `Became master`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instance name to counter name to value.
    pub instances: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Stats {
    /// One counter of one instance; 0 where either is absent.
    pub fn count(&self, instance: &str, counter: &str) -> u64 {
        self.instances.get(instance).and_then(|counters| counters.get(counter)).copied().unwrap_or_default()
    }

    /// The sum of all counters of one instance in a group, as in `Packet Errors`.
    pub fn group(&self, instance: &str, group: &str) -> u64 {
        let prefix = format!("{group}/");
        let counters = self.instances.get(instance).into_iter().flatten();
        counters.filter(|(name, _)| name.starts_with(&prefix)).map(|(_, value)| value).sum()
    }

    fn parse(text: &str) -> Self {
        let mut stats = Self::default();
        let mut instance = String::new();
        let mut group = String::new();
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            let Some((name, value)) = line.trim().split_once(':') else {
                continue;
            };
            match value.trim() {
                named if name == "VRRP Instance" => instance = named.to_owned(),
                "" => group = name.to_owned(),
                number => {
                    // Members of a group are indented deeper than the group.
                    let path =
                        if indent > GROUP_INDENT { format!("{group}/{name}") } else { name.to_owned() };
                    if let Ok(number) = number.parse() {
                        stats.instances.entry(instance.clone()).or_default().insert(path, number);
                    }
                }
            }
        }
        stats
    }
}

/// Columns before a group's name in the statistics file.
const GROUP_INDENT: usize = 2;

/// Asks the VRRP child for its statistics and waits until they are complete.
pub(crate) fn stats(router: &Router) -> Result<Stats> {
    if *router.subject() != Subject::Keepalived {
        return Err(Error::Unexpected(format!("{} writes no {STATS_FILE}", router.subject())));
    }
    let deadline = limit(Duration::from_secs(5));
    let pid = router.vrrp_pid(deadline)?;
    let path = router.dir().join(STATS_FILE);
    let _ = fs::remove_file(&path);
    kill(Pid::from_raw(pid), Signal::SIGUSR2).map_err(|e| Error::io("send SIGUSR2 to keepalived", e))?;
    let mut before = String::new();
    let text = wait::until(STATS_FILE, deadline, || {
        // Written in pieces: complete when two looks see the same and the last group is there.
        let now = fs::read_to_string(&path).unwrap_or_default();
        let complete =
            now == before && now.trim_end().rsplit('\n').next().is_some_and(|l| l.contains("Sent"));
        before.clone_from(&now);
        if complete { Ok(now) } else { Err(now) }
    })?;
    Ok(Stats::parse(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_with_their_group() {
        let text = "VRRP Instance: VI\n  Advertisements:\n    Received: 3\n    Sent: 7\n  Became master: 1\n  \
                    Packet Errors:\n    Length: 2\n    TTL: 4\n";
        let stats = Stats::parse(text);
        assert_eq!(stats.count("VI", "Advertisements/Sent"), 7);
        assert_eq!(stats.count("VI", "Became master"), 1);
        assert_eq!(stats.group("VI", "Packet Errors"), 6);
        assert_eq!(stats.count("other", "Became master"), 0);
    }
}
