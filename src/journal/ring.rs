//! The ring of records and the position in it, as bytes to write and bytes that were read.

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::cell::{self, CELL, HEAD, Kind, cells_of};

/// The version of the format.
const VERSION: u64 = 1;
/// Where the records begin: behind the header and the two cells of the position.
const RECORDS: u64 = 3;
/// The longest payload; names and words of a transition are a few hundred bytes.
const MAX_PAYLOAD: usize = 16 << 10;
/// The most receivers of notifications that have a position of their own: what a cell has room for.
pub const MOST_TARGETS: usize = (CELL - HEAD) / TARGET;
/// Bytes of the position of one: whose it is, and the position.
const TARGET: usize = 16;
/// How large a journal may be, in bytes: room for the longest record, and no longer to read than a start may wait.
pub const SIZES: RangeInclusive<u64> = (64 << 10)..=(256 << 20);

/// A journal: where the next record goes.
///
/// Getters aside it has two commands, [`Ring::record`] and [`Ring::position`], and both only say what is to be written.
/// What is not written, because the disk refuses, is as good as damaged: the next record goes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    salt: u64,
    cells: u64,
    /// The cell of the next record.
    next: u64,
    /// How often a position was written.
    positions: u64,
}

/// Bytes for a place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where, from the beginning of the file.
    pub at: u64,
    /// What.
    pub bytes: Vec<u8>,
}

/// A record, whole and undamaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number; larger for what was written later.
    pub number: u64,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// What is in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// To go on with.
    pub ring: Ring,
    /// The records in the order of their numbers. A number that is missing was damaged, or never written.
    pub records: Vec<Record>,
    /// The position of the AgentX master that was written last.
    pub position: Option<u64>,
    /// The positions that were written with it, by whose they are.
    pub targets: BTreeMap<u64, u64>,
}

/// Why bytes are no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoJournal {
    /// Something else, which is not to be overwritten.
    #[error("it holds something else than transitions")]
    Foreign,
    /// A journal whose header is damaged, or of another version; or nothing but zeros, or nothing at all, which is what
    /// a power cut leaves of a file that had a name and no content yet.
    #[error("its header is damaged")]
    Damaged,
}

/// A payload that no record takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of {0} bytes is too long")]
pub struct TooLong(pub usize);

impl Ring {
    /// An empty journal of `size` bytes, brought into [`SIZES`], with the bytes its file begins with; zeros follow.
    /// `salt` is different for each file.
    pub fn create(size: u64, salt: u64) -> (Self, Vec<u8>) {
        let cells = size.clamp(*SIZES.start(), *SIZES.end()) / CELL as u64;
        let ring = Self { salt, cells, next: RECORDS, positions: 0 };
        (ring, cell::write(Kind::Header, (VERSION, cells), &salt.to_be_bytes(), 0, 0))
    }

    /// What is in the bytes of a file.
    ///
    /// # Errors
    /// When they are no journal.
    pub fn recover(image: &[u8]) -> Result<Found, NoJournal> {
        if !image.starts_with(&Kind::Header.magic()) {
            let is_blank = image.iter().all(|byte| *byte == 0);
            return Err(if is_blank { NoJournal::Damaged } else { NoJournal::Foreign });
        }
        let (head, salt) = cell::read(Kind::Header, image, 0, 0).ok_or(NoJournal::Damaged)?;
        let salt = salt.try_into().map(u64::from_be_bytes).map_err(|_| NoJournal::Damaged)?;
        if head.first != VERSION || head.second.saturating_mul(CELL as u64) != image.len() as u64 {
            return Err(NoJournal::Damaged);
        }
        let mut ring = Self { salt, cells: head.second, next: RECORDS, positions: 0 };
        let positions = [1, 2].into_iter().filter_map(|place| ring.read(Kind::Position, image, place));
        let newest = positions.max_by_key(|(head, _)| head.first);
        ring.positions = newest.map_or(0, |(head, _)| head.first);
        let targets = newest.map(|(_, payload)| read_targets(payload)).unwrap_or_default();
        let mut found: Vec<(u64, Record)> = Vec::new();
        let mut place = RECORDS;
        while place < ring.cells {
            let Some((head, payload)) = ring.read(Kind::Record, image, place) else {
                place += 1;
                continue;
            };
            let behind = place + cells_of(head.length);
            found.push((behind, Record { number: head.first, payload: payload.to_vec() }));
            place = behind;
        }
        found.sort_by_key(|(_, record)| record.number);
        ring.next = found.last().map_or(RECORDS, |(behind, _)| *behind);
        let records = found.into_iter().map(|(_, record)| record).collect();
        let position = newest.map(|(head, _)| head.second);
        Ok(Found { ring, records, position, targets })
    }

    fn read<'a>(&self, kind: Kind, image: &'a [u8], place: u64) -> Option<(cell::Head, &'a [u8])> {
        let at = usize::try_from(place).ok()?.checked_mul(CELL)?;
        cell::read(kind, image.get(at..)?, place, self.salt)
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.cells * CELL as u64
    }

    /// How many records of one cell there is room for.
    pub fn capacity(&self) -> u64 {
        self.cells - RECORDS
    }

    /// A record; the oldest ones give way to it.
    ///
    /// # Errors
    /// When the payload is too long.
    pub fn record(&mut self, number: u64, payload: &[u8]) -> Result<Write, TooLong> {
        if payload.len() > MAX_PAYLOAD {
            return Err(TooLong(payload.len()));
        }
        let length = cells_of(payload.len());
        // A record is in one piece: the ring ends where the next one does not fit any more.
        let place = if self.next + length <= self.cells { self.next } else { RECORDS };
        self.next = place + length;
        Ok(self.write(Kind::Record, (number, 0), payload, place))
    }

    /// The positions: everything up to and including its number is delivered to the AgentX master, and to each of the
    /// others. Of these there may be [`MOST_TARGETS`].
    pub fn position(&mut self, position: u64, targets: &BTreeMap<u64, u64>) -> Write {
        self.positions += 1;
        // In turns, so that one of the two is whole whatever happens to the write of the other.
        let place = 1 + self.positions % 2;
        let pairs = targets.iter().take(MOST_TARGETS);
        let payload: Vec<u8> =
            pairs.flat_map(|(of, position)| [of.to_be_bytes(), position.to_be_bytes()].concat()).collect();
        self.write(Kind::Position, (self.positions, position), &payload, place)
    }

    fn write(&self, kind: Kind, numbers: (u64, u64), payload: &[u8], place: u64) -> Write {
        Write { at: place * CELL as u64, bytes: cell::write(kind, numbers, payload, place, self.salt) }
    }
}

/// The positions behind the head of a position.
fn read_targets(payload: &[u8]) -> BTreeMap<u64, u64> {
    let (pairs, _) = payload.as_chunks::<TARGET>();
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    pairs.iter().map(|pair| pair.split_at(TARGET / 2)).map(|(of, at)| (number(of), number(at))).collect()
}
