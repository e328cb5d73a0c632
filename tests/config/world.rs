//! A system for configuration tests: the interfaces are ours to choose, everything else is this machine's.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use steadfast::config::{Account, Environment, Program, System};

/// This machine with other interfaces, and with the host name and user of a router.
pub(crate) struct World {
    interfaces: BTreeSet<String>,
}

impl World {
    /// A world with these interfaces beside the loopback.
    pub(crate) fn with(interfaces: impl IntoIterator<Item = String>) -> Self {
        Self { interfaces: interfaces.into_iter().chain(["lo".to_owned()]).collect() }
    }

    /// The interfaces that have to be made where another program is to see the same world.
    pub(crate) fn made(&self) -> impl Iterator<Item = &str> {
        self.interfaces.iter().map(String::as_str).filter(|name| *name != "lo")
    }
}

impl Environment for World {
    fn interface_exists(&self, name: &str) -> bool {
        self.interfaces.contains(name)
    }

    fn host_exists(&self, name: &str) -> bool {
        System.host_exists(name)
    }

    fn host_name(&self) -> String {
        "router1.example.net".to_owned()
    }

    fn account(&self, user: &str) -> Option<Account> {
        System.account(user)
    }

    fn group(&self, group: &str) -> Option<u32> {
        System.group(group)
    }

    fn own_uid(&self) -> u32 {
        0
    }

    fn program(&self, name: &str) -> Program {
        System.program(name)
    }

    fn writable_by_others(&self, path: &Path) -> Option<PathBuf> {
        System.writable_by_others(path)
    }

    fn gains_root(&self, path: &Path) -> bool {
        System.gains_root(path)
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        System.read_file(path, limit)
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
        1
    }
}
