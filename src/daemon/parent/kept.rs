//! With `-V` a stop leaves every address in place: when that was, for a daemon that is started again at once and goes on.

use std::{fs, io, path::PathBuf, time::Duration};

use tracing::warn;

use crate::{
    kernel::{clock, own_file},
    units::Time,
};

/// A time and the name of a boot.
const LIMIT: u64 = 256;

/// The note of it, beside the pid file.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// Beside that pid file.
    pub(super) fn beside(pid_file: &std::path::Path) -> Self {
        Self { path: own_file::beside(pid_file, ".kept") }
    }

    /// When a daemon of this boot left its addresses in place, if it has not been asked before.
    pub(super) fn take(&self) -> Option<Time> {
        let text = own_file::read(&self.path, LIMIT).ok();
        if text.is_some()
            && let Err(error) = fs::remove_file(&self.path)
        {
            // It would be believed again after the next stop.
            warn!("{} stays: {error}", self.path.display());
            return None;
        }
        let text = text?;
        let (at, boot) = text.trim_end().split_once(' ')?;
        (boot == clock::boot()).then_some(())?;
        Some(Time(Duration::from_micros(at.parse().ok()?)))
    }

    /// They are left in place now.
    pub(super) fn note(&self, now: Time) {
        let content = format!("{} {}\n", now.0.as_micros(), clock::boot());
        let written: io::Result<()> = own_file::replace(&self.path, content);
        if let Err(error) = written {
            warn!("cannot write {}: {error}; the next start begins as BACKUP", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_known_once_and_only_in_this_boot() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::beside(&folder.path().join("pid"));
        assert_eq!(kept.take(), None);
        let now = Time(Duration::from_micros(1_234_567));
        kept.note(now);
        assert_eq!(kept.take(), Some(now));
        assert_eq!(kept.take(), None);
        fs::write(&kept.path, "1234567 another-boot\n").unwrap();
        assert_eq!(kept.take(), None);
    }
}
