//! Message for message: what keepalived's configuration test says of a file beside what ours says.
//!
//! `messages.tsv` is the dictionary: a pattern of keepalived's (`*` stands for any text), how its place is compared, the
//! ids that say the same here, and, for a message without counterpart, why there is none. A pattern may have several rows.
//! An error or warning of ours without counterpart has to stand, by its id, in the table of findings in
//! `docs/differences.md`, unless keepalived had stopped reading before it came to it.

use std::{collections::BTreeSet, fs};

use steadfast::config::{Diagnostic, Report, Severity};

use crate::{Namespace, World, bad_files, corpus, interfaces_of, load, name};

/// How a message of keepalived is matched with one of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// By the number of the line.
    Line,
    /// By a name that both mention: keepalived says it at the end of the block, or gives no line.
    Name,
    /// By the id alone: keepalived names neither.
    Any,
    /// It is the consequence of a message above it, which stands for both.
    Above,
    /// Not at all: the last column says why.
    None,
}

/// A row of the dictionary.
struct Row {
    pattern: Vec<String>,
    place: Place,
    ids: Vec<String>,
}

fn dictionary() -> Vec<Row> {
    let table = fs::read_to_string("tests/config/messages.tsv").expect("the dictionary can be read");
    let row = |line: &str| {
        let [pattern, place, ids, why] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {line}")
        };
        let place = match place {
            "line" => Place::Line,
            "name" => Place::Name,
            "any" => Place::Any,
            "above" => Place::Above,
            "none" => Place::None,
            other => panic!("{other} is no way to compare places"),
        };
        assert_eq!(place == Place::None, ids.is_empty(), "ids or none: {line}");
        assert!(place != Place::None || !why.is_empty(), "without counterpart, without reason: {line}");
        Row {
            pattern: pattern.split('*').map(str::to_owned).collect(),
            place,
            ids: ids.split_whitespace().map(str::to_owned).collect(),
        }
    };
    table.lines().skip(1).map(row).collect()
}

/// The ids of findings that keepalived does not have, by the documentation.
fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string("docs/differences.md").expect("the page can be read");
    let section =
        page.split("\n## ").find(|section| section.starts_with("Findings")).expect("there is such a section");
    let cell = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.lines().filter_map(cell).collect()
}

/// What stands for each `*`, if the text is of this pattern.
fn captures(pattern: &[String], text: &str) -> Option<Vec<String>> {
    let (first, more) = pattern.split_first()?;
    let mut rest = text.strip_prefix(first.as_str())?;
    let mut found = Vec::new();
    for (index, piece) in more.iter().enumerate() {
        let last = index + 1 == more.len();
        let at = if last && piece.is_empty() {
            rest.len()
        } else if last {
            rest.strip_suffix(piece.as_str())?.len()
        } else {
            rest.find(piece.as_str())?
        };
        found.push(rest[..at].to_owned());
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(found)
}

/// One message of keepalived.
struct Theirs {
    line: Option<usize>,
    text: String,
}

/// `(FILE: Line N) text`, `(Line N) text` or text alone.
fn theirs(message: &str) -> Theirs {
    let placed = message.strip_prefix('(').and_then(|rest| {
        let (place, text) = rest.split_once(") ")?;
        let line = place.rsplit_once("Line ")?.1.parse().ok()?;
        Some(Theirs { line: Some(line), text: text.trim().to_owned() })
    });
    placed.unwrap_or_else(|| Theirs { line: None, text: message.trim().to_owned() })
}

/// Words that open a block at the top level, so that a finding can be told by the block's name.
const BLOCKS: &[&str] =
    &["vrrp_instance", "vrrp_script", "vrrp_sync_group", "bfd_instance", "virtual_server", "track_file"];
/// What keepalived says when it gives a file up, so that what it would have said later is missing.
const GIVEN_UP: &[&str] =
    &["Non-existent interface specified in configuration", "*** Configuration line starting"];
/// The same for a block: an instance at its first fatal mistake, and a second block of a name.
const BLOCK_GIVEN_UP: &[&str] = &["no-vrid", "no-interface", "duplicate-name"];

/// A finding of ours: the number of its line and of its block's first, and all that tells what it is about.
struct Ours<'a> {
    found: &'a Diagnostic,
    line: usize,
    block: usize,
    text: String,
}

