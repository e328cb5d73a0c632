//! Transitions that memory does not have any more: of earlier runs, or so many ago that others have taken their places. They
//! are in the journal on disk, where there is one.

use std::{
    fs::OpenOptions,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    journal::{Entry, Record, Ring, SIZES},
    kernel::own_file,
    registry::Transition,
};

/// How long a disk may take.
const WITHIN: Duration = Duration::from_secs(5);

/// What the journal has from `since` on, up to the oldest transition in memory. Those of earlier runs have the number 0.
///
/// # Errors
/// In words: when it cannot be read, or not in time.
pub(super) async fn before(
    oldest: Option<Arc<Transition>>,
    journal: PathBuf,
    since: SystemTime,
) -> Result<Vec<Transition>, String> {
    let shown = journal.display().to_string();
    let read = move || {
        let mut past = earlier(&records(&journal)?, oldest.as_deref());
        past.retain(|transition| transition.wall >= since);
        Ok(past)
    };
    match timeout(WITHIN, spawn_blocking(read)).await {
        Ok(Ok(read)) => read.map_err(|error: String| format!("the journal {shown}: {error}")),
        Ok(Err(_)) | Err(_) => Err(format!("the journal {shown} is not read in time")),
    }
}

/// The records of a journal that another thread is writing: one that is half written is not among them.
fn records(path: &Path) -> Result<Vec<Record>, String> {
    let file = own_file::open_private(OpenOptions::new().read(true), path);
    let mut content = Vec::new();
    let limited = file.map(|file| file.take(SIZES.end() + 1));
    limited.and_then(|mut file| file.read_to_end(&mut content)).map_err(|error| error.to_string())?;
    Ring::recover(&content).map(|found| found.records).map_err(|error| error.to_string())
}

/// Those before `oldest`. Where that is in the journal tells which numbers the ones before it have in this run.
fn earlier(records: &[Record], oldest: Option<&Transition>) -> Vec<Transition> {
    let entries = || records.iter().filter_map(|record| Some((record.number, Entry::read(&record.payload)?)));
    let is_oldest = |entry: &Entry| {
        oldest.is_some_and(|oldest| {
            (entry.at, entry.wall) == (oldest.at, oldest.wall)
                && (&entry.subject, &entry.change) == (&oldest.subject, &oldest.change)
        })
    };
    let place = entries().find(|(_, entry)| is_oldest(entry)).map(|(number, _)| number);
    let is_earlier = |(number, entry): &(u64, Entry)| match (place, oldest) {
        (Some(place), _) => *number < place,
        // It is on its way to the disk.
        (None, Some(oldest)) => entry.wall < oldest.wall,
        (None, None) => true,
    };
    let of_this_run = |number: u64| (oldest?.seq + number).checked_sub(place?);
    entries()
        .filter(is_earlier)
        .map(|(number, Entry { at, wall, subject, change, .. })| Transition {
            seq: of_this_run(number).unwrap_or_default(),
            at,
            wall,
            subject,
            change,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registry::{Change, Reason, State, Subject},
        units::{Priority, Time},
    };

    fn transition(seq: u64, second: u64) -> Transition {
        Transition {
            seq,
            at: Time::from_secs(second),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
            subject: Subject::Instance { index: 1, name: "VI".into() },
            change: Change {
                from: State::Backup,
                to: State::Master,
                reason: Reason::NoMaster,
                priority: Priority::DEFAULT,
            },
        }
    }

    fn record(number: u64, second: u64) -> Record {
        Record { number, payload: Entry::new(&transition(0, second), "boot").write() }
    }

    fn told(records: &[Record], oldest: Option<&Transition>) -> Vec<(u64, u64)> {
        let second = |wall: SystemTime| wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        earlier(records, oldest).iter().map(|past| (past.seq, second(past.wall))).collect()
    }

    #[test]
    fn what_is_before_the_oldest_in_memory_is_told_with_the_numbers_of_this_run() {
        // Two of an earlier run, then three of this one, of which memory has the last.
        let records = [record(11, 1), record(12, 2), record(13, 3), record(14, 4), record(15, 5)];
        let oldest = transition(3, 5);
        assert_eq!(told(&records, Some(&oldest)), [(0, 1), (0, 2), (1, 3), (2, 4)]);
    }

    #[test]
    fn one_that_is_not_written_yet_is_told_from_earlier_ones_by_its_time() {
        let records = [record(1, 1), record(2, 9)];
        assert_eq!(told(&records, Some(&transition(1, 5))), [(0, 1)]);
        assert_eq!(told(&records, None), [(0, 1), (0, 9)]);
    }

    #[tokio::test]
    async fn a_journal_is_read_from_the_time_that_is_asked_for_and_nothing_else_is_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut ring, mut image) = Ring::create(*SIZES.start(), 7);
        image.resize(usize::try_from(ring.size()).unwrap(), 0);
        for number in 1..=3 {
            let write = ring.record(number, &record(number, number).payload).unwrap();
            let at = usize::try_from(write.at).unwrap();
            image[at..at + write.bytes.len()].copy_from_slice(&write.bytes);
        }
        own_file::replace(&path, &image).unwrap();
        let since = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let past = before(Some(Arc::new(transition(1, 3))), path.clone(), since(2)).await.unwrap();
        assert_eq!(past.len(), 1);
        assert_eq!(past[0].wall, since(2));
        own_file::replace(&path, "something").unwrap();
        let error = before(None, path, since(0)).await.unwrap_err();
        assert!(error.contains("something else"), "{error}");
    }
}
