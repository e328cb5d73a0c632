//! Processes that come and go. These stories need the initial namespaces, where the kernel reports processes.

use std::{
    fs,
    future::Future,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use steadfast::kernel::{ProcessEvent, ProcessEvents, ReceiveBuffer, procfs};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{LIMIT, in_namespace};

fn run(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, story).await.expect("the story ends in time") });
}

async fn open(bytes: Option<u32>) -> ProcessEvents {
    let opened = ProcessEvents::open(ReceiveBuffer { bytes, force: false }).await;
    opened.unwrap_or_else(|error| panic!("{error}: this test needs root and the initial namespaces"))
}

/// Takes events until this one.
async fn wait_for(events: &mut ProcessEvents, awaited: ProcessEvent) {
    while events.next().await.unwrap() != awaited {}
}

fn sleeper() -> (Child, u32) {
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = child.id();
    (child, pid)
}

#[test]
fn a_process_is_reported_from_its_fork_to_its_end() {
    run(async {
        let mut events = open(None).await;
        let (mut child, pid) = sleeper();
        let forked = loop {
            if let ProcessEvent::Forked { parent, child } = events.next().await.unwrap()
                && child == pid
            {
                break parent;
            }
        };
        assert_eq!(forked, std::process::id());
        wait_for(&mut events, ProcessEvent::Changed(pid)).await;
        let seen = procfs::process(pid, 4096).unwrap();
        assert_eq!(
            (seen.name, seen.command_line),
            (b"sleep".to_vec(), vec![b"sleep".to_vec(), b"1000".to_vec()])
        );
        child.kill().unwrap();
        wait_for(&mut events, ProcessEvent::Ended(pid)).await;
        // Dead, but not waited for: it does not run any more.
        assert_eq!(procfs::process(pid, 4096), None);
        child.wait().unwrap();
    });
}

#[test]
fn a_new_name_is_reported() {
    run(async {
        let mut events = open(None).await;
        // The shell gives itself another name (proc(5), /proc/PID/comm), then waits.
        let script = "printf renamed > /proc/$$/comm; read line";
        let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let name = || procfs::process(pid, 0).map(|process| process.name);
        loop {
            wait_for(&mut events, ProcessEvent::Changed(pid)).await;
            if name() == Some(b"renamed".to_vec()) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn a_flood_of_processes_is_an_overrun_and_then_it_goes_on() {
    run(async {
        // A few dozen events.
        let mut events = open(Some(32 << 10)).await;
        let flood = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", flood]).status().unwrap().success());
        wait_for(&mut events, ProcessEvent::Overrun).await;
        // Whatever else goes on on this machine may overrun it again, so the end may be lost.
        for _ in 0..100 {
            let (mut child, pid) = sleeper();
            child.kill().unwrap();
            child.wait().unwrap();
            let heard = tokio::time::timeout(Duration::from_secs(1), async {
                loop {
                    match events.next().await.unwrap() {
                        ProcessEvent::Ended(ended) if ended == pid => return true,
                        ProcessEvent::Overrun => return false,
                        _ => {}
                    }
                }
            });
            if heard.await == Ok(true) {
                return;
            }
        }
        panic!("no event after the overrun");
    });
}

#[test]
fn in_a_network_namespace_there_are_no_events_and_that_is_said() {
    in_namespace(|| async {
        let Err(error) = ProcessEvents::open(ReceiveBuffer::default()).await else {
            panic!("the kernel reports processes to a network namespace");
        };
        assert_eq!(error.to_string(), "following processes: Connection refused");
    });
}

/// The daemon with a router on an interface that is not there, so that it does nothing to this network.
#[test]
fn the_daemon_hears_of_a_tracked_process_when_it_starts_and_ends() {
    run(async {
        let directory = TempDir::new().unwrap();
        let name = format!("sf{}", std::process::id());
        let [program, config, pid_file] =
            [name.as_str(), "keepalived.conf", "pid"].map(|file| directory.path().join(file));
        fs::copy("/bin/sleep", &program).unwrap();
        let text = format!(
            "global_defs {{\n  dynamic_interfaces\n}}\n\
             vrrp_track_process web {{\n  process {name}\n}}\n\
             vrrp_instance one {{\n  interface {name}\n  virtual_router_id 77\n  no_virtual_ipaddress\n  \
             track_process {{\n    web\n  }}\n}}\n"
        );
        fs::write(&config, text).unwrap();
        let mut daemon = tokio::process::Command::new(env!("CARGO_BIN_EXE_steadfast"))
            .args(["-n", "-l", "-f"])
            .arg(&config)
            .arg("-p")
            .arg(&pid_file)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let mut wait_log = async |text: &str| {
            loop {
                let line = lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("the daemon ended without {text:?}:\n{log}"));
                log += &format!("{line}\n");
                if line.contains(text) {
                    break;
                }
            }
        };
        wait_log("Quorum lost for tracked process web (has 0 running").await;
        let mut child = Command::new(&program).arg("1000").spawn().unwrap();
        wait_log("Quorum gained for tracked process web (has 1 running").await;
        child.kill().unwrap();
        wait_log("Quorum lost for tracked process web (has 0 running").await;
        child.wait().unwrap();
        let pid = Pid::from_raw(daemon.id().unwrap().cast_signed());
        kill(pid, Signal::SIGTERM).unwrap();
        assert!(daemon.wait().await.unwrap().success());
        assert!(!log.contains("counted every second"), "the kernel does not report processes here:\n{log}");
    });
}
