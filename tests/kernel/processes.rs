//! Processes that come and go. These stories need the initial namespaces, where the kernel reports processes.

use std::{
    future::Future,
    process::{Child, Command},
    time::Duration,
};

use steadfast::kernel::{ProcessEvent, ProcessEvents, process_events::ReceiveBuffer, procfs};

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
        let seen = procfs::process(pid, true).unwrap();
        assert_eq!(
            (seen.name, seen.command_line),
            (b"sleep".to_vec(), vec![b"sleep".to_vec(), b"1000".to_vec()])
        );
        child.kill().unwrap();
        wait_for(&mut events, ProcessEvent::Ended(pid)).await;
        // Dead, but not waited for: it does not run any more.
        assert_eq!(procfs::process(pid, true), None);
        child.wait().unwrap();
    });
}

#[test]
fn a_new_name_is_reported() {
    run(async {
        let mut events = open(None).await;
        // The shell gives itself another name (proc(5), /proc/PID/comm), then waits.
        let script = "printf renamed > /proc/$$/comm; read line";
        let mut child =
            Command::new("sh").args(["-c", script]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let name = || procfs::process(pid, false).map(|process| process.name);
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
