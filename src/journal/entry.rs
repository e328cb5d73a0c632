//! What a record of the journal holds: a transition, in words that later versions can still read.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{
    registry::{Change, Subject, Transition},
    units::Time,
};

/// A transition without its number, which the record has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The boot of the host that `at` counts from, as the kernel names it.
    pub boot: String,
    /// When, on that boot's monotonic clock.
    pub at: Time,
    /// When, by the calendar.
    pub wall: SystemTime,
    /// Whose state changed.
    pub subject: Subject,
    /// What happened to it.
    pub change: Change,
}

impl Entry {
    /// Of a transition during this boot.
    pub fn new(transition: &Transition, boot: &str) -> Self {
        let Transition { seq: _, at, wall, ref subject, ref change } = *transition;
        Self { boot: boot.to_owned(), at, wall, subject: subject.clone(), change: change.clone() }
    }

    /// The bytes of the record.
    pub fn write(&self) -> Vec<u8> {
        // Fails only for maps without text as keys, and for calendars before 1970, which the clock is not set to.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a record; `None` for one of a version that knew more.
    pub fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// The transition, seen from `boot`: what happened before that boot happened at its beginning.
    pub fn transition(self, number: u64, boot: &str) -> Transition {
        let Self { boot: of, at, wall, subject, change } = self;
        let at = if of == boot { at } else { Time::default() };
        Transition { seq: number, at, wall, subject, change }
    }
}
