//! Parent and engine: who starts, watches, restarts and stops whom, and what is left of them.

use std::collections::HashMap;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lab::{AddressMonitor, Capture, Host, Lan, Process, Result, Router, State, Subject, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use steadfast::kernel::clock;

use crate::world::{ADVERTS, SOON, Setup, V3, VI, VIP, from, in_its_way, is_keepalived, ours};

/// A pid file's number once it is another one than before.
fn pid_in(file: &Path, before: Option<i32>) -> Result<i32> {
    wait::until(&format!("another pid in {}", file.display()), SOON, || {
        let text = fs::read_to_string(file).unwrap_or_default();
        let pid = text.trim().parse().ok().filter(|pid| Some(*pid) != before);
        pid.ok_or_else(|| format!("`{text}`"))
    })
}

/// Sends a signal to a process of ours.
fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("the process is there");
}

fn is_gone(pid: i32) -> bool {
    // A zombie counts as gone: nobody may wait for it here.
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

/// Advertisements a second apart: a restart takes some tenths on a busy machine.
pub(crate) fn slow(setup: Setup) -> Setup {
    Setup { advert_int: "1".into(), ..setup }
}

#[test]
fn a_killed_engine_is_back_within_a_second() -> Result<()> {
    let lan = Lan::pair()?;
    let router = V3.alpha(150).start_until(&ours(), &lan["alpha"], State::Master)?;
    let engine = router.vrrp_pid(SOON)?;
    let mark = router.mark();
    let killed = clock::now();
    signal(engine, Signal::SIGKILL);
    let next = pid_in(&router.dir().join("vrrp.pid"), Some(engine))?;
    let took = clock::now().since(killed);
    println!("another engine after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(router.process().children(), [next]);
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    assert!(router.stop()?.success());
    assert!(!lan["alpha"].has_address(VIP));
    assert!(!router.dir().join("pid").exists() && !router.dir().join("vrrp.pid").exists());
    Ok(())
}

#[test]
fn a_killed_engine_costs_neither_the_mastership_nor_an_address() -> Result<()> {
    if is_keepalived("engine killed") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    // The script has no result yet when the new engine begins.
    let script = "vrrp_script up {\n  script /bin/true\n  interval 1\n}\n";
    let setup = Setup { before: script.into(), ..slow(V3.alpha(150)) }.line("track_script {\n    up\n  }");
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let standby = slow(V3.beta(100)).start_until(&Subject::Keepalived, beta, State::Backup)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let monitor = AddressMonitor::start(alpha)?;
    let capture = Capture::start(beta, "vb0", ADVERTS)?;
    let mark = router.mark();
    signal(router.vrrp_pid(SOON)?, Signal::SIGKILL);
    let line = router.wait_entering_since(mark, VI, State::Master, SOON)?;
    assert!(line.contains("goes on where the process before ended"), "{line}");
    let sent = capture.wait_vrrp("three adverts after it", SOON, |seen| from(seen, "10.9.0.1").len() >= 3)?;
    assert!(from(&sent, "10.9.0.1").iter().all(|advert| advert.priority() == 150));
    assert_eq!(standby.entries(VI, State::Master), 0, "{}", standby.log());
    let removed = |change: &lab::monitor::Change| !change.added && change.address.starts_with(VIP);
    assert!(!monitor.changes().iter().any(removed), "{:?}", monitor.changes());
    Ok(())
}

#[test]
fn a_restart_that_keeps_the_addresses_is_no_failover() -> Result<()> {
    if is_keepalived("restart with `-V`") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let setup = slow(V3.alpha(150)).text();
    let start = || Router::start_with(&ours(), alpha, "alpha", &setup, &["-V"]);
    let first = start()?;
    first.wait_entering(VI, State::Master, SOON)?;
    let standby = slow(V3.beta(100)).start_until(&Subject::Keepalived, beta, State::Backup)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let monitor = AddressMonitor::start(alpha)?;
    assert!(first.stop()?.success());
    let second = start()?;
    let line = second.wait_entering(VI, State::Master, SOON)?;
    assert!(line.contains("goes on where"), "{line}");
    assert_eq!(standby.entries(VI, State::Master), 0, "{}", standby.log());
    let removed = |change: &lab::monitor::Change| !change.added && change.address.starts_with(VIP);
    assert!(!monitor.changes().iter().any(removed), "{:?}", monitor.changes());
    Ok(())
}

#[test]
fn an_engine_without_a_parent_leaves_in_order() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let router = V3.alpha(150).start_until(&ours(), alpha, State::Master)?;
    let _standby = V3.beta(100).start_until(&Subject::Keepalived, beta, State::Backup)?;
    let capture = Capture::start(beta, "vb0", ADVERTS)?;
    let engine = router.vrrp_pid(SOON)?;
    signal(router.process().pid(), Signal::SIGKILL);
    wait::until_true("the end of the engine", SOON, || is_gone(engine))?;
    capture.wait_vrrp("priority 0", SOON, |seen| {
        from(seen, "10.9.0.1").last().is_some_and(|advert| advert.priority() == 0)
    })?;
    lan.wait_holder(VIP, "beta", SOON)?;
    assert!(!router.dir().join("vrrp.pid").exists());
    Ok(())
}

#[test]
fn a_broken_configuration_does_not_make_a_killed_engine_start_again_and_again() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router = V3.alpha(150).start_until(&ours(), alpha, State::Master)?;
    if is_keepalived("engine started again when") {
        return Ok(());
    }
    alpha.write("alpha.conf", &Setup { interface: "nope".into(), ..V3.alpha(150) }.text())?;
    signal(router.vrrp_pid(SOON)?, Signal::SIGKILL);
    assert_eq!(router.process().wait(SOON)?.code(), Some(2), "{}", router.log());
    assert_eq!(router.log().matches("The engine has been started").count(), 2, "{}", router.log());
    Ok(())
}

