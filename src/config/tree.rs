//! Logical lines to a tree of keywords, by the tables of [`super::keywords`].
//!
//! Each line is looked up in the table of the block it stands in. What keepalived does with lines it does not
//! understand is kept, because files rely on it: an unknown word that opens a block does not open one here either,
//! so its `}` closes the block around it. The report says so, for nobody expects it.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use super::{
    Diagnostic, Environment, Options, Report, Severity, Span, explain,
    keywords::{self, Block, Keyword, Missing, Status, Value},
    show::MASK,
    source::{self, Item, Reader},
    text::{Line, Word},
    value,
};

/// A keyword with its words and what its block holds.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) keyword: &'static Keyword,
    pub(super) line: Line,
    pub(super) body: Body,
    /// The first argument is what the table asks for.
    pub(super) valid: bool,
}

/// What stood between the braces.
#[derive(Debug)]
pub(super) enum Body {
    /// The keyword opens no block.
    None,
    /// Keywords.
    Nodes(Box<[Node]>),
    /// Lines that are not keywords.
    Lines(Box<[Line]>),
}

impl Node {
    pub(super) fn span(&self) -> Span {
        self.line.first().span()
    }

    /// The first argument, if it is there and valid.
    pub(super) fn argument(&self) -> Option<Word<'_>> {
        self.line.word(1).filter(|_| self.valid)
    }

    /// The first argument as a number, if it is one in the table's range.
    pub(super) fn integer(&self) -> Option<i64> {
        value::integer(self.argument()?.text)
    }

    /// The first argument as a time, if it is one in the table's range.
    pub(super) fn duration(&self) -> Option<std::time::Duration> {
        value::micro(self.argument()?.text).map(std::time::Duration::from_micros)
    }

    pub(super) fn nodes(&self) -> &[Node] {
        match &self.body {
            Body::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        match &self.body {
            Body::Lines(lines) => lines,
            _ => &[],
        }
    }
}

/// Builds the tree of a whole configuration.
pub(super) fn read(
    path: &Path,
    options: &Options<'_>,
    env: &dyn Environment,
    report: &mut Report,
) -> Vec<Node> {
    // Reading and building take turns; each keeps its findings in its own order.
    let mut found = Report::default();
    let mut builder = Builder {
        items: source::read(path, options, env, report).peekable(),
        report: &mut found,
        quiet: false,
        idle: HashMap::new(),
        secret: HashMap::new(),
    };
    let nodes = builder.block(keywords::ROOT, None);
    builder.count_idle();
    let secret = builder.secret;
    report.append(found);
    tell_secrets(secret, report);
    nodes
}

fn tell_secrets(mut secret: HashMap<Arc<str>, BTreeSet<usize>>, report: &mut Report) {
    for source in &mut report.sources {
        source.secret = secret.remove(&source.name).unwrap_or_default();
    }
}

/// A quote that is never closed, wherever it is found.
pub(super) fn open_quote(span: &Span) -> Diagnostic {
    let headline = "this quote is never closed: what follows it is ignored";
    Diagnostic::new("unclosed-quote", Severity::Error, headline, span)
        .help("close it with another \" on the same line")
}

struct Builder<'a> {
    items: std::iter::Peekable<Reader<'a>>,
    report: &'a mut Report,
    /// Inside a block that has no effect yet: its words are checked, but not each reported as without effect.
    quiet: bool,
    /// Lines of blocks with passwords, by file.
    secret: HashMap<Arc<str>, BTreeSet<usize>>,
    /// Words without effect: where the report has them, and how often they came.
    idle: HashMap<&'static str, (usize, usize)>,
}

