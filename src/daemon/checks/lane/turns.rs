//! Whose turn it is: the checkers of the lane, by numbers that are never given twice, and when each is due.

use std::collections::{BTreeSet, HashMap};

use super::super::checker::{Checker, Of};
use crate::{
    check::{Kind, Outcome, Verdict},
    units::Time,
};

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

    /// When the next is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next whose turn has come; that of one whose service is asleep comes when it wakes up.
    pub(super) fn poll_due(
        &mut self,
        now: Time,
        is_asleep: impl Fn(usize) -> bool,
    ) -> Option<(usize, &mut Checker)> {
        loop {
            let (_, number) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
            self.due.pop_first();
            match self.checkers.get(&number) {
                Some(checker) if is_asleep(checker.of.service) => self.asleep.push(number),
                Some(_) => break self.checkers.get_mut(&number).map(|checker| (number, checker)),
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
        let verdict = checker.course.handle_outcome(now, outcome);
        self.due.extend(checker.course.poll_timeout().map(|at| (at, number)));
        Some((checker, verdict))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
            let mut begun = Vec::new();
            while let Some((number, checker)) = turns.poll_due(now, |_| false) {
                assert_eq!(checker.course.poll_timeout(), Some(now), "it waits for nobody");
                checker.course.handle_begin(now);
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
        assert!(crowd <= 2, "{crowd} at once: they are spread over the second");
    }

    #[test]
    fn who_sleeps_has_one_turn_when_it_wakes_up() {
        let mut turns = turns(2);
        let at = Time::default() + Duration::from_secs(3);
        let only_first = |service| service == 0;
        assert_eq!(turns.poll_due(at, only_first).map(|(number, _)| number), Some(1));
        assert!(turns.poll_due(at, only_first).is_none());
        // A reload that keeps it.
        for (_, (number, checker)) in turns.take_all() {
            turns.insert(number, checker);
        }
        assert_eq!((turns.len(), turns.poll_due(at, only_first).map(|(number, _)| number)), (2, Some(1)));
        assert!(turns.poll_due(at, only_first).is_none());
        turns.handle_waking(at, |_| false);
        assert_eq!(turns.poll_due(at, |_| false).map(|(number, _)| number), Some(0));
        assert!(turns.poll_due(at, |_| false).is_none());
    }

    #[test]
    fn a_try_of_one_that_is_gone_has_no_outcome() {
        let mut turns = turns(1);
        let at = Time::default() + Duration::from_secs(3);
        turns.poll_due(at, |_| false).unwrap().1.course.handle_begin(at);
        assert!(turns.take_all().contains_key(&of(0)));
        assert!(turns.handle_outcome(at, 0, &WELL).is_none() && turns.poll_timeout().is_none());
    }
}