#[test]
fn with_dont_respawn_the_death_of_the_engine_is_the_end() -> Result<()> {
    let lan = Lan::pair()?;
    let router = Router::start_with(&ours(), &lan["alpha"], "alpha", &V3.alpha(150).text(), &["-R"])?;
    router.wait_entering(VI, State::Master, SOON)?;
    signal(router.vrrp_pid(SOON)?, Signal::SIGKILL);
    let status = router.process().wait(SOON)?.code();
    let expected = if is_keepalived("`-R`, when") { 0 } else { 70 };
    assert_eq!(status, Some(expected), "{}", router.log());
    assert!(!router.dir().join("pid").exists());
    Ok(())
}

#[test]
fn an_engine_that_does_not_stop_is_killed_in_its_time() -> Result<()> {
    let lan = Lan::pair()?;
    let text = format!("child_wait_time 1\n{}", V3.alpha(150).text());
    let router = Router::start(&ours(), &lan["alpha"], "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    let engine = router.vrrp_pid(SOON)?;
    router.signal_vrrp(Signal::SIGSTOP)?;
    let asked = clock::now();
    router.process().terminate(SOON)?;
    let took = clock::now().since(asked);
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(4), "{took:?}");
    // keepalived leaves it to the first process of the system to bury its child.
    wait::until_true("the end of the engine", SOON, || is_gone(engine))
}

#[test]
fn scripts_run_before_the_engine_and_after_it_within_their_time() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let told = alpha.dir().join("told");
    let told_path = told.display();
    let script = alpha.write(
        "hook.sh",
        &format!(
            "#!/bin/sh\necho $1 $(ls {}) >> {told_path}\n[ $1 = stop ] || sleep 600\n",
            alpha.dir().join("alpha.run").display()
        ),
    )?;
    alpha.sh(&format!("chmod 755 {}", script.display()))?;
    let script = script.display();
    let globals = format!(
        "global_defs {{\n  script_user root\n  startup_script \"{script} start\"\n  startup_script_timeout 1\n  \
         shutdown_script \"{script} stop\"\n  shutdown_script_timeout 20\n}}\n"
    );
    let router = Router::start(&ours(), alpha, "alpha", &(globals + &V3.alpha(150).instance(VI)))?;
    router.wait_entering(VI, State::Master, SOON)?;
    assert!(router.stop()?.success());
    let told = fs::read_to_string(&told).expect("the scripts have run");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.len() == 2 && lines[0] == "start pid" && lines[1].starts_with("stop pid"), "{lines:?}");
    Ok(())
}

/// A daemon without `-n`, in the files of `dir`.
fn daemon(host: &Host, dir: &Path, config: &str) -> Result<lab::Output> {
    let file = |name: &str| dir.join(name).display().to_string();
    let config = host.write("daemon.conf", config)?.display().to_string();
    let (pid, vrrp) = (file("pid"), file("vrrp.pid"));
    let bfd = file("bfd.pid");
    let theirs: (&str, &[&str]) = ("keepalived", &["-G", "-b", &bfd]);
    let (program, more) = in_its_way(&ours(), (env!("CARGO_BIN_EXE_steadfast"), &[][..]), theirs);
    let flags = ["-P", "-l", "-f", &config, "-p", &pid, "-r", &vrrp];
    host.exec(&[&[program], &flags[..], more].concat())
}

/// Ends a daemon that nobody else ends.
struct Daemon(i32);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0), Signal::SIGTERM);
        let _ = wait::until_true("the end of the daemon", SOON, || is_gone(self.0));
    }
}

