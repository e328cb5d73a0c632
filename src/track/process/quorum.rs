//! Whether there are as many processes as there should be, after the delays.

use std::time::Duration;

use crate::{config::tracking::Process, units::Time};

/// The count of one `vrrp_track_process` against its quorum.
#[derive(Debug)]
pub(super) struct Quorum {
    least: u32,
    most: Option<u32>,
    fork_delay: Duration,
    terminate_delay: Duration,
    pub(super) count: u32,
    /// What everybody was told; nothing before the first count.
    pub(super) healthy: Option<bool>,
    /// When what is true now will count.
    pub(super) due: Option<Time>,
}

impl Quorum {
    pub(super) fn new(process: &Process) -> Self {
        Self {
            least: process.quorum,
            most: process.quorum_max,
            fork_delay: process.fork_delay,
            terminate_delay: process.terminate_delay,
            count: 0,
            healthy: None,
            due: None,
        }
    }

    /// Looks at the count. The first look decides at once, later changes when they have lasted. Returns whether what
    /// counts has changed.
    pub(super) fn look(&mut self, now: Time) -> bool {
        let healthy = self.count >= self.least && self.most.is_none_or(|most| self.count <= most);
        match self.healthy {
            Some(before) if before == healthy => {
                self.due = None;
                return false;
            }
            Some(_) => {
                let delay = if healthy { self.fork_delay } else { self.terminate_delay };
                let due = *self.due.get_or_insert(now + delay);
                if due > now {
                    return false;
                }
            }
            None => {}
        }
        self.due = None;
        self.healthy = Some(healthy);
        true
    }

    /// What is there and what should be, in words.
    pub(super) fn words(&self) -> String {
        let Self { count, least, most, .. } = self;
        match most {
            Some(0) => format!("has {count} running, should have none"),
            Some(most) if most == least => format!("has {count} running, should have exactly {least}"),
            Some(most) => format!("has {count} running, should have {least} to {most}"),
            None => format!("has {count} running, should have {least} or more"),
        }
    }
}
