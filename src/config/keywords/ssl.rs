//! The words of `SSL`.

use super::{Block, Table, Value::Text, keyword};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "SSL",
    keywords: &[
        keyword("password", "STRING", Text, "private key password").secret().expected(),
        keyword("ca", "FILE", Text, "CA file").supported().expected(),
        keyword("certificate", "FILE", Text, "client certificate").supported().expected(),
        keyword("key", "FILE", Text, "client private key").supported().expected(),
    ],
    shared: &[],
    defaults: &[],
});
