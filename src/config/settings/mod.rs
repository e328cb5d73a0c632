//! Every word of the language in its typed place: one struct for each block, one field for each word.
//!
//! A field holds what is written, checked by the keyword tables; `None` (or empty) means that the file does not say,
//! and the word's default in the tables holds. `section!` makes a struct of a list of fields and words, so a new
//! word is one entry in the tables and one field here; a test finds a word without a field.
//!
//! What depends on more than one word is not here: it is `resolve`'s.

mod bfd;
mod checker;
mod global;
mod group;
mod instance;
mod service;
mod track;

use std::{fmt, net::IpAddr, time::Duration};

pub use self::{
    bfd::BfdInstance,
    checker::{
        BfdCheck, Check, Connection, DnsCheck, FileCheck, HttpCheck, MiscCheck, PingCheck, Schedule,
        SmtpCheck, SmtpHost, Tcp, UdpCheck, Url,
    },
    global::{GlobalDefs, ProcessSettings, Ssl},
    group::{GarpGroup, SyncGroup, TrackGroup},
    instance::{AuthHmac, Authentication, InstanceSettings},
    service::{Destination, RealServer, ServerGroup, VirtualServer},
    track::{TrackFile, TrackProcess},
};
use super::{
    Diagnostic, Report, Severity, Span, keywords,
    text::{Line, Word},
    tree::Node,
    value,
};

/// A struct with a field for each word.
pub(super) trait Fields: Default {
    /// The words that have a field.
    #[cfg(test)]
    fn words() -> Vec<&'static str>;
    /// Takes one line; false when the word has no field here.
    fn set(&mut self, node: &Node, report: &mut Report) -> bool;
}

/// A whole block: its opening line, and a field for each of its words.
pub(super) trait Section: Fields {
    /// The block's name in the keyword tables.
    #[cfg(test)]
    const BLOCK: &str;
    /// Takes the line that opens the block.
    fn begin(&mut self, node: &Node);

    /// Takes the opening line and every line of a block.
    fn read(node: &Node, report: &mut Report) -> Self {
        let mut section = Self::default();
        section.begin(node);
        for line in node.nodes() {
            section.set(line, report);
        }
        section
    }
}

/// What a field can hold.
pub(super) trait Setting {
    /// Takes one line of the file.
    fn take(&mut self, node: &Node, report: &mut Report);
}

/// [`Fields`] for a struct. Several words may share a field.
macro_rules! fields {
    ($name:ident { $($field:ident = $($word:literal)|+,)* } { $($part:ident: $ptype:ty,)* }) => {
        impl $crate::config::settings::Fields for $name {
            #[cfg(test)]
            fn words() -> Vec<&'static str> {
                let words = [$($($word,)+)*].into_iter();
                $(let words = words.chain(<$ptype as $crate::config::settings::Fields>::words());)*
                words.collect()
            }

            fn set(&mut self, node: &$crate::config::tree::Node, report: &mut $crate::config::Report) -> bool {
                match node.keyword.name {
                    $($($word)|+ => {
                        $crate::config::settings::Setting::take(&mut self.$field, node, report);
                        true
                    })*
                    _ => false $(|| $crate::config::settings::Fields::set(&mut self.$part, node, report))*,
                }
            }
        }
    };
}
use fields;

/// A struct for words that several blocks have in common.
macro_rules! part {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty = $first:literal $(| $word:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $(
                #[doc = concat!("`", $first, "`", $(", `", $word, "`",)* ".")]
                pub $field: $type,
            )*
        }

        $crate::config::settings::fields! { $name { $($field = $first $(| $word)*,)* } {} }
    };
}
use part;

