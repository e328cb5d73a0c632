//! `steadfast ctl` and the socket behind it: what is answered, who is answered, and that nobody who is connected can hold up
//! an advertisement.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::Shutdown,
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
    heard(stream)
}

/// What is said until the daemon has had enough.
fn heard(mut stream: UnixStream) -> String {
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
    let mut asking = connect(&router);
    asking.write_all(b"{\"do\":\"events\",\"since\":{\"after\":18446744073709551615}}\n").expect("it reads");
    // Else it would wait for another question, for as long as the story waits for an answer.
    asking.shutdown(Shutdown::Write).expect("a socket has two ends");
    let last = heard(asking);
    assert!(!last.contains("VI"), "{last}");
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
    let why = ctl(alpha, &router, &["why", VI])?;
    assert!(why.starts_with("VI is in FAULT: interface va0 is down.\n"), "{why}");
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

/// Two routers with two instances in a sync group each, alpha the better one.
fn grouped(lan: &Lan) -> Result<[Router; 2]> {
    let routers = [("alpha", V3.alpha(150)), ("beta", V3.beta(100))].map(|(host, setup)| {
        let other = Setup { vrid: 52, vips: vec!["10.9.0.101/24".into()], ..setup.clone() };
        let text = format!(
            "global_defs {{\n  vrrp_rt_priority 50\n}}\nvrrp_sync_group G {{\n  group {{\n    {VI}\n    VJ\n  }}\n}}\n{}{}",
            setup.instance(VI),
            other.instance("VJ")
        );
        Router::start(&ours(), &lan[host], host, &text)
    });
    let [alpha, beta] = routers;
    let routers = [alpha?, beta?];
    routers[0].wait_log("VRRP_Group(G) Entering MASTER STATE", SOON)?;
    lan.wait_holder("10.9.0.100", "alpha", SOON)?;
    Ok(routers)
}

#[test]
fn a_member_that_steps_down_takes_its_group_along_and_comes_back_when_the_time_is_over() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let [alpha, beta] = grouped(&lan)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let (on_alpha, on_beta) = (alpha.mark(), beta.mark());
    let why = ctl(&lan["beta"], &beta, &["why", VI])?;
    let cause = "VI is BACKUP: 10.9.0.1 is master with a higher priority (150, ours is 100).\n";
    assert!(why.starts_with(cause), "{why}");
    let done = ctl(&lan["alpha"], &alpha, &["step-down", "VJ", "--for", "4s"])?;
    assert!(done.contains("step-down for 4 s") && done.contains("VI, VJ"), "{done}");
    beta.process().wait_log_since(on_beta, "VRRP_Group(G) Entering MASTER STATE", SOON)?;
    let log = alpha.process().log_since(on_alpha);
    assert!(
        log.contains("(VJ) Entering BACKUP STATE (step-down for 4 s, asked for by root (uid 0, pid "),
        "{log}"
    );
    let status = ctl(&lan["alpha"], &alpha, &["status"])?;
    assert!(status.contains("step-down"), "{status}");
    let why = ctl(&lan["alpha"], &alpha, &["why", "VJ"])?;
    assert!(why.starts_with("VJ is BACKUP: root (uid 0, pid "), "{why}");
    assert!(why.contains("last advert  from 10.9.0.2, priority 100, "), "{why}");
    // Its priority is higher all the time, and it is MASTER again by itself.
    alpha.process().wait_log_since(on_alpha, "the time of step-down is over", SOON)?;
    let log = alpha.process().log_since(on_alpha);
    assert!(!log.contains("Entering MASTER"), "{log}");
    alpha.process().wait_log_since(on_alpha, "VRRP_Group(G) Entering MASTER STATE", SOON)?;
    let farewells = capture.vrrp()?.into_iter().filter(|advert| advert.priority() == 0);
    let mut from_alpha: Vec<u8> =
        farewells.filter(|advert| advert.src.to_string() == "10.9.0.1").map(|advert| advert.vrid()).collect();
    from_alpha.sort_unstable();
    assert_eq!(from_alpha, [51, 52], "each says farewell once");
    let events = ctl(&lan["alpha"], &alpha, &["events", "--json"])?;
    assert!(events.contains("step-down for 4 s, asked for by root (uid 0, pid "), "{events}");
    Ok(())
}

