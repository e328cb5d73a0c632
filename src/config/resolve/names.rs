//! Numbers with names, from the files of iproute2.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::config::{Environment, keywords::Names, settings::GlobalDefs, value};

/// Where the vendor's files are and where those of this host are.
const DIRECTORIES: [&str; 2] = ["/usr/share/iproute2", "/etc/iproute2"];
/// A file of names has a few hundred lines.
const MAX_BYTES: u64 = 1 << 20;

/// What the kernel itself calls its numbers (linux/rtnetlink.h), for hosts without the files.
const KERNEL: &[(Names, &str, u32)] = &[
    (Names::Tables, "default", 253),
    (Names::Tables, "main", 254),
    (Names::Tables, "local", 255),
    (Names::Protocols, "kernel", 2),
    (Names::Protocols, "boot", 3),
    (Names::Protocols, "static", 4),
    (Names::Protocols, "keepalived", 18),
    (Names::Scopes, "global", 0),
    (Names::Scopes, "site", 200),
    (Names::Scopes, "link", 253),
    (Names::Scopes, "host", 254),
    (Names::Scopes, "nowhere", 255),
    (Names::Groups, "default", 0),
];

/// The names that have been looked up, by file; each is read once.
#[derive(Default)]
pub(super) struct NameTables {
    directories: Vec<PathBuf>,
    known: HashMap<Names, HashMap<String, u32>>,
}

impl NameTables {
    /// Looks where `iproute_usr_dir` and `iproute_etc_dir` say, else in the usual places.
    pub(super) fn new(global: &GlobalDefs) -> Self {
        let written = [&global.iproute_usr_dir, &global.iproute_etc_dir];
        let directories = written
            .into_iter()
            .zip(DIRECTORIES)
            .map(|(written, usual)| PathBuf::from(written.as_deref().unwrap_or(usual)));
        Self { directories: directories.collect(), known: HashMap::new() }
    }

    /// The number that a word stands for: its name's, else itself.
    pub(super) fn number(&mut self, names: Names, word: &str, env: &dyn Environment) -> Option<u32> {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return in_range(names, word);
        }
        let Self { directories, known } = self;
        let known = known.entry(names).or_insert_with(|| read(names, directories, env));
        known.get(word).copied().or_else(|| in_range(names, word))
    }
}

fn in_range(names: Names, word: &str) -> Option<u32> {
    let number = value::numeral(word).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number <= names.max())
}

/// The names of one kind: the kernel's, then what the files say, `rt_tables.d/*.conf` after `rt_tables`.
fn read(names: Names, directories: &[PathBuf], env: &dyn Environment) -> HashMap<String, u32> {
    let own = KERNEL.iter().filter(|(kind, ..)| *kind == names);
    let mut known: HashMap<_, _> = own.map(|(_, name, number)| ((*name).to_owned(), *number)).collect();
    for directory in directories {
        let more = directory.join(format!("{}.d/*.conf", names.file()));
        read_file(&directory.join(names.file()), &mut known, env);
        for file in env.glob(&more.to_string_lossy()) {
            read_file(&file, &mut known, env);
        }
    }
    known
}

/// Lines of a number and a name; `#` begins a comment. A file that cannot be read has none. A name of two numbers is that
/// of the smaller one, as for iproute2, which looks through them in order: FRR has a `static` of its own.
fn read_file(file: &Path, known: &mut HashMap<String, u32>, env: &dyn Environment) {
    let Ok(bytes) = env.read_file(file, MAX_BYTES) else { return };
    for line in String::from_utf8_lossy(&bytes).lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let number = words.next().and_then(value::numeral).and_then(|number| u32::try_from(number).ok());
        if let (Some(number), Some(name)) = (number, words.next()) {
            known.entry(name.to_owned()).and_modify(|first| *first = number.min(*first)).or_insert(number);
        }
    }
}
