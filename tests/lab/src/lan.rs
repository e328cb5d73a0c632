//! A small network: hosts as network namespaces, joined by a bridge or back to back.
//!
//! Namespaces are named `sf<pid>-<n>-<host>`, so that labs of parallel tests never meet. The bridge
//! has a namespace of its own; nothing is ever created in the namespace of the caller.

use std::ops::Index;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, process, thread};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::host::{Host, ip, ip_batch, ip_command};
use crate::process::{Running, kill_pid};
use crate::vm::limit;
use crate::wait;

/// Namespaces are named `sf<pid>-…`, directories `steadfast-lab-<pid>-…`: both tell whose they are.
const NAMESPACE: &str = "sf";
const DIRECTORY: &str = "steadfast-lab-";

/// Counts the labs of this process.
static LABS: AtomicUsize = AtomicUsize::new(0);

/// Hosts and the segments that join them. Dropping it removes all of it, processes first.
#[derive(Debug)]
pub struct Lan {
    hosts: Vec<Host>,
    namespaces: Vec<String>,
    segments: usize,
    shared: Arc<Shared>,
}

/// What hosts share with their lab.
#[derive(Debug)]
pub(crate) struct Shared {
    prefix: String,
    dir: TempDir,
    processes: Mutex<Vec<Arc<Running>>>,
}

impl Shared {
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn remember(&self, process: Arc<Running>) {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }
}

/// How the hosts of a segment are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// A bridge in a namespace of its own: one host's link can go down while the others' stay up.
    Bridge,
    /// One veth pair between exactly two hosts: when one end goes down, both lose carrier.
    BackToBack,
}

/// One host's place on a segment.
#[derive(Debug, Clone)]
pub struct Port {
    host: String,
    interface: String,
    address: String,
}

/// Collects ports, then builds the [`Lan`].
#[derive(Debug)]
pub struct Builder {
    ports: Vec<Port>,
    join: Join,
}

impl Builder {
    /// A host with an interface on the segment. `address` is IPv4 with its prefix length
    /// (`10.9.0.1/24`), or empty for none.
    #[must_use]
    pub fn host(mut self, name: &str, interface: &str, address: &str) -> Self {
        self.ports.push(Port { host: name.into(), interface: interface.into(), address: address.into() });
        self
    }

    /// Joins exactly two hosts by one veth pair instead of a bridge.
    #[must_use]
    pub fn back_to_back(mut self) -> Self {
        self.join = Join::BackToBack;
        self
    }

    /// Creates namespaces, links and addresses. Needs root (see [`crate::privileges`]) and iproute2.
    pub fn build(self) -> Result<Lan> {
        let mut lan = Lan::empty()?;
        for port in &self.ports {
            if !lan.hosts.iter().any(|host| host.name() == port.host) {
                lan.add_host(&port.host)?;
            }
        }
        lan.segment(self.join, &self.ports)?;
        Ok(lan)
    }
}

impl Lan {
    /// Starts the description of a lab.
    pub fn builder() -> Builder {
        Builder { ports: Vec::new(), join: Join::Bridge }
    }

    /// The most common lab: two routers on one segment, `alpha` 10.9.0.1/24 on `va0` and `beta`
    /// 10.9.0.2/24 on `vb0`, as in the captures of the corpus.
    pub fn pair() -> Result<Self> {
        Self::builder().host("alpha", "va0", "10.9.0.1/24").host("beta", "vb0", "10.9.0.2/24").build()
    }

    /// All hosts, in the order of their description.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The lab's directory for logs and configuration files; removed with the lab.
    pub fn dir(&self) -> &Path {
        self.shared.dir()
    }

    /// One more segment between hosts that exist, for routers with several interfaces.
    pub fn add_segment(&mut self, join: Join, ports: &[(&str, &str, &str)]) -> Result<()> {
        let ports: Vec<Port> = ports
            .iter()
            .map(|(host, interface, address)| Port {
                host: (*host).into(),
                interface: (*interface).into(),
                address: (*address).into(),
            })
            .collect();
        self.segment(join, &ports)
    }

    /// The names of the hosts that hold `address` (without prefix length) now.
    pub fn holders(&self, address: &str) -> Vec<String> {
        self.hosts
            .iter()
            .filter(|host| host.has_address(address))
            .map(|host| host.name().to_owned())
            .collect()
    }

    /// Waits until exactly `host`, and no other, holds `address`.
    pub fn wait_holder(&self, address: &str, host: &str, deadline: Duration) -> Result<()> {
        let what = format!("{address} on {host} alone");
        wait::until_eq(&what, deadline, &vec![host.to_owned()], || self.holders(address))
    }

    fn empty() -> Result<Self> {
        bury_the_dead();
        let dir = TempDir::with_prefix(format!("{DIRECTORY}{}-", process::id()))
            .map_err(|e| Error::io("create a directory for the lab", e))?;
        // FRR drops to a user of its own and must be able to reach its files below this directory.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))
            .map_err(|e| Error::io("open the lab's directory to other users", e))?;
        let prefix = format!("{NAMESPACE}{}-{}", process::id(), LABS.fetch_add(1, Ordering::Relaxed));
        let shared = Arc::new(Shared { prefix, dir, processes: Mutex::default() });
        Ok(Self { hosts: Vec::new(), namespaces: Vec::new(), segments: 0, shared })
    }

