//! docs/rfc2741.md binds every clause of RFC 2741 that concerns a subagent to tests, or says why not: the tests are there, and
//! the clause's section stands in the code that is named.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Clauses on the page, and how many of them have a test of each polarity; more is better.
const CLAUSES: usize = 87;
const BOUND: usize = 82;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A clause as a row of the page.
#[derive(Debug)]
struct Clause {
    number: String,
    /// What shows that it does, and that it does not.
    tests: [Option<String>; 2],
    code: Option<String>,
}

/// The cells of the rows between a heading and the next one, without the table's head.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split(&format!("{heading}\n")).nth(1).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    // What follows an empty line behind the table is another one.
    let table = section.trim_start().split("\n\n").find(|part| part.starts_with("| ")).unwrap_or_default();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    table.lines().skip(2).map(cells).collect()
}

fn clauses(page: &str) -> Vec<Clause> {
    let named = |cell: &str| (cell != "—").then(|| cell.trim_matches('`').to_owned());
    let clause = |cells: Vec<String>| {
        let [number, _, _, done, refused, code] = &cells[..] else { panic!("{cells:?}") };
        Clause { number: number.clone(), tests: [named(done), named(refused)], code: named(code) }
    };
    rows(page, "# RFC 2741, clause by clause").into_iter().map(clause).collect()
}

#[test]
fn every_clause_is_bound_to_tests_that_exist_or_explained() {
    let page = read("docs/rfc2741.md");
    let files: BTreeMap<String, String> = rows(&page, "## Where the tests are")
        .into_iter()
        .map(|cells| (cells[0].trim_matches('`').to_owned(), read(cells[1].trim_matches('`'))))
        .collect();
    let explained: BTreeSet<String> =
        rows(&page, "## What has no test").into_iter().map(|cells| cells[0].clone()).collect();
    let clauses = clauses(&page);
    let numbers: BTreeSet<&String> = clauses.iter().map(|clause| &clause.number).collect();
    assert_eq!((clauses.len(), numbers.len()), (CLAUSES, CLAUSES));
    let mut bound = 0;
    for Clause { number, tests, .. } in &clauses {
        for test in tests.iter().flatten() {
            let (file, function) = test.split_once("::").expect("a file and a function");
            let declaration = format!("#[test]\nfn {function}(");
            let source: Vec<&str> = files[file].lines().map(str::trim_start).collect();
            assert!(source.join("\n").contains(&declaration), "{number}: {file} has no test {function}");
        }
        let is_bound = tests.iter().all(Option::is_some);
        assert_eq!(is_bound, !explained.contains(number), "{number} is bound or explained");
        bound += usize::from(is_bound);
    }
    assert_eq!(bound, BOUND);
    assert!(explained.iter().all(|number| numbers.contains(number)), "{explained:?}");
}

#[test]
fn the_section_of_a_bound_clause_stands_in_the_code() {
    for Clause { number, tests, code } in clauses(&read("docs/rfc2741.md")) {
        let Some(file) = code else {
            assert!(tests.iter().all(Option::is_none), "{number} has a test and no code");
            continue;
        };
        let section = number.split('-').next().unwrap_or_default();
        let source = read(&format!("src/{file}"));
        // The section itself, one within it, or the one around it.
        let around = section.rsplit_once('.').map_or(section, |(around, _)| around);
        let stands = [section, around].iter().any(|section| source.contains(&format!("§{section}")));
        assert!(stands, "{number}: §{section} does not stand in {file}");
    }
}
