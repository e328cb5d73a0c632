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

/// A point in time that is read without a lock, or none.
#[derive(Debug, Default)]
struct Moment(
    /// Microseconds, plus one; 0 for none.
    AtomicU64,
);

impl Moment {
    fn set(&self, at: Option<Time>) {
        let micros = |at: Time| u64::try_from(at.0.as_micros()).unwrap_or(u64::MAX - 1) + 1;
        self.0.store(at.map_or(0, micros), Ordering::Relaxed);
    }

    fn get(&self) -> Option<Time> {
        let micros = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Time(std::time::Duration::from_micros(micros)))
    }
}

/// Written with every status, read by anyone.
#[derive(Debug, Default)]
pub(super) struct History {
    mastered: AtomicU8,
    /// Since when it takes part.
    taking_part: Moment,
    /// When an advertisement was believed last.
    heard: Moment,
    /// When something is due.
    due: Moment,
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
            self.taking_part.set(takes_part(now.state).then_some(now.since));
        }
    }

    pub(super) fn mastered(&self) -> Mastered {
        Mastered::ALL.get(usize::from(self.mastered.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    pub(super) fn takes_part_since(&self) -> Option<Time> {
        self.taking_part.get()
    }

    pub(super) fn note_heard(&self, now: Time) {
        self.heard.set(Some(now));
    }

    pub(super) fn heard_at(&self) -> Option<Time> {
        self.heard.get()
    }

    pub(super) fn note_due(&self, at: Option<Time>) {
        self.due.set(at);
    }

    pub(super) fn due_at(&self) -> Option<Time> {
        self.due.get()
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
