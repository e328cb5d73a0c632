//! The words of a line of `virtual_server_group`.

use super::{Block, Table, Value::Text, keyword};

pub(super) static OPTIONS: Block = Block::new(Table {
    name: "a group line",
    keywords: &[keyword("fwmark", "N [inet|inet6]", Text, "a firewall mark")
        .supported()
        .or("family of the servers")
        .expected()],
    shared: &[],
    defaults: &[],
});
