//! The words of `track_file` and its older spelling `vrrp_track_file`.

use super::{
    Block, Table,
    Value::{Integer, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "track_file",
    keywords: &[
        keyword("file", "PATH", Text, "file to watch").supported().expected(),
        keyword(
            "weight",
            "N [reverse]",
            Integer(-254, 254),
            "multiplier of the value read; 0 = non-zero value means fault",
        )
        .supported()
        .or("1")
        .expected(),
        keyword(
            "init_file",
            "[VALUE] [overwrite]",
            Text,
            "create/initialise the file at start (never on reload)",
        )
        .supported()
        .or("0, only if the file is missing"),
    ],
    shared: &[],
    defaults: &[],
});
