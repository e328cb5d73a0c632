//! Physical lines to logical ones.

use memchr::memchr;

use super::{
    Item, Reader,
    expansion::{MAX_EXPANDED, MAX_EXPANSIONS, MAX_WRITTEN},
    parameter::definition,
};
use crate::config::{
    Diagnostic, Severity, Span,
    text::{Line, Piece, Text},
    tree,
};

/// The longest physical line, as keepalived has it.
const MAX_LINE_BYTES: usize = 1023;

impl Reader<'_> {
    /// A line of a file that is read within so many definitions and sequences.
    pub(super) fn physical_line(&mut self, mut text: Text, depth: usize) {
        text.trim_return();
        let line = text.as_str();
        if line.len() > MAX_LINE_BYTES {
            let place = Span { length: 0, ..text.span() };
            let headline = format!("line of {} bytes is too long and is ignored", line.len());
            self.report.add(
                Diagnostic::new("line-too-long", Severity::Error, headline, &place)
                    .help(format!("a line holds at most {MAX_LINE_BYTES} bytes: split it")),
            );
            return;
        }
        if text.may_have_nul() && line.as_bytes().contains(&0) {
            let headline = "line contains NUL bytes, which are ignored";
            let place = Span { length: 0, ..text.span() };
            self.report.add(
                Diagnostic::new("nul-byte", Severity::Error, headline, &place)
                    .help("save the file as plain text"),
            );
            text = text.without_nul();
        }
        if self.defining.is_none() && text.is_plain() {
            text.trim();
            self.report_lookalike(&text);
            if !text.is_empty() && !self.include(&text, depth) {
                self.emit(text);
            }
            return;
        }
        let whole = text.clone();
        let stripped = text.strip();
        if let Some((mark, place)) = stripped.cut_word {
            self.report_cut_word(mark, &place);
        }
        if let Some(quote) = stripped.open_quote.filter(|_| self.keeps(&text)) {
            self.report.add(tree::open_quote(&quote));
        }
        self.report_lookalike(&text);
        // Within a definition the mark counts at the end of a comment, too.
        let (whole, kept) = (whole.as_str(), text.as_str());
        let commented = whole.ends_with('\\') && (kept.is_empty() || !whole.ends_with(kept));
        let continued = stripped.continued || commented;
        if self.defining.is_some() {
            self.continue_definition(&text, continued);
        } else if !text.is_empty() {
            self.logical(text, continued, depth);
        }
    }

    /// Whether reading itself keeps a line, so that nobody looks at its words: it is part of a definition, or for other
    /// routers.
    fn keeps(&self, text: &Text) -> bool {
        match text.as_str().as_bytes().first() {
            _ if self.defining.is_some() => true,
            Some(b'$') => definition(text).is_some(),
            Some(b'@') => {
                self.conditional(text).is_none_or(|rest| rest.is_empty() || definition(&rest).is_some())
            }
            _ => false,
        }
    }

    fn report_cut_word(&mut self, mark: char, place: &Span) {
        let headline = format!("`{mark}` in the middle of a word begins a comment");
        self.report.add(
            Diagnostic::new("comment-inside-word", Severity::Notice, headline, place)
                .info("the value ends before it, as in keepalived: of a password k@l!ve only k@l counts, on every router")
                .help(format!(
                    "put the word in double quotes, or write \\{mark}, to keep it; put a blank before a comment"
                )),
        );
    }

    /// Conditionals, includes, definitions and substitution, again and again until the line is plain.
    pub(super) fn logical(&mut self, mut text: Text, mut continued: bool, depth: usize) {
        for _ in 0..MAX_EXPANSIONS {
            if self.include(&text, depth) {
                return;
            }
            match text.as_str().as_bytes().first() {
                Some(b'@') => {
                    let Some(rest) = self.conditional(&text) else {
                        return;
                    };
                    text = rest;
                    continue;
                }
                Some(b'~') if self.iteration(&text, depth) => return,
                Some(b'$') => {
                    if let Some((name, value)) = definition(&text) {
                        self.secrets.defined(&name, &text.span());
                        return self.define(name, value, continued);
                    }
                }
                _ => {}
            }
            let may_be_written = self.written <= MAX_WRITTEN || !text.as_str().contains('$');
            if text.as_str().len() > MAX_EXPANDED || !may_be_written {
                break;
            }
            let Some((line, at, value)) = self.substitute(&text, text.as_str().len()) else {
                return self.emit(text);
            };
            text = line;
            continued = text.strip_from(at).continued;
            if value.len() > 1 {
                return self.repeat(text, value, depth);
            }
            if text.is_empty() {
                return;
            }
        }
        self.report_endless(&text);
    }

    /// `@ID rest` and `@^ID rest`: the rest if the line is for this id.
    fn conditional(&self, text: &Text) -> Option<Text> {
        let word = text.first_word();
        let (negated, id) = match word.strip_prefix("@^") {
            Some(id) => (true, id),
            None => (false, word.strip_prefix('@').unwrap_or(word)),
        };
        let rest = text.after(word.len());
        ((id == self.parameters.config_id) != negated && !rest.is_empty()).then_some(rest)
    }

    fn emit(&mut self, text: Text) {
        // Nearly no line has one.
        if memchr(b'$', text.as_str().as_bytes()).is_some() {
            self.notice_undefined(&text);
        }
        text.split_braces(|piece| match piece {
            Piece::Open(place) => self.items.push_back(Item::Open(place)),
            Piece::Close(place) => self.items.push_back(Item::Close(place)),
            Piece::Words(text) => match Line::new(text) {
                Ok(line) => {
                    self.notice(&line);
                    self.items.push_back(Item::Line(line));
                }
                Err(Some(open_quote)) => self.report.add(tree::open_quote(&open_quote)),
                Err(None) => {}
            },
        });
    }

    /// The words of `global_defs` that change how the rest is read.
    fn notice(&mut self, line: &Line) {
        match line.first().text {
            "include_check" => self.checks = self.checks.changed(line.words(1)),
            "random_seed" => {
                if let Some(seed) = line.word(1).and_then(|word| word.text.parse().ok()) {
                    self.parameters.seed(seed);
                }
            }
            _ => {}
        }
    }
}
