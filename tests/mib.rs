//! Four descriptions of KEEPALIVED-MIB, VRRP-MIB and VRRPV3-MIB: what the code declares, the files in `mibs/`, the facts
//! gathered about the modules of that name, and the files that keepalived's package has. They must say the same of every
//! object.

#![expect(
    clippy::unwrap_used,
    reason = "a file of the repository that cannot be read fails the test, and says why"
)]

#[path = "mib/bugs.rs"]
mod bugs;
#[path = "mib/decisions.rs"]
mod decisions;
#[path = "mib/order.rs"]
mod order;
#[path = "mib/packaged.rs"]
mod packaged;
#[path = "mib/services.rs"]
mod services;
#[path = "mib/sessions.rs"]
mod sessions;

use std::{collections::BTreeMap, fs, path::PathBuf};

use agentx::{Access, Object, Syntax};
use steadfast::snmp;

/// The modules that are served.
const MODULES: [&str; 4] = ["KEEPALIVED-MIB", "VRRP-MIB", "VRRPV3-MIB", OWN];
/// That of this program, of which nobody else has gathered facts; its names begin as none of the others do.
const OWN: &str = "STEADFAST-MIB";

/// What a description says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Described {
    oid: String,
    /// The type on the wire, with the names of an enumeration in the order of their numbers.
    syntax: String,
    access: String,
    index: Vec<String>,
}

fn file(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn code() -> BTreeMap<String, Described> {
    let describe = |object: Object| {
        let described = Described {
            oid: object.oid.to_string(),
            syntax: syntax(object.syntax),
            access: access(object.access).to_owned(),
            index: object.index.into_iter().flatten().map(|index| index.name.to_owned()).collect(),
        };
        (object.name.to_owned(), described)
    };
    snmp::view().objects().map(describe).collect()
}

fn access(access: Access) -> &'static str {
    match access {
        Access::NotAccessible => "not-accessible",
        Access::AccessibleForNotify => "accessible-for-notify",
        Access::ReadOnly => "read-only",
        Access::ReadWrite => "read-write",
        Access::ReadCreate => "read-create",
    }
}

fn syntax(syntax: Syntax) -> String {
    match syntax {
        Syntax::Enum(names) => {
            let names = names.iter().map(|(name, number)| format!("{name}({number})"));
            format!("INTEGER{{{}}}", names.collect::<Vec<_>>().join(","))
        }
        Syntax::Integer32 => "Integer32".into(),
        Syntax::Unsigned32 => "Unsigned32".into(),
        Syntax::DisplayString | Syntax::OctetString => "OCTET STRING".into(),
        other => format!("{other:?}"),
    }
}

/// Brings the syntax of a MIB module to what decides on the wire: its base type and its names.
fn reduce(syntax: &str, conventions: &BTreeMap<String, String>) -> String {
    let syntax: String = syntax.split_whitespace().collect();
    if syntax.starts_with("INTEGER{") {
        return syntax;
    }
    let name = syntax.split('(').next().unwrap_or_default();
    if let Some(base) = conventions.get(name) {
        return reduce(base, conventions);
    }
    match name {
        "OCTETSTRING" => "OCTET STRING".into(),
        "INTEGER" => "Integer32".into(),
        other => other.into(),
    }
}

/// The clauses of one definition in a MIB file: the text after each keyword up to the next clause.
fn clause(definition: &str, keyword: &str) -> Option<String> {
    const KEYWORDS: [&str; 9] = [
        "SYNTAX",
        "UNITS",
        "MAX-ACCESS",
        "STATUS",
        "DESCRIPTION",
        "INDEX",
        "AUGMENTS",
        "DISPLAY-HINT",
        "::=",
    ];
    let mut lines = definition.lines().skip_while(|line| line.trim().split(' ').next() != Some(keyword));
    let first = lines.next()?.trim().strip_prefix(keyword)?.to_owned();
    let rest =
        lines.take_while(|line| !KEYWORDS.contains(&line.trim().split(' ').next().unwrap_or_default()));
    Some(rest.fold(first, |text, line| format!("{text} {}", line.trim())).trim().to_owned())
}

