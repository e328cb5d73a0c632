//! The words of a line of `virtual_routes` and `static_routes`, of its next hops, and of tunnels.

use super::{
    Block, Keyword,
    Names::{DsField, Protocols, Scopes, Tables},
    Value::{Address, Flag, Integer, Interface, Named, Network, Numeral, OneOf, Text},
    keyword,
};

/// The largest number that a 32-bit attribute holds.
const MAX: i64 = u32::MAX as i64;

pub(super) static OPTIONS: Block = Block {
    name: "a route line",
    keywords: &[
        keyword("to", "PREFIX", Network, "optional word before the destination").required(),
        keyword("inet", "", Flag, "force family").or("inet"),
        keyword("inet6", "", Flag, "force family").or("inet"),
        keyword("src", "ADDR", Address, "preferred source").required(),
        keyword("via", "[inet|inet6] ADDR", Address, "next hop").required(),
        keyword("gw", "[inet|inet6] ADDR", Address, "next hop").required().deprecated("via"),
        keyword("or", "[inet|inet6] ADDR", Address, "second next hop").required().deprecated("nexthop"),
        keyword("nexthop", "via ADDR dev IF [weight N] [onlink] …", Text, "multipath hop"),
        keyword("from", "PREFIX", Network, "source-specific route").required(),
        keyword("dev", "IF", Interface, "output interface").required(),
        keyword("oif", "IF", Interface, "output interface").required(),
        keyword("table", "N|NAME", Named(Tables), "routing table").or("main").required(),
        keyword("tos", "N|NAME", Named(DsField), "TOS").or("0").required(),
        keyword("dsfield", "N|NAME", Named(DsField), "TOS").or("0").required(),
        keyword("protocol", "N|NAME", Named(Protocols), "route protocol").or("keepalived (18)").required(),
        keyword("scope", "N|NAME", Named(Scopes), "route scope").required(),
        keyword("metric", "N", Integer(0, MAX), "metric").or("0").required(),
        keyword("priority", "N", Integer(0, MAX), "metric").or("0").required(),
        keyword("preference", "N", Integer(0, MAX), "metric").or("0").required(),
        keyword("onlink", "", Flag, "next hop is on-link"),
        keyword("encap", "ip|ip6|mpls|ila …", Text, "lightweight tunnel"),
        keyword("expires", "N", Integer(0, MAX), "lifetime").required(),
        keyword("mtu", "[lock] VALUE", Integer(0, MAX), "path MTU").or("kernel").required(),
        keyword("hoplimit", "VALUE", Integer(0, 255), "hop limit (8 bit)").or("kernel").required(),
        keyword("advmss", "[lock] VALUE", Integer(0, MAX), "advertised MSS").or("kernel").required(),
        keyword("rtt", "[lock] VALUE", Text, "initial RTT").or("kernel").required(),
        keyword("rttvar", "[lock] VALUE", Text, "initial RTT variance").or("kernel").required(),
        keyword("reordering", "[lock] VALUE", Integer(0, MAX), "reordering limit").or("kernel").required(),
        keyword("window", "VALUE", Integer(0, MAX), "maximum window").or("kernel").required(),
        keyword("cwnd", "[lock] VALUE", Integer(0, MAX), "congestion window clamp").or("kernel").required(),
        keyword("ssthresh", "[lock] VALUE", Integer(0, MAX), "slow start threshold").or("kernel").required(),
        keyword("realms", "VALUE", Text, "realms (IPv4)").or("kernel").required(),
        keyword("rto_min", "[lock] VALUE", Text, "minimum retransmission timeout").or("kernel").required(),
        keyword("initcwnd", "VALUE", Integer(0, MAX), "initial congestion window").or("kernel").required(),
        keyword("initrwnd", "VALUE", Integer(0, MAX), "initial receive window").or("kernel").required(),
        keyword("features", "VALUE", Text, "only `ecn`").or("kernel").required(),
        keyword("quickack", "VALUE", Integer(0, 1), "quick acknowledgements (0/1)").or("kernel").required(),
        keyword("congctl", "[lock] VALUE", Text, "congestion control name").or("kernel").required(),
        keyword(
            "pref",
            "VALUE",
            OneOf(&["low", "medium", "high", "0", "1", "3"]),
            "IPv6 router preference low|medium|high|N",
        )
        .or("kernel")
        .required(),
        keyword("ttl-propagate", "VALUE", Text, "enabled|disabled").or("kernel").required(),
        keyword("fastopen_no_cookie", "VALUE", Integer(0, 1), "0/1").or("kernel").required(),
        keyword("add", "", Flag, "insertion mode").or("prepend"),
        keyword("prepend", "", Flag, "insertion mode").or("prepend"),
        keyword("append", "", Flag, "insertion mode").or("prepend"),
        keyword("vrf", "NAME", Interface, "use the table of a VRF").required(),
        keyword("no_track", "", Flag, "do not react to deletion"),
        keyword("track_group", "NAME", Text, "instances that go to FAULT if the route is lost").required(),
    ],
    shared: &[],
    defaults: &[],
};

/// What may follow `nexthop`, up to the next one.
pub(in crate::config) static NEXT_HOP: Block = Block {
    name: "a next hop",
    keywords: &[
        keyword("via", "[inet|inet6] ADDR", Address, "next hop").required(),
        keyword("dev", "IF", Interface, "output interface").required(),
        keyword("oif", "IF", Interface, "output interface").required(),
        keyword("weight", "N", Integer(1, 256), "its share of the packets").or("1").required(),
        keyword("onlink", "", Flag, "next hop is on-link"),
        keyword("realms", "[FROM/]TO", Text, "realms (IPv4)").required(),
        keyword("encap", "ip|ip6|mpls|ila …", Text, "lightweight tunnel"),
    ],
    shared: &[],
    defaults: &[],
};

const ID: Keyword = keyword("id", "N", Numeral(0, u64::MAX), "tunnel id").required();
const DESTINATION: Keyword = keyword("dst", "ADDR", Address, "other end").required();
const SOURCE: Keyword = keyword("src", "ADDR", Address, "this end").required();
const FLAGS: Keyword = keyword("flags", "N", Numeral(0, u16::MAX as u64), "tunnel flags").required();

/// What may follow `encap ip`.
pub(in crate::config) static ENCAP_IP: Block = Block {
    name: "encap ip",
    keywords: &[
        keyword("tos", "N|NAME", Named(DsField), "TOS").required(),
        keyword("ttl", "N", Numeral(0, 255), "TTL").required(),
    ],
    shared: &[ID, DESTINATION, SOURCE, FLAGS],
    defaults: &[],
};

/// What may follow `encap ip6`.
pub(in crate::config) static ENCAP_IP6: Block = Block {
    name: "encap ip6",
    keywords: &[
        keyword("tc", "N|NAME", Named(DsField), "traffic class").required(),
        keyword("hoplimit", "N", Numeral(0, 255), "hop limit").required(),
    ],
    shared: &[ID, DESTINATION, SOURCE, FLAGS],
    defaults: &[],
};
