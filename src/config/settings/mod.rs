//! Every word of the language in its typed place: one struct for each block, one field for each word.
//!
//! A field holds what is written, checked by the keyword tables and by the type's own grammar. An [`Effective`] field
//! also holds its default, or what it inherits; an `Option` says with `None` that there is nothing, or that another
//! block decides. `section!` makes a struct of a list of fields and words, so a new word is one entry in the tables and
//! one field here; a test finds a word without a field.
//!
//! What depends on more than one word is not here: it is `resolve`'s.

mod bfd;
mod checker;
mod command;
mod effective;
mod forwarding;
mod global;
mod group;
mod hmac;
mod http;
mod instance;
mod list;
mod names;
mod scalar;
mod server;
mod service;
mod snmp_agent;
mod snmp_notify;
mod system;
mod track;
mod udp;

pub use self::{
    bfd::BfdInstance,
    checker::{
        Address, BfdCheck, Check, Connection, DnsCheck, DomainName, FileCheck, HttpCheck, MiscCheck,
        MiscTimeout, PingCheck, Port, Schedule, SmtpCheck, SmtpHost, Tcp, UdpCheck, Url,
    },
    command::{CommandLine, DeletedNotice},
    effective::Effective,
    forwarding::{Checksum, Forwarding, Tunnel, TunnelKind},
    global::{GlobalDefs, ProcessSettings, Ssl},
    group::{GarpGroup, SyncGroup, TrackGroup},
    hmac::{AuthHmac, HmacKey},
    http::{Digest, HttpProtocol, RegexOptions, RegexStack, SniName, StatusCodes},
    instance::InstanceSettings,
    list::{Entry, Track, Weight},
    names::{Names, server_name, service_name},
    scalar::{Secret, Words},
    server::{Destination, Endpoint, GroupMember, ServerGroup},
    service::{Granularity, Protocol, RealServer, VirtualServer},
    snmp_agent::{Community, Listen, Rights, SnmpAgent, SnmpUser, SnmpView, Subtree},
    snmp_notify::{SnmpNotify, SnmpTarget, SnmpVersion, TargetAddress},
    system::{
        Account, CpuSet, ExtraGarp, Fifo, Linkbeat, LinkbeatKind, MailServer, ReceiveBuffers, SyncDaemon,
        Timeouts, Umask, umask,
    },
    track::{TrackFile, TrackProcess},
    udp::{Pattern, Payload},
};
pub(super) use self::{command::Written, effective::Literal};
use super::{
    Diagnostic, Place, Prose, Report, Severity,
    keywords::{Block, Keyword},
    text::{Line, Word},
    tree::Node,
};

/// A name and where it stands.
pub type Named = (String, Place);

/// A struct with a field for each word.
pub(super) trait Fields: Default {
    /// The words that have a field.
    #[cfg(test)]
    fn words() -> Vec<&'static str>;
    /// The words whose field needs a default that the tables do not have.
    #[cfg(test)]
    fn without_default(block: &'static Block) -> Vec<&'static str>;
    /// Fills in the defaults that a block has in the tables.
    fn preset(&mut self, block: &'static Block);
    /// Takes one line; false when the word has no field here.
    fn set(&mut self, node: &Node, report: &mut Report) -> bool;
}

/// A whole block: its opening line, and a field for each of its words.
pub(super) trait Section: Fields {
    /// The block's name in the keyword tables.
    #[cfg(test)]
    const BLOCK: &str;

    /// A block without a line: every default.
    fn unwritten() -> Self;

    /// Takes the opening line and every line of a block. `None` when the opening line cannot be used, which has been
    /// reported.
    fn read(node: &Node, report: &mut Report) -> Option<Self>;
}

/// What a block's opening line says.
pub(super) trait Heading: Sized {
    /// Reads it; reports and returns `None` when it says nothing usable.
    fn parse(node: &Node, report: &mut Report) -> Option<Self>;
}

/// What a field can hold.
pub(super) trait Setting {
    /// Takes one line of the file.
    fn take(&mut self, node: &Node, report: &mut Report);
    /// Takes the default that the tables have.
    fn preset(&mut self, _: &Keyword, _: &'static str) {}
    /// Whether the default that the tables have is none for this field.
    #[cfg(test)]
    fn lacks_default(_: &Keyword, _: &'static str) -> bool
    where
        Self: Sized,
    {
        false
    }
}

/// A value that the words after a keyword make.
pub(super) trait Parsed: Sized {
    /// Whether the first line of the word counts; otherwise the last does.
    const FIRST_COUNTS: bool = false;

    /// Reads the words, the first of which the tables have judged. Reports and returns `None` when they say nothing usable.
    fn parse(node: &Node, report: &mut Report) -> Option<Self>;
}

/// A value that a line of a list makes.
pub(super) trait FromLine: Sized {
    /// Reads a line. Reports and returns `None` when it says nothing usable.
    fn parse(line: &Line, report: &mut Report) -> Option<Self>;
}

impl<T: Parsed> Setting for Option<T> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        if T::FIRST_COUNTS && self.is_some() {
            return report_repeated(node, report);
        }
        if let Some(value) = node.valid.then(|| T::parse(node, report)).flatten() {
            *self = Some(value);
        }
    }
}

impl<T: FromLine> Setting for Vec<T> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        self.extend(node.lines().iter().filter_map(|line| T::parse(line, report)));
    }
}

