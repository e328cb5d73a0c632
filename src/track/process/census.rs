//! Which processes run, as far as anybody asks.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{
    matching::{Image, matches},
    quorum::Quorum,
};
use crate::{
    config::tracking::Process,
    track::{Finding, Observation},
    units::Time,
};

/// The processes that any `vrrp_track_process` looks for, and what their number means.
///
/// Deterministic. What happens comes in by `handle_*`; what it comes to is pulled with
/// [`poll_action`](Self::poll_action), and [`poll_timeout`](Self::poll_timeout) says when to come back. Nothing is
/// decided before the first [`handle_all`](Self::handle_all).
#[derive(Debug)]
pub struct Census {
    wanted: Vec<Process>,
    quorums: Vec<Quorum>,
    /// By process id, which of `wanted` a process is; those that are none are not here.
    running: HashMap<u32, Vec<usize>>,
    counted: bool,
    /// Whose count has changed.
    touched: BTreeSet<usize>,
    actions: VecDeque<ProcessVerdict>,
}

/// A count of one `vrrp_track_process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessVerdict {
    /// Its position.
    pub process: usize,
    /// How many there are.
    pub count: u32,
    /// Whether that counts as right.
    pub healthy: bool,
    /// Whether what counts has changed, or is known for the first time.
    pub changed: bool,
    /// What is there and what should be, in words.
    pub detail: String,
}

impl ProcessVerdict {
    /// What whoever tracks the processes is told.
    pub fn observation(&self) -> Observation {
        let finding = if self.healthy { Finding::Healthy } else { Finding::Failed };
        Observation { finding, detail: self.detail.clone() }
    }
}

impl Census {
    /// Looks for these; positions in verdicts are those of this list.
    pub fn new(wanted: Vec<Process>) -> Self {
        Self {
            quorums: wanted.iter().map(Quorum::new).collect(),
            wanted,
            running: HashMap::new(),
            counted: false,
            touched: BTreeSet::new(),
            actions: VecDeque::new(),
        }
    }

    /// How many bytes of their command lines images need: one more than the longest that is looked for has, zeros
    /// included, so that what was cut off is never equal to it. 0 when nobody looks at command lines.
    pub fn command_line_bytes(&self) -> usize {
        let needy = self.wanted.iter().filter(|process| process.matching.needs_command_line());
        needy
            .map(|process| process.command.iter().map(|word| word.len() + 1).sum::<usize>() + 1)
            .max()
            .unwrap_or(0)
    }

    /// These processes run, and no others.
    pub fn handle_all(&mut self, now: Time, all: impl IntoIterator<Item = (u32, Image)>) {
        for roles in std::mem::take(&mut self.running).into_values() {
            self.leave(&roles);
        }
        for (pid, image) in all {
            self.enter(pid, self.roles(&image));
        }
        if !self.counted {
            self.counted = true;
            self.touched = (0..self.wanted.len()).collect();
        }
        self.look(now);
    }

    /// A process is this now: new, by exec(2), or with another name.
    pub fn handle_image(&mut self, now: Time, pid: u32, image: &Image) {
        let roles = self.roles(image);
        self.replace(now, pid, roles);
    }

    /// A process has made a copy of itself.
    pub fn handle_fork(&mut self, now: Time, parent: u32, child: u32) {
        let roles = self.running.get(&parent).cloned().unwrap_or_default();
        self.replace(now, child, roles);
    }

    /// A process has ended.
    pub fn handle_exit(&mut self, now: Time, pid: u32) {
        self.replace(now, pid, Vec::new());
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        let due =
            self.quorums.iter().enumerate().filter(|(_, quorum)| quorum.due.is_some_and(|due| due <= now));
        self.touched.extend(due.map(|(position, _)| position));
        self.look(now);
    }

    /// The next count, until there is none.
    pub fn poll_action(&mut self) -> Option<ProcessVerdict> {
        self.actions.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.quorums.iter().filter_map(|quorum| quorum.due).min()
    }

    fn roles(&self, image: &Image) -> Vec<usize> {
        let wanted = self.wanted.iter().enumerate();
        wanted.filter(|(_, process)| matches(process, image)).map(|(position, _)| position).collect()
    }

    fn replace(&mut self, now: Time, pid: u32, roles: Vec<usize>) {
        let before = self.running.remove(&pid).unwrap_or_default();
        self.leave(&before);
        self.enter(pid, roles);
        self.look(now);
    }

    fn leave(&mut self, roles: &[usize]) {
        for role in roles {
            self.quorums[*role].count -= 1;
            self.touched.insert(*role);
        }
    }

    fn enter(&mut self, pid: u32, roles: Vec<usize>) {
        for role in &roles {
            self.quorums[*role].count += 1;
            self.touched.insert(*role);
        }
        if !roles.is_empty() {
            self.running.insert(pid, roles);
        }
    }