impl<'a> Ours<'a> {
    fn new(found: &'a Diagnostic, report: &Report) -> Self {
        let line = found.span.as_ref().map_or(0, |span| span.line);
        let file =
            found.span.as_ref().and_then(|span| report.sources.iter().find(|file| file.name == span.file));
        let lines: Vec<_> = file.map_or("", |file| &file.text).lines().take(line).collect();
        let opens = |line: &&str| line.split_whitespace().next().is_some_and(|word| BLOCKS.contains(&word));
        let block = lines.iter().rposition(opens);
        let header = block.map_or("", |at| lines[at]);
        let written = lines.last().copied().unwrap_or_default();
        let more = [&found.info, &found.help].map(|text| text.as_deref().unwrap_or_default()).join(" ");
        let text = format!("{} {header} {written} {more}", found.headline);
        Self { found, line, block: block.map_or(0, |at| at + 1), text }
    }
}

fn same(row: &Row, captured: &[String], message: &Theirs, ours: &Ours<'_>) -> bool {
    let named = || captured.iter().any(|name| !name.is_empty() && ours.text.contains(name.as_str()));
    row.ids.iter().any(|id| id == ours.found.id)
        && match row.place {
            Place::Line => message.line == Some(ours.line),
            Place::Name => message.line == Some(ours.line) || named(),
            Place::Above => message.line.is_none_or(|their| ours.line <= their),
            Place::Any => true,
            Place::None => false,
        }
}

/// What one program says of a file and the other does not.
fn unmatched(rows: &[Row], documented: &BTreeSet<String>, said: &[String], report: &Report) -> Vec<String> {
    let mut problems = BTreeSet::new();
    let all: Vec<_> = report.diagnostics.iter().map(|found| Ours::new(found, report)).collect();
    let mut answered = BTreeSet::new();
    for message in said.iter().map(|line| theirs(line)) {
        let captured = rows.iter().map(|row| (row, captures(&row.pattern, &message.text)));
        let fitting: Vec<_> = captured.filter_map(|(row, captured)| Some((row, captured?))).collect();
        let counterparts: Vec<_> = (0..all.len())
            .filter(|at| fitting.iter().any(|(row, captured)| same(row, captured, &message, &all[*at])))
            .collect();
        if fitting.is_empty() {
            problems.insert(format!("not in the dictionary: {}", message.text));
        } else if counterparts.is_empty() && fitting.iter().all(|(row, _)| row.place != Place::None) {
            problems.insert(format!("keepalived alone, line {:?}: {}", message.line, message.text));
        }
        answered.extend(counterparts);
    }
    // In a namespace that does not exist it goes no further than the global part.
    let mut lines = report.sources.iter().flat_map(|file| file.text.lines());
    let elsewhere = lines.any(|line| line.starts_with("net_namespace "));
    let given_up = elsewhere || said.iter().any(|line| GIVEN_UP.iter().any(|end| line.contains(end)));
    let blocks: BTreeSet<_> = answered
        .iter()
        .filter(|at| BLOCK_GIVEN_UP.contains(&all[**at].found.id))
        .map(|at| all[*at].block)
        .collect();
    for (at, ours) in all.iter().enumerate() {
        let serious = ours.found.severity > Severity::Notice && !documented.contains(ours.found.id);
        if serious && !answered.contains(&at) && !given_up && !blocks.contains(&ours.block) {
            problems.insert(format!(
                "ours alone, line {}: [{}] {}",
                ours.line, ours.found.id, ours.found.headline
            ));
        }
    }
    problems.into_iter().collect()
}

#[test]
fn both_programs_say_the_same_of_every_file() {
    let files = [bad_files(), corpus()].concat();
    let world = World::with(interfaces_of(&files));
    let namespace = Namespace::with(world.made());
    let (rows, documented) = (dictionary(), documented());
    let mut problems = Vec::new();
    for file in &files {
        let (_, report) = load(file, &world);
        let said = namespace.test(file).said;
        let found = unmatched(&rows, &documented, &said, &report);
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", name(file))));
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_pattern_matches_whole_messages() {
    let pattern: Vec<_> = "a * of *".split('*').map(str::to_owned).collect();
    assert_eq!(captures(&pattern, "a word of two"), Some(vec!["word".to_owned(), "two".to_owned()]));
    assert_eq!(captures(&pattern, "the word of two"), None);
    assert_eq!(captures(&["plain".to_owned()], "plain and more"), None);
}
