//! Whether an interface counts as up: `interface_up_down_delays` as a machine.

use std::{collections::VecDeque, time::Duration};

use crate::{config::tracking::Interface, registry::LinkState, units::Time};

/// An interface whose ups and downs count only when they last.
///
/// Deterministic: `handle_link` says how the interface is, `poll_action` how it counts from now on, `poll_timeout`
/// when `handle_timeout` is due.
#[derive(Debug)]
pub struct LinkTracker {
    down_delay: Duration,
    up_delay: Duration,
    actual: LinkState,
    /// What everybody was told; nothing before the first report.
    counted: Option<LinkState>,
    /// It was missing, and has not been up since.
    is_new: bool,
    /// When what is actual will count.
    due: Option<Time>,
    actions: VecDeque<LinkState>,
}

impl LinkTracker {
    /// An interface that nothing is known of.
    pub fn new(interface: &Interface) -> Self {
        Self {
            down_delay: interface.down_delay,
            up_delay: interface.up_delay,
            actual: LinkState::Missing,
            counted: None,
            is_new: false,
            due: None,
            actions: VecDeque::new(),
        }
    }

    /// Its delays are these from now on. What is awaited already is awaited as long as it was.
    pub fn handle_settings(&mut self, interface: &Interface) {
        (self.down_delay, self.up_delay) = (interface.down_delay, interface.up_delay);
    }

    /// The interface is in this state now. The first report counts at once, and so does an interface that vanishes, or
    /// that is made and brought up: that is no flapping cable.
    pub fn handle_link(&mut self, now: Time, state: LinkState) {
        self.actual = state;
        let Some(counted) = self.counted else { return self.count(state) };
        if counted == state {
            self.due = None;
        } else if self.is_new || state == LinkState::Missing {
            self.count(state);
        } else if self.due.is_none() {
            let delay = if state == LinkState::Up { self.up_delay } else { self.down_delay };
            self.due = Some(now + delay);
            self.handle_timeout(now);
        }
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.due.is_some_and(|due| due <= now) {
            self.count(self.actual);
        }
    }

    /// How the interface counts from now on, until there is nothing new.
    pub fn poll_action(&mut self) -> Option<LinkState> {
        self.actions.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.due
    }

    /// How the interface counts; missing before the first report.
    pub fn counted(&self) -> LinkState {
        self.counted.unwrap_or_default()
    }

    fn count(&mut self, state: LinkState) {
        self.due = None;
        self.is_new = state == LinkState::Missing || self.is_new && state == LinkState::Down;
        if self.counted.replace(state) != Some(state) {
            self.actions.push_back(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker_config() -> Interface {
        Interface {
            name: "eth0".into(),
            down_delay: Duration::from_secs(2),
            up_delay: Duration::from_secs(5),
            linkbeat: None,
        }
    }

    /// Down counts after 2 s, up after 5 s; the interface is up.
    fn tracker() -> LinkTracker {
        let mut tracker = LinkTracker::new(&tracker_config());
        assert_eq!(tracker.counted(), LinkState::Missing);
        tracker.handle_link(Time::from_secs(0), LinkState::Up);
        assert_eq!(actions(&mut tracker), [LinkState::Up]);
        tracker
    }

    fn actions(tracker: &mut LinkTracker) -> Vec<LinkState> {
        std::iter::from_fn(|| tracker.poll_action()).collect()
    }

    #[test]
    fn a_change_counts_when_it_has_lasted() {
        let mut link = tracker();
        link.handle_link(Time::from_secs(10), LinkState::Down);
        assert_eq!((link.poll_timeout(), actions(&mut link)), (Some(Time::from_secs(12)), vec![]));
        assert_eq!(link.counted(), LinkState::Up);
        // Said again, it does not begin anew.
        link.handle_link(Time::from_secs(11), LinkState::Down);
        link.handle_timeout(Time::from_secs(12));
        assert_eq!((link.poll_timeout(), actions(&mut link)), (None, vec![LinkState::Down]));
        link.handle_link(Time::from_secs(13), LinkState::Up);
        link.handle_timeout(Time::from_secs(17));
        assert_eq!(actions(&mut link), []);
        link.handle_timeout(Time::from_secs(18));
        assert_eq!(actions(&mut link), [LinkState::Up]);
    }

    #[test]
    fn a_short_change_counts_for_nothing() {
        let mut link = tracker();
        link.handle_link(Time::from_secs(10), LinkState::Down);
        link.handle_link(Time::from_secs(11), LinkState::Up);
        assert_eq!(link.poll_timeout(), None);
        link.handle_timeout(Time::from_secs(60));
        assert_eq!(actions(&mut link), []);
        // The next one has its whole time.
        link.handle_link(Time::from_secs(61), LinkState::Down);
        assert_eq!(link.poll_timeout(), Some(Time::from_secs(63)));
    }

    #[test]
    fn vanishing_and_appearing_count_at_once() {
        let mut link = tracker();
        link.handle_link(Time::from_secs(10), LinkState::Down);
        link.handle_link(Time::from_secs(11), LinkState::Missing);
        assert_eq!((link.poll_timeout(), actions(&mut link)), (None, vec![LinkState::Missing]));
        link.handle_link(Time::from_secs(12), LinkState::Down);
        link.handle_link(Time::from_secs(13), LinkState::Up);
        assert_eq!(actions(&mut link), [LinkState::Down, LinkState::Up]);
        link.handle_link(Time::from_secs(14), LinkState::Down);
        assert_eq!(link.poll_timeout(), Some(Time::from_secs(16)), "it is a cable again");
    }

    #[test]
    fn an_interface_that_is_down_at_first_has_its_delay() {
        let mut link = LinkTracker::new(&tracker_config());
        link.handle_link(Time::from_secs(0), LinkState::Down);
        link.handle_link(Time::from_secs(1), LinkState::Up);
        assert_eq!(
            (link.poll_timeout(), actions(&mut link)),
            (Some(Time::from_secs(6)), vec![LinkState::Down])
        );
    }

    #[test]
    fn without_delays_every_change_counts_once_and_at_once() {
        let mut link = LinkTracker::new(&Interface::new("eth0".into()));
        for state in [LinkState::Up, LinkState::Up, LinkState::Down, LinkState::Up] {
            link.handle_link(Time::from_secs(1), state);
        }
        assert_eq!(actions(&mut link), [LinkState::Up, LinkState::Down, LinkState::Up]);
        assert_eq!(link.poll_timeout(), None);
    }
}
