//! The course of a check of several pages: which one is asked for next, when, and what its answer comes to.
//!
//! Pages are asked for one by one, `delay_loop` apart. When one fails for good it alone is asked for until it is well; then
//! all of them are, from the first, before the server is up again.

use std::time::Duration;

use super::super::{Outcome, Rhythm, Verdict};
use crate::units::Time;

/// From one page to the next with `fast_recovery`, where nothing is known or a recovery is confirmed.
const FAST: Duration = Duration::from_millis(10);

/// The pages of a check as a machine.
#[derive(Clone, Debug)]
pub struct Pages {
    rhythm: Rhythm,
    fast_recovery: bool,
    count: usize,
    /// Which is asked for next.
    turn: usize,
    /// The one that has failed for good.
    failed: Option<usize>,
    up: bool,
    has_run: bool,
    /// One failure is enough: nothing is known of the server since the daemon started.
    is_hasty: bool,
    tried: u32,
    due: Option<Time>,
}

impl Pages {
    /// So many pages, none of them asked for yet; `chance` spreads the beginnings of many checks.
    pub fn new((rhythm, fast_recovery): (Rhythm, bool), count: usize, now: Time, chance: u64) -> Self {
        let (up, due) = (!rhythm.alpha, Some(now + rhythm.first(chance)));
        let (turn, failed, tried) = (0, None, 0);
        Self { rhythm, fast_recovery, count, turn, failed, up, has_run: false, is_hasty: true, tried, due }
    }

    /// The same of a server that is known to be up or down, or comes while others have long been checked.
    pub fn joining(self, up: bool) -> Self {
        Self { up, is_hasty: false, ..self }
    }

    /// Goes on with another rhythm; no try is later than it would be from now on.
    pub fn handle_rhythm(&mut self, now: Time, (rhythm, fast_recovery): (Rhythm, bool)) {
        self.due = self.due.map(|due| due.min(now + rhythm.delay_loop.max(rhythm.delay_before_retry)));
        (self.rhythm, self.fast_recovery) = (rhythm, fast_recovery);
    }

    /// Which page the next try asks for.
    pub fn turn(&self) -> usize {
        self.turn
    }

