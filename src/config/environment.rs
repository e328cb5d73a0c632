//! What reading a configuration needs to know about the system, behind a trait so that tests own the answers.

use std::{
    cell::RefCell,
    collections::HashMap,
    env, fs,
    hash::{BuildHasher, RandomState},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::{
    net::if_::if_nametoindex,
    unistd::{Group, User, gethostname},
};

/// An account as the system's database has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

/// What became of a search for a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// An executable file, symbolic links to other folders resolved.
    Found(PathBuf),
    /// There is a file, but it cannot be executed.
    NotExecutable(PathBuf),
    /// Nothing of that name.
    Missing,
}

/// Questions to the system. Implementations do not cache: a reload must see the current answers.
pub trait Environment {
    /// Whether a network interface of that name exists.
    fn interface_exists(&self, name: &str) -> bool;
    /// The host name; empty when the system will not say.
    fn host_name(&self) -> String;
    /// The account of a user name or number.
    fn account(&self, user: &str) -> Option<Account>;
    /// The id of a group name or number.
    fn group(&self, group: &str) -> Option<u32>;
    /// The account this program runs as.
    fn own_uid(&self) -> u32;
    /// Finds a program: by its path when `name` has a slash, in PATH otherwise.
    fn program(&self, name: &str) -> Program;
    /// The content of a file.
    ///
    /// # Errors
    /// Whatever the system says about it.
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The files that match a pattern, sorted; a name without wildcards matches itself if it exists.
    fn glob(&self, pattern: &str) -> Vec<PathBuf>;
    /// Whether the file is a directory or has an execute bit: such files are never configuration.
    fn is_executable_or_directory(&self, path: &Path) -> bool;
    /// An environment variable of this process.
    fn variable(&self, name: &str) -> Option<String>;
    /// Where `${_RANDOM}` begins when the file has no `random_seed`.
    fn random_seed(&self) -> u64;
}