impl Builder<'_> {
    /// The keywords of one block up to its `}`; `opened_by` is its keyword, `None` at the top level.
    fn block(&mut self, block: &'static Block, opened_by: Option<&Span>) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Some(opener) = opened_by {
            self.opening_brace(opener);
        }
        let secret = holds_secrets(block);
        let mut last: HashMap<Arc<str>, usize> = HashMap::new();
        last.extend(opened_by.filter(|_| secret).map(|opener| (Arc::clone(&opener.file), opener.line)));
        while let Some(item) = self.items.next() {
            if secret {
                self.keep_secret(&mut last, &item);
            }
            match item {
                Item::Close(_) if opened_by.is_some() => return nodes,
                Item::Close(place) => self.report.add(surplus_brace(&place)),
                Item::Open(place) => self.report.add(stray_brace(&place, block)),
                Item::Line(line) => match block.keyword(line.first().text) {
                    Some(keyword) => nodes.extend(self.node(keyword, line)),
                    None => self.unknown(&line, block),
                },
            }
        }
        self.unclosed(opened_by);
        nodes
    }

    /// Marks the lines from a file's last item in a block with passwords to this one: what stands between them was dropped
    /// by reading, and may be a password as well.
    fn keep_secret(&mut self, last: &mut HashMap<Arc<str>, usize>, item: &Item) {
        let place = match item {
            Item::Open(place) | Item::Close(place) => place.clone(),
            Item::Line(line) => line.first().span(),
        };
        let from = last.insert(Arc::clone(&place.file), place.line).unwrap_or(place.line);
        self.secret.entry(place.file).or_default().extend(from.min(place.line)..=from.max(place.line));
    }

    fn node(&mut self, keyword: &'static Keyword, line: Line) -> Option<Node> {
        if let Status::Removed(why) = keyword.status {
            let headline = format!("{} is no longer a keyword: the line is ignored", keyword.name);
            self.report.add(
                Diagnostic::new("removed-keyword", Severity::Error, headline, &line.first().span()).help(why),
            );
            return None;
        }
        let valid = self.check(keyword, &line);
        self.report_status(keyword, &line);
        let was_quiet = self.quiet;
        self.quiet |= !keyword.works();
        let body = match keyword.value {
            Value::Body(inner) => Body::Nodes(self.block(inner, Some(&line.first().span())).into()),
            Value::Lines(_) => Body::Lines(self.entries(keyword, &line).into()),
            _ => Body::None,
        };
        self.quiet = was_quiet;
        Some(Node { keyword, line, body, valid })
    }

    /// The lines of a list up to its `}`.
    fn entries(&mut self, keyword: &'static Keyword, opener: &Line) -> Vec<Line> {
        if keyword.missing == Missing::Allowed
            && let Some(extra) = opener.word(1)
        {
            let headline = format!("`{}` before the {{ of {} is ignored", extra.text, keyword.name);
            self.report.add(
                Diagnostic::new("extra-words", Severity::Error, headline, &extra.span())
                    .help(format!("put it on a line of its own inside {} {{ }}", keyword.name)),
            );
        }
        let span = opener.first().span();
        self.opening_brace(&span);
        let mut entries = Vec::new();
        for item in self.items.by_ref() {
            match item {
                Item::Close(_) => return entries,
                Item::Open(place) => self.report.add(brace_in_list(&place, keyword)),
                Item::Line(line) => {
                    if let Some(quote) = line.open_quote() {
                        self.report.add(open_quote(&quote));
                    }
                    entries.push(line);
                }
            }
        }
        self.unclosed(Some(&span));
        entries
    }

    fn opening_brace(&mut self, opener: &Span) {
        if !self.takes_opening_brace() {
            self.report.add(
                Diagnostic::new("missing-brace", Severity::Error, "no { follows this keyword", opener)
                    .info("the lines after it are read as its block all the same")
                    .help("open the block with { on this line or the next"),
            );
        }
    }

    fn takes_opening_brace(&mut self) -> bool {
        self.items.next_if(|item| matches!(item, Item::Open(_))).is_some()
    }

    fn unclosed(&mut self, opened_by: Option<&Span>) {
        if let Some(opener) = opened_by {
            self.report.add(
                Diagnostic::new("unclosed-block", Severity::Error, "this block is never closed", opener)
                    .info("everything up to the end of the file was read as part of it")
                    .help("add the missing }"),
            );
        }
    }

    fn unknown(&mut self, line: &Line, block: &'static Block) {
        let word = line.first();
        // In a file that is no configuration, looking for what each word may mean would take most of the time.
        if self.report.counts_only("unknown-keyword", Severity::Error, Some(&word.span())) {
            self.takes_opening_brace();
            return;
        }
        let homes = keywords::homes(word.text);
        let shown = if holds_secrets(block) && homes.is_empty() { MASK } else { word.text };
        let headline = format!("unknown keyword `{shown}` in {}", block.name);
        let mut diagnostic = Diagnostic::new("unknown-keyword", Severity::Error, headline, &word.span());
        if self.takes_opening_brace() {
            diagnostic = diagnostic.info(format!(
                "its {{ is ignored and its }} ends {} around it, so everything after that }} is no longer part of it",
                block.name
            ));
        }
        let help = if let Some(near) = keywords::similar(block, word.text) {
            format!("did you mean {near}?")
        } else if homes.is_empty() {
            "check the spelling; case matters".to_owned()
        } else {
            format!("this keyword belongs in {}", homes.join(" or "))
        };
        self.report.add(diagnostic.help(help));
    }

    fn report_status(&mut self, keyword: &'static Keyword, line: &Line) {
        let name = keyword.name;
        if let Status::Deprecated(instead) | Status::Outdated(instead) = keyword.status {
            let span = &line.first().span();
            let headline = format!("{name} is deprecated");
            self.report.add(
                Diagnostic::new("deprecated", Severity::Error, headline, span).help(format!("use {instead}")),
            );
        }
        if !keyword.works() && !self.quiet {
            if let Some((_, times)) = self.idle.get_mut(name) {
                *times += 1;
                return;
            }
            self.idle.insert(name, (self.report.diagnostics.len(), 1));
            let headline = format!("{name} is not supported yet: it has no effect");
            let span = &line.first().span();
            self.report.add(
                Diagnostic::new("not-supported-yet", Severity::Notice, headline, span)
                    .info(format!("its meaning in keepalived: {}", keyword.help)),
            );
        }
    }

    /// A word without effect is reported once, at its first place, with how often it stands in the file.
    fn count_idle(&mut self) {
        for (at, times) in self.idle.values().filter(|(_, times)| *times > 1) {
            if let Some(found) = self.report.diagnostics.get_mut(*at) {
                let more = if *times == 2 { "1 more place" } else { &format!("{} more places", times - 1) };
                found.headline = format!("{} (here and in {more})", found.headline);
            }
        }
    }

    /// Whether the first argument is what the table asks for; reports it if not.
    fn check(&mut self, keyword: &'static Keyword, line: &Line) -> bool {
        if !matches!(keyword.value, Value::Script)
            && let Some(quote) = line.open_quote()
        {
            self.report.add(open_quote(&quote));
        }
        let Some(argument) = line.word(1) else {
            return self.check_missing(keyword, line);
        };
        if fits(keyword.value, argument.text) {
            return true;
        }
        let shown = if keyword.name == "auth_type" { MASK } else { argument.text };
        let headline = format!("`{shown}` is not valid for {}: the line is ignored", keyword.name);
        self.report.add(
            Diagnostic::new("invalid-value", Severity::Error, headline, &argument.span())
                .help(instruction(keyword)),
        );
        false
    }

    fn check_missing(&mut self, keyword: &'static Keyword, line: &Line) -> bool {
        let severity = match keyword.missing {
            // A script whose quote is open has an argument, just not one that the first look finds.
            _ if line.open_quote().is_some() && matches!(keyword.value, Value::Script) => return true,
            Missing::Allowed => return true,
            Missing::Reported => Severity::Error,
            Missing::Fatal => Severity::Fatal,
        };
        let headline = format!("{} needs a value", keyword.name);
        let mut diagnostic = Diagnostic::new("missing-argument", severity, headline, &line.first().span())
            .help(instruction(keyword));
        if severity == Severity::Fatal {
            diagnostic = diagnostic.info("the configuration cannot be used without it");
        }
        self.report.add(diagnostic);
        false
    }
}

