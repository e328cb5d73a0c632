//! The known bugs of keepalived's MIB: `docs/differences.md` has a decision about each, and tests that exist.

use std::fs;

use crate::file;

/// How many are known.
const BUGS: usize = 40;

/// A row of the table: its number as it stands there, what is decided, and the tests.
fn decisions() -> Vec<[String; 3]> {
    let page = fs::read_to_string(file("docs/differences.md")).unwrap();
    let (_, section) = page.split_once("\n## Bugs of keepalived's MIB\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, _, ours, _, tests] = cells[..] else { panic!("{line}") };
        [number, ours, tests].map(str::to_owned)
    };
    section.lines().filter(|line| line.starts_with("| M")).map(row).collect()
}

#[test]
fn every_bug_has_its_decision_and_tests_that_exist() {
    let decisions = decisions();
    let numbers: Vec<&str> = decisions.iter().map(|[number, ..]| number.as_str()).collect();
    let expected: Vec<String> = (1..=BUGS).map(|number| format!("M{number}")).collect();
    assert_eq!(numbers, expected);
    for [number, ours, tests] in &decisions {
        assert!(!ours.is_empty(), "{number}: nothing is decided");
        assert!(!tests.is_empty(), "{number}: no test");
        for test in tests.split(' ') {
            let (path, function) = test.trim_matches('`').split_once("::").unwrap();
            let source = fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            let source = source.replace("\n    ", "\n");
            let declaration = format!("#[test]\nfn {function}(");
            assert!(source.contains(&declaration), "{number}: {path} has no test {function}");
        }
    }
}
