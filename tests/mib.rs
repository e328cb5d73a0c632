//! Three descriptions of one MIB: what the code declares, `mibs/KEEPALIVED-MIB.txt`, and the facts gathered
//! about keepalived's own module. They must say the same of every object served.

#![expect(
    clippy::unwrap_used,
    reason = "a file of the repository that cannot be read fails the test, and says why"
)]

#[path = "mib/services.rs"]
mod services;

use std::{collections::BTreeMap, fs, path::PathBuf};

use agentx::{Access, Object, Syntax};
use steadfast::snmp;

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
        other => other.into(),
    }
}

/// The clauses of one definition in a MIB file: the text after each keyword up to the next clause.
fn clause(definition: &str, keyword: &str) -> Option<String> {
    const KEYWORDS: [&str; 8] =
        ["SYNTAX", "UNITS", "MAX-ACCESS", "STATUS", "DESCRIPTION", "INDEX", "DISPLAY-HINT", "::="];
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
    let mut files = vec![file("mibs/KEEPALIVED-MIB.txt")];
    files.extend(fs::read_dir(file("mibs/base")).unwrap().map(|entry| entry.unwrap().path()));
    let texts = files.into_iter().map(|path| fs::read_to_string(path).unwrap());
    let all = texts.flat_map(|text| definitions(&text));
    all.filter(|(_, body)| body.contains("TEXTUAL-CONVENTION"))
        .filter_map(|(name, body)| Some((name, clause(&body, "SYNTAX")?)))
        .collect()
}

/// A name's OID, through the parents that the assignments name.
fn resolve(name: &str, assigned: &BTreeMap<String, (String, String)>) -> Option<String> {
    if name == "enterprises" {
        return Some("1.3.6.1.4.1".to_owned());
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

/// The MIB file's objects.
fn module() -> BTreeMap<String, Described> {
    let text = fs::read_to_string(file("mibs/KEEPALIVED-MIB.txt")).unwrap();
    let (conventions, definitions) = (conventions(), definitions(&text));
    let assigned: BTreeMap<_, _> =
        definitions.iter().filter_map(|(name, body)| Some((name.clone(), assignment(body)?))).collect();
    let indexes: BTreeMap<&str, Vec<String>> = definitions
        .iter()
        .filter_map(|(name, body)| {
            let index = clause(body, "INDEX")?;
            let names = index.trim_matches(['{', '}', ' ']).split(',').map(|name| name.trim().to_owned());
            Some((name.as_str(), names.collect()))
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

/// The facts' scalars and columns, or `None` when they are not there.
fn facts() -> Option<BTreeMap<String, Described>> {
    let text = fs::read_to_string(file("../shared/reference/keepalived-mib-objects.tsv")).ok()?;
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    let index_of_entry: BTreeMap<&str, Vec<String>> = rows
        .iter()
        .filter(|row| row[2] == "entry")
        .map(|row| (row[1], row[6].split_whitespace().map(str::to_owned).collect()))
        .collect();
    let objects = rows.iter().filter(|row| row[2] == "scalar" || row[2] == "column").map(|row| {
        let meaning = row[3].rsplit(" = ").next().unwrap_or_default();
        let entry = row[1].rsplit_once('.').map_or("", |(entry, _)| entry);
        let described = Described {
            oid: row[1].to_owned(),
            syntax: reduce(meaning, &BTreeMap::new()),
            access: row[4].to_owned(),
            index: index_of_entry.get(entry).cloned().unwrap_or_default(),
        };
        (row[0].to_owned(), described)
    });
    Some(objects.collect())
}

#[test]
fn the_code_declares_what_the_mib_file_says() {
    let (code, module) = (code(), module());
    assert!(code.len() > 80, "only {} objects are declared", code.len());
    for (name, declared) in &code {
        assert_eq!(Some(declared), module.get(name), "{name}: code left, mibs/KEEPALIVED-MIB.txt right");
    }
    let undeclared: Vec<_> = module.keys().filter(|name| !code.contains_key(*name)).collect();
    assert!(undeclared.is_empty(), "in the MIB file, but nothing serves them: {undeclared:?}");
}

#[test]
fn the_mib_file_says_what_keepaliveds_module_says() {
    let Some(facts) = facts() else {
        println!("shared/reference/keepalived-mib-objects.tsv is absent: the facts are not compared");
        return;
    };
    let module = module();
    for (name, described) in &module {
        assert_eq!(Some(described), facts.get(name), "{name}: MIB file left, facts right");
    }
    let missing: Vec<_> = facts.keys().filter(|name| !module.contains_key(*name)).collect();
    assert!(missing.is_empty(), "objects that the MIB file lacks: {missing:?}");
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
