//! Packets that are watched from outside, hundreds of them at once.

use std::path::PathBuf;
use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{Host, Process, Result, pcap};
use nix::sys::signal::Signal;

const SOON: Duration = Duration::from_secs(30);

/// tcpdump with room for hundreds of packets at once; the lab's own would lose some of them.
pub(crate) struct Capture {
    process: Process,
    path: PathBuf,
}

impl Capture {
    /// From now on, on an interface.
    pub(crate) fn start(host: &Host, interface: &str) -> Result<Self> {
        let path = host.dir().join(format!("{interface}.pcap"));
        let file = path.to_string_lossy();
        let argv = [
            "tcpdump",
            "-i",
            interface,
            "-n",
            "-w",
            &file,
            "-s",
            "128",
            "-B",
            "16384",
            "-Z",
            "root",
            "--immediate-mode",
            "--time-stamp-precision=nano",
            "ip proto 112",
        ];
        let process = host.spawn("tcpdump", &argv)?;
        process.wait_log("listening on", SOON)?;
        Ok(Self { process, path })
    }

    /// Ends it; what it has seen of VRRP.
    pub(crate) fn stop(self) -> Result<Vec<Vrrp>> {
        self.process.signal(Signal::SIGINT)?;
        self.process.wait(SOON)?;
        Ok(pcap::vrrp(&pcap::read_file(&self.path)?).collect())
    }
}
