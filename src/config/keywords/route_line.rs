//! The words of a line of `virtual_routes` and `static_routes`, of its next hops, and of tunnels.

use super::{
    Block, Keyword,
    Names::{DsField, Protocols, Scopes, Tables},
    Table,
    Value::{Address, Flag, Integer, Interface, Named, Network, Numeral, OneOf, Text},
    keyword,
};

/// The largest number that a 32-bit attribute holds.
const MAX: i64 = u32::MAX as i64;

/// What becomes of instances without the route or rule: the last words of either line.
pub(super) const TRACKING: &[Keyword] = &[
    keyword("no_track", "", Flag, "do not react to deletion").supported(),
    keyword("track_group", "NAME", Text, "instances that go to FAULT while its interface is down or missing")
        .required()
        .supported(),
];

pub(super) static OPTIONS: Block = Block::new(Table {
    name: "a route line",
    keywords: &[
        keyword("to", "PREFIX", Network, "optional word before the destination").required().supported(),
        keyword("inet", "", Flag, "force family").or("inet").supported(),
        keyword("inet6", "", Flag, "force family").or("inet").supported(),
        keyword("src", "ADDR", Address, "preferred source").required().supported(),
        keyword("via", "[inet|inet6] ADDR", Address, "next hop").required().supported(),
        keyword("gw", "[inet|inet6] ADDR", Address, "next hop").required().outdated("via"),
        keyword("or", "[inet|inet6] ADDR", Address, "second next hop").required().outdated("nexthop"),
        keyword("nexthop", "via ADDR dev IF [weight N] [onlink] …", Text, "multipath hop").supported(),
        keyword("from", "PREFIX", Network, "source-specific route").required().supported(),
        keyword("dev", "IF", Interface, "output interface").required().supported(),
        keyword("oif", "IF", Interface, "output interface").required().supported(),
        keyword("table", "N|NAME", Named(Tables), "routing table").or("main").required().supported(),
        keyword("tos", "N|NAME", Named(DsField), "TOS").or("0").required().supported(),
        keyword("dsfield", "N|NAME", Named(DsField), "TOS").or("0").required().supported(),
        keyword("protocol", "N|NAME", Named(Protocols), "route protocol")
            .or("keepalived (18)")
            .required()
            .supported(),
        keyword("scope", "N|NAME", Named(Scopes), "route scope").required().supported(),
        keyword("metric", "N", Integer(0, MAX), "metric").or("0").required().supported(),
        keyword("priority", "N", Integer(0, MAX), "metric").or("0").required().supported(),
        keyword("preference", "N", Integer(0, MAX), "metric").or("0").required().supported(),
        keyword("onlink", "", Flag, "next hop is on-link").supported(),
        keyword("encap", "ip|ip6|mpls|ila …", Text, "lightweight tunnel").supported(),
        keyword("expires", "N", Integer(0, MAX), "lifetime").required().supported(),
        keyword("mtu", "[lock] VALUE", Integer(0, MAX), "path MTU").or("kernel").required().supported(),
        keyword("hoplimit", "VALUE", Integer(0, 255), "hop limit (8 bit)")
            .or("kernel")
            .required()
            .supported(),
        keyword("advmss", "[lock] VALUE", Integer(0, MAX), "advertised MSS")
            .or("kernel")
            .required()
            .supported(),
        keyword("rtt", "[lock] VALUE", Text, "initial RTT").or("kernel").required().supported(),
        keyword("rttvar", "[lock] VALUE", Text, "initial RTT variance").or("kernel").required().supported(),
        keyword("reordering", "[lock] VALUE", Integer(0, MAX), "reordering limit")
            .or("kernel")
            .required()
            .supported(),
        keyword("window", "VALUE", Integer(0, MAX), "maximum window").or("kernel").required().supported(),
        keyword("cwnd", "[lock] VALUE", Integer(0, MAX), "congestion window clamp")
            .or("kernel")
            .required()
            .supported(),
        keyword("ssthresh", "[lock] VALUE", Integer(0, MAX), "slow start threshold")
            .or("kernel")
            .required()
            .supported(),
        keyword("realms", "VALUE", Text, "realms (IPv4)").or("kernel").required().supported(),
        keyword("rto_min", "[lock] VALUE", Text, "minimum retransmission timeout")
            .or("kernel")
            .required()
            .supported(),
        keyword("initcwnd", "VALUE", Integer(0, MAX), "initial congestion window")
            .or("kernel")
            .required()
            .supported(),
        keyword("initrwnd", "VALUE", Integer(0, MAX), "initial receive window")
            .or("kernel")
            .required()
            .supported(),
        keyword("features", "VALUE", Text, "only `ecn`").or("kernel").required().supported(),
        keyword("quickack", "VALUE", Integer(0, 1), "quick acknowledgements (0/1)")
            .or("kernel")
            .required()
            .supported(),
        keyword("congctl", "[lock] VALUE", Text, "congestion control name")
            .or("kernel")
            .required()
            .supported(),
        keyword(
            "pref",
            "VALUE",
            OneOf(&["low", "medium", "high", "0", "1", "3"]),
            "IPv6 router preference low|medium|high|N",
        )
        .or("kernel")
        .required()
        .supported(),
        keyword("ttl-propagate", "VALUE", Text, "enabled|disabled").or("kernel").required().supported(),
        keyword("fastopen_no_cookie", "VALUE", Integer(0, 1), "0/1").or("kernel").required().supported(),
        keyword("add", "", Flag, "insertion mode").or("prepend").supported(),
        keyword("prepend", "", Flag, "insertion mode").or("prepend").supported(),
        keyword("append", "", Flag, "insertion mode").or("prepend").supported(),
        keyword("vrf", "NAME", Interface, "use the table of a VRF").required().supported(),
    ],
    shared: TRACKING,
    defaults: &[],
});

