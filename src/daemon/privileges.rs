//! What the daemon may do: what it lacks is said before anything fails for it, and what it needs for nothing is given up.

use tracing::warn;

use super::{Refused, exit};
use crate::{
    config::{
        self, Config, NotifyScript, User,
        settings::{Check, GlobalDefs},
    },
    kernel::{
        KernelError,
        capabilities::{self, Capability},
        process, schedule,
    },
};

/// Says what is missing before the first instance fails for it. Without the capabilities of VRRP nothing works;
/// without those of scripts only scripts of other users do not.
pub(super) fn check(config: &Config) -> Result<(), Refused> {
    if users(config).any(|user| process::is_another_user(user.uid)) {
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

/// The users that programs of a configuration run as, where it names them.
fn users(config: &Config) -> impl Iterator<Item = &User> {
    let of_trackers = config.scripts.iter().filter_map(|script| script.user.as_ref());
    let programs = of_routers(config).chain(of_lines(config));
    of_trackers.chain(programs.filter_map(|program| program.user.as_ref()))
}

/// What virtual routers and their groups run of their own.
fn of_routers(config: &Config) -> impl Iterator<Item = &NotifyScript> {
    let of_instances = config.instances.iter().map(|instance| &instance.notify);
    let of_groups = config.sync_groups.iter().map(|group| &group.notify);
    let of_changes = of_instances.chain(of_groups).flat_map(|notify| {
        let config::Notify { master, backup, fault, stop, all } = notify;
        [master, backup, fault, stop, all].into_iter().flatten()
    });
    let of_removals =
        config.instances.iter().filter_map(|instance| instance.settings.notify_deleted.as_ref()?.script());
    of_changes.chain(of_removals)
}

/// What is written as a line of its own anywhere else.
fn of_lines(config: &Config) -> impl Iterator<Item = &NotifyScript> {
    let GlobalDefs {
        startup_script,
        shutdown_script,
        notify_fifo_script,
        vrrp_notify_fifo_script,
        lvs_notify_fifo_script,
        ..
    } = &*config.global.settings;
    let of_process = [startup_script, shutdown_script];
    let of_fifos = [notify_fifo_script, vrrp_notify_fifo_script, lvs_notify_fifo_script];
    let of_contests = config.instances.iter().map(|instance| &instance.settings.notify_master_rx_lower_pri);
    let services = config.virtual_servers.iter();
    let servers = services.clone().flat_map(|service| &service.real_server);
    let of_services = services.flat_map(|service| [&service.quorum_up, &service.quorum_down]);
    let of_servers = servers.clone().flat_map(|server| [&server.notify_up, &server.notify_down]);
    let of_checks = servers.flat_map(|server| &server.checks).filter_map(|check| match check {
        Check::Misc(check) => Some(&check.misc_path),
        _ => None,
    });
    let lines = of_process.into_iter().chain(of_fifos).chain(of_contests);
    let lines = lines.chain(of_services).chain(of_servers).chain(of_checks);
    lines.flatten().filter_map(|line| line.script.as_deref())
}

/// Gives up what the daemon needs for nothing; a script that runs as root still has all of it. What takes a permission once is done
/// before.
pub(super) fn keep(config: &Config) -> Result<(), KernelError> {
    schedule::raise_descriptors();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Elsewhere, Options};

    #[test]
    fn every_program_that_runs_as_somebody_counts() {
        let text = "\
global_defs {
    startup_script /bin/true u1
    shutdown_script /bin/true u2
    notify_fifo /run/a
    notify_fifo_script /bin/true u3
    vrrp_notify_fifo /run/b
    vrrp_notify_fifo_script /bin/true u4
    lvs_notify_fifo /run/c
    lvs_notify_fifo_script /bin/true u5
}
vrrp_script s {
    script /bin/true
    user u6
}
vrrp_sync_group G {
    group {
        VI
    }
    notify /bin/true u7
}
vrrp_instance VI {
    interface eth0
    virtual_router_id 1
    track_script {
        s
    }
    notify_master /bin/true u8
    notify_deleted /bin/true u9
    notify_master_rx_lower_pri /bin/true u10
}
virtual_server 192.0.2.1 80 {
    quorum_up /bin/true u11
    quorum_down /bin/true u12
    real_server 192.0.2.2 80 {
        notify_up /bin/true u13
        notify_down /bin/true u14
        MISC_CHECK {
            misc_path /bin/true
            user u15
        }
    }
}
";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let mut found: Vec<u32> = users(&config).map(|user| user.name[1..].parse().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (1..=15).collect::<Vec<_>>(), "{}", report.render());
    }
}
