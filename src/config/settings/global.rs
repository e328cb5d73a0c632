//! `global_defs`, the single words of the top level, and `SSL`.

use std::{net::IpAddr, time::Duration};

use super::{
    Account, CommandLine, CpuSet, Effective, Entry, ExtraGarp, Fields as _, Fifo, Linkbeat, LinkbeatKind,
    MailServer, Named, ReceiveBuffers, Secret, SyncDaemon, Timeouts, Umask, Words, part, section,
};
use crate::config::keywords;

section! {
    /// `global_defs`, all blocks of that name together.
    GlobalDefs of "global_defs" {
        process_names: bool = "process_names",
        process_name: Option<Box<str>> = "process_name",
        vrrp_process_name: Option<Box<str>> = "vrrp_process_name",
        checker_process_name: Option<Box<str>> = "checker_process_name" | "lvs_process_name",
        bfd_process_name: Option<Box<str>> = "bfd_process_name",
        use_symlink_paths: Effective<bool> = "use_symlink_paths",
        set_supplementary_groups: Effective<bool> = "set_supplementary_groups",
        router_id: Option<Box<str>> = "router_id",
        notification_email: Vec<Named> = "notification_email",
        notification_email_from: Option<Box<str>> = "notification_email_from",
        smtp_server: Option<Box<MailServer>> = "smtp_server",
        smtp_helo_name: Option<Box<str>> = "smtp_helo_name",
        smtp_connect_timeout: Effective<u16> = "smtp_connect_timeout",
        smtp_alert: Option<bool> = "smtp_alert",
        smtp_alert_vrrp: Option<bool> = "smtp_alert_vrrp",
        smtp_alert_checker: Option<bool> = "smtp_alert_checker",
        checker_log_all_failures: Effective<bool> = "checker_log_all_failures",
        no_email_faults: bool = "no_email_faults",
        no_checker_emails: Effective<bool> = "no_checker_emails",
        rs_init_notifies: Effective<bool> = "rs_init_notifies",
        startup_script: Option<Box<CommandLine>> = "startup_script",
        startup_script_timeout: Effective<u16> = "startup_script_timeout",
        shutdown_script: Option<Box<CommandLine>> = "shutdown_script",
        shutdown_script_timeout: Effective<u16> = "shutdown_script_timeout",
        script_user: Option<Account> = "script_user",
        enable_script_security: bool = "enable_script_security",
        default_interface: Effective<Box<str>> = "default_interface",
        dynamic_interfaces: Option<&'static str> = "dynamic_interfaces",
        disable_local_igmp: bool = "disable_local_igmp",
        lvs_sync_daemon: Option<Box<SyncDaemon>> = "lvs_sync_daemon",
        lvs_timeouts: Option<Timeouts> = "lvs_timeouts",
        lvs_flush: bool = "lvs_flush",
        lvs_flush_on_stop: Option<&'static str> = "lvs_flush_on_stop" | "lvs_flush_onstop",
        vrrp_mcast_group4: Option<IpAddr> = "vrrp_mcast_group4",
        vrrp_mcast_group6: Option<IpAddr> = "vrrp_mcast_group6",
        vrrp_garp_master_delay: Effective<u16> = "vrrp_garp_master_delay",
        vrrp_garp_master_repeat: Effective<u32> = "vrrp_garp_master_repeat",
        vrrp_garp_lower_prio_delay: Effective<u16> = "vrrp_garp_lower_prio_delay",
        vrrp_garp_lower_prio_repeat: Effective<u32> = "vrrp_garp_lower_prio_repeat",
        vrrp_garp_master_refresh: Effective<u32> = "vrrp_garp_master_refresh",
        vrrp_garp_master_refresh_repeat: Effective<u32> = "vrrp_garp_master_refresh_repeat",
        vrrp_garp_interval: Effective<Duration> = "vrrp_garp_interval",
        vrrp_gna_interval: Effective<Duration> = "vrrp_gna_interval",
        vrrp_min_garp: Effective<bool> = "vrrp_min_garp",
        vrrp_garp_extra_if: Effective<ExtraGarp> = "vrrp_garp_extra_if" | "vrrp_vmac_garp_intvl",
        vrrp_down_timer_adverts: Effective<u8> = "vrrp_down_timer_adverts",
        vrrp_lower_prio_no_advert: Effective<bool> = "vrrp_lower_prio_no_advert",
        vrrp_higher_prio_send_advert: Effective<bool> = "vrrp_higher_prio_send_advert",
        vrrp_owner_ignore_adverts: Effective<bool> = "vrrp_owner_ignore_adverts",
        vrrp_version: Effective<u8> = "vrrp_version",
        v3_checksum_as_v2: bool = "v3_checksum_as_v2",
        vrrp_check_unicast_src: bool = "vrrp_check_unicast_src",
        vrrp_skip_check_adv_addr: Effective<bool> = "vrrp_skip_check_adv_addr",
        vrrp_strict: Effective<bool> = "vrrp_strict",
        vrrp_notify_priority_changes: Effective<bool> = "vrrp_notify_priority_changes",
        vrrp_startup_delay: Effective<Duration> = "vrrp_startup_delay",
        vrrp_delay_after_boot: Effective<Duration> = "vrrp_delay_after_boot",
        log_unknown_vrids: bool = "log_unknown_vrids",
        vmac_prefix: Effective<Box<str>> = "vmac_prefix",
        vmac_addr_prefix: Effective<Box<str>> = "vmac_addr_prefix",
        vrrp_iptables: Option<Words> = "vrrp_iptables",
        vrrp_ipsets: Option<Words> = "vrrp_ipsets",
        nftables: Option<Box<str>> = "nftables",
        nftables_priority: Effective<i32> = "nftables_priority",
        nftables_counters: bool = "nftables_counters",
        nftables_ifindex: bool = "nftables_ifindex",
        nftables_ipvs: Option<Box<str>> = "nftables_ipvs",
        nftables_ipvs_priority: Effective<i32> = "nftables_ipvs_priority",
        nftables_ipvs_start_fwmark: Effective<u32> = "nftables_ipvs_start_fwmark",
        notify_fifo: Option<Box<Fifo>> = "notify_fifo",
        notify_fifo_script: Option<Box<CommandLine>> = "notify_fifo_script",
        vrrp_notify_fifo: Option<Box<Fifo>> = "vrrp_notify_fifo",
        vrrp_notify_fifo_script: Option<Box<CommandLine>> = "vrrp_notify_fifo_script",
        lvs_notify_fifo: Option<Box<Fifo>> = "lvs_notify_fifo",
        lvs_notify_fifo_script: Option<Box<CommandLine>> = "lvs_notify_fifo_script",
        fifo_write_vrrp_states_on_reload: bool = "fifo_write_vrrp_states_on_reload",
        max_auto_priority: Effective<i32> = "max_auto_priority",
        min_auto_priority_delay: Effective<u32> = "min_auto_priority_delay",
        vrrp_priority: Effective<i32> = "vrrp_priority",
        checker_priority: Effective<i32> = "checker_priority",
        bfd_priority: Effective<i32> = "bfd_priority",
        vrrp_rt_priority: Option<u8> = "vrrp_rt_priority",
        checker_rt_priority: Option<u8> = "checker_rt_priority",
        bfd_rt_priority: Option<u8> = "bfd_rt_priority",
        vrrp_no_swap: bool = "vrrp_no_swap",
        checker_no_swap: bool = "checker_no_swap",
        bfd_no_swap: bool = "bfd_no_swap",
        vrrp_cpu_affinity: Option<CpuSet> = "vrrp_cpu_affinity",
        checker_cpu_affinity: Option<CpuSet> = "checker_cpu_affinity",
        bfd_cpu_affinity: Option<CpuSet> = "bfd_cpu_affinity",
        vrrp_rlimit_rttime: Effective<i64> = "vrrp_rlimit_rttime" | "vrrp_rlimit_rtime",
        checker_rlimit_rttime: Effective<i64> = "checker_rlimit_rttime" | "checker_rlimit_rtime",
        bfd_rlimit_rttime: Effective<i64> = "bfd_rlimit_rttime" | "bfd_rlimit_rtime",
        snmp_socket: Option<Box<str>> = "snmp_socket",
        enable_snmp_vrrp: bool = "enable_snmp_vrrp" | "enable_snmp_keepalived",
        enable_snmp_checker: bool = "enable_snmp_checker",
        enable_snmp_rfc: bool = "enable_snmp_rfc",
        enable_snmp_rfcv2: bool = "enable_snmp_rfcv2",
        enable_snmp_rfcv3: bool = "enable_snmp_rfcv3",
        snmp_context: Option<Box<str>> = "snmp_context",
        snmp_set: bool = "snmp_set",
        transition_journal: Option<Box<str>> = "transition_journal",
        transition_journal_size: Effective<u32> = "transition_journal_size",
        control_socket: Option<Box<str>> = "control_socket",
        control_group: Option<Box<str>> = "control_group",
        snmp_compat: bool = "snmp_compat",
        enable_traps: bool = "enable_traps",
        snmp_vs_stats_update_interval: Effective<Duration> = "snmp_vs_stats_update_interval",
        snmp_rs_stats_update_interval: Effective<Duration> = "snmp_rs_stats_update_interval",
        enable_dbus: bool = "enable_dbus",
        dbus_service_name: Effective<Box<str>> = "dbus_service_name",
        dbus_no_interface_name: Option<Box<str>> = "dbus_no_interface_name",
        vrrp_netlink_cmd_rcv_bufs: Option<u32> = "vrrp_netlink_cmd_rcv_bufs",
        vrrp_netlink_monitor_rcv_bufs: Option<u32> = "vrrp_netlink_monitor_rcv_bufs",
        lvs_netlink_cmd_rcv_bufs: Option<u32> = "lvs_netlink_cmd_rcv_bufs",
        lvs_netlink_monitor_rcv_bufs: Option<u32> = "lvs_netlink_monitor_rcv_bufs",
        process_monitor_rcv_bufs: Option<u32> = "process_monitor_rcv_bufs",
        vrrp_netlink_cmd_rcv_bufs_force: Effective<bool> = "vrrp_netlink_cmd_rcv_bufs_force",
        vrrp_netlink_monitor_rcv_bufs_force: Effective<bool> = "vrrp_netlink_monitor_rcv_bufs_force",
        lvs_netlink_cmd_rcv_bufs_force: Effective<bool> = "lvs_netlink_cmd_rcv_bufs_force",
        lvs_netlink_monitor_rcv_bufs_force: Effective<bool> = "lvs_netlink_monitor_rcv_bufs_force",
        process_monitor_rcv_bufs_force: Effective<bool> = "process_monitor_rcv_bufs_force",
        vrrp_rx_bufs_policy: Option<ReceiveBuffers> = "vrrp_rx_bufs_policy",
        vrrp_rx_bufs_multiplier: Effective<u32> = "vrrp_rx_bufs_multiplier",
        umask: Effective<Umask> = "umask",
        random_seed: Option<u32> = "random_seed",
        tmp_config_directory: Option<Box<str>> = "tmp_config_directory",
        config_save_dir: Option<Box<str>> = "config_save_dir",
        reload_check_config: Option<Box<str>> = "reload_check_config",
        include_check: Option<Words> = "include_check",
        reload_time_file: Option<Box<str>> = "reload_time_file",
        reload_repeat: bool = "reload_repeat",
        reload_file: Option<Box<str>> = "reload_file",
        data_use_instance: Effective<bool> = "data_use_instance",
        state_dump_file: Effective<Box<str>> = "state_dump_file",
        stats_dump_file: Effective<Box<str>> = "stats_dump_file",
        json_dump_file: Effective<Box<str>> = "json_dump_file",
        json_version: Effective<u8> = "json_version",
        iproute_usr_dir: Option<Box<str>> = "iproute_usr_dir",
        iproute_etc_dir: Option<Box<str>> = "iproute_etc_dir",
    }
}

