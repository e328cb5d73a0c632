//! The words of the top level.

use super::{
    Block, NO_OPTIONS, Table,
    Value::{Body, Flag, Integer, Lines, Text},
    address_line, bfd_instance, garp_group, global_defs, keyword, route_line, rule_line, snmp_agent,
    snmp_notify, ssl, track_file, track_group, virtual_server, virtual_server_group, vrrp_instance,
    vrrp_script, vrrp_sync_group, vrrp_track_process,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "the top level",
    keywords: &[
        keyword("global_defs", "", Body(&global_defs::BLOCK), "global settings").supported(),
        keyword("net_namespace", "NAME", Text, "run in a network namespace; pid files go to /run/keepalived")
            .supported()
            .expected(),
        keyword("net_namespace_ipvs", "[NAME]", Text, "namespace for the IPVS configuration only")
            .supported()
            .or("same as net_namespace"),
        keyword(
            "namespace_with_ipsets",
            "",
            Flag,
            "allow ipsets together with a namespace on kernels before 3.13",
        )
        .outdated("nftables"),
        keyword("use_pid_dir", "", Flag, "create pid files in a folder below /run").supported(),
        keyword("instance", "NAME", Text, "name used in pid file names").supported().expected(),
        keyword("linkbeat_use_polling", "", Flag, "poll link state (MII/ethtool/ioctl) instead of netlink")
            .supported(),
        keyword(
            "child_wait_time",
            "SECS",
            Integer(0, 2_147_483_647),
            "how long the parent waits for its children at termination",
        )
        .or("5")
        .supported()
        .required(),
        keyword(
            "track_group",
            "NAME",
            Body(&track_group::BLOCK),
            "named list of VRRP instances that follow static addresses/routes/rules",
        )
        .sole()
        .supported()
        .expected(),
        keyword(
            "static_ipaddress",
            "{ address lines }",
            Lines(&address_line::OPTIONS),
            "addresses configured for the whole run",
        )
        .supported(),
        keyword(
            "static_routes",
            "{ route lines }",
            Lines(&route_line::OPTIONS),
            "routes configured for the whole run",
        )
        .supported(),
        keyword(
            "static_rules",
            "{ rule lines }",
            Lines(&rule_line::OPTIONS),
            "policy rules configured for the whole run",
        )
        .supported(),
        keyword(
            "linkbeat_interfaces",
            "{ IF [MII|ETHTOOL|IOCTL] }",
            Lines(&NO_OPTIONS),
            "interfaces whose link state is polled",
        )
        .or("MII preferred")
        .supported(),
        keyword(
            "interface_up_down_delays",
            "{ IF DOWN [UP] }",
            Lines(&NO_OPTIONS),
            "debounce interface state changes",
        )
        .supported()
        .or("0; UP omitted = 0 in the code (man page says same as DOWN)"),
        keyword("track_file", "NAME", Body(&track_file::BLOCK), "file whose number is monitored")
            .supported()
            .required(),
        keyword("vrrp_track_file", "NAME", Body(&track_file::BLOCK), "as track_file")
            .supported()
            .required()
            .same_as("track_file"),
        keyword("vrrp_script", "NAME", Body(&vrrp_script::BLOCK), "periodically run check")
            .supported()
            .required(),
        keyword("vrrp_track_process", "NAME", Body(&vrrp_track_process::BLOCK), "monitor running processes")
            .supported()
            .required(),
        keyword("bfd_instance", "NAME", Body(&bfd_instance::BLOCK), "BFD session").expected(),
        keyword(
            "garp_group",
            "",
            Body(&garp_group::BLOCK),
            "pacing of gratuitous ARP / unsolicited NA per interface or group",
        )
        .supported(),
        keyword(
            "vrrp_sync_group",
            "NAME",
            Body(&vrrp_sync_group::BLOCK),
            "instances that change state together",
        )
        .sole()
        .supported()
        .expected(),
        keyword("vrrp_instance", "NAME", Body(&vrrp_instance::BLOCK), "a virtual router")
            .sole()
            .supported()
            .expected(),
        keyword(
            "virtual_server_group",
            "NAME",
            Lines(&virtual_server_group::OPTIONS),
            "set of addresses/ranges/fwmarks used by a virtual server",
        )
        .supported()
        .sole_or_end()
        .required(),
        keyword(
            "virtual_server",
            "ADDR [PORT] | fwmark N | group NAME",
            Body(&virtual_server::BLOCK),
            "an IPVS service",
        )
        .supported()
        .required(),
        keyword("snmp_agent", "", Body(&snmp_agent::BLOCK), "answers SNMP itself, for hosts without snmpd")
            .since("Steadfast")
            .supported(),
        keyword(
            "snmp_notify",
            "",
            Body(&snmp_notify::BLOCK),
            "sends SNMP notifications itself, each receiver at its own pace",
        )
        .since("Steadfast")
        .supported(),
        keyword("SSL", "", Body(&ssl::BLOCK), "client TLS material for SSL_GET")
            .supported()
            .or("auto-generated context"),
    ],
    shared: &[],
    defaults: &[],
});
