//! One boot: QEMU, the files it shares, and what came out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::Process;
use crate::wait;

/// What the guest has, in MiB.
const MEMORY: &str = "1024M";
/// The server of shared files listens within.
const SHARED: Duration = Duration::from_secs(30);
/// The line that `tests/vm/init` writes last.
const ENDED: &str = "guest ended ";

/// A kernel that can be booted.
#[derive(Debug, Clone)]
pub struct Machine {
    dir: PathBuf,
    clock: Clock,
}

/// What time is in a guest.
#[derive(Debug, Clone, Copy)]
enum Clock {
    /// This machine's.
    Wall,
    /// A nanosecond for each instruction; nobody waits for a time when nothing is to do.
    Instructions,
}

impl Clock {
    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Wall => &["-accel", "tcg,thread=multi"],
            Self::Instructions => &["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"],
        }
    }
}

impl Machine {
    /// The one that `tests/vm/kernel.sh` left in `dir`.
    pub fn at(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        if dir.join("vmlinuz").is_file() {
            return Ok(Self { dir, clock: Clock::Wall });
        }
        Err(Error::Unexpected(format!(
            "no kernel to boot in {}: run tests/vm/kernel.sh, as tests/run.sh does",
            dir.display()
        )))
    }

    /// The same machine, with a processor that takes one nanosecond of the guest's time for each instruction, whatever else
    /// runs here: CPU times in the guest are thousands of instructions, and the same again next time.
    #[must_use]
    pub fn counting(self) -> Self {
        Self { clock: Clock::Instructions, ..self }
    }

    /// Boots, runs `script` with sh as root, and returns what it wrote once the guest has gone; an error when it has not
    /// ended within `limit`, or without a word of how the script ended.
    pub fn run(&self, script: &str, limit: Duration) -> Result<String> {
        let room = tempfile::tempdir().map_err(|e| Error::io("create a directory for a guest", e))?;
        let room = room.path();
        let place = room.join("script");
        let modules = self.dir.join("modules");
        let script = format!(
            "mkdir -p /lib/modules && mount --bind {} /lib/modules && ip link set lo up\n{script}\n",
            modules.display()
        );
        fs::write(&place, script).map_err(|e| Error::io(format!("write {}", place.display()), e))?;

        let _files = share(room)?;
        let machine = self.boot(room, &place)?;
        let console = machine.wait(limit);
        let said = said(room);
        console?;
        match said.rsplit_once(ENDED) {
            Some((said, _)) => Ok(said.to_owned()),
            None => Err(Error::Unexpected(format!(
                "the guest ended without a word; it had said\n{said}\nand its kernel\n{}",
                machine.log_tail()
            ))),
        }
    }

    fn boot(&self, room: &Path, script: &Path) -> Result<Process> {
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args(self.clock.arguments())
            .args(["-cpu", "max", "-m", MEMORY, "-no-reboot", "-nodefaults"])
            .args(["-display", "none", "-serial", "stdio", "-serial"])
            .arg(format!("file:{}", room.join("said").display()))
            .args(["-object", &format!("memory-backend-memfd,id=memory,size={MEMORY},share=on")])
            .args(["-numa", "node,memdev=memory", "-chardev"])
            .arg(format!("socket,id=files,path={}", socket(room).display()))
            .args(["-device", "vhost-user-fs-pci,chardev=files,tag=host,queue-size=1024"])
            .arg("-kernel")
            .arg(self.dir.join("vmlinuz"))
            .arg("-initrd")
            .arg(self.dir.join("initrd"))
            .arg("-append")
            // Without the check: on a busy machine the emulated timer ticks too late for it, and the kernel gives up.
            .arg(format!("console=ttyS0 quiet panic=-1 no_timer_check guest.script={}", script.display()));
        Process::start("qemu", &mut command, room.join("console"))
    }
}

/// Serves this machine's files to the guest, which mounts them read-only.
fn share(room: &Path) -> Result<Process> {
    let mut command = Command::new("/usr/lib/qemu/virtiofsd");
    command.arg("-f").arg(format!("--socket-path={}", socket(room).display()));
    command.args(["-o", "source=/", "-o", "sandbox=chroot", "-o", "cache=always", "-o", "log_level=warn"]);
    let server = Process::start("virtiofsd", &mut command, room.join("files.log"))?;
    wait::until("the server of shared files", SHARED, || match server.status() {
        None if socket(room).exists() => Ok(()),
        None => Err("no socket yet".into()),
        Some(status) => Err(format!("it has ended ({status}): {}", server.log_tail())),
    })?;
    Ok(server)
}

fn socket(room: &Path) -> PathBuf {
    room.join("files.sock")
}

/// What the script wrote; the line discipline of a serial line adds the carriage returns.
fn said(room: &Path) -> String {
    fs::read(room.join("said"))
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\r', ""))
        .unwrap_or_default()
}
