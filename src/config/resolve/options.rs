//! The options of an address, route or rule line, as the tables have them.

use std::iter::Peekable;

use super::Context;
use crate::config::{
    Diagnostic, Severity,
    keywords::{self, Block, Keyword, Missing, Status},
    text::Word,
    value,
};

/// The words of a line that are still to be read.
pub(super) struct Options<'a, I: Iterator<Item = Word<'a>>> {
    words: Peekable<I>,
    block: &'static Block,
    /// What the line describes, for messages: "address".
    what: &'static str,
}

/// One option: its entry, the word itself, and its first argument where it takes one.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) keyword: &'static Keyword,
    pub(super) word: Word<'a>,
    /// The argument; the word itself when it takes none.
    pub(super) value: Word<'a>,
}

/// A mandatory argument is missing, which has been reported: the line cannot be used.
pub(super) struct Incomplete;

impl<'a, I: Iterator<Item = Word<'a>>> Options<'a, I> {
    pub(super) fn new(words: I, block: &'static Block, what: &'static str) -> Self {
        Self { words: words.peekable(), block, what }
    }

    /// The next option that the table knows, `None` at the end of the line. Words it does not know are reported.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Result<Option<Chosen<'a>>, Incomplete> {
        while let Some(word) = self.words.next() {
            let Some(keyword) = self.block.keyword(word.text) else {
                self.report_unknown(word, context);
                continue;
            };
            if keyword.missing == Missing::Allowed {
                return Ok(Some(Chosen { keyword, word, value: word }));
            }
            let Some(value) = self.words.next() else {
                report_missing(keyword, word, self.what, context);
                return Err(Incomplete);
            };
            return Ok(Some(Chosen { keyword, word, value }));
        }
        Ok(None)
    }

    fn report_unknown(&self, word: Word<'_>, context: &mut Context<'_>) {
        let help = if value::prefixed_address(word.text).is_some() {
            format!("write one {} per line", self.what)
        } else if let Some(near) = keywords::similar(self.block, word.text) {
            format!("did you mean {near}?")
        } else {
            let names: Vec<_> = self.block.all().map(|keyword| keyword.name).collect();
            format!("the options are {}", names.join(", "))
        };
        context.add(
            Diagnostic::new(
                "unknown-option",
                Severity::Error,
                format!("`{}` means nothing here and is ignored", word.text),
                &word.span(),
            )
            .help(help),
        );
    }
}

fn report_missing(keyword: &Keyword, word: Word<'_>, what: &str, context: &mut Context<'_>) {
    context.add(
        Diagnostic::new(
            "missing-argument",
            Severity::Error,
            format!("{} needs a value: the {what} is ignored", keyword.name),
            &word.span(),
        )
        .help(format!("write {} {}", keyword.name, keyword.arguments)),
    );
}

/// Says once that an option has no effect yet.
pub(super) fn note_status(chosen: &Chosen<'_>, context: &mut Context<'_>) {
    let name = chosen.keyword.name;
    if chosen.keyword.status == Status::Supported || !context.told.insert(name) {
        return;
    }
    let headline = format!("{name} is not supported yet: it has no effect");
    context.add(
        Diagnostic::new("not-supported-yet", Severity::Notice, headline, &chosen.word.span())
            .info(format!("its meaning in keepalived: {}", chosen.keyword.help)),
    );
}

/// A value that cannot be used; `consequence` says what happens instead.
pub(super) fn invalid(
    chosen: &Chosen<'_>,
    consequence: &str,
    help: impl Into<String>,
    context: &mut Context<'_>,
) {
    let headline = format!("`{}` is not valid for {}: {consequence}", chosen.value.text, chosen.keyword.name);
    context.add(Diagnostic::new("invalid-value", Severity::Error, headline, &chosen.value.span()).help(help));
}
