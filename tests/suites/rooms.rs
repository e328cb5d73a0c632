//! The table of who knows whom in the tour of `src/lib.rs` is that of the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Of each room, the others that it imports.
type Rooms = BTreeMap<String, BTreeSet<String>>;

/// The names in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// What the table says.
fn table() -> Rooms {
    let tour = fs::read_to_string("src/lib.rs").expect("the tour can be read");
    let mut rooms = Rooms::new();
    for row in tour.lines().filter_map(|line| line.strip_prefix("//! | `")) {
        let (names, imports) = row.split_once('|').expect("a row has two cells");
        for room in quoted(&format!("`{names}")) {
            rooms.insert(room, quoted(imports).collect());
        }
    }
    rooms
}

/// The identifier at the beginning.
fn name(text: &str) -> String {
    text.trim_start().chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

/// The first name of each path in a list, which begins behind its brace.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&list[begin..at]));
                begin = at + 1;
                if char == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What code names behind `crate::`, comments left out.
fn imports(code: &str) -> BTreeSet<String> {
    let lines: Vec<_> = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let paths = |rest: &str| match rest.strip_prefix('{') {
        Some(list) => names(list),
        None => vec![name(rest)],
    };
    lines.join("\n").split("crate::").skip(1).flat_map(paths).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// What the code does.
fn code() -> Rooms {
    let mut rooms = Rooms::new();
    for path in sources(Path::new("src")) {
        let inside = path.strip_prefix("src").expect("it is below").with_extension("");
        let room = inside.iter().next().and_then(|room| room.to_str()).expect("names are text").to_owned();
        if ["bin", "lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let mut imports = imports(&fs::read_to_string(&path).expect("a source can be read"));
        imports.remove(&room);
        rooms.entry(room).or_default().extend(imports);
    }
    rooms
}

#[test]
fn every_room_imports_what_the_tour_says() {
    let (table, code) = (table(), code());
    assert!(table.len() >= 14, "the table has {} rooms", table.len());
    for room in table.keys().chain(code.keys()) {
        assert_eq!(table.get(room), code.get(room), "`{room}`: on the left the table in src/lib.rs");
    }
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code = "use crate::units::Time;\nuse crate::{\n    config::{Auth, tracking::{self}},\n    \
                vrrp,\n};\nlet now = crate::kernel::clock::now(); // crate::snmp\n/// [`crate::daemon`]";
    let found: Vec<_> = imports(code).into_iter().collect();
    assert_eq!(found, ["config", "kernel", "units", "vrrp"]);
}