#[test]
fn without_dont_fork_the_daemon_leaves_the_terminal() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let dir = alpha.dir().join("daemon");
    fs::create_dir_all(&dir).expect("a folder");
    let started = daemon(alpha, &dir, &V3.alpha(150).text())?;
    assert!(started.status.success(), "{started:?}");
    let parent = pid_in(&dir.join("pid"), None)?;
    let _daemon = Daemon(parent);
    lan.wait_holder(VIP, "alpha", SOON)?;
    let engine = pid_in(&dir.join("vrrp.pid"), None)?;
    let stat = fs::read_to_string(format!("/proc/{engine}/stat")).expect("the engine runs");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    assert_eq!(fields[1], parent.to_string(), "the parent");
    assert_eq!(fields[3], parent.to_string(), "a session of its own");
    assert_eq!(fields[4], "0", "no terminal");
    let link = |what: &str| fs::read_link(format!("/proc/{parent}/{what}")).expect("the parent runs");
    assert_eq!(link("cwd"), PathBuf::from("/"));
    for stream in ["fd/0", "fd/1", "fd/2"] {
        assert_eq!(link(stream), PathBuf::from("/dev/null"), "{stream}");
    }

    let second = daemon(alpha, &dir, &V3.alpha(150).text())?;
    assert_eq!(pid_in(&dir.join("pid"), None)?, parent, "{second:?}");
    if !is_keepalived("already running") {
        assert_eq!(second.status.code(), Some(1), "already running");
        assert!(is_told(&second, "already running"), "{second:?}");
    }

    signal(parent, Signal::SIGTERM);
    wait::until_true("the end", SOON, || is_gone(parent) && is_gone(engine))?;
    assert!(!alpha.has_address(VIP) && !dir.join("pid").exists() && !dir.join("vrrp.pid").exists());
    Ok(())
}

fn is_told(output: &lab::Output, text: &str) -> bool {
    format!("{output:?}").contains(text)
}

#[test]
fn a_daemon_that_cannot_run_says_so_before_it_leaves() -> Result<()> {
    if is_keepalived("without `-n`, when") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let setup = Setup { interface: "nope".into(), ..V3.alpha(150) };
    let output = daemon(alpha, alpha.dir(), &setup.text())?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(is_told(&output, "steadfast -t -f"), "{output:?}");
    Ok(())
}

/// Starts a router as systemd does, and hears what it tells.
fn as_service(
    host: &Host,
    name: &str,
    more: &[(&str, &str)],
    flags: &[&str],
) -> Result<(Process, UnixDatagram, PathBuf)> {
    let socket = host.dir().join(format!("{name}.notify"));
    let listener = UnixDatagram::bind(&socket).expect("a socket");
    listener.set_read_timeout(Some(SOON)).expect("a limit");
    let Subject::Steadfast(program) = ours() else { unreachable!("left out before") };
    let program = program.display().to_string();
    let config = host.write(&format!("{name}.conf"), &V3.alpha(150).text())?.display().to_string();
    let pid = host.dir().join(format!("{name}.pid"));
    let pid_file = pid.display().to_string();
    let argv: Vec<&str> = [&[program.as_str(), "-n", "-l", "-f", &config, "-p", &pid_file], flags].concat();
    let mut env = HashMap::from([("NOTIFY_SOCKET".to_owned(), socket.display().to_string())]);
    env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Ok((host.spawn_with(name, &argv, &env)?, listener, pid))
}

/// What is told until a message has `text`.
fn hear(listener: &UnixDatagram, text: &str) -> String {
    let mut heard = String::new();
    let mut datagram = [0; 512];
    while !heard.contains(text) {
        let length =
            listener.recv(&mut datagram).unwrap_or_else(|error| panic!("no {text:?} but {heard:?}: {error}"));
        heard += &String::from_utf8_lossy(&datagram[..length]);
        heard.push('\n');
    }
    heard
}

