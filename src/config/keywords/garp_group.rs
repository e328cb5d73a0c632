//! The words of `garp_group`.

use super::{
    Block, NO_OPTIONS, Table,
    Value::{Lines, Seconds, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "garp_group",
    keywords: &[
        keyword("garp_interval", "SECS", Seconds(0, 4_294_967_295), "gap between gratuitous ARPs")
            .supported()
            .required(),
        keyword("gna_interval", "SECS", Seconds(0, 4_294_967_295), "gap between unsolicited NAs")
            .supported()
            .required(),
        keyword("interface", "IF", Text, "interface the gap applies to").supported().required(),
        keyword("interfaces", "{ IFS }", Lines(&NO_OPTIONS), "interfaces that share one gap").supported(),
    ],
    shared: &[],
    defaults: &[],
});