/// Whether a word that does not belong into the block may be a password.
fn holds_secrets(block: &Block) -> bool {
    matches!(block.name, "authentication" | "auth_hmac")
}

/// Whether `word` is what the table asks for.
fn fits(wanted: Value, word: &str) -> bool {
    let inside = |number: Option<u64>, min, max| number.is_some_and(|number| (min..=max).contains(&number));
    match wanted {
        Value::Integer(min, max) => value::integer(word).is_some_and(|number| (min..=max).contains(&number)),
        Value::Seconds(min, max) => inside(value::micro(word), min, max),
        Value::Milliseconds(min, max) => inside(value::micro(word).map(|micro| micro / 1000), min, max),
        Value::Boolean => matches!(word, "on" | "off" | "true" | "false" | "yes" | "no"),
        Value::OneOf(choices) => choices.contains(&word),
        Value::OneOfAnyCase(choices) => choices.iter().any(|choice| choice.eq_ignore_ascii_case(word)),
        Value::Address => value::host_address(word).is_some(),
        Value::Flag | Value::Text | Value::Script | Value::Lines(_) | Value::Body(_) => true,
    }
}

/// What to write: the line, and in words what its argument is.
fn instruction(keyword: &Keyword) -> String {
    let argument = match keyword.value {
        Value::Flag | Value::Text | Value::Script | Value::Lines(_) | Value::Body(_) => {
            return format!("write {} {}", keyword.name, keyword.arguments);
        }
        Value::Seconds(..) | Value::Milliseconds(..) => {
            format!("{}, without a unit", explain::value(keyword.value))
        }
        Value::OneOf(choices) | Value::OneOfAnyCase(choices) => choices.join(" or "),
        Value::Boolean => "on, off, true, false, yes or no".to_owned(),
        other => explain::value(other),
    };
    format!("after {} write {argument}", keyword.name)
}

fn surplus_brace(place: &Span) -> Diagnostic {
    Diagnostic::new("surplus-brace", Severity::Error, "this } closes nothing", place)
        .info("every block that was open has been closed before it")
        .help("remove it, or look above for a } too many")
}

fn stray_brace(place: &Span, block: &'static Block) -> Diagnostic {
    Diagnostic::new("stray-brace", Severity::Error, "this { belongs to no keyword", place)
        .info(format!("it is ignored, and the }} that was meant for it closes {}", block.name))
        .help("remove it, and its } if it has one")
}

fn brace_in_list(place: &Span, keyword: &Keyword) -> Diagnostic {
    let headline = format!("this {{ does not belong into the list of {}", keyword.name);
    Diagnostic::new("stray-brace", Severity::Error, headline, place)
        .info(format!("it is ignored, and the }} that was meant for it ends {}", keyword.name))
        .help("remove it, and its } if it has one")
}
