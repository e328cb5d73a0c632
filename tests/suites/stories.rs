//! What the stories of `tests/interop` leave out for keepalived, or tell otherwise: each place names the row of
//! `docs/differences.md` that says why, by its beginning, and there is no other way to leave keepalived out.

use std::{fs, path::Path};

/// How a story asks whether keepalived plays a part, with the row as its last argument.
const QUESTIONS: [&str; 2] = ["is_keepalived(", "does_as_keepalived("];
/// Where these questions, and the one for two ways to look at the same thing, are answered.
const ANSWERS: &str = "world.rs";
/// Other ways to ask, which would need no row.
const SILENT: [&str; 6] = [
    "Subject::Steadfast(_)",
    "== Subject::Keepalived",
    "!= Subject::Keepalived",
    "Subject::Keepalived =>",
    "matches!(ours()",
    "#[ignore",
];

fn stories() -> Vec<(String, String)> {
    let entries = fs::read_dir("tests/interop").expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let mut stories: Vec<_> = paths.map(|path| (name(&path), read(&path))).collect();
    stories.retain(|(name, _)| name != ANSWERS);
    stories.sort();
    assert!(stories.len() >= 25, "only {}", stories.len());
    stories
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file can be read")
}

/// The rows that the questions in a text name; a question whose row is no literal names an empty one.
fn named(text: &str) -> Vec<&str> {
    let asked = |question: &'static str| text.match_indices(question).map(move |(at, _)| at + question.len());
    QUESTIONS.into_iter().flat_map(asked).map(|from| literal(&text[from..]).unwrap_or_default()).collect()
}

/// The first literal among the arguments of a call, from behind its parenthesis on.
fn literal(arguments: &str) -> Option<&str> {
    let mut depth = 1;
    let end = arguments.find(|sign| {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        depth == 0 || sign == '"'
    })?;
    arguments[end..].strip_prefix('"')?.split('"').next()
}

/// First cells of all rows.
fn rows() -> Vec<String> {
    let page = read(Path::new("docs/differences.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.map(str::to_owned).collect()
}

#[test]
fn what_is_not_told_of_keepalived_is_in_the_differences() {
    let rows = rows();
    let mut wrong = String::new();
    for (file, text) in stories() {
        for row in named(&text) {
            let found: Vec<_> = rows.iter().filter(|cell| cell.starts_with(row)).collect();
            if row.is_empty() || found.len() != 1 {
                wrong += &format!(
                    "{file}: `{row}` begins {} rows of docs/differences.md: {found:?}\n",
                    found.len()
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_story_leaves_keepalived_out_without_a_row() {
    let mut wrong = String::new();
    for (file, text) in stories() {
        for (number, line) in text.lines().enumerate() {
            if SILENT.iter().any(|way| line.contains(way)) {
                wrong += &format!("{file}:{}: {}\n", number + 1, line.trim());
            }
        }
    }
    assert!(wrong.is_empty(), "world.rs has the questions that need a row:\n{wrong}");
}

#[test]
fn a_row_is_found_wherever_it_is_named() {
    let text = "is_keepalived(\"one (or another)\") is_keepalived(\n  \"two\",\n) is_keepalived(ROW) is_keepalived(row()) \"none\"";
    assert_eq!(named(text), ["one (or another)", "two", "", ""]);
    assert_eq!(named("does_as_keepalived(router.subject(), \"three\")"), ["three"]);
}
