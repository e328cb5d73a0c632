//! keepalived itself, in a network namespace of its own, asked for its opinion of a file.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{self, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Seconds that a dump may take, which are many where others keep the machine busy.
const DUMP_LIMIT: &str = "300";

/// Tests of one process run side by side.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// What a configuration test of keepalived comes to.
pub(crate) struct Verdict {
    /// The exit code; a signal is its number plus 128.
    pub(crate) code: i32,
    /// Its messages, one a line.
    pub(crate) said: Vec<String>,
}

/// A network namespace that is removed again.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A namespace with these interfaces (bridges without ports: any kind will do).
    pub(crate) fn with<'a>(interfaces: impl Iterator<Item = &'a str>) -> Self {
        let namespace =
            Self { name: format!("sf-config-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)) };
        run(&["netns", "add", &namespace.name]);
        for interface in interfaces {
            run(&["-n", &namespace.name, "link", "add", "name", interface, "type", "bridge"]);
        }
        namespace
    }

    /// The exit code of `keepalived -t`; see [`Verdict::code`].
    pub(crate) fn test_exit(&self, file: &Path) -> i32 {
        self.test(file).code
    }

    /// What `keepalived -t` comes to.
    pub(crate) fn test(&self, file: &Path) -> Verdict {
        let output = Command::new("ip")
            .args([
                "netns",
                "exec",
                &self.name,
                "timeout",
                "10",
                "keepalived",
                "-t",
                "-i",
                super::CONFIG_ID,
                "-f",
            ])
            .arg(file)
            .stdin(Stdio::null())
            // It signals its process group when it checks a script that another user runs.
            .process_group(0)
            .output()
            .expect("ip starts");
        let status = output.status;
        let code = status.code().or_else(|| status.signal().map(|signal| signal + 128)).unwrap_or(-1);
        assert!(
            code != 127,
            "no keepalived to compare with: install the package keepalived\n{}",
            text(&output)
        );
        Verdict { code, said: text(&output).lines().map(str::to_owned).collect() }
    }

    /// What keepalived says it has understood of a file's VRRP part (`--dump-conf`). It runs as far as that only.
    pub(crate) fn dump(&self, file: &Path) -> Vec<String> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let pid = |name: &str| directory.path().join(name).display().to_string();
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.name, "timeout", DUMP_LIMIT, "keepalived", "-P", "-n", "-l", "-d"])
            .args(["-i", super::CONFIG_ID, "-p", &pid("main"), "-r", &pid("vrrp"), "-f"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("ip starts");
        let output = BufReader::new(child.stderr.take().expect("its output is piped"));
        let mut lines = Vec::new();
        // Each line begins with the time, which ends in the year.
        for line in output.lines().map_while(Result::ok) {
            let line = line.split_once(": ").map_or(line.as_str(), |(_, said)| said).trim().to_owned();
            if line.contains("< Interfaces >") {
                break;
            }
            lines.push(line);
        }
        let id = i32::try_from(child.id()).expect("a process id is a pid_t");
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        let _ = child.wait();
        let begin = lines.iter().position(|line| line.contains("< VRRP Topology >"));
        let begin =
            begin.unwrap_or_else(|| panic!("keepalived shows no VRRP configuration:\n{}", lines.join("\n")));
        lines.split_off(begin)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn run(arguments: &[&str]) {
    let output =
        Command::new("ip").args(arguments).output().expect("no program ip: install the package iproute2");
    assert!(
        output.status.success(),
        "ip {} failed (network namespaces need root): {}",
        arguments.join(" "),
        text(&output)
    );
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