#[test]
fn maintenance_keeps_every_instance_away_and_a_priority_is_added_until_it_is_ended() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let [alpha, beta] = grouped(&lan)?;
    let host = &lan["alpha"];
    let mark = beta.mark();
    ctl(host, &alpha, &["maintenance", "on"])?;
    beta.process().wait_log_since(mark, "VRRP_Group(G) Entering MASTER STATE", SOON)?;
    beta.kill9();
    lan["beta"].run(&["ip", "link", "set", "vb0", "down"])?;
    let mark = alpha.mark();
    wait::throughout("nobody is MASTER", Duration::from_secs(3), || {
        let log = alpha.process().log_since(mark);
        if log.contains("Entering MASTER") { Err(log) } else { Ok(()) }
    })?;
    let status: Value = serde_json::from_str(&ctl(host, &alpha, &["status", "--json"])?).expect("JSON");
    assert!(
        status["status"]["daemon"]["maintenance"].as_str().is_some_and(|text| text.contains("root")),
        "{status}"
    );
    // It outlasts a reload, also for what is new there.
    alpha.process().signal(nix::sys::signal::Signal::SIGHUP)?;
    alpha.process().wait_log_since(mark, "Configuration ", SOON)?;
    ctl(host, &alpha, &["maintenance", "off"])?;
    alpha.process().wait_log_since(mark, "VRRP_Group(G) Entering MASTER STATE", SOON)?;
    let mark = alpha.mark();
    ctl(host, &alpha, &["priority", VI, "-30"])?;
    alpha.process().wait_log_since(mark, "(VI) Changing effective priority from 150 to 120", SOON)?;
    ctl(host, &alpha, &["priority", VI, "+5", "--for", "1s"])?;
    alpha.process().wait_log_since(mark, "(VI) Changing effective priority from 120 to 155", SOON)?;
    alpha.process().wait_log_since(mark, "(VI) Changing effective priority from 155 to 150", SOON)?;
    for wrong in [&["priority", VI, "300"][..], &["step-down", "VX"], &["priority", "VX", "+1"]] {
        ctl(host, &alpha, wrong).expect_err("it makes no sense");
    }
    Ok(())
}

#[test]
fn a_reload_is_foretold_carried_out_and_answered_with_what_it_did() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let router = watched(&lan)?;
    let alpha = &lan["alpha"];
    let file = alpha.dir().join("alpha.conf");
    let text = std::fs::read_to_string(&file).expect("it was started with it");
    let newest = || -> Result<Value> {
        let status: Value = serde_json::from_str(&ctl(alpha, &router, &["status", "--json"])?).expect("JSON");
        Ok(status["status"]["daemon"]["transitions"].clone())
    };
    let before = newest()?;
    let other = Setup { vrid: 52, vips: vec!["10.9.0.101/24".into()], ..V3.alpha(90) };
    alpha.write("alpha.conf", &(text.replace("priority 150", "priority 140") + &other.instance("VJ")))?;
    let foretold: Value =
        serde_json::from_str(&ctl(alpha, &router, &["reload", "--dry-run", "--json"])?).expect("JSON");
    let changes = json!([
        {"block": "vrrp_instance", "name": VI, "what": "changed", "effect": "changes while it runs, without a transition"},
        {"block": "vrrp_instance", "name": "VJ", "what": "added", "effect": "starts as a new router"},
    ]);
    assert_eq!(foretold["reload"]["changes"], changes, "{foretold}");
    assert_eq!(
        (&foretold["reload"]["dry_run"], &newest()?),
        (&json!(true), &before),
        "it was only a question"
    );
    let done: Value = serde_json::from_str(&ctl(alpha, &router, &["reload", "--json"])?).expect("JSON");
    assert_eq!(done["reload"]["changes"], changes, "{done}");
    let counts = ["added", "changed", "removed"].map(|count| done["reload"][count].as_u64());
    assert_eq!((counts, &done["reload"]["dry_run"]), ([Some(1), Some(1), Some(0)], &Value::Null), "{done}");
    let events = ctl(alpha, &router, &["events"])?;
    let told = "configuration: reloaded: 1 added, 1 changed, 0 removed, asked for by root (uid 0, pid ";
    assert!(events.contains(told), "{events}");
    assert!(ctl(alpha, &router, &["reload"])?.starts_with("added    0\nchanged  0\nremoved  0\n"));
    alpha.write("alpha.conf", &text.replace("virtual_router_id 51", "virtual_router_id 510"))?;
    for question in [&["reload", "--dry-run"][..], &["reload"]] {
        let error = ctl(alpha, &router, question).expect_err("it is refused").to_string();
        assert!(error.contains("what ran before goes on:") && error.contains("alpha.conf:"), "{error}");
    }
    let events = ctl(alpha, &router, &["events"])?;
    assert_eq!(events.matches("not reloaded, what ran before goes on: ").count(), 1, "{events}");
    assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
    Ok(())
}

#[test]
fn events_of_earlier_runs_are_read_from_the_journal() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let journal = alpha.dir().join("transitions");
    let before = format!("global_defs {{\n  transition_journal {}\n}}\n", journal.display());
    let setup = Setup { advert_int: INTERVAL.as_secs_f64().to_string(), before, ..V3.alpha(150) };
    setup.start_until(&ours(), alpha, State::Master)?.stop()?;
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let events = ctl(alpha, &router, &["events", "--since", "1h"])?;
    let masters: Vec<_> = events.lines().filter(|line| line.contains("BACKUP -> MASTER")).collect();
    assert_eq!(masters.len(), 2, "{events}");
    assert!(masters[0].contains("  #-  VI  ") && !masters[1].contains("#-"), "{events}");
    let stop = events.lines().position(|line| line.contains("#-") && line.contains(": daemon stops"));
    let start = events.lines().position(|line| line.contains("  #1  "));
    assert!(stop < start && stop.is_some(), "{events}");
    let of_this_run = ctl(alpha, &router, &["events"])?;
    assert!(!of_this_run.contains("#-") && events.ends_with(&of_this_run), "{events}");
    router.stop().map(drop)
}