part! {
    /// The words of the top level that are no named blocks.
    ProcessSettings {
        net_namespace: Option<Box<str>> = "net_namespace",
        net_namespace_ipvs: Option<Words> = "net_namespace_ipvs",
        namespace_with_ipsets: bool = "namespace_with_ipsets",
        use_pid_dir: bool = "use_pid_dir",
        instance: Option<Box<str>> = "instance",
        linkbeat_use_polling: bool = "linkbeat_use_polling",
        child_wait_time: Effective<u32> = "child_wait_time",
        linkbeat_interfaces: Vec<Linkbeat> = "linkbeat_interfaces",
        interface_up_down_delays: Vec<Entry> = "interface_up_down_delays",
    }
    resolved { "static_ipaddress" | "static_routes" | "static_rules" }
}

impl ProcessSettings {
    /// How the interface of that name is asked for its link, if it is.
    pub fn linkbeat(&self, interface: &str) -> Option<LinkbeatKind> {
        let line = self.linkbeat_interfaces.iter().find(|line| *line.interface == *interface);
        line.map(|line| line.kind).or(self.linkbeat_use_polling.then_some(LinkbeatKind::Best))
    }

    /// What holds when nothing is written.
    pub(in crate::config) fn unwritten() -> Self {
        let mut settings = Self::default();
        settings.preset(keywords::ROOT);
        settings
    }
}

section! {
    /// `SSL`: what `SSL_GET` identifies itself with.
    Ssl of "SSL" {
        password: Option<Secret> = "password",
        ca: Option<Box<str>> = "ca",
        certificate: Option<Box<str>> = "certificate",
        key: Option<Box<str>> = "key",
    }
}
