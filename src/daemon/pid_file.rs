//! The pid file: one running daemon per file, and a stale file never in the way.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};

use crate::kernel::own_file;

/// Readable for everybody. To be writable is to be able to hold the lock.
const MODE: u32 = 0o644;
/// How often the file may be replaced while we take it; by daemons that end, it is once or twice.
const ATTEMPTS: u32 = 100;
/// No pid has more digits.
const PID_BYTES: u64 = 20;

/// A held pid file; dropped, the file is gone.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    // Its lock, not the number, says that a daemon runs: it ends with the process, however that ends.
    file: File,
}

/// Why there is no pid file.
#[derive(Debug, thiserror::Error)]
pub(super) enum PidFileError {
    /// Another process holds it.
    #[error("a daemon with pid file {} is already running ({}); stop it or give another file with -p",
        path.display(), pid.map_or_else(|| "its pid is not there".to_owned(), |pid| format!("pid {pid}")))]
    Running {
        /// The file.
        path: PathBuf,
        /// What is written in it; `None` when that is no pid.
        pid: Option<u32>,
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
    /// When another process holds it, it cannot be written, is no regular file with this one name, or belongs to somebody else,
    /// who could write the number of any process into it.
    pub(super) fn take(path: &Path) -> Result<Self, PidFileError> {
        let failed = |error| PidFileError::Io { path: path.into(), error };
        for _ in 0..ATTEMPTS {
            let mut file = open(path).map_err(failed)?;
            match lock(&file) {
                Ok(()) => {}
                Err(Errno::EACCES | Errno::EAGAIN) => {
                    return Err(PidFileError::Running { path: path.into(), pid: pid_in(&mut file) });
                }
                Err(errno) => return Err(failed(errno.into())),
            }
            // The daemon that held the file may have removed it between our opening and our locking it.
            if is_at(&file, path).map_err(failed)? {
                write(&mut file).map_err(failed)?;
                return Ok(Self { path: path.into(), file });
            }
        }
        Err(failed(io::Error::other("others replace it again and again")))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // What somebody else has put there is theirs; a file that is already gone is what we want.
        if is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens or makes the file.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    own_file::open_own(options.read(true).write(true).create(true).truncate(false).mode(MODE), path)
}

/// Locks the whole file for as long as it is open (F_OFD_SETLK, fcntl(2)). A write lock, as it needs a
/// descriptor that can write; flock(2) would let everybody who may read the file hold it.
fn lock(file: &File) -> Result<(), Errno> {
    #[expect(clippy::cast_possible_truncation, reason = "C constants that fit")]
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole)).map(drop)
}

/// Whether `path` leads to this very file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    let there = fs::symlink_metadata(path);
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())))
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write(file: &mut File) -> io::Result<()> {
    // One that was left behind may be open to others.
    if file.metadata()?.mode() & 0o7777 & !MODE != 0 {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steadfast.pid");
        (folder, path)
    }

    #[test]
    fn a_held_file_is_refused_and_a_stale_one_taken_over() {
        let (_folder, path) = folder();
        fs::write(&path, "1\n").unwrap();
        let held = PidFile::take(&path).unwrap();
        let own = std::process::id();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{own}\n"));
        let refused = PidFile::take(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("already running (pid {own})")), "{refused}");
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn who_may_only_read_the_file_cannot_hold_it() {
        let (_folder, path) = folder();
        fs::write(&path, "1\n").unwrap();
        let reader = File::open(&path).unwrap();
        let _theirs = nix::fcntl::Flock::lock(reader, nix::fcntl::FlockArg::LockExclusiveNonblock).unwrap();
        assert_eq!(lock(&File::open(&path).unwrap()), Err(Errno::EBADF));
        PidFile::take(&path).unwrap();
    }

    #[test]
    fn the_file_is_writable_by_its_owner_alone_also_when_it_was_not() {
        let (_folder, path) = folder();
        fs::write(&path, "1\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let _held = PidFile::take(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, MODE);
    }

    #[test]
    fn links_and_what_is_no_file_are_refused_and_left_as_they_are() {
        let (folder, path) = folder();
        let refused = || {
            let refused = PidFile::take(&path).unwrap_err().to_string();
            fs::remove_file(&path).unwrap();
            refused
        };
        let precious = folder.path().join("precious");
        fs::write(&precious, "content").unwrap();
        symlink(&precious, &path).unwrap();
        assert!(refused().contains("symbolic link"));
        fs::hard_link(&precious, &path).unwrap();
        assert!(refused().contains("hard links"));
        assert_eq!(fs::read_to_string(&precious).unwrap(), "content");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refused().contains("not a regular file"));
    }

    #[test]
    fn a_file_of_somebody_else_is_refused_and_left_as_it_is() {
        let (_folder, path) = folder();
        fs::write(&path, "1\n").unwrap();
        std::os::unix::fs::chown(&path, Some(12_345), None).expect("this test needs root");
        let refused = PidFile::take(&path).unwrap_err().to_string();
        assert!(refused.contains("it belongs to somebody else; give another file with -p"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }

    #[test]
    fn only_a_number_is_told_of_what_is_written_in_it() {
        let (_folder, path) = folder();
        let held = PidFile::take(&path).unwrap();
        for text in ["1\nforged line\n", "", "12345678901234567890123", "-1"] {
            fs::write(&path, text).unwrap();
            let refused = PidFile::take(&path).unwrap_err().to_string();
            assert!(refused.contains("already running (its pid is not there)"), "{refused}");
        }
        drop(held);
    }

    #[test]
    fn what_another_has_put_in_its_place_stays() {
        let (_folder, path) = folder();
        let first = PidFile::take(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = PidFile::take(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_cannot_be_written_names_itself() {
        let error = PidFile::take(Path::new("/nonexistent/x.pid")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/x.pid") && error.contains("-p"), "{error}");
    }
}