/// The definitions of a module: name and body.
fn definitions(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let starts = line.starts_with(|c: char| c.is_ascii_alphabetic());
        match found.last_mut() {
            Some((_, body)) if !starts => body.extend([line, "\n"]),
            _ => {
                let name = line.split_whitespace().next().unwrap_or_default();
                found.push((name.to_owned(), format!("{line}\n")));
            }
        }
    }
    found
}

fn conventions() -> BTreeMap<String, String> {
    let mut files: Vec<_> = MODULES.iter().map(|name| file(&format!("mibs/{name}.txt"))).collect();
    files.extend(fs::read_dir(file("mibs/base")).unwrap().map(|entry| entry.unwrap().path()));
    let texts = files.into_iter().map(|path| fs::read_to_string(path).unwrap());
    let all = texts.flat_map(|text| definitions(&text));
    all.filter(|(_, body)| body.contains("TEXTUAL-CONVENTION"))
        .filter_map(|(name, body)| Some((name, clause(&body, "SYNTAX")?)))
        .collect()
}

/// A name's OID, through the parents that the assignments name.
fn resolve(name: &str, assigned: &BTreeMap<String, (String, String)>) -> Option<String> {
    match name {
        "enterprises" => return Some("1.3.6.1.4.1".to_owned()),
        "mib-2" => return Some("1.3.6.1.2.1".to_owned()),
        _ => {}
    }
    let (parent, number) = assigned.get(name)?;
    Some(format!("{}.{number}", resolve(parent, assigned)?))
}

/// The parent and number in a definition's `::= { parent number }`.
fn assignment(body: &str) -> Option<(String, String)> {
    let value = clause(body, "::=")?;
    let mut words = value.trim_matches(['{', '}', ' ']).split_whitespace();
    let (parent, number, None) = (words.next()?, words.next()?, words.next()) else { return None };
    Some((parent.to_owned(), number.to_owned()))
}

/// Everything that the MIB files define.
fn all_definitions() -> Vec<(String, String)> {
    let text = |name: &&str| fs::read_to_string(file(&format!("mibs/{name}.txt"))).unwrap();
    MODULES.iter().map(text).flat_map(|text| definitions(&text)).collect()
}

/// What each name is assigned to.
fn assigned(definitions: &[(String, String)]) -> BTreeMap<String, (String, String)> {
    definitions.iter().filter_map(|(name, body)| Some((name.clone(), assignment(body)?))).collect()
}

/// The MIB files' objects.
fn module() -> BTreeMap<String, Described> {
    let (conventions, definitions) = (conventions(), all_definitions());
    let assigned = assigned(&definitions);
    let indexes: BTreeMap<&str, Vec<String>> = definitions
        .iter()
        .filter_map(|(name, body)| {
            let index = clause(body, "INDEX")?;
            let names = index.trim_matches(['{', '}', ' ']).split(',').map(|name| name.trim().to_owned());
            Some((name.as_str(), names.collect()))
        })
        .collect();
    let indexes: BTreeMap<&str, Vec<String>> = definitions
        .iter()
        .filter_map(|(name, body)| {
            let other = || clause(body, "AUGMENTS").map(|of| of.trim_matches(['{', '}', ' ']).to_owned());
            let index = indexes.get(name.as_str()).or_else(|| indexes.get(other()?.as_str()))?;
            Some((name.as_str(), index.clone()))
        })
        .collect();
    let describe = |(name, body): &(String, String)| {
        let (syntax, access) = (clause(body, "SYNTAX")?, clause(body, "MAX-ACCESS")?);
        if syntax.contains("SEQUENCE OF") || indexes.contains_key(name.as_str()) {
            return None;
        }
        let (parent, _) = assigned.get(name)?;
        let described = Described {
            oid: resolve(name, &assigned)?,
            syntax: reduce(&syntax, &conventions),
            access,
            index: indexes.get(parent.as_str()).cloned().unwrap_or_default(),
        };
        Some((name.clone(), described))
    };
    definitions.iter().filter_map(describe).collect()
}

