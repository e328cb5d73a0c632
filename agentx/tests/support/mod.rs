//! A host of its own for each test: a network namespace, a directory, and net-snmp's daemons in them.

pub(crate) mod probe;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use agentx::driver::monotonic;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Where snmpd's AgentX master listens when it is a TCP port.
pub(crate) const TCP_MASTER: &str = "tcp:127.0.0.1:1705";

const SNMP: &str = "udp:127.0.0.1:1161";
const TRAPS: &str = "udp:127.0.0.1:1162";

/// A network namespace with nothing but loopback, and a private directory. Both go with it.
pub(crate) struct Host {
    namespace: String,
    directory: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("agentx-{}-{number}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &namespace]), "iproute2");
        let host = Self { namespace, directory: TempDir::new().unwrap() };
        run(host.command("ip").args(["link", "set", "lo", "up"]), "iproute2");
        host
    }

    /// A program on this host. `ip netns exec` becomes the program, so the child's pid is its pid.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, program]);
        command.env("SNMP_PERSISTENT_DIR", self.directory.path()).env("MIBS", "").stdin(Stdio::null());
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the unix master listens.
    pub(crate) fn master(&self) -> String {
        format!("unix:{}", self.path("master").display())
    }

    pub(crate) fn namespace_file(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.namespace)
    }

    /// Starts snmpd with its AgentX master at `master` and traps to [`Host::snmptrapd`].
    pub(crate) fn snmpd(&self, master: &str) -> Daemon {
        let config = format!(
            "rwcommunity public\nmaster agentx\nagentXSocket {master}\nagentXPerms 0777 0777\ntrap2sink {TRAPS} public\n"
        );
        fs::write(self.path("snmpd.conf"), config).unwrap();
        let log = self.path("snmpd.log");
        // A former one's lines must not count for this one.
        let _ = fs::remove_file(&log);
        let mut command = self.command("snmpd");
        // Without the module that Host::extension serves.
        command.args(["-f", "-C", "-r", "-I", "-extend", "-c"]).arg(self.path("snmpd.conf"));
        command.arg("-Lf").arg(&log).arg("-p").arg(self.path("snmpd.pid")).arg(SNMP);
        Daemon::spawn(command, log, "NET-SNMP version", "snmpd")
    }

    /// Starts a second snmpd as a subagent of the first: net-snmp's own, which serves what `extend` of its configuration says.
    pub(crate) fn extension(&self, master: &str) -> Daemon {
        fs::write(self.path("extension.conf"), "extend hello /bin/echo hi\n").unwrap();
        let log = self.path("extension.log");
        let mut command = self.command("snmpd");
        command.args(["-f", "-C", "-r", "-X", "-I", "extend", "-x", master, "-c"]);
        command
            .arg(self.path("extension.conf"))
            .arg("-Lf")
            .arg(&log)
            .arg("-p")
            .arg(self.path("extension.pid"));
        Daemon::spawn(command, log, "AgentX subagent connected", "snmpd")
    }

    /// Starts snmptrapd, whose log has one line for each notification it received.
    pub(crate) fn snmptrapd(&self) -> Daemon {
        fs::write(self.path("snmptrapd.conf"), "disableAuthorization yes\nformat2 TRAP %v\\n\n").unwrap();
        let log = self.path("snmptrapd.log");
        let mut command = self.command("snmptrapd");
        command.args(["-f", "-C", "-n", "-On", "-c"]).arg(self.path("snmptrapd.conf"));
        command.arg("-Lf").arg(&log).arg("-p").arg(self.path("snmptrapd.pid")).arg(TRAPS);
        Daemon::spawn(command, log, "NET-SNMP version", "snmptrapd")
    }

    /// Runs one of net-snmp's managers against snmpd: lines of `.oid = TYPE: value`, or its complaint.
    pub(crate) fn snmp(&self, program: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        self.snmp_of("-v2c", program, arguments)
    }

    /// The same in SNMPv1.
    pub(crate) fn snmp_v1(&self, program: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        self.snmp_of("-v1", program, arguments)
    }

    fn snmp_of(&self, version: &str, program: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        let mut command = self.command(program);
        command.args([version, "-c", "public", "-On", "-t", "3", "-r", "0", SNMP]).args(arguments);
        let output = output(&mut command, "snmp");
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
    }
}

/// A running daemon, killed with its owner.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    /// When it said that it was there, on the subagent's clock.
    pub(crate) ready: Duration,
}

impl Daemon {
    fn spawn(mut command: Command, log: PathBuf, ready: &str, package: &str) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{error}: install the package {package}"));
        let mut daemon = Self { child, log, ready: Duration::ZERO };
        wait_for(&format!("{package} to start (is the package {package} installed?)"), 30, || {
            daemon.log().contains(ready).then_some(())
        });
        daemon.ready = monotonic();
        daemon
    }

    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Kills it, as the kernel would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` is `Some`; panics, naming `what`, when it is not within `seconds`.
#[expect(clippy::disallowed_methods, reason = "the pause between two looks at a condition")]
pub(crate) fn wait_for<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = monotonic() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(monotonic() < deadline, "waited {seconds} s for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Lets `duration` pass while something is the case that a story is about.
#[expect(clippy::disallowed_methods, reason = "the length of an outage is what the story is about")]
pub(crate) fn during(duration: Duration) {
    std::thread::sleep(duration);
}

fn output(command: &mut Command, package: &str) -> Output {
    match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => panic!("install the package {package}"),
        Err(error) => panic!("{command:?}: {error}"),
    }
}

fn run(command: &mut Command, package: &str) {
    let output = output(command, package);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
