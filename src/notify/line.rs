//! The lines of FIFOs.

use super::pools;
use crate::registry::{FifoScope, InstanceRow, Reason, State, Subject, Topology, Transition};

/// The line for a transition, with its end; nothing for an event that FIFOs are not told of.
pub(super) fn line(topology: &Topology, scope: FifoScope, transition: &Transition) -> Option<String> {
    let of_pool = pools::is_of_pool(&transition.subject);
    match scope {
        FifoScope::Vrrp if of_pool => return None,
        FifoScope::Checks if !of_pool => return None,
        _ if of_pool => return pools::line(topology, transition),
        _ => {}
    }
    let change = &transition.change;
    let state = match change.reason {
        _ if change.is_move() => change.to.word(),
        Reason::Priority { .. } if tells_priority(topology, transition) => match change.to {
            State::Master => "MASTER_PRIORITY",
            _ => "BACKUP_PRIORITY",
        },
        _ => return None,
    };
    Some(format!(
        "{} \"{}\" {state} {}\n",
        kind(&transition.subject),
        transition.subject.name(),
        change.priority
    ))
}

/// The line for a MASTER that hears a router with a lower claim.
pub(super) fn lower_priority(row: &InstanceRow) -> String {
    let priority = row.status().effective_priority.unwrap_or(row.config.priority);
    format!("INSTANCE \"{}\" MASTER_RX_LOWER_PRI {priority}\n", row.config.name)
}

/// What a subject is called in lines and in arguments of scripts.
pub(super) const fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Instance { .. } => "INSTANCE",
        Subject::Group { .. } => "GROUP",
        // No line and no script is about it.
        Subject::Configuration => "CONFIGURATION",
        Subject::Service { .. } => "VS",
        Subject::Server { .. } => "RS",
        Subject::Daemon => "DAEMON",
    }
}

/// `notify_priority_changes`.
fn tells_priority(topology: &Topology, transition: &Transition) -> bool {
    topology.instance_of(transition).is_some_and(|row| *row.config.settings.notify_priority_changes)
}

/// The lines after a reload (`fifo_write_vrrp_states_on_reload`): the state of every group, and of every instance that is
/// BACKUP or in FAULT; none for a MASTER, as with keepalived. What has changed since has a line of its own.
pub(super) fn states(topology: &Topology, reload: &Transition) -> Vec<String> {
    let groups = topology.groups.iter().filter(|row| row.status().since < reload.at);
    let groups = groups.map(|row| (row.config.name.as_str(), row.status().state));
    let groups = groups.map(|(name, state)| format!("GROUP \"{name}\" {state} 0\n"));
    let instances = topology.instances.iter().filter_map(|row| {
        let status = row.status();
        let (name, priority) = (&row.config.name, status.effective_priority.unwrap_or(row.config.priority));
        let is_told = matches!(status.state, State::Backup | State::Fault) && status.since < reload.at;
        is_told.then(|| format!("INSTANCE \"{name}\" {} {priority}\n", status.state))
    });
    groups.chain(instances).collect()
}

/// The instance of this name.
pub(super) fn instance<'a>(topology: &'a Topology, name: &str) -> Option<&'a InstanceRow> {
    topology.instances.iter().find(|row| row.config.name == name).map(AsRef::as_ref)
}
