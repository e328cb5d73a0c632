//! What the daemon may do: what it lacks is said before anything fails for it, and what it needs for nothing is given up.

use tracing::warn;

use super::{Refused, exit};
use crate::{
    config::{self, Config},
    kernel::{
        KernelError,
        capabilities::{self, Capability},
        process::Owner,
    },
};

/// Says what is missing before the first instance fails for it. Without the capabilities of VRRP nothing works;
/// without those of scripts only scripts of other users do not.
pub(super) fn check(config: &Config) -> Result<(), Refused> {
    let of_instances = config.instances.iter().map(|instance| &instance.notify);
    let of_groups = config.sync_groups.iter().map(|group| &group.notify);
    let notify = of_instances.chain(of_groups).flat_map(|notify| {
        let config::Notify { master, backup, fault, stop, all } = notify;
        [master, backup, fault, stop, all].into_iter().flatten().filter_map(|script| script.user.as_ref())
    });
    let settings = &config.global.settings;
    let of_fifos = [&settings.notify_fifo_script, &settings.vrrp_notify_fifo_script];
    let of_fifos = of_fifos.into_iter().flatten().filter_map(|line| line.script.as_ref()?.user.as_ref());
    let of_contests = config.instances.iter().filter_map(|instance| {
        instance.settings.notify_master_rx_lower_pri.as_ref()?.script.as_ref()?.user.as_ref()
    });
    let of_trackers = config.scripts.iter().filter_map(|script| script.user.as_ref());
    let mut users = of_trackers.chain(notify).chain(of_fifos).chain(of_contests);
    if users.any(|user| Owner::new(user.uid, user.gid).is_another_user()) {
        for capability in missing_of(&Capability::OF_SCRIPTS) {
            warn!("missing permission: {capability}");
        }
    }
    if config.instances.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = missing_of(&Capability::OF_VRRP).iter().map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("missing permission: {}; run as root or grant it", missing.join(", "));
    Err(Refused { status: exit::NO_PERMISSION, message })
}

/// Gives up what the daemon needs for nothing; a script that runs as root still has all of it.
pub(super) fn keep(config: &Config) -> Result<(), KernelError> {
    let in_namespace = [config.process.net_namespace.is_some(), config.process.net_namespace_ipvs.is_some()]
        .contains(&true)
        .then_some(Capability::SysAdmin);
    let kept: Vec<_> = Capability::KEPT.into_iter().chain(in_namespace).collect();
    capabilities::keep(&kept)
}

/// Which of these are missing; none where /proc is not there to ask: the kernel's own refusal will say it.
fn missing_of(capabilities: &[Capability]) -> Vec<Capability> {
    capabilities::missing_of(capabilities).unwrap_or_default()
}
