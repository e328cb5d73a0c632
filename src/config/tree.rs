//! Logical lines to a tree of keywords, by the tables of [`super::keywords`].
//!
//! Each line is looked up in the table of the block it stands in. What keepalived does with lines it does not
//! understand is kept, because files rely on it: an unknown word that opens a block does not open one here either,
//! so its `}` closes the block around it. The report says so, for nobody expects it.

mod astray;
mod messages;
mod opened;

use std::{collections::HashMap, ops::RangeInclusive, path::Path, sync::Arc};

pub(super) use self::messages::{instruction, open_quote};
use self::{astray::Astray, opened::Opened};
use super::{
    Diagnostic, Environment, Options, Prose, Report, Severity, Span, explain, idle,
    keywords::{self, Block, Keyword, Missing, Status, Surplus, Value},
    secrets::MASK,
    source::{self, Item, Reader},
    surplus,
    text::{Line, Text, Word},
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
    /// What made the block end before its end, so that nobody knows what its file meant it to hold.
    pub(super) cut_by: Option<Box<Span>>,
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

    /// The first argument, or what the word means alone.
    pub(super) fn argument_or_bare(&self) -> Option<&str> {
        let bare = if self.valid { self.keyword.bare } else { "" };
        self.argument().map_or((!bare.is_empty()).then_some(bare), |word| Some(word.text))
    }

    /// The first argument as a number, if it is one in the table's range.
    pub(super) fn integer(&self) -> Option<i64> {
        value::integer(self.argument_or_bare()?)
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
        path: Vec::new(),
        opening: None,
        parameter: false,
        astray: None,
        idle: HashMap::new(),
        secret: Vec::new(),
        openers: Vec::new(),
        open: Vec::new(),
        guarded: false,
        last: Vec::new(),
        finished: Vec::new(),
    };
    let nodes = builder.block(keywords::ROOT, None).into_vec();
    builder.found_again();
    builder.count_idle();
    let (secret, openers) = (builder.secret, builder.openers);
    report.append(found);
    tell_secrets(secret, openers, report);
    nodes
}

fn tell_secrets(secret: Vec<(Arc<str>, RangeInclusive<usize>)>, openers: Vec<Span>, report: &mut Report) {
    let mut lines: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    for (file, range) in secret {
        lines.entry(file).or_default().extend(range);
    }
    for source in &mut report.sources {
        let lines = lines.remove(&source.name).unwrap_or_default();
        source.secret.extend(lines.into_iter().map(|line| (line, 1)));
    }
    // Before the brace of such a block stands a word, no password.
    for place in openers {
        if let Some(source) = report.sources.iter_mut().find(|source| source.name == place.file) {
            source.secret.insert(place.line, place.column);
        }
    }
}

struct Builder<'a> {
    items: std::iter::Peekable<Reader<'a>>,
    report: &'a mut Report,
    /// Inside a block that has no effect yet: its words are checked, but not each reported as without effect.
    quiet: bool,
    /// The blocks around the current line as the braces have them; `None` for lists and blocks that do not exist.
    /// Reading agrees with them except after an unknown word that opens a block.
    path: Vec<Option<&'static Block>>,
    /// What the next `{` opens.
    opening: Option<&'static Block>,
    /// The last line ends in `$`: a brace behind it belongs to a parameter that nobody defined.
    parameter: bool,
    /// From an unknown word that opens a block, or a brace of no word, to where every brace is closed.
    astray: Option<Astray>,
    /// Lines of blocks with passwords, by file.
    secret: Vec<(Arc<str>, RangeInclusive<usize>)>,
    /// Braces of misspelt blocks with passwords, the first brace of their line.
    openers: Vec<Span>,
    /// The blocks around the current line as they are read, outermost first.
    open: Vec<Opened>,
    /// What is read now is taken for the content of a block with passwords.
    guarded: bool,
    /// The last item of each file in the block with passwords around the current line, that of the current file last.
    last: Vec<(Arc<str>, usize)>,
    /// The lines of the blocks around the current one that are finished: each block takes its own off the end.
    finished: Vec<Node>,
    /// Words without effect: where the report has them, and how often they came.
    idle: HashMap<&'static str, (usize, usize)>,
}

