//! The words of `vrrp_instance`.

use super::{
    Block, NO_OPTIONS, Table,
    Value::{Address, Body, Boolean, Flag, Integer, Interface, Lines, OneOf, Script, Seconds, Text},
    address_line, keyword, route_line, rule_line,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "vrrp_instance",
    keywords: &[
        keyword(
            "state",
            "MASTER|BACKUP",
            OneOf(&["MASTER", "BACKUP"]),
            "wanted initial state; only shortens the first wait unless priority is 255",
        )
        .or("BACKUP; MASTER if priority 255")
        .supported()
        .required(),
        keyword("interface", "IF", Interface, "interface adverts use and VIPs default to")
            .supported()
            .required(),
        keyword("vrf", "IF", Interface, "VRF that a unicast instance without interface works in")
            .supported()
            .required(),
        keyword(
            "virtual_router_id",
            "N",
            Integer(1, 255),
            "VRID; must be unique per interface, family and destination",
        )
        .supported()
        .required(),
        keyword("priority", "N", Integer(1, 255), "base priority; 255 = address owner")
            .or("100; 255 if state MASTER and no priority")
            .supported()
            .required(),
        keyword("advert_int", "SECS", Seconds(10_000, 255_000_000), "advertisement interval")
            .or("1")
            .supported()
            .required(),
        keyword("version", "2|3", Integer(2, 3), "VRRP version")
            .supported()
            .required()
            .inherits(&[("global_defs", "vrrp_version")])
            .or("2"),
        keyword("native_ipv6", "", Flag, "force IPv6 and version 3").supported(),
        keyword("authentication", "", Body(&AUTHENTICATION), "RFC2338 authentication").supported(),
        keyword("auth_hmac", "", Body(&AUTH_HMAC), "HMAC-SHA256 trailer on adverts, v2 and v3")
            .since("2.4")
            .supported(),
        keyword("virtual_ipaddress", "{ address lines }", Lines(&address_line::OPTIONS), "VIPs, advertised")
            .supported(),
        keyword(
            "virtual_ipaddress_excluded",
            "{ address lines }",
            Lines(&address_line::OPTIONS),
            "VIPs not put in adverts",
        )
        .supported(),
        keyword("no_virtual_ipaddress", "", Flag, "allow an instance (also v3) without VIPs")
            .since("2.2.8 or later")
            .supported(),
        keyword("promote_secondaries", "", Flag, "set the interface's promote_secondaries sysctl")
            .supported(),
        keyword(
            "virtual_routes",
            "{ route lines }",
            Lines(&route_line::OPTIONS),
            "routes present only while MASTER",
        )
        .supported(),
        keyword(
            "virtual_rules",
            "{ rule lines }",
            Lines(&rule_line::OPTIONS),
            "rules present only while MASTER",
        )
        .supported(),
        keyword(
            "use_vmac",
            "[[name] IFNAME] [MAC] [netlink_notify_msg] [group G]",
            Text,
            "put adverts and VIPs on a private macvlan with the virtual MAC",
        )
        .or("off; name vrrp.VRID; MAC 00:00:5e:00:01|02:VRID")
        .supported(),
        keyword(
            "use_vmac_addr",
            "",
            Flag,
            "also create VMACs for VIPs on other interfaces or of the other family",
        )
        .supported(),
        keyword("vmac_xmit_base", "", Flag, "send/receive adverts on the parent interface").supported(),
        keyword(
            "use_ipvlan",
            "[[name] IFNAME] [ADDR] [bridge|private|vepa] [group G]",
            Text,
            "use an L2 ipvlan instead of a macvlan",
        )
        .or("off; bridge")
        .supported(),
        keyword("dont_track_primary", "", Flag, "ignore state of the instance's own interface").supported(),
        keyword("linkbeat_use_polling", "", Flag, "poll link state of the interface")
            .outdated("linkbeat_interfaces at the top level"),
        keyword("track_interface", "{ IF [weight N [reverse]] }", Lines(&NO_OPTIONS), "interfaces to track")
            .supported()
            .or("weight 0"),
        keyword(
            "track_script",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "scripts to track",
        )
        .or("script's weight")
        .supported(),
        keyword(
            "track_file",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "files to track",
        )
        .supported()
        .or("file's weight"),
        keyword(
            "track_process",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "processes to track",
        )
        .supported()
        .or("process's weight"),
        keyword(
            "track_bfd",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "BFD sessions to track",
        )
        .until("BFD sessions run")
        .or("bfd's weight"),
        keyword("mcast_src_ip", "ADDR", Address, "source address of adverts")
            .or("primary address of interface")
            .supported()
            .required(),
        keyword("unicast_src_ip", "ADDR", Address, "source address of adverts")
            .or("primary address of interface")
            .supported()
            .required(),
        keyword("mcast_dst_ip", "ADDR", Address, "destination group")
            .required()
            .or("vrrp_mcast_group4 or vrrp_mcast_group6")
            .supported(),
        keyword("track_src_ip", "", Flag, "FAULT while the configured source address is missing").supported(),
        keyword(
            "unicast_peer",
            "{ ADDR [min_ttl N] [max_ttl N] }",
            Lines(&NO_OPTIONS),
            "send adverts to these addresses instead of multicast",
        )
        .or("multicast")
        .supported(),
        keyword(
            "unicast_fault_no_peer",
            "",
            Flag,
            "FAULT instead of multicast when unicast is configured without peers",
        )
        .supported(),
        keyword("check_unicast_src", "", Flag, "drop adverts from addresses that are not peers")
            .supported()
            .inherits(&[("global_defs", "vrrp_check_unicast_src")])
            .or("off"),
        keyword("unicast_ttl", "N", Integer(0, 255), "TTL/hop limit of sent unicast adverts")
            .supported()
            .or("255 for IPv4, kernel default for IPv6")
            .required(),
        keyword(
            "old_unicast_checksum",
            "[never]",
            OneOf(&["never"]),
            "pre-1.3.7 VRRPv3 unicast checksum compatibility",
        )
        .supported()
        .or("auto-detect")
        .alone("always"),
        keyword(
            "v3_checksum_as_v2",
            "[BOOL]",
            Boolean,
            "omit the pseudo header from the VRRPv3 IPv4 checksum",
        )
        .supported()
        .inherits(&[("global_defs", "v3_checksum_as_v2")])
        .or("off")
        .since("2.2.8"),
        keyword(
            "garp_master_delay",
            "SECS",
            Integer(0, 4294),
            "delay before the second ARP/NA burst; 0 = none",
        )
        .supported()
        .required()
        .inherits(&[("global_defs", "vrrp_garp_master_delay")])
        .or("5"),
        keyword("garp_master_repeat", "N", Integer(0, 4_294_967_295), "messages per burst")
            .supported()
            .required()
            .inherits(&[("global_defs", "vrrp_garp_master_repeat")])
            .or("5"),
        keyword(
            "garp_master_refresh",
            "SECS",
            Integer(0, 4_294_967_295),
            "periodic ARP/NA while MASTER; 0 = none",
        )
        .supported()
        .required()
        .inherits(&[("global_defs", "vrrp_garp_master_refresh")])
        .or("0"),
        keyword("garp_master_refresh_repeat", "N", Integer(0, 4_294_967_295), "messages per periodic burst")
            .supported()
            .required()
            .inherits(&[("global_defs", "vrrp_garp_master_refresh_repeat")])
            .or("1"),
        keyword(
            "garp_lower_prio_delay",
            "SECS",
            Integer(0, 4294),
            "second burst delay after a lower priority advert",
        )
        .required()
        .inherits(&[("global_defs", "vrrp_garp_lower_prio_delay"), ("global_defs", "vrrp_garp_master_delay")])
        .or("5")
        .supported(),
        keyword(
            "garp_lower_prio_repeat",
            "N",
            Integer(0, 4_294_967_295),
            "burst size after a lower priority advert",
        )
        .required()
        .inherits(&[
            ("global_defs", "vrrp_garp_lower_prio_repeat"),
            ("global_defs", "vrrp_garp_master_repeat"),
        ])
        .or("5")
        .supported(),
        keyword("garp_extra_if", "[all] SECS", Text, "periodic ARP/NA on other VIP interfaces")
            .supported()
            .inherits(&[("global_defs", "vrrp_garp_extra_if")])
            .or("0"),
        keyword("vmac_garp_intvl", "[all] SECS", Text, "as garp_extra_if")
            .outdated("garp_extra_if")
            .same_as("garp_extra_if"),
        keyword("down_timer_adverts", "N", Integer(1, 100), "advert intervals in the master-down timer")
            .required()
            .inherits(&[("global_defs", "vrrp_down_timer_adverts")])
            .or("3")
            .supported(),
        keyword(
            "timer_expired_backup",
            "[PRIO]",
            Integer(1, 254),
            "go to BACKUP if the process was stalled so long that a peer must have taken over",
        )
        .supported()
        .or("off")
        .alone("254")
        .since("2.2.8 or later"),
        keyword("thread_timer_expired", "[PRIO]", Integer(1, 254), "as timer_expired_backup")
            .supported()
            .alone("254")
            .since("2.2.8 or later")
            .same_as("timer_expired_backup"),
        keyword("lower_prio_no_advert", "[BOOL]", Boolean, "do not answer a lower priority advert")
            .supported()
            .inherits(&[("global_defs", "vrrp_lower_prio_no_advert")])
            .or("off"),
        keyword(
            "higher_prio_send_advert",
            "[BOOL]",
            Boolean,
            "send one advert before yielding to a higher priority master",
        )
        .supported()
        .inherits(&[("global_defs", "vrrp_higher_prio_send_advert")])
        .or("off"),
        keyword("owner_ignore_adverts", "[BOOL]", Boolean, "address owner ignores received adverts")
            .supported()
            .inherits(&[("global_defs", "vrrp_owner_ignore_adverts")])
            .or("off")
            .since("2.2.8 or later"),
        keyword("preempt", "", Flag, "clears nopreempt").or("on").supported(),
        keyword("nopreempt", "", Flag, "do not take over from a lower priority master").supported(),
        keyword(
            "preempt_delay",
            "SECS",
            Seconds(0, 1_000_000_000),
            "wait before preempting a lower priority master",
        )
        .or("0")
        .supported()
        .required(),
        keyword("accept", "", Flag, "accept packets to VIPs when not owner")
            .supported()
            .or("on; off in strict mode unless 255"),
        keyword("no_accept", "", Flag, "drop packets addressed to VIPs (firewall rules)").supported(),
        keyword(
            "skip_check_adv_addr",
            "[BOOL]",
            Boolean,
            "do not compare VIPs in adverts from the already known master",
        )
        .supported()
        .inherits(&[("global_defs", "vrrp_skip_check_adv_addr")])
        .or("off"),
        keyword("strict_mode", "[BOOL]", Boolean, "enforce RFC behaviour")
            .supported()
            .inherits(&[("global_defs", "vrrp_strict")])
            .or("off"),
        keyword("debug", "N", Integer(0, 4), "a level that nothing goes by, in keepalived neither")
            .supported()
            .or("0")
            .required(),
        keyword("notify_master", "SCRIPT [USER [[:]GROUP]]", Script, "run on becoming MASTER")
            .supported()
            .required(),
        keyword("notify_backup", "SCRIPT [USER [[:]GROUP]]", Script, "run on becoming BACKUP")
            .supported()
            .required(),
        keyword("notify_fault", "SCRIPT [USER [[:]GROUP]]", Script, "run on entering FAULT")
            .supported()
            .required(),
        keyword("notify_stop", "SCRIPT [USER [[:]GROUP]]", Script, "run at shutdown").supported().required(),
        keyword(
            "notify_deleted",
            "[SCRIPT [USER [[:]GROUP]]]",
            Script,
            "report DELETED when a reload removes the instance, optional script",
        )
        .or("FAULT is reported")
        .supported(),
        keyword(
            "notify",
            "SCRIPT [USER [[:]GROUP]]",
            Script,
            "run on every change with INSTANCE, name, state, priority appended",
        )
        .supported()
        .required(),
        keyword(
            "notify_master_rx_lower_pri",
            "SCRIPT [USER [[:]GROUP]]",
            Script,
            "run when a MASTER receives a lower priority advert",
        )
        .supported()
        .required(),
        keyword("notify_priority_changes", "[BOOL]", Boolean, "write priority changes to the FIFOs")
            .supported()
            .inherits(&[("global_defs", "vrrp_notify_priority_changes")])
            .or("off"),
        keyword("smtp_alert", "[BOOL]", Boolean, "mail on state changes")
            .supported()
            .inherits(&[("global_defs", "smtp_alert_vrrp"), ("global_defs", "smtp_alert")])
            .or("off"),
        keyword(
            "lvs_sync_daemon_interface",
            "IF",
            Interface,
            "IPVS connection sync on IF following this instance",
        )
        .required()
        .outdated("lvs_sync_daemon in global_defs"),
        keyword("kernel_rx_buf_size", "BYTES", Integer(0, 4_294_967_295), "receive socket buffer")
            .supported()
            .or("vrrp_rx_bufs_policy")
            .expected(),
    ],
    shared: &[],
    defaults: &[],
});

