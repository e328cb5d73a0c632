//! The pages in `tests/config/*.md`: prose, a configuration, what is found in it, and what it comes to.
//!
//! After each ```` ```conf ```` block a page has a ```` ```findings ```` block, one line each, and an
//! ```` ```effective ```` block, the configuration with everything carried out. With `UPDATE_SUITES=1` the test
//! writes both anew; the change is then to be read before it is committed. Beside them, the picture of the rooms and what is
//! not told of keepalived.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "config/world.rs"]
#[expect(dead_code, reason = "other tests make the same world elsewhere")]
mod world;

#[path = "suites/rooms.rs"]
mod rooms;
#[path = "suites/stories.rs"]
mod stories;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use steadfast::config::{
    self, Options,
    keywords::{self, Value},
    show::{self, Item},
};

use crate::world::World;

/// The name that every input has in its findings.
const NAME: &str = "page.conf";

/// A piece of a page: a fenced block with its kind, or prose with none.
struct Piece {
    kind: Option<String>,
    text: String,
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/config").expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let pages: BTreeSet<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    assert!(pages.len() >= 15, "only {} pages", pages.len());
    pages.into_iter().collect()
}

fn pieces(page: &Path) -> Vec<Piece> {
    let mut pieces = vec![Piece { kind: None, text: String::new() }];
    for line in fs::read_to_string(page).expect("the page can be read").lines() {
        let last = pieces.last_mut().expect("there is one at least");
        match (line.strip_prefix("```"), last.kind.is_some()) {
            (Some(kind), false) => pieces.push(Piece { kind: Some(kind.to_owned()), text: String::new() }),
            (Some(_), true) => pieces.push(Piece { kind: None, text: String::new() }),
            (None, _) => last.text += &format!("{line}\n"),
        }
    }
    pieces
}

fn world() -> World {
    World::with(["eth0", "eth1"].map(str::to_owned))
}

fn options() -> Options<'static> {
    Options { config_id: Some("router1"), ..Options::default() }
}

/// Findings and effective configuration of an input.
fn outcome(text: &str) -> (String, String, Vec<Item>) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join(NAME);
    fs::write(&file, text).expect("the file can be written");
    let (_, report) = config::load_with(&file, &options(), &world());
    let (items, _) = config::effective(&file, &options(), false, &world());
    let local = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
    let findings: String = report.lines().map(|line| local(line) + "\n").collect();
    let effective: String = local(show::text(&items))
        .lines()
        .map(|line| format!("{}\n", line.rsplit_once(&format!(" # {NAME}")).map_or(line, |(line, _)| line)))
        .collect();
    (findings, effective, items)
}

#[test]
fn every_page_comes_to_what_it_says() {
    for page in pages() {
        let mut pieces = pieces(&page);
        let mut last = (String::new(), String::new());
        let mut wrong = String::new();
        for piece in &mut pieces {
            let expected = match piece.kind.as_deref() {
                Some("conf") => {
                    let (findings, effective, _) = outcome(&piece.text);
                    last = (findings, effective);
                    continue;
                }
                Some("findings") => &last.0,
                Some("effective") => &last.1,
                _ => continue,
            };
            if piece.text != *expected {
                wrong += &format!("says\n{}\nbut it is\n{expected}\n", piece.text);
                piece.text.clone_from(expected);
            }
        }
        if env::var_os("UPDATE_SUITES").is_some() {
            let text = pieces.iter().map(|piece| match &piece.kind {
                Some(kind) => format!("```{kind}\n{}```\n", piece.text),
                None => piece.text.clone(),
            });
            fs::write(&page, text.collect::<String>()).expect("the page can be written");
        } else {
            assert!(wrong.is_empty(), "{} {wrong}", page.display());
        }
    }
}

/// The words that the pages use, by block; those of list lines by the list.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    fn gather(items: &[Item], block: &str, used: &mut BTreeMap<String, BTreeSet<String>>) {
        for item in items {
            let words = used.entry(block.to_owned()).or_default();
            words.insert(item.keyword.clone());
            let line = item.line();
            // What follows the word of a block is its value, which may be spelt like another word.
            let options = line.split_whitespace().filter(|word| is_option(block, word));
            words.extend(options.map(str::to_owned));
            gather(item.items.as_deref().unwrap_or_default(), &item.keyword, used);
        }
    }
    let mut words = BTreeMap::new();
    for piece in pages().iter().flat_map(|page| pieces(page)) {
        if piece.kind.as_deref() == Some("conf") {
            gather(&outcome(&piece.text).2, "(root)", &mut words);
        }
    }
    words
}

/// Whether a word is an option of the lines of a list.
fn is_option(list: &str, word: &str) -> bool {
    let mut known = false;
    keywords::visit(keywords::ROOT, &mut |block| {
        if let Some(Value::Lines(options)) = block.keyword(list).map(|keyword| keyword.value) {
            known |= options.keyword(word).is_some();
        }
    });
    known
}

#[test]
fn every_row_of_the_keyword_reference_is_exercised() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/config-keywords.tsv");
    let Ok(table) = fs::read_to_string(&reference) else {
        lab::note(
            "../shared/reference/config-keywords.tsv is absent: its rows are not compared with the pages",
        );
        return;
    };
    let used = used();
    let text: String =
        pages().iter().map(|page| fs::read_to_string(page).expect("the page can be read")).collect();
    let mut missing = Vec::new();
    for row in table.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>()) {
        let (block, word) = (row[0], row[1]);
        // Not of the configuration file.
        if matches!(block, "(command line)" | "(genhash)" | "(signals)") {
            continue;
        }
        let is_in = |block: &str| used.get(block).is_some_and(|words| words.contains(word));
        let any = |blocks: &[&str]| blocks.iter().any(|block| is_in(block));
        let exercised = match block {
            // Each rule of the language is a heading of its page.
            "(language)" => text.contains(&format!("## `{word}`")),
            "(address line)" => any(&["virtual_ipaddress", "virtual_ipaddress_excluded", "static_ipaddress"]),
            "(route line)" => any(&["virtual_routes", "static_routes"]),
            "(rule line)" => any(&["virtual_rules", "static_rules"]),
            "(checker common)" => any(&["TCP_CHECK"]),
            "HTTP_GET|SSL_GET" => any(&["HTTP_GET", "SSL_GET"]),
            "HTTP_GET|SSL_GET/url" => any(&["url"]),
            other => is_in(other.rsplit('/').next().unwrap_or(other)),
        };
        // What is no word of its own, and words that are gone, stand in an input as text.
        let subject = word.starts_with("ADDR") || word.starts_with("[TYPE]");
        let gone = matches!(word, "lvs_id" | "nat_mask" | "dynamic") && text.contains(&format!("{word} "));
        if !exercised && !subject && !gone {
            missing.push(format!("{block}: {word}"));
        }
    }
    assert!(missing.is_empty(), "{} rows:\n{}", missing.len(), missing.join("\n"));
}
