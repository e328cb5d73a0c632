//! The kernel's daemon that tells other routers of IPVS connections.

use lab::{Host, Lan, Result, Router, State, wait};

use crate::{GUEST, SOON, ours};

/// A router of that priority, on this interface.
fn config(global: &str, interface: &str, priority: u8, lines: &str) -> String {
    format!(
        "global_defs {{\n  {global}\n}}\nvrrp_instance VI {{\n  state BACKUP\n  interface {interface}\n  \
         virtual_router_id 51\n  priority {priority}\n  version 3\n  advert_int 0.2\n  virtual_ipaddress {{\n    \
         10.9.0.100/24\n  }}\n  {lines}\n}}\n"
    )
}

#[test]
fn it_follows_a_router() -> Result<()> {
    GUEST.tells(|| {
        let ways = [("lvs_sync_daemon va0 VI", "", 51), ("", "lvs_sync_daemon_interface va0", 0)];
        for (global, lines, id) in ways {
            let lan = Lan::pair()?;
            let alpha = &lan["alpha"];
            let shown = || alpha.look(&["ipvsadm", "-L", "--daemon"]).unwrap_or_default();
            let is_there =
                |role: &str| shown().contains(&format!("{role} sync daemon (mcast=va0, syncid={id},"));
            let router = Router::start(&ours(), alpha, "alpha", &config(global, "va0", 150, lines))?;
            router.wait_entering("VI", State::Master, SOON)?;
            wait::until_true("the master's daemon", SOON, || is_there("master") && !is_there("backup"))?;
            let better = config("", "vb0", 200, "");
            let better = Router::start(&ours(), &lan["beta"], "beta", &better)?;
            better.wait_entering("VI", State::Master, SOON)?;
            wait::until_true("the backup's daemon", SOON, || is_there("backup") && !is_there("master"))?;
            router.stop()?;
            wait::until_true("no daemon", SOON, || !shown().contains("sync daemon"))?;
            better.stop()?;
        }
        Ok(())
    })
}

#[test]
fn it_runs_where_ipvs_is() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        // The kernel starts it on that interface of the other host.
        beta.sh("ip link add va0 type dummy && ip link set va0 up multicast on")?;
        let shown = |host: &Host| host.look(&["ipvsadm", "-L", "--daemon"]).unwrap_or_default();
        let text = config("lvs_sync_daemon va0 VI", "va0", 150, "");
        let text = format!("net_namespace_ipvs {}\n{text}", beta.namespace());
        let router = Router::start(&ours(), alpha, "alpha", &text)?;
        wait::until_true("the master's daemon", SOON, || {
            shown(beta).contains("master sync daemon (mcast=va0")
        })?;
        assert!(!shown(alpha).contains("sync daemon"), "{}", shown(alpha));
        router.stop()?;
        wait::until_true("no daemon", SOON, || !shown(beta).contains("sync daemon"))
    })
}
