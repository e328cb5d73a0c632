//! Words of `global_defs` that count from the start of the program to its end: a reload keeps what was.

use crate::config::Global;

/// Says which words these are, and keeps their values.
macro_rules! fixed {
    ($($word:ident)*) => {
        /// The words.
        pub const FIXED: &[&str] = &[$(stringify!($word)),*];

        /// Gives `new` the values of `old` for these words. Returns those that would have another one.
        pub fn keep_fixed(new: &mut Global, old: &Global) -> Vec<&'static str> {
            let mut kept = Vec::new();
            $(if new.settings.$word != old.settings.$word {
                new.settings.$word.clone_from(&old.settings.$word);
                kept.push(stringify!($word));
            })*
            kept
        }
    };
}

fixed! {
    startup_script startup_script_timeout shutdown_script shutdown_script_timeout
    disable_local_igmp lvs_sync_daemon
    nftables nftables_priority nftables_counters nftables_ifindex
    vrrp_priority vrrp_rt_priority vrrp_no_swap vrrp_cpu_affinity vrrp_rlimit_rttime
    max_auto_priority min_auto_priority_delay
    transition_journal transition_journal_size
    control_socket control_group
    vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force
    vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
    process_monitor_rcv_bufs process_monitor_rcv_bufs_force
    process_names process_name vrrp_process_name
    umask
}