/// A struct with a field for each word of a block, and [`Section`] for it; parts that blocks have in common follow
/// `with`.
macro_rules! section {
    (
        $(#[$meta:meta])* $name:ident of $block:literal {
            $($field:ident: $type:ty = $first:literal $(| $word:literal)*,)*
        }
        $(with { $($part:ident: $ptype:ty,)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            /// The words that follow the block's keyword.
            pub heading: $crate::config::settings::Words,
            /// Where the block begins.
            pub at: $crate::config::Span,
            $(
                #[doc = concat!("`", $first, "`", $(", `", $word, "`",)* ".")]
                pub $field: $type,
            )*
            $($(
                /// The words it has in common with other blocks.
                pub $part: $ptype,
            )*)?
        }

        $crate::config::settings::fields! {
            $name { $($field = $first $(| $word)*,)* } { $($($part: $ptype,)*)? }
        }

        impl $crate::config::settings::Section for $name {
            #[cfg(test)]
            const BLOCK: &str = $block;

            fn begin(&mut self, node: &$crate::config::tree::Node) {
                self.at = node.span();
                self.heading = $crate::config::settings::Words::after_keyword(node);
            }
        }

        /// A block that is repeated adds one more.
        impl $crate::config::settings::Setting for Vec<$name> {
            fn take(&mut self, node: &$crate::config::tree::Node, report: &mut $crate::config::Report) {
                self.push(<$name as $crate::config::settings::Section>::read(node, report));
            }
        }

        /// A block that is repeated replaces the one before.
        impl $crate::config::settings::Setting for Option<Box<$name>> {
            fn take(&mut self, node: &$crate::config::tree::Node, report: &mut $crate::config::Report) {
                *self = Some(Box::new(<$name as $crate::config::settings::Section>::read(node, report)));
            }
        }
    };
}
use section;

/// Words as they are written, quotes removed. They are kept in one piece, for there may be hundreds of thousands.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Each word ends in a line feed, which no word can hold.
    text: Box<str>,
}

impl Words {
    fn after_keyword(node: &Node) -> Self {
        Self::of(node.line.words(1))
    }

    fn of<'a>(words: impl Iterator<Item = Word<'a>> + Clone) -> Self {
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

/// A password or key. Printing it shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
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

impl Setting for Option<Secret> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        if let Some(word) = node.argument() {
            *self = Some(Secret(word.text.into()));
        }
    }
}

/// All words of each line.
impl Setting for Vec<Secret> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        if node.valid {
            self.push(Secret(Words::after_keyword(node).joined().into()));
        }
    }
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Never empty.
    pub words: Words,
    /// Where its first word is.
    pub at: Span,
}

/// A command with its user and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// Program and arguments; empty when the quotes do not match, which has been reported.
    pub argv: Vec<String>,
    /// User and perhaps group; empty when the line names none.
    pub account: Vec<String>,
    /// Where the line is.
    pub at: Span,
}

/// `weight N [reverse|noreverse]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// What is added to a priority, or multiplied with a file's value.
    pub value: i32,
    /// The adjustment has the opposite sign.
    pub reverse: bool,
}

/// One line of a `track_…` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The interface, script, file, process or session.
    pub name: String,
    /// What the line says; `None` means the tracked object's own weight.
    pub weight: Option<i32>,
    /// What the line says about the sign.
    pub reverse: Option<bool>,
    /// Where the line is.
    pub at: Span,
}

impl Setting for bool {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let off = |word: Word<'_>| matches!(word.text, "off" | "false" | "no");
        let boolean = matches!(node.keyword.value, keywords::Value::Boolean);
        *self = !boolean || !node.argument().is_some_and(off);
    }
}

impl Setting for Option<bool> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        if node.valid {
            let mut value = false;
            value.take(node, report);
            *self = Some(value);
        }
    }
}

/// A number that the tables have checked.
macro_rules! number {
    ($($type:ty)*) => {$(
        impl Setting for Option<$type> {
            fn take(&mut self, node: &Node, _: &mut Report) {
                if let Some(number) = node.integer().and_then(|number| number.try_into().ok()) {
                    *self = Some(number);
                }
            }
        }
    )*};
}
number!(u8 u16 u32 i16 i32 i64);

impl Setting for Option<Duration> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let unit = if matches!(node.keyword.value, keywords::Value::Milliseconds(..)) { 1000 } else { 1 };
        if let Some(time) = node.duration() {
            *self = Some(time / unit);
        }
    }
}

impl Setting for Option<Box<str>> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        if let Some(word) = node.argument() {
            *self = Some(word.text.into());
        }
    }
}

/// One of the words that the tables list.
impl Setting for Option<&'static str> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        use keywords::Value::{OneOf, OneOfAnyCase};
        let (OneOf(choices) | OneOfAnyCase(choices)) = node.keyword.value else { return };
        let Some(word) = node.argument() else { return };
        *self = choices.iter().find(|choice| choice.eq_ignore_ascii_case(word.text)).copied().or(*self);
    }
}

impl Setting for Option<Words> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        if node.valid {
            *self = Some(Words::after_keyword(node));
        }
    }
}

impl Setting for Option<IpAddr> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let address = node.argument().and_then(|word| value::host_address(word.text));
        *self = address.map(|(address, _)| address).or(*self);
    }
}

