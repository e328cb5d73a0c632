//! The words of a line of `virtual_ipaddress` and its like, after the address.

use super::{
    Block, Table,
    Value::{Address, Flag, Text},
    keyword,
};

pub(super) static OPTIONS: Block = Block::new(Table {
    name: "an address line",
    keywords: &[
        keyword("brd", "ADDR | - | +", Address, "broadcast address").supported().expected(),
        keyword("broadcast", "ADDR | - | +", Address, "broadcast address").supported().expected(),
        keyword("dev", "IF", Text, "interface to put the address on")
            .or("instance interface / default_interface")
            .supported()
            .expected(),
        keyword("scope", "site|link|host|nowhere|global|number", Text, "address scope")
            .or("global (0)")
            .supported()
            .expected(),
        keyword("label", "STRING", Text, "address label, e.g. eth0:1").supported().expected(),
        keyword("peer", "ADDR", Address, "point-to-point peer").supported().expected(),
        keyword("home", "", Flag, "home address flag").supported(),
        keyword("-nodad", "", Flag, "removes the nodad flag keepalived would set (so DAD is done)")
            .or("see semantics")
            .supported(),
        keyword("mngtmpaddr", "", Flag, "manage temporary addresses").supported(),
        keyword("noprefixroute", "", Flag, "no automatic prefix route").supported(),
        keyword("autojoin", "", Flag, "join multicast group for the address").supported(),
        keyword("preferred_lft", "N|forever", Text, "preferred lifetime")
            .or("IPv6: 0 for /128, else forever")
            .supported()
            .expected(),
        keyword(
            "no_track",
            "",
            Flag,
            "do not react if somebody deletes the address or its interface goes down",
        )
        .supported(),
        keyword("use_vmac", "", Flag, "create a VMAC for this VIP's interface").supported(),
        keyword(
            "track_group",
            "NAME",
            Text,
            "instances that go to FAULT while its interface is down or missing",
        )
        .expected()
        .supported(),
    ],
    shared: &[],
    defaults: &[],
});
