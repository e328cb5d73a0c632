//! The configuration language: text to tree to [`Config`](config::Config), every way of showing it, and back.

use std::{fmt::Write, path::Path};

use steadfast::config::{
    self, Diagnostic, Options, Reading, Report, compare, peers, render, show, show::Item,
};

use super::files::{Files, MAIN};

/// The longest physical line that reading takes: what expands to more cannot be written as one line again.
const MAX_LINE_BYTES: usize = 1023;

/// Reads the input, shows everything about it, and reads the effective configuration again.
pub fn check(input: &[u8]) {
    let files = Files::of(input);
    let (_, report) = load(&files);
    look_at(&report);
    let (all, _) = effective(&files, true);
    show::json(&all);
    show::text(&all);
    let (written, _) = effective(&files, false);
    let first = read(&files);
    assert_eq!(first.items, written);
    assert_eq!(compare::changes(&first, &first), [], "a configuration differs from itself");
    let text = show::text(&written);
    let again = Files::default().with(MAIN, &*text);
    let second = read(&again);
    assert_eq!(second.report.lines().count(), second.report.diagnostics.len());
    let mut findings = Report::default();
    peers::check(&first, &second, &mut findings);
    assert_eq!(findings.lines().count(), findings.diagnostics.len());
    if text.lines().all(reads_as_it_stands) {
        assert_eq!(outline(&written), outline(&second.items), "shown and read again:\n{text}");
    }
}

fn load(files: &Files) -> (Option<config::Config>, Report) {
    config::load_with(Path::new(MAIN), &options(), files)
}

fn read(files: &Files) -> Reading {
    Reading::new(Path::new(MAIN), &options(), files)
}

fn effective(files: &Files, defaults: bool) -> (Vec<Item>, Report) {
    config::effective(Path::new(MAIN), &options(), defaults, files)
}

fn options() -> Options<'static> {
    Options { config_id: Some("router1"), ..Options::default() }
}

/// Whether a line of [`show::text`] means itself. A word that stands behind a brace is only a word; at the beginning
/// of a line it may be a command to the reader.
fn reads_as_it_stands(line: &str) -> bool {
    let line = line.trim_start();
    line.len() <= MAX_LINE_BYTES && !line.starts_with(['@', '~', '$']) && !line.starts_with("include")
}

/// Everything that can be said of findings.
fn look_at(report: &Report) {
    let count = report.diagnostics.len();
    assert_eq!(report.lines().count(), count);
    let plain = report.render();
    assert_eq!(plain.is_empty(), count == 0);
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!plain.contains(control), "a control character reaches the terminal: {plain:?}");
    assert!(
        report.lines().all(|line| !line.contains(char::is_control)),
        "a control character reaches the log"
    );
    render::terminal(report, true);
    assert_eq!(render::json(report).lines().count(), 1, "the findings as JSON are not one line");
    report.diagnostics.iter().for_each(|found| is_placed(found, report));
    report.test_exit();
    report.start_exit();
}

/// A finding's line exists.
fn is_placed(found: &Diagnostic, report: &Report) {
    assert!(!found.headline.is_empty());
    let Some(span) = found.span.as_ref().filter(|span| span.line > 0) else { return };
    let source = report.sources.iter().find(|source| source.name == span.file);
    let source = source.unwrap_or_else(|| panic!("{found:?} is in a file that was not read"));
    assert!(source.text.split('\n').count() >= span.line, "{found:?} is behind the end of {}", source.name);
}

/// What items say, without where they are written.
fn outline(items: &[Item]) -> String {
    fn write(items: &[Item], depth: usize, out: &mut String) {
        for item in items {
            let opens = if item.items.is_some() { " {" } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{:depth$}{}{opens}", "", item.line());
            write(item.items.as_deref().unwrap_or_default(), depth + 1, out);
        }
    }
    let mut out = String::new();
    write(items, 0, &mut out);
    out
}
