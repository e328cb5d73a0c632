//! Named pipes that lines are written into for whoever reads them (fifo(7)).

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    libc,
    sys::stat::Mode,
    unistd::{geteuid, mkfifo},
};
use tokio::net::unix::pipe;

use super::{KernelError, own_file::WRITE_OTHERS};

/// What a FIFO, or a folder, that does not let this process's user in needs.
const ANOTHER_USER_S: Option<&str> = Some("CAP_DAC_OVERRIDE");

/// The writing end of a FIFO. It is a reader as well, so that lines wait in the pipe while nobody else has it open.
#[derive(Debug)]
pub struct Fifo {
    file: File,
    /// The same, to learn when there is room.
    pipe: pipe::Sender,
    made: Option<Made>,
}

impl Fifo {
    /// Makes a FIFO with exactly this mode (inode(7)), and for this user and group; one that is there already is used as
    /// it is, if it belongs to root, this process's user or that user. Where a script is to obey its lines (`obeyed`),
    /// nobody but its owner may write to it. Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// Whatever the system says; where the path is a symbolic link or something else than a FIFO; and where somebody
    /// else could write or swallow its lines.
    pub fn open(
        path: &Path,
        mode: u32,
        owner: Option<(u32, u32)>,
        obeyed: bool,
    ) -> Result<Self, KernelError> {
        let doing = |what: &str| format!("{what} the FIFO {}", path.display());
        let made = match mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(()) => true,
            Err(Errno::EEXIST) => false,
            Err(errno) => return Err(KernelError::new(doing("making"), errno).needing(ANOTHER_USER_S)),
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let opened = |error| KernelError::from_io(doing("opening"), &error).needing(ANOTHER_USER_S);
        let file = options.open(path).map_err(opened)?;
        let found = file.metadata().map_err(opened)?;
        if !found.file_type().is_fifo() {
            return Err(KernelError::other(doing("opening"), "it is no FIFO"));
        }
        // In a folder where others may write, what was made is not always what was opened.
        let ours = made && found.uid() == geteuid().as_raw() && found.nlink() == 1;
        if !ours {
            refuse_foreign(&found, owner, obeyed).map_err(|why| KernelError::other(doing("opening"), why))?;
        }
        let made = ours.then(|| Made { path: path.to_owned(), file: (found.dev(), found.ino()) });
        if let Some(made) = &made
            && let Err(error) = give(&file, mode, owner)
        {
            made.remove();
            return Err(KernelError::from_io(doing("giving away"), &error).needing(Some("CAP_CHOWN")));
        }
        let pipe = file.try_clone().and_then(pipe::Sender::from_file).map_err(opened)?;
        Ok(Self { file, pipe, made })
    }

    /// Writes a line whole or not at all: false when there is no room for it. As long as it is shorter than 4096 bytes
    /// (PIPE_BUF, pipe(7)), nobody reads half of it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn try_write(&self, line: &str) -> io::Result<bool> {
        let full = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        // tokio does not know that there is room before it has waited for some. Where there is none it has to be told,
        // which is what its own attempt is for.
        match (&self.file).write(line.as_bytes()) {
            Err(error) if full(&error) => {}
            written => return written.map(|_| true),
        }
        match self.pipe.try_write(line.as_bytes()) {
            Ok(_) => Ok(true),
            Err(error) if full(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until there is room again.
    ///
    /// # Errors
    /// Whatever the system says.
    pub async fn writable(&self) -> io::Result<()> {
        self.pipe.writable().await
    }

    /// Gives it another mode and another owner, if it was made here. Returns whether it was.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn give_anew(&self, mode: u32, owner: Option<(u32, u32)>) -> io::Result<bool> {
        if self.made.is_some() {
            give(&self.file, mode, owner)?;
        }
        Ok(self.made.is_some())
    }

    /// Closes it, so that readers come to its end, and returns what to remove it by if it was made here.
    pub fn close(self) -> Option<Made> {
        self.made
    }
}

/// Whether a FIFO that was not made here may be used.
fn refuse_foreign(found: &Metadata, owner: Option<(u32, u32)>, obeyed: bool) -> Result<(), &'static str> {
    let trusted = [Some(0), Some(geteuid().as_raw()), owner.map(|(user, _)| user)];
    if !trusted.contains(&Some(found.uid())) {
        return Err("it belongs to somebody else");
    }
    if obeyed && found.mode() & WRITE_OTHERS != 0 {
        return Err("others may write to it, and a script obeys it");
    }
    Ok(())
}

