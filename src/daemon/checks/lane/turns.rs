//! Whose turn it is: the checkers of the lane, by numbers that are never given twice, and when each is due.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::super::checker::{Checker, Of};
use crate::{
    check::{Kind, Outcome, Probe, Verdict},
    units::Time,
};

/// Whoever is due within one step of this begins together with the others: a thread that wakes up once for several checks takes
/// less of the processor for each, and ten milliseconds are nothing to a server.
const STEP: Duration = Duration::from_millis(10);

/// The checkers.
#[derive(Default)]
pub(super) struct Turns {
    checkers: HashMap<usize, Checker>,
    next_number: usize,
    due: BTreeSet<(Time, usize)>,
    /// What was due while its service was asleep.
    asleep: Vec<usize>,
}

impl Turns {
    /// One more.
    pub(super) fn add(&mut self, checker: Checker) {
        self.insert(self.next_number, checker);
        self.next_number += 1;
    }

    /// One that has a number, and perhaps a try that goes on.
    pub(super) fn insert(&mut self, number: usize, checker: Checker) {
        self.due.extend(checker.course.poll_timeout().map(|at| (at, number)));
        self.checkers.insert(number, checker);
    }

    /// Takes all of them away, with their numbers.
    pub(super) fn take_all(&mut self) -> HashMap<Of, (usize, Checker)> {
        self.due.clear();
        self.asleep.clear();
        std::mem::take(&mut self.checkers).into_iter().map(|(number, one)| (one.of, (number, one))).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.checkers.len()
    }

    /// Whether one of that kind is among them.
    pub(super) fn have(&self, kind: Kind) -> bool {
        self.all().any(|checker| checker.kind == kind)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Checker> {
        self.checkers.values()
    }

    /// When to look for turns that have come: at the end of the step in which the next is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| end_of_step(*at))
    }

    /// Begins the next whose turn has come: its number, what it does, and what it asks. The turn of one whose service is asleep
    /// comes when it wakes up.
    pub(super) fn poll_due(
        &mut self,
        now: Time,
        is_asleep: impl Fn(usize) -> bool,
    ) -> Option<(usize, Arc<Probe>, usize)> {
        loop {
            let (at, number) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
            self.due.pop_first();
            match self.checkers.get_mut(&number) {
                Some(checker) if is_asleep(checker.of.service) => self.asleep.push(number),
                Some(checker) => {
                    let page = checker.begin(now, now.since(at));
                    return Some((number, Arc::clone(&checker.probe), page));
                }
                None => {}
            }
        }
    }

    /// Services may have fallen asleep or woken up: what was due meanwhile is done now.
    pub(super) fn handle_waking(&mut self, now: Time, is_asleep: impl Fn(usize) -> bool) {
        let Self { checkers, due, asleep, .. } = self;
        asleep.retain(|number| {
            let Some(checker) = checkers.get(number) else { return false };
            let sleeps = is_asleep(checker.of.service);
            if !sleeps {
                due.insert((now, *number));
            }
            sleeps
        });
    }

    /// A try has ended; `None` when a reload has ended it.
    pub(super) fn handle_outcome(
        &mut self,
        now: Time,
        number: usize,
        outcome: &Outcome,
    ) -> Option<(&mut Checker, Verdict)> {
        let checker = self.checkers.get_mut(&number)?;
        let verdict = checker.end(now, outcome);
        self.due.extend(checker.course.poll_timeout().map(|at| (at, number)));
        Some((checker, verdict))
    }
}

