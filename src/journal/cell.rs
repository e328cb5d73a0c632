//! What stands in the cells of a journal, and how it is told from what merely stands there.

use sha2::{Digest as _, Sha256};

/// Bytes of a cell. Disks write a sector of this size as a whole or not at all.
pub const CELL: usize = 512;

/// Bytes before the payload of a record, and all of the other cells: kind, length, two numbers, checksum.
pub(super) const HEAD: usize = 32;

/// What a cell begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first cell: version of the format, number of cells, salt.
    Header,
    /// Positions: how often they were written, the one of the AgentX master; those of others follow.
    Position,
    /// A record: its number; its payload follows.
    Record,
}

impl Kind {
    pub(super) const fn magic(self) -> [u8; 4] {
        match self {
            Self::Header => *b"SFjn",
            Self::Position => *b"SFps",
            Self::Record => *b"SFrc",
        }
    }
}

/// The beginning of something written, whole and undamaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) first: u64,
    pub(super) second: u64,
    /// Bytes that follow.
    pub(super) length: usize,
}

/// Cells that something of `length` bytes behind its head takes.
pub(super) const fn cells_of(length: usize) -> u64 {
    (HEAD + length).div_ceil(CELL) as u64
}

/// Writes whole cells: head, payload, zeros. `place` and `salt` go into the checksum, so that what was copied from another
/// place or file is none of ours.
pub(super) fn write(
    kind: Kind,
    (first, second): (u64, u64),
    payload: &[u8],
    place: u64,
    salt: u64,
) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEAD + payload.len() + CELL);
    bytes.extend(kind.magic());
    bytes.extend(length.to_be_bytes());
    bytes.extend(first.to_be_bytes());
    bytes.extend(second.to_be_bytes());
    let check = checksum(&bytes, payload, place, salt);
    bytes.extend(check);
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(CELL), 0);
    bytes
}

/// Reads what begins with the first of `bytes`; `None` for what is damaged or something else.
pub(super) fn read(kind: Kind, bytes: &[u8], place: u64, salt: u64) -> Option<(Head, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (fields, check) = head.split_at_checked(HEAD - 8)?;
    if !fields.starts_with(&kind.magic()) {
        return None;
    }
    let number = |at: usize| Some(u64::from_be_bytes(fields.get(at..at + 8)?.try_into().ok()?));
    let length = u32::from_be_bytes(fields.get(4..8)?.try_into().ok()?) as usize;
    let payload = rest.get(..length)?;
    let head = Head { first: number(8)?, second: number(16)?, length };
    (checksum(fields, payload, place, salt) == check).then_some((head, payload))
}

/// Eight bytes of SHA-256, which no fault of a disk and no name in a configuration meets by chance.
fn checksum(fields: &[u8], payload: &[u8], place: u64, salt: u64) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(salt.to_be_bytes());
    hash.update(place.to_be_bytes());
    hash.update(fields);
    hash.update(payload);
    let mut check = [0; 8];
    check.copy_from_slice(&hash.finalize()[..8]);
    check
}