/// The rows of the facts, each with the columns of keepalived-mib-objects.tsv; `None` when they are not there.
fn facts_rows() -> Option<Vec<Vec<String>>> {
    let read = |name: &str, skipped: usize| -> Option<Vec<Vec<String>>> {
        let text = fs::read_to_string(file(&format!("../shared/reference/{name}"))).ok()?;
        let row = |line: &str| line.split('\t').skip(skipped).map(str::to_owned).collect();
        Some(text.lines().skip(1).map(row).collect())
    };
    // The other one has the module's name in front.
    Some([read("keepalived-mib-objects.tsv", 0)?, read("vrrp-mibs.tsv", 1)?].concat())
}

/// The facts' scalars and columns.
fn facts(rows: &[Vec<String>]) -> BTreeMap<String, Described> {
    let entries = || rows.iter().filter(|row| row[2] == "entry");
    let written = |row: &Vec<String>| row[6].split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let index_of_entry: BTreeMap<&str, Vec<String>> = entries()
        .map(|row| match row[6].strip_prefix("AUGMENTS ") {
            Some(other) => (row[1].as_str(), entries().find(|row| row[0] == other).map(written).unwrap()),
            None => (row[1].as_str(), written(row)),
        })
        .collect();
    let objects = rows.iter().filter(|row| row[2] == "scalar" || row[2] == "column").map(|row| {
        let meaning = row[3].rsplit(" = ").next().unwrap_or_default();
        let entry = row[1].rsplit_once('.').map_or("", |(entry, _)| entry);
        let described = Described {
            oid: row[1].clone(),
            syntax: reduce(meaning, &BTreeMap::new()),
            access: row[4].clone(),
            index: index_of_entry.get(entry).cloned().unwrap_or_default(),
        };
        (row[0].clone(), described)
    });
    objects.collect()
}

#[test]
fn the_code_declares_what_the_mib_file_says() {
    let (code, module) = (code(), module());
    assert!(code.len() > 80, "only {} objects are declared", code.len());
    for (name, declared) in &code {
        assert_eq!(Some(declared), module.get(name), "{name}: code left, mibs/*.txt right");
    }
    assert!(module.len() > 480, "only {} objects are in the files", module.len());
    let undeclared: Vec<_> = module.keys().filter(|name| !code.contains_key(*name)).collect();
    assert!(undeclared.is_empty(), "in the MIB file, but nothing serves them: {undeclared:?}");
}

#[test]
fn the_mib_file_says_what_keepaliveds_module_says() {
    let Some(rows) = facts_rows() else {
        lab::note("../shared/reference/keepalived-mib-objects.tsv is absent: the facts are not compared");
        return;
    };
    let (facts, module) = (facts(&rows), module());
    assert!(facts.len() > 480, "only {} objects are known", facts.len());
    for (name, described) in module.iter().filter(|(name, _)| !name.starts_with("steadfast")) {
        assert_eq!(Some(described), facts.get(name), "{name}: MIB file left, facts right");
    }
    let missing: Vec<_> = facts.keys().filter(|name| !module.contains_key(*name)).collect();
    assert!(missing.is_empty(), "objects that the MIB file lacks: {missing:?}");
    // Arcs, tables, groups, statements of compliance and notifications as well.
    let definitions = all_definitions();
    let assigned = assigned(&definitions);
    for row in &rows {
        assert_eq!(resolve(&row[0], &assigned).as_deref(), Some(row[1].as_str()), "{}", row[0]);
    }
}

#[test]
fn the_notifications_have_their_objects_in_keepaliveds_order() {
    assert_eq!(
        objects_of("vrrpInstanceStateChange"),
        ["vrrpInstanceName", "vrrpInstanceState", "vrrpInstanceInitialState", "routerId"]
    );
    assert_eq!(
        objects_of("vrrpSyncGroupStateChange"),
        ["vrrpSyncGroupName", "vrrpSyncGroupState", "routerId"]
    );
}

/// The objects of a notification of the MIB file.
fn objects_of(notification: &str) -> Vec<String> {
    let text = fs::read_to_string(file("mibs/KEEPALIVED-MIB.txt")).unwrap();
    let (_, body) = definitions(&text).into_iter().find(|(name, _)| name == notification).unwrap();
    let objects: String = body.lines().skip(1).take_while(|line| !line.contains("STATUS")).collect();
    objects
        .replace("OBJECTS", "")
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
