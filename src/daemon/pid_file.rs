//! The pid file: one running daemon per file, and a stale file never in the way.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};

/// A held pid file; dropped, the file is gone.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    // The lock, not the number, says that a daemon runs: it ends with the process, however that ends.
    _lock: Flock<File>,
}

/// Why there is no pid file.
#[derive(Debug, thiserror::Error)]
pub(super) enum PidFileError {
    /// Another process holds it.
    #[error("a daemon with pid file {} is already running (pid {pid}); stop it or give another file with -p", path.display())]
    Running {
        /// The file.
        path: PathBuf,
        /// What is written in it.
        pid: String,
    },
    /// It cannot be written.
    #[error("cannot write pid file {}: {error}; give another file with -p", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl PidFile {
    /// Takes the file at `path` and writes this process's pid into it.
    ///
    /// # Errors
    /// When another process holds it or it cannot be written.
    pub(super) fn take(path: &Path) -> Result<Self, PidFileError> {
        let failed = |error| PidFileError::Io { path: path.into(), error };
        let mut lock = loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(failed)?;
            let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => lock,
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
                    let pid = fs::read_to_string(path).unwrap_or_default().trim().to_owned();
                    return Err(PidFileError::Running { path: path.into(), pid });
                }
                Err((_, errno)) => return Err(failed(errno.into())),
            };
            // The daemon that held the file may have removed it between our opening and our locking it.
            let locked = lock.metadata().map_err(failed)?;
            if fs::metadata(path)
                .is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino()))
            {
                break lock;
            }
        };
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { path: path.into(), _lock: lock })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file that is already gone is what we want.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_file_is_refused_and_a_stale_one_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steadfast.pid");
        fs::write(&path, "1\n").unwrap();
        let held = PidFile::take(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), std::process::id().to_string());
        let refused = PidFile::take(&path).unwrap_err();
        assert!(refused.to_string().contains("already running"), "{refused}");
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_cannot_be_written_names_itself() {
        let error = PidFile::take(Path::new("/nonexistent/x.pid")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/x.pid") && error.contains("-p"), "{error}");
    }
}