impl Setting for Option<Weight> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        if let Some(value) = node.integer().and_then(|number| number.try_into().ok()) {
            let reverse = node.line.word(2).is_some_and(|word| word.text == "reverse");
            *self = Some(Weight { value, reverse });
        }
    }
}

/// The first line of a kind counts.
impl Setting for Option<Box<CommandLine>> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        if self.is_some() {
            let headline = format!("{} is already set: this line is ignored", node.keyword.name);
            report.add(
                Diagnostic::new("duplicate-setting", Severity::Error, headline, &node.span())
                    .help("keep one of the two lines"),
            );
            return;
        }
        *self = command(&node.line).map(Box::new);
    }
}

fn command(line: &Line) -> Option<CommandLine> {
    let mut words = value::script_words(line.text.as_str())?;
    let account = words.split_off(words.len().min(2));
    let argv = value::arguments(words.get(1)?).unwrap_or_default();
    Some(CommandLine { argv, account, at: line.first().span() })
}

impl Setting for Vec<Entry> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let entry = |line: &Line| Entry { words: Words::of(line.words(0)), at: line.first().span() };
        self.extend(node.lines().iter().map(entry));
    }
}

/// Every word of every line is a name.
impl Setting for Vec<(String, Span)> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let words = node.lines().iter().flat_map(|line| line.words(0));
        self.extend(words.map(|word| (word.text.to_owned(), word.span())));
    }
}

impl Setting for Vec<Track> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        self.extend(node.lines().iter().map(|line| Track::read(line, report)));
    }
}

impl Track {
    /// Reads a line.
    pub(super) fn read(line: &Line, report: &mut Report) -> Self {
        let name = line.first();
        let mut track = Self { name: name.text.to_owned(), weight: None, reverse: None, at: name.span() };
        track.options(line.words(1), report);
        track
    }

    fn options<'a>(&mut self, mut words: impl Iterator<Item = Word<'a>>, report: &mut Report) {
        while let Some(word) = words.next() {
            match word.text {
                "weight" => {
                    let number = words.next().and_then(|word| value::integer(word.text));
                    let weight = number.and_then(|number| i32::try_from(number).ok());
                    self.weight = weight.filter(|weight| (-254..=254).contains(weight));
                    if self.weight.is_none() {
                        let headline = "this weight is not valid: it is ignored";
                        report.add(
                            Diagnostic::new("invalid-value", Severity::Error, headline, &word.span())
                                .help("write weight with a whole number from -253 to 253"),
                        );
                    }
                }
                "reverse" => self.reverse = Some(true),
                "noreverse" => self.reverse = Some(false),
                other => report.add(
                    Diagnostic::new(
                        "unknown-option",
                        Severity::Error,
                        format!("`{other}` means nothing here and is ignored"),
                        &word.span(),
                    )
                    .help("write one name per line, as NAME [weight N [reverse]]"),
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keywords::Block, *};

    fn block<S: Section>() -> &'static Block {
        let mut found = None;
        keywords::visit(keywords::ROOT, &mut |block| {
            if block.name == S::BLOCK {
                found = Some(block);
            }
        });
        found.unwrap_or_else(|| panic!("there is no block {}", S::BLOCK))
    }

    /// Removed words never come to a field.
    fn without_field<S: Section>() -> Vec<&'static str> {
        let words = S::words();
        let kept = block::<S>().all().filter(|word| !matches!(word.status, keywords::Status::Removed(_)));
        kept.map(|word| word.name).filter(|word| !words.contains(word)).collect()
    }

    fn without_word<S: Section>() -> Vec<&'static str> {
        S::words().into_iter().filter(|word| block::<S>().keyword(word).is_none()).collect()
    }

    macro_rules! complete {
        ($($section:ty)*) => {$(
            assert_eq!(without_field::<$section>(), [] as [&str; 0], stringify!($section));
            assert_eq!(without_word::<$section>(), [] as [&str; 0], stringify!($section));
        )*};
    }

    #[test]
    fn every_word_of_every_block_has_a_field() {
        let top = ProcessSettings::words().into_iter().filter(|word| keywords::ROOT.keyword(word).is_none());
        assert_eq!(top.collect::<Vec<_>>(), [] as [&str; 0]);
        complete!(GlobalDefs Ssl InstanceSettings Authentication AuthHmac SyncGroup TrackGroup
            GarpGroup TrackFile TrackProcess BfdInstance VirtualServer RealServer Tcp HttpCheck Url SmtpCheck
            SmtpHost DnsCheck MiscCheck UdpCheck PingCheck BfdCheck FileCheck);
    }
}
