//! `vrrp_instance` and its blocks.

use std::{net::IpAddr, time::Duration};

use super::{CommandLine, Entry, Secret, Track, Words, section};

section! {
    /// `vrrp_instance`.
    InstanceSettings of "vrrp_instance" {
        state: Option<&'static str> = "state",
        interface: Option<Box<str>> = "interface",
        vrf: Option<Box<str>> = "vrf",
        virtual_router_id: Option<u8> = "virtual_router_id",
        priority: Option<u8> = "priority",
        advert_int: Option<Duration> = "advert_int",
        version: Option<u8> = "version",
        native_ipv6: bool = "native_ipv6",
        authentication: Option<Box<Authentication>> = "authentication",
        auth_hmac: Option<Box<AuthHmac>> = "auth_hmac",
        virtual_ipaddress: Vec<Entry> = "virtual_ipaddress",
        virtual_ipaddress_excluded: Vec<Entry> = "virtual_ipaddress_excluded",
        no_virtual_ipaddress: bool = "no_virtual_ipaddress",
        promote_secondaries: bool = "promote_secondaries",
        virtual_routes: Vec<Entry> = "virtual_routes",
        virtual_rules: Vec<Entry> = "virtual_rules",
        use_vmac: Option<Words> = "use_vmac",
        use_vmac_addr: bool = "use_vmac_addr",
        vmac_xmit_base: bool = "vmac_xmit_base",
        use_ipvlan: Option<Words> = "use_ipvlan",
        dont_track_primary: bool = "dont_track_primary",
        linkbeat_use_polling: bool = "linkbeat_use_polling",
        track_interface: Vec<Track> = "track_interface",
        track_script: Vec<Track> = "track_script",
        track_file: Vec<Track> = "track_file",
        track_process: Vec<Track> = "track_process",
        track_bfd: Vec<Track> = "track_bfd",
        mcast_src_ip: Option<IpAddr> = "mcast_src_ip",
        unicast_src_ip: Option<IpAddr> = "unicast_src_ip",
        mcast_dst_ip: Option<IpAddr> = "mcast_dst_ip",
        track_src_ip: bool = "track_src_ip",
        unicast_peer: Vec<Entry> = "unicast_peer",
        unicast_fault_no_peer: bool = "unicast_fault_no_peer",
        check_unicast_src: bool = "check_unicast_src",
        unicast_ttl: Option<u8> = "unicast_ttl",
        old_unicast_checksum: Option<&'static str> = "old_unicast_checksum",
        v3_checksum_as_v2: Option<bool> = "v3_checksum_as_v2",
        garp_master_delay: Option<u16> = "garp_master_delay",
        garp_master_repeat: Option<u32> = "garp_master_repeat",
        garp_master_refresh: Option<u16> = "garp_master_refresh",
        garp_master_refresh_repeat: Option<u32> = "garp_master_refresh_repeat",
        garp_lower_prio_delay: Option<u16> = "garp_lower_prio_delay",
        garp_lower_prio_repeat: Option<u32> = "garp_lower_prio_repeat",
        garp_extra_if: Option<Words> = "garp_extra_if" | "vmac_garp_intvl",
        down_timer_adverts: Option<u8> = "down_timer_adverts",
        timer_expired_backup: Option<u8> = "timer_expired_backup" | "thread_timer_expired",
        lower_prio_no_advert: Option<bool> = "lower_prio_no_advert",
        higher_prio_send_advert: Option<bool> = "higher_prio_send_advert",
        owner_ignore_adverts: Option<bool> = "owner_ignore_adverts",
        preempt: bool = "preempt",
        nopreempt: bool = "nopreempt",
        preempt_delay: Option<Duration> = "preempt_delay",
        accept: bool = "accept",
        no_accept: bool = "no_accept",
        skip_check_adv_addr: Option<bool> = "skip_check_adv_addr",
        strict_mode: Option<bool> = "strict_mode",
        debug: Option<u8> = "debug",
        notify_master: Option<Box<CommandLine>> = "notify_master",
        notify_backup: Option<Box<CommandLine>> = "notify_backup",
        notify_fault: Option<Box<CommandLine>> = "notify_fault",
        notify_stop: Option<Box<CommandLine>> = "notify_stop",
        notify_deleted: Option<Box<CommandLine>> = "notify_deleted",
        notify: Option<Box<CommandLine>> = "notify",
        notify_master_rx_lower_pri: Option<Box<CommandLine>> = "notify_master_rx_lower_pri",
        notify_priority_changes: Option<bool> = "notify_priority_changes",
        smtp_alert: Option<bool> = "smtp_alert",
        lvs_sync_daemon_interface: Option<Box<str>> = "lvs_sync_daemon_interface",
        kernel_rx_buf_size: Option<u32> = "kernel_rx_buf_size",
    }
}

section! {
    /// `authentication`.
    Authentication of "authentication" {
        auth_type: Option<&'static str> = "auth_type",
        auth_pass: Option<Secret> = "auth_pass",
    }
}

section! {
    /// `auth_hmac`.
    AuthHmac of "auth_hmac" {
        key: Vec<Secret> = "key",
        active_key: Option<u8> = "active_key",
        anti_replay: Option<&'static str> = "anti_replay",
        time_window: Option<u16> = "time_window",
        mode: Option<&'static str> = "mode",
    }
}
