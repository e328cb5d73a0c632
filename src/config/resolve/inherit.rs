//! Values that hold because a block around theirs says so.
//!
//! The keyword tables name the same sources (`inherits`), for whoever reads and for `config show`; a test compares what
//! both come to.

use std::{sync::Arc, time::Duration};

use super::{host, tracking::Trackables};
use crate::{
    config::{
        self, Instance,
        settings::{
            Address, Check, Destination, GlobalDefs, HttpCheck, InstanceSettings, MiscTimeout, Port,
            RealServer, Schedule, SyncGroup, VirtualServer,
        },
    },
    units::Family,
};

/// `global_defs` within itself.
pub(super) fn global(global: &mut GlobalDefs) {
    if *global.vrrp_min_garp {
        global.vrrp_garp_master_delay.inherit(Some(0));
        global.vrrp_garp_master_repeat.inherit(Some(1));
        global.vrrp_garp_master_refresh.inherit(Some(0));
    }
    global.vrrp_garp_lower_prio_delay.inherit(Some(*global.vrrp_garp_master_delay));
    global.vrrp_garp_lower_prio_repeat.inherit(Some(*global.vrrp_garp_master_repeat));
    global.snmp_rs_stats_update_interval.inherit(Some(*global.snmp_vs_stats_update_interval));
    global.vmac_addr_prefix.inherit(Some((*global.vmac_prefix).clone()));
    global.vrrp_mcast_group4 = Some(host::usual_group(Family::V4, global));
    global.vrrp_mcast_group6 = Some(host::usual_group(Family::V6, global));
}

/// What an instance has from `global_defs`, and what strict mode makes of it.
pub(super) fn instance(settings: &mut InstanceSettings, owner: bool, global: &GlobalDefs) {
    settings.garp_extra_if.inherit(Some(*global.vrrp_garp_extra_if));
    settings.down_timer_adverts.inherit(Some(*global.vrrp_down_timer_adverts));
    settings.lower_prio_no_advert.inherit(Some(*global.vrrp_lower_prio_no_advert));
    settings.higher_prio_send_advert.inherit(Some(*global.vrrp_higher_prio_send_advert));
    settings.owner_ignore_adverts.inherit(Some(*global.vrrp_owner_ignore_adverts));
    settings.skip_check_adv_addr.inherit(Some(*global.vrrp_skip_check_adv_addr));
    settings.strict_mode.inherit(Some(*global.vrrp_strict));
    settings.v3_checksum_as_v2.inherit(Some(global.v3_checksum_as_v2));
    settings.check_unicast_src.inherit(Some(global.vrrp_check_unicast_src));
    settings.notify_priority_changes.inherit(Some(*global.vrrp_notify_priority_changes));
    settings.smtp_alert.inherit(global.smtp_alert_vrrp.or(global.smtp_alert));
    if *settings.strict_mode {
        settings.down_timer_adverts.replace(3);
        settings.lower_prio_no_advert.replace(true);
        settings.higher_prio_send_advert.replace(false);
        settings.owner_ignore_adverts.replace(owner);
    }
}

/// What a sync group has from `global_defs`.
pub(super) fn group(settings: &mut SyncGroup, global: &GlobalDefs) {
    settings.notify_priority_changes.inherit(Some(*global.vrrp_notify_priority_changes));
    settings.smtp_alert.inherit(global.smtp_alert_vrrp.or(global.smtp_alert));
}

/// What the members of a group have from it.
pub(super) fn members(group: &config::SyncGroup, instances: &mut [Instance]) {
    let of_group = *group.settings.notify_priority_changes;
    for member in &group.members {
        instances[*member].settings.notify_priority_changes.inherit(Some(of_group));
    }
}

/// What a service has from `global_defs`, its servers from it, and their checks from both.
pub(super) fn service(service: &mut VirtualServer, global: &GlobalDefs, trackables: &Trackables) {
    service.smtp_alert.inherit(global.smtp_alert_checker.or(global.smtp_alert));
    service.warmup.inherit(Some(*service.delay_loop));
    service.sorry_server_lvs_method.inherit(Some(*service.lb_kind));
    let mut servers = std::mem::take(&mut service.real_server);
    for one in &mut servers {
        server(one, service, global);
        let mut checks = std::mem::take(&mut one.checks);
        for one_check in &mut checks {
            check(one_check, one, service, global, trackables);
        }
        one.checks = checks;
    }
    service.real_server = servers;
    if let (Some(sorry), Destination::Address(endpoint)) = (&mut service.sorry_server, &service.heading)
        && sorry.port == 0
    {
        sorry.port = endpoint.port;
    }
}

