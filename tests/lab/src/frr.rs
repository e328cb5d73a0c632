//! FRR's vrrpd as the other router: zebra and vrrpd of one host, in the foreground, with files of
//! their own.
//!
//! vrrpd finds its virtual router by a macvlan on the interface that has the virtual MAC and holds
//! the virtual addresses; the lab makes it beforehand. A virtual router has addresses of one family here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::{Group, User, chown};

use crate::error::{Error, Result};
use crate::host::{Host, ip};
use crate::process::Process;
use crate::wait;

/// Both daemons open their sockets within a second.
const START: Duration = Duration::from_secs(10);

/// One virtual router of FRR.
#[derive(Debug, Clone)]
pub struct Vrrp {
    /// The interface with the host's own address.
    pub interface: String,
    /// Virtual router id.
    pub vrid: u8,
    /// 2 or 3.
    pub version: u8,
    /// 1..=254.
    pub priority: u8,
    /// Milliseconds, a multiple of 10.
    pub interval: u16,
    /// Virtual addresses with their prefix lengths, all of one family; of IPv6 the link-local one first.
    pub addresses: Vec<String>,
}

impl Vrrp {
    fn is_ipv6(&self) -> bool {
        self.addresses.iter().any(|address| address.contains(':'))
    }
}

/// A running zebra and vrrpd.
#[derive(Debug)]
pub struct Frr {
    host: Host,
    dir: PathBuf,
    status: &'static str,
    vrrpd: Process,
    zebra: Process,
}

impl Frr {
    /// Makes the macvlan, starts both daemons, and waits until they answer.
    pub fn start(host: &Host, router: &Vrrp) -> Result<Self> {
        macvlan(host, router)?;
        let dir = host.dir().join("frr");
        fs::create_dir(&dir).map_err(|e| Error::io(format!("create {}", dir.display()), e))?;
        let zebra_conf = host.write("frr/zebra.conf", &format!("hostname {}\nlog stdout\n", host.name()))?;
        let vrrpd_conf = host.write("frr/vrrpd.conf", &config(router))?;
        for path in [&dir, &zebra_conf, &vrrpd_conf] {
            give_to_frr(path)?;
        }
        let zebra = daemon(host, "zebra", &dir)?;
        wait_for_socket(&zebra, &dir.join("zserv.api"))?;
        let vrrpd = daemon(host, "vrrpd", &dir)?;
        wait_for_socket(&vrrpd, &dir.join("vrrpd.vty"))?;
        let status = if router.is_ipv6() { "Status (v6)" } else { "Status (v4)" };
        Ok(Self { host: host.clone(), dir, status, vrrpd, zebra })
    }

    /// Runs `vtysh` commands in order; returns what they print.
    pub fn vtysh(&self, commands: &[&str]) -> Result<String> {
        let dir = self.dir.to_string_lossy();
        let mut argv = vec!["vtysh", "--vty_socket", &dir];
        commands.iter().for_each(|command| argv.extend(["-c", command]));
        self.host.run(&argv)
    }

    /// The rows of `show vrrp`, as in `Status (v4)` or `Advertisements Rx (v4)`.
    pub fn show(&self) -> Result<BTreeMap<String, String>> {
        Ok(parse_show(&self.vtysh(&["show vrrp"])?))
    }

    /// Waits for `Status (v4)`, or `Status (v6)` of a router over IPv6, to be `Master` or `Backup`.
    pub fn wait_status(&self, status: &str, deadline: Duration) -> Result<()> {
        wait::until(&format!("FRR to be {status}"), deadline, || {
            let seen = self.show().map_err(|e| e.to_string())?.remove(self.status).unwrap_or_default();
            if seen == status { Ok(()) } else { Err(seen) }
        })
    }

    /// vrrpd itself, for its log and for signals.
    pub fn vrrpd(&self) -> &Process {
        &self.vrrpd
    }

    /// zebra itself.
    pub fn zebra(&self) -> &Process {
        &self.zebra
    }
}

fn macvlan(host: &Host, router: &Vrrp) -> Result<()> {
    let namespace = host.namespace();
    let family = if router.is_ipv6() { 6 } else { 4 };
    let name = format!("vrrp{family}-{}", router.vrid);
    let mac = format!("00:00:5e:00:{:02x}:{:02x}", family / 2 - 1, router.vrid);
    ip(&[
        "-n",
        namespace,
        "link",
        "add",
        &name,
        "link",
        &router.interface,
        "type",
        "macvlan",
        "mode",
        "bridge",
    ])?;
    // As a second step: in `link add` iproute2 answers EAFNOSUPPORT.
    ip(&["-n", namespace, "link", "set", &name, "addrgenmode", "random"])?;
    ip(&["-n", namespace, "link", "set", &name, "address", &mac])?;
    for address in &router.addresses {
        host.add_address(address, &name)?;
    }
    host.link_up(&name)
}

fn config(router: &Vrrp) -> String {
    let Vrrp { interface, vrid, version, priority, interval, addresses } = router;
    let ip = if router.is_ipv6() { "ipv6" } else { "ip" };
    let mut text = format!(
        "log stdout\ndebug vrrp protocol\ninterface {interface}\n vrrp {vrid} version {version}\n vrrp {vrid} \
         priority {priority}\n vrrp {vrid} advertisement-interval {interval}\n"
    );
    for address in addresses {
        let bare = address.split('/').next().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, " vrrp {vrid} {ip} {bare}");
    }
    text
}

/// The daemons drop to user frr; as root they refuse to start.
fn give_to_frr(path: &PathBuf) -> Result<()> {
    let missing = || Error::Missing { program: "user frr".into(), package: "frr" };
    let user = User::from_name("frr").ok().flatten().ok_or_else(missing)?;
    let group = Group::from_name("frr").ok().flatten().ok_or_else(missing)?;
    chown(path, Some(user.uid), Some(group.gid))
        .map_err(|e| Error::io(format!("give {} to frr", path.display()), e))
}

fn daemon(host: &Host, name: &str, dir: &std::path::Path) -> Result<Process> {
    let file = |suffix: &str| dir.join(format!("{name}{suffix}")).to_string_lossy().into_owned();
    let (program, config, pid) = (format!("/usr/lib/frr/{name}"), file(".conf"), file(".pid"));
    let (vty, zserv) = (dir.to_string_lossy(), dir.join("zserv.api").to_string_lossy().into_owned());
    // `-P 0`: no TCP vty, so that several FRRs can run side by side.
    let argv = [&program, "--vty_socket", &vty, "-z", &zserv, "-f", &config, "-i", &pid, "-P", "0"];
    host.spawn(name, &argv)
}

fn wait_for_socket(process: &Process, socket: &std::path::Path) -> Result<()> {
    let what = format!("{} to open {}", process.name(), socket.display());
    wait::until(&what, START, || if socket.exists() { Ok(()) } else { Err(process.log_tail()) })
}

/// `show vrrp` prints rows of a name, two or more blanks, and a value.
fn parse_show(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_show_vrrp_are_split_at_the_gap() {
        let rows = parse_show(" Virtual Router ID          51 \n Status (v4)     Master \n");
        assert_eq!(rows["Status (v4)"], "Master");
        assert_eq!(rows["Virtual Router ID"], "51");
    }
}
