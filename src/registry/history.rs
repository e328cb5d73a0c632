//! What an instance has been through, beside what is true of it now: the RFC's MIBs ask for it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::{
    registry::{InstanceStatus, Reason, State},
    units::Time,
};

/// Why an instance became MASTER the last time, in the words of RFC 6527 (vrrpv3StatisticsNewMasterReason).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mastered {
    /// It never did.
    #[default]
    Never,
    /// By its priority: it owns the addresses, or the master before gave way with priority 0.
    Priority,
    /// The master before had a lower priority.
    Preempted,
    /// No master was heard.
    NoResponse,
}

impl Mastered {
    const ALL: [Self; 4] = [Self::Never, Self::Priority, Self::Preempted, Self::NoResponse];

    fn by(reason: &Reason) -> Self {
        match reason {
            Reason::AddressOwner | Reason::Resumed | Reason::MasterReleased { .. } => Self::Priority,
            Reason::Preempted { .. } => Self::Preempted,
            Reason::Member { reason, .. } => Self::by(reason),
            _ => Self::NoResponse,
        }
    }

    /// The number in the MIB.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// Written with every status, read by anyone.
#[derive(Debug, Default)]
pub(super) struct History {
    mastered: AtomicU8,
    /// Microseconds, plus one; 0 while it takes no part.
    taking_part: AtomicU64,
}

impl History {
    /// Notes what is true from now on.
    pub(super) fn note(&self, before: &InstanceStatus, now: &InstanceStatus) {
        if now.state == State::Master && before.state != State::Master {
            let mastered = now.reason.as_ref().map_or(Mastered::NoResponse, Mastered::by);
            self.mastered.store(mastered.number(), Ordering::Relaxed);
        }
        let takes_part = |state| matches!(state, State::Backup | State::Master);
        if takes_part(now.state) != takes_part(before.state) {
            let since = u64::try_from(now.since.0.as_micros()).unwrap_or(u64::MAX - 1) + 1;
            self.taking_part.store(if takes_part(now.state) { since } else { 0 }, Ordering::Relaxed);
        }
    }

    pub(super) fn mastered(&self) -> Mastered {
        Mastered::ALL.get(usize::from(self.mastered.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    pub(super) fn takes_part_since(&self) -> Option<Time> {
        let since = self.taking_part.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Time(std::time::Duration::from_micros(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: State, seconds: u64, reason: Reason) -> InstanceStatus {
        InstanceStatus { state, since: Time::from_secs(seconds), reason: Some(reason), ..Default::default() }
    }

    #[test]
    fn taking_part_begins_with_backup_and_goes_on_through_mastership() {
        let history = History::default();
        let story = [
            (status(State::Init, 0, Reason::Started), None),
            (status(State::Backup, 1, Reason::Started), Some(1)),
            (status(State::Master, 4, Reason::NoMaster), Some(1)),
            (status(State::Fault, 6, Reason::NoPeers), None),
            (status(State::Backup, 9, Reason::Recovered), Some(9)),
        ];
        let mut before = InstanceStatus::default();
        for (now, since) in story {
            history.note(&before, &now);
            assert_eq!(history.takes_part_since(), since.map(Time::from_secs), "{now:?}");
            before = now;
        }
        assert_eq!(history.mastered(), Mastered::NoResponse, "also when it is master no more");
    }

    #[test]
    fn the_reason_of_a_sync_group_s_member_is_that_of_the_one_that_moved() {
        let reason = Reason::Member { member: "VI".into(), reason: Box::new(Reason::AddressOwner) };
        let history = History::default();
        history.note(&InstanceStatus::default(), &status(State::Master, 1, reason));
        assert_eq!(history.mastered(), Mastered::Priority);
    }
}