/// A line whose word is there already.
fn report_repeated(node: &Node, report: &mut Report) {
    let headline = format!("{} is already set: this line is ignored", node.keyword.name);
    report.add(
        Diagnostic::new("duplicate-setting", Severity::Error, headline, &node.span())
            .help("keep one of the two lines"),
    );
}

/// A word that means nothing where it stands.
fn report_option(word: Word<'_>, help: &'static str, report: &mut Report) {
    let headline = format!("`{}` means nothing here and is ignored", word.text);
    report.add(Diagnostic::new("unknown-option", Severity::Error, headline, &word.span()).help(help));
}

/// A word that is not what it should be; `consequence` says what comes of it.
fn report_invalid(
    word: Word<'_>,
    what: &str,
    consequence: &str,
    help: impl Into<Prose>,
    report: &mut Report,
) {
    let headline = format!("`{}` is not {what}: {consequence}", word.text);
    report.add(Diagnostic::new("invalid-value", Severity::Error, headline, &word.span()).help(help));
}

/// [`Fields`] for a struct. Several words may share a field; what the last list has is `resolve`'s.
macro_rules! fields {
    (
        $name:ident { $($field:ident = $($word:literal)|+,)* } { $($part:ident: $ptype:ty,)* }
        $([ $($other:literal)|+ ])?
    ) => {
        impl $crate::config::settings::Fields for $name {
            #[cfg(test)]
            fn words() -> Vec<&'static str> {
                let words = [$($($word,)+)* $($($other,)+)?].into_iter();
                $(let words = words.chain(<$ptype as $crate::config::settings::Fields>::words());)*
                words.collect()
            }

            #[cfg(test)]
            #[allow(unused_mut, unused_variables, reason = "a struct may have parts only, or nothing")]
            fn without_default(block: &'static $crate::config::keywords::Block) -> Vec<&'static str> {
                let mut lacking: Vec<&'static str> = Vec::new();
                $(lacking.extend($crate::config::settings::lacks(|one: &$name| &one.$field, $crate::config::settings::first!($($word)+), block));)*
                $(lacking.extend(<$ptype as $crate::config::settings::Fields>::without_default(block));)*
                lacking
            }

            fn preset(&mut self, block: &'static $crate::config::keywords::Block) {
                $(if let Some(keyword) = block.keyword($crate::config::settings::first!($($word)+)) {
                    $crate::config::settings::Setting::preset(&mut self.$field, keyword, block.default(keyword));
                })*
                $($crate::config::settings::Fields::preset(&mut self.$part, block);)*
            }

            fn set(&mut self, node: &$crate::config::tree::Node, report: &mut $crate::config::Report) -> bool {
                match node.keyword.name {
                    $($($word)|+ => {
                        $crate::config::settings::Setting::take(&mut self.$field, node, report);
                        true
                    })*
                    $($($other)|+ => true,)?
                    _ => false $(|| $crate::config::settings::Fields::set(&mut self.$part, node, report))*,
                }
            }
        }
    };
}
use fields;

/// The word, when its field needs a default that the block does not have in the tables.
#[cfg(test)]
fn lacks<S, T: Setting>(_: fn(&S) -> &T, word: &'static str, block: &'static Block) -> Option<&'static str> {
    let keyword = block.keyword(word)?;
    let default = block.default(keyword);
    // Another word of the block stands for its value.
    (block.keyword(default).is_none() && T::lacks_default(keyword, default)).then_some(word)
}

/// The first of several words.
macro_rules! first {
    ($first:literal $($more:literal)*) => {
        $first
    };
}
use first;