static AUTHENTICATION: Block = Block::new(Table {
    name: "authentication",
    keywords: &[
        keyword("auth_type", "PASS|AH", OneOf(&["PASS", "AH"]), "authentication kind").supported().required(),
        keyword("auth_pass", "STRING", Text, "shared secret").secret().supported().required(),
    ],
    shared: &[],
    defaults: &[],
});

static AUTH_HMAC: Block = Block::new(Table {
    name: "auth_hmac",
    keywords: &[
        keyword("key", "ID VALUE", Text, "a signing/verification key")
            .secret()
            .expected()
            .since("2.4")
            .supported(),
        keyword("active_key", "ID", Integer(1, 255), "key used for sending")
            .expected()
            .since("2.4")
            .supported(),
        keyword("anti_replay", "time|monotonic", OneOf(&["time", "monotonic"]), "replay protection mode; with `monotonic` a router that has restarted believes old recordings until it hears the sender")
            .or("time")
            .expected()
            .since("2.4")
            .supported(),
        keyword("time_window", "SECS", Integer(1, 300), "accepted clock difference in time mode")
            .or("max(3 × advert_int, 5), at most 300")
            .expected()
            .since("2.4")
            .supported(),
        keyword(
            "mode",
            "enforce|permissive|receive-only",
            OneOf(&["enforce", "permissive", "receive-only"]),
            "migration behaviour",
        )
        .or("enforce")
        .expected()
        .since("2.4")
        .supported(),
    ],
    shared: &[],
    defaults: &[],
});
