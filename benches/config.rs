//! How long a configuration test takes, beside keepalived's: 2,000 instances, and 2,284 virtual servers with 37,205
//! real servers that each have a checker; then a tenth of each, to see that time grows with the size alone.
//!
//! Prints one line for each file: lines, milliseconds of both programs (best of five runs in turn), their ratio,
//! and the peak memory of ours. Needs root for a network namespace, and the package keepalived.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its result, and fails loudly")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{self, Command, Stdio},
    time::Duration,
};

const RUNS: usize = 5;

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let namespace = Namespace::new();
    println!(
        "{:<36} {:>8} {:>10} {:>12} {:>6} {:>10}",
        "file", "lines", "ours ms", "keepalived", "ratio", "peak kB"
    );
    let files = [
        ("200 instances", instances(200)),
        ("2,000 instances", instances(2_000)),
        ("228 services, 3,720 servers", services(228, 3_720)),
        ("2,284 services, 37,205 servers", services(2_284, 37_205)),
    ];
    for (name, text) in files {
        let file = directory.path().join("big.conf");
        fs::write(&file, &text).expect("the file can be written");
        let best = (0..RUNS)
            .map(|_| (namespace.time(&ours(&file)), namespace.time(&theirs(&file))))
            .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))
            .expect("there are runs");
        let (ours_ms, theirs_ms) = (best.0.as_secs_f64() * 1e3, best.1.as_secs_f64() * 1e3);
        let lines = text.lines().count();
        let peak = namespace.peak(&ours(&file));
        println!(
            "{name:<36} {lines:>8} {ours_ms:>10.1} {theirs_ms:>12.1} {:>6.2} {peak:>10}",
            theirs_ms / ours_ms
        );
    }
}

/// So many virtual routers on one interface, 255 on each of its addresses' networks.
fn instances(count: usize) -> String {
    let mut text = "global_defs {\n    router_id bench\n}\n".to_owned();
    for n in 0..count {
        let (link, vrid) = (n / 250, n % 250 + 1);
        write!(
            text,
            "vrrp_instance VI_{n} {{\n    state BACKUP\n    interface bench{link}\n    virtual_router_id {vrid}\n    \
             priority 100\n    advert_int 1\n    authentication {{\n        auth_type PASS\n        auth_pass secret\n    \
             }}\n    virtual_ipaddress {{\n        10.{link}.{vrid}.1/24\n    }}\n}}\n"
        )
        .expect("a string takes everything");
    }
    text
}

/// So many services, with so many servers spread over them.
fn services(count: usize, servers: usize) -> String {
    let mut text = String::new();
    let mut server = 0;
    for n in 0..count {
        write!(
            text,
            "virtual_server 10.{}.{}.{} 80 {{\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n",
            n / 62_500,
            n / 250 % 250,
            n % 250 + 1
        )
        .expect("a string takes everything");
        while server * count < (n + 1) * servers {
            write!(
                text,
                "    real_server 172.{}.{}.{} 80 {{\n        TCP_CHECK {{ }}\n    }}\n",
                16 + server / 62_500,
                server / 250 % 250,
                server % 250 + 1
            )
            .expect("a string takes everything");
            server += 1;
        }
        text.push_str("}\n");
    }
    text
}

fn ours(file: &Path) -> [String; 4] {
    [env!("CARGO_BIN_EXE_steadfast").into(), "-t".into(), "-f".into(), file.display().to_string()]
}

fn theirs(file: &Path) -> [String; 4] {
    ["keepalived".into(), "-t".into(), "-f".into(), file.display().to_string()]
}

/// A network namespace with the interfaces that the instances name.
struct Namespace(String);

impl Namespace {
    fn new() -> Self {
        let namespace = Self(format!("sf-bench-config-{}", process::id()));
        ip(&["netns", "add", &namespace.0]);
        for link in 0..8 {
            ip(&["-n", &namespace.0, "link", "add", "name", &format!("bench{link}"), "type", "bridge"]);
        }
        namespace
    }

    fn run(&self, command: &[String]) -> process::Output {
        let output = Command::new("ip")
            .args(["netns", "exec", &self.0])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .expect("no program ip: install the package iproute2");
        let code = output.status.code();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code, Some(0), "{command:?}: install the package keepalived?\n{said:.2000}");
        output
    }

    fn time(&self, command: &[String]) -> Duration {
        let start = lab::clock::now();
        self.run(command);
        lab::clock::now() - start
    }

    /// Peak resident memory in kB, as GNU time has it.
    fn peak(&self, command: &[String]) -> u64 {
        let timed = [&["/usr/bin/time".to_owned(), "-f".to_owned(), "%M".to_owned()], command].concat();
        let output = self.run(&timed);
        let said = String::from_utf8_lossy(&output.stderr);
        said.lines().last().and_then(|line| line.trim().parse().ok()).expect("install the package time")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn ip(arguments: &[&str]) {
    let status =
        Command::new("ip").args(arguments).status().expect("no program ip: install the package iproute2");
    assert!(status.success(), "ip {} failed: network namespaces need root", arguments.join(" "));
}
