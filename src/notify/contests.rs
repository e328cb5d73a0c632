//! Whom to tell that a router with a lower claim is heard by a MASTER, and how often.
//!
//! keepalived tells it of each advertisement, so that whoever can send packets can have programs started without end. Here
//! the first one of a contest is told, and then one a second as long as more are heard, whatever is sent.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    registry::{Reason, Subject, Transition},
    units::Time,
};

/// The shortest time from one word about an instance to the next.
const PACE: Duration = Duration::from_secs(1);

/// The contests of all instances, by name, which reloads leave alone rather than an index: a machine without I/O.
#[derive(Debug, Default)]
pub(super) struct Contests(BTreeMap<String, Contest>);

#[derive(Clone, Copy, Debug)]
struct Contest {
    /// How many advertisements had been heard when something was last said.
    told: u64,
    /// When something may be said again.
    next: Time,
}

impl Contests {
    /// A transition was published. Whether there is something to tell of its instance now.
    pub(super) fn handle_transition(&mut self, now: Time, transition: &Transition) -> bool {
        let Subject::Instance { name, .. } = &transition.subject else { return false };
        if !matches!(transition.change.reason, Reason::Contested { .. }) {
            return false;
        }
        if let Some(contest) = self.0.get_mut(name) {
            // A contest was over a moment ago: it may be told when its time comes.
            contest.told = 0;
            return false;
        }
        self.0.insert(name.clone(), Contest { told: 1, next: now + PACE });
        true
    }

    /// Time has passed. The instances to tell of, given how many advertisements each has heard in its contest, if there
    /// is still one.
    pub(super) fn handle_timeout(&mut self, now: Time, heard: impl Fn(&str) -> Option<u64>) -> Vec<String> {
        let mut tell = Vec::new();
        self.0.retain(|name, contest| {
            if contest.next > now {
                return true;
            }
            let Some(heard) = heard(name) else { return false };
            if heard > contest.told {
                tell.push(name.clone());
            }
            *contest = Contest { told: heard, next: now + PACE };
            true
        });
        tell
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.0.values().map(|contest| contest.next).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        registry::{Change, State},
        units::Priority,
    };

    fn begin(name: &str) -> Transition {
        let rival = [10, 9, 0, 2].into();
        Transition {
            seq: 1,
            at: Time::default(),
            wall: SystemTime::UNIX_EPOCH,
            subject: Subject::Instance { index: 1, name: name.into() },
            change: Change {
                from: State::Master,
                to: State::Master,
                reason: Reason::Contested { rival, priority: Priority(100) },
                priority: Priority(150),
            },
        }
    }

    fn at(milliseconds: u64) -> Time {
        Time::default() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_contest_is_told_when_it_begins_and_then_once_a_second_while_more_is_heard() {
        let mut contests = Contests::default();
        assert!(contests.handle_transition(at(0), &begin("VI")));
        assert_eq!(contests.poll_timeout(), Some(at(1000)));
        assert!(contests.handle_timeout(at(999), |_| Some(500)).is_empty());
        assert_eq!(contests.handle_timeout(at(1000), |_| Some(500)), ["VI"]);
        assert!(contests.handle_timeout(at(2000), |_| Some(500)).is_empty(), "nothing more was heard");
        assert_eq!(contests.handle_timeout(at(3000), |_| Some(501)), ["VI"]);
        assert!(contests.handle_timeout(at(4000), |_| None).is_empty());
        assert_eq!(contests.poll_timeout(), None);
    }

    #[test]
    fn contests_that_begin_and_end_all_the_time_are_told_once_a_second() {
        let mut contests = Contests::default();
        let mut told = 0;
        for step in 0..1000 {
            let now = at(step * 10);
            told += usize::from(contests.handle_transition(now, &begin("VI")));
            told += contests.handle_timeout(now, |_| Some(1)).len();
        }
        assert_eq!(told, 10);
    }

    #[test]
    fn instances_do_not_keep_each_other_quiet() {
        let mut contests = Contests::default();
        assert!(["A", "B", "C"].into_iter().all(|name| contests.handle_transition(at(0), &begin(name))));
        assert_eq!(contests.handle_timeout(at(1000), |name| (name != "B").then_some(9)), ["A", "C"]);
    }
}
