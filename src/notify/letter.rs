//! Which transitions are worth a mail, and what it says.

use std::{collections::HashMap, time::SystemTime};

use crate::registry::{Change, Reason, State, Subject, Topology, Transition};

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
pub(super) struct Mailed(HashMap<(&'static str, String), State>);

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
            State::Master | State::Backup | State::Up | State::Down => true,
            State::Fault => faults,
            State::Init | State::Stop | State::Deleted => false,
        };
        if !transition.change.is_move() || !worth_it || !is_asked_for(topology, transition) {
            return None;
        }
        let (kind, name) = match &transition.subject {
            Subject::Instance { name, .. } => ("VRRP Instance", name.clone()),
            Subject::Group { name, .. } => ("VRRP Group", name.clone()),
            Subject::Service { name, .. } => ("Virtualserver", name.clone()),
            Subject::Server { name, of, .. } => ("Realserver", format!("{name} of virtual server {of}")),
            Subject::Configuration | Subject::Daemon => return None,
        };
        let router = &topology.global.router_id;
        let subject = match to {
            State::Up | State::Down => format!("[{router}] {kind} {name} - {to}"),
            _ => format!("[{router}] {kind} {name} - Entering {to} state"),
        };
        if self.0.insert((kind, name), to) == Some(to) {
            return None;
        }
        Some(Letter {
            seq: transition.seq,
            at: transition.wall,
            reason: transition.change.reason.to_string(),
            subject,
            body: body(transition),
        })
    }
}

/// What a mail says, in keepalived's words.
fn body(transition: &Transition) -> String {
    let Change { to, reason, .. } = &transition.change;
    match (&transition.subject, reason) {
        (Subject::Service { .. } | Subject::Server { .. }, Reason::Shutdown) => "=> Shutting down <=".into(),
        (Subject::Server { .. }, Reason::Checked { check, .. }) => {
            let check = match check.as_str() {
                "HTTP_GET" | "SSL_GET" | "SMTP_CHECK" => "CHECK",
                "PING_CHECK" => "ICMP CHECK",
                other => &other.replace('_', " "),
            };
            let how = if *to == State::Up { "succeed" } else { "failed" };
            format!("=> {check} {how} on service <=")
        }
        (Subject::Service { .. } | Subject::Server { .. }, reason) => format!("=> {reason} <="),
        (Subject::Group { .. }, _) => format!("=> All VRRP group instances are now in {to} state <="),
        _ if *to == State::Master => "=> VRRP Instance is now owning VRRP VIPs <=".to_owned(),
        _ => "=> VRRP Instance is no longer owning VRRP VIPs <=".to_owned(),
    }
}

/// `smtp_alert`.
fn is_asked_for(topology: &Topology, transition: &Transition) -> bool {
    let asked = match &transition.subject {
        Subject::Instance { .. } => {
            topology.instance_of(transition).map(|row| *row.config.settings.smtp_alert)
        }
        Subject::Group { .. } => topology.group_of(transition).map(|row| *row.config.settings.smtp_alert),
        Subject::Service { .. } | Subject::Server { .. } => {
            topology.service_of(transition).map(|(row, server)| match server {
                Some(place) => *row.config.real_server[place].smtp_alert,
                None => *row.config.smtp_alert,
            })
        }
        Subject::Configuration | Subject::Daemon => None,
    };
    asked.unwrap_or(false)
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

    /// A virtual server with one real server, both with mails or not.
    fn services(asked: &str) -> Topology {
        let text = format!(
            "virtual_server 10.0.0.1 80 {{\n protocol TCP\n smtp_alert {asked}\n real_server 10.0.0.2 80 {{\n \
             smtp_alert {asked}\n }}\n}}\n"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) =
            config::load_with(file.path(), &config::Options::default(), &config::Elsewhere);
        let mut config = config.unwrap_or_else(|| panic!("{}", report.render()));
        config.global.router_id = "lab".into();
        Topology::new(config, String::new(), Vec::new())
    }

    #[test]
    fn servers_and_services_are_mailed_with_their_names() {
        let server = || Subject::Server {
            service: 1,
            place: 0,
            name: "[10.0.0.2]:tcp:80".into(),
            of: "[10.0.0.1]:tcp:80".into(),
        };
        let service = || Subject::Service { index: 1, name: "[10.0.0.1]:tcp:80".into() };
        let checked = || Reason::Checked { check: "TCP_CHECK".into(), detail: "refused".into() };
        let quorum = || Reason::Quorum { needed: 1, weight: 0 };
        let course = [
            (
                server(),
                State::Down,
                checked(),
                "Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN",
            ),
            (service(), State::Down, quorum(), "Virtualserver [10.0.0.1]:tcp:80 - DOWN"),
            (
                server(),
                State::Up,
                checked(),
                "Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - UP",
            ),
        ];
        let (asked, silent) = (services("on"), services("off"));
        let mut mailed = Mailed::default();
        for (subject, to, reason, expected) in course {
            let transition = Transition {
                subject,
                change: Change { from: State::Init, to, reason, priority: Priority(0) },
                ..move_to(State::Init, to)
            };
            assert_eq!(Mailed::default().letter(&silent, &transition, true), None);
            let letter = mailed.letter(&asked, &transition, true).unwrap();
            assert_eq!(letter.subject, format!("[lab] {expected}"));
            let is_server = letter.subject.contains("Realserver");
            assert_eq!(letter.body.starts_with("=> TCP CHECK "), is_server, "{}", letter.body);
        }
    }

    #[test]
    fn a_mail_says_what_keepaliveds_says_and_why() {
        let letter = Mailed::default().letter(&topology(true), &move_to(State::Backup, State::Master), true);
        let letter = letter.unwrap();
        assert_eq!(letter.body, "=> All VRRP group instances are now in MASTER state <=");
        assert_eq!((letter.seq, letter.reason.as_str()), (7, "start"));
    }
}
