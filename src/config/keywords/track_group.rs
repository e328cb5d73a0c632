//! The words of `track_group`.

use super::{Block, NO_OPTIONS, Table, Value::Lines, keyword};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "track_group",
    keywords: &[keyword("group", "{ NAMES }", Lines(&NO_OPTIONS), "member VRRP instances").supported()],
    shared: &[],
    defaults: &[],
});
