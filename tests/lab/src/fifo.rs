//! The reading end of a FIFO.

use std::{fs::File, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use nix::{
    fcntl::{FcntlArg, fcntl},
    libc::O_NONBLOCK,
};

use crate::{Error, Result, wait};

/// A FIFO, with what has been read so far.
#[derive(Debug)]
pub struct FifoReader {
    file: File,
    text: String,
}

impl FifoReader {
    /// Opens a FIFO as soon as it is there.
    pub fn open(path: &Path, deadline: Duration) -> Result<Self> {
        let opened = || File::options().read(true).custom_flags(O_NONBLOCK).open(path);
        let file = wait::until("the FIFO", deadline, || opened().map_err(|error| error.to_string()))?;
        Ok(Self { file, text: String::new() })
    }

    /// Leaves room for a page only, while there is no more in it.
    pub fn narrow(&self) -> Result<()> {
        let set = fcntl(&self.file, FcntlArg::F_SETPIPE_SZ(4096));
        set.map(drop).map_err(|e| Error::io("narrow a FIFO", e))
    }

    /// The lines so far.
    pub fn lines(&mut self) -> Vec<String> {
        let mut bytes = vec![0; 65_536];
        while let Ok(length @ 1..) = self.file.read(&mut bytes) {
            self.text += &String::from_utf8_lossy(&bytes[..length]);
        }
        self.text.lines().map(str::to_owned).collect()
    }
}
