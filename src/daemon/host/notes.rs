//! What of the host is ours for a while: settings that were changed, links and rules that were made.
//!
//! It is noted in a file before it is done, links when those that were ordered together are there and not yet up. Whoever ends the daemon in order, or
//! starts it again after it was killed, with whatever configuration, finds there what to undo. A note counts only on the
//! same boot and in the same network namespace, and only while the thing is what we made it: what somebody else has set
//! or made since is theirs.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use tracing::warn;

use crate::{
    kernel::{KernelError, Link, Sysctl, own_file},
    units::IfIndex,
};

/// No notes are longer: some settings for each of a few thousand links.
const MAX_BYTES: u64 = 4 << 20;

/// The notes, and where they are.
#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    /// The settings that were changed, oldest first.
    pub(super) sysctls: Vec<Changed>,
    /// The links that were made.
    pub(super) links: Vec<Made>,
    /// The name of the nf_tables tables that were made.
    pub(super) table: Option<String>,
}

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) sysctl: Sysctl,
    pub(super) before: i64,
    pub(super) ours: i64,
}

/// A link that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) index: IfIndex,
    pub(super) name: String,
}

impl Made {
    /// Whether a link is this one. An index is not given twice before all numbers have been.
    pub(super) fn is(&self, link: &Link) -> bool {
        self.index == link.index && self.name == link.name
    }
}

impl Notes {
    /// What an earlier run has noted in `path`, if it was killed.
    pub(super) fn open(path: &Path) -> Self {
        let text = own_file::read(path, MAX_BYTES).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                warn!("the notes in {} are not believed: {error}", path.display());
            }
            String::new()
        });
        let mut notes = Self { path: path.to_owned(), sysctls: Vec::new(), links: Vec::new(), table: None };
        if let Some((world, lines)) = text.split_once('\n')
            && Some(world) == self::world().as_deref()
        {
            lines.lines().for_each(|line| notes.take(line));
        }
        notes
    }

    /// Takes a line in; one that makes no sense counts for nothing.
    fn take(&mut self, line: &str) {
        if let Some(link) = line.strip_prefix("link ") {
            self.links.extend(Made::parse(link));
        } else if let Some(table) = line.strip_prefix("table ") {
            self.table = Some(table.to_owned());
        } else {
            self.sysctls.extend(Changed::parse(line));
        }
    }

    /// Notes that tables of that name are there from now on.
    pub(super) fn note_table(&mut self, name: &str) {
        if self.table.as_deref() != Some(name) {
            self.table = Some(name.to_owned());
            self.write();
        }
    }

    /// Notes which links there are, beside those of other names.
    pub(super) fn note_links(&mut self, made: Vec<Made>) {
        if made.iter().all(|made| self.links.contains(made)) {
            return;
        }
        self.links.retain(|known| made.iter().all(|made| made.name != known.name));
        self.links.extend(made);
        self.write();
    }

    /// Writes the notes, whole or not at all. Without them everything works, but a daemon that is killed leaves behind
    /// what it did to the host.
    pub(super) fn write(&self) {
        let Some(world) = world() else { return };
        let mut text = format!("{world}\n");
        for Changed { sysctl, before, ours } in &self.sysctls {
            text.push_str(&format!("{} {before} {ours}\n", sysctl.name()));
        }
        for Made { index, name } in &self.links {
            text.push_str(&format!("link {} {name}\n", index.0));
        }
        if let Some(table) = &self.table {
            text.push_str(&format!("table {table}\n"));
        }
        if let Err(error) = own_file::replace(&self.path, &text) {
            warn!("cannot note in {} what of the host is changed: {error}", self.path.display());
        }
    }

    /// Forgets what has been undone: without anything left there is no file.
    pub(super) fn settle(&self) -> Result<(), KernelError> {
        if !self.sysctls.is_empty() || !self.links.is_empty() || self.table.is_some() {
            self.write();
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(KernelError::from_io(format!("removing {}", self.path.display()), &error))
            }
            _ => Ok(()),
        }
    }
}

impl Changed {
    /// A setting, what it was and what it is.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.rsplitn(3, ' ');
        let ours = words.next()?.parse().ok()?;
        let before = words.next()?.parse().ok()?;
        Some(Self { sysctl: Sysctl::named(words.next()?)?, before, ours })
    }
}

impl Made {
    /// Its index and name.
    fn parse(words: &str) -> Option<Self> {
        let (index, name) = words.split_once(' ')?;
        Some(Self { index: IfIndex(index.parse().ok()?), name: name.to_owned() })
    }
}

/// What tells this boot and this network namespace from all others.
fn world() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::metadata("/proc/thread-self/ns/net").ok()?.ino();
    Some(format!("{} {namespace}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_they_were_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes");
        let mut notes = Notes::open(&path);
        let made = |index, name: &str| Made { index: IfIndex(index), name: name.to_owned() };
        notes.note_links(vec![made(16, "vrrp.50"), made(17, "vrrp.51")]);
        notes.note_links(vec![made(18, "vrrp.51")]);
        notes.note_table("keepalived");
        let read = Notes::open(&path);
        assert_eq!(read.links, [made(16, "vrrp.50"), made(18, "vrrp.51")]);
        assert_eq!(read.table.as_deref(), Some("keepalived"));
        notes.links.clear();
        notes.table = None;
        notes.settle().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_line_that_leads_elsewhere_is_none() {
        for name in ["ipv4/../../../../etc/passwd", "/etc/passwd", "/proc/sys/kernel/sysrq", "core/somaxconn"]
        {
            assert_eq!(Changed::parse(&format!("{name} 0 1")), None, "{name}");
        }
        assert_eq!(Changed::parse("ipv4/conf/lo/arp_ignore 0"), None);
        let line = Changed { sysctl: Sysctl::ipv4("a b", "arp_ignore"), before: 0, ours: -1 };
        assert_eq!(Changed::parse("ipv4/conf/a b/arp_ignore 0 -1"), Some(line));
        assert_eq!(Made::parse("x vrrp.51"), None);
    }
}