/// The first multiple of [`STEP`] that is not before a time.
fn end_of_step(Time(at): Time) -> Time {
    let rest = at.subsec_nanos() % STEP.subsec_nanos();
    Time(if rest == 0 { at } else { at + STEP - Duration::from_nanos(rest.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::Clients,
        config::{self, Elsewhere, Options, settings::RealServer},
    };

    const WELL: Outcome = Outcome::Passed { adds: 0 };
    const ALL: usize = 100_000;

    fn server() -> RealServer {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "virtual_server 10.0.0.1 80 {\n protocol TCP\n delay_loop 1\n real_server 10.0.0.2 80 {\n TCP_CHECK {\n }\n }\n}\n";
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        config.virtual_servers[0].real_server[0].clone()
    }

    fn of(service: usize) -> Of {
        Of { service, place: 0, check: 0 }
    }

    fn turns(count: usize) -> Turns {
        let (server, clients, mut turns) = (server(), Clients::new(None), Turns::default());
        for service in 0..count {
            let chance = u64::MAX / count as u64 * service as u64;
            turns.add(Checker::new(of(service), (&server, &clients), Time::default(), chance).unwrap());
        }
        turns
    }

    #[test]
    fn of_a_hundred_thousand_each_has_its_turn_every_second() {
        let mut turns = turns(ALL);
        let (mut tries, mut crowd) = (vec![0_u32; ALL], 0);
        let end = Time::default() + Duration::from_secs(6);
        while let Some(now) = turns.poll_timeout().filter(|at| *at < end) {
            let first = turns.due.first().unwrap().0;
            assert!(first <= now && now.since(first) < STEP, "it waits for nobody");
            let mut begun = Vec::new();
            while let Some((number, ..)) = turns.poll_due(now, |_| false) {
                begun.push(number);
            }
            crowd = crowd.max(begun.len());
            for number in begun {
                tries[number] += 1;
                turns.handle_outcome(now, number, &WELL).unwrap();
            }
        }
        // The first begin a second after the start, the last a second later.
        assert!(tries.iter().all(|tries| (4..=5).contains(tries)), "{:?}", tries.iter().min());
        assert!(crowd <= ALL / 100 + 1, "{crowd} at once: they are spread over the second");
    }

    #[test]
    fn one_that_begins_late_has_its_next_turn_when_it_would_have_had_it() {
        let mut turns = turns(1);
        let first = Time::default() + Duration::from_secs(1);
        let late = |number: u64, millis| {
            Time::default() + Duration::from_secs(number) + Duration::from_millis(millis)
        };
        for (number, millis) in (1..).zip([0, 9, 0, 60, 100, 3]) {
            let due = turns.due.first().unwrap().0;
            assert_eq!(due, first + Duration::from_secs(number - 1));
            assert!(turns.poll_due(late(number, millis), |_| false).is_some());
            turns.handle_outcome(late(number, millis), 0, &WELL).unwrap();
        }
        // One that is later than that is put off: there is no catching up where there is too much to do.
        assert!(turns.poll_due(late(7, 700), |_| false).is_some());
        turns.handle_outcome(late(7, 800), 0, &WELL).unwrap();
        assert_eq!(
            turns.due.first().unwrap().0,
            late(8, 700),
            "a tenth of a second is made up for, and a try takes its time"
        );
    }

    #[test]
    fn who_sleeps_has_one_turn_when_it_wakes_up() {
        let mut turns = turns(2);
        let at = Time::default() + Duration::from_secs(3);
        let only_first = |service| service == 0;
        let begun = |turns: &mut Turns, is_asleep: fn(usize) -> bool| {
            turns.poll_due(at, is_asleep).map(|(number, ..)| number)
        };
        assert_eq!(begun(&mut turns, only_first), Some(1));
        assert!(turns.poll_due(at, only_first).is_none());
        // A reload that keeps it.
        for (_, (number, checker)) in turns.take_all() {
            turns.insert(number, checker);
        }
        assert_eq!(
            (turns.len(), begun(&mut turns, only_first)),
            (2, None),
            "one has begun, and the other sleeps on"
        );
        assert!(turns.poll_due(at, only_first).is_none());
        turns.handle_waking(at, |_| false);
        assert_eq!(begun(&mut turns, |_| false), Some(0));
        assert!(turns.poll_due(at, |_| false).is_none());
    }

    #[test]
    fn a_try_of_one_that_is_gone_has_no_outcome() {
        let mut turns = turns(1);
        let at = Time::default() + Duration::from_secs(3);
        assert!(turns.poll_due(at, |_| false).is_some());
        assert!(turns.take_all().contains_key(&of(0)));
        assert!(turns.handle_outcome(at, 0, &WELL).is_none() && turns.poll_timeout().is_none());
    }
}