/// What may follow `nexthop`, up to the next one.
pub(in crate::config) static NEXT_HOP: Block = Block::new(Table {
    name: "a next hop",
    keywords: &[
        keyword("via", "[inet|inet6] ADDR", Address, "next hop").required().supported(),
        keyword("dev", "IF", Interface, "output interface").required().supported(),
        keyword("oif", "IF", Interface, "output interface").required().supported(),
        keyword("weight", "N", Integer(1, 256), "its share of the packets").or("1").required().supported(),
        keyword("onlink", "", Flag, "next hop is on-link").supported(),
        keyword("realms", "[FROM/]TO", Text, "realms (IPv4)").required().supported(),
        keyword("encap", "ip|ip6|mpls|ila …", Text, "lightweight tunnel").supported(),
    ],
    shared: &[],
    defaults: &[],
});

const ID: Keyword = keyword("id", "N", Numeral(0, u64::MAX), "tunnel id").required().supported();
const DESTINATION: Keyword = keyword("dst", "ADDR", Address, "other end").required().supported();
const SOURCE: Keyword = keyword("src", "ADDR", Address, "this end").required().supported();
const FLAGS: Keyword =
    keyword("flags", "N", Numeral(0, u16::MAX as u64), "tunnel flags").required().supported();

/// What may follow `encap ip`.
pub(in crate::config) static ENCAP_IP: Block = Block::new(Table {
    name: "encap ip",
    keywords: &[
        keyword("tos", "N|NAME", Named(DsField), "TOS").required().supported(),
        keyword("ttl", "N", Numeral(0, 255), "TTL").required().supported(),
    ],
    shared: &[ID, DESTINATION, SOURCE, FLAGS],
    defaults: &[],
});

/// What may follow `encap ip6`.
pub(in crate::config) static ENCAP_IP6: Block = Block::new(Table {
    name: "encap ip6",
    keywords: &[
        keyword("tc", "N|NAME", Named(DsField), "traffic class").required().supported(),
        keyword("hoplimit", "N", Numeral(0, 255), "hop limit").required().supported(),
    ],
    shared: &[ID, DESTINATION, SOURCE, FLAGS],
    defaults: &[],
});