    /// Judges those whose count has changed, once all have been counted.
    fn look(&mut self, now: Time) {
        if !self.counted {
            return;
        }
        for process in std::mem::take(&mut self.touched) {
            let quorum = &mut self.quorums[process];
            let changed = quorum.look(now);
            self.actions.push_back(ProcessVerdict {
                process,
                count: quorum.count,
                healthy: quorum.healthy.unwrap_or_default(),
                changed,
                detail: quorum.words(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{config::tracking::Matching, track::testing::process};

    fn nginx() -> Process {
        process(&["nginx"], Matching::Name)
    }

    fn image(name: &str) -> Image {
        Image { name: name.into(), ..Image::default() }
    }

    fn at(seconds: u64) -> Time {
        Time::from_secs(seconds)
    }

    /// (count, healthy, changed) of every verdict.
    fn verdicts(census: &mut Census) -> Vec<(u32, bool, bool)> {
        std::iter::from_fn(|| census.poll_action())
            .map(|verdict| (verdict.count, verdict.healthy, verdict.changed))
            .collect()
    }

    #[test]
    fn processes_come_and_go() {
        let mut census = Census::new(vec![nginx()]);
        census.handle_image(at(0), 1, &image("nginx"));
        assert_eq!(verdicts(&mut census), [], "not before all were counted");
        census.handle_all(at(0), [(2, image("sshd")), (3, image("init"))]);
        assert_eq!(verdicts(&mut census), [(0, false, true)]);
        census.handle_image(at(1), 7, &image("nginx"));
        assert_eq!(verdicts(&mut census), [(1, true, true)]);
        census.handle_fork(at(2), 7, 8);
        assert_eq!(verdicts(&mut census), [(2, true, false)]);
        census.handle_fork(at(2), 2, 9);
        assert_eq!(verdicts(&mut census), [], "nobody asks for sshd");
        census.handle_image(at(3), 8, &image("sh"));
        census.handle_exit(at(3), 9);
        assert_eq!(verdicts(&mut census), [(1, true, false)]);
        census.handle_image(at(4), 7, &image("nginx"));
        assert_eq!(verdicts(&mut census), [(1, true, false)], "the same process again is one");
        census.handle_exit(at(5), 7);
        assert_eq!(verdicts(&mut census), [(0, false, true)]);
    }

    #[test]
    fn a_count_of_all_replaces_what_was_known() {
        let mut census = Census::new(vec![nginx()]);
        census.handle_all(at(0), [(7, image("nginx")), (8, image("nginx"))]);
        assert_eq!(verdicts(&mut census), [(2, true, true)]);
        census.handle_all(at(1), [(8, image("nginx"))]);
        assert_eq!(verdicts(&mut census), [(1, true, false)]);
        census.handle_all(at(2), []);
        assert_eq!(verdicts(&mut census), [(0, false, true)]);
        census.handle_exit(at(3), 8);
        assert_eq!(verdicts(&mut census), []);
    }

    #[test]
    fn a_quorum_has_two_sides() {
        let two = Process { quorum: 2, quorum_max: Some(3), ..nginx() };
        let none = Process { quorum: 0, quorum_max: Some(0), ..nginx() };
        for (process, right) in [(two, 2..4), (none, 0..1)] {
            let mut census = Census::new(vec![process]);
            for count in 0..6 {
                census.handle_all(at(0), (0..count).map(|pid| (pid, image("nginx"))));
                let healthy = verdicts(&mut census).last().map(|verdict| verdict.1);
                assert_eq!(healthy.unwrap_or(count == 0), right.contains(&count), "{count}");
            }
        }
    }

    #[test]
    fn a_change_counts_when_it_has_lasted() {
        let delayed = Process {
            fork_delay: Duration::from_secs(1),
            terminate_delay: Duration::from_secs(3),
            ..nginx()
        };
        let mut census = Census::new(vec![delayed]);
        census.handle_all(at(0), [(7, image("nginx"))]);
        assert_eq!(verdicts(&mut census), [(1, true, true)], "the first count decides at once");
        census.handle_exit(at(10), 7);
        assert_eq!((verdicts(&mut census), census.poll_timeout()), (vec![(0, true, false)], Some(at(13))));
        // Back in time: nothing has happened.
        census.handle_image(at(12), 8, &image("nginx"));
        assert_eq!((verdicts(&mut census), census.poll_timeout()), (vec![(1, true, false)], None));
        census.handle_exit(at(20), 8);
        census.handle_timeout(at(23));
        assert_eq!(verdicts(&mut census), [(0, true, false), (0, false, true)]);
        census.handle_image(at(30), 9, &image("nginx"));
        census.handle_image(at(30), 10, &image("nginx"));
        assert_eq!(census.poll_timeout(), Some(at(31)), "the second one does not put it off");
        census.handle_timeout(at(31));
        assert_eq!(verdicts(&mut census).last(), Some(&(2, true, true)));
    }

    #[test]
    fn one_process_may_be_several() {
        let exact = process(&["nginx", "-g"], Matching::Exact);
        let mut census = Census::new(vec![nginx(), exact, process(&["apache2"], Matching::Name)]);
        assert_eq!(census.command_line_bytes(), "nginx.-g.".len() + 1);
        assert_eq!(Census::new(vec![nginx()]).command_line_bytes(), 0);
        let full = Image { name: "nginx".into(), command_line: vec!["nginx".into(), "-g".into()] };
        census.handle_all(at(0), [(7, full), (8, image("nginx"))]);
        let found: Vec<_> =
            std::iter::from_fn(|| census.poll_action()).map(|one| (one.process, one.count)).collect();
        assert_eq!(found, [(0, 2), (1, 1), (2, 0)]);
    }

    #[test]
    fn the_words_say_what_is_right() {
        let words = |least, most| {
            let process = Process { quorum: least, quorum_max: most, ..nginx() };
            Quorum::new(&process).words()
        };
        assert_eq!(words(1, None), "has 0 running, should have 1 or more");
        assert_eq!(words(0, Some(0)), "has 0 running, should have none");
        assert_eq!(words(2, Some(2)), "has 0 running, should have exactly 2");
        assert_eq!(words(2, Some(4)), "has 0 running, should have 2 to 4");
    }
}
