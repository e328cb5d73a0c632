//! In a container of an OCI runtime (crun), with the two capabilities that docs/security.md asks for and no other: a root that is
//! read only, settings of the network that are, and nobody there but the daemon.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lab::{Host, Lan, Process, Result, State, Subject};
use serde_json::{Value, json};

use crate::privileges::{NET_ADMIN, NET_RAW, effective};
use crate::world::{SOON, V3, VI, VIP, is_keepalived, ours};

/// What the system brings along, as far as the daemon and the programs that it starts need it.
const SYSTEM: &str = "/usr";

/// A root with this configuration at its usual place.
fn lay(root: &Path, config: &str) {
    for folder in ["usr", "proc", "dev", "run", "tmp", "etc/keepalived"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), root.join(name)).expect("a link");
    }
    fs::write(root.join("etc/keepalived/keepalived.conf"), config).expect("a file");
    // Where the program is shown.
    fs::write(root.join("steadfast"), "").expect("a file");
}

/// What the runtime is to run (config.json of the OCI's runtime specification 1.0).
fn bundle(program: &Path) -> Value {
    let two = ["CAP_NET_ADMIN", "CAP_NET_RAW"];
    let memory = |at: &str| json!({"destination": at, "type": "tmpfs", "source": "tmpfs"});
    let shown = |at: &str, what: &Path| json!({"destination": at, "type": "none", "source": what, "options": ["rbind", "ro"]});
    json!({
        "ociVersion": "1.0.2",
        "root": {"path": "root", "readonly": true},
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/steadfast", "-n"],
            "env": ["PATH=/usr/bin:/bin"],
            "cwd": "/",
            "capabilities": {"bounding": two, "effective": two, "permitted": two, "inheritable": two},
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            memory("/dev"), memory("/run"), memory("/tmp"),
            shown("/usr", Path::new(SYSTEM)), shown("/steadfast", program),
        ],
        "linux": {
            // The network is the one that the runtime is started in.
            "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}

/// Runs the program under test in the network of a host.
fn contain(host: &Host, program: &Path, config: &str) -> Result<Process> {
    let folder = host.dir().join("container");
    lay(&folder.join("root"), config);
    fs::write(folder.join("config.json"), bundle(program).to_string()).expect("a file");
    let (state, folder) = (folder.join("state").display().to_string(), folder.display().to_string());
    // Where the runtime looks for control groups; those that are there `ip netns exec` has hidden.
    let groups = "mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"";
    let runtime = ["sh", "-c", groups, "sh", "crun", "--root", &state, "--cgroup-manager=disabled"];
    let start = [&runtime[..], &["run", "--bundle", &folder, host.namespace()]].concat();
    host.spawn_with("container", &start, &HashMap::new())
}

#[test]
fn in_a_container_with_net_admin_and_net_raw_alone_it_is_a_router_and_logs_to_its_output() -> Result<()> {
    if is_keepalived("capabilities of a daemon") {
        return Ok(());
    }
    if !lab::host::installed("crun") {
        lab::note("crun is not installed: nothing is told of containers");
        return Ok(());
    }
    let Subject::Steadfast(program) = ours() else { unreachable!("left out before") };
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let daemon = contain(alpha, &program, &V3.alpha(150).text())?;
    daemon.wait_log(&format!("({VI}) Entering {} STATE", State::Master), SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    // The runtime, the parent, which is process 1 there, and the engine.
    let parent = daemon.children()[0];
    let engines =
        fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("the parent runs");
    let engine = engines.trim().parse().expect("one engine");
    assert_eq!(effective(engine), NET_ADMIN | NET_RAW);
    assert!(daemon.terminate(SOON)?.success(), "{}", daemon.log());
    assert!(!alpha.has_address(VIP));
    Ok(())
}
