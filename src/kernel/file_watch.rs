//! Files that may be written, replaced, removed and made again: inotify(7) on the directories they are in.
//!
//! A watch on the file itself would be lost with the file. Where the directory is not there yet, the nearest one above
//! it is watched until it is; a symbolic link is watched where it is and where it leads to. What cannot be watched is
//! looked at every second instead.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use nix::{
    errno::Errno,
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::KernelError;

/// From one look at what cannot be watched to the next, in milliseconds.
const POLL_INTERVAL: u16 = 1000;
/// Room for the events that are taken at once.
const BUFFER: usize = 4096;

/// A watch over files, known by their positions in the list that it was opened with.
#[derive(Debug)]
pub struct FileWatch {
    inotify: Inotify,
    files: Vec<PathBuf>,
    spots: HashMap<WatchDescriptor, Vec<Spot>>,
    unwatched: BTreeSet<usize>,
    troubles: Vec<KernelError>,
}

/// A name in a watched directory that matters to a file.
#[derive(Clone, Debug)]
struct Spot {
    name: OsString,
    file: usize,
    /// The name is the file's, not that of a directory on the way to it.
    is_file: bool,
}

impl FileWatch {
    /// Watches these files, whether they are there or not. Fails only when descriptors run out.
    pub fn open(files: Vec<PathBuf>) -> Result<Self, KernelError> {
        let inotify = Inotify::init().map_err(|error| KernelError::from_io("watching files", &error))?;
        let mut watch =
            Self { inotify, files, spots: HashMap::new(), unwatched: BTreeSet::new(), troubles: Vec::new() };
        watch.establish();
        Ok(watch)
    }

    /// Waits for changes; returns the files that have to be looked at, which may be none, each once and in the order
    /// in which they changed. Blocks.
    pub fn wait(&mut self) -> Result<Vec<usize>, KernelError> {
        let timeout =
            if self.unwatched.is_empty() { PollTimeout::NONE } else { PollTimeout::from(POLL_INTERVAL) };
        let mut descriptors = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(0) => {
                let overdue = self.unwatched.iter().copied().collect();
                self.establish();
                return Ok(overdue);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(KernelError::new("watching files", errno)),
        }
        let mut buffer = [0; BUFFER];
        let events: Vec<_> = match self.inotify.read_events(&mut buffer) {
            Ok(events) => events.map(|event| event.to_owned()).collect(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Vec::new(),
            Err(error) => return Err(KernelError::from_io("watching files", &error)),
        };
        let mut changed = Vec::new();
        let mut moved = false;
        for event in events {
            if event.mask.contains(EventMask::Q_OVERFLOW) {
                moved = true;
            } else if let Some(spots) = self.spots.get(&event.wd) {
                moved |= self.take(event.mask, event.name.as_deref(), spots, &mut changed);
            }
        }
        if moved {
            self.establish();
            changed.extend(0..self.files.len());
        }
        let mut seen = BTreeSet::new();
        changed.retain(|file| seen.insert(*file));
        Ok(changed)
    }

    /// What went wrong since this was last asked for: files that are looked at every second instead.
    pub fn take_troubles(&mut self) -> Vec<KernelError> {
        std::mem::take(&mut self.troubles)
    }

    /// Notes the files that an event in a directory concerns. Returns whether the directories to be watched may be
    /// others now.
    fn take(&self, mask: EventMask, name: Option<&OsStr>, spots: &[Spot], changed: &mut Vec<usize>) -> bool {
        if mask.intersects(
            EventMask::IGNORED | EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::UNMOUNT,
        ) {
            return true;
        }
        let mut moved = false;
        for spot in spots.iter().filter(|spot| Some(spot.name.as_os_str()) == name) {
            if !spot.is_file {
                moved = true;
                continue;
            }
            let path = &self.files[spot.file];
            // Whoever makes a file has yet to write to it, and its closing is reported.
            if mask.contains(EventMask::CREATE) && is_single_file(path) {
                continue;
            }
            changed.push(spot.file);
            moved |= !mask.contains(EventMask::CLOSE_WRITE) && path.is_symlink();
        }
        moved
    }

    /// Sets the watches anew. Those that are removed send a last event, which nobody knows by then.
    fn establish(&mut self) {
        let before = std::mem::take(&mut self.spots);
        let known = std::mem::take(&mut self.unwatched);
        for descriptor in before.into_keys() {
            // It may be gone with its directory.
            let _ = self.inotify.watches().remove(descriptor);
        }
        for file in 0..self.files.len() {
            let path = self.files[file].clone();
            let target = path.is_symlink().then(|| fs::canonicalize(&path).ok()).flatten();
            for place in std::iter::once(path).chain(target) {
                if let Err(error) = self.watch(&place, file) {
                    if !known.contains(&file) {
                        let operation = format!("watching {}", place.display());
                        self.troubles.push(KernelError::from_io(operation, &error));
                    }
                    self.unwatched.insert(file);
                }
            }
        }
    }

    /// Watches the directory of a path, or the nearest one above it.
    fn watch(&mut self, path: &Path, file: usize) -> io::Result<()> {
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        let mut is_file = true;
        for below in path.ancestors() {
            let (Some(directory), Some(name)) = (below.parent(), below.file_name()) else { break };
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            match self.inotify.watches().add(directory, mask) {
                Ok(descriptor) => {
                    let spot = Spot { name: name.to_owned(), file, is_file };
                    self.spots.entry(descriptor).or_default().push(spot);
                    return Ok(());
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    is_file = false;
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A regular file of one name; not a link of any kind, which is never written to under this name.
fn is_single_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.nlink() == 1)
}

/// The first bytes of a regular file, at most `limit` of them.
///
/// # Errors
/// Whatever the system says; [`io::ErrorKind::InvalidInput`] when it is no regular file.
pub fn read_beginning(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // A pipe must not hold up its reader, nor a terminal become the daemon's own.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::with_capacity(limit);
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a text to a file, unless it is there and is not to be overwritten. Returns whether it was written.
pub fn initialise(path: &Path, text: &str, overwrite: bool) -> io::Result<bool> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file: File = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !overwrite {
                return Ok(false);
            }
            let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
            OpenOptions::new().write(true).truncate(true).custom_flags(flags).open(path)?
        }
        opened => opened?,
    };
    file.write_all(text.as_bytes())?;
    Ok(true)
}
