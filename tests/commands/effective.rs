//! `config show`: what is shown loads as the same configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use steadfast::config::{self, Elsewhere, Options};

use super::{file, steadfast, text};

/// A configuration without its places.
fn without_places(config: Option<config::Config>) -> String {
    let text = format!("{config:#?}");
    let place = |line: &&str| {
        let line = line.trim_start();
        ["file: \"", "line: ", "column: ", "length: "].iter().any(|start| line.starts_with(start))
    };
    text.lines().filter(|line| !place(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_shown_loads_as_the_same_configuration() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for place in ["tests/config/bad", "examples", "../shared/corpus/configs", "../shared/corpus/seeds"] {
        let Ok(entries) = fs::read_dir(root.join(place)) else { continue };
        files.extend(entries.map(|entry| entry.expect("the directory can be read").path()));
    }
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    files.retain(|file| !file.ends_with("password-masked.conf"));
    assert!(files.len() >= 30, "only {} files", files.len());
    let options = Options { config_id: Some("router1"), ..Options::default() };
    for path in files {
        let output = steadfast(&["show", &path.display().to_string()]);
        // Stars are no secret, and refused as one.
        let shown = file(directory.path(), "shown.conf", &text(&output).replace("********", "something"));
        let (before, _) = config::load_with(&path, &options, &Elsewhere);
        let (after, _) = config::load_with(Path::new(&shown), &options, &Elsewhere);
        if before.is_none() {
            continue;
        }
        similar(&without_places(before), &without_places(after), &path);
    }
}

fn similar(before: &str, after: &str, path: &Path) {
    if let Some((left, right)) = before.lines().zip(after.lines()).find(|(left, right)| left != right) {
        panic!("{}: {left:?} became {right:?}", path.display());
    }
    assert_eq!(before.lines().count(), after.lines().count(), "{}", path.display());
}
