//! What is watched from outside: addresses and packets, thousands of them at once.

use std::path::PathBuf;
use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{Host, Process, Result, pcap, wait};
use nix::sys::signal::Signal;

const SOON: Duration = Duration::from_secs(30);

/// `ip monitor` with room for thousands of addresses at once; the lab's own has the default room.
pub(crate) fn monitor(host: &Host) -> Result<Process> {
    let argv = ["env", "TZ=UTC", "ip", "-rc", "33554432", "-o", "-ts", "monitor", "address"];
    let process = host.spawn("monitor", &argv)?;
    wait::until("the monitor to listen", SOON, || {
        let told =
            host.add_address("127.77.7.7/32", "lo").and_then(|()| host.del_address("127.77.7.7/32", "lo"));
        told.map_err(|e| e.to_string())?;
        if process.log().contains("127.77.7.7") { Ok(()) } else { Err(process.log_tail()) }
    })?;
    Ok(process)
}

/// `[2026-11-20T14:08:06.971003] 3: …`, without the date.
pub(crate) fn seconds_of_stamp(line: &str) -> Option<f64> {
    let (_, time) = line.split_once(']')?.0.split_once('T')?;
    time.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

/// A moment since the epoch, in seconds of the day.
pub(crate) fn time_of_day(wall: Duration) -> f64 {
    wall.as_secs_f64() % 86_400.0
}

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