/// The system this program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Environment for System {
    fn interface_exists(&self, name: &str) -> bool {
        if_nametoindex(name).is_ok()
    }

    fn host_name(&self) -> String {
        gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn account(&self, user: &str) -> Option<Account> {
        let entry = User::from_name(user).ok().flatten().or_else(|| {
            let uid = user.parse::<u32>().ok()?;
            User::from_uid(uid.into()).ok().flatten()
        })?;
        Some(Account { uid: entry.uid.as_raw(), gid: entry.gid.as_raw() })
    }

    fn group(&self, group: &str) -> Option<u32> {
        let entry = Group::from_name(group).ok().flatten().or_else(|| {
            let gid = group.parse::<u32>().ok()?;
            Group::from_gid(gid.into()).ok().flatten()
        })?;
        Some(entry.gid.as_raw())
    }

    fn own_uid(&self) -> u32 {
        nix::unistd::getuid().as_raw()
    }

    fn program(&self, name: &str) -> Program {
        if name.contains('/') {
            return probe(Path::new(name));
        }
        let search = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/bin:/usr/bin".into());
        let mut best = Program::Missing;
        for directory in env::split_paths(&search) {
            match probe(&directory.join(name)) {
                found @ Program::Found(_) => return found,
                Program::Missing => {}
                unusable => best = unusable,
            }
        }
        best
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        match glob::glob_with(pattern, options) {
            Ok(paths) => paths.filter_map(Result::ok).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn is_executable_or_directory(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|meta| meta.is_dir() || meta.permissions().mode() & 0o111 != 0)
    }

    fn variable(&self, name: &str) -> Option<String> {
        // An empty name, one with `=` or one with NUL is never set.
        env::var(name).ok()
    }

    fn random_seed(&self) -> u64 {
        // The standard library seeds its hash maps from the system's randomness.
        RandomState::new().hash_one(())
    }
}

/// A system where every interface and program exists: what another router's file means is read here, not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere;

impl Environment for Elsewhere {
    fn interface_exists(&self, _: &str) -> bool {
        true
    }

    fn host_name(&self) -> String {
        System.host_name()
    }

    fn account(&self, user: &str) -> Option<Account> {
        System.account(user).or(Some(Account { uid: u32::MAX, gid: u32::MAX }))
    }

    fn group(&self, group: &str) -> Option<u32> {
        System.group(group).or(Some(u32::MAX))
    }

    fn own_uid(&self) -> u32 {
        System.own_uid()
    }

    fn program(&self, name: &str) -> Program {
        Program::Found(name.into())
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        System.read_file(path)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        System.glob(pattern)
    }

    fn is_executable_or_directory(&self, path: &Path) -> bool {
        System.is_executable_or_directory(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        System.variable(name)
    }

    fn random_seed(&self) -> u64 {
        // The same file must not seem to differ from itself.
        1
    }
}

/// Another environment, each question asked once: a file with thousands of instances names few interfaces, users and
/// programs. It lives no longer than one reading.
pub(super) struct Remembering<'a> {
    inner: &'a dyn Environment,
    interfaces: RefCell<HashMap<String, bool>>,
    accounts: RefCell<HashMap<String, Option<Account>>>,
    groups: RefCell<HashMap<String, Option<u32>>>,
    programs: RefCell<HashMap<String, Program>>,
}

impl<'a> Remembering<'a> {
    pub(super) fn new(inner: &'a dyn Environment) -> Self {
        Self {
            inner,
            interfaces: RefCell::default(),
            accounts: RefCell::default(),
            groups: RefCell::default(),
            programs: RefCell::default(),
        }
    }
}

/// The known answer, or `ask` for it.
fn remembered<T: Clone>(known: &RefCell<HashMap<String, T>>, name: &str, ask: impl FnOnce(&str) -> T) -> T {
    if let Some(answer) = known.borrow().get(name) {
        return answer.clone();
    }
    let answer = ask(name);
    known.borrow_mut().insert(name.to_owned(), answer.clone());
    answer
}

impl Environment for Remembering<'_> {
    fn interface_exists(&self, name: &str) -> bool {
        remembered(&self.interfaces, name, |name| self.inner.interface_exists(name))
    }

    fn host_name(&self) -> String {
        self.inner.host_name()
    }

    fn account(&self, user: &str) -> Option<Account> {
        remembered(&self.accounts, user, |user| self.inner.account(user))
    }

    fn group(&self, group: &str) -> Option<u32> {
        remembered(&self.groups, group, |group| self.inner.group(group))
    }

    fn own_uid(&self) -> u32 {
        self.inner.own_uid()
    }

    fn program(&self, name: &str) -> Program {
        remembered(&self.programs, name, |name| self.inner.program(name))
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read_file(path)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        self.inner.glob(pattern)
    }

    fn is_executable_or_directory(&self, path: &Path) -> bool {
        self.inner.is_executable_or_directory(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.inner.variable(name)
    }

    fn random_seed(&self) -> u64 {
        self.inner.random_seed()
    }
}

/// The file at `path`, if it can be executed.
///
/// Symbolic links are resolved, but for one in the file's own folder: a program of many names (`sh` for `dash`) keeps
/// the one it was called by, as in keepalived.
fn probe(path: &Path) -> Program {
    let Ok(target) = path.canonicalize() else { return Program::Missing };
    let Ok(meta) = fs::metadata(&target) else { return Program::Missing };
    let resolved = match (path.parent().and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
        (Some(folder), Some(name)) if target.parent() == Some(&*folder) => folder.join(name),
        _ => target,
    };
    if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        Program::Found(resolved)
    } else {
        Program::NotExecutable(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_path_and_resolved() {
        let Program::Found(path) = System.program("sh") else { panic!("no sh in PATH") };
        assert!(path.is_absolute() && path.ends_with("sh"), "{}", path.display());
        let folder = path.parent().unwrap();
        assert!(!folder.is_symlink(), "{}", folder.display());
        assert_eq!(System.program("no-such-program-anywhere"), Program::Missing);
        assert!(matches!(System.program("/etc/passwd"), Program::NotExecutable(_)));
    }

    #[test]
    fn root_is_an_account_by_name_and_by_number() {
        assert_eq!(System.account("root"), Some(Account { uid: 0, gid: 0 }));
        assert_eq!(System.account("0"), System.account("root"));
        assert_eq!(System.account("no-such-user"), None);
    }

    #[test]
    fn the_loopback_exists() {
        assert!(System.interface_exists("lo"));
        assert!(!System.interface_exists("nosuch0"));
    }
}
