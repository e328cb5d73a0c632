//! Checks that ask nobody: they follow a tracked file or a BFD session, which others look at.

use std::sync::Arc;

use super::{checker::Of, served::Served};
use crate::{
    check::{Kind, Outcome, of_number},
    config::settings::{Check, Weight},
    registry::{FileRow, SessionRow, Topology},
};

/// A check that follows something.
pub(super) struct Follower {
    pub(super) of: Of,
    pub(super) kind: Kind,
    subject: Subject,
    /// What was last made of it.
    before: Option<Outcome>,
}

enum Subject {
    File { row: Arc<FileRow>, weight: Weight },
    Session(Arc<SessionRow>),
}

/// Those of these virtual servers; what they follow has a row in that topology.
pub(super) fn all(services: &[Served], topology: &Topology) -> Vec<Follower> {
    let follower = |of: Of| {
        let config = &of.server(services).checks[of.check];
        let subject = Subject::of(config, topology)?;
        Some(Follower { of, kind: Kind::of(config), subject, before: None })
    };
    Of::all(services).into_iter().filter_map(follower).collect()
}

/// Whether a file that one of the checks of a topology follows has not been read yet.
pub(super) fn are_unread(topology: &Topology) -> bool {
    let servers = topology.virtual_servers.iter().flat_map(|row| &row.config.real_server);
    let mut checks = servers.flat_map(|server| &server.checks);
    checks.any(|check| Subject::of(check, topology).is_some_and(|subject| subject.is_unread()))
}

impl Subject {
    /// What a check follows; `None` for one that asks, or that follows what there is not.
    fn of(check: &Check, topology: &Topology) -> Option<Self> {
        match check {
            Check::File(check) => {
                let name = check.track_file.as_deref()?;
                let row = topology.files.iter().find(|row| row.config.name == name)?;
                // It has that of the file unless it says otherwise.
                let weight = check.weight.unwrap_or_default();
                Some(Self::File { row: Arc::clone(row), weight })
            }
            Check::Bfd(check) => {
                let name = check.name.as_deref()?;
                topology.sessions.iter().find(|row| *row.config.name == *name).cloned().map(Self::Session)
            }
            _ => None,
        }
    }

    /// Whether nobody has looked at the file yet.
    fn is_unread(&self) -> bool {
        matches!(self, Self::File { row, .. } if row.status().at.is_none())
    }
}

impl Follower {
    /// What is to be made of it now, if that is another thing than before.
    pub(super) fn poll(&mut self) -> Option<Outcome> {
        let outcome = match &self.subject {
            Subject::File { row, weight } => of_number(row.status().number, *weight)?,
            Subject::Session(row) => {
                let status = row.status();
                // Nobody runs it: it is waited for.
                status.state?;
                if status.is_up { Outcome::Passed { adds: 0 } } else { Outcome::Failed("it is down".into()) }
            }
        };
        if self.before.as_ref() == Some(&outcome) {
            return None;
        }
        self.before = Some(outcome.clone());
        Some(outcome)
    }

    /// What is said of that, as keepalived says it; `server` is its name there.
    pub(super) fn line(&self, server: &str, well: bool) -> String {
        match &self.subject {
            Subject::File { row, .. } => {
                let how = if well { "leaving" } else { "now" };
                format!("({server}): tracked file {} {how} FAULT state", row.config.name)
            }
            Subject::Session(row) => {
                let how = if well { "UP" } else { "DOWN" };
                format!("BFD check of [{}] RS({server}) is {how}", row.config.name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        registry::{FileStatus, SessionState, SessionStatus},
        units::Time,
    };

    const CONFIG: &str = "track_file f {\n file /run/f\n weight 2\n}\nbfd_instance b {\n neighbor_ip 10.0.0.9\n source_ip 10.0.0.8\n}\n\
        virtual_server 10.0.0.1 80 {\n protocol TCP\n real_server 10.0.0.2 80 {\n FILE_CHECK {\n track_file f\n }\n }\n \
        real_server 10.0.0.3 80 {\n FILE_CHECK {\n track_file f\n weight 0 reverse\n }\n }\n \
        real_server 10.0.0.4 80 {\n BFD_CHECK {\n name b\n }\n }\n}\n";

    fn topology() -> Topology {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), CONFIG).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        Topology::new(config.unwrap_or_else(|| panic!("{}", report.render())), String::new(), Vec::new())
    }

    #[test]
    fn a_number_is_judged_by_each_check_and_said_once() {
        let topology = topology();
        let services: Vec<_> =
            topology.virtual_servers.iter().map(|row| Served::new(&topology, row)).collect();
        let mut all = all(&services, &topology);
        assert!(are_unread(&topology));
        assert!(!all[2].subject.is_unread(), "only files are read");
        let status = |number| FileStatus { number, problem: None, at: Some(Time::default()) };
        topology.files[0].set_status(status(0));
        assert!(!are_unread(&topology));
        assert_eq!(all[0].poll(), Some(Outcome::Passed { adds: 0 }));
        assert_eq!(all[0].poll(), None);
        assert!(matches!(all[1].poll(), Some(Outcome::Failed(_))), "reverse, also at the start");
        topology.files[0].set_status(status(7));
        assert_eq!(all[0].poll(), Some(Outcome::Passed { adds: 14 }));
        assert_eq!(all[1].poll(), Some(Outcome::Passed { adds: 0 }));
        assert_eq!(all[1].line("it", false), "(it): tracked file f now FAULT state");
    }

    #[test]
    fn a_session_that_nobody_runs_says_nothing() {
        let topology = topology();
        let services: Vec<_> =
            topology.virtual_servers.iter().map(|row| Served::new(&topology, row)).collect();
        let mut follower = all(&services, &topology).pop().unwrap();
        assert_eq!(follower.poll(), None);
        let is = |is_up| SessionStatus { state: Some(SessionState::Up), is_up, since: None };
        topology.sessions[0].set_status(is(true));
        assert_eq!(follower.poll(), Some(Outcome::Passed { adds: 0 }));
        topology.sessions[0].set_status(is(false));
        assert!(matches!(follower.poll(), Some(Outcome::Failed(_))));
    }
}
