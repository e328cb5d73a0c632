//! Which programs a transition calls for, and with which arguments.

use super::line::kind;
use crate::{
    config::{Notify, NotifyScript},
    registry::{Reason, State, Topology, Transition},
};

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) script: &'a NotifyScript,
    /// What is appended to the script's own arguments.
    pub(super) extra: Vec<String>,
}

/// The programs that `transition` calls for, in the order in which they are started.
pub(super) fn commands<'a>(topology: &'a Topology, transition: &Transition) -> Vec<Command<'a>> {
    if let Some(row) = topology.instance_of(transition) {
        let deleted = row.config.settings.notify_deleted.as_ref();
        let deleted = deleted.and_then(|notice| notice.script());
        return of_change(&row.config.notify, deleted, transition);
    }
    let group = topology.group_of(transition);
    group.map_or_else(Vec::new, |row| of_change(&row.config.notify, None, transition))
}

/// The same for who has these programs, and that one for being `deleted`.
fn of_change<'a>(
    notify: &'a Notify,
    deleted: Option<&'a NotifyScript>,
    transition: &Transition,
) -> Vec<Command<'a>> {
    let change = &transition.change;
    if !change.is_move() {
        return Vec::new();
    }
    let to = change.to;
    let particular = match to {
        State::Master => notify.master.as_ref(),
        State::Backup => notify.backup.as_ref(),
        // Who is deleted without a word for it is said to be in FAULT, but `notify_fault` is not run.
        State::Fault if change.reason == Reason::Deleted => None,
        State::Fault => notify.fault.as_ref(),
        State::Stop => notify.stop.as_ref(),
        State::Deleted => deleted,
        State::Init | State::Up | State::Down => None,
    };
    let mut commands = Vec::new();
    if let Some(script) = particular {
        commands.push(Command { script, extra: Vec::new() });
    }
    if let Some(script) = &notify.all {
        let words =
            [kind(&transition.subject), transition.subject.name(), to.word(), &change.priority.to_string()];
        let extra = words.map(str::to_owned).to_vec();
        commands.push(Command { script, extra });
    }
    commands
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        registry::{Change, Subject},
        units::{Priority, Time},
    };

    fn script(program: &str) -> Option<NotifyScript> {
        Some(NotifyScript {
            argv: vec![program.into()],
            path: program.into(),
            shown: format!("'{program}'"),
            user: None,
        })
    }

    #[test]
    fn the_states_own_script_comes_first_and_notify_gets_four_arguments() {
        let notify = Notify {
            master: script("/m"),
            backup: script("/b"),
            fault: None,
            stop: script("/s"),
            all: script("/all"),
        };
        let transition = |to| Transition {
            seq: 1,
            at: Time::default(),
            wall: SystemTime::UNIX_EPOCH,
            subject: Subject::Instance { index: 1, name: "VI_1".into() },
            change: Change { from: State::Init, to, reason: Reason::Started, priority: Priority(150) },
        };
        let started = |to| {
            let transition = transition(to);
            let line =
                |command: Command<'_>| format!("{} {}", command.script.argv[0], command.extra.join(" "));
            of_change(&notify, None, &transition).into_iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(started(State::Master), ["/m ", "/all INSTANCE VI_1 MASTER 150"]);
        assert_eq!(started(State::Fault), ["/all INSTANCE VI_1 FAULT 150"]);
        assert_eq!(started(State::Stop), ["/s ", "/all INSTANCE VI_1 STOP 150"]);
        assert_eq!(started(State::Deleted), ["/all INSTANCE VI_1 DELETED 150"]);
    }

    #[test]
    fn being_deleted_has_a_program_of_its_own_or_else_is_a_fault_without_one() {
        let notify = Notify { fault: script("/f"), all: script("/all"), ..Notify::default() };
        let own = script("/d");
        let deleted = |to| Transition {
            seq: 1,
            at: Time::default(),
            wall: SystemTime::UNIX_EPOCH,
            subject: Subject::Instance { index: 1, name: "VI".into() },
            change: Change { from: State::Master, to, reason: Reason::Deleted, priority: Priority(150) },
        };
        let started = |to| {
            let transition = deleted(to);
            let commands = of_change(&notify, own.as_ref(), &transition);
            commands.iter().map(|command| command.script.argv[0].clone()).collect::<Vec<_>>()
        };
        assert_eq!(started(State::Deleted), ["/d", "/all"]);
        assert_eq!(started(State::Fault), ["/all"]);
    }

    #[test]
    fn a_group_is_called_one_and_an_event_without_a_move_starts_nothing() {
        let notify = Notify { all: script("/all"), ..Notify::default() };
        let transition = |from| Transition {
            seq: 1,
            at: Time::default(),
            wall: SystemTime::UNIX_EPOCH,
            subject: Subject::Group { index: 1, name: "G".into() },
            change: Change { from, to: State::Master, reason: Reason::Started, priority: Priority(0) },
        };
        let moved = transition(State::Backup);
        assert_eq!(of_change(&notify, None, &moved)[0].extra, ["GROUP", "G", "MASTER", "0"]);
        assert_eq!(of_change(&notify, None, &transition(State::Master)), []);
    }
}
