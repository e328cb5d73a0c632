//! Files that may be written, replaced, removed and made again: inotify(7) on the directories they are in.
//!
//! A watch on the file itself would be lost with the file. Where the directory is not there yet, the nearest one above
//! it is watched until it is; a symbolic link is watched where it is and where it leads to. What cannot be watched, and a link
//! that leads nowhere, is looked at every second instead, and that is everything where the kernel gives no inotify(7) instance.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::{
            fs::{MetadataExt as _, OpenOptionsExt as _},
            net::UnixStream,
        },
    },
    path::{Path, PathBuf},
};

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use nix::{
    errno::Errno,
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{KernelError, own_file};

/// From one look at what cannot be watched to the next, in milliseconds.
const POLL_INTERVAL: u16 = 1000;
/// How often directories on the way to a file may be made while they are looked for, one after the other, before it is looked at every
/// second instead.
const TRIES: usize = 64;
/// Room for the events that are taken at once.
const BUFFER: usize = 4096;

/// A watch over files, known by their positions in the list that it was opened with.
#[derive(Debug)]
pub struct FileWatch {
    /// Nothing while the kernel gives none, or after one that failed; it is asked for at every look then.
    inotify: Option<Inotify>,
    start: fn() -> io::Result<Inotify>,
    files: Vec<PathBuf>,
    spots: HashMap<WatchDescriptor, Vec<Spot>>,
    unwatched: BTreeSet<usize>,
    /// When its other end is closed, nobody wants to know any more.
    end: Option<UnixStream>,
    is_over: bool,
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
    /// Watches these files, whether they are there or not.
    pub fn open(files: Vec<PathBuf>) -> Self {
        Self::with(files, Inotify::init)
    }

    /// Until the other end of this is closed.
    pub fn until(mut self, end: UnixStream) -> Self {
        self.end = Some(end);
        self
    }

    /// Whether nobody wants to know any more.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    fn with(files: Vec<PathBuf>, start: fn() -> io::Result<Inotify>) -> Self {
        let (spots, unwatched, troubles) = (HashMap::new(), BTreeSet::new(), Vec::new());
        let (end, is_over) = (None, false);
        let mut watch = Self { inotify: None, start, files, spots, unwatched, end, is_over, troubles };
        watch.establish();
        watch
    }

    /// Waits for changes; returns the files that have to be looked at, which may be none, each once and in the order
    /// in which they changed. Blocks.
    pub fn wait(&mut self) -> Vec<usize> {
        self.changes().unwrap_or_else(|error| {
            self.troubles.push(error);
            self.inotify = None;
            self.unwatched = (0..self.files.len()).collect();
            self.unwatched.iter().copied().collect()
        })
    }

    fn changes(&mut self) -> Result<Vec<usize>, KernelError> {
        let timeout =
            if self.unwatched.is_empty() { PollTimeout::NONE } else { PollTimeout::from(POLL_INTERVAL) };
        let descriptors = self.inotify.iter().map(|inotify| PollFd::new(inotify.as_fd(), PollFlags::POLLIN));
        let end = self.end.as_ref().map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN));
        let mut descriptors: Vec<_> = end.into_iter().chain(descriptors).collect();
        match poll(&mut descriptors, timeout) {
            Ok(0) => {
                // Those that are watched, too: nothing is reported from one watch to the next.
                self.establish();
                return Ok((0..self.files.len()).collect());
            }
            Ok(_) if self.end.is_some() && descriptors[0].any() == Some(true) => {
                self.is_over = true;
                return Ok(Vec::new());
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(KernelError::new("watching files", errno)),
        }
        let Some(inotify) = &mut self.inotify else { return Ok(Vec::new()) };
        let mut buffer = [0; BUFFER];
        let events: Vec<_> = match inotify.read_events(&mut buffer) {
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
        if let Some(inotify) = &mut self.inotify {
            for descriptor in before.into_keys() {
                // It may be gone with its directory.
                let _ = inotify.watches().remove(descriptor);
            }
        } else {
            match (self.start)() {
                Ok(inotify) => self.inotify = Some(inotify),
                Err(error) => {
                    if known.is_empty() {
                        self.troubles.push(KernelError::from_io("watching files", &error));
                    }
                    self.unwatched = (0..self.files.len()).collect();
                    return;
                }
            }
        }
        for file in 0..self.files.len() {
            let path = self.files[file].clone();
            let target = path.is_symlink().then(|| fs::canonicalize(&path).ok());
            // Where it leads to may come to be anywhere.
            if target == Some(None) {
                self.unwatched.insert(file);
            }
            let target = target.flatten();
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
        for _ in 0..TRIES {
            if self.watch_nearest(path, file)? {
                return Ok(());
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// The same; returns whether that is the nearest directory by now. One that was made after it was looked for, and before the one
    /// above it was watched, is reported by nobody.
    fn watch_nearest(&mut self, path: &Path, file: usize) -> io::Result<bool> {
        let Some(inotify) = &mut self.inotify else { return Err(io::ErrorKind::NotConnected.into()) };
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
            match inotify.watches().add(directory, mask) {
                Ok(descriptor) => {
                    let spot = Spot { name: name.to_owned(), file, is_file };
                    self.spots.entry(descriptor).or_default().push(spot);
                    return Ok(is_file || !below.is_dir());
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
///
/// # Errors
/// Whatever the system says; a link, what is no file and a file of several names are left as they are.
pub fn initialise(path: &Path, text: &str, overwrite: bool) -> io::Result<bool> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file: File = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !overwrite {
                return Ok(false);
            }
            let file = own_file::open(OpenOptions::new().write(true), path)?;
            file.set_len(0)?;
            file
        }
        opened => opened?,
    };
    file.write_all(text.as_bytes())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_kernel_watches_nothing_files_are_looked_at_every_second() {
        let refused = || Err(io::Error::from(Errno::EMFILE));
        let mut watch = FileWatch::with(vec!["/one".into(), "/two".into()], refused);
        let troubles: Vec<_> = watch.take_troubles().iter().map(ToString::to_string).collect();
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(troubles[0].starts_with("watching files: "), "{troubles:?}");
        assert_eq!(watch.wait(), [0, 1]);
        assert_eq!(watch.take_troubles(), [], "said once");
        // As soon as there are descriptors again, changes are reported.
        let directory = tempfile::tempdir().unwrap();
        watch.files = vec![directory.path().join("file")];
        watch.start = Inotify::init;
        assert_eq!(watch.wait(), [0], "it may have changed before it was watched");
        fs::write(&watch.files[0], "5").unwrap();
        assert_eq!(watch.wait(), [0]);
        assert!(watch.unwatched.is_empty());
    }

    #[test]
    fn a_watch_that_fails_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let mut watch = FileWatch::open(vec![file.clone()]);
        // What cannot be read is no inotify instance any more.
        let (reader, writer) = nix::unistd::pipe().unwrap();
        drop(writer);
        watch.inotify = Some(Inotify::from(reader));
        assert_eq!(watch.wait(), [0], "it may have changed unseen");
        assert_eq!(watch.take_troubles().len(), 1);
        assert_eq!(watch.wait(), [0], "watched again, it is looked at once more");
        fs::write(&file, "5").unwrap();
        assert_eq!(watch.wait(), [0]);
        assert_eq!(watch.take_troubles(), []);
    }
}
