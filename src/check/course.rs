//! The course of a check, of one question or of several pages.

use super::{Outcome, Pages, Rhythm, Schedule, Verdict};
use crate::{config::settings::Check, units::Time};

/// When the next try is due, what it asks, and what its outcome comes to.
#[derive(Clone, Debug)]
pub enum Course {
    /// Of a check that asks the same every time.
    One(Schedule),
    /// Of one that asks for page after page.
    Pages(Pages),
}

impl Course {
    /// That of a check; `None` for one that follows something instead. `chance` spreads the beginnings of many.
    pub fn of(check: &Check, now: Time, chance: u64) -> Option<Self> {
        let rhythm = Rhythm::of(check)?;
        Some(match check {
            Check::Http(http) | Check::Ssl(http) => {
                Self::Pages(Pages::new((rhythm, *http.fast_recovery), http.url.len(), now, chance))
            }
            _ => Self::One(Schedule::new(rhythm, now, chance)),
        })
    }

    /// The same of a server that is known to be up or down, or comes while others have long been checked.
    pub fn joining(self, up: bool) -> Self {
        match self {
            Self::One(schedule) => Self::One(schedule.joining(up)),
            Self::Pages(pages) => Self::Pages(pages.joining(up)),
        }
    }

    /// Goes on where it is, with the rhythm of another configuration that asks the same.
    pub fn handle_reload(&mut self, now: Time, check: &Check) {
        let Some(rhythm) = Rhythm::of(check) else { return };
        match (self, check) {
            (Self::Pages(pages), Check::Http(http) | Check::Ssl(http)) => {
                pages.handle_rhythm(now, (rhythm, *http.fast_recovery));
            }
            (Self::One(schedule), _) => schedule.handle_rhythm(now, rhythm),
            // It would ask something else.
            (Self::Pages(_), _) => {}
        }
    }

    /// When the next try is due; `None` while one runs.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self {
            Self::One(schedule) => schedule.poll_timeout(),
            Self::Pages(pages) => pages.poll_timeout(),
        }
    }

    /// A try begins; what it asks, by number.
    pub fn handle_begin(&mut self, now: Time) -> usize {
        match self {
            Self::One(schedule) => {
                schedule.handle_begin(now);
                0
            }
            Self::Pages(pages) => {
                pages.handle_begin();
                pages.turn()
            }
        }
    }

    /// A try has ended.
    pub fn handle_outcome(&mut self, now: Time, outcome: &Outcome) -> Verdict {
        match self {
            Self::One(schedule) => schedule.handle_outcome(now, outcome),
            Self::Pages(pages) => pages.handle_outcome(now, outcome),
        }
    }
}
