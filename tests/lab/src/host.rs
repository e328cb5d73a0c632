//! One host: a network namespace, a directory, and the commands run in it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use crate::error::{Error, Result};
use crate::lan::Shared;
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// No one-shot command of a story takes longer; one that hangs must not hang the story.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// From bringing a link up until it runs, at the most.
const RUNS_WITHIN: Duration = Duration::from_secs(20);

/// Which Debian package brings a program that the lab runs.
const PACKAGES: [(&str, &str); 18] = [
    ("ip", "iproute2"),
    ("sysctl", "procps"),
    ("timeout", "coreutils"),
    ("nft", "nftables"),
    ("dbus-daemon", "dbus-daemon"),
    ("busctl", "systemd"),
    ("runuser", "util-linux"),
    ("keepalived", "keepalived"),
    ("tcpdump", "tcpdump"),
    ("vtysh", "frr"),
    ("/usr/lib/frr/zebra", "frr"),
    ("/usr/lib/frr/vrrpd", "frr"),
    ("snmpd", "snmpd"),
    ("snmptrapd", "snmptrapd"),
    ("snmpget", "snmp"),
    ("snmpwalk", "snmp"),
    ("snmptable", "snmp"),
    ("snmptrap", "snmp"),
];

/// A network namespace with a name, as a cheap handle: clones are the same host.
#[derive(Debug, Clone)]
pub struct Host {
    room: Arc<Room>,
}

#[derive(Debug)]
struct Room {
    name: String,
    namespace: String,
    dir: PathBuf,
    spawned: AtomicUsize,
    /// Environment of every program.
    variables: Mutex<HashMap<String, String>>,
    shared: Arc<Shared>,
}

