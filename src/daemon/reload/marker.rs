//! `reload_file`: a file that is there, and empty, while the configuration is read. Whoever writes configurations makes it
//! before asking for a reload, and waits until it is gone.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use tracing::warn;

use crate::kernel::own_file;

/// Mode of the file before the umask takes bits from it.
const MODE: u32 = 0o644;

/// The file, as long as this lives.
#[derive(Debug)]
pub(super) struct Marker(PathBuf);

impl Marker {
    /// Makes the file, or empties the one that is there. One that cannot be made is reported: reloads do not depend on it.
    pub(super) fn set(path: PathBuf) -> Option<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(MODE);
        match own_file::open(&mut options, &path).and_then(|file| file.set_len(0)) {
            Ok(()) => Some(Self(path)),
            Err(error) => {
                warn!("reload_file {}: {error}", path.display());
                None
            }
        }
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            warn!("reload_file {} stays: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_there_and_empty_until_everything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keepalived.reload");
        fs::write(&path, "a configuration comes").unwrap();
        let marker = Marker::set(path.clone()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        drop(marker);
        assert!(!path.exists());
        drop(Marker::set(path.clone()).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("reload"), folder.path().join("other"));
        fs::write(&other, "text").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Marker::set(path.clone()).is_none());
        assert!(path.is_symlink());
        assert_eq!(fs::read(&other).unwrap(), b"text");
    }
}
