//! Settings of the network that are ours for a while: changed, and put back by this run or the next one.

use super::notes::{Changed, Notes};
use crate::kernel::{KernelError, Sysctl};

/// Gives settings their values, noting first what they were. All are tried; the first refusal is the error.
pub(super) fn set(notes: &mut Notes, wanted: &[(Sysctl, i64)]) -> Result<(), KernelError> {
    let mut failure = Ok(());
    let mut writes = Vec::new();
    for (sysctl, ours) in wanted {
        match sysctl.read() {
            Ok(now) if now == *ours => {}
            Ok(before) => {
                notes.sysctls.retain(|known| known.sysctl != *sysctl);
                notes.sysctls.push(Changed { sysctl: sysctl.clone(), before, ours: *ours });
                writes.push((sysctl, *ours));
            }
            Err(error) => failure = failure.and(Err(error)),
        }
    }
    if !writes.is_empty() {
        notes.write();
    }
    for (sysctl, ours) in writes {
        failure = failure.and(sysctl.write(ours));
    }
    failure
}

/// Puts everything back that is still ours, the latest change first.
pub(super) fn restore(notes: &mut Notes) -> Vec<KernelError> {
    let mut errors = Vec::new();
    for Changed { sysctl, before, ours } in notes.sysctls.drain(..).rev() {
        // An interface that is gone has taken its settings along.
        if sysctl.read().is_ok_and(|now| now == ours) {
            errors.extend(sysctl.write(before).err());
        }
    }
    errors.extend(notes.settle().err());
    errors
}

/// Puts one setting back, if it is ours.
pub(super) fn put_back(notes: &mut Notes, sysctl: &Sysctl) -> Result<(), KernelError> {
    let Some(place) = notes.sysctls.iter().rposition(|changed| changed.sysctl == *sysctl) else {
        return Ok(());
    };
    let Changed { before, ours, .. } = notes.sysctls.remove(place);
    let written = if sysctl.read().is_ok_and(|now| now == ours) { sysctl.write(before) } else { Ok(()) };
    written.and(notes.settle())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use nix::sched::{CloneFlags, unshare};

    use super::*;

    /// Runs a story in a network namespace of its own, with the path of notes that are not there yet.
    fn in_namespace(story: impl FnOnce(&Path) + Send + 'static) {
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
            let directory = tempfile::tempdir().unwrap();
            story(&directory.path().join("notes"));
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }

    fn lo(key: &str) -> Sysctl {
        Sysctl::ipv4("lo", key)
    }

    #[test]
    fn what_was_changed_is_put_back_and_the_notes_are_gone() {
        in_namespace(|path| {
            lo("arp_ignore").write(2).unwrap();
            let mut notes = Notes::open(path);
            set(&mut notes, &[(lo("arp_ignore"), 1), (lo("arp_filter"), 1), (lo("rp_filter"), 0)]).unwrap();
            assert_eq!([lo("arp_ignore"), lo("arp_filter")].map(|one| one.read().unwrap()), [1, 1]);
            assert!(path.exists());
            assert_eq!(restore(&mut notes), []);
            assert_eq!([lo("arp_ignore"), lo("arp_filter")].map(|one| one.read().unwrap()), [2, 0]);
            assert!(!path.exists());
        });
    }

    #[test]
    fn one_is_put_back_and_the_others_stay() {
        in_namespace(|path| {
            let mut notes = Notes::open(path);
            set(&mut notes, &[(lo("arp_ignore"), 1), (lo("arp_filter"), 1)]).unwrap();
            put_back(&mut notes, &lo("arp_ignore")).unwrap();
            assert_eq!([lo("arp_ignore"), lo("arp_filter")].map(|one| one.read().unwrap()), [0, 1]);
            put_back(&mut notes, &lo("arp_ignore")).unwrap();
            assert_eq!(Notes::open(path).sysctls.len(), 1);
            lo("arp_filter").write(0).unwrap();
            put_back(&mut notes, &lo("arp_filter")).unwrap();
            assert_eq!(lo("arp_filter").read().unwrap(), 0, "it was somebody else's by then");
            assert!(!path.exists());
        });
    }

    #[test]
    fn the_next_run_puts_back_what_a_killed_one_changed() {
        in_namespace(|path| {
            set(&mut Notes::open(path), &[(lo("arp_ignore"), 1)]).unwrap();
            assert_eq!(restore(&mut Notes::open(path)), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 0);
        });
    }

    #[test]
    fn notes_of_another_world_are_not_believed() {
        in_namespace(|path| {
            set(&mut Notes::open(path), &[(lo("arp_ignore"), 1)]).unwrap();
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            lo("arp_ignore").write(1).unwrap();
            assert_eq!(restore(&mut Notes::open(path)), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
    }

    #[test]
    fn notes_that_others_may_write_are_not_believed() {
        in_namespace(|path| {
            set(&mut Notes::open(path), &[(lo("arp_ignore"), 1)]).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
            assert_eq!(restore(&mut Notes::open(path)), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
    }

    #[test]
    fn what_somebody_else_has_set_since_is_theirs() {
        in_namespace(|path| {
            let mut notes = Notes::open(path);
            set(&mut notes, &[(lo("arp_ignore"), 1)]).unwrap();
            lo("arp_ignore").write(2).unwrap();
            assert_eq!(restore(&mut notes), []);
            assert_eq!(lo("arp_ignore").read().unwrap(), 2);
        });
    }

    #[test]
    fn the_first_refusal_is_reported_and_the_rest_is_done() {
        in_namespace(|path| {
            let mut notes = Notes::open(path);
            let wanted = [(Sysctl::ipv4("none", "arp_ignore"), 1), (lo("arp_ignore"), 1)];
            assert!(set(&mut notes, &wanted).unwrap_err().is_not_found());
            assert_eq!(lo("arp_ignore").read().unwrap(), 1);
        });
    }
}
