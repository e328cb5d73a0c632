//! `vrrp_instance` and its blocks.

use super::{AuthHmac, CommandLine, DeletedNotice, Effective, ExtraGarp, Words, section};

section! {
    /// `vrrp_instance`.
    InstanceSettings of "vrrp_instance" {
        vrf: Option<Box<str>> = "vrf",
        auth_hmac: Option<Box<AuthHmac>> = "auth_hmac",
        no_virtual_ipaddress: bool = "no_virtual_ipaddress",
        promote_secondaries: bool = "promote_secondaries",
        use_vmac: Option<Words> = "use_vmac",
        use_vmac_addr: bool = "use_vmac_addr",
        vmac_xmit_base: bool = "vmac_xmit_base",
        use_ipvlan: Option<Words> = "use_ipvlan",
        dont_track_primary: bool = "dont_track_primary",
        linkbeat_use_polling: bool = "linkbeat_use_polling",
        track_src_ip: bool = "track_src_ip",
        unicast_fault_no_peer: bool = "unicast_fault_no_peer",
        check_unicast_src: Effective<bool> = "check_unicast_src",
        unicast_ttl: Option<u8> = "unicast_ttl",
        old_unicast_checksum: Option<&'static str> = "old_unicast_checksum",
        v3_checksum_as_v2: Effective<bool> = "v3_checksum_as_v2",
        garp_extra_if: Effective<ExtraGarp> = "garp_extra_if" | "vmac_garp_intvl",
        down_timer_adverts: Effective<u8> = "down_timer_adverts",
        timer_expired_backup: Option<u8> = "timer_expired_backup" | "thread_timer_expired",
        lower_prio_no_advert: Effective<bool> = "lower_prio_no_advert",
        higher_prio_send_advert: Effective<bool> = "higher_prio_send_advert",
        owner_ignore_adverts: Effective<bool> = "owner_ignore_adverts",
        accept: bool = "accept",
        no_accept: bool = "no_accept",
        skip_check_adv_addr: Effective<bool> = "skip_check_adv_addr",
        strict_mode: Effective<bool> = "strict_mode",
        debug: Effective<u8> = "debug",
        notify_deleted: Option<DeletedNotice> = "notify_deleted",
        notify_master_rx_lower_pri: Option<Box<CommandLine>> = "notify_master_rx_lower_pri",
        notify_priority_changes: Effective<bool> = "notify_priority_changes",
        smtp_alert: Effective<bool> = "smtp_alert",
        lvs_sync_daemon_interface: Option<Box<str>> = "lvs_sync_daemon_interface",
        kernel_rx_buf_size: Option<u32> = "kernel_rx_buf_size",
    }
    resolved {
        "state" | "interface" | "virtual_router_id" | "priority" | "advert_int" | "version" | "native_ipv6"
            | "authentication" | "virtual_ipaddress" | "virtual_ipaddress_excluded" | "virtual_routes"
            | "virtual_rules" | "mcast_src_ip" | "unicast_src_ip" | "mcast_dst_ip" | "unicast_peer" | "preempt"
            | "nopreempt" | "preempt_delay" | "notify_master" | "notify_backup" | "notify_fault" | "notify_stop"
            | "notify" | "garp_master_delay" | "garp_master_repeat" | "garp_master_refresh"
            | "garp_master_refresh_repeat" | "garp_lower_prio_delay" | "garp_lower_prio_repeat" | "track_interface"
            | "track_script" | "track_file" | "track_process" | "track_bfd"
    }
}
