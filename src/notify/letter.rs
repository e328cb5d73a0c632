//! Which transitions are worth a mail, and what it says.

use std::{collections::HashMap, time::SystemTime};

use crate::registry::{State, Subject, Topology, Transition};

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// Number of the transition.
    pub(super) seq: u64,
    /// When it was, by the calendar.
    pub(super) at: SystemTime,
    /// Why it was.
    pub(super) reason: String,
    /// What is in the subject line.
    pub(super) subject: String,
    /// What is in the mail.
    pub(super) body: String,
}

#[cfg(test)]
impl Default for Letter {
    fn default() -> Self {
        let [reason, subject, body] = [const { String::new() }; 3];
        Self { seq: 0, at: SystemTime::UNIX_EPOCH, reason, subject, body }
    }
}

/// The state that was last mailed of each subject: nobody is mailed the same state twice.
#[derive(Debug, Default)]
pub(super) struct Mailed(HashMap<(bool, String), State>);

impl Mailed {
    /// The mail for a transition, if `smtp_alert` asks for one. Without `faults` (`no_email_faults`) there is none for
    /// FAULT; for STOP there never is.
    pub(super) fn letter(
        &mut self,
        topology: &Topology,
        transition: &Transition,
        faults: bool,
    ) -> Option<Letter> {
        let to = transition.change.to;
        let worth_it = match to {
            State::Master | State::Backup => true,
            State::Fault => faults,
            State::Init | State::Stop | State::Deleted | State::Up | State::Down => false,
        };
        if !transition.change.is_move() || !worth_it || !is_asked_for(topology, transition) {
            return None;
        }
        let (is_group, kind) = match &transition.subject {
            Subject::Instance { .. } => (false, "Instance"),
            Subject::Group { .. } => (true, "Group"),
            Subject::Service { .. } | Subject::Server { .. } | Subject::Configuration | Subject::Daemon => {
                return None;
            }
        };
        if self.0.insert((is_group, transition.subject.name().to_owned()), to) == Some(to) {
            return None;
        }
        let (router, name) = (&topology.global.router_id, transition.subject.name());
        Some(Letter {
            seq: transition.seq,
            at: transition.wall,
            reason: transition.change.reason.to_string(),
            subject: format!("[{router}] VRRP {kind} {name} - Entering {to} state"),
            body: match (is_group, to) {
                (true, _) => format!("=> All VRRP group instances are now in {to} state <="),
                (false, State::Master) => "=> VRRP Instance is now owning VRRP VIPs <=".to_owned(),
                (false, _) => "=> VRRP Instance is no longer owning VRRP VIPs <=".to_owned(),
            },
        })
    }
}

/// `smtp_alert`.
fn is_asked_for(topology: &Topology, transition: &Transition) -> bool {
    let instance = topology.instance_of(transition).map(|row| *row.config.settings.smtp_alert);
    let group = || topology.group_of(transition).map(|row| *row.config.settings.smtp_alert);
    instance.or_else(group).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config,
        registry::{Change, GroupRow, Reason, testing},
        units::{Priority, Time},
    };

    /// A router `lab` with one group, which asks for mails or does not.
    fn topology(asked: bool) -> Topology {
        let mut group = config::SyncGroup { name: "G".into(), ..config::SyncGroup::default() };
        group.settings.smtp_alert.replace(asked);
        let mut topology = testing::topology();
        topology.global.router_id = "lab".into();
        topology.groups = vec![Arc::new(GroupRow::new(1, group))];
        topology
    }

    fn move_to(from: State, to: State) -> Transition {
        Transition {
            seq: 7,
            at: Time::default(),
            wall: SystemTime::UNIX_EPOCH,
            subject: Subject::Group { index: 1, name: "G".into() },
            change: Change { from, to, reason: Reason::Started, priority: Priority(0) },
        }
    }

    /// The subjects of these moves.
    fn subjects(topology: &Topology, faults: bool, moves: &[(State, State)]) -> Vec<String> {
        let mut mailed = Mailed::default();
        let letters =
            moves.iter().filter_map(|(from, to)| mailed.letter(topology, &move_to(*from, *to), faults));
        letters.map(|letter| letter.subject).collect()
    }

    const COURSE: [(State, State); 6] = [
        (State::Init, State::Backup),
        (State::Backup, State::Master),
        (State::Master, State::Master),
        (State::Master, State::Fault),
        (State::Fault, State::Master),
        (State::Master, State::Stop),
    ];

    #[test]
    fn a_change_of_state_is_mailed_with_the_routers_name_and_a_stop_is_not() {
        let subject = |state| format!("[lab] VRRP Group G - Entering {state} state");
        let expected = ["BACKUP", "MASTER", "FAULT", "MASTER"].map(subject);
        assert_eq!(subjects(&topology(true), true, &COURSE), expected);
        assert!(subjects(&topology(false), true, &COURSE).is_empty());
    }

    #[test]
    fn without_faults_the_state_after_one_is_mailed_only_if_it_is_another_than_before() {
        let subject = |state| format!("[lab] VRRP Group G - Entering {state} state");
        assert_eq!(subjects(&topology(true), false, &COURSE), ["BACKUP", "MASTER"].map(subject));
    }

    #[test]
    fn a_mail_says_what_keepaliveds_says_and_why() {
        let letter = Mailed::default().letter(&topology(true), &move_to(State::Backup, State::Master), true);
        let letter = letter.unwrap();
        assert_eq!(letter.body, "=> All VRRP group instances are now in MASTER state <=");
        assert_eq!((letter.seq, letter.reason.as_str()), (7, "start"));
    }
}