    /// When the next try is due; `None` while one runs.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.due
    }

    /// A try begins.
    pub fn handle_begin(&mut self) {
        self.due = None;
    }

    /// A try has ended.
    pub fn handle_outcome(&mut self, now: Time, outcome: &Outcome) -> Verdict {
        let (verdict, wait) = match outcome {
            Outcome::Passed { .. } => self.passed(),
            Outcome::Failed(_) => self.failed(),
            Outcome::Untold(_) => (Verdict::Same, self.rhythm.delay_loop),
        };
        self.due = Some(now + wait);
        verdict
    }

    fn passed(&mut self) -> (Verdict, Duration) {
        self.tried = 0;
        if self.failed.take().is_some() {
            // It was the only one that was asked for: now all of them are.
            self.turn = 0;
            return (Verdict::Same, self.pace());
        }
        self.turn += 1;
        if self.turn < self.count {
            return (Verdict::Same, self.pace());
        }
        self.turn = 0;
        let changes = !self.up || !self.has_run;
        (self.up, self.has_run, self.is_hasty) = (true, true, false);
        (if changes { Verdict::Up } else { Verdict::Same }, self.rhythm.delay_loop)
    }

    fn failed(&mut self) -> (Verdict, Duration) {
        let Rhythm { retry, delay_loop, delay_before_retry, .. } = self.rhythm;
        if self.failed.is_some() {
            return (Verdict::Same, delay_loop.max(delay_before_retry));
        }
        if !self.is_hasty && self.tried < retry {
            self.tried += 1;
            return (Verdict::Again, delay_before_retry);
        }
        let changes = self.up || !self.has_run;
        let tries = self.tried;
        self.failed = Some(self.turn);
        (self.up, self.has_run, self.is_hasty, self.tried) = (false, true, false, 0);
        (if changes { Verdict::Down(tries) } else { Verdict::Same }, delay_loop.max(delay_before_retry))
    }

    /// From one page to the next.
    fn pace(&self) -> Duration {
        let hurries = self.fast_recovery && (!self.up || !self.has_run);
        if hurries { FAST } else { self.rhythm.delay_loop }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(count: usize, fast: bool) -> Pages {
        let rhythm = Rhythm {
            delay_loop: Duration::from_secs(10),
            delay_before_retry: Duration::from_secs(3),
            retry: 2,
            warmup: Duration::ZERO,
            alpha: false,
            from_beginning: false,
            always_retries: false,
        };
        Pages::new((rhythm, fast), count, Time::default(), 0)
    }

    /// Which page was asked for, what the answer came to, and when it was in milliseconds.
    fn step(pages: &mut Pages, well: bool) -> (usize, Verdict, u128) {
        let at = pages.poll_timeout().unwrap();
        let turn = pages.turn();
        pages.handle_begin();
        let outcome = if well { Outcome::Passed { adds: 0 } } else { Outcome::Failed(String::new()) };
        (turn, pages.handle_outcome(at, &outcome), at.0.as_millis())
    }

    #[test]
    fn pages_are_asked_for_one_by_one_and_the_last_one_says_up() {
        let mut pages = pages(2, false);
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 1_000));
        assert_eq!(step(&mut pages, true), (1, Verdict::Up, 11_000));
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 21_000));
        assert_eq!(step(&mut pages, true), (1, Verdict::Same, 31_000));
    }

    #[test]
    fn one_that_fails_is_asked_for_alone_until_it_is_well_and_then_all_are() {
        let mut pages = pages(2, false);
        step(&mut pages, true);
        step(&mut pages, true);
        step(&mut pages, true);
        assert_eq!(step(&mut pages, false), (1, Verdict::Again, 31_000));
        assert_eq!(step(&mut pages, false), (1, Verdict::Again, 34_000));
        assert_eq!(step(&mut pages, false), (1, Verdict::Down(2), 37_000));
        assert_eq!(step(&mut pages, false), (1, Verdict::Same, 47_000));
        assert_eq!(step(&mut pages, true), (1, Verdict::Same, 57_000));
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 67_000));
        assert_eq!(step(&mut pages, false), (1, Verdict::Again, 77_000), "a confirmation is retried, too");
        assert_eq!(step(&mut pages, true), (1, Verdict::Up, 80_000));
    }

    #[test]
    fn before_anything_is_known_one_failure_is_enough() {
        let mut pages = pages(3, false);
        assert_eq!(step(&mut pages, false), (0, Verdict::Down(0), 1_000));
    }

    #[test]
    fn of_a_server_that_joins_a_failure_is_tried_again() {
        for up in [true, false] {
            let mut pages = pages(2, false).joining(up);
            assert_eq!(step(&mut pages, true), (0, Verdict::Same, 1_000));
            assert_eq!(step(&mut pages, false), (1, Verdict::Again, 11_000));
            assert_eq!(step(&mut pages, false), (1, Verdict::Again, 14_000));
            assert_eq!(step(&mut pages, false), (1, Verdict::Down(2), 17_000));
        }
    }

    #[test]
    fn a_fast_recovery_does_not_wait_between_pages() {
        let mut pages = pages(2, true);
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 1_000));
        assert_eq!(step(&mut pages, true), (1, Verdict::Up, 1_010));
        step(&mut pages, false);
        step(&mut pages, false);
        assert_eq!(step(&mut pages, false), (0, Verdict::Down(2), 17_010));
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 27_010));
        assert_eq!(step(&mut pages, true), (0, Verdict::Same, 27_020));
        assert_eq!(step(&mut pages, true), (1, Verdict::Up, 27_030));
    }
}
