//! Values of one argument, and words as they are written.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use zeroize::Zeroizing;

use super::{Heading, Parsed, Setting};
use crate::config::{Report, keywords::Value, text::Word, tree::Node, value};

/// A number that the tables have checked.
macro_rules! number {
    ($($type:ty)*) => {$(
        impl Parsed for $type {
            fn parse(node: &Node, _: &mut Report) -> Option<Self> {
                node.integer()?.try_into().ok()
            }
        }
    )*};
}
number!(u8 u16 u32 i16 i32 i64);

/// A word without argument, or one that is on unless its argument says otherwise.
impl Setting for bool {
    fn take(&mut self, node: &Node, report: &mut Report) {
        if let Some(value) = bool::parse(node, report) {
            *self = value;
        }
    }
}

impl Parsed for bool {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        let off = |word: Word<'_>| matches!(word.text, "off" | "false" | "no");
        let boolean = matches!(node.keyword.value, Value::Boolean);
        Some(!boolean || !node.argument().is_some_and(off))
    }
}

impl Parsed for Duration {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        let unit = if matches!(node.keyword.value, Value::Milliseconds(..)) { 1000 } else { 1 };
        Some(node.duration()? / unit)
    }
}

impl Parsed for Box<str> {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        node.argument_or_bare().map(Self::from)
    }
}

impl Parsed for Arc<str> {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        node.argument_or_bare().map(Self::from)
    }
}

/// One of the words that the tables list, or what the keyword means alone.
impl Parsed for &'static str {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        let (Value::OneOf(choices) | Value::OneOfAnyCase(choices)) = node.keyword.value else { return None };
        let Some(word) = node.argument() else {
            return (!node.keyword.bare.is_empty()).then_some(node.keyword.bare);
        };
        choices.iter().find(|choice| choice.eq_ignore_ascii_case(word.text)).copied()
    }
}

/// A host's address; what follows a `/` or `-` is dropped.
impl Parsed for IpAddr {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        node.argument().and_then(|word| value::host_address(word.text)).map(|(address, _)| address)
    }
}

/// Words as they are written, quotes removed. They are kept in one piece, for there may be hundreds of thousands.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Each word ends in a line feed, which no word can hold.
    text: Box<str>,
}

impl Words {
    pub(super) fn after_keyword(node: &Node) -> Self {
        Self::of(node.line.words(1))
    }

    pub(super) fn of<'a>(words: impl Iterator<Item = Word<'a>> + Clone) -> Self {
        let length = words.clone().map(|word| word.text.len() + 1).sum();
        let mut text = String::with_capacity(length);
        for word in words {
            text.push_str(word.text);
            text.push('\n');
        }
        Self { text: text.into() }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    /// One of them, the first being 0.
    pub fn word(&self, number: usize) -> Option<&str> {
        self.iter().nth(number)
    }

    /// The first, which is a block's name; empty when there is none.
    pub fn name(&self) -> &str {
        self.word(0).unwrap_or_default()
    }

    /// All of them with a blank between.
    pub fn joined(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Heading for Words {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self::after_keyword(node))
    }
}

impl Parsed for Words {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self::after_keyword(node))
    }
}

/// A password or key. Printing it shows none of it, and its memory is wiped when it is given back.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// What is written.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl Parsed for Secret {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        node.argument().map(|word| Self::new(word.text))
    }
}