/// What a finished command said.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Host {
    pub(crate) fn new(name: &str, namespace: &str, shared: Arc<Shared>) -> Result<Self> {
        let dir = shared.dir().join(name);
        fs::create_dir(&dir).map_err(|e| Error::io(format!("create {}", dir.display()), e))?;
        let room = Room {
            name: name.into(),
            namespace: namespace.into(),
            dir,
            spawned: AtomicUsize::new(0),
            variables: Mutex::default(),
            shared,
        };
        Ok(Self { room: Arc::new(room) })
    }

    /// The name in the story.
    pub fn name(&self) -> &str {
        &self.room.name
    }

    /// The name below /run/netns.
    pub fn namespace(&self) -> &str {
        &self.room.namespace
    }

    /// The host's directory: configuration files, logs, sockets.
    pub fn dir(&self) -> &Path {
        &self.room.dir
    }

    /// Every program that is started from now on has this in its environment.
    pub fn set_variable(&self, name: &str, value: &str) {
        let mut variables = self.room.variables.lock().unwrap_or_else(PoisonError::into_inner);
        variables.insert(name.into(), value.into());
    }

    /// Runs a command to its end; a failing one is an answer, not an error.
    pub fn exec(&self, argv: &[&str]) -> Result<Output> {
        self.exec_with(argv, &HashMap::new())
    }

    /// As [`Host::exec`], with environment variables.
    pub fn exec_with(&self, argv: &[&str], env: &HashMap<String, String>) -> Result<Output> {
        require(argv)?;
        let mut command = self.command();
        let most = limit(COMMAND_LIMIT).as_secs().to_string();
        command.args(["timeout", "-k", "1", &most]).args(argv).envs(env);
        let output = command.output().map_err(|e| Error::io(format!("run `{}`", argv.join(" ")), e))?;
        Ok(Output {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed; returns its standard output.
    pub fn run(&self, argv: &[&str]) -> Result<String> {
        self.run_with(argv, &HashMap::new())
    }

    /// As [`Host::run`], with environment variables.
    pub fn run_with(&self, argv: &[&str], env: &HashMap<String, String>) -> Result<String> {
        let output = self.exec_with(argv, env)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failure(&format!("{}: {}", self.name(), argv.join(" ")), &output))
    }

    /// Runs a shell script that must succeed; returns its standard output.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.run(&["sh", "-c", script])
    }

    /// Starts a program that stays; its log is `NAME-N.log` in [`Host::dir`].
    pub fn spawn(&self, name: &str, argv: &[&str]) -> Result<Process> {
        self.spawn_with(name, argv, &HashMap::new())
    }

    /// As [`Host::spawn`], with environment variables.
    pub fn spawn_with(&self, name: &str, argv: &[&str], env: &HashMap<String, String>) -> Result<Process> {
        require(argv)?;
        let number = self.room.spawned.fetch_add(1, Ordering::Relaxed);
        let log = self.dir().join(format!("{name}-{number}.log"));
        let mut command = self.command();
        command.args(argv).envs(env);
        let process = Process::start(&format!("{} on {}", name, self.name()), &mut command, log)?;
        self.room.shared.remember(process.running());
        Ok(process)
    }

    /// Runs `work` on a thread that has entered the namespace. Sockets opened there stay in the
    /// namespace and can be handed out.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let path = format!("/run/netns/{}", self.namespace());
        let namespace = File::open(&path).map_err(|e| Error::io(format!("open {path}"), e))?;
        thread::scope(|scope| {
            let visit = scope.spawn(|| {
                setns(&namespace, CloneFlags::CLONE_NEWNET)
                    .map_err(|e| Error::io(format!("enter {path}"), e))?;
                Ok(work())
            });
            visit.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Gives a setting of the kernel below /proc/sys another value, as `sysctl` does.
    pub fn set_kernel(&self, setting: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/{setting}");
        self.inside(|| fs::write(&path, value))?.map_err(|e| Error::io(format!("write {path}"), e))
    }

    /// What a program says that is sure to end, and which looks at nothing but the network: at less expense than
    /// [`Host::run`], for what is looked at again and again.
    pub fn look(&self, argv: &[&str]) -> Result<String> {
        require(argv)?;
        let [program, arguments @ ..] = argv else { return Ok(String::new()) };
        let output = self.inside(|| system_command(program).args(arguments).output())?;
        let output = output.map_err(|e| Error::io(format!("run `{}`", argv.join(" ")), e))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Takes an interface down, as an operator would.
    pub fn link_down(&self, interface: &str) -> Result<()> {
        ip(&["-n", self.namespace(), "link", "set", interface, "down"])
    }

    /// Brings an interface up.
    pub fn link_up(&self, interface: &str) -> Result<()> {
        ip(&["-n", self.namespace(), "link", "set", interface, "up"])
    }

    /// The IPv4 addresses of an interface with their prefix lengths, in the kernel's order.
    pub fn addresses(&self, interface: &str) -> Result<Vec<String>> {
        let listed = ip_output(&["-n", self.namespace(), "-o", "-4", "addr", "show", "dev", interface])?;
        Ok(listed.lines().filter_map(address_of_line).map(str::to_owned).collect())
    }

    /// Whether any interface holds the address (without prefix length), IPv4 or IPv6.
    pub fn has_address(&self, address: &str) -> bool {
        let listed = ip_output(&["-n", self.namespace(), "-o", "addr", "show"]).unwrap_or_default();
        listed.lines().filter_map(address_of_line).any(|found| found.split('/').next() == Some(address))
    }

    /// Adds an address with its prefix length.
    pub fn add_address(&self, address: &str, interface: &str) -> Result<()> {
        ip(&["-n", self.namespace(), "addr", "add", address, "dev", interface])
    }

    /// Waits until a link runs. The kernel tells its operational state up to a second after it was brought up; whoever starts
    /// before finds the interface down.
    pub fn wait_running(&self, interface: &str) -> Result<()> {
        wait::until(&format!("{interface} on {} runs", self.name()), limit(RUNS_WITHIN), || {
            let seen =
                self.look(&["ip", "-br", "link", "show", "dev", interface]).map_err(|e| e.to_string())?;
            if seen.split_whitespace().nth(1) == Some("UP") { Ok(()) } else { Err(seen) }
        })
    }

    /// Adds addresses with their prefix lengths, all at once.
    pub fn add_addresses(&self, addresses: &[String], interface: &str) -> Result<()> {
        let line = |address: &String| format!("addr add {address} dev {interface}\n");
        ip_batch(self.namespace(), &addresses.iter().map(line).collect::<String>())
    }

    /// Deletes an address with its prefix length.
    pub fn del_address(&self, address: &str, interface: &str) -> Result<()> {
        ip(&["-n", self.namespace(), "addr", "del", address, "dev", interface])
    }

    /// The Ethernet address of an interface.
    pub fn mac(&self, interface: &str) -> Result<[u8; 6]> {
        let listed = ip_output(&["-n", self.namespace(), "-o", "link", "show", "dev", interface])?;
        let text = listed.split("link/ether ").nth(1).and_then(|rest| rest.split_whitespace().next());
        text.and_then(parse_mac).ok_or_else(|| {
            Error::Unexpected(format!("{interface} on {} has no Ethernet address", self.name()))
        })
    }

    /// Writes a file of mode 0644 into [`Host::dir`]; returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir().join(name);
        fs::write(&path, text).map_err(|e| Error::io(format!("write {}", path.display()), e))?;
        Ok(path)
    }

    /// `ip netns exec` replaces itself by the command, so the child's pid is the command's pid.
    fn command(&self) -> Command {
        let mut command = ip_command();
        command.args(["netns", "exec", self.namespace()]);
        command.envs(&*self.room.variables.lock().unwrap_or_else(PoisonError::into_inner));
        command
    }
}

pub(crate) fn ip_command() -> Command {
    system_command("ip")
}

/// Daemons live in sbin, which is not in an ordinary user's PATH.
fn system_command(program: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Runs `ip` with arguments of its own; it must succeed.
pub(crate) fn ip(args: &[&str]) -> Result<()> {
    ip_output(args).map(drop)
}

/// Runs lines of arguments of `ip` in a namespace, up to the first that fails.
pub(crate) fn ip_batch(namespace: &str, lines: &str) -> Result<()> {
    let mut file = tempfile::tempfile().map_err(|e| Error::io("create a file", e))?;
    let written = file.write_all(lines.as_bytes()).and_then(|()| file.rewind());
    written.map_err(|e| Error::io("write a file", e))?;
    ip_with(&["-n", namespace, "-batch", "-"], file.into()).map(drop)
}

fn ip_output(args: &[&str]) -> Result<String> {
    ip_with(args, Stdio::null())
}

fn ip_with(args: &[&str], input: Stdio) -> Result<String> {
    require(&["ip"])?;
    let output = ip_command().args(args).stdin(input).output().map_err(|e| Error::io("run ip", e))?;
    let said = Output {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    if said.status.success() {
        return Ok(said.stdout);
    }
    Err(failure(&format!("ip {}", args.join(" ")), &said))
}

/// An error that names the package where the program is absent.
pub(crate) fn require(argv: &[&str]) -> Result<()> {
    let Some(program) = argv.first() else {
        return Err(Error::Unexpected("an empty command line".into()));
    };
    if installed(program) {
        return Ok(());
    }
    match PACKAGES.iter().find(|(name, _)| name == program) {
        Some((_, package)) => Err(Error::Missing { program: (*program).into(), package }),
        None => Err(Error::Unexpected(format!("there is no program `{program}`"))),
    }
}

/// Whether a program can be found, by path or through PATH with the system directories added.
pub fn installed(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| Path::new(dir).join(program).exists())
}

fn failure(command: &str, said: &Output) -> Error {
    let output = if said.stderr.trim().is_empty() { &said.stdout } else { &said.stderr };
    Error::Command {
        command: command.into(),
        status: said.status.to_string(),
        output: output.trim().to_owned(),
    }
}

/// `3: va0    inet 10.9.0.1/24 brd …` → `10.9.0.1/24`.
fn address_of_line(line: &str) -> Option<&str> {
    let (_, address) = line.split_once(" inet ").or_else(|| line.split_once(" inet6 "))?;
    address.split_whitespace().next()
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16))
        .collect::<std::result::Result<_, _>>()
        .ok()?;
    bytes.try_into().ok()
}
