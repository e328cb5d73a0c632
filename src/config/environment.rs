//! What reading a configuration needs to know about the system, behind a trait so that tests own the answers.

use std::{
    cell::RefCell,
    collections::HashMap,
    env,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, Hash, RandomState},
    io::{self, Read},
    net::ToSocketAddrs,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::{
    ifaddrs::getifaddrs,
    libc,
    net::if_::{InterfaceFlags, if_nametoindex},
    sched::{CloneFlags, setns},
    unistd::{Group, User, gethostname},
};
use zeroize::Zeroizing;

pub use super::programs::Program;
use super::{
    Options, SigningKey,
    programs::{exposed_part, probe},
};

/// Where `ip netns` keeps network namespaces (ip-netns(8)).
pub const NAMESPACES: &str = "/run/netns";

/// Bits of a file's mode (inode(7)).
const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;
const FOR_OTHERS: u32 = 0o077;

/// Files up to this size are read into one piece of memory.
const SMALL: u64 = 4096;

/// An account as the system's database has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

/// A file with a key.
#[derive(Debug)]
pub struct KeyFile {
    /// What it holds; wiped when it is given back.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether others than its owner may read or change it, or its owner is neither root nor this user.
    pub exposed: bool,
}

/// Questions to the system. Implementations do not cache: a reload must see the current answers.
pub trait Environment {
    /// Whether a network interface of that name exists.
    fn interface_exists(&self, name: &str) -> bool;
    /// Whether a host's name has an address. May ask the network, and wait for it.
    fn host_exists(&self, name: &str) -> bool;
    /// The largest IP packet that an interface carries, in bytes; `None` when nobody knows.
    fn mtu(&self, _interface: &str) -> Option<u32> {
        None
    }
    /// Has the calling thread, and all that it starts, live in the network namespace of that name, where every question
    /// about interfaces is asked from then on.
    fn enter_namespace(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
    /// Whether an interface knows multicast; `None` when nobody knows.
    fn has_multicast(&self, _interface: &str) -> Option<bool> {
        None
    }
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
    /// The part of a program's path that somebody other than root may change or replace; `None` when there is none.
    fn writable_by_others(&self, path: &Path) -> Option<PathBuf>;
    /// Whether a program gets the rights of root's user or group whoever starts it (setuid, setgid).
    fn gains_root(&self, path: &Path) -> bool;
    /// The content of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// Whatever the system says about it; [`io::ErrorKind::InvalidInput`] when it is no regular file,
    /// [`io::ErrorKind::FileTooLarge`] when it holds more.
    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
    /// A regular file with a key of at most `limit` bytes.
    ///
    /// # Errors
    /// As those of [`Self::read_file`].
    fn key_file(&self, path: &Path, limit: u64) -> io::Result<KeyFile> {
        let content = Zeroizing::new(self.read_file(path, limit)?);
        Ok(KeyFile { content, exposed: false })
    }
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

    fn host_exists(&self, name: &str) -> bool {
        // Any port will do.
        (name, 0).to_socket_addrs().is_ok_and(|mut addresses| addresses.next().is_some())
    }

    fn mtu(&self, interface: &str) -> Option<u32> {
        // In the reader's network namespace, which /sys is not always.
        let path = format!("/proc/sys/net/ipv6/conf/{interface}/mtu");
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    fn enter_namespace(&self, name: &str) -> io::Result<()> {
        if name.contains('/') {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let namespace = fs::File::open(Path::new(NAMESPACES).join(name))?;
        Ok(setns(namespace, CloneFlags::CLONE_NEWNET)?)
    }

    fn has_multicast(&self, interface: &str) -> Option<bool> {
        let mut known = getifaddrs().ok()?;
        let found = known.find(|known| known.interface_name == interface)?;
        Some(found.flags.contains(InterfaceFlags::IFF_MULTICAST))
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
                found @ Program::Found { .. } => return found,
                Program::Missing => {}
                unusable => best = unusable,
            }
        }
        best
    }

    fn writable_by_others(&self, path: &Path) -> Option<PathBuf> {
        exposed_part(path)
    }

    fn gains_root(&self, path: &Path) -> bool {
        // A file that cannot be asked about counts as the worse case.
        fs::metadata(path).map_or(true, |meta| {
            let mode = meta.mode();
            mode & SET_USER_ID != 0 && meta.uid() == 0 || mode & SET_GROUP_ID != 0 && meta.gid() == 0
        })
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        read_whole(&regular(path)?, limit)
    }

    fn key_file(&self, path: &Path, limit: u64) -> io::Result<KeyFile> {
        let file = regular(path)?;
        let meta = file.metadata()?;
        let exposed = meta.mode() & FOR_OTHERS != 0 || meta.uid() != 0 && meta.uid() != self.own_uid();
        Ok(KeyFile { content: Zeroizing::new(read_whole(&file, limit)?), exposed })
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

    fn host_exists(&self, _: &str) -> bool {
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
        Program::Found { path: name.into(), named: name.into() }
    }

    fn writable_by_others(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn gains_root(&self, _: &Path) -> bool {
        false
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        System.read_file(path, limit)
    }

    /// There it exists and holds a key, whichever.
    fn key_file(&self, _: &Path, _: u64) -> io::Result<KeyFile> {
        Ok(KeyFile { content: Zeroizing::new(vec![b'0'; *SigningKey::LENGTHS.start()]), exposed: false })
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
    /// Whether names of hosts are looked up, or taken as good.
    look_up: bool,
    /// Whether the process is in its network namespace already.
    stays: bool,
    interfaces: RefCell<HashMap<String, bool>>,
    mtus: RefCell<HashMap<String, Option<u32>>>,
    accounts: RefCell<HashMap<String, Option<Account>>>,
    groups: RefCell<HashMap<String, Option<u32>>>,
    programs: RefCell<HashMap<String, Program>>,
    exposed: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
}

impl<'a> Remembering<'a> {
    pub(super) fn new(inner: &'a dyn Environment, options: &Options<'_>) -> Self {
        Self {
            inner,
            look_up: options.look_up_hosts,
            stays: options.namespace.is_some(),
            interfaces: RefCell::default(),
            mtus: RefCell::default(),
            accounts: RefCell::default(),
            groups: RefCell::default(),
            programs: RefCell::default(),
            exposed: RefCell::default(),
        }
    }
}

/// The known answer, or `ask` for it.
fn remembered<N, T>(known: &RefCell<HashMap<N::Owned, T>>, name: &N, ask: impl FnOnce(&N) -> T) -> T
where
    N: ToOwned + Hash + Eq + ?Sized,
    N::Owned: Hash + Eq,
    T: Clone,
{
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

    fn host_exists(&self, name: &str) -> bool {
        !self.look_up || self.inner.host_exists(name)
    }

    fn mtu(&self, interface: &str) -> Option<u32> {
        remembered(&self.mtus, interface, |interface| self.inner.mtu(interface))
    }

    fn enter_namespace(&self, name: &str) -> io::Result<()> {
        if self.stays { Ok(()) } else { self.inner.enter_namespace(name) }
    }

    fn has_multicast(&self, interface: &str) -> Option<bool> {
        self.inner.has_multicast(interface)
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

    fn writable_by_others(&self, path: &Path) -> Option<PathBuf> {
        remembered(&self.exposed, path, |path| self.inner.writable_by_others(path))
    }

    fn gains_root(&self, path: &Path) -> bool {
        self.inner.gains_root(path)
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.inner.read_file(path, limit)
    }

    fn key_file(&self, path: &Path, limit: u64) -> io::Result<KeyFile> {
        self.inner.key_file(path, limit)
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

/// Opens a regular file to be read.
fn regular(path: &Path) -> io::Result<File> {
    let is_regular = |meta: fs::Metadata| {
        let refusal = || io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        meta.is_file().then_some(()).ok_or_else(refusal)
    };
    // Opening a device may have effects: look before. What is put there in between must not hold up the reader.
    is_regular(fs::metadata(path)?)?;
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    is_regular(file.metadata()?)?;
    Ok(file)
}

/// The content of a file, of at most `limit` bytes.
fn read_whole(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    // Room for all of it at once, so that no part of a key is left behind in memory that was too small.
    let room = usize::try_from(limit.min(SMALL)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room + 1);
    // The size that the system tells may have changed: what is read counts.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_path_and_resolved() {
        let Program::Found { path, .. } = System.program("sh") else { panic!("no sh in PATH") };
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
        assert_eq!(System.mtu("nosuch0"), None);
        // A host without IPv6 does not say.
        assert!(System.mtu("lo").is_none_or(|mtu| mtu >= 1280));
    }

    #[test]
    fn only_regular_files_of_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (fifo, file) = (folder.path().join("fifo"), folder.path().join("file"));
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
        let kind = |path: &Path, limit| System.read_file(path, limit).map_err(|error| error.kind());
        assert_eq!(kind(&fifo, 10), Err(io::ErrorKind::InvalidInput));
        fs::write(&file, "12345").unwrap();
        assert_eq!(kind(&file, 5), Ok(b"12345".to_vec()));
        assert_eq!(kind(&file, 4), Err(io::ErrorKind::FileTooLarge));
    }

    #[test]
    fn a_key_that_others_can_read_or_change_is_exposed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "key").unwrap();
        for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o602, true)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let key = System.key_file(file.path(), 10).unwrap();
            assert_eq!((key.content.as_slice(), key.exposed), (&b"key"[..], exposed), "{mode:o}");
        }
        if nix::unistd::geteuid().is_root() {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
            std::os::unix::fs::chown(file.path(), Some(1), None).unwrap();
            assert!(System.key_file(file.path(), 10).unwrap().exposed, "another owner");
        }
    }
}