#[test]
fn systemd_is_told_of_every_state_by_the_process_it_started() -> Result<()> {
    if is_keepalived("what systemd is told") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (daemon, listener, _) =
        as_service(&lan["alpha"], "service", &[("WATCHDOG_USEC", "600000")], &["-P"])?;
    hear(&listener, "READY=1\n");
    hear(&listener, "WATCHDOG=1\n");
    let [engine] = daemon.children()[..] else { panic!("{:?}", daemon.children()) };
    let environment = fs::read_to_string(format!("/proc/{engine}/environ")).expect("the engine runs");
    assert!(!environment.contains("NOTIFY_SOCKET="), "{environment}");

    // A reload that changes nothing, one that is refused, and one that changes something.
    let config = lan["alpha"].dir().join("service.conf");
    let text = fs::read_to_string(&config).expect("it was written");
    for text in [text.clone(), text.replace("virtual_router_id 51", ""), text.replace("150", "140")] {
        fs::write(&config, text).expect("it can be written");
        let asked = clock::now();
        daemon.signal(Signal::SIGHUP)?;
        let heard = hear(&listener, "MONOTONIC_USEC=");
        let (_, at) = heard.split_once("RELOADING=1\nMONOTONIC_USEC=").expect("of one message");
        let at: u128 = at.lines().next().and_then(|at| at.parse().ok()).expect("microseconds");
        assert!((asked.0.as_micros()..=clock::now().0.as_micros()).contains(&at), "{heard}");
        hear(&listener, "READY=1\n");
    }

    // An engine that hangs shows no life.
    signal(engine, Signal::SIGSTOP);
    listener.set_nonblocking(true).expect("a socket");
    while listener.recv(&mut [0; 512]).is_ok() {}
    wait::throughout("silence", Duration::from_millis(1500), || {
        listener.recv(&mut [0; 512]).map_or_else(|_| Ok(()), |_| Err("it was told something".to_owned()))
    })?;
    listener.set_nonblocking(false).expect("a socket");
    signal(engine, Signal::SIGKILL);
    hear(&listener, "STATUS=The engine was killed by signal 9");
    hear(&listener, "READY=1\n");
    daemon.terminate(SOON)?;
    hear(&listener, "STOPPING=1\n");
    Ok(())
}

#[test]
fn every_function_has_the_signal_that_keepalived_has() {
    let ask = |program: &str, function: &str| {
        let output = Command::new(program).arg(format!("--signum={function}")).output().expect("it runs");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    };
    for function in ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON", "NONE"] {
        let ours = ask(env!("CARGO_BIN_EXE_steadfast"), function);
        assert_eq!(ours, ask("keepalived", function), "{function}");
    }
}

/// What ps(1) calls a process.
fn name_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

#[test]
fn processes_have_the_names_that_the_configuration_gives_them() -> Result<()> {
    let words = [
        ("process_names", [None, Some("keepalived_vrrp")]),
        ("process_name top", [Some("top"), Some("top")]),
        ("vrrp_process_name of_more_than_15_bytes", [None, Some("of_more_than_15")]),
    ];
    for (word, expected) in words {
        let lan = Lan::pair()?;
        let setup = slow(Setup { before: format!("global_defs {{\n  {word}\n}}\n"), ..V3.alpha(150) });
        let router = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        let names = [router.process().pid(), router.vrrp_pid(SOON)?].map(name_of);
        let own = ours().to_string();
        assert_eq!(names, expected.map(|name| name.unwrap_or(&own).to_owned()), "{word}");
    }
    Ok(())
}

#[test]
fn the_command_line_says_which_network_namespace_umask_and_limit_of_cores_count() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let fifo = alpha.dir().join("told");
    let global = format!(
        "net_namespace nowhere\nglobal_defs {{\n  umask 0177\n  notify_fifo {}\n}}\n",
        fifo.display()
    );
    let setup = slow(Setup { before: global, ..V3.alpha(150) });
    // Started on another host, it runs on this one.
    let flags = ["-s", alpha.namespace(), "-u", "0133", "-m"];
    let router = Router::start_with(&ours(), &lan["beta"], "elsewhere", &setup.text(), &flags)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&fifo).expect("a FIFO").permissions());
    assert_eq!(mode & 0o777, 0o644);
    let limits = fs::read_to_string(format!("/proc/{}/limits", router.vrrp_pid(SOON)?)).expect("it runs");
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("a limit");
    let core: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(core[0], core[1], "what the hard limit permits (-m)");
    assert!(router.stop()?.success());
    Ok(())
}

#[test]
fn addresses_that_come_and_go_are_logged_when_that_is_asked_for() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    // A build option that Debian's keepalived has not.
    let flags = in_its_way(&ours(), &["-a", "--ignore-sigint"][..], &["-a"]);
    let router = Router::start_with(&ours(), alpha, "watching", &V3.alpha(150).text(), flags)?;
    router.wait_entering(VI, State::Master, SOON)?;
    alpha.add_address("10.9.0.77/24", "va0")?;
    router.wait_log("Netlink reflector reports IP 10.9.0.77 added to va0", SOON)?;
    if flags.len() > 1 {
        router.process().signal(Signal::SIGINT)?;
    }
    alpha.del_address("10.9.0.77/24", "va0")?;
    router.wait_log("Netlink reflector reports IP 10.9.0.77 removed from va0", SOON)?;
    assert!(alpha.has_address(VIP) && router.process().status().is_none(), "{}", router.log());
    Ok(())
}
