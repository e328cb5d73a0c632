//! `steadfast ctl` and the socket behind it: what is answered, who is answered, and that nobody who is connected can hold up
//! an advertisement.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::{fs::MetadataExt as _, net::UnixStream},
    path::PathBuf,
    time::Duration,
};

use lab::{Capture, Control, Host, Lan, Result, Router, State, wait};
use serde_json::{Value, json};

use crate::world::{SOON, Setup, V3, VI, assert_steady, is_keepalived, ours};

/// The interval of the instance that is watched.
const INTERVAL: Duration = Duration::from_millis(100);
/// How late it may be with an advertisement.
const LATE: Duration = Duration::from_millis(50);

/// The instance that is watched, MASTER on alpha.
fn watched(lan: &Lan) -> Result<Router> {
    let before = "global_defs {\n  vrrp_rt_priority 50\n}\n".to_owned();
    let setup = Setup { advert_int: INTERVAL.as_secs_f64().to_string(), before, ..V3.alpha(150) };
    setup.start_until(&ours(), &lan["alpha"], State::Master)
}

fn socket(router: &Router) -> PathBuf {
    router.dir().join("pid.sock")
}

/// What `steadfast ctl` prints for a question.
fn ctl(host: &Host, router: &Router, question: &[&str]) -> Result<String> {
    let pid = router.dir().join("pid");
    let before = [env!("CARGO_BIN_EXE_steadfast"), "-p", &pid.to_string_lossy(), "ctl"].map(str::to_owned);
    let line: Vec<&str> = before.iter().map(String::as_str).chain(question.iter().copied()).collect();
    host.run(&line)
}

/// A connection that no test waits on for ever.
fn connect(router: &Router) -> UnixStream {
    let stream = UnixStream::connect(socket(router)).expect("the daemon listens");
    for limit in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
        limit(&stream, Some(SOON)).expect("a socket has time limits");
    }
    stream
}

/// Sends bytes, which a daemon that has heard enough need not take, and returns what it says until it hangs up.
fn last_words(router: &Router, bytes: &[u8]) -> String {
    let mut stream = connect(router);
    if let Err(error) = stream.write_all(bytes) {
        assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
    }
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => text.extend_from_slice(&chunk[..length]),
            // It has left what it did not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_daemon_says_how_it_is_in_tables_and_in_json() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let router = watched(&lan)?;
    let alpha = &lan["alpha"];
    let status = ctl(alpha, &router, &["status"])?;
    let line = status.lines().find(|line| line.trim_start().starts_with("VI ")).expect("a line for VI");
    assert!(line.contains("MASTER") && line.contains("no master heard"), "{status}");
    let status: Value = serde_json::from_str(&ctl(alpha, &router, &["status", "--json"])?).expect("JSON");
    assert_eq!(status["status"]["instances"][0]["state"], "MASTER", "{status}");
    wait::until("the address in what the kernel has", SOON, || {
        let kernel =
            ctl(alpha, &router, &["show", "kernel", VI, "--json"]).map_err(|error| error.to_string())?;
        let kernel: Value = serde_json::from_str(&kernel).expect("JSON");
        let address = &kernel["shown"][0]["addresses"][0];
        let is_there = address["address"] == "10.9.0.100/24" && address["set"] == true;
        if is_there { Ok(()) } else { Err(kernel.to_string()) }
    })?;
    for kind in ["instance", "group", "script", "track", "server", "kernel"] {
        ctl(alpha, &router, &["show", kind])?;
    }
    let error = ctl(alpha, &router, &["show", "instance", "VJ"]).expect_err("there is none").to_string();
    assert!(error.contains("there is no instance VJ; there are: VI"), "{error}");
    assert_eq!(std::fs::metadata(socket(&router)).expect("it is there").mode() & 0o777, 0o600);
    router.stop()?;
    assert!(!socket(&router).exists(), "the socket is left");
    let error = ctl(alpha, &router, &["status"]).expect_err("nobody is there").to_string();
    assert!(error.contains("no daemon listens at"), "{error}");
    Ok(())
}

/// More than the daemon serves at a time.
const CROWD: usize = 1000;
/// What the engine may need for all of that, in KiB.
const ROOM: u64 = 16 * 1024;

