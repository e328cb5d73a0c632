//! The manual pages: what a formatter says of them, and whether everything is on one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use steadfast::config::explain;

/// Writes the pages into a folder; their names.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let written = Command::new(env!("CARGO_BIN_EXE_steadfast")).arg("man").arg(folder).status();
    assert!(written.expect("the program starts").success());
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    pages.sort();
    pages
}

/// A page as a terminal shows it, on one line however long; fails when the formatter has anything to say of it.
fn shown(page: &Path) -> String {
    let output = Command::new("groff")
        .args(["-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou", "-rLL=20000n"])
        .arg(page)
        .output()
        .expect("groff starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", page.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The options that the help of a command names.
fn options(words: &[&str]) -> Vec<String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_steadfast")).args(words).arg("--help").output().expect("it starts");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let long = lines.filter_map(|line| line.split_once("--").map(|(_, rest)| rest));
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '-' || sign == '_';
    long.map(|rest| rest.split(|sign| !is_part(sign)).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_option_and_every_word_is_on_a_page_that_its_formatter_has_nothing_to_say_of() {
    if Command::new("groff").arg("-v").output().is_err() {
        eprintln!("groff is not installed: nothing says whether the pages can be shown");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let pages = pages(folder.path());
    assert!(pages.len() > 20, "{pages:?}");
    let mut options_seen = 0;
    for page in &pages {
        let text = shown(page);
        let name = page.file_name().expect("a name").to_string_lossy().into_owned();
        let command = match name.as_str() {
            "steadfast.conf.5" => continue,
            "genhash.1" => vec!["--genhash"],
            name => name.trim_end_matches(".1").split('-').skip(1).collect(),
        };
        // The only one of two words.
        let command = if command == ["ctl", "step", "down"] { vec!["ctl", "step-down"] } else { command };
        for option in options(&command) {
            assert!(text.contains(&format!("--{option}")), "--{option} is not on {name}:\n{text}");
            options_seen += 1;
        }
    }
    assert!(options_seen > 100, "only {options_seen} options were found");
    let text = shown(&folder.path().join("steadfast.conf.5"));
    for chapter in explain::chapters() {
        assert!(text.contains(&chapter.block.to_uppercase()), "{} has no section", chapter.block);
        for word in &chapter.words {
            let heading = format!("{} {}", word.name, word.arguments);
            assert!(text.contains(heading.trim()) && text.contains(word.help), "{heading}: {}", word.help);
        }
    }
}
