//! A machine that others keep busy: programs of usual priority on every processor, and a disk that is written to.

use std::thread;

use crate::error::Result;
use crate::host::Host;
use crate::process::Process;

/// Programs beyond one for each processor, so that every processor always has one that waits.
const SURPLUS: usize = 1;

/// The programs. They end when it is dropped.
#[derive(Debug)]
pub struct Load(Vec<Process>);

impl Load {
    /// Starts them on `host`.
    pub fn start(host: &Host) -> Result<Self> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let spin = ["sh", "-c", "while :; do :; done"];
        let file = host.dir().join("load");
        let write = format!(
            "while :; do dd if=/dev/zero of={} bs=1M count=64 conv=fdatasync 2>/dev/null; done",
            file.display()
        );
        let mut programs = Vec::new();
        for number in 0..processors + SURPLUS {
            programs.push(host.spawn(&format!("spin{number}"), &spin)?);
        }
        programs.push(host.spawn("disk", &["sh", "-c", &write])?);
        Ok(Self(programs))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for program in &self.0 {
            program.kill();
        }
    }
}
