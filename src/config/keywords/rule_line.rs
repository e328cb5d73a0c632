//! The words of a line of `virtual_rules` and `static_rules`.

use super::{
    Block,
    Names::{DsField, Groups, Protocols, Tables},
    Table,
    Value::{Flag, Interface, Named, Network, Numeral, OneOf, Text},
    keyword,
    route_line::TRACKING,
};

/// The largest number that a 32-bit attribute holds.
const MAX: u64 = u32::MAX as u64;

/// What may follow `type`.
const ACTIONS: &[&str] = &["blackhole", "prohibit", "unreachable", "nop"];

pub(super) static OPTIONS: Block = Block::new(Table {
    name: "a rule line",
    keywords: &[
        keyword("not", "", Flag, "invert the selector").supported(),
        keyword("from", "PREFIX", Network, "selectors").or("all").required().supported(),
        keyword("to", "PREFIX", Network, "selectors").or("all").required().supported(),
        keyword("inet", "", Flag, "force family").or("inet").supported(),
        keyword("inet6", "", Flag, "force family").or("inet").supported(),
        keyword("table", "N|NAME", Named(Tables), "look up this table").required().supported(),
        keyword("lookup", "N|NAME", Named(Tables), "look up this table").required().supported(),
        keyword("blackhole", "", Flag, "discard actions").supported(),
        keyword("prohibit", "", Flag, "discard actions").supported(),
        keyword("unreachable", "", Flag, "discard actions").supported(),
        keyword("nop", "", Flag, "no operation").supported(),
        keyword("goto", "N", Numeral(1, MAX), "jump to another rule").required().supported(),
        keyword("l3mdev", "", Flag, "use the l3mdev table").supported(),
        keyword("type", "TYPE", OneOf(ACTIONS), "optional word before the action type")
            .required()
            .supported(),
        keyword("preference", "N", Numeral(0, MAX), "rule preference")
            .or("assigned automatically with a warning")
            .required()
            .supported(),
        keyword("priority", "N", Numeral(0, MAX), "rule preference")
            .or("assigned automatically with a warning")
            .required()
            .supported(),
        keyword("order", "N", Numeral(0, MAX), "rule preference")
            .or("assigned automatically with a warning")
            .required()
            .supported(),
        keyword("tos", "N|NAME", Named(DsField), "TOS selector").or("any").required().supported(),
        keyword("dsfield", "N|NAME", Named(DsField), "TOS selector").or("any").required().supported(),
        keyword("fwmark", "M[/MASK]", Text, "mark selector").or("any").required().supported(),
        keyword("realms", "[FROM/]TO", Text, "route realms").required().supported(),
        keyword("iif", "IF", Interface, "input interface selector").or("any").required().supported(),
        keyword("dev", "IF", Interface, "input interface selector").or("any").required().supported(),
        keyword("oif", "IF", Interface, "output interface selector").or("any").required().supported(),
        keyword("tunnel-id", "N", Numeral(0, u64::MAX), "tunnel id selector")
            .or("any")
            .required()
            .supported(),
        keyword("uidrange", "A-B", Text, "user id selector").or("any").required().supported(),
        keyword("protocol", "N|NAME", Named(Protocols), "rule protocol")
            .or("keepalived")
            .required()
            .supported(),
        keyword("ipproto", "NAME|N", Text, "IP protocol selector").or("any").required().supported(),
        keyword("sport", "A[-B]", Text, "source port selector").or("any").required().supported(),
        keyword("dport", "A[-B]", Text, "destination port selector").or("any").required().supported(),
        keyword("suppress_prefixlength", "N", Numeral(0, 128), "ignore results with shorter prefixes")
            .required()
            .supported(),
        keyword("sup_pl", "N", Numeral(0, 128), "ignore results with shorter prefixes")
            .required()
            .supported(),
        keyword("suppress_ifgroup", "GROUP", Named(Groups), "ignore results through this group")
            .required()
            .supported(),
        keyword("sup_group", "GROUP", Named(Groups), "ignore results through this group")
            .required()
            .supported(),
    ],
    shared: TRACKING,
    defaults: &[],
});
