//! Transitions on disk: what a sink has not delivered yet outlives the daemon.
//!
//! [`Ring`] is the format of the file as a machine without I/O: it is given the file's bytes when the daemon starts, says
//! what is in them, and from then on returns what to write where. [`Entry`] is what a record holds. The thread that owns
//! the file is the daemon's.
//!
//! # The file
//!
//! Cells of [`CELL`] bytes: a header that is written once, two cells for the positions of the sinks, of which the older
//! one is written next, and records in a ring. A record begins a cell of its own, and takes as many as it needs one behind
//! the other, so that no write touches a cell of another record that is still wanted: whatever a power cut leaves of the
//! last write, it damages nothing but what was being written and what was the oldest anyway. What is found damaged, by
//! its checksum, is left out and never mistaken for something else. The room may import [`crate::registry`] and
//! [`crate::units`].

mod cell;
mod entry;
mod ring;
#[cfg(test)]
mod tests;

pub use self::{
    cell::CELL,
    entry::Entry,
    ring::{Found, MOST_TARGETS, NoJournal, Record, Ring, SIZES, TooLong, Write},
};
