//! Settings of the network that are ours for a while.
//!
//! What a setting was is noted in a file before it is changed. Whoever ends the daemon in order, or starts it again
//! after it was killed, finds there what to put back. A note counts only on the same boot and in the same network
//! namespace, and only while the setting is what we made it: what somebody else has set since is theirs.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use tracing::warn;

use crate::kernel::{KernelError, Sysctl, own_file};

/// No journal is longer: some settings for each of a few thousand links.
const MAX_BYTES: u64 = 4 << 20;

/// The settings that were changed, oldest first.
#[derive(Debug)]
pub(super) struct Sysctls {
    journal: PathBuf,
    changed: Vec<Changed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Changed {
    sysctl: Sysctl,
    before: i64,
    ours: i64,
}

impl Sysctls {
    /// What an earlier run has noted in `journal`, if it was killed.
    pub(super) fn open(journal: &Path) -> Self {
        let text = own_file::read(journal, MAX_BYTES).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                warn!("the notes in {} are not believed: {error}", journal.display());
            }
            String::new()
        });
        let changed = match text.split_once('\n') {
            Some((world, lines)) if Some(world) == self::world().as_deref() => {
                lines.lines().filter_map(Changed::parse).collect()
            }
            _ => Vec::new(),
        };
        Self { journal: journal.to_owned(), changed }
    }

    /// Gives settings their values, noting first what they were. All are tried; the first refusal is the error.
    pub(super) fn set(&mut self, wanted: &[(Sysctl, i64)]) -> Result<(), KernelError> {
        let mut failure = Ok(());
        let mut writes = Vec::new();
        for (sysctl, ours) in wanted {
            match sysctl.read() {
                Ok(now) if now == *ours => {}
                Ok(before) => {
                    self.changed.retain(|known| known.sysctl != *sysctl);
                    self.changed.push(Changed { sysctl: sysctl.clone(), before, ours: *ours });
                    writes.push((sysctl, *ours));
                }
                Err(error) => failure = failure.and(Err(error)),
            }
        }
        if !writes.is_empty() {
            self.note();
        }
        for (sysctl, ours) in writes {
            failure = failure.and(sysctl.write(ours));
        }
        failure
    }

    /// Puts everything back that is still ours, the latest change first.
    pub(super) fn restore(&mut self) -> Vec<KernelError> {
        let mut errors = Vec::new();
        for Changed { sysctl, before, ours } in self.changed.drain(..).rev() {
            // An interface that is gone has taken its settings along.
            if sysctl.read().is_ok_and(|now| now == ours) {
                errors.extend(sysctl.write(before).err());
            }
        }
        match fs::remove_file(&self.journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                errors.push(KernelError::from_io(format!("removing {}", self.journal.display()), &error));
            }
            _ => {}
        }
        errors
    }

    /// Writes the notes, whole or not at all. Without them everything works, but a daemon that is killed leaves its
    /// settings behind.
    fn note(&self) {
        let Some(world) = world() else { return };
        let mut text = format!("{world}\n");
        for Changed { sysctl, before, ours } in &self.changed {
            text.push_str(&format!("{} {before} {ours}\n", sysctl.name()));
        }
        if let Err(error) = own_file::replace(&self.journal, &text) {
            warn!(
                "cannot note in {} which settings of the network are changed: {error}",
                self.journal.display()
            );
        }
    }
}

impl Changed {
    /// A line of the journal.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.rsplitn(3, ' ');
        let ours = words.next()?.parse().ok()?;
        let before = words.next()?.parse().ok()?;
        Some(Self { sysctl: Sysctl::named(words.next()?)?, before, ours })
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
    use std::os::unix::fs::PermissionsExt as _;

    use nix::sched::{CloneFlags, unshare};

    use super::*;

    /// Runs a story in a network namespace of its own, with the path of a journal that is not there yet.
    fn in_namespace(story: impl FnOnce(&Path) + Send + 'static) {
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
            let directory = tempfile::tempdir().unwrap();
            story(&directory.path().join("journal"));
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }

    fn lo(key: &str) -> Sysctl {
        Sysctl::ipv4("lo", key)
    }

    #[test]
    fn what_was_changed_is_put_back_and_the_journal_is_gone() {
        in_namespace(|journal| {
            lo("arp_ignore").write(2).unwrap();
            let mut sysctls = Sysctls::open(journal);
            sysctls.set(&[(lo("arp_ignore"), 1), (lo("arp_filter"), 1), (lo("rp_filter"), 0)]).unwrap();
            assert_eq!([lo("arp_ignore"), lo("arp_filter")].map(|one| one.read().unwrap()), [1, 1]);
            assert!(journal.exists());
            assert_eq!(sysctls.restore(), []);
            assert_eq!([lo("arp_ignore"), lo("arp_filter")].map(|one| one.read().unwrap()), [2, 0]);
            assert!(!journal.exists());
        });
    }

    #[test]
    fn the_next_run_puts_back_what_a_killed_one_changed() {
        in_namespace(|journal| {
            Sysctls::open(journal).set(&[(lo("arp_ignore"), 1)]).unwrap();
            assert_eq!(Sysctls::open(journal).restore(), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 0);
        });
    }

    #[test]
    fn a_journal_of_another_world_is_not_believed() {
        in_namespace(|journal| {
            Sysctls::open(journal).set(&[(lo("arp_ignore"), 1)]).unwrap();
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            lo("arp_ignore").write(1).unwrap();
            assert_eq!(Sysctls::open(journal).restore(), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
    }

    #[test]
    fn a_journal_that_others_may_write_is_not_believed() {
        in_namespace(|journal| {
            Sysctls::open(journal).set(&[(lo("arp_ignore"), 1)]).unwrap();
            fs::set_permissions(journal, fs::Permissions::from_mode(0o666)).unwrap();
            assert_eq!(Sysctls::open(journal).restore(), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
    }

    #[test]
    fn what_somebody_else_has_set_since_is_theirs() {
        in_namespace(|journal| {
            let mut sysctls = Sysctls::open(journal);
            sysctls.set(&[(lo("arp_ignore"), 1)]).unwrap();
            lo("arp_ignore").write(2).unwrap();
            assert_eq!(sysctls.restore(), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 2);
        });
    }

    #[test]
    fn the_first_refusal_is_reported_and_the_rest_is_done() {
        in_namespace(|journal| {
            let mut sysctls = Sysctls::open(journal);
            let wanted = [(Sysctl::ipv4("none", "arp_ignore"), 1), (lo("arp_ignore"), 1)];
            assert!(sysctls.set(&wanted).unwrap_err().is_not_found());
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
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
    }
}