/// Sets mode and owner through the descriptor, which is what was opened whatever the path has become.
fn give(file: &File, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    match owner {
        Some((user, group)) => fchown(file, Some(user), Some(group)),
        None => Ok(()),
    }
}

/// A FIFO that this process has made.
#[derive(Debug)]
pub struct Made {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Made {
    /// Removes it, unless something else has its name by now.
    pub fn remove(&self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file) {
            let _anyway = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read as _,
        os::unix::fs::{chown, symlink},
    };

    use super::*;

    fn reader(path: &Path) -> File {
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).unwrap()
    }

    fn read(path: &mut File) -> String {
        let mut bytes = vec![0; 65_536];
        let length = path.read(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_is_written_waits_for_a_reader_who_comes_to_the_end_when_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        let fifo = Fifo::open(&path, 0o640, Some((12_345, 23_456)), false).expect("this test needs root");
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (0o640, 12_345, 23_456));
        assert!(fifo.try_write("one\n").unwrap() && fifo.try_write("two\n").unwrap());
        let mut reader = reader(&path);
        assert_eq!(read(&mut reader), "one\ntwo\n");
        let made = fifo.close().unwrap();
        assert_eq!(read(&mut reader), "");
        made.remove();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_full_pipe_takes_no_part_of_a_line_and_wakes_the_writer_when_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        let fifo = Fifo::open(&path, 0o600, None, false).unwrap();
        let line = format!("{}\n", "x".repeat(999));
        let mut written = 0;
        while fifo.try_write(&line).unwrap() {
            written += 1;
        }
        let mut reader = reader(&path);
        let (writable, text) = futures_util::future::join(fifo.writable(), async { read(&mut reader) }).await;
        writable.unwrap();
        assert_eq!(text, line.repeat(written));
        assert!(fifo.try_write(&line).unwrap());
    }

    #[tokio::test]
    async fn a_fifo_that_was_there_keeps_its_mode_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let fifo = Fifo::open(&path, 0o600, Some((12_345, 12_345)), false).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid()), (0o666, geteuid().as_raw()));
        assert!(fifo.close().is_none());
    }

    #[tokio::test]
    async fn a_fifo_of_somebody_else_is_refused_and_so_is_one_that_others_may_write_to_for_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        let refusal =
            |owner, obeyed| Fifo::open(&path, 0o600, owner, obeyed).err().map(|error| error.to_string());
        let refused = |why: &str| Some(format!("opening the FIFO {}: {why}", path.display()));
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        for mode in [0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                refusal(None, true),
                refused("others may write to it, and a script obeys it"),
                "{mode:o}"
            );
            assert_eq!(refusal(None, false), None, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(refusal(None, true), None);
        chown(&path, Some(12_345), None).expect("this test needs root");
        assert_eq!(refusal(None, false), refused("it belongs to somebody else"));
        assert_eq!(refusal(Some((12_346, 12_345)), false), refused("it belongs to somebody else"));
        assert_eq!(refusal(Some((12_345, 12_345)), true), None);
    }

    #[tokio::test]
    async fn what_is_no_fifo_is_left_alone_and_so_is_what_took_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, path] = ["file", "link", "fifo"].map(|name| folder.path().join(name));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        let error = Fifo::open(&file, 0o600, None, false).unwrap_err().to_string();
        assert_eq!(error, format!("opening the FIFO {}: it is no FIFO", file.display()));
        assert_eq!(Fifo::open(&link, 0o600, None, false).unwrap_err().errno(), Some(libc::ELOOP));
        let made = Fifo::open(&path, 0o600, None, false).unwrap().close().unwrap();
        fs::rename(&file, &path).unwrap();
        made.remove();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
    }
}
