//! The options of an address, route or rule line, as the tables have them.

use std::iter::Peekable;

use super::Context;
use crate::config::{
    Diagnostic, Prose, Severity,
    keywords::{self, Block, Keyword, Missing, Status, Value},
    slips,
    text::Word,
    tree, value,
};

/// The words of a line that are still to be read.
pub(super) struct Options<'a, I: Iterator<Item = Word<'a>>> {
    words: Peekable<I>,
    block: &'static Block,
    /// What the line describes, for messages: "address".
    what: &'static str,
    /// A value that the table does not allow makes the line unusable; otherwise whoever takes it judges it.
    strict: bool,
}

/// One option: its entry, the word itself, and its argument.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) keyword: &'static Keyword,
    pub(super) word: Word<'a>,
    /// The word in brackets before the argument, such as `lock` in `mtu lock 1400`.
    pub(super) modifier: Option<&'a str>,
    /// The argument; the word itself when it takes none.
    pub(super) value: Word<'a>,
}

/// One step through a line.
pub(super) enum Step<'a> {
    /// An option of the table.
    Option(Chosen<'a>),
    /// A word that the table does not have.
    Other(Word<'a>),
}

/// The line cannot be used, which has been reported.
pub(super) struct Unusable;

impl<'a, I: Iterator<Item = Word<'a>>> Options<'a, I> {
    pub(super) fn new(words: I, block: &'static Block, what: &'static str) -> Self {
        Self { words: words.peekable(), block, what, strict: false }
    }

    /// Lets the table judge every value.
    pub(super) fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The next option that the table knows, `None` at the end of the line. Words it does not know are reported.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Result<Option<Chosen<'a>>, Unusable> {
        loop {
            match self.step(context)? {
                Some(Step::Option(chosen)) => return Ok(Some(chosen)),
                Some(Step::Other(word)) => self.report_unknown(word, "is ignored", context),
                None => return Ok(None),
            }
        }
    }

    /// The next option or other word, `None` at the end of the line.
    pub(super) fn step(&mut self, context: &mut Context<'_>) -> Result<Option<Step<'a>>, Unusable> {
        let Some(word) = self.words.next() else { return Ok(None) };
        let Some(keyword) = self.block.keyword(word.text) else { return Ok(Some(Step::Other(word))) };
        self.complete(keyword, word, context).map(|chosen| Some(Step::Option(chosen)))
    }

    /// The next word, whatever it is.
    pub(super) fn take(&mut self) -> Option<Word<'a>> {
        self.words.next()
    }

    /// The next option if it is one of another table: the group of words behind `encap` or `nexthop` ends with the
    /// first word that is not.
    pub(super) fn group(
        &mut self,
        block: &'static Block,
        context: &mut Context<'_>,
    ) -> Result<Option<Chosen<'a>>, Unusable> {
        let Some((word, keyword)) =
            self.words.peek().and_then(|word| Some((*word, block.keyword(word.text)?)))
        else {
            return Ok(None);
        };
        self.words.next();
        self.complete(keyword, word, context).map(Some)
    }

    fn complete(
        &mut self,
        keyword: &'static Keyword,
        word: Word<'a>,
        context: &mut Context<'_>,
    ) -> Result<Chosen<'a>, Unusable> {
        if keyword.missing == Missing::Allowed {
            return Ok(Chosen { keyword, word, modifier: None, value: word });
        }
        let modifier = self.words.next_if(|word| is_modifier(keyword, word.text));
        let Some(value) = self.words.next() else {
            report_missing(keyword, word, self.what, context);
            return Err(Unusable);
        };
        let chosen = Chosen { keyword, word, modifier: modifier.map(|word| word.text), value };
        if self.strict && !tree::fits(keyword.value, value.text) {
            return Err(unusable(&chosen, self.what, context));
        }
        Ok(chosen)
    }

    /// Reports a word that the table does not have; `consequence` says what comes of it.
    pub(super) fn report_unknown(&self, word: Word<'_>, consequence: &str, context: &mut Context<'_>) {
        let help = if let Some(help) = slips::comment(word.text) {
            help.to_owned()
        } else if value::prefixed_address(word.text).is_some() {
            format!("write one {} per line", self.what)
        } else if let Some(near) = keywords::similar(self.block, word.text).filter(|near| *near != word.text)
        {
            format!("did you mean {near}?")
        } else {
            let names: Vec<_> = self.block.all().map(|keyword| keyword.name).collect();
            format!("the words of {} are {}", self.block.name, names.join(", "))
        };
        context.add(
            Diagnostic::new(
                "unknown-option",
                Severity::Error,
                format!("`{}` means nothing here and {consequence}", word.text),
                &word.span(),
            )
            .help(help),
        );
    }
}

/// Whether the word may stand before the argument: the arguments begin with `[lock] ` or `[inet|inet6] `.
fn is_modifier(keyword: &Keyword, word: &str) -> bool {
    let bracket = keyword.arguments.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    bracket.is_some_and(|(words, _)| words.split('|').any(|modifier| modifier == word))
}

fn report_missing(keyword: &Keyword, word: Word<'_>, what: &str, context: &mut Context<'_>) {
    let fatal = keyword.missing == Missing::Fatal;
    let severity = if fatal { Severity::Fatal } else { Severity::Error };
    let headline = format!("{} needs a value: the {what} is ignored", keyword.name);
    let mut found = Diagnostic::new("missing-argument", severity, headline, &word.span())
        .help(format!("write {} {}", keyword.name, keyword.arguments));
    if fatal {
        found = found.info("the configuration cannot be used without it");
    }
    context.add(found);
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
    help: impl Into<Prose>,
    context: &mut Context<'_>,
) {
    let headline = format!("`{}` is not valid for {}: {consequence}", chosen.value.text, chosen.keyword.name);
    context.add(Diagnostic::new("invalid-value", Severity::Error, headline, &chosen.value.span()).help(help));
}

/// A value without which the line makes no sense.
pub(super) fn unusable(chosen: &Chosen<'_>, what: &str, context: &mut Context<'_>) -> Unusable {
    invalid(
        chosen,
        &format!("the {what} is ignored"),
        tree::instruction(chosen.keyword, chosen.value.text),
        context,
    );
    Unusable
}

/// The number of a value that the table has judged or names; reports one that is none.
pub(super) fn number(chosen: &Chosen<'_>, what: &str, context: &mut Context<'_>) -> Result<u64, Unusable> {
    let text = chosen.value.text;
    let number = match chosen.keyword.value {
        Value::Named(names) => context.names.number(names, text, context.env).map(u64::from),
        Value::Numeral(..) => value::numeral(text),
        _ => value::integer(text).and_then(|number| u64::try_from(number).ok()),
    };
    number.ok_or_else(|| unusable(chosen, what, context))
}

/// A number that the table keeps within a type.
pub(super) fn small<T: TryFrom<u64>>(
    chosen: &Chosen<'_>,
    what: &str,
    context: &mut Context<'_>,
) -> Result<T, Unusable> {
    T::try_from(number(chosen, what, context)?).map_err(|_| unusable(chosen, what, context))
}

/// An interface that exists, or may come; reports another.
pub(super) fn device(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<String, Unusable> {
    if context.may_name_interface(chosen.value.text) {
        return Ok(chosen.value.text.to_owned());
    }
    super::instance::report_no_interface(chosen.value, context);
    Err(Unusable)
}
