//! Virtual servers and their real servers: which script a transition starts, and which line FIFOs get.

use crate::{
    config::NotifyScript,
    registry::{Reason, State, Subject, Topology, Transition, VirtualServerRow},
};

/// Whether it is a transition of a virtual server or a real server.
pub(super) const fn is_of_pool(subject: &Subject) -> bool {
    matches!(subject, Subject::Service { .. } | Subject::Server { .. })
}

/// `notify_up`, `notify_down`, `quorum_up` or `quorum_down`, where the transition calls for one.
pub(super) fn script<'a>(topology: &'a Topology, transition: &Transition) -> Option<&'a NotifyScript> {
    let (row, place) = told(topology, transition)?;
    let config = &row.config;
    let up = transition.change.to == State::Up;
    let line = match place.map(|place| config.real_server.get(place)) {
        None if up => &config.quorum_up,
        None => &config.quorum_down,
        Some(server) if up => &server?.notify_up,
        Some(server) => &server?.notify_down,
    };
    line.as_deref()?.script.as_deref()
}

/// The line for a transition, with its end.
pub(super) fn line(topology: &Topology, transition: &Transition) -> Option<String> {
    told(topology, transition)?;
    let state = transition.change.to.word();
    match &transition.subject {
        Subject::Service { name, .. } => Some(format!("VS {name} {state}\n")),
        Subject::Server { name, of, .. } => Some(format!("RS {name} {of} {state}\n")),
        Subject::Instance { .. } | Subject::Group { .. } | Subject::Configuration | Subject::Daemon => None,
    }
}

/// The row of the virtual server and the place of the real server, where scripts and FIFOs are told of the transition: of the end only with `omega`.
fn told<'a>(
    topology: &'a Topology,
    transition: &Transition,
) -> Option<(&'a VirtualServerRow, Option<usize>)> {
    let (row, place) = topology.service_of(transition)?;
    let at_the_end = transition.change.reason == Reason::Shutdown;
    (transition.change.is_move() && (row.config.omega || !at_the_end)).then_some((&**row, place))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        registry::Change,
        units::{Priority, Time},
    };

    fn topology(omega: &str) -> Topology {
        let text = format!(
            "virtual_server 10.0.0.1 80 {{\n protocol TCP\n {omega}\n quorum_down /bin/qd\n quorum_up /bin/qu\n \
             real_server 10.0.0.2 80 {{\n notify_down /bin/rd\n }}\n}}\n"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        Topology::new(config.unwrap_or_else(|| panic!("{}", report.render())), String::new(), Vec::new())
    }

    fn transition(subject: Subject, to: State, reason: Reason) -> Transition {
        let change = Change { from: State::Init, to, reason, priority: Priority(0) };
        Transition { seq: 1, at: Time::default(), wall: SystemTime::UNIX_EPOCH, subject, change }
    }

    #[test]
    fn lines_are_keepaliveds_and_the_end_is_told_only_with_omega() {
        let server = || Subject::Server {
            service: 1,
            place: 0,
            name: "[10.0.0.2]:tcp:80".into(),
            of: "[10.0.0.1]:tcp:80".into(),
        };
        let service = || Subject::Service { index: 1, name: "[10.0.0.1]:tcp:80".into() };
        let (plain, omega) = (topology(""), topology("omega"));
        let checked = || Reason::Checked { check: "TCP_CHECK".into(), detail: String::new() };
        let down = transition(server(), State::Down, checked());
        assert_eq!(line(&plain, &down).unwrap(), "RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN\n");
        let up = transition(service(), State::Up, Reason::Started);
        assert_eq!(line(&plain, &up).unwrap(), "VS [10.0.0.1]:tcp:80 UP\n");
        let end = transition(service(), State::Down, Reason::Shutdown);
        assert_eq!(line(&plain, &end), None);
        assert_eq!(line(&omega, &end).unwrap(), "VS [10.0.0.1]:tcp:80 DOWN\n");
    }
}
