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
        keyword("from", "PREFIX", Text, "selectors").expected(),
        keyword("to", "PREFIX", Text, "selectors").expected(),
        keyword("inet", "", Flag, "force family"),
        keyword("inet6", "", Flag, "force family"),
        keyword("table", "N|NAME", Text, "look up this table").expected(),
        keyword("lookup", "N|NAME", Text, "look up this table").expected(),
        keyword("blackhole", "", Flag, "discard actions"),
        keyword("prohibit", "", Flag, "discard actions"),
        keyword("unreachable", "", Flag, "discard actions"),
        keyword("nop", "", Flag, "no operation"),
        keyword("goto", "N", Text, "jump to another rule").expected(),
        keyword("l3mdev", "", Flag, "use the l3mdev table"),
        keyword("type", "TYPE", Text, "optional word before the action type").expected(),
        keyword("preference", "N", Text, "rule preference").expected(),
        keyword("priority", "N", Text, "rule preference").expected(),
        keyword("order", "N", Text, "rule preference").expected(),
        keyword("tos", "N|NAME", Text, "TOS selector").expected(),
        keyword("dsfield", "N|NAME", Text, "TOS selector").expected(),
        keyword("fwmark", "M[/MASK]", Text, "mark selector").expected(),
        keyword("realms", "[FROM/]TO", Text, "route realms"),
        keyword("iif", "IF", Text, "input interface selector").expected(),
        keyword("dev", "IF", Text, "input interface selector").expected(),
        keyword("oif", "IF", Text, "output interface selector").expected(),
        keyword("tunnel-id", "N", Text, "tunnel id selector").expected(),
        keyword("uidrange", "A-B", Text, "user id selector").expected(),
        keyword("protocol", "N|NAME", Text, "rule protocol").expected(),
        keyword("ipproto", "NAME|N", Text, "IP protocol selector").expected(),
        keyword("sport", "A[-B]", Text, "source port selector").expected(),
        keyword("dport", "A[-B]", Text, "destination port selector").expected(),
        keyword(
            "suppress_prefixlength",
            "N",
            Text,
            "ignore results with shorter prefixes",
        )
        .expected(),
        keyword("sup_pl", "N", Text, "ignore results with shorter prefixes").expected(),
        keyword(
            "suppress_ifgroup",
            "GROUP",
            Text,
            "ignore results through this group",
        )
        .expected(),
        keyword("sup_group", "GROUP", Text, "ignore results through this group").expected(),
        keyword("no_track", "", Flag, "do not react to deletion"),
        keyword(
            "track_group",
            "NAME",
            Text,
            "instances that go to FAULT if the rule is lost",
        )
        .expected(),
    ],
    shared: &[],
};
