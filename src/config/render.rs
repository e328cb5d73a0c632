//! Findings as text: with the line and a caret for a terminal, as one line for a log.
//!
//! Passwords in the shown source are masked, because such output ends up in tickets.

mod masked;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use self::masked::Masked;
use super::{Diagnostic, Prose, Report, Severity, SourceText, Span, json::Json, line_index::LineIndex};

/// Includes that a finding names; a file may include itself.
const MAX_CHAIN: usize = 16;
/// What is shown of a line, in bytes. Reading ignores longer lines, and then says only that.
const MAX_SHOWN: usize = 2048;

impl Report {
    /// The whole report without colour, for a file or a pipe; [`terminal`] can colour it.
    pub fn render(&self) -> String {
        terminal(self, false)
    }

    /// How many findings there are of each kind, and which keywords have no effect; `None` when nothing was found.
    pub fn summary(&self) -> Option<String> {
        let count = |word: &str| {
            let number =
                self.diagnostics.iter().filter(|found| severity_word(found.severity) == word).count();
            (number > 0).then(|| format!("{number} {word}{}", if number == 1 { "" } else { "s" }))
        };
        let mut text =
            ["error", "warning", "note"].into_iter().filter_map(count).collect::<Vec<_>>().join(", ");
        for (severity, title) in [
            (Severity::Warning, "without effect yet, though failover or the way of packets depends on them"),
            (Severity::Notice, "without effect yet"),
        ] {
            let words = self.idle_words().filter(|(_, of)| *of == severity).map(|(word, _)| word);
            let words: BTreeSet<_> = words.collect();
            if !words.is_empty() {
                let words = words.into_iter().collect::<Vec<_>>().join(", ");
                let _ = write!(text, "\n{title}: {}", harmless(&words));
            }
        }
        (!self.diagnostics.is_empty()).then_some(text)
    }

    /// One line for each finding, for a log.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let shown = Shown::new(self);
        self.diagnostics.iter().map(move |found| {
            let chain = shown.chain(found);
            chain.iter().fold(one_line(found), |line, from| format!("{line}; {}", harmless(from)))
        })
    }
}

/// The whole report for people; `colour` only where the output is a terminal.
pub fn terminal(report: &Report, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let shown = Shown::new(report);
    for diagnostic in &report.diagnostics {
        let line = diagnostic.span.as_ref().map(|span| shown.line(span)).unwrap_or_default();
        let chain = shown.chain(diagnostic);
        let chain: Vec<_> = chain.iter().map(|from| harmless(from)).collect();
        text.push_str(&renderer.render(&[group(&harmless_finding(diagnostic), &line, &chain)]));
        text.push_str("\n\n");
    }
    if let Some(summary) = report.summary() {
        text.push_str(&summary);
        text.push('\n');
    }
    text
}

/// The whole report as one line of JSON: a list of `{id, severity, at, headline, why, help, included}`.
pub fn json(report: &Report) -> String {
    let shown = Shown::new(report);
    let optional = |text: &Option<Prose>| text.as_ref().map_or(Json::Null, |text| Json::text(&**text));
    let findings = report.diagnostics.iter().map(|found| {
        Json::Object(vec![
            ("id", Json::text(found.id)),
            ("severity", Json::text(severity_word(found.severity))),
            ("at", Json::place(found.span.as_ref())),
            ("headline", Json::text(&*found.headline)),
            ("why", optional(&found.info)),
            ("help", optional(&found.help)),
            ("included", Json::List(shown.chain(found).into_iter().map(Json::Text).collect())),
        ])
    });
    Json::List(findings.collect()).line()
}

/// The files of a report, divided into lines.
struct Shown<'a>(BTreeMap<&'a str, (LineIndex<'a>, &'a SourceText)>, &'a Report);

impl<'a> Shown<'a> {
    fn new(report: &'a Report) -> Self {
        let file = |source: &'a SourceText| (&*source.name, (LineIndex::new(&source.text), source));
        let sources = if report.diagnostics.is_empty() { &[] } else { &*report.sources };
        // The first reading of a file is the one that is shown.
        Self(sources.iter().rev().map(file).collect(), report)
    }

    /// The source line of a span with the span's place in it, passwords masked.
    fn line(&self, span: &Span) -> Masked {
        let file = self.0.get(&*span.file);
        let line = file.and_then(|(lines, _)| lines.line(span.line));
        let line = line.map_or("", |line| &line[..line.floor_char_boundary(MAX_SHOWN)]);
        let line = line.trim_end_matches('\r');
        let mut hidden = masked::secrets(line, self.secret_from(span));
        if let Some(secrets) = self.1.secrets_in(span) {
            hidden.extend(secrets.found(line, 0));
        }
        Masked::new(line, hidden, span)
    }

