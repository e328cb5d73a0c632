//! tcpdump on an interface of a host, read while it runs.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::Result;
use crate::host::Host;
use crate::pcap::{self, Packet, Vrrp};
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// A running capture; ends with the value.
#[derive(Debug)]
pub struct Capture {
    process: Process,
    path: PathBuf,
}

impl Capture {
    /// Captures `interface`, with time stamps in nanoseconds, from the moment of the return.
    /// `filter` is a pcap filter expression, or empty.
    pub fn start(host: &Host, interface: &str, filter: &str) -> Result<Self> {
        let path = host.dir().join(format!("{interface}-{}.pcap", crate::clock::wall().as_nanos()));
        let file = path.to_string_lossy();
        // -Z root: do not drop to a user who cannot write there (or does not exist in the namespace).
        let mut argv = vec![
            "tcpdump",
            "-i",
            interface,
            "-n",
            "-U",
            "-w",
            &file,
            "-s",
            "0",
            "-Z",
            "root",
            "--immediate-mode",
            "--time-stamp-precision=nano",
        ];
        if !filter.is_empty() {
            argv.push(filter);
        }
        let process = host.spawn("tcpdump", &argv)?;
        process.wait_log("listening on", limit(Duration::from_secs(10)))?;
        Ok(Self { process, path })
    }

    /// All frames written so far.
    pub fn packets(&self) -> Result<Vec<Packet>> {
        // tcpdump writes the file's header when its first packet comes or when it ends.
        match std::fs::metadata(&self.path) {
            Ok(file) if file.len() > 0 => pcap::read_file(&self.path),
            _ => Ok(Vec::new()),
        }
    }

    /// All VRRP messages so far.
    pub fn vrrp(&self) -> Result<Vec<Vrrp>> {
        Ok(pcap::vrrp(&self.packets()?).collect())
    }

    /// Waits until the VRRP messages seen so far satisfy `enough`, and returns them.
    pub fn wait_vrrp(
        &self,
        what: &str,
        deadline: Duration,
        enough: impl Fn(&[Vrrp]) -> bool,
    ) -> Result<Vec<Vrrp>> {
        wait::until(what, deadline, || {
            let seen = self.vrrp().map_err(|e| e.to_string())?;
            if enough(&seen) {
                Ok(seen)
            } else {
                Err(format!("{} messages, the last {:?}", seen.len(), seen.last()))
            }
        })
    }

    /// Ends the capture and returns everything: what the kernel had queued is written first.
    pub fn stop(self) -> Result<Vec<Packet>> {
        self.process.signal(Signal::SIGINT)?;
        self.process.wait(limit(Duration::from_secs(10)))?;
        self.packets()
    }

    /// The capture file, to keep a copy of it.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}
