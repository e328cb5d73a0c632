//! Every flag of keepalived is one of ours, or a row of `docs/differences.md` names it.

use std::{fs, process::Command};

/// Those that Debian's keepalived was built without.
const BUILD_OPTIONS: &str = "
  -g, --log-file[=FILE]
      --flush-log-file
      --debug[=OPTS]
      --perf[=TYPE]
      --ignore-sigint
";

/// The flag of a line of help: the letter, the name, and whether a value belongs to it.
fn flag(line: &str) -> Option<(Option<char>, &str, bool)> {
    let line = line.trim_start();
    let (short, long) = match line.split_once(", --") {
        Some((short, long)) => (Some(short.strip_prefix('-')?.chars().next()?), long),
        None => (None, line.strip_prefix("--")?),
    };
    let end =
        long.find(|sign: char| !(sign.is_alphanumeric() || sign == '-' || sign == '_')).unwrap_or(long.len());
    let value = long[end..].trim_start_matches(['[', ' ']);
    let has_value =
        long[end..].starts_with(['=', '[']) || value.starts_with(['<', '=']) || long.starts_with("config-id");
    Some((short, &long[..end], has_value))
}

fn help(program: &str) -> String {
    let output = Command::new(program).arg("--help").output().expect("it runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn every_flag_of_keepalived_is_ours_or_named_as_a_difference() {
    let (theirs, ours) = (help("keepalived") + BUILD_OPTIONS, help(env!("CARGO_BIN_EXE_steadfast")));
    let ours: Vec<_> = ours.lines().filter_map(flag).collect();
    let differences = fs::read_to_string("docs/differences.md").expect("the page can be read");
    let rows: Vec<_> =
        differences.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let mut seen = 0;
    for (short, long, has_value) in theirs.lines().filter_map(flag) {
        seen += 1;
        let known = ours.iter().find(|(_, name, _)| *name == long);
        let is_same = known.is_some_and(|(letter, _, value)| *letter == short && *value == has_value);
        let is_row = known.is_none() && rows.iter().any(|row| row.contains(&format!("`--{long}`")));
        assert!(is_same || is_row, "--{long} ({short:?}, with a value: {has_value}) beside {known:?}");
    }
    assert!(seen >= 35, "only {seen} flags were found");
}