impl Builder<'_> {
    /// The next item. Braces move along the path; when the last is closed, nothing is astray any more.
    fn next(&mut self) -> Option<Item> {
        if self.path.is_empty() {
            self.found_again();
        }
        let item = self.items.next();
        self.keep_secret(item.as_ref());
        match &item {
            Some(Item::Open(_)) => self.path.push(self.opening.take()),
            Some(Item::Close(_)) => drop(self.path.pop()),
            Some(Item::Line(_)) | None => {}
        }
        self.opening = None;
        self.parameter = match &item {
            Some(Item::Line(line)) => line.text.as_str().ends_with('$'),
            Some(Item::Open(_)) => self.parameter,
            _ => false,
        };
        item
    }

    /// The keywords of one block up to its `}`; `opened_by` is its keyword, `None` at the top level.
    fn block(&mut self, block: &'static Block, opened_by: Option<&Line>) -> Box<[Node]> {
        let around = std::mem::replace(&mut self.guarded, block.holds_secrets);
        if let Some(opener) = opened_by {
            if self.guarded {
                self.last_item(&opener.text);
            }
            self.opening_brace(opener);
            self.open.push(Opened::new(block, &opener.text));
        }
        let first = self.finished.len();
        self.nodes(block, opened_by);
        self.open.pop();
        self.guarded = around;
        self.finished.drain(first..).collect()
    }

    /// Finishes the lines of one block.
    fn nodes(&mut self, block: &'static Block, opened_by: Option<&Line>) {
        while let Some(item) = self.next() {
            match item {
                Item::Close(_) if opened_by.is_some() => return,
                Item::Close(_) | Item::Open(_) if self.astray.is_some() => {}
                Item::Close(place) => self.report.add(messages::surplus_brace(&place.span())),
                Item::Open(place) => {
                    let found = self.report.diagnostics.len();
                    self.report.add(messages::stray_brace(&place.span(), block, self.parameter));
                    self.astray = Some(Astray::new(found, block, self.path.len() - 1, place.line_number()));
                }
                Item::Line(line) => match block.keyword(line.first().text) {
                    Some(keyword) => {
                        self.count_taken(block);
                        if let Some(node) = self.node(keyword, block, line) {
                            self.finished.push(node);
                        }
                    }
                    None if self.astray.is_some() => self.line_astray(&line),
                    None => self.unknown(&line, block),
                },
            }
        }
        self.unclosed(opened_by);
    }

    /// Marks the lines from a file's last item in a block with passwords, or in what is meant for one, to this one: what
    /// stands between them was dropped by reading, and may be a password as well.
    fn keep_secret(&mut self, item: Option<&Item>) {
        let Some(item) = item else { return };
        let meant = [self.opening, self.path.last().copied().flatten()];
        if !self.guarded && !meant.into_iter().flatten().any(|block| block.holds_secrets) {
            self.last.clear();
            return;
        }
        let place = match item {
            Item::Open(place) | Item::Close(place) => place,
            Item::Line(line) => &line.text,
        };
        let line = place.line_number();
        let before = self.last_item(place);
        let known =
            |(file, lines): &(Arc<str>, RangeInclusive<usize>)| lines.contains(&line) && file == place.file();
        let begins = before.is_none() && !self.guarded && matches!(item, Item::Open(_));
        if begins && !self.secret.last().is_some_and(known) {
            self.openers.push(place.span());
        }
        let from = before.unwrap_or(line);
        let (first, last) = (from.min(line), from.max(line));
        match self.secret.last_mut() {
            // Nearly always a line goes on where the one before ended.
            Some((file, lines)) if lines.contains(&first) && file == place.file() => {
                *lines = *lines.start()..=last.max(*lines.end());
            }
            _ => self.secret.push((Arc::clone(place.file()), first..=last)),
        }
    }

    /// Remembers an item as the last of its file; the line of the one before.
    fn last_item(&mut self, place: &Text) -> Option<usize> {
        let line = place.line_number();
        // Nearly always it is the file of the item before, so that one stands last.
        let end = self.last.len();
        match self.last.iter().rposition(|(file, _)| file == place.file()) {
            Some(at) => {
                self.last.swap(at, end - 1);
                Some(std::mem::replace(&mut self.last[end - 1].1, line))
            }
            None => {
                self.last.push((Arc::clone(place.file()), line));
                None
            }
        }
    }

    fn node(&mut self, keyword: &'static Keyword, stands_in: &Block, line: Line) -> Option<Node> {
        if let Status::Removed(why) = keyword.status {
            let headline = format!("{} is no longer a keyword: the line is ignored", keyword.name);
            self.report.add(
                Diagnostic::new("removed-keyword", Severity::Error, headline, &line.first().span()).help(why),
            );
            return None;
        }
        let valid = self.check(keyword, stands_in, &line);
        self.report_status(keyword, &line);
        let was_quiet = self.quiet;
        self.quiet |= !keyword.works();
        let body = match keyword.value {
            Value::Body(inner) => {
                self.opening = Some(inner);
                Body::Nodes(self.block(inner, Some(&line)))
            }
            Value::Lines(_) => Body::Lines(self.entries(keyword, &line).into()),
            _ => Body::None,
        };
        self.quiet = was_quiet;
        let cut_by = matches!(body, Body::Nodes(_)).then(|| self.culprit()).flatten();
        Some(Node { keyword, line, body, valid, cut_by })
    }

    /// Where reading went astray, if it still is.
    fn culprit(&self) -> Option<Box<Span>> {
        let found = self.report.diagnostics.get(self.astray.as_ref()?.found)?;
        found.span.clone().map(Box::new)
    }

    /// The lines of a list up to its `}`.
    fn entries(&mut self, keyword: &'static Keyword, opener: &Line) -> Vec<Line> {
        if keyword.missing == Missing::Allowed
            && let Some(extra) = opener.word(1)
        {
            let has_brace = matches!(self.items.peek(), Some(Item::Open(_)));
            self.report.add(messages::line_before_list(keyword, extra, has_brace));
        }
        let around = self.path.last().map_or(Some(keywords::ROOT), |block| *block);
        self.opening_brace(opener);
        let mut entries = Vec::new();
        let mut behind = None;
        while let Some(item) = self.next() {
            match item {
                Item::Close(_) => {
                    self.report.add_all(behind);
                    return entries;
                }
                Item::Open(place) => {
                    let parameter = self.parameter;
                    self.report.add(messages::brace_in_list(&place.span(), keyword, parameter));
                }
                Item::Line(line) => {
                    if let Some(quote) = line.open_quote() {
                        self.report.add(open_quote(&quote));
                    }
                    if behind.is_none() {
                        behind = messages::setting_in_list(keyword, around, &line, &opener.first().span());
                    }
                    entries.push(line);
                }
            }
        }
        self.report.add_all(behind);
        self.unclosed(Some(opener));
        entries
    }

    fn opening_brace(&mut self, opener: &Line) {
        if !self.takes_opening_brace() {
            self.report.add(messages::missing_brace(&opener.first().span()));
        }
    }

    fn takes_opening_brace(&mut self) -> bool {
        let opens = matches!(self.items.peek(), Some(Item::Open(_)));
        if opens {
            self.next();
        }
        opens
    }

    fn unclosed(&mut self, opened_by: Option<&Line>) {
        if let Some(opener) = opened_by {
            self.report.add(messages::unclosed_block(&opener.first().span()));
        }
    }

    fn unknown(&mut self, line: &Line, block: &'static Block) {
        // In a file that is no configuration, looking for what each word may mean would take most of the time.
        if self.report.counts_only("unknown-keyword", Severity::Error, Some(&line.first().span())) {
            self.takes_opening_brace();
            return;
        }
        let depth = self.path.len();
        self.report.add(messages::unknown_keyword(line, block, &self.open));
        let found = self.report.diagnostics.len().saturating_sub(1);
        self.opening = meant(block, line.first().text);
        if self.takes_opening_brace() {
            self.astray = Some(Astray::new(found, block, depth, line.first().span().line));
        }
    }

    /// A line that is not read. What it is meant for is known from the braces, so its mistakes are named all the same.
    fn line_astray(&mut self, line: &Line) {
        let word = line.first();
        let meant_for = self.path.last().map_or(Some(keywords::ROOT), |block| *block);
        let opens = match meant_for.map(|block| (block, block.keyword(word.text))) {
            Some((block, Some(keyword))) => {
                self.check_unread(keyword, block, line);
                if let Value::Body(inner) = keyword.value { Some(inner) } else { None }
            }
            Some(_) if self.report.counts_only("unknown-keyword", Severity::Error, Some(&word.span())) => {
                None
            }
            Some((block, None)) => {
                self.report.add(messages::unknown_keyword(line, block, &[]));
                meant(block, word.text)
            }
            None => None,
        };
        if let Some(astray) = &mut self.astray {
            astray.count_unread(self.path.len(), line.text.line_number());
        }
        self.opening = opens;
        self.takes_opening_brace();
    }

    /// What is wrong with the value of a line that is not read never ends the program.
    fn check_unread(&mut self, keyword: &'static Keyword, block: &Block, line: &Line) {
        let before = self.report.diagnostics.len();
        self.check(keyword, block, line);
        for found in &mut self.report.diagnostics[before..] {
            found.severity = found.severity.min(Severity::Error);
        }
    }

    /// Counts a line that is taken for one of the block, though it stands in another one.
    fn count_taken(&mut self, block: &'static Block) {
        let stands_in = self.path.last().map_or(Some(keywords::ROOT), |block| *block);
        if let Some(astray) = &mut self.astray
            && !stands_in.is_some_and(|stands_in| std::ptr::eq(stands_in, block))
        {
            astray.taken += 1;
        }
    }

    /// Says at an unknown block what it cost, now that it is known.
    fn found_again(&mut self) {
        let Some(astray) = self.astray.take() else { return };
        let Some(found) = self.report.diagnostics.get_mut(astray.found) else { return };
        let why = found.info.take().map(|info| info.to_string());
        let costs: Vec<String> = why.into_iter().chain(astray.costs()).collect();
        found.info = (!costs.is_empty()).then(|| costs.join("; ").into());
    }

    fn report_status(&mut self, keyword: &'static Keyword, line: &Line) {
        let name = keyword.name;
        if let Status::Outdated(instead) = keyword.status {
            let span = &line.first().span();
            let headline = Prose::own(format!("{name} is deprecated"));
            self.report.add(
                Diagnostic::new("deprecated", Severity::Error, headline, span)
                    .help(Prose::own(format!("use {instead}"))),
            );
        }
        if !keyword.works() && !self.quiet {
            if let Some((_, times)) = self.idle.get_mut(name) {
                *times += 1;
                return;
            }
            self.idle.insert(name, (self.report.diagnostics.len(), 1));
            let (severity, info) = match idle::without(name) {
                Some(consequence) => (Severity::Warning, consequence.into()),
                None => {
                    (Severity::Notice, Prose::own(format!("its meaning in keepalived: {}", keyword.help)))
                }
            };
            let headline = match keyword.status {
                Status::Until(what) => format!("{name} has no effect until {what}"),
                _ => format!("{name} is not supported yet: it has no effect"),
            };
            let headline = Prose::own(headline);
            let span = &line.first().span();
            let found = Diagnostic::new("not-supported-yet", severity, headline, span);
            self.report.add(found.info(info).idle(name));
        }
    }

    /// A word without effect is reported once, at its first place, with how often it stands in the file.
    fn count_idle(&mut self) {
        for (at, times) in self.idle.values().filter(|(_, times)| *times > 1) {
            if let Some(found) = self.report.diagnostics.get_mut(*at) {
                let more = if *times == 2 { "1 more place" } else { &format!("{} more places", times - 1) };
                found.headline = Prose::own(format!("{} (here and in {more})", found.headline));
            }
        }
    }

    /// Whether the first argument is what the table asks for; reports it if not.
    fn check(&mut self, keyword: &'static Keyword, block: &Block, line: &Line) -> bool {
        if !matches!(keyword.value, Value::Script)
            && let Some(quote) = line.open_quote()
        {
            self.report.add(open_quote(&quote));
        }
        let Some(argument) = line.word(1) else {
            return self.check_missing(keyword, line);
        };
        if let Some(surplus) = surplus::check(keyword, block, line) {
            self.report.add(surplus);
            if keyword.surplus != Surplus::Ignored {
                return false;
            }
        }
        if keyword.secret
            && let Some(stars) = line.words(1).find(|word| word.text == MASK)
        {
            self.report.add(messages::masked_secret(keyword, &stars.span()));
            return false;
        }
        if fits(keyword.value, argument.text) {
            return true;
        }
        let shown = if block.holds_secrets { MASK } else { argument.text };
        let headline = format!("`{shown}` is not valid for {}: the line is ignored", keyword.name);
        self.report.add(
            Diagnostic::new("invalid-value", Severity::Error, headline, &argument.span())
                .info(match &*self.without(keyword) {
                    "" => "nothing is set in its place".into(),
                    default => Prose::own(format!("what holds without it: {default}")),
                })
                .help(instruction(keyword, argument.text)),
        );
        false
    }

    /// What holds in the current block without a word.
    fn without(&self, keyword: &'static Keyword) -> String {
        let block = self.path.last().copied().flatten();
        let block = block.filter(|block| block.keyword(keyword.name).is_some());
        explain::default(block.unwrap_or(keywords::ROOT), keyword)
    }

    fn check_missing(&mut self, keyword: &'static Keyword, line: &Line) -> bool {
        let severity = match keyword.missing {
            // A script whose quote is open has an argument, just not one that the first look finds.
            _ if line.open_quote().is_some() && matches!(keyword.value, Value::Script) => return true,
            Missing::Allowed => return true,
            Missing::Reported => Severity::Error,
            Missing::Fatal => Severity::Fatal,
        };
        let headline = Prose::own(format!("{} needs a value", keyword.name));
        let mut diagnostic = Diagnostic::new("missing-argument", severity, headline, &line.first().span())
            .help(instruction(keyword, ""));
        if severity == Severity::Fatal {
            diagnostic = diagnostic.info("the configuration cannot be used without it");
        }
        self.report.add(diagnostic);
        false
    }
}

