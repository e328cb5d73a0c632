//! A file whose lines are read.

use std::{ops::Range, sync::Arc};

use memchr::memchr;

/// A file that texts are parts of.
#[derive(Debug)]
pub(in crate::config) struct Source {
    /// Its name as it was opened.
    pub(in crate::config) name: Arc<str>,
    /// What it holds; shared with the report, which shows lines of it.
    pub(in crate::config) text: Arc<String>,
    /// Every character of it is one byte.
    pub(super) is_ascii: bool,
    /// It has NUL characters.
    pub(super) has_nul: bool,
}

impl Source {
    pub(in crate::config) fn new(name: Arc<str>, text: String) -> Self {
        let has_nul = memchr(0, text.as_bytes()).is_some();
        Self { name, is_ascii: text.is_ascii(), has_nul, text: Arc::new(text) }
    }

    pub(super) fn part(&self, bytes: Range<usize>) -> &str {
        &self.text[bytes]
    }
}
