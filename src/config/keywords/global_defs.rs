//! The words of `global_defs`.

use super::{
    Block, NO_OPTIONS, Table,
    Value::{Address, Boolean, Flag, Integer, Interface, Lines, OneOf, Script, Seconds, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "global_defs",
    keywords: &[
        keyword(
            "process_names",
            "",
            Flag,
            "name children keepalived_vrrp, keepalived_lvs (man page says _ipvs), keepalived_bfd",
        )
        .supported(),
        keyword("process_name", "NAME", Text, "parent process name").or("keepalived").required().supported(),
        keyword("vrrp_process_name", "NAME", Text, "VRRP child name").or("keepalived").required().supported(),
        keyword("checker_process_name", "NAME", Text, "checker child name")
            .supported()
            .or("keepalived")
            .required(),
        keyword("lvs_process_name", "NAME", Text, "checker child name")
            .supported()
            .required()
            .same_as("checker_process_name"),
        keyword("bfd_process_name", "NAME", Text, "BFD child name").or("keepalived").required(),
        keyword("use_symlink_paths", "[BOOL]", Boolean, "keep symlinks in script paths")
            .supported()
            .or("off")
            .since("2.2.8 or later"),
        keyword(
            "set_supplementary_groups",
            "[BOOL]",
            Boolean,
            "give scripts the user's supplementary groups",
        )
        .supported()
        .or("off")
        .since("2.2.8 or later"),
        keyword("router_id", "STRING", Text, "name used in mails")
            .or("local host name")
            .supported()
            .expected(),
        keyword("lvs_id", "STRING", Text, "old name of router_id")
            .expected()
            .removed("router_id names this host now"),
        keyword("notification_email", "{ ADDRS }", Lines(&NO_OPTIONS), "mail recipients; no mail without it")
            .supported(),
        keyword("notification_email_from", "ADDR", Text, "sender")
            .supported()
            .or("user@hostname of the process")
            .expected(),
        keyword("smtp_server", "HOST [PORT]", Text, "mail server; no mail without it")
            .supported()
            .or("none, port 25")
            .required(),
        keyword("smtp_helo_name", "STRING", Text, "HELO name").supported().or("local host name"),
        keyword("smtp_connect_timeout", "SECS", Integer(0, 4294), "mail connection timeout")
            .supported()
            .or("30")
            .required(),
        keyword("smtp_alert", "[BOOL]", Boolean, "default of all smtp_alert settings").supported(),
        keyword("smtp_alert_vrrp", "[BOOL]", Boolean, "default for VRRP smtp_alert").supported(),
        keyword("smtp_alert_checker", "[BOOL]", Boolean, "default for checker smtp_alert").supported(),
        keyword("checker_log_all_failures", "[BOOL]", Boolean, "log every failed check attempt")
            .supported()
            .or("off"),
        keyword("no_email_faults", "", Flag, "no mails for FAULT").supported(),
        keyword("no_checker_emails", "[BOOL]", Boolean, "mail only when a server is really added/removed")
            .supported()
            .or("off"),
        keyword("rs_init_notifies", "[BOOL]", Boolean, "run notify_up for servers that start up")
            .supported()
            .or("off"),
        keyword("startup_script", "SCRIPT [USER [[:]GROUP]]", Script, "run before the children start")
            .supported()
            .expected(),
        keyword("startup_script_timeout", "SECS", Integer(1, 1000), "limit for startup_script")
            .or("10")
            .supported()
            .expected(),
        keyword("shutdown_script", "SCRIPT [USER [[:]GROUP]]", Script, "run after the children ended")
            .supported()
            .expected(),
        keyword("shutdown_script_timeout", "SECS", Integer(1, 1000), "limit for shutdown_script")
            .or("10")
            .supported()
            .expected(),
        keyword("script_user", "USER [[:]GROUP]", Text, "default script identity")
            .or("keepalived_script if it exists, else the running user")
            .supported()
            .expected(),
        keyword(
            "enable_script_security",
            "",
            Flag,
            "refuse root scripts whose path others can write; default user must exist",
        )
        .supported(),
        keyword("default_interface", "IF", Interface, "interface for static addresses without dev")
            .supported()
            .or("eth0")
            .expected(),
        keyword(
            "dynamic_interfaces",
            "[allow_if_changes]",
            OneOf(&["allow_if_changes"]),
            "accept interfaces that do not exist yet at start; one that comes back works without it",
        )
        .or("off")
        .alone("on")
        .supported(),
        keyword("disable_local_igmp", "", Flag, "turn off IGMP reports for 224.0.0.0/24").supported(),
        keyword(
            "lvs_sync_daemon",
            "IF [[inst] VRRP] [id N] [maxlen N] [port N] [ttl N] [group ADDR]",
            Text,
            "IPVS connection sync daemon, following a VRRP instance if named",
        )
        .supported()
        .or("none; id = VRID or 0; port 8848; group 224.0.0.81")
        .expected(),
        keyword("lvs_timeouts", "[tcp N] [tcpfin N] [udp N]", Text, "IPVS timeouts")
            .supported()
            .or("unchanged"),
        keyword("lvs_flush", "", Flag, "clear the IPVS table at start").supported(),
        keyword(
            "lvs_flush_on_stop",
            "[VS]",
            OneOf(&["VS"]),
            "flush (or delete per VS) at stop instead of one by one",
        )
        .supported()
        .or("off")
        .alone("all"),
        keyword("lvs_flush_onstop", "[VS]", OneOf(&["VS"]), "as lvs_flush_on_stop")
            .supported()
            .alone("all")
            .same_as("lvs_flush_on_stop"),
        keyword("vrrp_mcast_group4", "ADDR", Address, "IPv4 advert destination")
            .or("224.0.0.18")
            .required()
            .supported(),
        keyword("vrrp_mcast_group6", "ADDR", Address, "IPv6 advert destination")
            .or("ff02::12")
            .required()
            .supported(),
        keyword("vrrp_garp_master_delay", "SECS", Integer(0, 4294), "delay of the second ARP/NA burst")
            .or("5")
            .required()
            .supported(),
        keyword("vrrp_garp_master_repeat", "N", Integer(0, 4_294_967_295), "burst size")
            .or("5")
            .required()
            .supported(),
        keyword(
            "vrrp_garp_lower_prio_delay",
            "SECS",
            Integer(0, 4294),
            "delay of the second burst after a lower priority advert",
        )
        .required()
        .inherits(&[("global_defs", "vrrp_garp_master_delay")])
        .or("5")
        .supported(),
        keyword(
            "vrrp_garp_lower_prio_repeat",
            "N",
            Integer(0, 4_294_967_295),
            "burst size after a lower priority advert",
        )
        .required()
        .inherits(&[("global_defs", "vrrp_garp_master_repeat")])
        .or("5")
        .supported(),
        keyword("vrrp_garp_master_refresh", "SECS", Integer(0, 4_294_967_295), "periodic refresh")
            .or("0")
            .required()
            .supported(),
        keyword("vrrp_garp_master_refresh_repeat", "N", Integer(0, 4_294_967_295), "refresh burst size")
            .or("1")
            .required()
            .supported(),
        keyword("vrrp_garp_interval", "SECS", Seconds(1, 4_294_967_295), "gap between ARPs on an interface")
            .supported()
            .or("0")
            .required(),
        keyword("vrrp_gna_interval", "SECS", Seconds(1, 4_294_967_295), "gap between NAs on an interface")
            .supported()
            .or("0")
            .required(),
        keyword("vrrp_min_garp", "[BOOL]", Boolean, "one ARP/NA, no second burst").or("off").supported(),
        keyword(
            "vrrp_garp_extra_if",
            "[all] SECS",
            Text,
            "periodic ARP/NA on other VIP interfaces (VMACs only unless all)",
        )
        .supported()
        .or("0"),
        keyword("vrrp_vmac_garp_intvl", "[all] SECS", Text, "as vrrp_garp_extra_if")
            .outdated("vrrp_garp_extra_if")
            .same_as("vrrp_garp_extra_if"),
        keyword("vrrp_down_timer_adverts", "N", Integer(1, 100), "default down_timer_adverts")
            .or("3")
            .required()
            .supported(),
        keyword("vrrp_lower_prio_no_advert", "[BOOL]", Boolean, "default lower_prio_no_advert")
            .supported()
            .or("off"),
        keyword("vrrp_higher_prio_send_advert", "[BOOL]", Boolean, "default higher_prio_send_advert")
            .supported()
            .or("off"),
        keyword("vrrp_owner_ignore_adverts", "[BOOL]", Boolean, "default owner_ignore_adverts")
            .supported()
            .or("off")
            .since("2.2.8 or later"),
        keyword("vrrp_version", "2|3", Integer(2, 3), "default version for IPv4")
            .or("2")
            .supported()
            .required(),
        keyword("v3_checksum_as_v2", "", Flag, "default v3_checksum_as_v2").supported().since("2.2.8"),
        keyword("vrrp_check_unicast_src", "", Flag, "default check_unicast_src").supported(),
        keyword("vrrp_skip_check_adv_addr", "[BOOL]", Boolean, "default skip_check_adv_addr")
            .supported()
            .or("off"),
        keyword("vrrp_strict", "[BOOL]", Boolean, "default strict_mode").supported().or("off"),
        keyword("vrrp_notify_priority_changes", "[BOOL]", Boolean, "priority events on FIFOs")
            .supported()
            .or("off"),
        keyword("vrrp_startup_delay", "SECS", Seconds(1_000, 4_294_967_295), "delay VRRP after start")
            .supported()
            .or("0")
            .required(),
        keyword(
            "vrrp_delay_after_boot",
            "SECS",
            Seconds(1_000, 4_294_967_295),
            "delay VRRP until this uptime (larger of the two applies)",
        )
        .supported()
        .or("0")
        .expected()
        .since("2.2.8 or later"),
        keyword("log_unknown_vrids", "", Flag, "log adverts for VRIDs not configured on the interface")
            .supported(),
        keyword("vmac_prefix", "STRING", Text, "prefix of generated VMAC names")
            .or("vrrp")
            .required()
            .supported(),
        keyword("vmac_addr_prefix", "STRING", Text, "prefix for VMACs of VIPs on other interfaces")
            .required()
            .inherits(&[("global_defs", "vmac_prefix")])
            .or("vrrp")
            .supported(),
        keyword("vrrp_iptables", "[IN [OUT]]", Text, "use iptables for no_accept and VMAC filtering")
            .or("INPUT OUTPUT when no name")
            .outdated("nftables"),
        keyword("vrrp_ipsets", "[N1 [N2 [N3 [N4 [N5 [N6]]]]]]", Text, "ipsets used with iptables")
            .or("keepalived, keepalived6, keepalived_if6, _igmp, _mld, _nd")
            .outdated("nftables"),
        keyword("nftables", "[TABLE]", Text, "use nftables").or("off").alone("keepalived").supported(),
        keyword("nftables_priority", "N", Integer(-2_147_483_648, 2_147_483_647), "chain priority")
            .or("-1")
            .required()
            .supported(),
        keyword("nftables_counters", "", Flag, "add counters").supported(),
        keyword("nftables_ifindex", "", Flag, "match by interface index").supported(),
        keyword("nftables_ipvs", "[TABLE]", Text, "map virtual_server_groups to fwmarks with nftables")
            .or("off")
            .alone("keepalived_ipvs"),
        keyword("nftables_ipvs_priority", "N", Integer(-2_147_483_648, 2_147_483_647), "chain priority")
            .or("-1")
            .required(),
        keyword("nftables_ipvs_start_fwmark", "N", Integer(1, 4_294_967_295), "first fwmark used")
            .or("1000")
            .required(),
        keyword("notify_fifo", "PATH [USER [[:]GROUP]]", Text, "FIFO for all events").supported().expected(),
        keyword(
            "notify_fifo_script",
            "SCRIPT [USER [[:]GROUP]]",
            Script,
            "reader started with the FIFO path as last argument",
        )
        .supported()
        .expected(),
        keyword("vrrp_notify_fifo", "PATH [USER [[:]GROUP]]", Text, "FIFO for VRRP events")
            .supported()
            .expected(),
        keyword("vrrp_notify_fifo_script", "SCRIPT [USER [[:]GROUP]]", Script, "its reader")
            .supported()
            .expected(),
        keyword("lvs_notify_fifo", "PATH [USER [[:]GROUP]]", Text, "FIFO for checker events")
            .supported()
            .expected(),
        keyword("lvs_notify_fifo_script", "SCRIPT [USER [[:]GROUP]]", Script, "its reader")
            .supported()
            .expected(),
        keyword(
            "fifo_write_vrrp_states_on_reload",
            "",
            Flag,
            "repeat states of groups and of instances in BACKUP or FAULT on the FIFO after a reload",
        )
        .supported(),
        keyword("max_auto_priority", "[N]", Integer(-1, 99), "ceiling for automatic real-time priority")
            .supported()
            .or("0")
            .alone("99"),
        keyword(
            "min_auto_priority_delay",
            "USECS",
            Integer(1, 10000000),
            "lateness that triggers a priority increase",
        )
        .supported()
        .or("1000000")
        .expected(),
        keyword("vrrp_priority", "N", Integer(-20, 19), "nice value of the child")
            .supported()
            .or("0")
            .expected(),
        keyword("checker_priority", "N", Integer(-20, 19), "nice value of the child")
            .supported()
            .or("0")
            .expected(),
        keyword("bfd_priority", "N", Integer(-20, 19), "nice value of the child").or("0").expected(),
        keyword("vrrp_rt_priority", "N", Integer(1, 99), "SCHED_RR priority of the child")
            .supported()
            .expected(),
        keyword("checker_rt_priority", "N", Integer(1, 99), "SCHED_RR priority of the child")
            .supported()
            .expected(),
        keyword("bfd_rt_priority", "N", Integer(1, 99), "SCHED_RR priority of the child").expected(),
        keyword("vrrp_no_swap", "", Flag, "lock the child's memory").supported(),
        keyword("checker_no_swap", "", Flag, "lock the child's memory").supported(),
        keyword("bfd_no_swap", "", Flag, "lock the child's memory"),
        keyword("vrrp_cpu_affinity", "CPU…", Text, "CPU set of the child").supported().or("all").expected(),
        keyword("checker_cpu_affinity", "CPU…", Text, "CPU set of the child")
            .supported()
            .or("all")
            .expected(),
        keyword("bfd_cpu_affinity", "CPU…", Text, "CPU set of the child").or("all").expected(),
        keyword(
            "vrrp_rlimit_rttime",
            "USECS",
            Integer(2, 18_446_744_073_709),
            "CPU time limit while real-time",
        )
        .supported()
        .or("10000")
        .required(),
        keyword(
            "checker_rlimit_rttime",
            "USECS",
            Integer(2, 18_446_744_073_709),
            "CPU time limit while real-time",
        )
        .supported()
        .or("10000")
        .required(),
        keyword(
            "bfd_rlimit_rttime",
            "USECS",
            Integer(2, 18_446_744_073_709),
            "CPU time limit while real-time",
        )
        .or("10000")
        .required(),
        keyword("vrrp_rlimit_rtime", "USECS", Integer(2, 18_446_744_073_709), "as *_rlimit_rttime")
            .supported()
            .required()
            .same_as("vrrp_rlimit_rttime"),
        keyword("checker_rlimit_rtime", "USECS", Integer(2, 18_446_744_073_709), "as *_rlimit_rttime")
            .supported()
            .required()
            .same_as("checker_rlimit_rttime"),
        keyword("bfd_rlimit_rtime", "USECS", Integer(2, 18_446_744_073_709), "as *_rlimit_rttime")
            .required()
            .same_as("bfd_rlimit_rttime"),
        keyword("snmp_socket", "STRING", Text, "AgentX master socket")
            .or("unix:/var/agentx/master")
            .supported()
            .expected(),
        keyword("enable_snmp_vrrp", "", Flag, "VRRP part of the keepalived MIB").supported(),
        keyword("enable_snmp_keepalived", "", Flag, "as enable_snmp_vrrp")
            .supported()
            .same_as("enable_snmp_vrrp"),
        keyword("enable_snmp_checker", "", Flag, "checker part of the MIB").supported(),
        keyword("enable_snmp_rfc", "", Flag, "RFC2787 and RFC6527 MIBs").supported(),
        keyword("enable_snmp_rfcv2", "", Flag, "RFC2787 MIB").supported(),
        keyword("enable_snmp_rfcv3", "", Flag, "RFC6527 MIB").supported(),
        keyword("snmp_compat", "", Flag, "indexes and notifications in SNMP as keepalived has them")
            .since("Steadfast")
            .supported(),
        keyword("snmp_context", "NAME", Text, "SNMP context that the MIB is served in")
            .or("the default context")
            .expected()
            .since("Steadfast")
            .supported(),
        keyword("snmp_set", "", Flag, "lets managers change what the MIB says can be written (SNMP SET)")
            .since("Steadfast")
            .supported(),
        keyword(
            "transition_journal",
            "PATH | none",
            Text,
            "file that keeps the notifications that the AgentX master, or a target of snmp_notify, has not taken yet",
        )
        .or("the pid file's name with .transitions behind it, with enable_traps or snmp_notify")
        .expected()
        .since("Steadfast")
        .supported(),
        keyword("transition_journal_size", "KIB", Integer(64, 262_144), "its size; the oldest give way")
            .or("4096")
            .expected()
            .since("Steadfast")
            .supported(),
        keyword(
            "control_socket",
            "PATH | none",
            Text,
            "socket that `steadfast ctl` talks to the daemon over",
        )
        .or("the pid file's name with .sock in the place of .pid")
        .expected()
        .since("Steadfast")
        .supported(),
        keyword(
            "control_group",
            "GROUP",
            Text,
            "group whose members may use the control socket, beside root",
        )
        .or("root alone")
        .expected()
        .since("Steadfast")
        .supported(),
        keyword("enable_traps", "", Flag, "SNMP traps").supported(),
        keyword(
            "snmp_vs_stats_update_interval",
            "SECS",
            Seconds(1_000, 30_000_000),
            "age limit of cached VS statistics",
        )
        .supported()
        .or("5")
        .expected()
        .since("2.3.0"),
        keyword(
            "snmp_rs_stats_update_interval",
            "SECS",
            Seconds(1_000, 30_000_000),
            "age limit of cached RS statistics",
        )
        .supported()
        .expected()
        .inherits(&[("global_defs", "snmp_vs_stats_update_interval")])
        .or("5")
        .since("2.3.0"),
        keyword("enable_dbus", "", Flag, "D-Bus interface").supported(),
        keyword("dbus_service_name", "NAME", Text, "bus name")
            .or("org.keepalived.Vrrp1")
            .supported()
            .expected(),
        keyword("dbus_no_interface_name", "NAME", Text, "path element for instances without interface")
            .supported()
            .expected()
            .since("2.2.8 or later"),
        keyword("vrrp_netlink_cmd_rcv_bufs", "BYTES", Integer(0, 4_294_967_295), "netlink receive buffers")
            .supported()
            .or("kernel")
            .expected(),
        keyword(
            "vrrp_netlink_monitor_rcv_bufs",
            "BYTES",
            Integer(0, 4_294_967_295),
            "netlink receive buffers",
        )
        .supported()
        .or("kernel")
        .expected(),
        keyword("lvs_netlink_cmd_rcv_bufs", "BYTES", Integer(0, 4_294_967_295), "netlink receive buffers")
            .supported()
            .or("kernel")
            .expected(),
        keyword(
            "lvs_netlink_monitor_rcv_bufs",
            "BYTES",
            Integer(0, 4_294_967_295),
            "netlink receive buffers",
        )
        .supported()
        .or("kernel")
        .expected(),
        keyword("process_monitor_rcv_bufs", "BYTES", Integer(0, 4_294_967_295), "netlink receive buffers")
            .supported()
            .or("kernel")
            .expected(),
        keyword("vrrp_netlink_cmd_rcv_bufs_force", "[BOOL]", Boolean, "exceed rmem_max with SO_RCVBUFFORCE")
            .supported()
            .or("off"),
        keyword(
            "vrrp_netlink_monitor_rcv_bufs_force",
            "[BOOL]",
            Boolean,
            "exceed rmem_max with SO_RCVBUFFORCE",
        )
        .supported()
        .or("off"),
        keyword("lvs_netlink_cmd_rcv_bufs_force", "[BOOL]", Boolean, "exceed rmem_max with SO_RCVBUFFORCE")
            .supported()
            .or("off"),
        keyword(
            "lvs_netlink_monitor_rcv_bufs_force",
            "[BOOL]",
            Boolean,
            "exceed rmem_max with SO_RCVBUFFORCE",
        )
        .supported()
        .or("off"),
        keyword("process_monitor_rcv_bufs_force", "[BOOL]", Boolean, "exceed rmem_max with SO_RCVBUFFORCE")
            .supported()
            .or("off"),
        keyword("vrrp_rx_bufs_policy", "MTU | ADVERT | BYTES", Text, "VRRP socket receive buffer")
            .supported()
            .or("kernel default")
            .expected(),
        keyword("vrrp_rx_bufs_multiplier", "N", Integer(1, 4_294_967_295), "multiplier for the policy")
            .supported()
            .or("3")
            .expected(),
        keyword("umask", "N | BIT|BIT…", Text, "umask").supported().required().or("0177"),
        keyword("random_seed", "N", Integer(0, 4_294_967_295), "seed of ${_RANDOM}")
            .supported()
            .or("time")
            .required(),
        keyword("tmp_config_directory", "DIR", Text, "where the consolidated configuration is kept")
            .supported()
            .or("memory file")
            .expected(),
        keyword("config_save_dir", "DIR", Text, "save configurations around reloads for debugging")
            .supported()
            .required(),
        keyword("reload_check_config", "[LOGFILE]", Text, "test the new configuration before reloading")
            .supported()
            .or("off")
            .alone("/dev/null"),
        keyword(
            "include_check",
            "[[+|-]readable(read) match wildcard_match brace_match]",
            Text,
            "which missing includes are errors",
        )
        .supported(),
        keyword("reload_time_file", "PATH", Text, "scheduled reload").supported().expected(),
        keyword("reload_repeat", "", Flag, "keep the time file").supported(),
        keyword("reload_file", "[PATH]", Text, "marker file present while the configuration is read")
            .supported()
            .or("off")
            .alone("keepalived.reload"),
        keyword("data_use_instance", "[BOOL]", Boolean, "instance and namespace in dump file names")
            .supported()
            .or("off"),
        keyword("state_dump_file", "PATH", Text, "SIGUSR1 output")
            .supported()
            .or("/tmp/keepalived.data")
            .expected()
            .since("2.2.8 or later"),
        keyword("stats_dump_file", "PATH", Text, "SIGUSR2 output")
            .supported()
            .or("/tmp/keepalived.stats")
            .expected()
            .since("2.2.8 or later"),
        keyword("json_dump_file", "PATH", Text, "JSON output")
            .supported()
            .or("/tmp/keepalived.json")
            .expected()
            .since("2.2.8 or later"),
        keyword("json_version", "1|2", Integer(1, 2), "2: named array plus track_process details")
            .supported()
            .or("1")
            .expected()
            .since("2.2.8 or later"),
        keyword("iproute_usr_dir", "DIR", Text, "iproute2 tables (vendor)")
            .supported()
            .or("build default")
            .expected()
            .since("2.2.8 or later"),
        keyword("iproute_etc_dir", "DIR", Text, "iproute2 tables (local)")
            .supported()
            .or("/etc/iproute2")
            .expected()
            .since("2.2.8 or later"),
    ],
    shared: &[],
    defaults: &[],
});
