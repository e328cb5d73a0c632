//! The reading end of a FIFO.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use lab::{Result, wait};
use nix::libc::O_NONBLOCK;

use crate::SOON;

/// A FIFO, with what has been read so far.
pub(crate) struct Reader {
    file: File,
    text: String,
}

impl Reader {
    /// Opens a FIFO as soon as it is there.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let opened = || File::options().read(true).custom_flags(O_NONBLOCK).open(path);
        let file = wait::until("the FIFO", SOON, || opened().map_err(|error| error.to_string()))?;
        Ok(Self { file, text: String::new() })
    }

    /// The lines so far.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let mut bytes = vec![0; 65_536];
        while let Ok(length @ 1..) = self.file.read(&mut bytes) {
            self.text += &String::from_utf8_lossy(&bytes[..length]);
        }
        self.text.lines().map(str::to_owned).collect()
    }
}