    /// From which column on the line, or one that included its file, stands in a block with passwords.
    fn secret_from(&self, span: &Span) -> Option<usize> {
        let mut place = Some(span);
        for depth in 0..=MAX_CHAIN {
            let at = place?;
            let (_, source) = self.0.get(&*at.file)?;
            if let Some(column) = source.secret.get(&at.line) {
                // Of a file that is included there all of it.
                return Some(if depth == 0 { *column } else { 1 });
            }
            place = source.included_at.as_ref();
        }
        None
    }

    /// How the finding's file came to be read, innermost first; empty for the main file.
    fn chain(&self, found: &Diagnostic) -> Vec<String> {
        let mut chain = Vec::new();
        let mut span = found.span.as_ref();
        while let Some(at) = span.and_then(|span| self.0.get(&*span.file)?.1.included_at.as_ref()) {
            if chain.len() == MAX_CHAIN {
                break;
            }
            chain.push(format!("included from {}:{}:{}", at.file, at.line, at.column));
            span = Some(at);
        }
        chain
    }
}

/// One finding as one line: `FILE:LINE:COLUMN: error[ID]: headline; why; what to do`. Control characters are `?`.
pub fn one_line(diagnostic: &Diagnostic) -> String {
    let mut text = String::new();
    if let Some(span) = &diagnostic.span {
        // Writing to a String cannot fail.
        let _ = match span.line {
            0 => write!(text, "{}: ", span.file),
            line => write!(text, "{}:{line}:{}: ", span.file, span.column),
        };
    }
    let _ =
        write!(text, "{}[{}]: {}", severity_word(diagnostic.severity), diagnostic.id, diagnostic.headline);
    for more in [&diagnostic.info, &diagnostic.help].into_iter().flatten() {
        let _ = write!(text, "; {more}");
    }
    harmless(&text)
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "note",
        Severity::Warning | Severity::Security => "warning",
        Severity::Error | Severity::Refused | Severity::Unreadable | Severity::NoFile | Severity::Fatal => {
            "error"
        }
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, line: &'a Masked, chain: &'a [String]) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Notice => Level::NOTE,
        Severity::Warning | Severity::Security => Level::WARNING,
        _ => Level::ERROR,
    };
    let title = level.primary_title(&*diagnostic.headline).id(diagnostic.id);
    let mut group = Group::with_title(title);
    if let Some(span) = diagnostic.span.as_ref().filter(|span| span.line > 0) {
        let snippet = Snippet::source(&*line.text).line_start(span.line).path(&*span.file);
        group = group.element(snippet.annotation(AnnotationKind::Primary.span(line.place.clone())));
    }
    for from in chain {
        group = group.element(Level::NOTE.message(&**from));
    }
    if let Some(info) = &diagnostic.info {
        group = group.element(Level::NOTE.message(&**info));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(&**help));
    }
    group
}

/// Text that ends no line and moves no cursor: names come from files and folders, and may hold anything.
pub(super) fn harmless(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// The finding with harmless texts.
fn harmless_finding(found: &Diagnostic) -> Diagnostic {
    let more = |text: &Option<Prose>| text.as_deref().map(|text| harmless(text).into());
    Diagnostic {
        id: found.id,
        severity: found.severity,
        headline: harmless(&found.headline).into(),
        span: found.span.as_ref().map(|span| Span { file: harmless(&span.file).into(), ..span.clone() }),
        info: more(&found.info),
        help: more(&found.help),
        word: found.word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(line: &str, column: usize, length: usize) -> Report {
        let span = Span { file: "a.conf".into(), line: 1, column, length };
        let finding = Diagnostic::new("some-id", Severity::Error, "something is wrong", &span)
            .info("it matters")
            .help("write it differently");
        Report {
            kinds: Default::default(),
            diagnostics: vec![finding],
            sources: vec![SourceText {
                name: "a.conf".into(),
                text: line.to_owned().into(),
                included_at: None,
                secret: Default::default(),
            }],
            ..Report::default()
        }
    }

    #[test]
    fn a_log_line_holds_everything() {
        assert_eq!(
            one_line(&report("x", 1, 1).diagnostics[0]),
            "a.conf:1:1: error[some-id]: something is wrong; it matters; write it differently"
        );
    }

    #[test]
    fn the_terminal_shows_the_place() {
        let text = terminal(&report("\tpriority 300", 11, 3), false);
        assert!(text.contains("a.conf:1:11") && text.contains("^^^"), "{text}");
    }

    #[test]
    fn a_password_is_masked() {
        let text = terminal(&report("  auth_pass geheimnis", 13, 9), false);
        assert!(text.contains(" auth_pass ********\n") && text.contains(" ^^^^^^^^\n"), "{text}");
    }
}
