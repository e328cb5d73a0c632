//! docs/rfc9568.md binds every clause of RFC 9568 to a test of each polarity, or docs/differences.md says why not, or when: the
//! tests are there, and the clause's number stands in the code that is named.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Clauses of RFC 9568 sections 5 to 9, and those of RFC 3768 on version 2.
const CLAUSES: usize = 111;
/// Clauses whose level is MUST or MUST NOT, and how many of them have a test of each polarity; more is better.
const MUSTS: usize = 86;
const MUSTS_BOUND: usize = 76;
/// Clauses that are kept only where the configuration asks for it; fewer is better.
const KEPT_ON_REQUEST: usize = 11;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A clause as a row of the page.
#[derive(Debug)]
struct Clause {
    number: String,
    level: String,
    /// What shows that it does, and that it does not.
    tests: [Option<String>; 2],
    code: Vec<String>,
}

/// The cells of the rows between a heading and the next one, without the table's head.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split(&format!("{heading}\n")).nth(1).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    lines.map(cells).collect()
}

fn clauses() -> Vec<Clause> {
    let test = |cell: &str| (cell != "—").then(|| cell.trim_matches('`').to_owned());
    let clause = |cells: Vec<String>| {
        let [number, level, _, _, done, refused, code] = &cells[..] else { panic!("{cells:?}") };
        Clause {
            number: number.clone(),
            level: level.clone(),
            tests: [test(done), test(refused)],
            code: code.split(' ').filter_map(test).collect(),
        }
    };
    rows(&read("docs/rfc9568.md"), "# RFC 9568, clause by clause").into_iter().map(clause).collect()
}

/// Whether a text has a clause's number, and not that of a longer one.
fn names(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + number.len()..].chars().next();
        let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '.' || sign == '-';
        !before.is_some_and(is_part) && !after.is_some_and(|sign| sign.is_ascii_digit() || sign == '-')
    })
}

#[test]
fn every_clause_is_bound_to_tests_that_exist_or_explained() {
    let files: BTreeMap<String, String> = rows(&read("docs/rfc9568.md"), "## Where the tests are")
        .into_iter()
        .map(|cells| (cells[0].trim_matches('`').to_owned(), read(cells[1].trim_matches('`'))))
        .collect();
    let explained: BTreeMap<String, String> = rows(&read("docs/differences.md"), "## RFC 9568")
        .into_iter()
        .map(|cells| (cells[0].clone(), cells[2].clone()))
        .collect();
    let mut kept_on_request = 0;
    let clauses = clauses();
    let numbers: BTreeSet<&String> = clauses.iter().map(|clause| &clause.number).collect();
    assert_eq!((clauses.len(), numbers.len()), (CLAUSES, CLAUSES));
    for Clause { number, tests, .. } in &clauses {
        for test in tests.iter().flatten() {
            let (file, function) = test.split_once("::").expect("a file and a function");
            let declaration = format!("#[test]\nfn {function}(");
            let source = files[file].replace("\n    ", "\n");
            assert!(source.contains(&declaration), "{number}: {file} has no test {function}");
        }
        let is_bound = tests.iter().all(Option::is_some);
        assert!(!is_bound || tests[0] != tests[1], "{number}: one test cannot be of both polarities");
        let reason = explained.get(number);
        assert_eq!(
            is_bound,
            reason.is_none_or(|reason| reason.starts_with("kept with ")),
            "{number}: {reason:?}"
        );
        kept_on_request += usize::from(is_bound && reason.is_some());
    }
    assert_eq!(kept_on_request, KEPT_ON_REQUEST);
    assert!(explained.keys().all(|number| numbers.contains(number)), "{explained:?}");
}

#[test]
fn no_clause_loses_its_tests() {
    let clauses = clauses();
    let musts: Vec<_> = clauses.iter().filter(|clause| clause.level.starts_with("MUST")).collect();
    let bound = musts.iter().filter(|clause| clause.tests.iter().all(Option::is_some)).count();
    assert_eq!((musts.len(), bound), (MUSTS, MUSTS_BOUND));
}

#[test]
fn the_number_of_a_bound_clause_stands_beside_the_code() {
    for Clause { number, tests, code, .. } in clauses() {
        assert!(!code.is_empty() || tests.iter().any(Option::is_none), "{number} stands nowhere in the code");
        for file in code {
            assert!(names(&read(&format!("src/{file}")), &number), "{number} does not stand in {file}");
        }
    }
}
