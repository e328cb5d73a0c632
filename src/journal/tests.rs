//! The journal against everything that a disk, a kill and a power cut do to it.

use std::{collections::BTreeMap, time::SystemTime};

use proptest::prelude::*;

use super::*;
use crate::{
    registry::{Change, Reason, State, Subject, Transition},
    units::{Priority, Time},
};

const SALT: u64 = 0x5eed_cafe;

/// A disk with a journal on it, and what should be found there.
struct Disk {
    image: Vec<u8>,
    ring: Ring,
    /// Where each record lies that nothing was written over.
    whole: BTreeMap<u64, (Write, Vec<u8>)>,
    position: Option<u64>,
    last: u64,
}

fn cells(write: &Write) -> std::ops::Range<u64> {
    write.at..write.at + write.bytes.len() as u64
}

impl Disk {
    fn new(size: u64) -> Self {
        let (ring, mut image) = Ring::create(size, SALT);
        image.resize(usize::try_from(ring.size()).unwrap(), 0);
        Self { image, ring, whole: BTreeMap::new(), position: None, last: 0 }
    }

    fn put(&mut self, write: &Write) {
        let at = usize::try_from(write.at).unwrap();
        self.image[at..at + write.bytes.len()].copy_from_slice(&write.bytes);
    }

    /// The next record, written as a whole.
    fn record(&mut self, length: usize) -> Write {
        let (write, payload) = self.plan(length);
        self.put(&write);
        self.overwrite(&write);
        self.whole.insert(self.last, (write.clone(), payload));
        write
    }

    /// The next record, not written yet.
    fn plan(&mut self, length: usize) -> (Write, Vec<u8>) {
        self.last += 1;
        let byte = u8::try_from(self.last % 251).unwrap();
        let payload = vec![byte; length];
        (self.ring.record(self.last, &payload).unwrap(), payload)
    }

    /// What a write damages, it should damage.
    fn overwrite(&mut self, write: &Write) {
        let written = cells(write);
        self.whole.retain(|_, (old, _)| {
            let old = cells(old);
            old.end <= written.start || written.end <= old.start
        });
    }

    fn set_position(&mut self, position: u64) {
        let write = self.ring.position(position, &targets(position));
        self.put(&write);
        self.position = Some(position);
    }

    fn found(&self) -> Found {
        Ring::recover(&self.image).unwrap()
    }

    fn expected(&self) -> Vec<Record> {
        let whole = self.whole.iter();
        whole.map(|(number, (_, payload))| Record { number: *number, payload: payload.clone() }).collect()
    }

    fn check(&self) {
        let found = self.found();
        let numbers = |records: &[Record]| records.iter().map(|record| record.number).collect::<Vec<_>>();
        assert_eq!(numbers(&found.records), numbers(&self.expected()));
        assert_eq!(found.records, self.expected());
        assert_eq!(found.position, self.position);
        assert_eq!(found.targets, self.position.map(targets).unwrap_or_default());
    }
}

/// As many others as there may be, all of them at this position.
fn targets(position: u64) -> BTreeMap<u64, u64> {
    let others = (1..=MOST_TARGETS as u64).map(|of| of.wrapping_mul(u64::MAX / 3));
    others.map(|of| (of, position)).collect()
}

/// Lengths of payloads: less than a cell, about one, several.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0..200_usize, 470..500_usize, 500..3000_usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_written_last_is_found_after_any_number_of_laps(
        steps in prop::collection::vec(prop_oneof![4 => length().prop_map(Ok), 1 => any::<u64>().prop_map(Err)], 1..300),
    ) {
        let mut disk = Disk::new(*SIZES.start());
        for step in steps {
            match step {
                Ok(length) => drop(disk.record(length)),
                Err(position) => disk.set_position(position),
            }
        }
        disk.check();
        // Whoever comes after a kill goes on at the same place.
        let found = disk.found();
        if disk.last > 0 {
            prop_assert_eq!(&found.ring, &disk.ring);
        }
    }

    #[test]
    fn a_torn_write_costs_itself_and_what_it_was_written_over(
        lengths in prop::collection::vec(length(), 0..200), last in length(), cut in any::<prop::sample::Index>(),
    ) {
        let mut disk = Disk::new(*SIZES.start());
        for length in lengths {
            disk.record(length);
        }
        let (write, payload) = disk.plan(last);
        torn_at(&mut disk, &write, &payload, cut.index(write.bytes.len()));
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(mut image in prop::collection::vec(any::<u8>(), 0..4096), header in any::<bool>()) {
        if header {
            let (_, bytes) = Ring::create(*SIZES.start(), SALT);
            image.splice(0..0, bytes);
            image.resize(64 << 10, 0xff);
        }
        let _ = Ring::recover(&image);
    }
}

/// Tears a write after its first bytes: everything that it does not cover is there as it was, what it covers is as it was
/// or gone, and the new record is there as a whole or not at all.
fn torn_at(disk: &mut Disk, write: &Write, payload: &[u8], kept: usize) {
    let before = disk.expected();
    disk.overwrite(write);
    let at = usize::try_from(write.at).unwrap();
    // What is missing may by chance be what was there before, and padding is no part of the record.
    let end = (cell::HEAD + payload.len()).max(kept);
    let is_whole = disk.image[at + kept..at + end] == write.bytes[kept..end];
    disk.put(&Write { at: write.at, bytes: write.bytes[..kept].to_vec() });
    let found = disk.found().records;
    let (new, old): (Vec<_>, Vec<_>) = found.into_iter().partition(|record| record.number == disk.last);
    assert!(old.iter().all(|record| before.contains(record)), "{old:?} is made up after {kept} bytes");
    let lost = disk.expected().into_iter().find(|record| !old.contains(record));
    assert_eq!(lost, None, "after {kept} bytes");
    let expected = is_whole.then(|| Record { number: disk.last, payload: payload.to_vec() });
    assert_eq!(new, Vec::from_iter(expected), "after {kept} bytes");
}

