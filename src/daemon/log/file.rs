//! A file of lines (`-g`), which may be renamed or removed at any time: then it is made anew.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    entry::Entry,
    writer::{Stream, Write},
};
use crate::{cli::LogFormat, kernel::own_file};

pub(super) struct LogFile {
    path: PathBuf,
    format: LogFormat,
    flush: bool,
    /// Device and inode of what is open.
    is: (u64, u64),
    stream: Stream<io::BufWriter<File>>,
    /// Since it was last looked whether the file is still there.
    looked: bool,
}

impl LogFile {
    pub(super) fn open(path: &Path, format: LogFormat, flush: bool) -> io::Result<Self> {
        // It may be in a folder that everybody writes to. Who may read it, `umask` decides.
        let file = own_file::open_own(OpenOptions::new().append(true).create(true).mode(0o640), path)?;
        let found = file.metadata()?;
        let stream = Stream::new(io::BufWriter::new(file), format, flush);
        let is = (found.dev(), found.ino());
        Ok(Self { path: path.to_owned(), format, flush, is, stream, looked: false })
    }

    /// Whether the file of that name is another one, or none.
    fn is_gone(&self) -> bool {
        std::fs::symlink_metadata(&self.path).map_or(true, |found| (found.dev(), found.ino()) != self.is)
    }
}

impl Write for LogFile {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        // Once for all lines that come together.
        if !std::mem::replace(&mut self.looked, true) && self.is_gone() {
            *self = Self::open(&self.path, self.format, self.flush)?;
            self.looked = true;
        }
        self.stream.write(entry)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.looked = false;
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::daemon::log::entry::of_test;

    #[test]
    fn a_file_that_was_rotated_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let [path, rotated] = ["k.log", "k.log.1"].map(|name| folder.path().join(name));
        let mut file = LogFile::open(&path, LogFormat::Json, false).unwrap();
        let mut say = |text: &str| {
            file.write(&of_test(text)).unwrap();
            file.flush().unwrap();
        };
        say("one");
        fs::rename(&path, &rotated).unwrap();
        say("two");
        fs::remove_file(&path).unwrap();
        say("three");
        let lines = |path| fs::read_to_string(path).unwrap().lines().count();
        assert_eq!((lines(&rotated), lines(&path)), (1, 1));
        assert!(fs::read_to_string(&path).unwrap().contains("three"));
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, target] = ["k.log", "target"].map(|name| folder.path().join(name));
        fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(LogFile::open(&path, LogFormat::Text, false).is_err());
    }
}
