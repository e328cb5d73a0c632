//! With how little the daemon runs (docs/security.md), and the unit that gives it no more.

use std::collections::HashMap;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use lab::{Host, Lan, Process, Result, State, Subject};

use crate::world::{SOON, Setup, V3, VI, VIP, is_keepalived, ours};

/// Nobody's.
const USER: &str = "12000";

/// Starts the daemon by way of setpriv(1), in a folder where everybody may write.
fn with_privileges(host: &Host, privileges: &[&str], setup: &Setup) -> Result<Process> {
    let Subject::Steadfast(program) = ours() else { unreachable!("left out before") };
    let folder = host.dir().join("own");
    fs::create_dir_all(&folder).expect("a folder");
    // Everybody may come here: root without CAP_DAC_OVERRIDE is anybody.
    let [above, own] = [host.dir(), &folder].map(|path| path.display().to_string());
    host.sh(&format!("chmod 755 {above}/.. {above} && chmod 1777 {own}"))?;
    let config = host.write("own.conf", &setup.text())?;
    let (program, config) = (program.display().to_string(), config.display().to_string());
    let pid = folder.join("pid").display().to_string();
    let start = [program.as_str(), "-n", "-l", "-f", &config, "-p", &pid];
    let argv = [&["setpriv"], privileges, &["--"], &start].concat();
    host.spawn_with("own", &argv, &HashMap::new())
}

/// Of /proc/PID/status.
pub(crate) fn effective(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("its capabilities");
    u64::from_str_radix(mask.trim(), 16).expect("a number")
}

pub(crate) const NET_ADMIN: u64 = 1 << 12;
pub(crate) const NET_RAW: u64 = 1 << 13;

#[test]
fn net_admin_and_net_raw_are_enough_for_root_in_a_container_and_for_an_ordinary_user() -> Result<()> {
    if is_keepalived("capabilities of a daemon") {
        return Ok(());
    }
    let container: &[&str] = &["--bounding-set", "-all,+net_admin,+net_raw"];
    let caps = ["--inh-caps", "+net_admin,+net_raw", "--ambient-caps", "+net_admin,+net_raw"];
    let user = [&["--reuid", USER, "--regid", USER, "--clear-groups"][..], &caps].concat();
    for privileges in [container, &user] {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let daemon = with_privileges(alpha, privileges, &V3.alpha(150))?;
        daemon.wait_log(&format!("({VI}) Entering {} STATE", State::Master), SOON)?;
        lan.wait_holder(VIP, "alpha", SOON)?;
        let engine = daemon.children()[0];
        assert_eq!(effective(engine), NET_ADMIN | NET_RAW, "{privileges:?}");
        assert!(daemon.terminate(SOON)?.success(), "{}", daemon.log());
        assert!(!alpha.has_address(VIP));
    }
    Ok(())
}

#[test]
fn a_permission_that_is_missing_is_named_with_what_needs_it_and_the_daemon_ends() -> Result<()> {
    if is_keepalived("capabilities of a daemon") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let daemon = with_privileges(&lan["alpha"], &["--bounding-set", "-all,+net_admin"], &V3.alpha(150))?;
    assert_eq!(daemon.wait(SOON)?.code(), Some(4), "{}", daemon.log());
    let needed = "CAP_NET_RAW (needed for the advertisements of `vrrp_instance` and gratuitous ARP)";
    assert!(daemon.log().contains(needed), "{}", daemon.log());
    assert_eq!(daemon.log().matches("The engine has been started").count(), 1, "{}", daemon.log());
    Ok(())
}