/// Whether `word` is what the table asks for.
pub(super) fn fits(wanted: Value, word: &str) -> bool {
    let inside = |number: Option<u64>, min, max| number.is_some_and(|number| (min..=max).contains(&number));
    match wanted {
        Value::Integer(min, max) => value::integer(word).is_some_and(|number| (min..=max).contains(&number)),
        Value::Seconds(min, max) => inside(value::micro(word), min, max),
        Value::Milliseconds(min, max) => inside(value::micro(word).map(|micro| micro / 1000), min, max),
        Value::Boolean => matches!(word, "on" | "off" | "true" | "false" | "yes" | "no"),
        Value::OneOf(choices) => choices.contains(&word),
        Value::OneOfAnyCase(choices) => choices.iter().any(|choice| choice.eq_ignore_ascii_case(word)),
        Value::Numeral(min, max) => inside(value::numeral(word), min, max),
        Value::Address => value::host_address(word).is_some(),
        Value::Network => value::network(word).is_some(),
        Value::Interface => value::is_interface_name(word),
        // A name needs the system to be judged.
        Value::Named(_) => true,
        Value::Flag | Value::Text | Value::Script | Value::Lines(_) | Value::Body(_) => true,
    }
}

/// The block that a misspelt word is meant to open.
fn meant(block: &'static Block, word: &str) -> Option<&'static Block> {
    match block.keyword(keywords::similar(block, word)?)?.value {
        Value::Body(inner) => Some(inner),
        _ => None,
    }
}
