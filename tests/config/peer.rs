//! keepalived itself, in a network namespace of its own, asked for its opinion of a file.

use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{self, Command, Output, Stdio},
};

/// A network namespace that is removed again.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A namespace with these interfaces (bridges without ports: any kind will do).
    pub(crate) fn with<'a>(interfaces: impl Iterator<Item = &'a str>) -> Self {
        let namespace = Self { name: format!("sf-config-{}", process::id()) };
        run(&["netns", "add", &namespace.name]);
        for interface in interfaces {
            run(&["-n", &namespace.name, "link", "add", "name", interface, "type", "bridge"]);
        }
        namespace
    }

    /// The exit code of `keepalived -t`; a signal is its number plus 128.
    pub(crate) fn test_exit(&self, file: &Path) -> i32 {
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
        code
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