    fn add_namespace(&mut self, name: &str) -> Result<String> {
        let namespace = format!("{}-{name}", self.shared.prefix);
        ip(&["netns", "add", &namespace])?;
        self.namespaces.push(namespace.clone());
        ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    fn add_host(&mut self, name: &str) -> Result<()> {
        let namespace = self.add_namespace(name)?;
        let host = Host::new(name, &namespace, Arc::clone(&self.shared))?;
        // Without this a link-local address stays tentative for about two seconds.
        for which in ["all", "default"] {
            host.set_kernel(&format!("net/ipv6/conf/{which}/accept_dad"), "0")?;
        }
        self.hosts.push(host);
        Ok(())
    }

    fn segment(&mut self, join: Join, ports: &[Port]) -> Result<()> {
        let number = self.segments;
        self.segments += 1;
        match (join, ports) {
            (Join::BackToBack, [one, two]) => self.back_to_back(one, two),
            (Join::BackToBack, _) => {
                Err(Error::Unexpected(format!("back to back joins two hosts, not {}", ports.len())))
            }
            (Join::Bridge, _) => self.bridge(number, ports),
        }?;
        ports.iter().try_for_each(|port| self.bring_up(port, number))?;
        ports.iter().try_for_each(|port| self[&port.host].wait_running(&port.interface))
    }

    fn back_to_back(&self, one: &Port, two: &Port) -> Result<()> {
        let (near, far) = (self[&one.host].namespace(), self[&two.host].namespace());
        let (here, there) = (&one.interface, &two.interface);
        ip(&["-n", near, "link", "add", here, "type", "veth", "peer", "name", there, "netns", far])
    }

    fn bridge(&mut self, number: usize, ports: &[Port]) -> Result<()> {
        let switch = self.add_namespace(&format!("bridge{number}"))?;
        // Snooping off: every port hears every group. Forwarding at once instead of after 15 s.
        let mut of_switch =
            "link add br0 type bridge forward_delay 0 mcast_snooping 0\nlink set br0 up\n".to_owned();
        for (index, port) in ports.iter().enumerate() {
            let host = self[&port.host].namespace();
            let plug = format!("p{index}");
            let name = &port.interface;
            ip(&["-n", host, "link", "add", name, "type", "veth", "peer", "name", &plug, "netns", &switch])?;
            of_switch += &format!("link set {plug} master br0 up\n");
        }
        ip_batch(&switch, &of_switch)
    }

    /// Fixed MAC 02:00:00:00:HH:SS (HH: 0a for the first host, then 0b …; SS: 01 for the first host on
    /// the first segment, then counted up, as in the captures), address, up.
    fn bring_up(&self, port: &Port, segment: usize) -> Result<()> {
        let host = &self[&port.host];
        let index = self.hosts.iter().position(|other| other.name() == port.host).unwrap_or_default();
        let mac = format!("02:00:00:00:{:02x}:{:02x}", index + 0x0a, index + 1 + segment * 0x10);
        let interface = &port.interface;
        let address = match &*port.address {
            "" => String::new(),
            address => format!("addr add {address} dev {interface}\n"),
        };
        let lines = format!("link set {interface} address {mac}\n{address}link set {interface} up\n");
        ip_batch(host.namespace(), &lines)
    }
}

impl Index<&str> for Lan {
    type Output = Host;

    /// The host of that name; panics where there is none, like the index of a map.
    fn index(&self, name: &str) -> &Host {
        let found = self.hosts.iter().find(|host| host.name() == name);
        found.unwrap_or_else(|| panic!("the lab has no host `{name}`"))
    }
}

impl Index<&String> for Lan {
    type Output = Host;

    fn index(&self, name: &String) -> &Host {
        &self[name.as_str()]
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        let processes =
            std::mem::take(&mut *self.shared.processes.lock().unwrap_or_else(PoisonError::into_inner));
        if thread::panicking() {
            report(&processes);
        }
        processes.iter().for_each(|process| process.kill());
        self.namespaces.iter().for_each(|namespace| demolish(namespace));
    }
}

/// Ends whoever lives in the namespace, then deletes it. What a daemon left behind (its children, or
/// what it started in the background) lives in a namespace that only its lab uses.
fn demolish(namespace: &str) {
    let _ = wait::until_true("an empty namespace", limit(Duration::from_secs(5)), || {
        let left = inhabitants(namespace);
        left.iter().copied().for_each(kill_pid);
        left.is_empty()
    });
    // Nobody to report to: what cannot be deleted now is tried again by the next lab.
    let _ = ip(&["netns", "del", namespace]);
}

/// Removes the labs whose process was killed before it could do so itself.
fn bury_the_dead() {
    for namespace in names("/run/netns") {
        if owner_is_dead(&namespace, NAMESPACE) {
            demolish(&namespace);
        }
    }
    for name in names(env::temp_dir()) {
        if owner_is_dead(&name, DIRECTORY) {
            // Another lab may be doing the same.
            let _ = fs::remove_dir_all(env::temp_dir().join(name));
        }
    }
}

fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// `<prefix><pid>-…`, and no process has that pid.
fn owner_is_dead(name: &str, prefix: &str) -> bool {
    let pid = name.strip_prefix(prefix).and_then(|rest| rest.split_once('-'));
    pid.and_then(|(pid, _)| pid.parse::<u32>().ok())
        .is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}

fn inhabitants(namespace: &str) -> Vec<i32> {
    let own = i32::try_from(process::id()).unwrap_or_default();
    let listed = ip_command().args(["netns", "pids", namespace]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid != own).collect()
}

#[expect(
    clippy::print_stderr,
    reason = "the test is failing: its reader wants the logs before they are removed"
)]
fn report(processes: &[Arc<Running>]) {
    for process in processes {
        eprintln!("{}", process.report());
    }
}
