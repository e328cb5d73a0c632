//! A system that exists only in an input: its files, one interface, two accounts, one program.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use steadfast::config::{Account, Environment, Program};

/// Where the main file is.
pub const MAIN: &str = "/etc/main.conf";
/// A line that begins another file and names it. To the language it is a comment.
const NEXT_FILE: &[u8] = b"#file ";

/// Files in memory, and how often they were asked for.
#[derive(Default)]
pub struct Files {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Files that were read.
    pub reads: Cell<usize>,
    /// Patterns that were looked up.
    pub globs: Cell<usize>,
}

impl Files {
    /// The main file, and behind each `#file NAME` line one more beside it.
    pub fn of(input: &[u8]) -> Self {
        let mut files = Self::default();
        let mut name = PathBuf::from(MAIN);
        let mut bytes = Vec::new();
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if let Some(next) = line.strip_prefix(NEXT_FILE) {
                files.files.insert(name, std::mem::take(&mut bytes));
                name = Path::new("/etc").join(String::from_utf8_lossy(next).trim());
            }
            bytes.extend_from_slice(line);
        }
        files.files.insert(name, bytes);
        files
    }

    /// With one more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), bytes.into());
        self
    }
}

impl Environment for Files {
    fn interface_exists(&self, name: &str) -> bool {
        matches!(name, "lo" | "eth0")
    }

    fn host_exists(&self, name: &str) -> bool {
        name == "mail.example.net"
    }

    fn host_name(&self) -> String {
        "router1.example.net".to_owned()
    }

    fn account(&self, user: &str) -> Option<Account> {
        match user {
            "root" => Some(Account { uid: 0, gid: 0 }),
            "nobody" => Some(Account { uid: 65534, gid: 65534 }),
            _ => None,
        }
    }

    fn group(&self, group: &str) -> Option<u32> {
        (group == "wheel").then_some(10)
    }

    fn own_uid(&self) -> u32 {
        0
    }

    fn program(&self, name: &str) -> Program {
        match name {
            "/bin/true" | "true" => Program::Found { path: "/bin/true".into(), named: "/bin/true".into() },
            "/etc/passwd" => Program::NotExecutable(name.into()),
            _ => Program::Missing,
        }
    }

    fn writable_by_others(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn gains_root(&self, _: &Path) -> bool {
        false
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        let bytes = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        if bytes.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.clone())
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        self.globs.set(self.globs.get() + 1);
        if !pattern.contains(['*', '?', '[']) {
            return self.files.keys().filter(|path| *path == Path::new(pattern)).cloned().collect();
        }
        let Ok(pattern) = glob::Pattern::new(pattern) else { return Vec::new() };
        self.files.keys().filter(|path| pattern.matches_path(path)).cloned().collect()
    }

    fn is_executable_or_directory(&self, _: &Path) -> bool {
        false
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "SITE").then(|| "north".to_owned())
    }

    fn random_seed(&self) -> u64 {
        1
    }
}
