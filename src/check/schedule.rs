//! When the next try of a check is due, and what the outcomes of tries come to.

use super::{Outcome, Rhythm};
use crate::units::Time;

/// A check as a machine: getters, `handle_*`, and [`Self::poll_timeout`].
#[derive(Clone, Debug)]
pub struct Schedule {
    rhythm: Rhythm,
    up: bool,
    has_run: bool,
    /// One failure is enough: nothing is known of the server since the daemon started.
    is_hasty: bool,
    /// Failures since the last success or the last change that were followed by another try.
    tried: u32,
    /// When the next try begins; `None` while one runs.
    due: Option<Time>,
    /// When the try that runs has begun.
    began: Time,
}

/// What an outcome comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays what it was.
    Same,
    /// It will be tried again before the failure counts.
    Again,
    /// Up, from down or for the first time.
    Up,
    /// Down, from up or for the first time, after so many further tries.
    Down(u32),
}

impl Schedule {
    /// One whose first try is due soon; `chance` spreads those of many.
    pub fn new(rhythm: Rhythm, now: Time, chance: u64) -> Self {
        Self {
            up: !rhythm.alpha,
            has_run: false,
            is_hasty: !rhythm.always_retries,
            tried: 0,
            due: Some(now + rhythm.first(chance)),
            began: now,
            rhythm,
        }
    }

    /// The same of a server that is known to be up or down, or comes while others have long been checked.
    pub fn joining(self, up: bool) -> Self {
        Self { up, is_hasty: false, ..self }
    }

    /// Goes on with another rhythm; no try is later than it would be from now on.
    pub fn handle_rhythm(&mut self, now: Time, rhythm: Rhythm) {
        self.due = self.due.map(|due| due.min(now + rhythm.delay_loop));
        self.rhythm = rhythm;
    }

