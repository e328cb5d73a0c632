//! The journal's file: found, judged, made anew where it has to be, and locked.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    hash::{BuildHasher as _, RandomState},
    io::{self, Read as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use tracing::warn;

use crate::{
    journal::{Found, NoJournal, Record, Ring, SIZES, Write},
    kernel::own_file,
};

/// A journal ready to be written, and what is in it.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) ring: Ring,
    pub(super) records: Vec<Record>,
    pub(super) position: Option<u64>,
    /// Of receivers that have one of their own.
    pub(super) targets: BTreeMap<u64, u64>,
}

/// Opens the journal at `path`, of `size` bytes: the one that is there, else a new one. It is ours until the file is
/// closed; while another process has it, this waits.
///
/// # Errors
/// What the system says; and when something else is there.
pub(super) fn open(path: &Path, size: u64) -> io::Result<Opened> {
    let none = BTreeMap::new();
    let file = match own_file::open_private(OpenOptions::new().read(true).write(true), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path, size, &[], None, &none),
        file => file?,
    };
    lock(&file, path)?;
    match Ring::recover(&content(&file)?) {
        Ok(Found { ring, records, position, targets }) if ring.size() == Ring::create(size, 0).0.size() => {
            Ok(Opened { file, ring, records, position, targets })
        }
        Ok(Found { records, position, targets, .. }) => create(path, size, &records, position, &targets),
        Err(NoJournal::Damaged) => {
            let aside = own_file::beside(path, ".damaged");
            fs::rename(path, &aside)?;
            warn!("the header of the journal {} is damaged: it is {} now", path.display(), aside.display());
            create(path, size, &[], None, &none)
        }
        Err(foreign @ NoJournal::Foreign) => Err(io::Error::other(foreign)),
    }
}

/// A daemon that was killed while it waited for the disk has its files until that is over.
fn lock(file: &File, path: &Path) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            warn!("another process has the journal {}: it is awaited", path.display());
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

fn content(file: &File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    // No journal is larger, so what is cut off is none.
    file.take(SIZES.end() + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// A new file with as many of the records, from the newest back, as there is room for. Its space on the disk is taken at
/// once, so that a disk that fills up later does not matter.
fn create(
    path: &Path,
    size: u64,
    records: &[Record],
    position: Option<u64>,
    targets: &BTreeMap<u64, u64>,
) -> io::Result<Opened> {
    let (mut ring, mut image) = Ring::create(size, RandomState::new().hash_one(path));
    image.resize(usize::try_from(ring.size()).map_err(io::Error::other)?, 0);
    let mut put = |Write { at, bytes }: Write| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if let Some(room) = at.checked_add(bytes.len()).and_then(|end| image.get_mut(at..end)) {
            room.copy_from_slice(&bytes);
        }
    };
    for record in records {
        // They were short enough for the old one.
        ring.record(record.number, &record.payload).map(&mut put).map_err(io::Error::other)?;
    }
    if let Some(position) = position {
        put(ring.position(position, targets));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new().mode(0o700).create(folder)?;
    }
    own_file::replace_for_good(path, &image)?;
    let file = own_file::open_private(OpenOptions::new().read(true).write(true), path)?;
    lock(&file, path)?;
    let Found { ring, records, position, targets } = Ring::recover(&image).map_err(io::Error::other)?;
    Ok(Opened { file, ring, records, position, targets })
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::FileExt as _,
        sync::mpsc::{self, RecvTimeoutError},
        thread,
        time::Duration,
    };

    use super::*;

    const SIZE: u64 = 64 << 10;

    fn write(journal: &mut Opened, number: u64) {
        let Write { at, bytes } = journal.ring.record(number, b"text").unwrap();
        journal.file.write_all_at(&bytes, at).unwrap();
    }

    fn numbers(journal: &Opened) -> Vec<u64> {
        journal.records.iter().map(|record| record.number).collect()
    }

    fn refusal(path: &Path) -> String {
        open(path, SIZE).err().unwrap().to_string()
    }

    #[test]
    fn what_was_written_is_there_when_it_is_opened_again_also_in_another_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("journal");
        let mut journal = open(&path, SIZE).unwrap();
        assert!(numbers(&journal).is_empty());
        (1..=200).for_each(|number| write(&mut journal, number));
        let targets = BTreeMap::from([(7, 120), (u64::MAX, 200)]);
        let Write { at, bytes } = journal.ring.position(150, &targets);
        journal.file.write_all_at(&bytes, at).unwrap();
        // Whoever comes meanwhile waits until it is free.
        let (answer, answered) = mpsc::channel();
        let late = path.clone();
        let waiting = thread::spawn(move || answer.send(numbers(&open(&late, SIZE).unwrap())).unwrap());
        assert_eq!(answered.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
        drop(journal);
        assert_eq!(answered.recv().unwrap().last(), Some(&200));
        waiting.join().unwrap();
        let kept: Vec<u64> = (76..=200).collect();
        for size in [SIZE, 2 * SIZE, SIZE] {
            let journal = open(&path, size).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), size);
            assert_eq!((numbers(&journal), journal.position), (kept.clone(), Some(150)));
            assert_eq!(journal.targets, targets);
        }
    }

    #[test]
    fn what_is_no_journal_is_not_overwritten_and_a_damaged_one_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        own_file::replace(&path, "precious").unwrap();
        assert!(refusal(&path).contains("something else"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        let mut journal = open(&path, SIZE).unwrap();
        write(&mut journal, 1);
        journal.file.write_all_at(b"x", 20).unwrap();
        drop(journal);
        assert!(numbers(&open(&path, SIZE).unwrap()).is_empty());
        assert!(own_file::beside(&path, ".damaged").exists());
    }

    #[test]
    fn what_a_power_cut_leaves_of_a_new_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for left in [Vec::new(), vec![0; 100], vec![0; 64 << 10]] {
            own_file::replace(&path, &left).unwrap();
            let mut journal = open(&path, SIZE).unwrap();
            write(&mut journal, 1);
            drop(journal);
            assert_eq!(fs::read(own_file::beside(&path, ".damaged")).unwrap(), left);
            assert_eq!(numbers(&open(&path, SIZE).unwrap()), [1]);
        }
    }
}
