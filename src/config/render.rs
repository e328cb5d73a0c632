//! Findings as text: with the line and a caret for a terminal, as one line for a log.
//!
//! Passwords in the shown source are masked, because such output ends up in tickets.

use std::{collections::BTreeMap, fmt::Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Report, Severity, SourceText, Span, json::Json};

/// Includes that a finding names; a file may include itself.
const MAX_CHAIN: usize = 16;

impl Report {
    /// The whole report without colour, for a file or a pipe; [`terminal`] can colour it.
    pub fn render(&self) -> String {
        terminal(self, false)
    }

    /// One line for each finding, for a log.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let shown = Shown::new(self);
        self.diagnostics.iter().map(move |found| {
            let chain = shown.chain(found);
            chain.iter().fold(one_line(found), |line, from| format!("{line}; {from}"))
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
        text.push_str(&renderer.render(&[group(diagnostic, &line, &chain)]));
        text.push_str("\n\n");
    }
    text
}

/// The whole report as one line of JSON: a list of `{id, severity, at, headline, why, help, included}`.
pub fn json(report: &Report) -> String {
    let shown = Shown::new(report);
    let optional = |text: &Option<String>| text.as_ref().map_or(Json::Null, |text| Json::text(&**text));
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
struct Shown<'a>(BTreeMap<&'a str, (Vec<&'a str>, Option<&'a Span>)>);

impl<'a> Shown<'a> {
    fn new(report: &'a Report) -> Self {
        let file = |source: &'a SourceText| {
            (&*source.name, (source.text.split('\n').collect(), source.included_at.as_ref()))
        };
        // The first reading of a file is the one that is shown.
        Self(report.sources.iter().rev().map(file).collect())
    }

    /// The source line of a span, control characters blanked and passwords masked.
    fn line(&self, span: &Span) -> String {
        let file = self.0.get(&*span.file);
        let line = file.and_then(|(lines, _)| lines.get(span.line.wrapping_sub(1)));
        mask(line.map_or("", |line| line.trim_end_matches('\r')))
    }

    /// How the finding's file came to be read, innermost first; empty for the main file.
    fn chain(&self, found: &Diagnostic) -> Vec<String> {
        let mut chain = Vec::new();
        let mut span = found.span.as_ref();
        while let Some((_, Some(at))) = span.and_then(|span| self.0.get(&*span.file)) {
            if chain.len() == MAX_CHAIN {
                break;
            }
            chain.push(format!("included from {}:{}:{}", at.file, at.line, at.column));
            span = Some(at);
        }
        chain
    }
}

/// One finding as one line: `FILE:LINE:COLUMN: error[ID]: headline; why; what to do`.
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
    text
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "note",
        Severity::Security => "warning",
        Severity::Error | Severity::Refused | Severity::NoFile | Severity::Fatal => "error",
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, line: &'a str, chain: &'a [String]) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Notice => Level::NOTE,
        Severity::Security => Level::WARNING,
        _ => Level::ERROR,
    };
    let title = level.primary_title(&*diagnostic.headline).id(diagnostic.id);
    let mut group = Group::with_title(title);
    if let Some(span) = diagnostic.span.as_ref().filter(|span| span.line > 0) {
        let place = byte_range(line, span);
        let snippet = Snippet::source(line).line_start(span.line).path(&*span.file);
        group = group.element(snippet.annotation(AnnotationKind::Primary.span(place)));
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

/// Puts `*` for every character of the value of a secret.
fn mask(line: &str) -> String {
    let secret = ["auth_pass", "password", "key"].into_iter().find_map(|word| {
        let at = line.find(word)?;
        let first = line[..at].chars().all(|c| c.is_whitespace() || c == '{');
        let whole = line[at + word.len()..].starts_with(char::is_whitespace);
        (word == "auth_pass" || first && whole).then_some(at + word.len())
    });
    let Some(at) = secret else {
        return line.replace(char::is_control, " ");
    };
    let (before, value) = line.split_at(at);
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    before
        .chars()
        .map(blank)
        .chain(value.chars().map(|c| if c.is_whitespace() { ' ' } else { '*' }))
        .collect()
}

fn byte_range(line: &str, span: &Span) -> std::ops::Range<usize> {
    let byte = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    let start = span.column.saturating_sub(1);
    byte(start)..byte(start + span.length)
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
            diagnostics: vec![finding],
            sources: vec![SourceText { name: "a.conf".into(), text: line.into(), included_at: None }],
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
        assert!(!text.contains("geheimnis") && text.contains("*********"), "{text}");
    }
}