/// A struct for words that several blocks have in common.
macro_rules! part {
    (
        $(#[$meta:meta])* $name:ident { $($field:ident: $type:ty = $first:literal $(| $word:literal)*,)* }
        $(resolved { $($other:literal)|+ })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $(
                #[doc = concat!("`", $first, "`", $(", `", $word, "`",)* ".")]
                pub $field: $type,
            )*
        }

        $crate::config::settings::fields! { $name { $($field = $first $(| $word)*,)* } {} $([ $($other)|+ ])? }
    };
}
use part;

/// A struct with a field for each word of a block, and [`Section`] for it; parts that blocks have in common follow
/// `with`. The words after `resolved` have no field: their meaning depends on others, and what they come to is in the
/// struct that `resolve` makes.
macro_rules! section {
    (
        $(#[$meta:meta])* $name:ident of $block:literal $(called $heading:ty)? {
            $($field:ident: $type:ty = $first:literal $(| $word:literal)*,)*
        }
        $(with { $($part:ident: $ptype:ty,)* })?
        $(resolved { $($other:literal)|+ })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            /// What follows the block's keyword.
            pub heading: $crate::config::settings::heading!($($heading)?),
            /// Where the block begins.
            pub at: $crate::config::Place,
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
            $name { $($field = $first $(| $word)*,)* } { $($($part: $ptype,)*)? } $([ $($other)|+ ])?
        }

        impl $crate::config::settings::Section for $name {
            #[cfg(test)]
            const BLOCK: &str = $block;

            fn unwritten() -> Self {
                /// The block's defaults, read from the tables once.
                static PRESET: std::sync::LazyLock<$name> = std::sync::LazyLock::new(|| {
                    let mut preset = $name::default();
                    if let Some(block) = $crate::config::settings::block_of($block) {
                        $crate::config::settings::Fields::preset(&mut preset, block);
                    }
                    preset
                });
                PRESET.clone()
            }

            fn read(node: &$crate::config::tree::Node, report: &mut $crate::config::Report) -> Option<Self> {
                let heading = $crate::config::settings::Heading::parse(node, report)?;
                let mut section = Self { heading, at: node.span().into(), ..Self::unwritten() };
                for line in node.nodes() {
                    $crate::config::settings::Fields::set(&mut section, line, report);
                }
                Some(section)
            }
        }

        /// A block that is repeated adds one more.
        impl $crate::config::settings::Setting for Vec<$name> {
            fn take(&mut self, node: &$crate::config::tree::Node, report: &mut $crate::config::Report) {
                self.extend(<$name as $crate::config::settings::Section>::read(node, report));
            }
        }

        /// A block that is repeated replaces the one before.
        impl $crate::config::settings::Parsed for Box<$name> {
            fn parse(node: &$crate::config::tree::Node, report: &mut $crate::config::Report) -> Option<Self> {
                <$name as $crate::config::settings::Section>::read(node, report).map(Box::new)
            }
        }
    };
}
use section;

/// The type of a heading, [`Words`] unless another is named.
macro_rules! heading {
    () => {
        $crate::config::settings::Words
    };
    ($heading:ty) => {
        $heading
    };
}
use heading;

/// A block by its name in the tables.
fn block_of(name: &str) -> Option<&'static Block> {
    let mut found = None;
    super::keywords::visit(super::keywords::ROOT, &mut |block| {
        found = found.or((block.name == name).then_some(block));
    });
    found
}

#[cfg(test)]
mod tests {
    use super::{super::keywords, *};

    fn block<S: Section>() -> &'static Block {
        block_of(S::BLOCK).unwrap_or_else(|| panic!("there is no block {}", S::BLOCK))
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
            assert_eq!(<$section>::without_default(block::<$section>()), [] as [&str; 0], stringify!($section));
        )*};
    }

    #[test]
    fn every_word_of_every_block_has_a_field_and_every_field_its_default() {
        let top = ProcessSettings::words().into_iter().filter(|word| keywords::ROOT.keyword(word).is_none());
        assert_eq!(top.collect::<Vec<_>>(), [] as [&str; 0]);
        assert_eq!(ProcessSettings::without_default(keywords::ROOT), [] as [&str; 0]);
        complete!(GlobalDefs Ssl SnmpAgent SnmpView SnmpNotify SnmpTarget InstanceSettings AuthHmac SyncGroup TrackGroup
            GarpGroup TrackFile TrackProcess BfdInstance VirtualServer RealServer Tcp HttpCheck Url SmtpCheck
            SmtpHost DnsCheck MiscCheck UdpCheck PingCheck BfdCheck FileCheck);
    }
}