fn server(server: &mut RealServer, service: &VirtualServer, global: &GlobalDefs) {
    server.weight.inherit(Some(*service.weight));
    server.lvs_method.inherit(Some(*service.lb_kind));
    server.inhibit_on_failure.inherit(Some(service.inhibit_on_failure));
    server.alpha.inherit(Some(service.alpha));
    server.smtp_alert.inherit(global.smtp_alert_checker.or(global.smtp_alert));
    server.virtualhost = server.virtualhost.take().or_else(|| service.virtualhost.clone());
    server.connect_timeout.inherit(Some(*service.connect_timeout));
    server.delay_loop.inherit(Some(*service.delay_loop));
    let warmup = service.warmup.written().or(Some(*server.delay_loop));
    server.warmup.inherit(warmup);
    server.retry = server.retry.or(service.retry);
    server.delay_before_retry = server.delay_before_retry.or(service.delay_before_retry);
    if let Destination::Address(endpoint) = &service.heading
        && server.heading.port == 0
    {
        server.heading.port = endpoint.port;
    }
}

fn check(
    check: &mut Check,
    server: &RealServer,
    service: &VirtualServer,
    global: &GlobalDefs,
    trackables: &Trackables,
) {
    if let Some(schedule) = check.schedule_mut() {
        schedule_of(schedule, server, service, global);
    }
    if let Some((connection, _)) = check.connection_mut() {
        connection.connect_ip.inherit(Some(Address(server.heading.address)));
        connection.connect_port.inherit(Some(Port(server.heading.port)));
        connection.connect_timeout.inherit(Some(*server.connect_timeout));
    }
    match check {
        Check::Http(check) | Check::Ssl(check) => http(check, server),
        Check::Dns(check) => {
            let written = check.schedule.delay_before_retry.written().or(server.delay_before_retry);
            let gap = written.unwrap_or(*check.schedule.delay_loop);
            check.schedule.delay_before_retry.inherit(Some(gap));
        }
        Check::Smtp(check) => {
            for host in &mut check.host {
                host.schedule = check.schedule.clone();
                host.connection.connect_ip.inherit(Some(*check.connection.connect_ip));
                host.connection.connect_port.inherit(Some(*check.connection.connect_port));
                host.connection.connect_timeout.inherit(Some(*check.connection.connect_timeout));
            }
        }
        Check::Misc(check) => check.misc_timeout.inherit(Some(MiscTimeout(*service.delay_loop))),
        Check::Bfd(check) => check.alpha.inherit(Some(*server.alpha)),
        Check::File(check) => {
            check.alpha.inherit(Some(*server.alpha));
            let own = check.track_file.as_deref().and_then(|name| trackables.file_weight(name));
            check.weight = check.weight.or(own);
        }
        Check::Tcp(_) | Check::Udp(_) | Check::Ping(_) => {}
    }
}

fn schedule_of(schedule: &mut Schedule, server: &RealServer, service: &VirtualServer, global: &GlobalDefs) {
    schedule.retry.inherit(server.retry);
    schedule.delay_before_retry.inherit(server.delay_before_retry);
    let own_loop: Option<Duration> = schedule.delay_loop.written();
    schedule.delay_loop.inherit(Some(*server.delay_loop));
    let warmup = server.warmup.written().or(service.warmup.written()).or(own_loop);
    schedule.warmup.inherit(warmup.or(Some(*server.delay_loop)));
    schedule.alpha.inherit(Some(*server.alpha));
    schedule.log_all_failures.inherit(Some(*global.checker_log_all_failures));
}

fn http(check: &mut HttpCheck, server: &RealServer) {
    if let Some(retry) = check.nb_get_retry.filter(|_| !check.schedule.retry.is_written()) {
        check.schedule.retry.replace(retry);
    }
    if check.sni_name.is_some() {
        check.enable_sni.replace(true);
    }
    let usual: Option<Arc<str>> = server.virtualhost.clone();
    check.virtualhost = check.virtualhost.take().or(usual);
    for url in &mut check.url {
        url.virtualhost = url.virtualhost.take().or_else(|| check.virtualhost.clone());
        url.tls_compliant.inherit(Some(*check.tls_compliant));
    }
}
