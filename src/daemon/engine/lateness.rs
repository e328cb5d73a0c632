//! The lane's own lag: how late it is with what is due, which readers see in the registry and the log is told when it is
//! too much (RFC 9568 §2.5 (2.5-1)).

use std::time::Duration;

use tracing::warn;

use super::Engine;
use crate::{kernel::clock, registry::Topology, units::Time};

/// Lines about it.
const PACE: Duration = Duration::from_secs(60);
/// No more is expected of a machine that others keep busy, however short the intervals.
const LEAST_BOUND: Duration = Duration::from_millis(20);
/// More is worth a line, however long the intervals.
const GREATEST_BOUND: Duration = Duration::from_millis(500);

/// What has been said of the lag.
#[derive(Debug)]
pub(super) struct Watch {
    /// Who is later than this may lose a mastership next time: half of the shortest interval.
    bound: Duration,
    said: Option<Time>,
    /// How often it was beyond the bound since, and the worst of it.
    exceeded: u64,
    worst: Duration,
}

impl Watch {
    /// By the intervals of a configuration.
    pub(super) fn new(topology: &Topology) -> Self {
        Self { bound: bound(topology), said: None, exceeded: 0, worst: Duration::ZERO }
    }

    /// After a reload: by the intervals of another configuration.
    pub(super) fn follow(&mut self, topology: &Topology) {
        self.bound = bound(topology);
    }

    /// Takes note of a lag, and returns what is to be said of it, if anything is.
    fn note(&mut self, late: Duration, now: Time) -> Option<String> {
        if late <= self.bound {
            return None;
        }
        self.exceeded += 1;
        self.worst = self.worst.max(late);
        if self.said.is_some_and(|said| now.since(said) < PACE) {
            return None;
        }
        self.said = Some(now);
        let milliseconds = |late: Duration| late.as_secs_f64() * 1e3;
        let text = format!(
            "the vrrp lane was {:.1} ms late with what was due; beyond {:.1} ms {} times since this was last said, at worst \
             {:.1} ms: the machine kept it from running (vrrp_rt_priority helps)",
            milliseconds(late),
            milliseconds(self.bound),
            self.exceeded,
            milliseconds(self.worst),
        );
        (self.exceeded, self.worst) = (0, Duration::ZERO);
        Some(text)
    }
}

fn bound(topology: &Topology) -> Duration {
    let intervals = topology.instances.iter().map(|row| row.config.advert_interval);
    let shortest = intervals.min().unwrap_or(GREATEST_BOUND);
    (shortest / 2).clamp(LEAST_BOUND, GREATEST_BOUND)
}

impl Engine {
    /// Something was due then, and has been done now.
    pub(super) fn note_lag(&mut self, due: Time) {
        let now = clock::now();
        let late = now.since(due);
        self.registry.lag.note(late, now);
        if let Some(text) = self.lateness.note(late, now) {
            warn!("{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_lag_is_said_once_a_minute_with_how_often_and_how_much() {
        let bound = Duration::from_millis(50);
        let mut watch = Watch { bound, said: None, exceeded: 0, worst: Duration::ZERO };
        let mut at = |second, late| watch.note(Duration::from_millis(late), Time::from_secs(second));
        assert_eq!(at(1, 50), None);
        let first = at(2, 51).unwrap();
        assert!(first.contains("51.0 ms late") && first.contains("beyond 50.0 ms 1 times"), "{first}");
        assert_eq!(at(3, 900), None);
        assert_eq!(at(61, 60), None);
        assert_eq!(at(62, 10), None);
        let second = at(63, 70).unwrap();
        assert!(second.contains("70.0 ms late") && second.contains(" 3 times"), "{second}");
        assert!(second.contains("at worst 900.0 ms"), "{second}");
    }

    #[test]
    fn what_can_cost_no_mastership_is_not_said() {
        let (bound, worst) = (Duration::from_millis(50), Duration::ZERO);
        let mut watch = Watch { bound, said: None, exceeded: 0, worst };
        for second in 1..1000 {
            assert_eq!(watch.note(bound, Time::from_secs(second)), None);
        }
        assert_eq!((watch.exceeded, watch.worst), (0, Duration::ZERO));
    }
}
