//! The unit under systemd itself: what that learns of the daemon, and what `systemctl` then does to it.

use std::path::Path;

use lab::{Host, Lan, Process, Result, wait};

use crate::processes::slow;
use crate::world::{SOON, V3, VI, VIP, is_keepalived};

const SYSTEMD: &str = "/lib/systemd/systemd";

/// systemd as the first process of a container: this system over again, what is written there is gone with it, and our unit
/// alone. What it is given: a folder to be at home in, the program, the unit, and the configuration.
const BOOT: &str = r#"set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
cd "$1"
mkdir upper work root
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
cd root
mount -t proc none proc
mount -t sysfs none sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs none run
touch usr/sbin/steadfast
mount --bind "$2" usr/sbin/steadfast
mkdir -p run/units etc/keepalived etc/default old
cp "$3" run/units/
for target in sysinit basic network-online multi-user shutdown; do
  printf '[Unit]\nDefaultDependencies=no\n' > run/units/$target.target
done
cp "$4" etc/keepalived/keepalived.conf
echo DAEMON_ARGS=-V > etc/default/steadfast
pivot_root . old
umount -l old
exec env -i container=oci PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/run/units \
  SYSTEMD_LOG_TARGET=console /lib/systemd/systemd --system --unit=multi-user.target --show-status=0
"#;

/// A container with systemd in the network of a host.
struct Container<'a> {
    host: &'a Host,
    process: Process,
}

impl<'a> Container<'a> {
    fn boot(host: &'a Host, config: &str) -> Result<Self> {
        let home = host.dir().join("container");
        std::fs::create_dir_all(&home).expect("a folder");
        let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/steadfast.service");
        let config = host.write("keepalived.conf", config)?;
        let [home, unit, config] = [home, unit, config].map(|path| path.display().to_string());
        let apart = ["unshare", "-m", "-p", "-u", "-i", "-C", "-f", "--kill-child"];
        let boot = ["sh", "-c", BOOT, "boot", &home, env!("CARGO_BIN_EXE_steadfast"), &unit, &config];
        let process = host.spawn("systemd", &[&apart[..], &boot].concat())?;
        let container = Self { host, process };
        wait::until("systemd", SOON, || {
            container
                .run("systemctl show -p Version")
                .map_err(|error| format!("{error}: {}", container.process.log()))
        })?;
        Ok(container)
    }

    /// Runs a command there.
    fn run(&self, words: &str) -> Result<String> {
        let first = self.process.children().first().copied().unwrap_or_default();
        self.host.sh(&format!("nsenter -t {first} -m -p -C {words}"))
    }
}

#[test]
fn systemd_knows_how_the_service_is_and_a_restart_of_it_keeps_the_addresses() -> Result<()> {
    if is_keepalived("unit for systemd") {
        return Ok(());
    }
    if !Path::new(SYSTEMD).exists() {
        lab::note("systemd is not installed: nothing is told of services");
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let container = Container::boot(alpha, &slow(V3.alpha(150)).text())?;
    let shown = |properties: &str| container.run(&format!("systemctl show -p {properties} steadfast"));
    container.run("systemctl start steadfast")?;
    // It has said so by then, and is found without being named.
    let status = shown("ActiveState,StatusText,WatchdogUSec")?;
    for expected in ["ActiveState=active", "StatusText=Running (engine ", "WatchdogUSec=30s"] {
        assert!(status.contains(expected), "{status}");
    }
    lan.wait_holder(VIP, "alpha", SOON)?;
    let status = container.run("steadfast ctl status")?;
    assert!(status.contains(VI), "{status}");
    container.run("systemctl reload steadfast")?;
    wait::until("a reload", SOON, || {
        let events = container.run("steadfast ctl events").map_err(|error| error.to_string())?;
        if events.contains("reloaded") { Ok(()) } else { Err(events) }
    })?;
    // With -V, and the note that it was just now.
    container.run("systemctl restart steadfast")?;
    let events = container.run("steadfast ctl events")?;
    assert!(events.contains("goes on where the process before ended"), "{events}");
    container.run("systemctl stop steadfast")?;
    let status = shown("ActiveState,Result,NRestarts")?;
    for expected in ["ActiveState=inactive", "Result=success", "NRestarts=0"] {
        assert!(status.contains(expected), "{status}");
    }
    assert!(alpha.has_address(VIP));
    Ok(())
}
