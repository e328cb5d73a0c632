//! The cause, in one sentence.

use super::{Case, span};
use crate::{
    control::view::tracker,
    registry::{Contest, Intervention, Peer, Reason, ScriptResult, State},
};

impl Case<'_> {
    pub(super) fn cause(&self) -> String {
        let name = self.name();
        match self.status.state {
            State::Master => self.cause_of_master(),
            State::Backup => format!("{name} is BACKUP: {}.", self.cause_of_backup()),
            State::Fault if self.is_waiting() => {
                format!("{name} has not begun: it waits for {}.", self.awaited())
            }
            State::Fault => format!("{name} is in FAULT: {}.", self.cause_of_fault()),
            State::Init => format!("{name} has not begun: the daemon is starting."),
            // The last two are states of servers.
            State::Stop | State::Deleted | State::Up | State::Down => format!("{name} has ended."),
        }
    }

    fn cause_of_master(&self) -> String {
        let name = self.name();
        if let Some(Contest { rival: Peer { address, priority }, since, .. }) = self.status.contest {
            return format!(
                "{name} is MASTER, but so is {address} (priority {priority}), for {}: it does not hear us, or does not give \
                 way.",
                span(self.moment.now.since(since))
            );
        }
        if !self.status.addresses_set {
            return format!("{name} is MASTER, but not all of its addresses are on this host.");
        }
        let because = self.status.reason.as_ref().map_or_else(|| "nobody else is".into(), mastered);
        format!("{name} is MASTER: {because}.")
    }

    fn cause_of_backup(&self) -> String {
        if let Some(standing) = self.intervention(Intervention::Maintenance) {
            let since = self.moment.now.since(standing.since);
            return format!("{} has put this daemon into maintenance {} ago", standing.by, span(since));
        }
        if let Some(standing) = self.intervention(Intervention::StepDown) {
            let left = standing.until.map(|until| until.since(self.moment.now));
            let left = left
                .map_or_else(|| "until that is ended".into(), |left| format!("for another {}", span(left)));
            return format!("{} has had it step down, {left}", standing.by);
        }
        if let Some((member, group)) = self.held_back_by() {
            return format!("its sync group {group} waits for {member}, which cannot be MASTER now");
        }
        match self.status.master {
            Some(master) => self.below(master),
            None => match &self.status.reason {
                Some(Reason::StartDelayed { .. }) => {
                    "the daemon keeps quiet for a while after its start".into()
                }
                _ => "no other master has been heard, and it is still listening".into(),
            },
        }
    }

    fn below(&self, Peer { address, priority }: Peer) -> String {
        let (ours, theirs) = (self.priority(), priority.0);
        if theirs > ours {
            let taken: Vec<String> = self.takers().collect();
            let wants = i32::from(self.row.base_priority().0) >= i32::from(theirs);
            if wants && !taken.is_empty() {
                return format!(
                    "its priority is {ours} instead of {}, below the {theirs} of {address}, because of {}",
                    self.row.base_priority(),
                    taken.join(" and ")
                );
            }
            return format!("{address} is master with a higher priority ({theirs}, ours is {ours})");
        }
        if theirs == ours {
            return format!(
                "{address} is master with the same priority ({ours}), and who is master stays it"
            );
        }
        if !self.row.preempt() {
            return format!(
                "{address} is master with a lower priority ({theirs}, ours is {ours}), and nopreempt lets it be"
            );
        }
        if let Some(until) = self.status.tolerates_until.filter(|until| *until > self.moment.now) {
            let left = span(until.since(self.moment.now));
            return format!(
                "{address} is master with a lower priority ({theirs}, ours is {ours}), and preempt_delay lets it be for \
                 another {left}"
            );
        }
        format!(
            "{address} is master with a lower priority ({theirs}, ours is {ours}), and it is about to take over"
        )
    }

    /// What takes from its priority: a tracker that adds less than nothing, or not what it would when all is well.
    fn takers(&self) -> impl Iterator<Item = String> {
        let added = |line: &tracker::Tracking| {
            let mut known = self.status.contributions.iter();
            known.find(|(tracker, _)| *tracker == line.tracker).map_or(0, |(_, added)| *added)
        };
        let lines = tracker::of_instance(self.moment, self.row).into_iter();
        let of_trackers = lines.filter(move |line| added(line) < 0 || line.weight > 0 && added(line) == 0);
        let of_operators = self.status.interventions.iter().filter_map(|standing| match standing.what {
            Intervention::Priority(by) if by < 0 => Some(format!("priority {by} of {}", standing.by)),
            _ => None,
        });
        of_trackers.map(|line| line.words()).chain(of_operators)
    }

    fn cause_of_fault(&self) -> String {
        let reason = self.status.reason.as_ref().filter(|reason| self.status.faults.contains(reason));
        let Some(reason) = reason.or_else(|| self.wrong().next()) else {
            return "the reason is not known".into();
        };
        let more = self.wrong().count().saturating_sub(1);
        let also = if more > 0 { format!(", and {more} more") } else { String::new() };
        match (reason, self.group) {
            (Reason::Member { member, reason }, Some(group)) => {
                format!("{member} of its sync group {} is, as {reason}{also}", group.config.name)
            }
            (reason, _) => format!("{reason}{also}"),
        }
    }

    /// What is waited for.
    fn awaited(&self) -> String {
        let topology = &self.moment.topology;
        for reason in &self.status.faults {
            match reason {
                Reason::AwaitingAddress { interface, address } => {
                    return format!("its address {address} on {interface} to be checked for duplicates");
                }
                Reason::AwaitingSocket { interface } => return format!("its socket on {interface}"),
                _ => {}
            }
        }
        let mut scripts = topology.scripts.iter().filter(|row| row.status().result == ScriptResult::Init);
        let tracked = tracker::of_instance(self.moment, self.row);
        let script =
            scripts.find(|row| tracked.iter().any(|line| line.name == row.config.name && line.weight == 0));
        match (script, self.group) {
            (Some(row), _) => format!("the first result of script {}", row.config.name),
            (None, Some(group)) => format!("another member of its sync group {}", group.config.name),
            (None, None) => "the first result of what it tracks".into(),
        }
    }
}

/// Why somebody became MASTER.
fn mastered(reason: &Reason) -> String {
    match reason {
        Reason::NoMaster => "no other master was heard".into(),
        Reason::MasterDown { master } => format!("{master}, which was master, fell silent"),
        Reason::MasterReleased { master } => format!("{master}, which was master, gave way"),
        Reason::Preempted { master, priority } => {
            format!("its priority was higher than that of {master} ({priority}), which was master")
        }
        Reason::AddressOwner => "it owns its addresses (priority 255)".into(),
        Reason::Resumed => "it was MASTER when the daemon was started anew, and went on".into(),
        Reason::Member { member, reason } => format!("it follows {member} of its sync group, where {reason}"),
        other => other.to_string(),
    }
}