#[test]
fn a_write_may_be_torn_at_any_byte() {
    let mut disk = Disk::new(*SIZES.start());
    // Into the second lap.
    for number in 0..140 {
        disk.record(number * 7);
    }
    let (write, payload) = disk.plan(900);
    let (before, whole) = (disk.image.clone(), disk.whole.clone());
    for kept in 0..write.bytes.len() {
        disk.image.copy_from_slice(&before);
        disk.whole.clone_from(&whole);
        torn_at(&mut disk, &write, &payload, kept);
    }
}

#[test]
fn a_position_torn_at_any_byte_is_the_one_before_it() {
    let mut disk = Disk::new(*SIZES.start());
    for position in [5, u64::MAX, 7] {
        disk.set_position(position);
    }
    let write = disk.ring.position(8, &targets(8));
    let before = disk.image.clone();
    for kept in 0..write.bytes.len() {
        disk.image.copy_from_slice(&before);
        disk.put(&Write { at: write.at, bytes: write.bytes[..kept].to_vec() });
        let complete = write.bytes[kept..].iter().all(|byte| *byte == 0);
        let position = if complete { 8 } else { 7 };
        let found = disk.found();
        assert_eq!(
            (found.position, found.targets),
            (Some(position), targets(position)),
            "after {kept} bytes"
        );
    }
}

#[test]
fn no_flipped_bit_makes_one_record_another() {
    let mut disk = Disk::new(*SIZES.start());
    for length in [40, 900, 0, 500, 1500] {
        disk.record(length);
    }
    disk.set_position(3);
    disk.set_position(4);
    let expected = disk.expected();
    // One bit of each byte, another one each time.
    for bit in (0..14 * CELL).map(|byte| byte * 8 + byte % 8) {
        disk.image[bit / 8] ^= 1 << (bit % 8);
        match Ring::recover(&disk.image) {
            Err(damaged) => assert!(bit < CELL * 8, "{damaged} at bit {bit}"),
            Ok(Found { records, position, .. }) => {
                let lost = expected.iter().filter(|record| !records.contains(record)).count();
                assert!(lost <= 1, "bit {bit} costs {lost} records");
                assert_eq!(records.len() + lost, expected.len(), "bit {bit} makes up a record");
                assert!(matches!(position, Some(3 | 4)), "bit {bit} makes the position {position:?}");
            }
        }
        disk.image[bit / 8] ^= 1 << (bit % 8);
    }
    disk.check();
}

#[test]
fn what_is_no_journal_is_left_alone() {
    assert_eq!(Ring::recover(b""), Err(NoJournal::Damaged));
    assert_eq!(Ring::recover(&[0; 4096]), Err(NoJournal::Damaged));
    assert_eq!(Ring::recover(b"\0\0\0\0precious"), Err(NoJournal::Foreign));
    assert_eq!(Ring::recover(b"root:x:0:0:root:/root:/bin/bash\n"), Err(NoJournal::Foreign));
    let mut disk = Disk::new(0);
    assert_eq!(disk.ring.size(), *SIZES.start());
    disk.image.truncate(4096);
    assert_eq!(Ring::recover(&disk.image), Err(NoJournal::Damaged));
    assert_eq!(disk.ring.record(1, &vec![0; 17 << 10]), Err(TooLong(17 << 10)));
}

#[test]
fn records_of_another_file_or_place_are_none() {
    let mut disk = Disk::new(*SIZES.start());
    let write = disk.record(10);
    let (mut other, _) = Ring::create(*SIZES.start(), SALT + 1);
    let foreign = other.record(2, b"text").unwrap();
    let at = usize::try_from(write.at).unwrap();
    disk.put(&Write { at: write.at + CELL as u64, bytes: foreign.bytes });
    disk.put(&Write { at: write.at + 5 * CELL as u64, bytes: disk.image[at..at + CELL].to_vec() });
    disk.check();
}

fn transition() -> Transition {
    Transition {
        seq: 7,
        at: Time::from_secs(100),
        wall: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000),
        subject: Subject::Instance { index: 2, name: "VI_2".into() },
        change: Change {
            from: State::Backup,
            to: State::Master,
            reason: Reason::Member { member: "VI_1".into(), reason: Box::new(Reason::NoMaster) },
            priority: Priority::DEFAULT,
        },
    }
}

#[test]
fn a_transition_comes_back_as_it_was_and_after_a_boot_at_its_beginning() {
    let entry = Entry::read(&Entry::new(&transition(), "this").write()).unwrap();
    assert_eq!(entry.clone().transition(7, "this"), transition());
    let after = entry.transition(7, "next");
    assert_eq!(after, Transition { at: Time::default(), ..transition() });
    assert_eq!(Entry::read(br#"{"boot":"this"}"#), None);
}

#[test]
fn the_text_of_a_record_is_a_promise_to_later_versions() {
    let text = String::from_utf8(Entry::new(&transition(), "b").write()).unwrap();
    let expected = concat!(
        r#"{"boot":"b","at":{"secs":100,"nanos":0},"wall":{"secs_since_epoch":1800000000,"nanos_since_epoch":0},"#,
        r#""subject":{"instance":{"index":2,"name":"VI_2"}},"change":{"from":"backup","to":"master","#,
        r#""reason":{"member":{"member":"VI_1","reason":"no_master"}},"priority":100}}"#,
    );
    assert_eq!(text, expected);
}