#[test]
fn an_ordinary_user_runs_without_what_some_words_need_and_each_is_named() -> Result<()> {
    if is_keepalived("capabilities of a daemon") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let caps = ["--inh-caps", "+net_admin,+net_raw", "--ambient-caps", "+net_admin,+net_raw"];
    let user = [&["--reuid", USER, "--regid", USER, "--clear-groups"][..], &caps].concat();
    let alpha = &lan["alpha"];
    // What is root's alone, and a port that is.
    let [fifo, file, master] = ["fifo", "load", "master"].map(|name| alpha.dir().join(name));
    let _master = UnixListener::bind(&master).expect("a socket");
    let [fifo, file, master] = [fifo, file, master].map(|path| path.display().to_string());
    alpha.sh(&format!("mkfifo {fifo} && touch {file} && chmod 600 {fifo} {file} {master}"))?;
    let globals = format!(
        "  script_user nobody\n  control_group daemon\n  notify_fifo {fifo}\n  enable_snmp_vrrp\n  snmp_socket unix:{master}\n"
    );
    let blocks =
        format!("snmp_agent {{\n  listen 127.0.0.1:161\n}}\ntrack_file load {{\n  file {file}\n}}\n");
    let of_each = [
        ("vrrp_rt_priority 20", "vrrp_rt_priority has no effect", "CAP_SYS_NICE"),
        ("vrrp_priority -10", "vrrp_priority has no effect", "CAP_SYS_NICE"),
        ("vrrp_no_swap", "vrrp_no_swap has no effect", "CAP_IPC_LOCK"),
    ];
    for (word, said, capability) in of_each {
        let before = format!("global_defs {{\n{globals}  {word}\n}}\n{blocks}");
        let setup = Setup { before, ..V3.alpha(150) }.line("notify /bin/true");
        let setup = setup.line("track_file {\n    load weight 1\n  }");
        let daemon = with_privileges(alpha, &user, &setup)?;
        daemon.wait_log(&format!("({VI}) Entering {} STATE", State::Master), SOON)?;
        let log = daemon.wait_log("notify script", SOON)?;
        assert!(log.contains("CAP_SETUID and CAP_SETGID"), "{log}");
        let named = |said: &str, name: &str| {
            daemon.log().lines().any(|line| line.contains(said) && line.contains(name))
        };
        assert!(named(said, capability), "{word}: {}", daemon.log());
        assert!(named("`steadfast ctl` is not answered", "CAP_CHOWN"), "{}", daemon.log());
        for (said, named_there) in [
            ("snmp_agent: SNMP cannot be answered at 127.0.0.1:161", "CAP_NET_BIND_SERVICE"),
            ("notify_fifo", "CAP_DAC_OVERRIDE"),
            ("Track file load", "CAP_DAC_OVERRIDE"),
            ("no permission to connect to", "agentXPerms"),
        ] {
            daemon.wait_log(said, SOON)?;
            assert!(named(said, named_there), "{said}: {}", daemon.log());
        }
        for name in ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"] {
            assert!(named("missing permission", name), "{}", daemon.log());
        }
        assert!(daemon.terminate(SOON)?.success(), "{}", daemon.log());
    }
    Ok(())
}

#[test]
fn what_root_needs_for_nothing_it_gives_up_and_its_scripts_have_it() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let told = alpha.dir().join("told");
    let script =
        alpha.write("caps.sh", &format!("#!/bin/sh\ngrep CapEff /proc/$$/status > {}\n", told.display()))?;
    alpha.sh(&format!("chmod 755 {}", script.display()))?;
    let text = format!(
        "global_defs {{\n  script_user root\n}}\n{}",
        V3.alpha(150).line(format!("notify_master {}", script.display())).instance(VI)
    );
    let router = lab::Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    let all = effective(i32::try_from(std::process::id()).expect("a pid"));
    let engine = effective(router.vrrp_pid(SOON)?);
    assert_eq!(engine & (NET_ADMIN | NET_RAW), NET_ADMIN | NET_RAW);
    // CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_SYS_ADMIN.
    let needless = 1 << 16 | 1 << 19 | 1 << 21;
    if !is_keepalived("capabilities of a daemon") {
        assert_eq!(engine & needless, 0, "{engine:x}");
    }
    let of_script = lab::wait::until("the script", SOON, || {
        let text = fs::read_to_string(&told).unwrap_or_default();
        let mask = text.trim().strip_prefix("CapEff:").map(|mask| u64::from_str_radix(mask.trim(), 16));
        mask.and_then(std::result::Result::ok).ok_or(text)
    })?;
    assert_eq!(of_script & needless, all & needless, "{of_script:x}");
    Ok(())
}

/// The unit that is installed.
fn unit() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/steadfast.service");
    fs::read_to_string(file).expect("the unit")
}

#[test]
fn ctl_finds_the_daemon_that_the_unit_starts_without_being_told_where() -> Result<()> {
    if is_keepalived("a running daemon asked from outside") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let folder = alpha.dir().join("etc");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("keepalived.conf"), V3.alpha(150).text()).expect("a file");
    let program = env!("CARGO_BIN_EXE_steadfast");
    let unit = unit();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    let start = start.replace("/usr/sbin/steadfast", program).replace("$DAEMON_ARGS", "-l");
    // As on a host of its own, with the folder that `RuntimeDirectory=` makes.
    let script = format!(
        "mount --bind {} /etc/keepalived && mount -t tmpfs none /run && mkdir /run/steadfast && exec {start}",
        folder.display()
    );
    let daemon = alpha.spawn_with("unit", &["unshare", "-m", "sh", "-c", &script], &HashMap::new())?;
    daemon.wait_log(&format!("({VI}) Entering {} STATE", State::Master), SOON)?;
    let status = alpha.sh(&format!("nsenter -m -t {} {program} ctl status", daemon.pid()))?;
    assert!(status.contains(VI), "{status}");
    assert!(daemon.terminate(SOON)?.success(), "{}", daemon.log());
    Ok(())
}

#[test]
fn systemd_understands_the_unit() {
    if is_keepalived("unit for systemd") {
        return;
    }
    if !lab::host::installed("systemd-analyze") {
        lab::note("systemd-analyze is not installed: nothing says whether the unit is one");
        return;
    }
    let own = unit().replace("/usr/sbin/steadfast", env!("CARGO_BIN_EXE_steadfast"));
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("steadfast.service");
    fs::write(&file, own).expect("a file");
    let output =
        Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&file).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_it: Vec<&str> = said.lines().filter(|line| line.contains("steadfast")).collect();
    assert!(output.status.success() && about_it.is_empty(), "{said}");
}