    /// Whether the check lets its server serve.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// When the next try is due; `None` while one runs.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.due
    }

    /// A try begins.
    pub fn handle_begin(&mut self, now: Time) {
        (self.due, self.began) = (None, now);
    }

    /// A try has ended.
    pub fn handle_outcome(&mut self, now: Time, outcome: &Outcome) -> Verdict {
        let verdict = match outcome {
            Outcome::Passed { .. } => self.passed(),
            Outcome::Failed(_) => self.failed(),
            Outcome::Untold(_) => Verdict::Same,
        };
        let origin = if self.rhythm.from_beginning { self.began } else { now };
        let wait =
            if verdict == Verdict::Again { self.rhythm.delay_before_retry } else { self.rhythm.delay_loop };
        self.due = Some((origin + wait).max(now));
        verdict
    }

    fn passed(&mut self) -> Verdict {
        let changes = !self.up || !self.has_run;
        (self.up, self.has_run, self.is_hasty, self.tried) = (true, true, false, 0);
        if changes { Verdict::Up } else { Verdict::Same }
    }

    fn failed(&mut self) -> Verdict {
        let changes = self.up || !self.has_run;
        if !changes && !self.rhythm.always_retries {
            return Verdict::Same;
        }
        if self.tried < self.rhythm.retry && !self.is_hasty {
            self.tried += 1;
            return Verdict::Again;
        }
        let tries = self.tried;
        (self.up, self.has_run, self.is_hasty, self.tried) = (false, true, false, 0);
        if changes { Verdict::Down(tries) } else { Verdict::Same }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        delay_loop: Duration::from_secs(10),
        delay_before_retry: Duration::from_secs(2),
        retry: 2,
        warmup: Duration::from_secs(4),
        alpha: false,
        from_beginning: false,
        always_retries: false,
    };

    fn passed() -> Outcome {
        Outcome::Passed { adds: 0 }
    }

    fn failed() -> Outcome {
        Outcome::Failed("refused".into())
    }

    /// Has the next try end after so many milliseconds; what it came to, and when it began in seconds.
    fn step(schedule: &mut Schedule, outcome: &Outcome, lasts: u64) -> (Verdict, f64) {
        let begins = schedule.poll_timeout().unwrap();
        schedule.handle_begin(begins);
        assert_eq!(schedule.poll_timeout(), None, "one at a time");
        (schedule.handle_outcome(begins + Duration::from_millis(lasts), outcome), begins.0.as_secs_f64())
    }

    #[test]
    fn the_first_run_is_a_second_and_a_share_of_the_warmup_after_the_start() {
        let first =
            |chance| Schedule::new(RHYTHM, Time::default(), chance).poll_timeout().unwrap().0.as_secs_f64();
        assert_eq!((first(0), first(1 << 63)), (1.0, 3.0));
        assert!(first(u64::MAX) < 5.0 && first(u64::MAX) > 4.99);
    }

    #[test]
    fn a_failure_counts_after_further_tries_and_a_success_at_once() {
        let mut schedule = Schedule::new(RHYTHM, Time::default(), 0);
        assert_eq!(step(&mut schedule, &passed(), 500), (Verdict::Up, 1.0));
        assert_eq!(step(&mut schedule, &passed(), 0), (Verdict::Same, 11.5));
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Again, 21.5));
        assert_eq!(step(&mut schedule, &failed(), 1000), (Verdict::Again, 23.5));
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Down(2), 26.5));
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Same, 36.5));
        assert_eq!(step(&mut schedule, &passed(), 0), (Verdict::Up, 46.5));
    }

    #[test]
    fn a_success_between_failures_begins_the_count_anew() {
        let mut schedule = Schedule::new(RHYTHM, Time::default(), 0);
        step(&mut schedule, &passed(), 0);
        for _ in 0..10 {
            assert_eq!(step(&mut schedule, &failed(), 0).0, Verdict::Again);
            assert_eq!(step(&mut schedule, &failed(), 0).0, Verdict::Again);
            assert_eq!(step(&mut schedule, &passed(), 0).0, Verdict::Same);
        }
    }

    #[test]
    fn before_anything_is_known_one_failure_is_enough() {
        for alpha in [false, true] {
            let mut schedule = Schedule::new(Rhythm { alpha, ..RHYTHM }, Time::default(), 0);
            assert_eq!(schedule.is_up(), !alpha);
            assert_eq!(step(&mut schedule, &failed(), 0).0, Verdict::Down(0));
            assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Same, 11.0));
        }
    }

    #[test]
    fn one_that_joins_tries_again_and_one_that_goes_on_keeps_its_turn() {
        let joining = |up| Schedule::new(RHYTHM, Time::default(), 0).joining(up);
        let mut schedule = joining(true);
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Again, 1.0));
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Again, 3.0));
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Down(2), 5.0));
        assert_eq!(step(&mut joining(false), &passed(), 0).0, Verdict::Up);

        let slower = Rhythm { delay_loop: Duration::from_secs(60), ..RHYTHM };
        schedule.handle_rhythm(Time::from_secs(6), slower);
        assert_eq!(schedule.poll_timeout(), Some(Time::from_secs(15)));
        let faster = Rhythm { delay_loop: Duration::from_secs(2), ..RHYTHM };
        schedule.handle_rhythm(Time::from_secs(6), faster);
        assert_eq!(step(&mut schedule, &passed(), 0), (Verdict::Up, 8.0));
        assert_eq!(schedule.poll_timeout(), Some(Time::from_secs(10)));
    }

    #[test]
    fn what_goes_wrong_here_is_no_result() {
        let mut schedule = Schedule::new(RHYTHM, Time::default(), 0);
        let untold = Outcome::Untold("no socket".into());
        assert_eq!(step(&mut schedule, &untold, 0).0, Verdict::Same);
        assert!(schedule.is_up());
        assert_eq!(step(&mut schedule, &failed(), 0), (Verdict::Down(0), 11.0));
    }

    #[test]
    fn some_count_from_the_beginning_and_some_try_again_always() {
        let mut misc = Schedule::new(Rhythm { from_beginning: true, ..RHYTHM }, Time::default(), 0);
        step(&mut misc, &passed(), 2000);
        assert_eq!(step(&mut misc, &passed(), 25_000).1, 11.0);
        assert_eq!(step(&mut misc, &passed(), 0).1, 36.0, "a run that is too long is followed by the next");
        let mut smtp = Schedule::new(Rhythm { always_retries: true, ..RHYTHM }, Time::default(), 0);
        let course: Vec<_> = (0..6).map(|_| step(&mut smtp, &failed(), 0)).collect();
        let verdicts =
            [Verdict::Again, Verdict::Again, Verdict::Down(2), Verdict::Again, Verdict::Again, Verdict::Same];
        assert_eq!(course.iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>(), verdicts);
        assert_eq!(course.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [1.0, 3.0, 5.0, 15.0, 17.0, 19.0]);
    }

    #[test]
    fn a_hundred_thousand_checks_are_each_run_at_their_time() {
        use std::collections::BTreeSet;
        let mut seed = 1_u64;
        let mut chance = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed
        };
        let rhythm = Rhythm { warmup: Duration::from_secs(10), ..RHYTHM };
        let mut all: Vec<Schedule> =
            (0..100_000).map(|_| Schedule::new(rhythm.clone(), Time::default(), chance())).collect();
        let mut due: BTreeSet<(Time, usize)> =
            all.iter().enumerate().map(|(number, one)| (one.poll_timeout().unwrap(), number)).collect();
        let mut runs = vec![0; all.len()];
        while let Some((at, number)) = due.pop_first().filter(|(at, _)| *at < Time::from_secs(61)) {
            let one = &mut all[number];
            one.handle_begin(at);
            one.handle_outcome(at, &passed());
            runs[number] += 1;
            due.insert((one.poll_timeout().unwrap(), number));
        }
        assert!(runs.iter().all(|runs| (5..=6).contains(runs)));
    }
}