fn resident(router: &Router) -> Result<u64> {
    let pid = router.vrrp_pid(SOON)?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line for it");
    Ok(line.trim().trim_end_matches(" kB").parse().expect("a number"))
}

#[test]
fn whoever_sends_garbage_crowds_in_or_does_not_read_holds_up_no_advertisement() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let router = watched(&lan)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let control = Control::start();
    let before = resident(&router)?;
    for garbage in
        [&b"\n"[..], b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\x00\x01\n", b"{\"do\":\"dance\"}\n", b"[[[[\n"]
    {
        let answer = last_words(&router, garbage);
        assert!(answer.starts_with("{\"error\":\"this is no request"), "{answer}");
    }
    let deep = "[".repeat(4000) + "\n";
    assert!(last_words(&router, deep.as_bytes()).starts_with("{\"error\""));
    let long = vec![b'x'; 1 << 20];
    for _ in 0..10 {
        let answer = last_words(&router, &long);
        // What was not read may cost the client the answer.
        assert!(answer.is_empty() || answer.contains("a request has no more than 4096 bytes"), "{answer}");
    }
    let crowd: Vec<_> = (0..CROWD).map(|_| connect(&router)).collect();
    let turned_away = crowd.iter().rev().take(CROWD - 64).filter(|stream| {
        let mut line = String::new();
        BufReader::new(*stream).read_line(&mut line).is_ok() && line.contains("too many connections")
    });
    assert_eq!(turned_away.count(), CROWD - 64);
    drop(crowd);
    // One that asks without end and never reads.
    let mut deaf = connect(&router);
    deaf.set_write_timeout(Some(Duration::from_millis(200))).expect("a socket has time limits");
    let question = (json!({"do": "status"}).to_string() + "\n").repeat(1000);
    while deaf.write_all(question.as_bytes()).is_ok() {}
    let alpha = &lan["alpha"];
    wait::until("an answer for somebody else", SOON, || {
        ctl(alpha, &router, &["status"]).map_err(|error| error.to_string())
    })?;
    wait::until("the end of the deaf one", SOON, || match deaf.write(b"x") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let grown = resident(&router)?.saturating_sub(before);
    assert!(grown < ROOM, "{grown} KiB more than before");
    let stalls = control.stop();
    assert_steady(&capture.vrrp()?, "10.9.0.1", INTERVAL, LATE, &stalls);
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    Ok(())
}

#[test]
fn transitions_are_watched_as_they_come_and_told_afterwards() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let router = watched(&lan)?;
    let alpha = &lan["alpha"];
    let pid = router.dir().join("pid");
    let watch = [env!("CARGO_BIN_EXE_steadfast"), "-p", &pid.to_string_lossy(), "ctl", "watch", "--json"];
    let watcher = alpha.spawn("watch", &watch)?;
    // When it watches, the daemon has one connection more than this one, which asks how it is.
    let open = || {
        let sockets = alpha.run(&["cat", "/proc/net/unix"]).map_err(|error| error.to_string())?;
        let here = socket(&router).to_string_lossy().into_owned();
        let connected = sockets.lines().filter(|line| line.ends_with(&here)).count();
        if connected > 1 { Ok(()) } else { Err(format!("{connected} sockets at {here}")) }
    };
    wait::until("the watcher", SOON, open)?;
    alpha.run(&["ip", "link", "set", "va0", "down"])?;
    let line = watcher.wait_log("\"to\":\"FAULT\"", SOON)?;
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(event["event"]["from"], "MASTER", "{line}");
    assert_eq!(event["event"]["reason"], "interface va0 is down", "{line}");
    watcher.kill();
    let events = ctl(alpha, &router, &["events"])?;
    let states: Vec<&str> = events.lines().filter(|line| line.contains(" -> ")).collect();
    let ways = ["INIT -> BACKUP", "BACKUP -> MASTER", "MASTER -> FAULT"];
    assert_eq!(states.len(), ways.len(), "{events}");
    assert!(states.iter().zip(ways).all(|(line, way)| line.contains(way)), "{events}");
    let number = event["event"]["number"].as_u64().expect("a number");
    assert_eq!(ctl(alpha, &router, &["events", "--since", &format!("#{number}")])?, "");
    assert_eq!(ctl(alpha, &router, &["events", "--since", "1h"])?, events);
    Ok(())
}
