//! Whether a dead engine is started again, and when.

use std::time::Duration;

use crate::{daemon::exit, units::Time};

/// The longest time that an engine is left dead.
const LONGEST: Duration = Duration::from_secs(60);
/// An engine that ran for so long has not died of its start: the next one is started at once again.
const SOUND: Duration = Duration::from_secs(60);

/// How an engine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this status.
    Exited(u8),
    /// By this signal.
    Killed(i32),
}

/// What is to be done about the end of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another one is started after this time.
    Again(Duration),
    /// The parent ends, too, with this exit status.
    End(u8),
}

/// The deaths so far.
#[derive(Debug)]
pub(super) struct Respawn {
    /// Not with `-R`.
    allowed: bool,
    /// Without a sound one in between.
    deaths: u32,
    /// Whether any engine has ever been ready.
    was_ready: bool,
}

impl Respawn {
    /// No deaths yet.
    pub(super) const fn new(allowed: bool) -> Self {
        Self { allowed, deaths: 0, was_ready: false }
    }

    /// The engine's routers have begun.
    pub(super) const fn note_ready(&mut self) {
        self.was_ready = true;
    }

    /// Whether there has been an engine before.
    pub(super) const fn has_begun(&self) -> bool {
        self.was_ready || self.deaths > 0
    }

    /// The engine that was started at `since` has ended, unasked.
    pub(super) fn judge(&mut self, since: Time, end: End, now: Time) -> Verdict {
        // What stopped it will stop the next one, too: nobody is served by trying.
        match end {
            End::Exited(status @ (exit::CONFIG | exit::NO_PERMISSION | exit::NO_CONFIG)) => {
                return Verdict::End(status);
            }
            End::Exited(exit::FATAL) if !self.was_ready => return Verdict::End(exit::FATAL),
            _ if !self.allowed => return Verdict::End(exit::INTERNAL),
            _ => {}
        }
        if now.since(since) >= SOUND {
            self.deaths = 0;
        }
        // At once, then after 1, 2, 4, … seconds.
        let delay = match self.deaths {
            0 => Duration::ZERO,
            deaths => Duration::from_secs(1 << (deaths - 1).min(6)).min(LONGEST),
        };
        self.deaths += 1;
        Verdict::Again(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KILLED: End = End::Killed(9);

    fn at(seconds: u64) -> Time {
        Time(Duration::from_secs(seconds))
    }

    #[test]
    fn an_engine_that_dies_again_and_again_is_started_ever_more_seldom() {
        let mut respawn = Respawn::new(true);
        let delays = (0..9).map(|_| match respawn.judge(at(5), KILLED, at(6)) {
            Verdict::Again(delay) => delay.as_secs(),
            Verdict::End(status) => panic!("ended with {status}"),
        });
        assert_eq!(delays.collect::<Vec<_>>(), [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(respawn.judge(at(5), KILLED, at(65)), Verdict::Again(Duration::ZERO));
    }

    #[test]
    fn what_the_configuration_forbids_is_not_tried_again() {
        for status in [exit::CONFIG, exit::NO_PERMISSION, exit::NO_CONFIG] {
            let mut respawn = Respawn::new(true);
            respawn.note_ready();
            assert_eq!(respawn.judge(at(0), End::Exited(status), at(100)), Verdict::End(status));
        }
    }

    #[test]
    fn a_fatal_error_of_the_first_start_is_final_and_a_later_one_is_not() {
        let mut respawn = Respawn::new(true);
        let fatal = End::Exited(exit::FATAL);
        assert_eq!(respawn.judge(at(0), fatal, at(1)), Verdict::End(exit::FATAL));
        respawn.note_ready();
        assert_eq!(respawn.judge(at(0), fatal, at(1)), Verdict::Again(Duration::ZERO));
        let panicked = End::Exited(exit::INTERNAL);
        assert_eq!(Respawn::new(true).judge(at(0), panicked, at(1)), Verdict::Again(Duration::ZERO));
    }

    #[test]
    fn with_dont_respawn_the_first_death_is_the_end() {
        assert_eq!(Respawn::new(false).judge(at(0), KILLED, at(100)), Verdict::End(exit::INTERNAL));
    }
}
