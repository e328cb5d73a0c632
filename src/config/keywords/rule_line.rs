//! The words of a line of `virtual_rules` and `static_rules`.

use super::{
    Block,
    Value::{Flag, Text},
    keyword,
};

pub(super) static OPTIONS: Block = Block {
    name: "a rule line",
    keywords: &[
        keyword("not", "", Flag, "invert the selector"),
        keyword("from", "PREFIX", Text, "selectors").or("all").expected(),
        keyword("to", "PREFIX", Text, "selectors").or("all").expected(),
        keyword("inet", "", Flag, "force family").or("inet"),
        keyword("inet6", "", Flag, "force family").or("inet"),
        keyword("table", "N|NAME", Text, "look up this table").expected(),
        keyword("lookup", "N|NAME", Text, "look up this table").expected(),
        keyword("blackhole", "", Flag, "discard actions"),
        keyword("prohibit", "", Flag, "discard actions"),
        keyword("unreachable", "", Flag, "discard actions"),
        keyword("nop", "", Flag, "no operation"),
        keyword("goto", "N", Text, "jump to another rule").expected(),
        keyword("l3mdev", "", Flag, "use the l3mdev table"),
        keyword("type", "TYPE", Text, "optional word before the action type").expected(),
        keyword("preference", "N", Text, "rule preference")
            .or("assigned automatically with a warning")
            .expected(),
        keyword("priority", "N", Text, "rule preference")
            .or("assigned automatically with a warning")
            .expected(),
        keyword("order", "N", Text, "rule preference").or("assigned automatically with a warning").expected(),
        keyword("tos", "N|NAME", Text, "TOS selector").or("any").expected(),
        keyword("dsfield", "N|NAME", Text, "TOS selector").or("any").expected(),
        keyword("fwmark", "M[/MASK]", Text, "mark selector").or("any").expected(),
        keyword("realms", "[FROM/]TO", Text, "route realms"),
        keyword("iif", "IF", Text, "input interface selector").or("any").expected(),
        keyword("dev", "IF", Text, "input interface selector").or("any").expected(),
        keyword("oif", "IF", Text, "output interface selector").or("any").expected(),
        keyword("tunnel-id", "N", Text, "tunnel id selector").or("any").expected(),
        keyword("uidrange", "A-B", Text, "user id selector").or("any").expected(),
        keyword("protocol", "N|NAME", Text, "rule protocol").or("keepalived").expected(),
        keyword("ipproto", "NAME|N", Text, "IP protocol selector").or("any").expected(),
        keyword("sport", "A[-B]", Text, "source port selector").or("any").expected(),
        keyword("dport", "A[-B]", Text, "destination port selector").or("any").expected(),
        keyword("suppress_prefixlength", "N", Text, "ignore results with shorter prefixes").expected(),
        keyword("sup_pl", "N", Text, "ignore results with shorter prefixes").expected(),
        keyword("suppress_ifgroup", "GROUP", Text, "ignore results through this group").expected(),
        keyword("sup_group", "GROUP", Text, "ignore results through this group").expected(),
        keyword("no_track", "", Flag, "do not react to deletion"),
        keyword("track_group", "NAME", Text, "instances that go to FAULT if the rule is lost").expected(),
    ],
    shared: &[],
};
