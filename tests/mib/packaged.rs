//! The modules that keepalived's package has beside ours, as net-snmp understands both.

use std::{collections::BTreeMap, path::Path, process::Command};

use crate::file;

/// The modules, each with where it begins, how many objects and arcs the package's has at least, and how many ours has more:
/// Debian's package is of 2.2.7, whose module lacks what came later.
const MODULES: [(&str, &str, usize, usize); 3] = [
    ("KEEPALIVED-MIB", ".1.3.6.1.4.1.9586.100.5", 500, 20),
    ("VRRP-MIB", ".1.3.6.1.2.1.68", 50, 0),
    ("VRRPV3-MIB", ".1.3.6.1.2.1.207", 50, 0),
];

/// What no request and no answer shows: texts, and names of types.
const TEXTS: [&str; 4] = ["-- TEXTUAL CONVENTION", "DISPLAY-HINT", "UNITS", "DEFVAL"];

/// A module with the files of one directory, and the standard modules' stand-ins.
struct Module<'a> {
    name: &'a str,
    directory: &'a Path,
}

impl Module<'_> {
    fn translate(&self, arguments: &[&str]) -> String {
        let directories = format!("{}:{}", self.directory.display(), file("mibs/base").display());
        let told = Command::new("snmptranslate")
            .args(["-Pw", "-M", &directories, "-m", self.name])
            .args(arguments)
            .env("SNMPCONFPATH", "/nonexistent")
            .output()
            .unwrap();
        String::from_utf8(told.stdout).unwrap()
    }

    /// Its names below `root`, each with its OID.
    fn names(&self, root: &str) -> BTreeMap<String, String> {
        let lines = self.translate(&["-Tz"]);
        let pair = |line: &str| {
            let mut words = line.split('"').filter(|word| !word.trim().is_empty());
            Some((words.next()?.to_owned(), format!(".{}", words.next()?)))
        };
        lines
            .lines()
            .filter_map(pair)
            .filter(|(_, oid)| format!("{oid}.").starts_with(&format!("{root}.")))
            .collect()
    }

    /// What is said of these OIDs: SYNTAX with its values and ranges, MAX-ACCESS, STATUS, INDEX, OBJECTS and the whole way to it.
    fn details(&self, oids: &[&str]) -> BTreeMap<String, Vec<String>> {
        let text = self.translate(&[&["-Td"], oids].concat());
        let start = format!("{}::", self.name);
        let mut details: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut name, mut described) = (String::new(), false);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(next) = line.strip_prefix(&start).filter(|_| !described) {
                name = next.to_owned();
            } else if line.starts_with("DESCRIPTION") || described {
                described = !line.ends_with('"');
            } else if !TEXTS.iter().any(|text| line.starts_with(text)) {
                details.entry(name.clone()).or_default().push(line.to_owned());
            }
        }
        details
    }
}

#[test]
fn net_snmp_understands_these_files_as_it_does_those_of_keepalived_s_package() {
    let packaged = Path::new("/usr/share/snmp/mibs");
    if !packaged.join("KEEPALIVED-MIB.txt").exists() {
        println!("the package keepalived is not installed: its modules are not compared");
        return;
    }
    let directory = file("mibs");
    for (name, root, least, later) in MODULES {
        let (ours, theirs) = (Module { name, directory: &directory }, Module { name, directory: packaged });
        let (our_names, their_names) = (ours.names(root), theirs.names(root));
        assert!(their_names.len() >= least, "{name}: only {} in keepalived's file", their_names.len());
        assert_eq!(our_names.len(), their_names.len() + later, "{name}");
        for (object, oid) in &their_names {
            assert_eq!(our_names.get(object), Some(oid), "{object}: ours left, keepalived's right");
        }
        let oids: Vec<&str> = their_names.values().map(String::as_str).collect();
        let (ours, theirs) = (ours.details(&oids), theirs.details(&oids));
        assert_eq!(theirs.len(), their_names.len(), "{name}");
        for (object, told) in &theirs {
            assert_eq!(ours.get(object), Some(told), "{object}: ours left, keepalived's right");
        }
    }
}
