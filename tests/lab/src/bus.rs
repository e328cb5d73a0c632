//! A system bus of a host's own: a real dbus-daemon, with somebody who hears every signal of routers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::Process;
use crate::wait;

/// Where programs look for the system bus.
const ADDRESS: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// A bus is there within this time.
const SOON: Duration = Duration::from_secs(20);
/// Nobody has a name and nobody is asked for anything, unless another file allows it: as on Debian.
const POLICY: &str = "<policy context='default'><allow user='*'/><deny own='*'/><deny send_type='method_call'/>\
    <allow send_type='signal'/><allow send_requested_reply='true' send_type='method_return'/>\
    <allow send_requested_reply='true' send_type='error'/><allow receive_type='method_call'/>\
    <allow receive_type='method_return'/><allow receive_type='error'/><allow receive_type='signal'/>\
    <allow send_destination='org.freedesktop.DBus'/></policy>";

/// The bus. It may die and come back; what was heard before is not forgotten.
#[derive(Debug)]
pub struct Bus {
    host: Host,
    config: String,
    running: Option<Running>,
    earlier: Vec<Process>,
    times: usize,
}

#[derive(Debug)]
struct Running {
    daemon: Process,
    monitor: Process,
}

impl Bus {
    /// Starts one with the rules of this file. Programs that are started on the host from now on find it.
    pub fn start(host: &Host, rules: &Path) -> Result<Self> {
        let address = format!("unix:path={}", Self::socket(host).display());
        host.set_variable(ADDRESS, &address);
        let config = format!(
            "<busconfig><type>system</type><listen>unix:path=SOCKET</listen>{POLICY}<include>{}</include></busconfig>",
            rules.display()
        );
        let mut bus = Self { host: host.clone(), config, running: None, earlier: Vec::new(), times: 0 };
        bus.come_back()?;
        Ok(bus)
    }

    fn socket(host: &Host) -> PathBuf {
        host.dir().join("bus")
    }

    /// A bus is where there was none. Somebody hears its signals before a program can find it.
    pub fn come_back(&mut self) -> Result<()> {
        self.times += 1;
        let own = self.host.dir().join(format!("bus-{}", self.times));
        let config = self.config.replace("SOCKET", &own.display().to_string());
        let config = self.host.write(&format!("bus-{}.conf", self.times), &config)?;
        let config = format!("--config-file={}", config.display());
        let daemon = self.host.spawn("dbus-daemon", &["dbus-daemon", &config, "--nofork", "--nopidfile"])?;
        wait::until("the bus", SOON, || if own.exists() { Ok(()) } else { Err(daemon.log_tail()) })?;
        let address = format!("unix:path={}", own.display());
        let matches = "type='signal',path_namespace='/org/keepalived'";
        let argv = ["stdbuf", "-oL", "dbus-monitor", "--address", &address, matches];
        let monitor = self.host.spawn("dbus-monitor", &argv)?;
        // The last that it is told before it has become one.
        wait::until("the monitor", SOON, || {
            if monitor.log().contains("NameLost") { Ok(()) } else { Err(monitor.log_tail()) }
        })?;
        let place = Self::socket(&self.host);
        symlink(&own, &place).map_err(|e| Error::io(format!("link {}", place.display()), e))?;
        self.running = Some(Running { daemon, monitor });
        Ok(())
    }

    /// It is gone, without a word.
    pub fn die(&mut self) -> Result<()> {
        let place = Self::socket(&self.host);
        fs::remove_file(&place).map_err(|e| Error::io(format!("remove {}", place.display()), e))?;
        if let Some(Running { daemon, monitor }) = self.running.take() {
            daemon.kill();
            monitor.wait(SOON)?;
            self.earlier.push(monitor);
        }
        Ok(())
    }

    /// It does nothing, and reads nothing.
    pub fn pause(&self) -> Result<()> {
        self.running.iter().try_for_each(|running| running.daemon.signal(Signal::SIGSTOP))
    }

    /// It goes on.
    pub fn resume(&self) -> Result<()> {
        self.running.iter().try_for_each(|running| running.daemon.signal(Signal::SIGCONT))
    }

    /// What routers have signalled so far: `INTERFACE/VRID/FAMILY STATUS` of a status, the name of another signal.
    pub fn signals(&self) -> Vec<String> {
        let mut signals: Vec<String> = Vec::new();
        for monitor in self.earlier.iter().chain(self.running.iter().map(|running| &running.monitor)) {
            for line in monitor.log().lines() {
                if let Some((head, member)) = line.split_once("; member=Vrrp") {
                    let path = head.split_once("/Instance/").and_then(|(_, rest)| rest.split(';').next());
                    signals.push(path.map_or_else(|| format!("Vrrp{member}"), str::to_owned));
                } else if let (Some(status), Some(last)) =
                    (line.trim().strip_prefix("uint32 "), signals.last_mut())
                {
                    *last += &format!(" {status}");
                }
            }
        }
        signals
    }

    /// Waits until these are the signals so far.
    pub fn wait_signals(&self, expected: &[&str], deadline: Duration) -> Result<()> {
        wait::until("signals", deadline, || {
            let signals = self.signals();
            if signals == expected { Ok(()) } else { Err(format!("{signals:?}, awaited {expected:?}")) }
        })
    }

    /// What `busctl` says to these words, asked by this user.
    pub fn ask_as(&self, user: &str, words: &[&str]) -> Result<String> {
        let busctl = ["runuser", "-u", user, "--", "busctl", "--system", "--timeout=5"];
        self.host.run(&[&busctl, words].concat())
    }

    /// The same, asked by root.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        self.ask_as("root", words)
    }
}
